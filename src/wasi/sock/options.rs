//! Settings of sockets, each read and written by a function of its own.

use super::address::{IP_BYTES, read_ip};
use super::{own, socket, sys};
use crate::platform::fd;
use crate::wasi::abi::{Addr, Rights};
use crate::wasi::call::{Call, Outcome, os};
use crate::wasi::errno::Errno;
use rustix::net::sockopt::{self, Timeout};
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// The layout of a setting's value in the guest's memory, and its form as a parameter.
pub(in crate::wasi) trait Setting: Copy {
    type Param;
    fn from_param(param: Self::Param) -> Self;
    fn write(self, call: &Call<'_>, at: Addr) -> Outcome;
    const BYTES: u64;
}

impl Setting for bool {
    type Param = u32;
    const BYTES: u64 = 1;

    fn from_param(param: u32) -> Self {
        param as u8 != 0
    }

    fn write(self, call: &Call<'_>, at: Addr) -> Outcome {
        call.write(at, &[self as u8])
    }
}

impl Setting for u8 {
    type Param = u32;
    const BYTES: u64 = 1;

    fn from_param(param: u32) -> Self {
        param as u8
    }

    fn write(self, call: &Call<'_>, at: Addr) -> Outcome {
        call.write(at, &[self])
    }
}

impl Setting for u32 {
    type Param = u32;
    const BYTES: u64 = 4;

    fn from_param(param: u32) -> Self {
        param
    }

    fn write(self, call: &Call<'_>, at: Addr) -> Outcome {
        call.write_u32(at, self)
    }
}

/// Microseconds.
#[derive(Clone, Copy)]
pub(in crate::wasi) struct Micros(u64);

impl Setting for Micros {
    type Param = u64;
    const BYTES: u64 = 8;

    fn from_param(param: u64) -> Self {
        Self(param)
    }

