//! The system's work for a guest's sockets and names is bounded: closing never waits, listening
//! takes an address of the pool even if other threads interfere, and names have a limited length
//! and number.

use super::*;
use crate::exec::Limits;
use rustix::net::{getsockname, sockopt};
use std::os::fd::AsRawFd;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

const HOST: u32 = 2048;
const SERVICE: u32 = 2600;
const FOUND: u32 = 4096;

/// How long the guest wants the system to linger.
const LINGER_SECONDS: u32 = 4;

/// Fills a socket's send buffer, and closes the socket: returns the time that took.
fn filled_and_closed(guest: &mut Guest, socket: u32) -> Duration {
    guest.set_nonblocking(socket);
    guest.iovecs(8192, &[(BUFFER, 60_000); 64]);
    while guest.soon(|c| stdio::fd_write(c, socket, 8192, 64, NUMBER)).is_ok() {}
    let start = Instant::now();
    assert_eq!(guest.call(|c| stdio::fd_close(c, socket)), Ok(()));
    start.elapsed()
}

fn accepted(guest: &mut Guest, listening: u32) -> u32 {
    assert_eq!(guest.soon(|c| sock::sock_accept(c, listening, 0, NUMBER)), Ok(()));
    guest.read_u32(NUMBER)
}

/// The system copies the setting of a socket that listens, the guest's or the embedder's.
#[test]
fn closing_what_was_accepted_waits_for_nobody() {
    let linger = Duration::from_secs(LINGER_SECONDS.into());
    let Ok(theirs) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no socket") };
    let Ok(at) = theirs.local_addr() else { panic!("no address") };
    assert!(sockopt::set_socket_linger(&theirs, Some(linger)).is_ok());
    let addr_pool = vec![b"127.0.0.0/8".to_vec()];
    let args = WasiArgs { stdin: theirs.as_raw_fd(), addr_pool, ..WasiArgs::default() };
    let mut guest = Guest::new(&args);
    let (listening, port) = guest.listening();
    let set = guest.call(|c| options::set_linger(c, listening, 1, LINGER_SECONDS));
    assert_eq!(set, Ok(()));
    for (from, port) in [(listening, port), (0, at.port())] {
        let Ok(_client) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
            panic!("refused")
        };
        let socket = accepted(&mut guest, from);
        assert!(filled_and_closed(&mut guest, socket) < linger / 2, "from {from}");
    }
    // A linger time of zero stays zero: the peer gets a reset, because the rest is lost.
    let Ok(client) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { panic!("refused") };
    let socket = accepted(&mut guest, listening);
    assert_eq!(guest.call(|c| options::set_linger(c, socket, 1, 0)), Ok(()));
    assert!(filled_and_closed(&mut guest, socket) < linger / 2);
    let lost = std::io::copy(&mut { client }, &mut std::io::sink());
    assert_eq!(lost.map_err(|error| error.kind()), Err(std::io::ErrorKind::ConnectionReset));
}

/// Whether a connected socket listens is not found out by asking first and listening then: the
/// connection may be gone by that time, and its address with it.
#[test]
fn nobody_listens_where_a_connection_was() {
    /// The time of the test, and its number of listening threads.
    const TIME: Duration = Duration::from_millis(400);
    const THREADS: usize = 4;
    let Ok(server) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no socket") };
    let Ok(at) = server.local_addr() else { panic!("no address") };
    let done = AtomicBool::new(false);
    let mut guest = guest();
    guest.write_socket_address(at);
    let began = Instant::now();
    while began.elapsed() < TIME {
        let socket = guest.open(TCP);
        guest.set_nonblocking(socket);
        let shared = guest.ctx.fds.get(socket);
        let Ok(shared) = shared else { panic!("not open") };
        done.store(false, Ordering::Relaxed);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                let (shared, done) = (shared.clone(), &done);
                scope.spawn(move || {
                    let mut other = self::guest();
                    let Ok(number) = other.ctx.fds.add(shared) else { panic!("no number") };
                    while !done.load(Ordering::Relaxed) {
                        let listens = other.call(|c| sock::sock_listen(c, number, 1));
                        assert!(listens.is_err(), "it listens");
                    }
                });
            }
            for _ in 0..20 {
                let connect = |c: &super::super::Call<'_>| sock::sock_connect(c, socket, ADDRESS);
                if guest.call(connect) != fails(Errno::InProgress) {
                    break;
                }
                let Ok((peer, _)) = server.accept() else { panic!("nobody came") };
                assert!(sockopt::set_socket_linger(&peer, Some(Duration::ZERO)).is_ok());
                drop(peer);
                // It hears that the connection is gone.
                assert!(guest.call(connect).is_err());
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(guest.call(|c| stdio::fd_close(c, socket)), Ok(()));
    }
}

