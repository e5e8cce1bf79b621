//! Work that is long without waiting ends when its caller is to stop.

use super::{Guest, OUT_OF_BOUNDS};
use crate::abi::trap::Trap;
use crate::native::tests::Rig;
use crate::wasi::call::{Call, Outcome, Stop};
use crate::wasi::errno::Errno;
use crate::wasi::{WasiArgs, WasiCtx, path, poll, random, stdio};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::Ordering;

const TERMINATED: Outcome = Err(Stop::Trap(Trap::Terminated));
const MIB: u32 = 1 << 20;

/// A guest with 8 MiB of memory and this file as its standard streams.
fn guest(file: &std::fs::File) -> Guest {
    let fd = file.as_raw_fd();
    let map = format!("/::{}", std::env::temp_dir().display()).into_bytes();
    let args = WasiArgs { stdin: fd, stdout: fd, map_dirs: vec![map], ..WasiArgs::default() };
    let Ok(ctx) = WasiCtx::new(&args) else { panic!("no WASI state") };
    Guest { rig: Rig::new(8 << 20), ctx }
}

fn file() -> std::fs::File {
    let path = std::env::temp_dir().join(format!("isothread-long-{}", std::process::id()));
    let options = &mut std::fs::File::options();
    let Ok(file) = options.read(true).write(true).create(true).truncate(true).open(&path) else {
        panic!("no temporary file")
    };
    assert!(std::fs::remove_file(&path).is_ok());
    file
}

