//! The calls, on sockets and a file.

use super::*;
use std::io::Write as _;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;

#[test]
fn streams_are_read_written_and_waited_for() {
    let Ok((a, b)) = UnixStream::pair() else { panic!("no sockets") };
    let mut polls = [Poll::new(a.as_raw_fd(), Interest::Read), Poll::none()];
    assert_eq!(poll(&mut polls, 0), Ok(0));
    assert_eq!(polls[0].readiness(), Readiness::NotYet);
    let mut out = *b"hello";
    let buffers = [Buffer::new(out.as_mut_ptr(), 2), Buffer::new(out[2..].as_mut_ptr(), 3)];
    // SAFETY: both buffers lie in `out`.
    assert_eq!(unsafe { write(b.as_fd(), &buffers, At::Position, Medium::Socket) }, Ok(5));
    assert_eq!(poll(&mut polls, 1_000), Ok(1));
    assert_eq!(polls[0].readiness(), Readiness::Ready);
    assert_eq!(polls[1].readiness(), Readiness::NotYet);
    assert_eq!(readable_bytes(a.as_fd()), 5);
    let mut into = [0_u8; 8];
    let buffers = [Buffer::new(into.as_mut_ptr(), 8)];
    // SAFETY: the buffer is `into`.
    assert_eq!(unsafe { read(a.as_fd(), &buffers, At::Position) }, Ok(5));
    assert_eq!(&into[..5], b"hello");
    assert_eq!(stat(a.as_fd()).map(|s| s.kind), Ok(Kind::Stream));
    assert_eq!(seek(a.as_fd(), 0, Whence::Current), Err(libc::ESPIPE));
    drop(b);
    assert_eq!(poll(&mut polls, 1_000), Ok(1));
    assert_eq!(polls[0].readiness(), Readiness::HangUp);
}

#[test]
fn flags_can_be_set() {
    let Ok((a, _b)) = UnixStream::pair() else { panic!("no sockets") };
    let before = flags(a.as_fd());
    let expected = Flags { readable: true, writable: true, ..Flags::default() };
    assert_eq!(before, Ok(expected));
    let nonblock = Flags { nonblock: true, ..expected };
    assert_eq!(set_flags(a.as_fd(), nonblock), Ok(()));
    assert_eq!(flags(a.as_fd()), Ok(nonblock));
    // SAFETY: no process has that many descriptors; the test needs one that is not open.
    let closed = unsafe { BorrowedFd::borrow_raw(i32::MAX) };
    assert_eq!(flags(closed), Err(libc::EBADF));
}

#[test]
fn files_have_sizes_positions_and_times() {
    let name = format!("isothread-fd-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let options = &mut std::fs::File::options();
    let options = options.read(true).write(true).create_new(true);
    let Ok(mut file) = options.open(&path) else { panic!("no temporary file") };
    assert!(std::fs::remove_file(&path).is_ok());
    assert!(file.write_all(b"0123456789").is_ok());
    let fd = file.as_fd();
    let mut into = [0_u8; 4];
    let buffers = [Buffer::new(into.as_mut_ptr(), 4)];
    // SAFETY: the buffer is `into`.
    assert_eq!(unsafe { read(fd, &buffers, At::Offset(3)) }, Ok(4));
    assert_eq!(&into, b"3456");
    // SAFETY: the buffers are live slices.
    assert_eq!(unsafe { write(fd, &buffers, At::Offset(8), Medium::File) }, Ok(4));
    assert_eq!(seek(fd, 0, Whence::Current), Ok(10));
    assert_eq!(seek(fd, -2, Whence::End), Ok(10));
    assert_eq!(seek(fd, 1, Whence::Start), Ok(1));
    assert_eq!(set_size(fd, 5), Ok(()));
    assert_eq!(set_times(fd, Time::At(1_000_000_007), Time::Keep), Ok(()));
    assert_eq!((sync(fd), sync_data(fd)), (Ok(()), Ok(())));
    assert_eq!(advise(fd, 0, 5, Advice::Sequential), Ok(()));
    assert_eq!(allocate(fd, 0, 20), Ok(()));
    let Ok(stat) = stat(fd) else { panic!("no properties") };
    assert_eq!((stat.kind, stat.size, stat.links), (Kind::RegularFile, 20, 0));
    assert_eq!(stat.accessed, 1_000_000_007);
    assert!(!is_terminal(fd));
}
