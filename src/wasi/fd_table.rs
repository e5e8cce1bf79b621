//! The guest's descriptors: the host's descriptor and the rights behind each number.
//!
//! The table is locked only to look a number up or to change it. Entries are counted, so a read
//! that blocks holds no lock, and closing the number meanwhile does not close the descriptor under
//! it.

use super::abi::{FileType, Rights};
use super::call::{Outcome, os};
use super::descriptor::Descriptor;
use super::dir::Directory;
use super::errno::Errno;
use crate::exec::QuotaSlot;
use crate::platform::fd;
use crate::sync::Lock;
use std::os::fd::BorrowedFd;
use std::sync::Arc;

/// A number of the guest's.
#[derive(Clone)]
pub(super) struct FdEntry {
    pub(super) descriptor: Arc<Descriptor>,
    pub(super) rights: Rights,
    pub(super) inheriting: Rights,
    /// The guest's name of a preopened directory.
    pub(super) preopen: Option<Arc<Box<[u8]>>>,
}

/// Owner: the instance's WASI context.
pub(super) struct FdTable {
    entries: Lock<Vec<Option<FdEntry>>>,
}

const STDIN_RIGHTS: Rights = Rights::FD_ADVISE
    .with(Rights::FD_FILESTAT_GET)
    .with(Rights::FD_READ)
    .with(Rights::FD_WRITE)
    .with(Rights::POLL_FD_READWRITE);

const STDOUT_RIGHTS: Rights = STDIN_RIGHTS.with(Rights::FD_DATASYNC).with(Rights::FD_SYNC);

const DIRECTORY_RIGHTS: Rights = Rights::FD_FDSTAT_SET_FLAGS
    .with(Rights::FD_SYNC)
    .with(Rights::FD_ADVISE)
    .with(Rights(0xfff << 9))
    .with(Rights::FD_FILESTAT_GET)
    .with(Rights::FD_FILESTAT_SET_TIMES)
    .with(Rights::PATH_SYMLINK)
    .with(Rights::PATH_UNLINK_FILE)
    .with(Rights::PATH_REMOVE_DIRECTORY)
    .with(Rights::POLL_FD_READWRITE);

pub(super) const FILE_RIGHTS: Rights = Rights(0x1ff)
    .with(Rights::FD_FILESTAT_GET)
    .with(Rights::FD_FILESTAT_SET_SIZE)
    .with(Rights::FD_FILESTAT_SET_TIMES)
    .with(Rights::POLL_FD_READWRITE);

const TERMINAL_RIGHTS: Rights = Rights::FD_READ
    .with(Rights::FD_FDSTAT_SET_FLAGS)
    .with(Rights::FD_WRITE)
    .with(Rights::FD_FILESTAT_GET)
    .with(Rights::POLL_FD_READWRITE);

const SOCKET_RIGHTS: Rights = TERMINAL_RIGHTS.with(Rights::SOCKETS);

impl FdTable {
    /// A table of the three standard streams, in order: numbers of the host's that stay open
    /// for as long as the table lives, and afterwards.
    pub(super) fn with_stdio(fds: [i32; 3]) -> Result<Self, i32> {
        let mut entries = Vec::with_capacity(4);
        for fd in fds {
            entries.push(Some(FdEntry::standard(fd)?));
        }
        Ok(Self { entries: Lock::new(entries) })
    }

    /// The entry of `number`.
    pub(super) fn get(&self, number: u32) -> Outcome<FdEntry> {
        let entries = self.entries.lock();
        match entries.get(number as usize) {
            Some(Some(entry)) => Ok(entry.clone()),
            _ => Err(Errno::BadFd.into()),
        }
    }

    /// The entry of `number`, if it has these rights.
    pub(super) fn get_with(&self, number: u32, rights: Rights) -> Outcome<Arc<Descriptor>> {
        let entry = self.get(number)?;
        if entry.rights.contains(rights) {
            Ok(entry.descriptor)
        } else {
            Err(Errno::NotCapable.into())
        }
    }

    /// The preopened directory for whose name `score` gives most, the last of several.
    pub(super) fn best_preopen(&self, score: impl Fn(&[u8]) -> Option<usize>) -> Option<FdEntry> {
        let entries = self.entries.lock();
        let scored = entries.iter().flatten().filter_map(|entry| {
            let score = score(entry.preopen.as_deref()?)?;
            Some((score, entry))
        });
        scored.max_by_key(|(score, _)| *score).map(|(_, entry)| entry.clone())
    }

    /// Gives an entry the lowest free number.
    pub(super) fn add(&self, entry: FdEntry) -> Outcome<u32> {
        let mut entries = self.entries.lock();
        let free = entries.iter().position(Option::is_none);
        let at = free.unwrap_or(entries.len());
        let number = u32::try_from(at).map_err(|_| Errno::TooManyFiles)?;
        if free.is_none() {
            let room = crate::alloc::fallible(|| entries.try_reserve(1));
            room.map_err(|_| Errno::NoMemory)?;
            entries.push(None);
        }
        entries[at] = Some(entry);
        Ok(number)
    }

