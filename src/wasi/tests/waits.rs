//! The guest decides whether it waits for a pipe of the host's, regardless of the pipe's own flags,
//! and whether or not the system can try without waiting.

use super::{Guest, fails};
use crate::platform::fd::{self, Flags};
use crate::wasi::abi::fdflags;
use crate::wasi::errno::Errno;
use crate::wasi::{WasiArgs, stdio};
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

const IOVECS: u32 = 0;
const NUMBER: u32 = 64;
const BUFFER: u32 = 1024;
const LEN: u32 = 60_000;

struct Setting {
    guest: Guest,
    input: PipeWriter,
    output: PipeReader,
    _theirs: (PipeReader, PipeWriter),
}

/// A guest whose input and output are pipes that the host waits for or does not.
fn setting(host_waits: bool, can_try: bool) -> Setting {
    let (Ok((stdin, input)), Ok((output, stdout))) = (std::io::pipe(), std::io::pipe()) else {
        panic!("no pipes")
    };
    let (from, to) = (stdin.as_raw_fd(), stdout.as_raw_fd());
    for fd in [stdin.as_fd(), stdout.as_fd()] {
        let nonblock = Flags { nonblock: !host_waits, ..Flags::default() };
        assert_eq!(fd::set_flags(fd, nonblock), Ok(()));
    }
    let mut guest = Guest::new(&WasiArgs { stdin: from, stdout: to, ..WasiArgs::default() });
    for number in [0, 1].into_iter().filter(|_| !can_try) {
        let Ok(entry) = guest.ctx.fds.get(number) else { panic!("not open") };
        let tried: fd::Result<Option<()>> = entry.descriptor.attempt(|| Err(libc::EOPNOTSUPP));
        assert_eq!(tried, Ok(None));
    }
    guest.iovecs(IOVECS, &[(BUFFER, 0), (BUFFER, LEN)]);
    Setting { guest, input, output, _theirs: (stdin, stdout) }
}

fn set_flags(guest: &mut Guest, flags: u16) {
    for number in [0, 1] {
        assert_eq!(guest.call(|c| stdio::fd_fdstat_set_flags(c, number, flags.into())), Ok(()));
    }
}

fn each(test: impl Fn(Setting)) {
    for (host_waits, can_try) in [(true, true), (true, false), (false, true), (false, false)] {
        test(setting(host_waits, can_try));
    }
}

#[test]
fn who_does_not_wait_moves_what_there_is() {
    each(|Setting { mut guest, mut input, mut output, _theirs }| {
        set_flags(&mut guest, fdflags::NONBLOCK);
        let read = guest.call(|c| stdio::fd_read(c, 0, IOVECS, 2, NUMBER));
        assert_eq!(read, fails(Errno::Again));
        assert!(input.write_all(b"abc").is_ok());
        assert_eq!(guest.call(|c| stdio::fd_read(c, 0, IOVECS, 2, NUMBER)), Ok(()));
        assert_eq!((guest.read_u32(NUMBER), guest.read(BUFFER, 3)), (3, &b"abc"[..]));
        let mut total = 0;
        loop {
            match guest.call(|c| stdio::fd_write(c, 1, IOVECS, 2, NUMBER)) {
                Ok(()) => total += u64::from(guest.read_u32(NUMBER)),
                other => break assert_eq!(other, fails(Errno::Again)),
            }
        }
        assert!(total >= LEN.into());
        drop((guest, _theirs));
        assert_eq!(std::io::copy(&mut output, &mut std::io::sink()).ok(), Some(total));
    });
}

#[test]
fn who_waits_moves_everything() {
    each(|Setting { mut guest, mut input, mut output, _theirs }| {
        set_flags(&mut guest, 0);
        let pause = || std::thread::sleep(Duration::from_millis(20));
        std::thread::scope(|scope| {
            scope.spawn(move || {
                pause();
                assert!(input.write_all(b"abc").is_ok());
            });
            assert_eq!(guest.call(|c| stdio::fd_read(c, 0, IOVECS, 2, NUMBER)), Ok(()));
            assert_eq!(guest.read_u32(NUMBER), 3);
            scope.spawn(move || {
                pause();
                let mut bytes = vec![0; 3 * LEN as usize];
                assert!(output.read_exact(&mut bytes).is_ok());
            });
            for _ in 0..3 {
                assert_eq!(guest.call(|c| stdio::fd_write(c, 1, IOVECS, 2, NUMBER)), Ok(()));
                assert_eq!(guest.read_u32(NUMBER), LEN);
            }
        });
    });
}
