//! Nothing outside the pool is reached or bound, whether the guest names an address or the system
//! would choose one.

use super::calls::CALLS;
use super::*;
use crate::wasi::poll::poll_oneoff;
use rustix::net::{getsockname, sockopt};
use std::net::{IpAddr, Ipv6Addr};

/// Addresses of every kind: loopback, unspecified, broadcast, multicast, and all of these as IPv6.
const ADDRESSES: [&str; 9] = [
    "127.0.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "224.0.0.1",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:0.0.0.0",
    "ff02::1",
];

fn address(text: &str) -> IpAddr {
    text.parse().unwrap_or_else(|_| panic!("no address: {text}"))
}

/// The address that the system knows.
fn local(guest: &Guest, fd: u32) -> SocketAddr {
    let local = guest
        .system(fd, |socket| getsockname(socket))
        .ok()
        .and_then(|any| SocketAddr::try_from(any).ok());
    local.unwrap_or_else(|| panic!("no address"))
}

/// Neither bound nor listening.
fn is_unbound(guest: &Guest, fd: u32) -> bool {
    let local = local(guest, fd);
    let listens = guest.system(fd, |socket| sockopt::socket_acceptconn(socket)).unwrap_or(true);
    local.port() == 0 && local.ip().is_unspecified() && !listens
}

/// Other functions on sockets.
fn other_calls(guest: &mut Guest, fd: u32) -> [Outcome; 5] {
    guest.write(2048, &[0; 48]);
    guest.write(2048 + 8, &[2]);
    guest.write_u32(2048 + 16, fd);
    [
        guest.soon(|c| stdio::fd_write(c, fd, IOVECS, 1, NUMBER)),
        guest.soon(|c| stdio::fd_read(c, fd, IOVECS, 1, NUMBER)),
        guest.soon(|c| stdio::fd_pwrite(c, fd, IOVECS, 1, 0, NUMBER)),
        guest.soon(|c| stdio::fd_pread(c, fd, IOVECS, 1, 0, NUMBER)),
        guest.soon(|c| poll_oneoff(c, 2048, 3072, 1, NUMBER)),
    ]
}

/// The result of a call that names an address, or lets the system choose one.
fn expected(name: &str, kind: u32) -> Option<Outcome> {
    match name {
        "sock_listen" if kind == UDP => Some(fails(Errno::NotSupported)),
        "sock_send" if kind == UDP => Some(fails(Errno::DestinationRequired)),
        "sock_bind"
        | "sock_connect"
        | "sock_listen"
        | "sock_send_to"
        | "sock_set_ip_add_membership"
        | "sock_set_ip_drop_membership"
        | "sock_addr_resolve" => Some(fails(Errno::Access)),
        _ => None,
    }
}

#[test]
fn with_an_empty_pool_no_call_binds_anything() {
    for (family, kind) in [(0, TCP), (0, UDP), (1, TCP), (1, UDP)] {
        for text in ADDRESSES {
            let mut guest = guest_with(&[]);
            let fd = guest.open_of(family, kind);
            guest.set_nonblocking(fd);
            guest.write_socket_address((address(text), 9).into());
            guest.iovecs(IOVECS, &[(BUFFER, 4)]);
            for (name, call) in CALLS {
                let outcome = call(&mut guest, fd);
                let why = || format!("{name} {text} family {family} kind {kind}: {outcome:?}");
                if let Some(expected) = expected(name, kind) {
                    assert_eq!(outcome, expected, "{}", why());
                }
                assert!(*name == "sock_close" || is_unbound(&guest, fd), "{}", why());
            }
            let fd = guest.open_of(family, kind);
            guest.set_nonblocking(fd);
            let others = other_calls(&mut guest, fd);
            assert!(is_unbound(&guest, fd), "{others:?} family {family} kind {kind}");
        }
    }
}

#[test]
fn who_listens_has_bound_an_address_of_the_pool() {
    for (pool, family, listens) in [
        (&["127.0.0.0/8"][..], 0, fails(Errno::Access)),
        (&["127.0.0.0/8", "::/0"], 0, fails(Errno::Access)),
        (&["::1/64"], 1, fails(Errno::Access)),
        (&["0.0.0.0/0"], 1, fails(Errno::Access)),
        (&["0.0.0.0/0"], 0, Ok(())),
        (&["::/0"], 1, Ok(())),
    ] {
        let mut guest = guest_with(pool);
        let fd = guest.open_of(family, TCP);
        let outcome = guest.call(|c| sock::sock_listen(c, fd, 8));
        assert_eq!(outcome, listens, "{pool:?} {family}");
        assert_eq!(is_unbound(&guest, fd), listens.is_err(), "{pool:?} {family}");
    }
    let mut guest = guest();
    let (listening, port) = guest.listening();
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    // Asked twice, it is as with the system; connected, too.
    assert_eq!(guest.call(|c| sock::sock_listen(c, listening, 9)), Ok(()));
    let (connected, _peer) = guest.connected();
    let listens = guest.call(|c| sock::sock_listen(c, connected, 9));
    assert_eq!(listens, fails(Errno::Invalid));
    // A connection that failed leaves no address behind to listen on.
    let failed = guest.open(TCP);
    guest.write_address(LOOPBACK, 1);
    assert_eq!(
        guest.call(|c| sock::sock_connect(c, failed, ADDRESS)),
        fails(Errno::ConnectionRefused)
    );
    assert_eq!(guest.call(|c| sock::sock_listen(c, failed, 9)), fails(Errno::Access));
}