    fn write(self, call: &Call<'_>, at: Addr) -> Outcome {
        call.write_u64(at, self.0)
    }
}

fn get<T: Setting>(
    call: &Call<'_>,
    fd: u32,
    at: Addr,
    read: impl FnOnce(BorrowedFd<'_>) -> Outcome<T>,
) -> Outcome {
    call.check(at, T::BYTES)?;
    let socket = socket(call, fd, Rights::NONE)?;
    read(socket.as_fd())?.write(call, at)
}

fn set<T: Setting>(
    call: &Call<'_>,
    fd: u32,
    param: T::Param,
    write: impl FnOnce(BorrowedFd<'_>, T) -> Outcome,
) -> Outcome {
    let socket = socket(call, fd, Rights::NONE)?;
    write(socket.as_fd(), T::from_param(param))
}

macro_rules! settings {
    ($($ty:ty: $get:ident $read:expr, $set:ident $write:expr;)*) => { $(
        pub(in crate::wasi) fn $get(call: &Call<'_>, fd: u32, value: Addr) -> Outcome {
            get::<$ty>(call, fd, value, $read)
        }

        pub(in crate::wasi) fn $set(
            call: &Call<'_>,
            fd: u32,
            value: <$ty as Setting>::Param,
        ) -> Outcome {
            set::<$ty>(call, fd, value, $write)
        }
    )* };
}

settings! {
    bool: get_broadcast |s| sys(sockopt::socket_broadcast(s)),
        set_broadcast |s, on| sys(sockopt::set_socket_broadcast(s, on));
    bool: get_keep_alive |s| sys(sockopt::socket_keepalive(s)),
        set_keep_alive |s, on| sys(sockopt::set_socket_keepalive(s, on));
    bool: get_reuse_addr |s| sys(sockopt::socket_reuseaddr(s)),
        set_reuse_addr |s, on| sys(sockopt::set_socket_reuseaddr(s, on));
    bool: get_reuse_port |s| sys(sockopt::socket_reuseport(s)),
        set_reuse_port |s, on| sys(sockopt::set_socket_reuseport(s, on));
    u32: get_recv_buf_size |s| sys(sockopt::socket_recv_buffer_size(s)).map(|n| n as u32),
        set_recv_buf_size |s, n| sys(sockopt::set_socket_recv_buffer_size(s, size(n)));
    u32: get_send_buf_size |s| sys(sockopt::socket_send_buffer_size(s)).map(|n| n as u32),
        set_send_buf_size |s, n| sys(sockopt::set_socket_send_buffer_size(s, size(n)));
    Micros: get_recv_timeout |s| timeout(s, Timeout::Recv),
        set_recv_timeout |s, time| set_timeout(s, Timeout::Recv, time);
    Micros: get_send_timeout |s| timeout(s, Timeout::Send),
        set_send_timeout |s, time| set_timeout(s, Timeout::Send, time);
    bool: get_tcp_no_delay |s| sys(sockopt::tcp_nodelay(s)),
        set_tcp_no_delay |s, on| sys(sockopt::set_tcp_nodelay(s, on));
    bool: get_tcp_quick_ack |s| sys(sockopt::tcp_quickack(s)),
        set_tcp_quick_ack |s, on| sys(sockopt::set_tcp_quickack(s, on));
    u32: get_tcp_keep_idle |s| sys(sockopt::tcp_keepidle(s)).map(|time| time.as_secs() as u32),
        set_tcp_keep_idle |s, n| sys(sockopt::set_tcp_keepidle(s, Duration::from_secs(n.into())));
    u32: get_tcp_keep_intvl |s| sys(sockopt::tcp_keepintvl(s)).map(|time| time.as_secs() as u32),
        set_tcp_keep_intvl |s, n| sys(sockopt::set_tcp_keepintvl(s, Duration::from_secs(n.into())));
    bool: get_tcp_fastopen_connect |s| os(fd::fast_open(s)),
        set_tcp_fastopen_connect |s, on| os(fd::set_fast_open(s, on));
    u8: get_ip_ttl |s| sys(sockopt::ip_ttl(s)).map(|n| n as u8),
        set_ip_ttl |s, n| sys(sockopt::set_ip_ttl(s, n.into()));
    u8: get_ip_multicast_ttl |s| sys(sockopt::ip_multicast_ttl(s)).map(|n| n as u8),
        set_ip_multicast_ttl |s, n| sys(sockopt::set_ip_multicast_ttl(s, n.into()));
}

pub(in crate::wasi) fn get_ipv6_only(call: &Call<'_>, fd: u32, value: Addr) -> Outcome {
    get::<bool>(call, fd, value, |s| sys(sockopt::ipv6_v6only(s)))
}

/// Where the pool has all addresses of IPv6 and not those of IPv4, sockets are for IPv6 only.
pub(in crate::wasi) fn set_ipv6_only(call: &Call<'_>, fd: u32, value: u32) -> Outcome {
    set::<bool>(call, fd, value, |s, on| match on || own::may_mix_kinds(call) {
        true => sys(sockopt::set_ipv6_v6only(s, on)),
        false => Err(Errno::Access.into()),
    })
}

/// The system gives less where it is too much, but its own number has a sign.
fn size(bytes: u32) -> usize {
    bytes.min(i32::MAX as u32) as usize
}

/// 0 for no limit.
fn timeout(socket: BorrowedFd<'_>, which: Timeout) -> Outcome<Micros> {
    let limit = sys(sockopt::socket_timeout(socket, which))?;
    Ok(Micros(limit.map_or(0, |limit| u64::try_from(limit.as_micros()).unwrap_or(u64::MAX))))
}

fn set_timeout(socket: BorrowedFd<'_>, which: Timeout, time: Micros) -> Outcome {
    let limit = (time.0 > 0).then(|| Duration::from_micros(time.0));
    sys(sockopt::set_socket_timeout(socket, which, limit))
}

pub(in crate::wasi) fn get_linger(call: &Call<'_>, fd: u32, on: Addr, seconds: Addr) -> Outcome {
    call.check(on, 1)?;
    call.check(seconds, 4)?;
    let socket = socket(call, fd, Rights::NONE)?;
    let linger = sys(sockopt::socket_linger(socket.as_fd()))?;
    linger.is_some().write(call, on)?;
    call.write_u32(seconds, linger.map_or(0, |time| time.as_secs() as u32))
}

pub(in crate::wasi) fn set_linger(call: &Call<'_>, fd: u32, on: u32, seconds: u32) -> Outcome {
    let socket = socket(call, fd, Rights::NONE)?;
    let linger = (on as u8 != 0).then(|| Duration::from_secs(seconds.into()));
    sys(sockopt::set_socket_linger(socket.as_fd(), linger))
}

pub(in crate::wasi) fn get_ip_multicast_loop(
    call: &Call<'_>,
    fd: u32,
    ipv6: u32,
    on: Addr,
) -> Outcome {
    get::<bool>(call, fd, on, |socket| {
        sys(match ipv6 as u8 {
            0 => sockopt::ip_multicast_loop(socket),
            _ => sockopt::ipv6_multicast_loop(socket),
        })
    })
}

pub(in crate::wasi) fn set_ip_multicast_loop(
    call: &Call<'_>,
    fd: u32,
    ipv6: u32,
    on: u32,
) -> Outcome {
    set::<bool>(call, fd, on, |socket, on| {
        sys(match ipv6 as u8 {
            0 => sockopt::set_ip_multicast_loop(socket, on),
            _ => sockopt::set_ipv6_multicast_loop(socket, on),
        })
    })
}

/// Joins or leaves a group, on the interface with this number: of IPv4 an address, of IPv6 an
/// index, 0 for the system's choice.
fn membership(call: &Call<'_>, fd: u32, group: Addr, interface: u32, join: bool) -> Outcome {
    call.check(group, IP_BYTES)?;
    let group = read_ip(&call.memory, group.into())?;
    own::permitted(call, group)?;
    let socket = socket(call, fd, Rights::NONE)?;
    let socket = socket.as_fd();
    sys(match (group, join) {
        (IpAddr::V4(group), true) => {
            sockopt::set_ip_add_membership(socket, &group, &interface.to_be().to_ne_bytes().into())
        }
        (IpAddr::V4(group), false) => {
            sockopt::set_ip_drop_membership(socket, &group, &interface.to_be().to_ne_bytes().into())
        }
        (IpAddr::V6(group), true) => sockopt::set_ipv6_add_membership(socket, &group, interface),
        (IpAddr::V6(group), false) => sockopt::set_ipv6_drop_membership(socket, &group, interface),
    })
}

pub(in crate::wasi) fn set_ip_add_membership(
    call: &Call<'_>,
    fd: u32,
    group: Addr,
    interface: u32,
) -> Outcome {
    membership(call, fd, group, interface, true)
}

pub(in crate::wasi) fn set_ip_drop_membership(
    call: &Call<'_>,
    fd: u32,
    group: Addr,
    interface: u32,
) -> Outcome {
    membership(call, fd, group, interface, false)
}
