//! Sockets of the guest's own: those that it opened, and those that were accepted for it.
//!
//! In the system none of them blocks. Whether the guest waits is a flag kept here, and waiting is
//! done where it can be stopped.
//!
//! The system gives an address to a socket that listens, sends or connects without one, mostly all
//! addresses of the machine. Where the pool does not have all of them, listening takes a socket
//! that the guest bound itself, and a datagram socket gets the one address that its first message
//! leaves from. Messages of strangers to that address are kept from the guest.

use super::pool::Pools;
use super::sys;
use crate::exec::QuotaSlot;
use crate::wasi::abi::FileType;
use crate::wasi::call::{Call, Outcome};
use crate::wasi::descriptor::Descriptor;
use crate::wasi::errno::Errno;
use rustix::net::sockopt;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType};
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// The runtime's own state of such a socket. Owner: its descriptor.
pub(in crate::wasi) struct Own {
    ipv6: bool,
    nonblock: AtomicBool,
    /// It has an address of the pool's, which it keeps.
    bound: AtomicBool,
    /// It has an address that a message leaves from.
    bound_narrowly: AtomicBool,
}

/// How the system is asked for each.
const FLAGS: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);

impl Own {
    fn new(ipv6: bool, bound: bool, nonblock: bool) -> Self {
        Self {
            ipv6,
            nonblock: AtomicBool::new(nonblock),
            bound: AtomicBool::new(bound),
            bound_narrowly: AtomicBool::new(false),
        }
    }

    /// Whether calls on the socket fail where they would wait.
    pub(in crate::wasi) fn is_nonblocking(&self) -> bool {
        self.nonblock.load(Ordering::Relaxed)
    }

    pub(in crate::wasi) fn set_nonblocking(&self, on: bool) {
        self.nonblock.store(on, Ordering::Relaxed);
    }

    pub(super) fn set_bound(&self) {
        self.bound.store(true, Ordering::Release);
    }

    fn may_have_all(&self, pools: &Pools) -> bool {
        self.bound.load(Ordering::Acquire) || pools.permits_all(self.ipv6)
    }
}

/// Sees to it that closing does not wait for the peer, for which there is no end that the embedder
/// could set: the system goes on sending afterwards. That no time means to drop everything at once
/// stays so. The system is asked, since a socket that was accepted has the setting of the one that
/// it came from.
pub(in crate::wasi) fn before_close(socket: BorrowedFd<'_>) {
    if sockopt::socket_linger(socket).is_ok_and(|time| time.is_some_and(|time| !time.is_zero())) {
        // An error here could neither be reported nor handled.
        let _ = sockopt::set_socket_linger(socket, None);
    }
}

/// A new socket of the guest's.
pub(super) fn open(
    pools: &Pools,
    ipv6: bool,
    kind: SocketType,
    slot: QuotaSlot,
) -> Outcome<Descriptor> {
    let socket = sys(net::socket_with(family(ipv6), kind, FLAGS, None))?;
    if ipv6 && pools.keeps_kinds_apart() {
        sys(sockopt::set_ipv6_v6only(&socket, true))?;
    }
    Descriptor::of_socket(socket, Own::new(ipv6, false, false), slot)
}

/// Accepts a connection if there is one.
pub(super) fn accept(from: BorrowedFd<'_>) -> rustix::io::Result<OwnedFd> {
    net::accept_with(from, FLAGS)
}

/// What was accepted. Its address is what the other socket was bound to.
pub(super) fn accepted(socket: OwnedFd, nonblock: bool, slot: QuotaSlot) -> Outcome<Descriptor> {
    Descriptor::of_socket(socket, Own::new(false, true, nonblock), slot)
}

fn family(ipv6: bool) -> AddressFamily {
    if ipv6 { AddressFamily::INET6 } else { AddressFamily::INET }
}

/// The address that a socket has; a port of 0 if it has none yet.
fn local(socket: BorrowedFd<'_>) -> Option<SocketAddr> {
    SocketAddr::try_from(net::getsockname(socket).ok()?).ok()
}

