//! Sockets, on this machine's loopback addresses. `calls.rs` lists all functions for sockets, once
//! each, for tests that try all of them.

mod bounds;
mod calls;
mod edges;
mod pools;
mod states;

use super::{Guest, fails};
use crate::wasi::WasiArgs;
use crate::wasi::call::Outcome;
use crate::wasi::errno::Errno;
use crate::wasi::sock::{self, options, resolve};
use crate::wasi::stdio;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

const TCP: u32 = 1;
const UDP: u32 = 0;
/// Places in the guest's memory.
const NUMBER: u32 = 64;
const ADDRESS: u32 = 128;
const IOVECS: u32 = 256;
const BUFFER: u32 = 1024;

fn guest() -> Guest {
    guest_with(&["127.0.0.0/8"])
}

/// A guest that may talk to these networks.
fn guest_with(pool: &[&str]) -> Guest {
    let list = |texts: &[&str]| texts.iter().map(|t| t.as_bytes().to_vec()).collect();
    Guest::new(&WasiArgs {
        addr_pool: list(pool),
        ns_lookup_pool: list(&["localhost", "127.0.0.1"]),
        ..WasiArgs::default()
    })
}

impl Guest {
    fn open(&mut self, kind: u32) -> u32 {
        self.open_of(0, kind)
    }

    /// `family` 0 is IPv4, 1 IPv6.
    fn open_of(&mut self, family: u32, kind: u32) -> u32 {
        assert_eq!(self.call(|c| sock::sock_open(c, 0, family, kind, NUMBER)), Ok(()));
        self.read_u32(NUMBER)
    }

    fn write_address(&mut self, ip: [u8; 4], port: u16) {
        self.write_socket_address(SocketAddr::from((ip, port)));
    }

    fn write_socket_address(&mut self, address: SocketAddr) {
        self.write(ADDRESS, &sock::address_bytes(address));
    }

    fn port(&mut self) -> u16 {
        let bytes = self.read(ADDRESS + 8, 2);
        u16::from_le_bytes([bytes[0], bytes[1]])
    }

    fn buffer(&mut self, len: u32) {
        self.iovecs(IOVECS, &[(BUFFER, 2), (BUFFER + 2, len - 2)]);
    }

