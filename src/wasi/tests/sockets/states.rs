//! Calls on descriptors in the wrong state fail at once; calls that take time are waited for, until
//! they are complete.

use super::*;
use crate::abi::trap::Trap;
use crate::wasi::call::Stop;
use std::io::{PipeReader, PipeWriter};
use std::os::fd::AsRawFd;
use std::time::Instant;

/// A socket's history.
#[derive(Clone, Copy, Debug)]
enum State {
    New,
    Bound,
    Listening,
    Connected,
    /// The guest has said that it will neither send nor receive any more.
    ShutDown,
}

use State::*;

fn socket_in(guest: &mut Guest, kind: u32, state: State) -> (u32, Option<TcpStream>) {
    match state {
        New => (guest.open(kind), None),
        Bound => {
            let socket = guest.open(kind);
            guest.bind(socket);
            (socket, None)
        }
        Listening => (guest.listening().0, None),
        Connected => {
            let (socket, peer) = guest.connected();
            (socket, Some(peer))
        }
        ShutDown => {
            let (socket, peer) = guest.connected();
            assert_eq!(guest.call(|c| sock::sock_shutdown(c, socket, 3)), Ok(()));
            (socket, Some(peer))
        }
    }
}

type Function = fn(&mut Guest, u32) -> Outcome;

const ACCEPT: Function = |g, s| g.soon(|c| sock::sock_accept(c, s, 0, NUMBER));
const LISTEN: Function = |g, s| g.soon(|c| sock::sock_listen(c, s, 1));
const REMOTE: Function = |g, s| g.soon(|c| sock::sock_addr_remote(c, s, NUMBER));
const SHUT: Function = |g, s| g.soon(|c| sock::sock_shutdown(c, s, 2));
const READ: Function = |g, s| g.soon(|c| stdio::fd_read(c, s, IOVECS, 2, NUMBER));
const WRITE: Function = |g, s| g.soon(|c| stdio::fd_write(c, s, IOVECS, 2, NUMBER));
const READ_AT: Function = |g, s| g.soon(|c| stdio::fd_pread(c, s, IOVECS, 2, 0, NUMBER));
const WRITE_AT: Function = |g, s| g.soon(|c| stdio::fd_pwrite(c, s, IOVECS, 2, 0, NUMBER));
const FILL: Function = |g, s| g.soon(|c| sock::sock_recv(c, s, IOVECS, 2, 2, NUMBER, NUMBER + 8));
const FROM: Function =
    |g, s| g.soon(|c| sock::sock_recv_from(c, s, IOVECS, 2, 0, NUMBER + 8, NUMBER));
const CONNECT: Function = |g, s| {
    g.write_address(LOOPBACK, 9);
    g.soon(|c| sock::sock_connect(c, s, ADDRESS))
};
const TO: Function = |g, s| {
    g.write_address(LOOPBACK, 9);
    g.soon(|c| sock::sock_send_to(c, s, IOVECS, 2, 0, ADDRESS, NUMBER))
};

