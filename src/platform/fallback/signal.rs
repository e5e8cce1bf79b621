//! No signals: a blocking call runs to its end.

use std::time::Duration;

pub const DEFAULT: i32 = 0;

/// The previous action.
pub struct Saved;

pub fn is_usable(_signal: i32) -> bool {
    false
}

pub fn install(_signal: i32) -> Option<Saved> {
    None
}

pub fn restore(_signal: i32, _saved: &Saved) {}

pub fn unblock(_signal: i32) -> bool {
    false
}

pub fn block(_signal: i32) {}

pub fn keeping_errno<T>(act: impl FnOnce() -> T) -> T {
    act()
}

/// The calling thread.
#[derive(Clone, Copy)]
pub struct Target;

impl Target {
    pub fn current() -> Self {
        Self
    }

    pub fn is_here(&self) -> bool {
        true
    }

    pub fn is_current(&self) -> bool {
        true
    }
}

/// Sends nothing.
pub struct Timer;

impl Timer {
    pub fn new(_target: Target, _signal: i32) -> Option<Self> {
        None
    }

    pub fn set(&mut self, _after: Option<Duration>, _every: Duration) {}
}