    /// A call that must not wait: if it takes long, it is stopped, and then fails.
    fn soon<T>(&mut self, function: impl FnOnce(&super::Call<'_>) -> T) -> T {
        let env = self.rig.env();
        // SAFETY: the rig's environment outlives the scope below, and the flag is atomic.
        let terminate = unsafe { &(*env).terminate };
        std::thread::scope(|scope| {
            let (done, waiting) = channel::<()>();
            scope.spawn(move || {
                let waited = waiting.recv_timeout(Duration::from_secs(5));
                if waited == Err(RecvTimeoutError::Timeout) {
                    terminate.store(1, Ordering::Relaxed);
                }
            });
            let result = self.call(function);
            drop(done);
            result
        })
    }

    /// Binds a socket to a port of the loopback address, and says which.
    fn bind(&mut self, socket: u32) -> u16 {
        self.write_address(LOOPBACK, 0);
        assert_eq!(self.call(|c| sock::sock_bind(c, socket, ADDRESS)), Ok(()));
        assert_eq!(self.call(|c| sock::sock_addr_local(c, socket, ADDRESS)), Ok(()));
        self.port()
    }

    /// A socket that listens, and its port.
    fn listening(&mut self) -> (u32, u16) {
        let socket = self.open(TCP);
        let port = self.bind(socket);
        assert_eq!(self.call(|c| sock::sock_listen(c, socket, 8)), Ok(()));
        (socket, port)
    }

    /// A connected socket and its peer.
    fn connected(&mut self) -> (u32, TcpStream) {
        let Ok(server) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no socket") };
        let Ok(at) = server.local_addr() else { panic!("no address") };
        let socket = self.open(TCP);
        self.write_socket_address(at);
        assert_eq!(self.call(|c| sock::sock_connect(c, socket, ADDRESS)), Ok(()));
        let Ok((peer, _)) = server.accept() else { panic!("nobody came") };
        (socket, peer)
    }

    fn set_nonblocking(&mut self, fd: u32) {
        assert_eq!(self.call(|c| stdio::fd_fdstat_set_flags(c, fd, 4)), Ok(()));
    }

    /// The system's information about a guest's descriptor.
    fn system<T>(&self, fd: u32, ask: impl FnOnce(std::os::fd::BorrowedFd<'_>) -> T) -> T {
        let Ok(entry) = self.ctx.fds.get(fd) else { panic!("not open: {fd}") };
        ask(entry.descriptor.as_fd())
    }
}

fn received(guest: &mut Guest, socket: u32) -> Outcome {
    guest.soon(|c| sock::sock_recv(c, socket, IOVECS, 2, 0, NUMBER, NUMBER + 8))
}

fn sent(guest: &mut Guest, socket: u32) -> Outcome {
    guest.soon(|c| sock::sock_send(c, socket, IOVECS, 2, 0, NUMBER))
}

const LOOPBACK: [u8; 4] = [127, 0, 0, 1];

#[test]
fn a_guest_talks_to_a_server() {
    let Ok(server) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no socket") };
    let Ok(SocketAddr::V4(at)) = server.local_addr() else { panic!("no address") };
    let mut guest = guest();
    let socket = guest.open(TCP);
    guest.write_address(LOOPBACK, at.port());
    assert_eq!(guest.call(|c| sock::sock_connect(c, socket, ADDRESS)), Ok(()));
    let Ok((mut peer, _)) = server.accept() else { panic!("nobody came") };
    guest.write(BUFFER, b"hello");
    guest.buffer(5);
    assert_eq!(guest.call(|c| sock::sock_send(c, socket, IOVECS, 2, 0, NUMBER)), Ok(()));
    assert_eq!(guest.read_u32(NUMBER), 5);
    let mut text = [0; 5];
    assert!(peer.read_exact(&mut text).is_ok());
    assert_eq!(&text, b"hello");
    assert!(peer.write_all(b"there!").is_ok());
    guest.buffer(100);
    let received = guest.call(|c| sock::sock_recv(c, socket, IOVECS, 2, 0, NUMBER, NUMBER + 8));
    assert_eq!(received, Ok(()));
    assert_eq!((guest.read_u32(NUMBER), guest.read(BUFFER, 6)), (6, &b"there!"[..]));
    assert_eq!(guest.call(|c| sock::sock_addr_remote(c, socket, ADDRESS)), Ok(()));
    assert_eq!(guest.port(), at.port());
    assert_eq!(guest.call(|c| sock::sock_shutdown(c, socket, 2)), Ok(()));
    assert_eq!(peer.read(&mut text).ok(), Some(0));
    assert_eq!(guest.call(|c| stdio::fd_close(c, socket)), Ok(()));
}

#[test]
fn a_guest_is_a_server() {
    let mut guest = guest();
    let socket = guest.open(TCP);
    guest.write_address(LOOPBACK, 0);
    assert_eq!(guest.call(|c| sock::sock_bind(c, socket, ADDRESS)), Ok(()));
    assert_eq!(guest.call(|c| sock::sock_listen(c, socket, 1)), Ok(()));
    assert_eq!(guest.call(|c| sock::sock_addr_local(c, socket, ADDRESS)), Ok(()));
    let port = guest.port();
    let Ok(mut client) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { panic!("refused") };
    assert!(client.write_all(b"ab").is_ok());
    assert_eq!(guest.call(|c| sock::sock_accept(c, socket, 0, NUMBER)), Ok(()));
    let accepted = guest.read_u32(NUMBER);
    assert!(accepted > socket);
    guest.buffer(2);
    assert_eq!(guest.call(|c| stdio::fd_read(c, accepted, IOVECS, 2, NUMBER)), Ok(()));
    assert_eq!(guest.read(BUFFER, 2), b"ab");
}

#[test]
fn datagrams_know_where_they_come_from() {
    let Ok(peer) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no socket") };
    let Ok(at) = peer.local_addr() else { panic!("no address") };
    let mut guest = guest();
    let socket = guest.open(UDP);
    guest.write_address(LOOPBACK, at.port());
    guest.write(BUFFER, b"ping");
    guest.buffer(4);
    let sent = guest.call(|c| sock::sock_send_to(c, socket, IOVECS, 2, 0, ADDRESS, NUMBER));
    assert_eq!(sent, Ok(()));
    let mut bytes = [0; 16];
    let Ok((4, from)) = peer.recv_from(&mut bytes) else { panic!("nothing came") };
    assert!(peer.send_to(b"pong", from).is_ok());
    guest.write(ADDRESS, &[0xff; 24]);
    let received = guest.call(|c| sock::sock_recv_from(c, socket, IOVECS, 2, 0, ADDRESS, NUMBER));
    assert_eq!(received, Ok(()));
    assert_eq!((guest.read_u32(NUMBER), guest.read(BUFFER, 4)), (4, &b"pong"[..]));
    assert_eq!(guest.port(), at.port());
}

#[test]
fn addresses_outside_the_pool_are_refused() {
    let mut guest = guest();
    let socket = guest.open(TCP);
    guest.write_address([10, 0, 0, 1], 80);
    assert_eq!(guest.call(|c| sock::sock_connect(c, socket, ADDRESS)), fails(Errno::Access));
    assert_eq!(guest.call(|c| sock::sock_bind(c, socket, ADDRESS)), fails(Errno::Access));
    guest.buffer(4);
    let sent = guest.call(|c| sock::sock_send_to(c, socket, IOVECS, 2, 0, ADDRESS, NUMBER));
    assert_eq!(sent, fails(Errno::Access));
    guest.write_u32(ADDRESS, 7);
    let unknown = guest.call(|c| sock::sock_connect(c, socket, ADDRESS));
    assert_eq!(unknown, fails(Errno::ProtocolNotSupported));
}

#[test]
fn settings_are_kept() {
    let mut guest = guest();
    let socket = guest.open(TCP);
    assert_eq!(guest.call(|c| options::set_keep_alive(c, socket, 1)), Ok(()));
    assert_eq!(guest.call(|c| options::get_keep_alive(c, socket, NUMBER)), Ok(()));
    assert_eq!(guest.read(NUMBER, 1), [1]);
    assert_eq!(guest.call(|c| options::set_recv_timeout(c, socket, 250_000)), Ok(()));
    assert_eq!(guest.call(|c| options::get_recv_timeout(c, socket, NUMBER)), Ok(()));
    // The system keeps it in its own units.
    assert!((250_000..270_000).contains(&guest.read_u64(NUMBER)));
    assert_eq!(guest.call(|c| options::set_tcp_keep_idle(c, socket, 33)), Ok(()));
    assert_eq!(guest.call(|c| options::get_tcp_keep_idle(c, socket, NUMBER)), Ok(()));
    assert_eq!(guest.read_u32(NUMBER), 33);
    assert_eq!(guest.call(|c| options::set_linger(c, socket, 1, 3)), Ok(()));
    assert_eq!(guest.call(|c| options::get_linger(c, socket, NUMBER, NUMBER + 8)), Ok(()));
    assert_eq!((guest.read(NUMBER, 1)[0], guest.read_u32(NUMBER + 8)), (1, 3));
    assert_eq!(guest.call(|c| options::set_ip_ttl(c, socket, 9)), Ok(()));
    assert_eq!(guest.call(|c| options::get_ip_ttl(c, socket, NUMBER)), Ok(()));
    assert_eq!(guest.read(NUMBER, 1), [9]);
    assert_eq!(guest.call(|c| options::get_ip_ttl(c, 99, NUMBER)), fails(Errno::BadFd));
}

#[test]
fn a_receiver_gives_up_after_its_time() {
    let mut guest = guest();
    let socket = guest.open(UDP);
    guest.write_address(LOOPBACK, 0);
    assert_eq!(guest.call(|c| sock::sock_bind(c, socket, ADDRESS)), Ok(()));
    assert_eq!(guest.call(|c| options::set_recv_timeout(c, socket, 20_000)), Ok(()));
    guest.buffer(4);
    let received = guest.call(|c| sock::sock_recv(c, socket, IOVECS, 2, 0, NUMBER, NUMBER + 8));
    assert_eq!(received, fails(Errno::Again));
}

#[test]
fn names_of_the_pool_are_resolved() {
    let mut guest = guest();
    let (host, service, hints, found) = (2048, 2100, 2200, 3000);
    guest.write(host, b"127.0.0.1\0");
    guest.write(service, b"80\0");
    // Streams of IPv4.
    guest.write_u32(hints, 1);
    guest.write_u32(hints + 4, 0);
    guest.write(hints + 8, &[1]);
    let ask = |guest: &mut Guest| {
        guest.call(|c| resolve::sock_addr_resolve(c, host, service, hints, found, 2, NUMBER))
    };
    assert_eq!(ask(&mut guest), Ok(()));
    assert_eq!(guest.read_u32(NUMBER), 1);
    assert_eq!(guest.read(found, 10), [0, 0, 0, 0, 127, 0, 0, 1, 80, 0]);
    assert_eq!(guest.read_u32(found + 24), 1);
    guest.write(host, b"example.com\0");
    assert_eq!(ask(&mut guest), fails(Errno::Access));
}
