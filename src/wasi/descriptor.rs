//! The object behind a guest's descriptor number: a descriptor of the host's, and its mode of use.
//!
//! A file that was opened for the guest is the guest's alone, and its flags are the system's.
//! Sockets of the guest's own never block in the system; whether the guest waits is kept beside
//! them (`sock/own.rs`). Standard streams are the host's, and may be other guests' too: the
//! system's flags are shared by all, so flags that the guest sets are kept here, and applied at
//! each read and write. The position in such a file is shared, as for programs that inherit a
//! descriptor: each one's output follows the others'.

use super::abi::FileType;
use super::call::{Outcome, os};
use super::dir::Directory;
use super::errno::Errno;
use super::sock::{Own, before_close};
use crate::exec::QuotaSlot;
use crate::platform::fd::{self, Flags, Medium};
use crate::sync;
use crate::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::OnceLock;

/// A descriptor of the host's. It is closed with its last use, unless it is the embedder's.
pub(super) struct Descriptor {
    handle: Handle,
    pub(super) file_type: FileType,
    /// Found out at first use.
    medium: OnceLock<Medium>,
    /// Whether the system cannot try without waiting here.
    waits_in_system: AtomicBool,
    /// The state of a socket of the guest's own.
    own: Option<Own>,
    /// Flags that the guest set of a file that is not its own; 0 before it did.
    own_flags: AtomicU8,
    /// Behind the handle, so that it goes back once that is closed.
    _slot: QuotaSlot,
}

enum Handle {
    /// The embedder's own, which stays open.
    Borrowed(BorrowedFd<'static>),
    Owned(OwnedFd),
    Directory(Directory),
}

/// Bits of `own_flags`.
const SET: u8 = 1;
const NONBLOCK: u8 = 2;
const APPEND: u8 = 4;

impl Descriptor {
    fn new(handle: Handle, file_type: FileType, slot: QuotaSlot) -> Self {
        Self {
            handle,
            file_type,
            medium: OnceLock::new(),
            waits_in_system: AtomicBool::new(false),
            own: None,
            own_flags: AtomicU8::new(0),
            _slot: slot,
        }
    }

    /// The embedder's, which keeps it open while an instance uses it; never closed here.
    pub(super) fn of_host(fd: BorrowedFd<'static>, file_type: FileType) -> Self {
        Self::new(Handle::Borrowed(fd), file_type, QuotaSlot::uncounted())
    }

    pub(super) fn of_directory(directory: Directory, slot: QuotaSlot) -> Self {
        Self::new(Handle::Directory(directory), FileType::Directory, slot)
    }

    /// Anything but a directory that can be walked.
    pub(super) fn of_file(file: OwnedFd, slot: QuotaSlot) -> Outcome<Self> {
        let kind = os(fd::stat(file.as_fd()))?.kind;
        Ok(Self::new(Handle::Owned(file), kind.into(), slot))
    }

    pub(super) fn of_socket(socket: OwnedFd, own: Own, slot: QuotaSlot) -> Outcome<Self> {
        let mut descriptor = Self::of_file(socket, slot)?;
        descriptor.own = Some(own);
        Ok(descriptor)
    }

    pub(super) fn own_socket(&self) -> Option<&Own> {
        self.own.as_ref()
    }

    pub(super) fn fd(&self) -> i32 {
        self.as_fd().as_raw_fd()
    }

    /// Whether it is one of the streams that the embedder gave.
    pub(super) fn is_embedders(&self) -> bool {
        matches!(self.handle, Handle::Borrowed(_))
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.handle {
            Handle::Borrowed(fd) => *fd,
            Handle::Owned(file) => file.as_fd(),
            Handle::Directory(directory) => directory.as_fd(),
        }
    }

    pub(super) fn medium(&self) -> Medium {
        *sync::once(&self.medium, || fd::medium(self.as_fd()))
    }

    /// Whether reading or writing may wait for another process.
    pub(super) fn may_block(&self) -> bool {
        self.medium() != Medium::File
    }

    /// Tries the call without waiting; `None` if the system cannot.
    pub(super) fn attempt<T>(&self, act: impl FnOnce() -> fd::Result<T>) -> fd::Result<Option<T>> {
        if self.waits_in_system.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match act() {
            Err(libc::EOPNOTSUPP | libc::ENOSYS) => {
                self.waits_in_system.store(true, Ordering::Relaxed);
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }

    /// A directory that paths can be relative to.
    pub(super) fn directory(&self) -> Option<&Directory> {
        match &self.handle {
            Handle::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    /// Flags that the guest set of a file that is not its own.
    fn own_flags(&self) -> Option<u8> {
        let flags = self.own_flags.load(Ordering::Relaxed);
        (flags & SET != 0).then_some(flags)
    }

    /// Whether the guest waits for calls that cannot complete at once.
    pub(super) fn waits(&self) -> fd::Result<bool> {
        match (&self.own, self.own_flags()) {
            (Some(own), _) => Ok(!own.is_nonblocking()),
            (None, Some(flags)) => Ok(flags & NONBLOCK == 0),
            (None, None) => Ok(!fd::flags(self.as_fd())?.nonblock),
        }
    }

    /// Whether the guest's writes go to the file's end although the system's do not.
    pub(super) fn appends(&self) -> bool {
        self.own_flags().is_some_and(|flags| flags & APPEND != 0)
    }

    /// The flags as the guest sees them: the system's, and those that the guest has set.
    pub(super) fn flags(&self) -> Outcome<Flags> {
        let flags = os(fd::flags(self.as_fd()))?;
        let nonblock = !os(self.waits())?;
        Ok(Flags { nonblock, append: flags.append || self.appends(), ..flags })
    }

    /// Sets whether reads and writes wait, and whether writes go to the end. If the file is the
    /// host's, only the guest's own do so; where the host has them appended, they are.
    pub(super) fn set_flags(&self, nonblock: bool, append: bool) -> Outcome {
        if let Some(own) = &self.own {
            if append {
                // Sockets have no end.
                return Err(Errno::Invalid.into());
            }
            own.set_nonblocking(nonblock);
            return Ok(());
        }
        if !self.is_embedders() {
            let flags = os(fd::flags(self.as_fd()))?;
            return os(fd::set_flags(self.as_fd(), Flags { nonblock, append, ..flags }));
        }
        let bit = |on: bool, bit: u8| if on { bit } else { 0 };
        let own = SET | bit(nonblock, NONBLOCK) | bit(append, APPEND);
        self.own_flags.store(own, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        if self.own.is_some() {
            before_close(self.as_fd());
        }
    }
}