#[test]
fn what_cannot_be_done_fails_at_once() {
    use Errno::*;
    let rows: &[(u32, State, Function, Errno)] = &[
        (UDP, New, ACCEPT, NotSupported),
        (UDP, Bound, ACCEPT, NotSupported),
        (TCP, New, ACCEPT, Invalid),
        (TCP, Bound, ACCEPT, Invalid),
        (TCP, State::Connected, ACCEPT, Invalid),
        (UDP, New, LISTEN, NotSupported),
        (UDP, Bound, LISTEN, NotSupported),
        (TCP, State::Connected, LISTEN, Invalid),
        (TCP, New, received, NotConnected),
        (TCP, Bound, received, NotConnected),
        (TCP, Listening, received, NotConnected),
        (TCP, Listening, FROM, NotConnected),
        (TCP, Listening, FILL, NotConnected),
        (TCP, Listening, READ, NotConnected),
        (TCP, New, READ, NotConnected),
        (TCP, New, sent, BrokenPipe),
        (TCP, Bound, sent, BrokenPipe),
        (TCP, Listening, sent, BrokenPipe),
        (TCP, Listening, TO, BrokenPipe),
        (TCP, Listening, WRITE, BrokenPipe),
        (TCP, New, WRITE, BrokenPipe),
        (TCP, ShutDown, sent, BrokenPipe),
        (TCP, ShutDown, WRITE, BrokenPipe),
        (UDP, New, sent, DestinationRequired),
        (UDP, Bound, sent, DestinationRequired),
        (UDP, Bound, WRITE, DestinationRequired),
        (TCP, Listening, CONNECT, IsConnected),
        (TCP, State::Connected, CONNECT, IsConnected),
        (TCP, New, SHUT, NotConnected),
        (UDP, New, SHUT, NotConnected),
        (TCP, New, REMOTE, NotConnected),
        (TCP, Listening, REMOTE, NotConnected),
        (UDP, Bound, REMOTE, NotConnected),
        (TCP, State::Connected, READ_AT, NotSeekable),
        (TCP, State::Connected, WRITE_AT, NotSeekable),
        (UDP, Bound, READ_AT, NotSeekable),
    ];
    for (row, &(kind, state, function, errno)) in rows.iter().enumerate() {
        let mut guest = guest();
        let (socket, _peer) = socket_in(&mut guest, kind, state);
        guest.buffer(4);
        let outcome = function(&mut guest, socket);
        assert_eq!(outcome, fails(errno), "row {row}: {kind} {state:?}");
    }
}

#[test]
fn what_is_over_is_no_error() {
    let mut guest = guest();
    guest.buffer(4);
    let (socket, _peer) = socket_in(&mut guest, TCP, ShutDown);
    for function in [received, READ, FILL, FROM, SHUT] {
        assert_eq!(function(&mut guest, socket), Ok(()));
    }
    let (socket, peer) = guest.connected();
    drop(peer);
    for function in [received, READ, FILL] {
        guest.write_u32(NUMBER, 9);
        assert_eq!((function(&mut guest, socket), guest.read_u32(NUMBER)), (Ok(()), 0));
    }
}

/// A guest whose standard input and output are the ends of a pipe.
fn guest_with_pipe() -> (Guest, PipeReader, PipeWriter) {
    let Ok((inside, outside)) = std::io::pipe() else { panic!("no pipe") };
    let (stdin, stdout) = (inside.as_raw_fd(), outside.as_raw_fd());
    let addr_pool = vec![b"127.0.0.0/8".to_vec()];
    let guest = Guest::new(&WasiArgs { stdin, stdout, addr_pool, ..WasiArgs::default() });
    (guest, inside, outside)
}

#[test]
fn nothing_is_not_waited_for() {
    let (mut guest, _inside, _outside) = guest_with_pipe();
    for iovecs in [&[][..], &[(BUFFER, 0)], &[(BUFFER, 0), (BUFFER, 0)]] {
        guest.iovecs(IOVECS, iovecs);
        let count = iovecs.len() as u32;
        guest.write_u32(NUMBER, 9);
        let read = guest.soon(|c| stdio::fd_read(c, 0, IOVECS, count, NUMBER));
        assert_eq!((read, guest.read_u32(NUMBER)), (Ok(()), 0));
        let (socket, _peer) = guest.connected();
        let read = guest.soon(|c| stdio::fd_read(c, socket, IOVECS, count, NUMBER));
        assert_eq!((read, guest.read_u32(NUMBER)), (Ok(()), 0));
        let receive = |c: &crate::wasi::call::Call<'_>| {
            sock::sock_recv(c, socket, IOVECS, count, 0, NUMBER, NUMBER + 8)
        };
        assert_eq!((guest.soon(receive), guest.read_u32(NUMBER)), (Ok(()), 0));
        let sent = guest.soon(|c| sock::sock_send(c, socket, IOVECS, count, 0, NUMBER));
        assert_eq!((sent, guest.read_u32(NUMBER)), (Ok(()), 0));
    }
}

#[test]
fn pipes_have_no_offsets() {
    let (mut guest, _inside, _outside) = guest_with_pipe();
    guest.buffer(4);
    assert_eq!(READ_AT(&mut guest, 0), fails(Errno::NotSeekable));
    assert_eq!(WRITE_AT(&mut guest, 1), fails(Errno::NotSeekable));
}

