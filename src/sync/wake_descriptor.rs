//! Ending waits for descriptors.

use super::Interrupt;
use crate::platform::event::Event;
use std::{io, mem};

/// A descriptor that becomes readable when its [`Interrupt`] ends waits.
pub struct WakeDescriptor<'a> {
    interrupt: &'a Interrupt,
    fd: i32,
}

/// The state of a wake descriptor. Owner: the interrupt.
pub(super) struct Wake {
    event: Event,
    is_readable: bool,
}

impl<'a> WakeDescriptor<'a> {
    pub(super) fn new(interrupt: &'a Interrupt, fd: i32) -> Self {
        Self { interrupt, fd }
    }

    pub fn fd(&self) -> i32 {
        self.fd
    }

    /// Makes it unreadable again. Look for the reason that it was readable afterwards.
    pub fn clear(&self) {
        self.interrupt.with_wake(|wake| wake.iter_mut().for_each(Wake::clear));
    }
}

impl Drop for WakeDescriptor<'_> {
    fn drop(&mut self) {
        self.interrupt.with_wake(|wake| *wake = None);
    }
}

impl Wake {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { event: Event::new()?, is_readable: false })
    }

    pub(super) fn fd(&self) -> i32 {
        self.event.fd()
    }

    pub(super) fn wake(&mut self) {
        if !mem::replace(&mut self.is_readable, true) {
            self.event.ring();
        }
    }

    fn clear(&mut self) {
        if mem::take(&mut self.is_readable) {
            self.event.clear();
        }
    }
}