#[test]
fn sockets_of_ipv6_do_not_open_what_is_of_ipv4() {
    let mut guest = guest_with(&["::/0"]);
    let fd = guest.open_of(1, TCP);
    assert_eq!(guest.call(|c| options::set_ipv6_only(c, fd, 0)), fails(Errno::Access));
    assert_eq!(guest.call(|c| options::set_ipv6_only(c, fd, 1)), Ok(()));
    guest.write_socket_address((Ipv6Addr::UNSPECIFIED, 0).into());
    assert_eq!(guest.call(|c| sock::sock_bind(c, fd, ADDRESS)), Ok(()));
    assert_eq!(guest.call(|c| sock::sock_listen(c, fd, 8)), Ok(()));
    let port = local(&guest, fd).port();
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_ok());
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    guest.write_socket_address((mapped, port).into());
    let fd = guest.open_of(1, TCP);
    assert_eq!(guest.call(|c| sock::sock_connect(c, fd, ADDRESS)), fails(Errno::Access));
    // And the other way round.
    let mut guest = guest_with(&["127.0.0.1/32"]);
    let fd = guest.open_of(1, TCP);
    guest.write_socket_address((mapped, 0).into());
    assert_eq!(guest.call(|c| sock::sock_bind(c, fd, ADDRESS)), Ok(()));
    assert_eq!(guest.call(|c| sock::sock_listen(c, fd, 8)), Ok(()));
    let port = local(&guest, fd).port();
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_err());
}

/// A datagram socket that was bound for its first message hears from the pool alone.
#[test]
fn datagrams_of_strangers_do_not_arrive() {
    let bind = |ip: [u8; 4]| {
        let socket = UdpSocket::bind((Ipv4Addr::from(ip), 0));
        socket.unwrap_or_else(|error| panic!("{error}"))
    };
    for ipv6 in [0, 1] {
        let mut guest = guest_with(&["127.0.0.1/32"]);
        let (friend, stranger) = (bind(LOOPBACK), bind([127, 0, 0, 2]));
        let Ok(SocketAddr::V4(at)) = friend.local_addr() else { panic!("no address") };
        let fd = guest.open_of(ipv6, UDP);
        let to = if ipv6 == 1 { at.ip().to_ipv6_mapped().into() } else { IpAddr::V4(*at.ip()) };
        guest.write_socket_address((to, at.port()).into());
        guest.buffer(4);
        let send = |guest: &mut Guest| {
            guest.soon(|c| sock::sock_send_to(c, fd, IOVECS, 2, 0, ADDRESS, NUMBER))
        };
        assert_eq!(send(&mut guest), Ok(()));
        let bound = local(&guest, fd);
        assert_eq!(bound.ip().to_canonical(), IpAddr::V4(Ipv4Addr::LOCALHOST), "and not all");
        assert_eq!(send(&mut guest), Ok(()));
        assert_eq!(local(&guest, fd), bound);
        let to = (Ipv4Addr::LOCALHOST, bound.port());
        for (from, text) in [(&stranger, b"evil"), (&friend, b"good"), (&stranger, b"evil")] {
            assert!(from.send_to(text, to).is_ok());
        }
        let peek = guest.soon(|c| sock::sock_recv(c, fd, IOVECS, 2, 1, NUMBER, NUMBER + 8));
        assert_eq!((peek, guest.read(BUFFER, 4)), (Ok(()), &b"good"[..]));
        guest.write(BUFFER, &[0; 4]);
        let read = guest.soon(|c| stdio::fd_read(c, fd, IOVECS, 2, NUMBER));
        assert_eq!((read, guest.read(BUFFER, 4)), (Ok(()), &b"good"[..]));
        guest.set_nonblocking(fd);
        assert_eq!(received(&mut guest, fd), fails(Errno::Again));
    }
}

#[test]
fn a_datagram_socket_that_is_refused_stays_unbound() {
    let mut guest = guest_with(&["127.0.0.1/32", "255.255.255.255/32"]);
    let fd = guest.open(UDP);
    guest.buffer(4);
    // The system has bound the socket before it says no.
    guest.write_address([255; 4], 9);
    assert_eq!(guest.call(|c| sock::sock_connect(c, fd, ADDRESS)), fails(Errno::Access));
    assert!(is_unbound(&guest, fd));
    assert_eq!(sent(&mut guest, fd), fails(Errno::DestinationRequired));
    let written = guest.soon(|c| stdio::fd_write(c, fd, IOVECS, 2, NUMBER));
    assert_eq!(written, fails(Errno::DestinationRequired));
    assert!(is_unbound(&guest, fd));
    guest.write_address(LOOPBACK, 9);
    assert_eq!(guest.call(|c| sock::sock_connect(c, fd, ADDRESS)), Ok(()));
    assert_eq!(local(&guest, fd).ip(), IpAddr::V4(Ipv4Addr::LOCALHOST));
    assert_eq!(sent(&mut guest, fd), Ok(()));
}
