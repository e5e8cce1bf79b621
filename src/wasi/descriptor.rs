//! What a number of the guest's stands for: a descriptor of the host's, and how it is used.
//!
//! An open file that was opened for the guest is the guest's alone, and the system keeps its
//! flags. Standard streams are the host's, and may be other guests' too: there the system's flags
//! are everybody's, so what the guest sets is kept here, and each read and write is made in the
//! manner that the guest asked for. The position in such a file is everybody's, as it is for
//! programs that inherit a descriptor: output of several goes one behind the other.

use super::abi::FileType;
use super::call::{Outcome, os};
use super::dir::Directory;
use super::errno::Errno;
use crate::exec::DescriptorSlot;
use crate::platform::fd::{self, Flags};
use crate::sync;
use crate::sync::atomic::{AtomicU8, Ordering};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

/// A descriptor of the host's. It is closed with its last use, unless it is the embedder's.
pub(super) struct Descriptor {
    handle: Handle,
    pub(super) file_type: FileType,
    /// Whether using it may mean waiting; found out at first use.
    may_block: OnceLock<bool>,
    /// What the guest set of a file that is not its own; 0 before it did.
    own_flags: AtomicU8,
    /// Behind the handle, so that it goes back once that is closed.
    _slot: DescriptorSlot,
}

enum Handle {
    /// The embedder's own, which stays open.
    Borrowed(i32),
    Owned(OwnedFd),
    Directory(Directory),
}

/// How reads and writes go about waiting and appending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// As the system's flags say.
    AsSystem,
    /// Whatever the system's flags say: do they wait, and do writes go to the end?
    Own { waits: bool, appends: bool },
}

/// Bits of `own_flags`.
const SET: u8 = 1;
const NONBLOCK: u8 = 2;
const APPEND: u8 = 4;

impl Descriptor {
    fn new(handle: Handle, file_type: FileType, slot: DescriptorSlot) -> Self {
        let (may_block, own_flags) = (OnceLock::new(), AtomicU8::new(0));
        Self { handle, file_type, may_block, own_flags, _slot: slot }
    }

    /// The embedder's, which is open as long as whoever uses this.
    pub(super) fn of_host(fd: i32, file_type: FileType) -> Self {
        Self::new(Handle::Borrowed(fd), file_type, DescriptorSlot::uncounted())
    }

    pub(super) fn of_directory(directory: Directory, slot: DescriptorSlot) -> Self {
        Self::new(Handle::Directory(directory), FileType::Directory, slot)
    }

    /// Anything but a directory that can be walked.
    pub(super) fn of_file(file: OwnedFd, slot: DescriptorSlot) -> Outcome<Self> {
        let kind = os(fd::stat(file.as_raw_fd()))?.kind;
        Ok(Self::new(Handle::Owned(file), kind.into(), slot))
    }

    pub(super) fn fd(&self) -> i32 {
        match &self.handle {
            Handle::Borrowed(fd) => *fd,
            Handle::Owned(file) => file.as_raw_fd(),
            Handle::Directory(directory) => directory.raw_fd(),
        }
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: own handles are open as long as `self`, borrowed ones as long as the table, says
        // `FdTable::with_stdio`; -1, which is no descriptor, was made another number there.
        unsafe { BorrowedFd::borrow_raw(self.fd()) }
    }

    /// Whether reading or writing may wait for somebody else.
    pub(super) fn may_block(&self) -> bool {
        let file = |kind| matches!(kind, FileType::RegularFile | FileType::Directory);
        *sync::once(&self.may_block, || match self.file_type {
            // The process's own streams are not looked at when they are given.
            FileType::Unknown => !fd::stat(self.fd()).is_ok_and(|s| file(s.kind.into())),
            kind => !file(kind),
        })
    }

    /// What paths can be relative to.
    pub(super) fn directory(&self) -> Option<&Directory> {
        match &self.handle {
            Handle::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    /// The flags as the guest sees them: the system's, with what the guest has set.
    pub(super) fn flags(&self) -> Outcome<Flags> {
        let flags = os(fd::flags(self.fd()))?;
        Ok(match self.manner() {
            Manner::AsSystem => flags,
            Manner::Own { waits, appends } => {
                Flags { nonblock: !waits, append: flags.append || appends, ..flags }
            }
        })
    }

    /// Sets whether reads and writes wait, and whether writes go to the end. If the file is the
    /// host's, only the guest's own do so; where the host has them appended, they are.
    pub(super) fn set_flags(&self, nonblock: bool, append: bool) -> Outcome {
        if !matches!(self.handle, Handle::Borrowed(_)) {
            let flags = os(fd::flags(self.fd()))?;
            return os(fd::set_flags(self.fd(), Flags { nonblock, append, ..flags }));
        }
        let bit = |on: bool, bit: u8| if on { bit } else { 0 };
        let own = SET | bit(nonblock, NONBLOCK) | bit(append, APPEND);
        self.own_flags.store(own, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn manner(&self) -> Manner {
        match self.own_flags.load(Ordering::Relaxed) {
            0 => Manner::AsSystem,
            own => Manner::Own { waits: own & NONBLOCK == 0, appends: own & APPEND != 0 },
        }
    }

    /// Whether the guest's reads and writes fail where they would wait.
    pub(super) fn is_nonblocking(&self) -> Outcome<bool> {
        match self.manner() {
            Manner::AsSystem => Ok(os(fd::flags(self.fd()))?.nonblock),
            Manner::Own { waits, .. } => Ok(!waits),
        }
    }

    /// Reads once, without waiting before the call.
    ///
    /// # Safety
    /// Every buffer is writable, and there are at most [`fd::BUFFERS_MAX`].
    pub(super) unsafe fn read(&self, buffers: &[fd::Buffer], at: fd::At) -> fd::Result<usize> {
        // SAFETY: the caller vouches for the buffers, in both calls.
        unsafe {
            match (self.manner(), at) {
                (Manner::Own { waits: false, .. }, fd::At::Position) if self.may_block() => {
                    fd::read_now(self.fd(), buffers)
                }
                _ => fd::read(self.fd(), buffers, at),
            }
        }
    }

    /// Writes once, without waiting before the call.
    ///
    /// # Safety
    /// Every buffer is readable, and there are at most [`fd::BUFFERS_MAX`].
    pub(super) unsafe fn write(&self, buffers: &[fd::Buffer], at: fd::At) -> fd::Result<usize> {
        // SAFETY: the caller vouches for the buffers, in all calls.
        unsafe {
            match (self.manner(), at) {
                (Manner::Own { waits: false, .. }, fd::At::Position) if self.may_block() => {
                    fd::write_now(self.fd(), buffers)
                }
                (Manner::Own { appends: true, .. }, fd::At::Position) if !self.may_block() => {
                    fd::append(self.fd(), buffers)
                }
                _ => fd::write(self.fd(), buffers, at),
            }
        }
    }

    /// Whether a call that failed is to be made again, after another wait: the guest's reads and
    /// writes wait, although the system's do not.
    pub(super) fn waits_on(&self, done: fd::Result<usize>) -> bool {
        done.is_err_and(|error| Errno::from_os(error) == Errno::Again)
            && matches!(self.manner(), Manner::Own { waits: true, .. })
    }
}
