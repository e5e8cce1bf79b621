//! Files by their paths and by numbers, which are WASI's: its functions write, seek in and close
//! files that `open` opened.

use super::call::{Answer, EmccCall, FAILED};
use crate::wasi::{Done, FileStat, FileType, Files, OpenHow};

/// The flags of `open`, in Emscripten's numbers.
mod flags {
    /// How the file is used: 0 to read, 1 to write, 2 for both.
    pub(super) const ACCESS: u32 = 3;
    pub(super) const WRITE: u32 = 1;
    pub(super) const READ_WRITE: u32 = 2;
    pub(super) const CREATE: u32 = 0o100;
    pub(super) const EXCLUSIVE: u32 = 0o200;
    pub(super) const TRUNCATE: u32 = 0o1000;
    pub(super) const APPEND: u32 = 0o2000;
    pub(super) const NONBLOCK: u32 = 0o4000;
    pub(super) const DIRECTORY: u32 = 0o20_0000;
    pub(super) const NO_FOLLOW: u32 = 0o40_0000;
}

const STAT_BYTES: usize = 88;

/// A file's mode: its kind, and permissions, which are not the host's.
fn mode(kind: FileType) -> u32 {
    match kind {
        FileType::Unknown => 0o666,
        FileType::BlockDevice => 0o06_0666,
        FileType::CharacterDevice => 0o02_0666,
        FileType::Directory => 0o04_0777,
        FileType::RegularFile => 0o10_0666,
        FileType::SocketDgram | FileType::SocketStream => 0o14_0666,
        FileType::SymbolicLink => 0o12_0777,
    }
}

/// Emscripten's `struct stat`, in which users and groups are 0.
fn stat_bytes(stat: &FileStat) -> [u8; STAT_BYTES] {
    const BLOCK_BYTES: u32 = 4096;
    const NANOS_PER_SECOND: u64 = 1_000_000_000;
    let mut bytes = [0; STAT_BYTES];
    let mut put = |at: usize, word: u32| bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
    put(0, stat.device as u32);
    put(8, stat.inode as u32);
    put(12, mode(stat.file_type));
    put(16, stat.links as u32);
    put(48, BLOCK_BYTES);
    put(52, u32::try_from(stat.size.div_ceil(512)).unwrap_or(u32::MAX));
    for (at, time) in [(56, stat.accessed), (64, stat.modified), (72, stat.changed)] {
        put(at, (time / NANOS_PER_SECOND) as u32);
        put(at + 4, (time % NANOS_PER_SECOND) as u32);
    }
    bytes[40..48].copy_from_slice(&stat.size.to_le_bytes());
    bytes[80..88].copy_from_slice(&stat.inode.to_le_bytes());
    bytes
}

/// Does something with the path at `address`.
fn with_path(
    call: &EmccCall<'_>,
    address: u32,
    act: impl FnOnce(&Files<'_>, &[u8]) -> Done,
) -> Answer {
    let path = call.path(address)?;
    let (Some(path), Some(files)) = (path, call.files()) else { return Ok(FAILED) };
    Ok(act(&files, &path)?.map_or(FAILED, |()| 0))
}

/// New files have the permissions that WASI gives them, regardless of `_mode`: C passes it as a
/// variable argument, so that it is a number in some programs and an address in others.
pub(super) fn open(call: &EmccCall<'_>, path: u32, flags: u32, _mode: u32) -> Answer {
    let path = call.path(path)?;
    let (Some(path), Some(files)) = (path, call.files()) else { return Ok(FAILED) };
    let has = |flag: u32| flags & flag != 0;
    let access = flags & flags::ACCESS;
    let how = OpenHow {
        read: access != flags::WRITE,
        write: access == flags::WRITE || access == flags::READ_WRITE,
        create: has(flags::CREATE),
        exclusive: has(flags::EXCLUSIVE),
        truncate: has(flags::TRUNCATE),
        append: has(flags::APPEND),
        nonblock: has(flags::NONBLOCK),
        directory: has(flags::DIRECTORY),
        no_follow: has(flags::NO_FOLLOW),
    };
    Ok(files.open(&path, how)?.map_or(FAILED, u64::from))
}

pub(super) fn read(call: &EmccCall<'_>, fd: u32, buffer: u32, len: u32) -> Answer {
    call.check(buffer, len.into())?;
    let Some(files) = call.files() else { return Ok(FAILED) };
    Ok(files.read(fd, buffer, len)?.map_or(FAILED, u64::from))
}

pub(super) fn stat(call: &EmccCall<'_>, path: u32, stat: u32) -> Answer {
    call.check(stat, STAT_BYTES as u64)?;
    with_path(call, path, |files, path| store(call, stat, files.stat(path)?))
}

/// Standard input has no status, as with WAMR.
pub(super) fn fstat(call: &EmccCall<'_>, fd: u32, stat: u32) -> Answer {
    call.check(stat, STAT_BYTES as u64)?;
    let Some(files) = call.files().filter(|_| fd != 0) else { return Ok(FAILED) };
    Ok(store(call, stat, files.stat_of(fd)?)?.map_or(FAILED, |()| 0))
}

fn store(call: &EmccCall<'_>, address: u32, found: Option<FileStat>) -> Done {
    let Some(found) = found else { return Ok(None) };
    call.memory.write(address.into(), &stat_bytes(&found)).map(Some)
}

pub(super) fn mkdir(call: &EmccCall<'_>, path: u32, _mode: u32) -> Answer {
    with_path(call, path, |files, path| files.make_dir(path))
}

pub(super) fn rmdir(call: &EmccCall<'_>, path: u32) -> Answer {
    with_path(call, path, |files, path| files.remove_dir(path))
}

pub(super) fn unlink(call: &EmccCall<'_>, path: u32) -> Answer {
    with_path(call, path, |files, path| files.unlink(path))
}
