//! Arguments at the edge: flags that do not exist, descriptors that are closed or no sockets,
//! buffers that are too small, and calls made twice.

use super::calls::CALLS;
use super::*;
use crate::wasi::abi::fdflags;
use std::os::fd::AsRawFd;

/// Calls every function that takes a descriptor on `fd`; returns the results, by name.
fn outcomes(guest: &mut Guest, fd: u32) -> Vec<(&'static str, Outcome)> {
    guest.write_address(LOOPBACK, 9);
    guest.iovecs(IOVECS, &[(BUFFER, 4)]);
    guest.write(BUFFER, b"127.0.0.1\0");
    let calls = CALLS.iter().filter(|(name, _)| !["sock_open", "sock_addr_resolve"].contains(name));
    calls.map(|&(name, call)| (name, call(guest, fd))).collect()
}

#[test]
fn closed_descriptors_are_told() {
    let mut guest = guest();
    let closed = guest.open(TCP);
    assert_eq!(guest.call(|c| stdio::fd_close(c, closed)), Ok(()));
    for fd in [closed, 77, u32::MAX] {
        for (name, outcome) in outcomes(&mut guest, fd) {
            assert_eq!(outcome, fails(Errno::BadFd), "{name} {fd}");
        }
    }
}

#[test]
fn what_is_no_socket_is_told() {
    let mut guest = guest();
    let (Ok(file), Ok((pipe, _outside))) = (std::fs::File::open("/dev/null"), std::io::pipe())
    else {
        panic!("no files")
    };
    for fd in [file.as_raw_fd(), pipe.as_raw_fd()] {
        let addr_pool = vec![b"127.0.0.0/8".to_vec()];
        let args = WasiArgs { stdin: fd, addr_pool, ..WasiArgs::default() };
        let mut guest = Guest::new(&args);
        for (name, outcome) in outcomes(&mut guest, 0) {
            let writes = name.starts_with("sock_send");
            match name {
                // It is for everything that is open.
                "sock_close" => assert_eq!(outcome, Ok(())),
                _ if writes => assert_eq!(outcome, fails(Errno::NotCapable), "{name}"),
                _ => assert_eq!(outcome, fails(Errno::NotSocket), "{name}"),
            }
        }
    }
    // The process's own streams have no rights for sockets' operations.
    for (name, outcome) in outcomes(&mut guest, 0) {
        let is_told = [fails(Errno::NotSocket), fails(Errno::NotCapable)].contains(&outcome);
        assert!(is_told || name == "sock_close", "{name} {outcome:?}");
    }
}

#[test]
fn flags_that_do_not_exist_are_refused_before_anything_happens() {
    let mut guest = guest();
    let (listening, port) = guest.listening();
    let Ok(_client) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { panic!("refused") };
    let nonblock = u32::from(fdflags::NONBLOCK);
    for flags in [1, 2, 8, 16, 32, 0x1_0000, nonblock | 1, u32::MAX] {
        let accepted = guest.soon(|c| sock::sock_accept(c, listening, flags, NUMBER));
        assert_eq!(accepted, fails(Errno::Invalid), "{flags:#x}");
    }
    assert_eq!(guest.soon(|c| sock::sock_accept(c, listening, nonblock, NUMBER)), Ok(()));
    let accepted = guest.read_u32(NUMBER);
    guest.buffer(4);
    assert_eq!(received(&mut guest, accepted), fails(Errno::Again));
    let (socket, mut peer) = guest.connected();
    assert!(peer.write_all(b"abcd").is_ok());
    for flags in [4, 8, 0x40, 0x1_0000, u32::MAX] {
        let got = guest.soon(|c| sock::sock_recv(c, socket, IOVECS, 2, flags, NUMBER, NUMBER + 8));
        assert_eq!(got, fails(Errno::Invalid), "{flags:#x}");
    }
    for flags in [1, 0x4000, u32::MAX] {
        let sent = guest.soon(|c| sock::sock_send(c, socket, IOVECS, 2, flags, NUMBER));
        assert_eq!(sent, fails(Errno::Invalid), "{flags:#x}");
    }
    for how in [0, 4, 0x101, u32::MAX] {
        let shut = guest.call(|c| sock::sock_shutdown(c, socket, how));
        assert_eq!(shut, fails(Errno::Invalid), "{how:#x}");
    }
    assert_eq!(received(&mut guest, socket), Ok(()));
    assert_eq!(guest.read(BUFFER, 4), b"abcd");
    // WAMR's own functions accept values that they do not know.
    let sent = guest.soon(|c| sock::sock_send_to(c, socket, IOVECS, 2, 0x4000, ADDRESS, NUMBER));
    assert_eq!(sent, Ok(()));
}

