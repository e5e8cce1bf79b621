//! Work that is long without waiting ends when its caller is to stop.

use super::{Guest, OUT_OF_BOUNDS};
use crate::abi::trap::Trap;
use crate::native::tests::Rig;
use crate::wasi::call::{Call, Outcome, Stop};
use crate::wasi::{WasiArgs, WasiCtx, path, poll, random, stdio};
use std::io::{Seek, SeekFrom};
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
    assert!(file.set_len(4 << 20).is_ok());
    let mut guest = guest(&file);
    guest.iovecs(0, &[(1 << 16, 3 * MIB), (4 * MIB, 5)]);
    type Work = fn(&Call<'_>) -> Outcome;
    let works: [(&str, Work); 7] = [
        ("random", |c| random::random_get(c, 1 << 16, 1 << 22)),
        ("read", |c| stdio::fd_read(c, 0, 0, 2, 64)),
        ("write", |c| stdio::fd_write(c, 1, 0, 2, 64)),
        ("pread", |c| stdio::fd_pread(c, 0, 0, 2, 0, 64)),
        ("iovecs", |c| stdio::fd_write(c, 1, 1 << 21, 1 << 17, 64)),
        ("readdir", |c| path::fd_readdir(c, 3, 1 << 16, 1 << 16, 0, 64)),
        ("poll", |c| poll::poll_oneoff(c, 1 << 16, 1 << 22, 1 << 14, 64)),
    ];
    for (name, work) in works {
        guest.rig.env.terminate.store(1, Ordering::Relaxed);
        assert_eq!(guest.call(work), TERMINATED, "{name}");
        guest.rig.env.terminate.store(0, Ordering::Relaxed);
    }
    assert_eq!(file.stream_position().ok(), Some(0), "nothing was moved");
    assert_eq!(guest.call(|c| random::random_get(c, 1 << 16, 8 << 20)), OUT_OF_BOUNDS);
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
