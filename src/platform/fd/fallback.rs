//! No descriptors: every call is one that the system does not have.

use super::super::unwind::Held;
use super::{
    Advice, At, Flags, Interest, Interrupted, Medium, Readiness, Received, Result, Stat, Time,
    Whence,
};
use std::marker::PhantomData;
use std::net::SocketAddr;

/// The system has no such call.
const NO_SYS: i32 = 38;

/// A buffer for [`read()`] and [`write()`].
#[derive(Clone, Copy)]
pub struct Buffer(PhantomData<*mut u8>);

impl Buffer {
    pub fn new(_start: *mut u8, _len: usize) -> Self {
        Self(PhantomData)
    }

    pub fn len(&self) -> usize {
        0
    }

    pub fn after(&self, _count: usize) -> Self {
        *self
    }

    pub fn pieces(self, _most: usize) -> impl Iterator<Item = Self> {
        std::iter::empty()
    }
}

/// # Safety
/// Nothing is touched.
pub unsafe fn read(_fd: i32, _buffers: &[Buffer], _at: At) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn write(_fd: i32, _buffers: &[Buffer], _at: At, _medium: Medium) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn try_read(_fd: i32, _buffers: &[Buffer]) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn try_write(_fd: i32, _buffers: &[Buffer]) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn append(_fd: i32, _buffers: &[Buffer]) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn send(_fd: i32, _buffers: &[Buffer], _to: Option<SocketAddr>) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn receive(_fd: i32, _buffers: &[Buffer], _peek: bool) -> Result<Received> {
    Err(NO_SYS)
}

pub fn medium(_fd: i32) -> Medium {
    Medium::Pipe
}

pub fn seek(_fd: i32, _offset: i64, _whence: Whence) -> Result<u64> {
    Err(NO_SYS)
}

pub fn stat(_fd: i32) -> Result<Stat> {
    Err(NO_SYS)
}

pub fn kind_of_mode(_mode: u32) -> super::Kind {
    super::Kind::Unknown
}

pub fn is_terminal(_fd: i32) -> bool {
    false
}

pub fn flags(_fd: i32) -> Result<Flags> {
    Err(NO_SYS)
}

pub fn set_flags(_fd: i32, _flags: Flags) -> Result<()> {
    Err(NO_SYS)
}

pub fn sync(_fd: i32) -> Result<()> {
    Err(NO_SYS)
}

pub fn sync_data(_fd: i32) -> Result<()> {
    Err(NO_SYS)
}

pub fn flush(_fd: i32, _offset: u64, _len: u64) -> Result<()> {
    Err(NO_SYS)
}

pub fn set_size(_fd: i32, _size: u64) -> Result<()> {
    Err(NO_SYS)
}

pub fn set_times(_fd: i32, _accessed: Time, _modified: Time) -> Result<()> {
    Err(NO_SYS)
}

pub fn advise(_fd: i32, _offset: u64, _len: u64, _advice: Advice) -> Result<()> {
    Err(NO_SYS)
}

pub fn allocate(_fd: i32, _offset: u64, _len: u64) -> Result<()> {
    Err(NO_SYS)
}

pub fn readable_bytes(_fd: i32) -> u64 {
    0
}

/// One descriptor to wait for.
pub struct Poll;

impl Poll {
    pub fn new(_fd: i32, _interest: Interest) -> Self {
        Self
    }

    pub fn none() -> Self {
        Self
    }

    pub fn readiness(&self) -> Readiness {
        Readiness::NotYet
    }
}

/// Waits as long as it was told to.
pub const CAN_POLL: bool = false;

/// No error of this [`poll`].
pub const INTERRUPTED: i32 = -1;

pub fn poll(_polls: &mut [Poll], timeout_ms: i32) -> Result<usize> {
    let timeout_ms = u64::try_from(timeout_ms).unwrap_or(0);
    std::thread::sleep(std::time::Duration::from_millis(timeout_ms));
    Ok(0)
}

/// As [`poll`]; nobody is cancelled.
pub fn wait(
    polls: &mut [Poll],
    timeout_ms: i32,
    _: &Held,
) -> std::result::Result<usize, Interrupted> {
    poll(polls, timeout_ms).map_err(Interrupted::Failed)
}

#[cfg(unix)]
pub fn fast_open(_fd: std::os::fd::BorrowedFd<'_>) -> Result<bool> {
    Err(NO_SYS)
}

#[cfg(unix)]
pub fn set_fast_open(_fd: std::os::fd::BorrowedFd<'_>, _on: bool) -> Result<()> {
    Err(NO_SYS)
}