#[test]
fn datagrams_that_do_not_fit_are_cut_and_said_to_be() {
    let mut guest = guest();
    let socket = guest.open(UDP);
    let port = guest.bind(socket);
    let Ok(peer) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no socket") };
    for (room, peek, cut) in [(4, 0, 1), (10, 1, 0), (10, 0, 0), (2, 1, 1), (0, 0, 1)] {
        if peek == 0 || room == 10 || room == 2 {
            assert!(peer.send_to(b"0123456789", (Ipv4Addr::LOCALHOST, port)).is_ok());
        }
        guest.iovecs(IOVECS, &[(BUFFER, room)]);
        guest.write(NUMBER + 8, &[9, 9]);
        let got = guest.soon(|c| sock::sock_recv(c, socket, IOVECS, 1, peek, NUMBER, NUMBER + 8));
        assert_eq!((got, guest.read_u32(NUMBER)), (Ok(()), room));
        assert_eq!(guest.read(NUMBER + 8, 2), [cut, 0], "{room} {peek}");
    }
}

#[test]
fn messages_are_sent_as_a_whole() {
    let mut guest = guest();
    let Ok(peer) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else { panic!("no socket") };
    let Ok(at) = peer.local_addr() else { panic!("no address") };
    let socket = guest.open(UDP);
    guest.write_socket_address(at);
    assert_eq!(guest.call(|c| sock::sock_connect(c, socket, ADDRESS)), Ok(()));
    let send = |guest: &mut Guest, count| {
        guest.soon(|c| sock::sock_send(c, socket, IOVECS, count, 0, NUMBER))
    };
    guest.iovecs(IOVECS, &[(1024, 60_000), (1024, 60_000)]);
    assert_eq!(send(&mut guest, 2), fails(Errno::MessageSize));
    guest.iovecs(IOVECS, &[(40_000, 1); 1025]);
    assert_eq!(send(&mut guest, 1025), fails(Errno::MessageSize));
    // A message of nothing is one.
    assert_eq!(send(&mut guest, 0), Ok(()));
    assert_eq!(send(&mut guest, 1024), Ok(()));
    let mut bytes = [0; 2000];
    assert_eq!(peer.recv(&mut bytes).ok(), Some(0));
    assert_eq!(peer.recv(&mut bytes).ok(), Some(1024));
}

#[test]
fn what_is_done_twice_is_as_with_the_system() {
    let mut guest = guest();
    let socket = guest.open(TCP);
    guest.bind(socket);
    guest.write_address(LOOPBACK, 0);
    let bind = |guest: &mut Guest, socket| guest.call(|c| sock::sock_bind(c, socket, ADDRESS));
    assert_eq!(bind(&mut guest, socket), fails(Errno::Invalid));
    let (socket, _peer) = guest.connected();
    guest.write_address(LOOPBACK, 0);
    assert_eq!(bind(&mut guest, socket), fails(Errno::Invalid));
    for _ in 0..2 {
        assert_eq!(guest.call(|c| sock::sock_shutdown(c, socket, 2)), Ok(()));
    }
    let (_, port) = guest.listening();
    let other = guest.open(TCP);
    guest.write_address(LOOPBACK, port);
    assert_eq!(bind(&mut guest, other), fails(Errno::AddressInUse));
    for (index, outcome) in [Ok(()), fails(Errno::AddressInUse)].into_iter().enumerate() {
        let datagrams = guest.open(UDP);
        guest.write_address([224, 0, 0, 1], 0);
        // The pool has no groups.
        let join = |guest: &mut Guest| {
            guest.call(|c| options::set_ip_add_membership(c, datagrams, ADDRESS, 0))
        };
        assert_eq!(join(&mut guest), fails(Errno::Access), "{index} {outcome:?}");
    }
}

