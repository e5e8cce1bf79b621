//! File descriptors: the system's calls on them, with the system's error numbers.
//!
//! It must not know any other part of the crate. Control enters through plain functions. Each
//! takes the number of a descriptor that its caller keeps open; a number that is not open is an
//! error, nothing worse. Buffers are raw because they lie in guests' memories, which no Rust
//! reference may cover. Errors come as numbers alone, without signals beside them.

use super::unwind::Unwinding;

#[cfg(not(all(unix, not(miri))))]
mod fallback;
#[cfg(all(unix, not(miri)))]
mod now;
#[cfg(all(unix, not(miri)))]
mod socket;
#[cfg(all(unix, not(miri)))]
mod unix;

use std::net::SocketAddr;

#[cfg(not(all(unix, not(miri))))]
use fallback as backend;
#[cfg(all(unix, not(miri)))]
use unix as backend;

pub use backend::{
    Buffer, CAN_POLL, INTERRUPTED, Poll, advise, allocate, fast_open, flags, flush, is_terminal,
    kind_of_mode, medium, poll, read, readable_bytes, seek, set_fast_open, set_flags, set_size,
    set_times, stat, sync, sync_data, wait, write,
};
#[cfg(not(all(unix, not(miri))))]
pub use fallback::{append, receive, send, try_read, try_write};
#[cfg(all(unix, not(miri)))]
pub use now::{append, try_read, try_write};
#[cfg(all(unix, not(miri)))]
pub use socket::{receive, send};

/// A call's answer, or the system's error number.
pub type Result<T> = std::result::Result<T, i32>;

/// Why a wait has come to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    Failed(i32),
    /// The thread was cancelled, and has to go on ending.
    Cancelled(Unwinding),
}

/// The process's standard output.
pub const STDOUT: i32 = 1;

/// How many buffers one call may have.
pub const BUFFERS_MAX: usize = 1024;

/// Where in a file a call works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// At the descriptor's own position, which moves.
    Position,
    /// At this offset; the position stays.
    Offset(u64),
}

/// What an offset counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    Start,
    Current,
    End,
}

/// What kind of thing a descriptor refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Unknown,
    BlockDevice,
    CharacterDevice,
    Directory,
    RegularFile,
    DatagramSocket,
    /// Pipes too.
    Stream,
    SymbolicLink,
}

/// What a descriptor's bytes go through, and so what reading and writing may bring along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Files and directories: nothing is waited for.
    File,
    /// Devices and whatever else there may be.
    Device,
    /// Pipes, with names or without.
    Pipe,
    Socket,
}

/// What [`receive`] brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    pub len: usize,
    /// A message was longer than the buffers.
    pub is_cut: bool,
    /// Who sent it, as far as the socket says so.
    pub from: Option<SocketAddr>,
}

/// A file's properties; times in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct Stat {
    pub device: u64,
    pub inode: u64,
    pub kind: Kind,
    pub links: u64,
    pub size: u64,
    pub accessed: u64,
    pub modified: u64,
    pub changed: u64,
}

/// How a descriptor was opened and behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    pub readable: bool,
    pub writable: bool,
    pub append: bool,
    pub nonblock: bool,
    pub data_sync: bool,
    pub sync: bool,
}

/// What to set one of a file's times to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    Keep,
    Now,
    /// Nanoseconds since 1970.
    At(u64),
}

/// How a range of a file will be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    Normal,
    Sequential,
    Random,
    WillNeed,
    DontNeed,
    NoReuse,
}

/// What a wait is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    Read,
    Write,
}

/// What a wait found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    NotYet,
    Ready,
    HangUp,
    Failed,
    NotOpen,
}

#[cfg(all(test, unix, not(miri)))]
mod tests;
