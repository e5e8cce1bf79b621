//! Reading, writing, closing, and the rights of descriptors.

use super::{Guest, MEMORY_BYTES, OUT_OF_BOUNDS, fails};
use crate::abi::error::ErrorKind;
use crate::platform::fd;
use crate::wasi::abi::Rights;
use crate::wasi::descriptor::Descriptor;
use crate::wasi::errno::Errno;
use crate::wasi::{WasiArgs, WasiCtx, path, sock, stdio};
use std::io::{Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

#[test]
fn what_the_guest_writes_comes_out() {
    let (mut guest, mut outside, _inside) = Guest::with_stream();
    guest.write(1000, b"hello world");
    guest.iovecs(0, &[(1000, 6), (0, 0), (1006, 5)]);
    assert_eq!(guest.call(|c| stdio::fd_write(c, 1, 0, 3, 64)), Ok(()));
    assert_eq!(guest.read_u32(64), 11);
    let mut text = [0; 11];
    assert!(outside.read_exact(&mut text).is_ok());
    assert_eq!(&text, b"hello world");
}

#[test]
fn what_comes_in_is_read() {
    let (mut guest, mut outside, _inside) = Guest::with_stream();
    assert!(outside.write_all(b"0123456789").is_ok());
    guest.iovecs(0, &[(1000, 3), (2000, 4)]);
    assert_eq!(guest.call(|c| stdio::fd_read(c, 0, 0, 2, 64)), Ok(()));
    assert_eq!(guest.read_u32(64), 7);
    assert_eq!((guest.read(1000, 4), guest.read(2000, 5)), (&b"012\0"[..], &b"3456\0"[..]));
    assert_eq!(guest.call(|c| stdio::fd_read(c, 0, 0, 2, 64)), Ok(()));
    assert_eq!((guest.read_u32(64), guest.read(1000, 3)), (3, &b"789"[..]));
    drop(outside);
    assert_eq!(guest.call(|c| stdio::fd_read(c, 0, 0, 2, 64)), Ok(()));
    assert_eq!(guest.read_u32(64), 0);
}

#[test]
fn many_buffers_are_fewer_bytes_but_no_error() {
    let (mut guest, mut outside, _inside) = Guest::with_stream();
    let list: Vec<_> = (0..2000).map(|i| (60_000 + i % 10, 1)).collect();
    guest.write(60_000, b"abcdefghij");
    guest.iovecs(0, &list);
    assert_eq!(guest.call(|c| stdio::fd_write(c, 1, 0, 2000, 50_000)), Ok(()));
    assert_eq!(guest.read_u32(50_000), 1024);
    let mut text = [0; 1024];
    assert!(outside.read_exact(&mut text).is_ok());
    assert_eq!((&text[..10], text[1023]), (&b"abcdefghij"[..], b'd'));
    guest.iovecs(1999 * 8, &[(MEMORY_BYTES as u32, 1)]);
    assert_eq!(guest.call(|c| stdio::fd_write(c, 1, 0, 2000, 50_000)), OUT_OF_BOUNDS);
}

#[test]
fn bad_addresses_trap_before_anything_happens() {
    let (mut guest, mut outside, inside) = Guest::with_stream();
    let end = MEMORY_BYTES as u32;
    guest.write(1000, b"x");
    guest.iovecs(0, &[(1000, 1)]);
    assert_eq!(guest.call(|c| stdio::fd_write(c, 1, 0, 1, end - 3)), OUT_OF_BOUNDS);
    assert_eq!(guest.call(|c| stdio::fd_write(c, 1, end - 7, 1, 64)), OUT_OF_BOUNDS);
    assert_eq!(guest.call(|c| stdio::fd_write(c, 1, 0, u32::MAX, 64)), OUT_OF_BOUNDS);
    // Even for a descriptor that is not there.
    assert_eq!(guest.call(|c| stdio::fd_write(c, 9, end, 0, 64)), OUT_OF_BOUNDS);
    for bad in [(end, 1), (end - 1, 2), (0, end + 1), (u32::MAX, u32::MAX)] {
        guest.iovecs(0, &[(1000, 1), bad]);
        assert_eq!(guest.call(|c| stdio::fd_write(c, 1, 0, 2, 64)), OUT_OF_BOUNDS);
        assert_eq!(guest.call(|c| stdio::fd_read(c, 0, 0, 2, 64)), OUT_OF_BOUNDS);
    }
    drop((guest, inside));
    let mut rest = Vec::new();
    assert!(outside.read_to_end(&mut rest).is_ok());
    assert!(rest.is_empty());
}

#[test]
fn only_the_three_streams_are_open() {
    let (mut guest, _outside, _inside) = Guest::with_stream();
    for fd in [3, 4, u32::MAX] {
        assert_eq!(guest.call(|c| stdio::fd_write(c, fd, 0, 0, 64)), fails(Errno::BadFd));
        assert_eq!(guest.call(|c| stdio::fd_close(c, fd)), fails(Errno::BadFd));
        assert_eq!(guest.call(|c| path::fd_prestat_get(c, fd, 0)), fails(Errno::BadFd));
        assert_eq!(guest.call(|c| path::path_unlink_file(c, fd, 0, 1)), fails(Errno::BadFd));
        let open = guest.call(|c| path::path_open(c, fd, 0, 0, 1, 0, 0, 0, 0, 64));
        assert_eq!(open, fails(Errno::BadFd));
        assert_eq!(guest.call(|c| sock::sock_shutdown(c, fd, 0)), fails(Errno::BadFd));
    }
    let open = guest.call(|c| path::path_open(c, 0, 0, 0, 1, 0, 0, 0, 0, 64));
    assert_eq!(open, fails(Errno::NotCapable));
    assert_eq!(guest.call(|c| path::fd_readdir(c, 0, 0, 8, 0, 64)), fails(Errno::NotCapable));
    assert_eq!(guest.call(|c| sock::sock_shutdown(c, 0, 0)), fails(Errno::Invalid));
}

#[test]
fn a_closed_number_is_free_and_the_hosts_descriptor_open() {
    let (mut guest, mut outside, inside) = Guest::with_stream();
    assert_eq!(guest.call(|c| stdio::fd_close(c, 1)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_close(c, 1)), fails(Errno::BadFd));
    assert_eq!(guest.call(|c| stdio::fd_write(c, 1, 0, 0, 64)), fails(Errno::BadFd));
    drop(guest);
    assert!((&std::fs::File::from(inside)).write_all(b"still open").is_ok());
    let mut text = [0; 10];
    assert!(outside.read_exact(&mut text).is_ok());
}

#[test]
fn numbers_can_be_exchanged() {
    let (mut guest, _outside, _inside) = Guest::with_stream();
    assert_eq!(guest.call(|c| stdio::fd_renumber(c, 1, 9)), fails(Errno::BadFd));
    assert_eq!(guest.call(|c| stdio::fd_renumber(c, 9, 1)), fails(Errno::BadFd));
    assert_eq!(guest.call(|c| stdio::fd_renumber(c, 2, 2)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_renumber(c, 2, 1)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_fdstat_get(c, 2, 64)), fails(Errno::BadFd));
    assert_eq!(guest.call(|c| stdio::fd_fdstat_get(c, 1, 64)), Ok(()));
}

#[test]
fn a_stream_of_the_embedders_is_looked_at() {
    let (mut guest, _outside, _inside) = Guest::with_stream();
    assert_eq!(guest.call(|c| stdio::fd_fdstat_get(c, 0, 64)), Ok(()));
    let (kind, rights) = (guest.read(64, 1)[0], guest.read_u64(72));
    assert_eq!(kind, 6, "a stream");
    assert_eq!(rights & 0b110_0110, 0b100_0010, "read and write, not seek and tell");
    assert_eq!(guest.call(|c| stdio::fd_seek(c, 0, 0, 0, 64)), fails(Errno::NotCapable));
    assert_eq!(guest.call(|c| stdio::fd_tell(c, 0, 64)), fails(Errno::NotCapable));
    assert_eq!(guest.call(|c| stdio::fd_sync(c, 0)), fails(Errno::NotCapable));
    assert_eq!(guest.call(|c| stdio::fd_fdstat_set_flags(c, 0, 4)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_fdstat_get(c, 0, 64)), Ok(()));
    assert_eq!(guest.read(66, 2), [4, 0], "not blocking");
    guest.iovecs(0, &[(1000, 1)]);
    assert_eq!(guest.call(|c| stdio::fd_read(c, 0, 0, 1, 64)), fails(Errno::Again));
}

#[test]
fn the_processs_streams_are_what_they_are_called() {
    let mut guest = Guest::new(&WasiArgs::default());
    for (fd, rights) in [(0, 0x0820_00c2_u64), (1, 0x0820_00d3), (2, 0x0820_00d3)] {
        assert_eq!(guest.call(|c| stdio::fd_fdstat_get(c, fd, 64)), Ok(()));
        assert_eq!(guest.read(64, 1), [0], "unknown");
        assert_eq!((guest.read_u64(72), guest.read_u64(80)), (rights, rights));
    }
}

#[test]
fn rights_only_shrink() {
    let (mut guest, _outside, _inside) = Guest::with_stream();
    assert_eq!(guest.call(|c| stdio::fd_fdstat_set_rights(c, 0, 1 << 6, 0)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_read(c, 0, 0, 0, 64)), fails(Errno::NotCapable));
    assert_eq!(guest.call(|c| stdio::fd_write(c, 0, 0, 0, 64)), Ok(()));
    let grow = guest.call(|c| stdio::fd_fdstat_set_rights(c, 0, 1 << 1, 0));
    assert_eq!(grow, fails(Errno::NotCapable));
    let absent = guest.call(|c| stdio::fd_fdstat_set_rights(c, 5, 0, 0));
    assert_eq!(absent, fails(Errno::BadFd));
}

/// A file without a name.
fn file() -> std::fs::File {
    use std::sync::atomic::{AtomicU32, Ordering};
    /// Owner: the process; numbers the files of this test run.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("isothread-wasi-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let file = std::fs::File::options().read(true).write(true).create_new(true).open(&path);
    let Ok(file) = file else { panic!("no temporary file") };
    assert!(std::fs::remove_file(&path).is_ok());
    file
}

#[test]
fn a_file_as_a_stream_can_do_what_files_can() {
    let mut file = file();
    assert!(file.write_all(b"0123456789").is_ok());
    let args = WasiArgs { stdin: file.as_raw_fd(), ..WasiArgs::default() };
    let mut guest = Guest::new(&args);
    assert_eq!(guest.call(|c| stdio::fd_seek(c, 0, -4_i64 as u64, 2, 64)), Ok(()));
    assert_eq!(guest.read_u64(64), 6);
    guest.iovecs(0, &[(1000, 100)]);
    assert_eq!(guest.call(|c| stdio::fd_read(c, 0, 0, 1, 64)), Ok(()));
    assert_eq!((guest.read_u32(64), guest.read(1000, 5)), (4, &b"6789\0"[..]));
    assert_eq!(guest.call(|c| stdio::fd_pread(c, 0, 0, 1, 2, 64)), Ok(()));
    assert_eq!((guest.read_u32(64), guest.read(1000, 3)), (8, &b"234"[..]));
    assert_eq!(guest.call(|c| stdio::fd_pread(c, 0, 0, 0, 2, 64)), Ok(()));
    assert_eq!(guest.read_u32(64), 0);
    guest.iovecs(0, &[(1000, 2)]);
    assert_eq!(guest.call(|c| stdio::fd_pwrite(c, 0, 0, 1, 9, 64)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_tell(c, 0, 64)), Ok(()));
    assert_eq!(guest.read_u64(64), 10);
    assert_eq!(guest.call(|c| stdio::fd_seek(c, 0, 0, 3, 64)), fails(Errno::Invalid));
    let below = guest.call(|c| stdio::fd_seek(c, 0, -1_i64 as u64, 0, 64));
    assert_eq!(below, fails(Errno::Invalid));
    assert_eq!(guest.call(|c| stdio::fd_filestat_set_times(c, 0, 5, 7, 1 | 4)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_filestat_get(c, 0, 128)), Ok(()));
    let size_and_times = [160, 168, 176].map(|at| guest.read_u64(at));
    assert_eq!((guest.read(144, 1)[0], size_and_times), (4, [11, 5, 7]));
    assert_eq!(guest.call(|c| stdio::fd_filestat_set_size(c, 0, 3)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_allocate(c, 0, 0, 5)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_advise(c, 0, 0, 5, 1)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_advise(c, 0, 0, 5, 6)), fails(Errno::Invalid));
    assert_eq!(guest.call(|c| stdio::fd_sync(c, 0)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_datasync(c, 0)), Ok(()));
    let mut text = String::new();
    assert!(file.rewind().is_ok() && file.read_to_string(&mut text).is_ok());
    assert_eq!(text, "012\0\0");
}

#[test]
fn a_stream_that_is_not_open_is_an_error() {
    // Numbers this high are not given out.
    let args = WasiArgs { stdout: 1 << 30, ..WasiArgs::default() };
    let error = WasiCtx::new(&args).err().map(|e| (e.kind(), e.message().to_string()));
    let text = "Init wasi environment failed: init fd table failed";
    assert_eq!(error, Some((ErrorKind::Instantiate, text.to_string())));
}

#[test]
fn a_blocked_read_holds_no_lock() {
    let (guest, mut outside, _inside) = Guest::with_stream();
    let fds = &guest.ctx.fds;
    let (found, was_found) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || {
            let descriptor = fds.get_with(0, Rights::FD_READ).ok();
            assert!(found.send(()).is_ok());
            let mut byte = [0_u8];
            let buffers = [fd::Buffer::new(byte.as_mut_ptr(), 1)];
            // SAFETY: the buffer is `byte`.
            let read =
                |d: Arc<Descriptor>| unsafe { fd::read(d.as_fd(), &buffers, fd::At::Position) };
            descriptor.map(read).map(|read| (read, byte[0]))
        });
        assert!(was_found.recv().is_ok());
        assert_eq!(fds.close(0), Ok(()));
        assert!(fds.get(0).is_err());
        assert!(outside.write_all(b"!").is_ok());
        assert_eq!(reader.join().ok(), Some(Some((Ok(1), b'!'))));
    });
}

