//! Every function for sockets, with arguments that make sense, on a socket of a test's choice.

use super::{ADDRESS, BUFFER, Guest, IOVECS, NUMBER};
use crate::wasi::call::Outcome;
use crate::wasi::sock::{self, options, resolve};
use crate::wasi::stdio;
use crate::wasi::table::PREVIEW1;

/// A call on a descriptor. Addresses are read at [`ADDRESS`], buffers are named at [`IOVECS`].
pub(super) type Call = fn(&mut Guest, u32) -> Outcome;

macro_rules! calls {
    ($($name:literal $function:path, $($arg:expr),*;)*) => {
        &[$(($name, |guest, fd| guest.soon(|c| $function(c, fd, $($arg),*)))),*]
    };
}

pub(super) const CALLS: &[(&str, Call)] = calls! {
    "sock_accept" sock::sock_accept, 0, NUMBER;
    "sock_addr_local" sock::sock_addr_local, NUMBER;
    "sock_addr_remote" sock::sock_addr_remote, NUMBER;
    "sock_addr_resolve" resolve_at, 0;
    "sock_bind" sock::sock_bind, ADDRESS;
    "sock_connect" sock::sock_connect, ADDRESS;
    "sock_get_broadcast" options::get_broadcast, NUMBER;
    "sock_get_ip_multicast_loop" options::get_ip_multicast_loop, 0, NUMBER;
    "sock_get_ip_multicast_ttl" options::get_ip_multicast_ttl, NUMBER;
    "sock_get_ip_ttl" options::get_ip_ttl, NUMBER;
    "sock_get_ipv6_only" options::get_ipv6_only, NUMBER;
    "sock_get_keep_alive" options::get_keep_alive, NUMBER;
    "sock_get_linger" options::get_linger, NUMBER, NUMBER + 8;
    "sock_get_recv_buf_size" options::get_recv_buf_size, NUMBER;
    "sock_get_recv_timeout" options::get_recv_timeout, NUMBER;
    "sock_get_reuse_addr" options::get_reuse_addr, NUMBER;
    "sock_get_reuse_port" options::get_reuse_port, NUMBER;
    "sock_get_send_buf_size" options::get_send_buf_size, NUMBER;
    "sock_get_send_timeout" options::get_send_timeout, NUMBER;
    "sock_get_tcp_fastopen_connect" options::get_tcp_fastopen_connect, NUMBER;
    "sock_get_tcp_keep_idle" options::get_tcp_keep_idle, NUMBER;
    "sock_get_tcp_keep_intvl" options::get_tcp_keep_intvl, NUMBER;
    "sock_get_tcp_no_delay" options::get_tcp_no_delay, NUMBER;
    "sock_get_tcp_quick_ack" options::get_tcp_quick_ack, NUMBER;
    "sock_listen" sock::sock_listen, 8;
    "sock_open" sock::sock_open, 0, 1, NUMBER;
    "sock_recv" sock::sock_recv, IOVECS, 1, 0, NUMBER, NUMBER + 8;
    "sock_recv_from" sock::sock_recv_from, IOVECS, 1, 0, NUMBER + 8, NUMBER;
    "sock_send" sock::sock_send, IOVECS, 1, 0, NUMBER;
    "sock_send_to" sock::sock_send_to, IOVECS, 1, 0, ADDRESS, NUMBER;
    "sock_set_broadcast" options::set_broadcast, 1;
    "sock_set_ip_add_membership" options::set_ip_add_membership, ADDRESS, 0;
    "sock_set_ip_drop_membership" options::set_ip_drop_membership, ADDRESS, 0;
    "sock_set_ip_multicast_loop" options::set_ip_multicast_loop, 0, 1;
    "sock_set_ip_multicast_ttl" options::set_ip_multicast_ttl, 3;
    "sock_set_ip_ttl" options::set_ip_ttl, 3;
    "sock_set_ipv6_only" options::set_ipv6_only, 0;
    "sock_set_keep_alive" options::set_keep_alive, 1;
    "sock_set_linger" options::set_linger, 1, 3;
    "sock_set_recv_buf_size" options::set_recv_buf_size, 4096;
    "sock_set_recv_timeout" options::set_recv_timeout, 100_000;
    "sock_set_reuse_addr" options::set_reuse_addr, 1;
    "sock_set_reuse_port" options::set_reuse_port, 1;
    "sock_set_send_buf_size" options::set_send_buf_size, 4096;
    "sock_set_send_timeout" options::set_send_timeout, 100_000;
    "sock_set_tcp_fastopen_connect" options::set_tcp_fastopen_connect, 1;
    "sock_set_tcp_keep_idle" options::set_tcp_keep_idle, 9;
    "sock_set_tcp_keep_intvl" options::set_tcp_keep_intvl, 9;
    "sock_set_tcp_no_delay" options::set_tcp_no_delay, 1;
    "sock_set_tcp_quick_ack" options::set_tcp_quick_ack, 1;
    "sock_shutdown" sock::sock_shutdown, 3;
    "sock_close" close, 0;
};

/// As the others, for a function that gets no descriptor: the name is at [`BUFFER`], and the bytes
/// behind it are zero.
fn resolve_at(call: &crate::wasi::call::Call<'_>, _fd: u32, room: u32) -> Outcome {
    let (service, hints) = (BUFFER + 32, BUFFER + 40);
    resolve::sock_addr_resolve(call, BUFFER, service, hints, NUMBER, room, NUMBER)
}

fn close(call: &crate::wasi::call::Call<'_>, fd: u32, _nothing: u32) -> Outcome {
    stdio::fd_close(call, fd)
}

#[test]
fn every_function_is_in_the_list() {
    let mut listed: Vec<&str> = CALLS.iter().map(|(name, _)| *name).collect();
    listed.sort_unstable();
    let functions =
        PREVIEW1.functions.iter().map(|f| f.name).filter(|name| name.starts_with("sock_"));
    assert_eq!(listed, functions.collect::<Vec<_>>());
}
