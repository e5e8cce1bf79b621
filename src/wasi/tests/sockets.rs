//! Sockets, on this machine's loopback addresses.

use super::{Guest, fails};
use crate::wasi::WasiArgs;
use crate::wasi::errno::Errno;
use crate::wasi::sock::{self, options, resolve};
use crate::wasi::stdio;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};

const TCP: u32 = 1;
const UDP: u32 = 0;
/// Places in the guest's memory.
const NUMBER: u32 = 64;
const ADDRESS: u32 = 128;
const IOVECS: u32 = 256;
const BUFFER: u32 = 1024;

fn guest() -> Guest {
    let list = |texts: &[&str]| texts.iter().map(|t| t.as_bytes().to_vec()).collect();
    Guest::new(&WasiArgs {
        addr_pool: list(&["127.0.0.0/8"]),
        ns_lookup_pool: list(&["localhost", "127.0.0.1"]),
        ..WasiArgs::default()
    })
}

impl Guest {
    fn open(&mut self, kind: u32) -> u32 {
        assert_eq!(self.call(|c| sock::sock_open(c, 0, 0, kind, NUMBER)), Ok(()));
        self.read_u32(NUMBER)
    }

    fn write_address(&mut self, ip: [u8; 4], port: u16) {
        self.write_u32(ADDRESS, 0);
        self.write(ADDRESS + 4, &ip);
        self.write(ADDRESS + 8, &port.to_le_bytes());
    }

    fn port(&mut self) -> u16 {
        let bytes = self.read(ADDRESS + 8, 2);
        u16::from_le_bytes([bytes[0], bytes[1]])
    }

    fn buffer(&mut self, len: u32) {
        self.iovecs(IOVECS, &[(BUFFER, 2), (BUFFER + 2, len - 2)]);
    }
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