    /// Frees `number`; its descriptor goes with its last use.
    pub(super) fn close(&self, number: u32) -> Outcome {
        self.take(number).map(drop)
    }

    /// Gives `to`, which is in use, the entry of `from`, and frees `from`.
    pub(super) fn renumber(&self, from: u32, to: u32) -> Outcome {
        let mut entries = self.entries.lock();
        let in_use = |n: u32| matches!(entries.get(n as usize), Some(Some(_)));
        if !in_use(from) || !in_use(to) {
            return Err(Errno::BadFd.into());
        }
        if from == to {
            return Ok(());
        }
        let moved = entries[from as usize].take();
        let replaced = std::mem::replace(&mut entries[to as usize], moved);
        drop(entries);
        // Closing may block, so it happens without the lock.
        drop(replaced);
        Ok(())
    }

    /// Gives `number` other rights, which must be among those that it has.
    pub(super) fn restrict(&self, number: u32, rights: Rights, inheriting: Rights) -> Outcome {
        let mut entries = self.entries.lock();
        match entries.get_mut(number as usize) {
            Some(Some(e)) if e.rights.contains(rights) && e.inheriting.contains(inheriting) => {
                e.rights = rights;
                e.inheriting = inheriting;
                Ok(())
            }
            Some(Some(_)) => Err(Errno::NotCapable.into()),
            _ => Err(Errno::BadFd.into()),
        }
    }

    fn take(&self, number: u32) -> Outcome<FdEntry> {
        let mut entries = self.entries.lock();
        let entry = entries.get_mut(number as usize).and_then(Option::take);
        entry.ok_or(Errno::BadFd.into())
    }
}

impl FdEntry {
    /// A standard stream. The process's own are known by their numbers and not looked at; an
    /// embedder's may be anything.
    fn standard(number: i32) -> Result<Self, i32> {
        if number < 0 {
            return Err(libc::EBADF);
        }
        // SAFETY: it is not -1, and the embedder keeps it open; calls on a number that is not open
        // fail, and nothing here closes it.
        let fd = unsafe { BorrowedFd::borrow_raw(number) };
        let (file_type, rights, inheriting) = match number {
            0 => (FileType::Unknown, STDIN_RIGHTS, STDIN_RIGHTS),
            1 | 2 => (FileType::Unknown, STDOUT_RIGHTS, STDOUT_RIGHTS),
            _ => inspect(fd)?,
        };
        let descriptor = Arc::new(Descriptor::of_host(fd, file_type));
        Ok(Self { descriptor, rights, inheriting, preopen: None })
    }

    /// A directory of the embedder's choice under a name of its own.
    pub(super) fn preopened(directory: Directory, name: Box<[u8]>) -> Self {
        let slot = QuotaSlot::uncounted();
        Self {
            descriptor: Arc::new(Descriptor::of_directory(directory, slot)),
            rights: DIRECTORY_RIGHTS,
            inheriting: DIRECTORY_RIGHTS.with(FILE_RIGHTS),
            preopen: Some(Arc::new(name)),
        }
    }

    /// An entry with these rights, as far as they make sense for its kind.
    pub(super) fn opened(
        descriptor: Descriptor,
        rights: Rights,
        inheriting: Rights,
    ) -> Outcome<Self> {
        let (_, most, most_inheriting) = os(inspect(descriptor.as_fd()))?;
        Ok(Self {
            descriptor: Arc::new(descriptor),
            rights: rights.and(most),
            inheriting: inheriting.and(most_inheriting),
            preopen: None,
        })
    }
}

/// Type and rights of a descriptor of the host's.
fn inspect(fd: BorrowedFd<'_>) -> Result<(FileType, Rights, Rights), i32> {
    let file_type = fd::stat(fd)?.kind.into();
    let (rights, inheriting) = match file_type {
        FileType::CharacterDevice if fd::is_terminal(fd) => (TERMINAL_RIGHTS, Rights::NONE),
        FileType::Directory => (DIRECTORY_RIGHTS, DIRECTORY_RIGHTS.with(FILE_RIGHTS)),
        FileType::RegularFile => (FILE_RIGHTS, Rights::NONE),
        FileType::SocketDgram | FileType::SocketStream => (SOCKET_RIGHTS, Rights::ALL),
        FileType::BlockDevice
        | FileType::CharacterDevice
        | FileType::SymbolicLink
        | FileType::Unknown => (Rights::ALL, Rights::ALL),
    };
    let flags = fd::flags(fd)?;
    let read = if flags.readable { Rights::NONE } else { Rights::FD_READ };
    let write = if flags.writable { Rights::NONE } else { Rights::FD_WRITE };
    Ok((file_type, rights.without(read).without(write), inheriting))
}