/// Fails unless listening opens no address that the pool does not have.
///
/// The answer holds even if other threads of the guest use the socket before it listens. An address
/// that a connection gave it does not count, since it goes with the connection.
pub(super) fn may_listen(call: &Call<'_>, socket: &Descriptor) -> Outcome {
    let pools = &call.ctx.pools;
    let may = match socket.own_socket() {
        Some(own) => own.may_have_all(pools),
        // The embedder's are bound by the embedder, as long as the guest connected none: the
        // address comes first here, and the note of a connection first where one is made.
        None => local(socket.as_fd()).is_none_or(|local| {
            let is_bound = local.port() != 0 && !call.ctx.connects_streams.load(Ordering::SeqCst);
            is_bound || pools.permits_all(local.is_ipv6())
        }),
    };
    if may || socket.file_type == FileType::SocketDgram {
        return Ok(());
    }
    // The system's answer for a connection. The system is not asked, because the connection may be
    // gone by then.
    match net::getpeername(socket.as_fd()) {
        Ok(Some(_)) => Err(Errno::Invalid.into()),
        _ => Err(Errno::Access.into()),
    }
}

/// Before a socket of the embedder's is connected, which may give it an address.
pub(super) fn note_connection(call: &Call<'_>) {
    call.ctx.connects_streams.store(true, Ordering::SeqCst);
}

/// Whether this is a datagram socket that would get all addresses of the machine by itself, and
/// the pool does not have them.
fn is_strict(call: &Call<'_>, socket: &Descriptor) -> bool {
    let is_open = |own: &Own| own.may_have_all(&call.ctx.pools);
    socket.file_type == FileType::SocketDgram && !socket.own_socket().is_none_or(is_open)
}

/// Whether messages from that address are kept from the guest.
pub(super) fn ignores(call: &Call<'_>, socket: &Descriptor) -> impl Fn(Option<SocketAddr>) -> bool {
    let is_strict = is_strict(call, socket);
    let pools = &call.ctx.pools;
    move |from| is_strict && from.is_some_and(|from| !pools.permits(from.ip()))
}

/// Before a socket sends or connects: gives it the address that a message to `to` leaves from, if
/// it would get all of them otherwise. Without a destination nothing can be sent.
pub(super) fn bind_narrowly(
    call: &Call<'_>,
    socket: &Descriptor,
    to: Option<SocketAddr>,
) -> Outcome {
    let Some(own) = socket.own_socket().filter(|_| is_strict(call, socket)) else { return Ok(()) };
    if own.bound_narrowly.load(Ordering::Acquire) {
        return Ok(());
    }
    let to = to.ok_or(Errno::DestinationRequired)?;
    let slot = call.slot()?;
    let from = sys(source(own, socket.as_fd(), to))?;
    drop(slot);
    let mut from = from.ok_or(Errno::AddressFamilyNotSupported)?;
    from.set_port(0);
    match net::bind(socket.as_fd(), &from) {
        // Another thread of the guest's was faster.
        Err(rustix::io::Errno::INVAL) if local(socket.as_fd()).is_some_and(|at| at.port() != 0) => {
        }
        bound => sys(bound)?,
    }
    own.bound_narrowly.store(true, Ordering::Release);
    Ok(())
}

/// Where a message to `to` leaves from: the system says so of a connection, which sends nothing.
fn source(
    own: &Own,
    socket: BorrowedFd<'_>,
    to: SocketAddr,
) -> rustix::io::Result<Option<SocketAddr>> {
    let probe = net::socket_with(family(own.ipv6), SocketType::DGRAM, FLAGS, None)?;
    if own.ipv6 {
        sockopt::set_ipv6_v6only(&probe, sockopt::ipv6_v6only(socket)?)?;
    }
    sockopt::set_socket_broadcast(&probe, sockopt::socket_broadcast(socket)?)?;
    net::connect(&probe, &to)?;
    Ok(SocketAddr::try_from(net::getsockname(&probe)?).ok())
}

/// Whether a setting that makes an IPv6 socket one of IPv4 too is the guest's to choose.
pub(super) fn may_mix_kinds(call: &Call<'_>) -> bool {
    !call.ctx.pools.keeps_kinds_apart()
}

/// The address a guest named, if its pool has it.
pub(super) fn permitted(call: &Call<'_>, address: IpAddr) -> Outcome {
    if call.ctx.pools.permits(address) { Ok(()) } else { Err(Errno::Access.into()) }
}
