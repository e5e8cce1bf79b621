//! The entries of a directory at one moment, in the form of `fd_readdir`.
//!
//! Guests read a directory in pieces and remember by a number, the cookie, how far they are. The
//! whole is therefore read at once when a guest begins, and a cookie is a place in it: the pieces
//! fit together even if the directory changes meanwhile.

use crate::platform::fd;
use crate::wasi::abi::FileType;
use crate::wasi::call::{Call, Outcome};
use crate::wasi::errno::Errno;
use cap_std::fs::Dir;
use rustix::fs;

/// Bytes in front of each name.
const DIRENT_BYTES: usize = 24;

/// Entries read between two looks whether to stop.
const LOOK_ENTRIES: usize = 1024;

/// Owner: the directory.
pub(in crate::wasi) struct Listing {
    items: Vec<Item>,
    names: Vec<u8>,
}

struct Item {
    inode: u64,
    file_type: FileType,
    name_start: u32,
    name_len: u32,
}

impl Listing {
    /// A guest may have made as many entries as it likes, so reading them can be stopped.
    pub(super) fn read(call: &Call<'_>, dir: &Dir) -> Outcome<Self> {
        let system = |error: rustix::io::Errno| Errno::from_os(error.raw_os_error());
        let mut listing = Self { items: Vec::new(), names: Vec::new() };
        for entry in fs::Dir::read_from(dir).map_err(system)? {
            if listing.items.len().is_multiple_of(LOOK_ENTRIES) {
                call.look()?;
            }
            let entry = entry.map_err(system)?;
            let kind = fd::kind_of_mode(entry.file_type().as_raw_mode());
            listing.add(entry.ino(), kind.into(), entry.file_name().to_bytes())?;
        }
        Ok(listing)
    }

    fn add(&mut self, inode: u64, file_type: FileType, name: &[u8]) -> Outcome {
        let room = crate::alloc::fallible(|| {
            self.items.try_reserve(1).and_then(|()| self.names.try_reserve(name.len()))
        });
        room.map_err(|_| Errno::NoMemory)?;
        let name_start = u32::try_from(self.names.len()).map_err(|_| Errno::Overflow)?;
        let name_len = u32::try_from(name.len()).map_err(|_| Errno::Overflow)?;
        self.names.extend_from_slice(name);
        self.items.push(Item { inode, file_type, name_start, name_len });
        Ok(())
    }

    /// The entries from `cookie` on: the part before the name, and the name.
    pub(in crate::wasi) fn from(
        &self,
        cookie: u64,
    ) -> impl Iterator<Item = ([u8; DIRENT_BYTES], &[u8])> {
        let skipped = usize::try_from(cookie).unwrap_or(usize::MAX);
        self.items.iter().enumerate().skip(skipped).map(|(index, item)| {
            let mut head = [0; DIRENT_BYTES];
            head[0..8].copy_from_slice(&(index as u64 + 1).to_le_bytes());
            head[8..16].copy_from_slice(&item.inode.to_le_bytes());
            head[16..20].copy_from_slice(&item.name_len.to_le_bytes());
            head[20] = item.file_type as u8;
            let name = &self.names[item.name_start as usize..][..item.name_len as usize];
            (head, name)
        })
    }
}
