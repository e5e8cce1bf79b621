//! The parameters and results of calls on descriptors, on every system.

use crate::platform::unwind::Unwinding;
use std::net::SocketAddr;

/// A call's answer, or the system's error number.
pub type Result<T> = std::result::Result<T, i32>;

/// Why a wait has come to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    Failed(i32),
    /// The thread was cancelled, and has to go on ending.
    Cancelled(Unwinding),
}

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

/// The origin of an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    Start,
    Current,
    End,
}

/// The kind of file that a descriptor refers to.
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

/// The medium of a descriptor's bytes, which decides the signals that reads and writes may cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    /// Files and directories: nothing is waited for.
    File,
    /// Devices and all other kinds.
    Device,
    /// Pipes, with names or without.
    Pipe,
    Socket,
}

/// The result of [`receive`](super::receive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    pub len: usize,
    /// A message was longer than the buffers.
    pub is_cut: bool,
    /// The sender, if the socket reports it.
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

/// The new value of one of a file's times.
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
