//! No descriptors: every call is one that the system does not have.

use super::super::unwind::Held;
use super::{
    Advice, At, Flags, Interrupted, Medium, Poll, Received, Result, Stat, Time, Whence, poll,
};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

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
pub unsafe fn read(_fd: BorrowedFd<'_>, _buffers: &[Buffer], _at: At) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn write(
    _fd: BorrowedFd<'_>,
    _buffers: &[Buffer],
    _at: At,
    _medium: Medium,
) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn try_read(_fd: BorrowedFd<'_>, _buffers: &[Buffer]) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn try_write(_fd: BorrowedFd<'_>, _buffers: &[Buffer]) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn append(_fd: BorrowedFd<'_>, _buffers: &[Buffer]) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn send(
    _fd: BorrowedFd<'_>,
    _buffers: &[Buffer],
    _to: Option<SocketAddr>,
) -> Result<usize> {
    Err(NO_SYS)
}

/// # Safety
/// Nothing is touched.
pub unsafe fn receive(_fd: BorrowedFd<'_>, _buffers: &[Buffer], _peek: bool) -> Result<Received> {
    Err(NO_SYS)
}

pub fn medium(_fd: BorrowedFd<'_>) -> Medium {
    Medium::Pipe
}

pub fn seek(_fd: BorrowedFd<'_>, _offset: i64, _whence: Whence) -> Result<u64> {
    Err(NO_SYS)
}

pub fn stat(_fd: BorrowedFd<'_>) -> Result<Stat> {
    Err(NO_SYS)
}

pub fn kind_of_mode(_mode: u32) -> super::Kind {
    super::Kind::Unknown
}

pub fn is_terminal(_fd: BorrowedFd<'_>) -> bool {
    false
}

pub fn flags(_fd: BorrowedFd<'_>) -> Result<Flags> {
    Err(NO_SYS)
}

pub fn set_flags(_fd: BorrowedFd<'_>, _flags: Flags) -> Result<()> {
    Err(NO_SYS)
}

pub fn sync(_fd: BorrowedFd<'_>) -> Result<()> {
    Err(NO_SYS)
}

pub fn sync_data(_fd: BorrowedFd<'_>) -> Result<()> {
    Err(NO_SYS)
}

pub fn flush(_fd: BorrowedFd<'_>, _offset: u64, _len: u64) -> Result<()> {
    Err(NO_SYS)
}

pub fn set_size(_fd: BorrowedFd<'_>, _size: u64) -> Result<()> {
    Err(NO_SYS)
}

pub fn set_times(_fd: BorrowedFd<'_>, _accessed: Time, _modified: Time) -> Result<()> {
    Err(NO_SYS)
}

pub fn advise(_fd: BorrowedFd<'_>, _offset: u64, _len: u64, _advice: Advice) -> Result<()> {
    Err(NO_SYS)
}

pub fn allocate(_fd: BorrowedFd<'_>, _offset: u64, _len: u64) -> Result<()> {
    Err(NO_SYS)
}

pub fn readable_bytes(_fd: BorrowedFd<'_>) -> u64 {
    0
}

/// As [`poll`]; threads are not cancelled here.
pub fn wait(
    polls: &mut [Poll],
    timeout_ms: i32,
    _: &Held,
) -> std::result::Result<usize, Interrupted> {
    poll(polls, timeout_ms).map_err(Interrupted::Failed)
}

pub fn fast_open(_fd: BorrowedFd<'_>) -> Result<bool> {
    Err(NO_SYS)
}

pub fn set_fast_open(_fd: BorrowedFd<'_>, _on: bool) -> Result<()> {
    Err(NO_SYS)
}