/// Buffers of several megabytes together, which all name the same bytes.
fn many_bytes(guest: &mut Guest) -> u64 {
    guest.iovecs(8192, &[(BUFFER, 60_000); 64]);
    64 * 60_000
}

/// Reads until the end, slowly at first.
fn count(mut from: impl Read) -> u64 {
    let (mut total, mut bytes) = (0, vec![0; 100_000]);
    loop {
        std::thread::sleep(Duration::from_millis(if total < 1_000_000 { 1 } else { 0 }));
        match from.read(&mut bytes) {
            Ok(0) | Err(_) => return total,
            Ok(len) => total += len as u64,
        }
    }
}

#[test]
fn all_of_a_stream_is_sent_and_nothing_twice() {
    const WRITE_ALL: Function = |g, s| g.soon(|c| stdio::fd_write(c, s, 8192, 64, NUMBER));
    const SEND_ALL: Function = |g, s| g.soon(|c| sock::sock_send(c, s, 8192, 64, 0, NUMBER));
    for function in [WRITE_ALL, SEND_ALL] {
        let mut guest = guest();
        let (socket, peer) = guest.connected();
        let total = many_bytes(&mut guest);
        let reader = std::thread::spawn(|| count(peer));
        assert_eq!(function(&mut guest, socket), Ok(()));
        assert_eq!(u64::from(guest.read_u32(NUMBER)), total);
        assert_eq!(guest.call(|c| stdio::fd_close(c, socket)), Ok(()));
        assert_eq!(reader.join().ok(), Some(total));
    }
    let (mut guest, inside, outside) = guest_with_pipe();
    let total = many_bytes(&mut guest);
    let reader = std::thread::spawn(|| count(inside));
    assert_eq!(WRITE_ALL(&mut guest, 1), Ok(()));
    assert_eq!(u64::from(guest.read_u32(NUMBER)), total);
    drop(outside);
    assert_eq!(reader.join().ok(), Some(total));
}

#[test]
fn who_does_not_wait_sends_what_there_is_room_for() {
    let mut guest = guest();
    let (socket, _peer) = guest.connected();
    let total = many_bytes(&mut guest);
    guest.set_nonblocking(socket);
    let mut all = 0;
    loop {
        match guest.soon(|c| stdio::fd_write(c, socket, 8192, 64, NUMBER)) {
            Ok(()) => all += u64::from(guest.read_u32(NUMBER)),
            other => break assert_eq!(other, fails(Errno::Again)),
        }
    }
    assert!(all > 0 && all < 100 * total);
    guest.buffer(4);
    assert_eq!(received(&mut guest, socket), fails(Errno::Again));
}

#[test]
fn a_stream_is_received_until_the_buffers_are_full() {
    let mut guest = guest();
    let (socket, mut peer) = guest.connected();
    guest.iovecs(IOVECS, &[(BUFFER, 3), (BUFFER + 3, 5)]);
    let writer = std::thread::spawn(move || {
        for part in ["ab", "cde", "f", "gh", "ij"] {
            std::thread::sleep(Duration::from_millis(5));
            assert!(peer.write_all(part.as_bytes()).is_ok());
        }
    });
    assert_eq!(FILL(&mut guest, socket), Ok(()));
    assert_eq!((guest.read_u32(NUMBER), guest.read(BUFFER, 8)), (8, &b"abcdefgh"[..]));
    assert!(writer.join().is_ok());
    // The rest is less than was asked for, and then the stream ends.
    assert_eq!((FILL(&mut guest, socket), guest.read_u32(NUMBER)), (Ok(()), 2));
}

#[test]
fn a_connection_can_be_tried_again() {
    let mut guest = guest();
    let Ok(server) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no socket") };
    let Ok(at) = server.local_addr() else { panic!("no address") };
    drop(server);
    let socket = guest.open(TCP);
    guest.write_socket_address(at);
    let connect = |guest: &mut Guest| guest.soon(|c| sock::sock_connect(c, socket, ADDRESS));
    for _ in 0..2 {
        assert_eq!(connect(&mut guest), fails(Errno::ConnectionRefused));
    }
    let Ok(server) = TcpListener::bind(at) else { panic!("the port is gone") };
    assert_eq!(connect(&mut guest), Ok(()));
    assert!(server.accept().is_ok());
    assert_eq!(connect(&mut guest), fails(Errno::IsConnected));
}