/// A preopened directory is not only there to find files in.
#[test]
fn a_preopened_directory_is_listed_and_synchronised() {
    let folder = std::env::temp_dir().join(format!("isothread-preopen-{}", std::process::id()));
    assert!(std::fs::create_dir_all(&folder).is_ok());
    assert!(std::fs::write(folder.join("name"), "").is_ok());
    let map = format!("/::{}", folder.display());
    let args = WasiArgs { map_dirs: vec![map.into_bytes()], ..WasiArgs::default() };
    let mut guest = Guest::new(&args);
    assert_eq!(guest.call(|c| path::fd_readdir(c, 3, 1024, 512, 0, 64)), Ok(()));
    let len = guest.read_u32(64) as usize;
    assert!(guest.read(1024, len).windows(4).any(|part| part == b"name"));
    assert_eq!(guest.call(|c| stdio::fd_sync(c, 3)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_filestat_set_times(c, 3, 1, 1, 5)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_fdstat_set_flags(c, 3, 0)), Ok(()));
    let modified = std::fs::metadata(&folder).and_then(|found| found.modified());
    assert!(modified.is_ok_and(|time| {
        time.duration_since(UNIX_EPOCH).is_ok_and(|since| since.as_nanos() == 1)
    }));
    assert!(std::fs::remove_dir_all(&folder).is_ok());
}