#[test]
fn what_is_long_can_be_stopped() {
    let mut file = file();
    assert!(file.set_len(80 << 20).is_ok());
    let mut guest = guest(&file);
    guest.iovecs(0, &[(1 << 16, 3 * MIB), (4 * MIB, 5)]);
    type Work = fn(&Call<'_>) -> Outcome;
    let works: [(&str, Work); 11] = [
        ("random", |c| random::random_get(c, 1 << 16, 1 << 22)),
        ("read", |c| stdio::fd_read(c, 0, 0, 2, 64)),
        ("write", |c| stdio::fd_write(c, 1, 0, 2, 64)),
        ("pread", |c| stdio::fd_pread(c, 0, 0, 2, 0, 64)),
        ("iovecs", |c| stdio::fd_write(c, 1, 1 << 21, 1 << 17, 64)),
        ("readdir", |c| path::fd_readdir(c, 3, 1 << 16, 1 << 16, 0, 64)),
        ("poll", |c| poll::poll_oneoff(c, 1 << 16, 1 << 22, 1 << 14, 64)),
        ("sync", |c| stdio::fd_sync(c, 1)),
        ("datasync", |c| stdio::fd_datasync(c, 1)),
        ("advise", |c| stdio::fd_advise(c, 1, 0, 0, 4)),
        ("set_size", |c| stdio::fd_filestat_set_size(c, 1, 3)),
    ];
    for (name, work) in works {
        guest.rig.env.terminate.store(1, Ordering::Relaxed);
        assert_eq!(guest.call(work), TERMINATED, "{name}");
        guest.rig.env.terminate.store(0, Ordering::Relaxed);
    }
    assert_eq!(file.stream_position().ok(), Some(0), "nothing was moved");
    assert_eq!(file.metadata().map(|found| found.len()).ok(), Some(80 << 20), "nor cut");
    assert_eq!(guest.call(|c| random::random_get(c, 1 << 16, 8 << 20)), OUT_OF_BOUNDS);
}

/// In however many pieces a file is cut, it has the size that was asked for, and its bytes.
#[test]
fn large_files_are_cut_and_synchronised() {
    let mut file = file();
    let mut guest = guest(&file);
    let len = |file: &std::fs::File| file.metadata().map(|found| found.len()).ok();
    assert!(file.write_all(b"0123456789").is_ok());
    for size in [5 << 30, 200 << 20, 65 << 20, 64 << 20, 5, 5, 7, 0] {
        assert_eq!(guest.call(|c| stdio::fd_filestat_set_size(c, 1, size)), Ok(()));
        assert_eq!(len(&file), Some(size));
        assert_eq!(guest.call(|c| stdio::fd_sync(c, 1)), Ok(()));
        assert_eq!(guest.call(|c| stdio::fd_datasync(c, 1)), Ok(()));
        for (from, to) in [(0, 0), (1, 0), (3, 100 << 20), (0, u64::MAX >> 1)] {
            assert_eq!(guest.call(|c| stdio::fd_advise(c, 1, from, to, 4)), Ok(()));
        }
        if size == 5 {
            let mut bytes = [0; 9];
            assert!(file.rewind().is_ok());
            assert_eq!((file.read(&mut bytes).ok(), &bytes[..5]), (Some(5), &b"01234"[..]));
        }
    }
    let name = format!("isothread-cut-{}", std::process::id());
    let path = std::env::temp_dir().join(&name);
    let Ok(file) = std::fs::File::create(&path) else { panic!("no temporary file") };
    assert!(file.set_len(200 << 20).is_ok());
    guest.write(128, name.as_bytes());
    let (cut, write) = (8, 1 << 6);
    let name_len = name.len() as u32;
    let opened = guest.call(|c| path::path_open(c, 3, 0, 128, name_len, cut, write, 0, 1, 64));
    assert!(std::fs::remove_file(&path).is_ok());
    assert_eq!((opened, len(&file)), (Ok(()), Some(0)));
    // It was opened for appending, too.
    let number = guest.read_u32(64);
    assert_eq!(guest.call(|c| stdio::fd_fdstat_get(c, number, 512)), Ok(()));
    assert_eq!(guest.read(514, 2), [1, 0]);
}

/// This number is refused before any work for it.
#[test]
fn subscriptions_have_a_greatest_number_and_take_fuel() {
    let mut guest = guest(&file());
    let poll =
        |guest: &mut Guest, count| guest.call(|c| poll::poll_oneoff(c, 64, 1 << 22, count, 0));
    guest.rig.env.terminate.store(1, Ordering::Relaxed);
    assert_eq!(poll(&mut guest, (1 << 16) + 1), Err(Stop::Errno(Errno::Invalid)));
    assert_eq!(poll(&mut guest, 1 << 16), TERMINATED);
    guest.rig.env.terminate.store(0, Ordering::Relaxed);
    assert_eq!(poll(&mut guest, 1 << 10), Ok(()));
    (guest.rig.env.budget, guest.rig.env.fuel) = (0, 1000);
    assert_eq!(poll(&mut guest, 1 << 10), Err(Stop::Trap(Trap::FuelExhausted)));
}

/// A file gives and takes everything at once, in however many pieces.
#[test]
fn long_transfers_are_whole() {
    let mut file = file();
    let mut guest = guest(&file);
    let (first, second) = (2 * MIB + 3, MIB + 1);
    guest.iovecs(0, &[(1 << 16, first), (0, 0), (4 * MIB, second)]);
    for (index, byte) in guest.rig.bytes[1 << 16..].iter_mut().enumerate() {
        *byte = (index * 7 / 5) as u8;
    }
    let before = guest.rig.bytes.clone();
    assert_eq!(guest.call(|c| stdio::fd_write(c, 1, 0, 3, 64)), Ok(()));
    assert_eq!(guest.read_u32(64), first + second);
    assert_eq!(guest.call(|c| stdio::fd_pwrite(c, 1, 0, 3, 10, 64)), Ok(()));
    assert_eq!(file.stream_position().ok(), Some(u64::from(first + second)));
    assert_eq!(file.metadata().map(|found| found.len()).ok(), Some(u64::from(first + second) + 10));
    guest.rig.bytes[1 << 16..].fill(0);
    assert!(file.seek(SeekFrom::Start(10)).is_ok());
    assert_eq!(guest.call(|c| stdio::fd_read(c, 0, 0, 3, 64)), Ok(()));
    assert_eq!(guest.read_u32(64), first + second);
    for (start, len) in [(1 << 16, first), (4 * MIB, second)] {
        let range = start as usize..(start + len) as usize;
        assert!(guest.rig.bytes[range.clone()] == before[range]);
    }
    // Less where the file ends, from the second buffer on.
    assert_eq!(guest.call(|c| stdio::fd_pread(c, 0, 0, 3, 20, 64)), Ok(()));
    assert_eq!(guest.read_u32(64), first + second - 10);
}