#[test]
fn settings_have_limits() {
    let mut guest = guest();
    let socket = guest.open(TCP);
    for (outcome, expected) in [
        (guest.call(|c| options::set_ip_ttl(c, socket, 0)), fails(Errno::Invalid)),
        (guest.call(|c| options::set_ip_ttl(c, socket, 255)), Ok(())),
        (guest.call(|c| options::set_tcp_keep_idle(c, socket, 0)), fails(Errno::Invalid)),
        (guest.call(|c| options::set_tcp_keep_idle(c, socket, u32::MAX)), fails(Errno::Invalid)),
        (guest.call(|c| options::set_tcp_keep_intvl(c, socket, 0)), fails(Errno::Invalid)),
        (guest.call(|c| options::set_linger(c, socket, 1, u32::MAX)), fails(Errno::Invalid)),
        (guest.call(|c| options::set_linger(c, socket, 0, u32::MAX)), Ok(())),
        (guest.call(|c| options::set_recv_timeout(c, socket, u64::MAX)), Ok(())),
        (guest.call(|c| options::set_send_timeout(c, socket, 1)), Ok(())),
        (guest.call(|c| options::set_recv_buf_size(c, socket, 0)), Ok(())),
        (guest.call(|c| options::set_recv_buf_size(c, socket, u32::MAX)), Ok(())),
        (guest.call(|c| options::set_send_buf_size(c, socket, u32::MAX)), Ok(())),
        (guest.call(|c| options::get_ipv6_only(c, socket, NUMBER)), fails(Errno::NotSupported)),
    ] {
        assert_eq!(outcome, expected);
    }
    let datagrams = guest.open(UDP);
    for outcome in [
        guest.call(|c| options::set_tcp_no_delay(c, datagrams, 1)),
        guest.call(|c| options::set_tcp_keep_idle(c, datagrams, 9)),
        guest.call(|c| options::get_tcp_quick_ack(c, datagrams, NUMBER)),
        guest.call(|c| options::set_tcp_fastopen_connect(c, datagrams, 1)),
    ] {
        let is_told = [fails(Errno::NotSupported), fails(Errno::NoProtocolOption)];
        assert!(is_told.contains(&outcome), "{outcome:?}");
    }
}

#[test]
fn answers_of_names_end_where_there_is_room() {
    let mut guest = guest();
    guest.write(BUFFER, b"127.0.0.1\0");
    guest.write(BUFFER + 16, b"80\0");
    let ask = |guest: &mut Guest, host, service, found, room| {
        guest.soon(|c| resolve::sock_addr_resolve(c, host, service, 512, found, room, NUMBER))
    };
    assert_eq!(ask(&mut guest, BUFFER, BUFFER + 16, 2048, 0), Ok(()));
    assert!(guest.read_u32(NUMBER) > 0);
    assert_eq!(guest.read(2048, 28), [0; 28]);
    assert_eq!(ask(&mut guest, BUFFER, BUFFER + 16, 2048, 1), Ok(()));
    assert_ne!(guest.read(2048, 28), [0; 28]);
    assert_eq!(ask(&mut guest, BUFFER, BUFFER + 16, 65_000, 1000), super::super::OUT_OF_BOUNDS);
    guest.write(BUFFER, &[0xff, 0xfe, 0]);
    assert_eq!(ask(&mut guest, BUFFER, BUFFER + 16, 2048, 1), fails(Errno::IllegalSequence));
    guest.write(BUFFER, &[0]);
    assert_eq!(ask(&mut guest, BUFFER, BUFFER, 2048, 1), fails(Errno::Access));
}