/// An embedder's socket that was not bound gets an address from the system when it is connected,
/// and loses it with the connection.
#[test]
fn an_embedders_socket_listens_where_the_embedder_bound_it() {
    let bound = |bind: bool| {
        use rustix::net::{AddressFamily, SocketType};
        let Ok(socket) = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None) else {
            panic!("no socket")
        };
        let any = SocketAddr::from((LOOPBACK, 0));
        assert!(!bind || rustix::net::bind(&socket, &any).is_ok());
        socket
    };
    let Ok(server) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no socket") };
    let Ok(at) = server.local_addr() else { panic!("no address") };
    for (bind, connect, listens) in [
        (true, false, Ok(())),
        (false, false, fails(Errno::Access)),
        (false, true, fails(Errno::Invalid)),
    ] {
        let socket = bound(bind);
        let args = WasiArgs {
            stdin: socket.as_raw_fd(),
            addr_pool: vec![b"127.0.0.0/8".to_vec()],
            ..WasiArgs::default()
        };
        let mut guest = Guest::new(&args);
        guest.write_socket_address(at);
        if connect {
            assert_eq!(guest.soon(|c| sock::sock_connect(c, 0, ADDRESS)), Ok(()));
        }
        assert_eq!(guest.soon(|c| sock::sock_listen(c, 0, 1)), listens, "{bind} {connect}");
        let is_local = |at: SocketAddr| at.ip().is_loopback() || at.port() == 0;
        let local = getsockname(&socket).ok().and_then(|at| SocketAddr::try_from(at).ok());
        assert!(local.is_some_and(is_local), "{bind} {connect} {local:?}");
    }
}

fn ask(guest: &mut Guest) -> Outcome {
    guest.soon(|c| resolve::sock_addr_resolve(c, HOST, SERVICE, 512, FOUND, 1, NUMBER))
}

#[test]
fn names_have_a_greatest_length() {
    let mut guest = guest();
    let name = |guest: &mut Guest, at: u32, len: usize| {
        guest.write(at, &vec![b'0'; len]);
        guest.write(at + len as u32, &[0]);
    };
    name(&mut guest, HOST, 255);
    assert_eq!(ask(&mut guest), fails(Errno::Access));
    name(&mut guest, HOST, 256);
    assert_eq!(ask(&mut guest), fails(Errno::NameTooLong));
    // Where the name ends is not looked for.
    guest.rig.bytes[HOST as usize..].fill(b'0');
    assert_eq!(ask(&mut guest), fails(Errno::NameTooLong));
    guest.write(HOST, b"example.com\0");
    // A guest that may not resolve names learns nothing of the other parameters.
    assert_eq!(ask(&mut guest), fails(Errno::Access));
    guest.write(HOST, b"127.0.0.1\0");
    assert_eq!(ask(&mut guest), fails(Errno::NameTooLong));
    name(&mut guest, SERVICE, 33);
    assert_eq!(ask(&mut guest), fails(Errno::NameTooLong));
    name(&mut guest, SERVICE, 32);
    assert_ne!(ask(&mut guest), fails(Errno::NameTooLong));
}

/// A question counts as a thread of the runtime's and as two descriptors, as long as the resolver
/// works, and then no more.
#[test]
fn questions_are_counted() {
    let mut guest = guest();
    guest.write(HOST, b"127.0.0.1\0");
    let limits = Limits::new(Some(2));
    guest.rig.env.limits = (&raw const limits).cast();
    for _ in 0..100 {
        assert_eq!(ask(&mut guest), Ok(()));
        assert_eq!(limits.descriptors().live(), 0);
    }
    assert_eq!(limits.descriptors().peak(), 2);
    let held: Vec<_> = std::iter::from_fn(|| limits.errands().slot()).collect();
    assert_eq!((held.len(), ask(&mut guest)), (16, fails(Errno::Again)));
    drop(held);
    limits.descriptors().set_most(1);
    assert_eq!(ask(&mut guest), fails(Errno::TooManyFiles));
    limits.descriptors().set_most(2);
    assert_eq!(ask(&mut guest), Ok(()));
}
