//! The directories that an embedder gives to a guest, under the numbers from 3 on.

use super::args::WasiArgs;
use super::dir::Directory;
use super::errno::Errno;
use super::fd_table::{FdEntry, FdTable};
use crate::abi::error::{Error, Result, Shown, bounded};
use crate::alloc;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Longest path of the host's, with its NUL.
const PATH_BYTES_MAX: usize = libc::PATH_MAX as usize;

/// Opens the directories that `args` lists: those under the host's names first, then those that
/// have a name of the guest's own.
pub(super) fn directories(fds: &FdTable, args: &WasiArgs) -> Result<()> {
    for name in &args.dirs {
        add(fds, name, name, "directory")?;
    }
    for pair in &args.map_dirs {
        let at = pair.windows(2).position(|two| two == b"::").ok_or_else(|| {
            Error::instantiate("error while pre-opening mapped directory: invalid map\n")
        })?;
        add(fds, &pair[..at], &pair[at + 2..], "mapped directory")?;
    }
    Ok(())
}

fn add(fds: &FdTable, guest: &[u8], host: &[u8], what: &str) -> Result<()> {
    let refused = |code: i32| {
        let host = Shown(host);
        Error::instantiate(bounded(format_args!("error while pre-opening {what} {host}: {code}\n")))
    };
    // The system would say so, but not before the path was copied.
    if host.len() >= PATH_BYTES_MAX {
        return Err(refused(libc::ENAMETOOLONG));
    }
    let path = Path::new(OsStr::from_bytes(host));
    // The system's number if the path does not exist, WASI's if it does not open.
    let path = path.canonicalize().map_err(|e| refused(e.raw_os_error().unwrap_or(0)))?;
    let directory = Directory::preopen(&path).map_err(|e| refused(Errno::from_io(&e) as i32))?;
    fds.add(FdEntry::preopened(directory, alloc::try_boxed(guest)?)).map(drop).map_err(|_| {
        Error::instantiate("error while pre-opening mapped directory: insertion failed\n")
    })
}