/// A server that accepts no connection, whose queue is full: connecting takes any time.
fn deaf_server() -> (TcpListener, Vec<TcpStream>, SocketAddr) {
    let Ok(server) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no socket") };
    assert!(rustix::net::listen(&server, 0).is_ok());
    let Ok(at) = server.local_addr() else { panic!("no address") };
    let time = Duration::from_millis(50);
    let queued = std::iter::from_fn(|| TcpStream::connect_timeout(&at, time).ok()).take(50);
    let queued = queued.collect();
    (server, queued, at)
}

#[test]
fn connecting_ends_when_its_time_is_over_and_when_the_caller_stops() {
    let (_server, _queued, at) = deaf_server();
    let mut guest = guest();
    let socket = guest.open(TCP);
    guest.write_socket_address(at);
    let connect = |c: &crate::wasi::call::Call<'_>| sock::sock_connect(c, socket, ADDRESS);
    assert_eq!(guest.call(|c| options::set_send_timeout(c, socket, 20_000)), Ok(()));
    assert_eq!(guest.soon(connect), fails(Errno::InProgress));
    guest.set_nonblocking(socket);
    assert_eq!(guest.soon(connect), fails(Errno::Already));
    assert_eq!(guest.call(|c| stdio::fd_fdstat_set_flags(c, socket, 0)), Ok(()));
    assert_eq!(guest.call(|c| options::set_send_timeout(c, socket, 0)), Ok(()));
    let env = guest.rig.env();
    // SAFETY: the rig's environment outlives the scope below, and the flag is atomic.
    let terminate = unsafe { &(*env).terminate };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(30));
            terminate.store(1, Ordering::Relaxed);
        });
        let stopped = Err(Stop::Trap(Trap::Terminated));
        assert_eq!(guest.call(connect), stopped);
    });
}

/// However long the guest wants the system to linger, closing is done at once.
#[test]
fn closing_waits_for_nobody() {
    let mut guest = guest();
    let (socket, peer) = guest.connected();
    guest.set_nonblocking(socket);
    many_bytes(&mut guest);
    while guest.soon(|c| stdio::fd_write(c, socket, 8192, 64, NUMBER)).is_ok() {}
    assert_eq!(guest.call(|c| options::set_linger(c, socket, 1, 4)), Ok(()));
    assert_eq!(guest.call(|c| options::get_linger(c, socket, NUMBER, NUMBER + 8)), Ok(()));
    assert_eq!((guest.read(NUMBER, 1)[0], guest.read_u32(NUMBER + 8)), (1, 4));
    let start = Instant::now();
    assert_eq!(guest.call(|c| stdio::fd_close(c, socket)), Ok(()));
    assert!(start.elapsed() < Duration::from_secs(2));
    // Data already sent still arrives.
    assert!(count(peer) > 100_000);
}

/// The flag is the guest's; the embedder's open files keep theirs.
#[test]
fn not_waiting_is_for_one_socket() {
    let mut guest = guest();
    let (listening, _) = guest.listening();
    guest.set_nonblocking(listening);
    assert_eq!(ACCEPT(&mut guest, listening), fails(Errno::Again));
    assert_eq!(guest.call(|c| stdio::fd_fdstat_get(c, listening, 512)), Ok(()));
    assert_eq!(guest.read(514, 2), [4, 0]);
    assert_eq!(guest.call(|c| stdio::fd_fdstat_set_flags(c, listening, 0)), Ok(()));
    assert_eq!(guest.call(|c| stdio::fd_fdstat_get(c, listening, 512)), Ok(()));
    assert_eq!(guest.read(514, 2), [0, 0]);
    assert_eq!(guest.call(|c| options::set_recv_timeout(c, listening, 20_000)), Ok(()));
    assert_eq!(ACCEPT(&mut guest, listening), fails(Errno::Again));
    let append = guest.call(|c| stdio::fd_fdstat_set_flags(c, listening, 1));
    assert_eq!(append, fails(Errno::Invalid));
}
