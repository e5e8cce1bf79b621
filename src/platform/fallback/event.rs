//! No wake-ups: waits check at intervals.

use std::io;

pub struct Event;

impl Event {
    pub fn new() -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub fn fd(&self) -> i32 {
        -1
    }

    pub fn ring(&self) {}

    pub fn clear(&self) {}
}
