//! Something that wakes a thread which waits for descriptors: an eventfd, a pipe elsewhere.

use std::io;
use std::os::fd::AsRawFd;

#[cfg(any(target_os = "linux", target_os = "android"))]
use nix::sys::eventfd::{EfdFlags, EventFd};

/// A descriptor that becomes readable on request.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub struct Event(EventFd);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Event {
    pub fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self(EventFd::from_flags(flags)?))
    }

    /// The descriptor to wait for.
    pub fn fd(&self) -> i32 {
        self.0.as_raw_fd()
    }

    /// Makes the descriptor readable, once between two calls of [`Event::clear`].
    pub fn ring(&self) {
        // With one ring at a time there is room.
        let _ = self.0.write(1);
    }

    /// Makes a readable descriptor unreadable again.
    pub fn clear(&self) {
        let _ = self.0.read();
    }
}

/// A descriptor that becomes readable on request.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub struct Event {
    read: io::PipeReader,
    write: io::PipeWriter,
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl Event {
    pub fn new() -> io::Result<Self> {
        let (read, write) = io::pipe()?;
        Ok(Self { read, write })
    }

    /// The descriptor to wait for.
    pub fn fd(&self) -> i32 {
        self.read.as_raw_fd()
    }

    /// Makes the descriptor readable, once between two calls of [`Event::clear`].
    pub fn ring(&self) {
        // With one ring at a time there is room.
        let _ = io::Write::write(&mut &self.write, &[1]);
    }

    /// Makes a readable descriptor unreadable again.
    pub fn clear(&self) {
        let _ = io::Read::read(&mut &self.read, &mut [0]);
    }
}
