//! Sockets: the functions of preview 1 and those that WAMR adds to open them.
//!
//! A guest opens sockets as it likes; with whom they talk is limited by the embedder's address
//! pool (`pool.rs`), and which names it may look up by the pool of names. `address.rs` knows how
//! addresses look to the guest, `options.rs` is the long list of settings, `resolve.rs` asks for
//! addresses of names. What would block waits in `poll::until_ready`, where it can be stopped.

mod address;
pub(super) mod options;
mod pool;
pub(super) mod resolve;

pub(super) use pool::Pools;

use super::abi::{Addr, FileType, Rights, fdflags};
use super::call::{Call, Outcome};
use super::descriptor::Descriptor;
use super::errno::Errno;
use super::fd_table::Entry;
use super::poll::{until_connected, until_ready};
use crate::exec::DescriptorSlot;
use crate::platform::fd::Interest;
use address::ADDRESS_BYTES;
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Most that one call sends or receives; no datagram is longer.
const TRANSFER_BYTES_MAX: usize = 0x1_0000;

/// Makes the guest's error of the system's.
fn sys<T>(result: rustix::io::Result<T>) -> Outcome<T> {
    result.map_err(|error| Errno::from_os(error.raw_os_error()).into())
}

/// A descriptor with these rights. That it is no socket is for the system to say.
fn socket(call: &Call<'_>, number: u32, rights: Rights) -> Outcome<Arc<Descriptor>> {
    call.ctx.fds.get_with(number, rights)
}

/// Gives a new socket a number.
fn install(call: &Call<'_>, file: OwnedFd, slot: DescriptorSlot, number: Addr) -> Outcome {
    let entry = Entry::opened(Descriptor::of_file(file, slot)?, Rights::ALL, Rights::ALL)?;
    call.write_u32(number, call.ctx.fds.add(entry)?)
}

/// Waits until the socket is ready, for as long as its own setting says.
fn wait(call: &Call<'_>, socket: &Descriptor, interest: Interest) -> Outcome {
    let which = match interest {
        Interest::Read => Timeout::Recv,
        Interest::Write => Timeout::Send,
    };
    let limit = sys(sockopt::socket_timeout(socket.as_fd(), which))?;
    until_ready(call, socket, interest, limit)
}

pub(super) fn sock_open(
    call: &Call<'_>,
    _pool: u32,
    family: u32,
    kind: u32,
    opened: Addr,
) -> Outcome {
    call.check(opened, 4)?;
    // What is not the one is taken for the other, as WAMR does.
    let family = if family == 1 { AddressFamily::INET6 } else { AddressFamily::INET };
    let kind = if kind == 0 { SocketType::DGRAM } else { SocketType::STREAM };
    let slot = call.slot()?;
    let socket = sys(net::socket_with(family, kind, SocketFlags::CLOEXEC, None))?;
    install(call, socket, slot, opened)
}

pub(super) fn sock_bind(call: &Call<'_>, fd: u32, address: Addr) -> Outcome {
    let address = permitted(call, address)?;
    let socket = socket(call, fd, Rights::SOCK_BIND)?;
    sys(net::bind(socket.as_fd(), &address))
}

/// The address in the guest's memory, if its pool has it.
fn permitted(call: &Call<'_>, address: Addr) -> Outcome<SocketAddr> {
    call.check(address, ADDRESS_BYTES)?;
    let address = address::read(&call.memory, address.into())?;
    if call.ctx.pools.permits(address.ip()) { Ok(address) } else { Err(Errno::Access.into()) }
}

pub(super) fn sock_listen(call: &Call<'_>, fd: u32, backlog: u32) -> Outcome {
    let socket = socket(call, fd, Rights::SOCK_LISTEN)?;
    sys(net::listen(socket.as_fd(), i32::try_from(backlog).unwrap_or(i32::MAX)))
}

pub(super) fn sock_accept(call: &Call<'_>, fd: u32, flags: u32, accepted: Addr) -> Outcome {
    call.check(accepted, 4)?;
    let socket = socket(call, fd, Rights::SOCK_ACCEPT)?;
    // Before a connection is taken that there is no room for.
    let slot = call.slot()?;
    wait(call, &socket, Interest::Read)?;
    let accept = || net::accept_with(socket.as_fd(), SocketFlags::CLOEXEC);
    let new = sys(call.blocking(&socket, accept)?)?;
    if flags as u16 & fdflags::NONBLOCK != 0 {
        sys(rustix::io::ioctl_fionbio(&new, true))?;
    }
    install(call, new, slot, accepted)
}

/// Connects without blocking in the system, so that the guest can be stopped meanwhile.
pub(super) fn sock_connect(call: &Call<'_>, fd: u32, address: Addr) -> Outcome {
    let address = permitted(call, address)?;
    let socket = socket(call, fd, Rights::SOCK_CONNECT)?;
    if socket.is_nonblocking()? {
        return sys(net::connect(socket.as_fd(), &address));
    }
    sys(rustix::io::ioctl_fionbio(socket.as_fd(), true))?;
    let connected = match net::connect(socket.as_fd(), &address) {
        Err(rustix::io::Errno::INPROGRESS) => finish_connecting(call, &socket),
        other => sys(other),
    };
    sys(rustix::io::ioctl_fionbio(socket.as_fd(), false))?;
    connected
}

fn finish_connecting(call: &Call<'_>, socket: &Descriptor) -> Outcome {
    until_connected(call, socket)?;
    sys(sys(sockopt::socket_error(socket.as_fd()))?)
}

pub(super) fn sock_addr_local(call: &Call<'_>, fd: u32, address: Addr) -> Outcome {
    call.check(address, ADDRESS_BYTES)?;
    let socket = socket(call, fd, Rights::SOCK_ADDR_LOCAL)?;
    let local = SocketAddr::try_from(sys(net::getsockname(socket.as_fd()))?);
    address::write(call, address, local.map_err(|_| Errno::AddressFamilyNotSupported)?)
}

pub(super) fn sock_addr_remote(call: &Call<'_>, fd: u32, address: Addr) -> Outcome {
    call.check(address, ADDRESS_BYTES)?;
    let socket = socket(call, fd, Rights::SOCK_ADDR_LOCAL)?;
    let remote = sys(net::getpeername(socket.as_fd()))?.ok_or(Errno::NotConnected)?;
    let remote = SocketAddr::try_from(remote).map_err(|_| Errno::AddressFamilyNotSupported)?;
    address::write(call, address, remote)
}

/// Receives into the guest's buffers; how much, and from whom if that is known.
fn receive(
    call: &Call<'_>,
    fd: u32,
    iovs: Addr,
    count: u32,
    flags: RecvFlags,
) -> Outcome<(u32, Option<SocketAddr>)> {
    let room = call.gathered(iovs, count)?;
    let socket = socket(call, fd, Rights::FD_READ)?;
    if !is_socket(&socket) {
        return Err(Errno::NotSocket.into());
    }
    let len = room.total.min(TRANSFER_BYTES_MAX as u64) as usize;
    let bytes = crate::alloc::try_filled(len, 0_u8);
    let mut bytes = bytes.map_err(|_| Errno::NoMemory)?;
    wait(call, &socket, Interest::Read)?;
    let receive = || net::recvfrom(socket.as_fd(), &mut bytes[..], flags);
    let (filled, _, from) = sys(call.blocking(&socket, receive)?)?;
    room.scatter(call, &bytes[..filled])?;
    Ok((filled as u32, from.and_then(|from| SocketAddr::try_from(from).ok())))
}

/// Sends the guest's buffers, to an address or to whom the socket is connected with.
fn send(call: &Call<'_>, fd: u32, iovs: Addr, count: u32, to: Option<SocketAddr>) -> Outcome<u32> {
    let given = call.gathered(iovs, count)?;
    let socket = socket(call, fd, Rights::FD_WRITE)?;
    if !is_socket(&socket) {
        return Err(Errno::NotSocket.into());
    }
    if socket.file_type == FileType::SocketDgram && given.total > TRANSFER_BYTES_MAX as u64 {
        return Err(Errno::MessageSize.into());
    }
    let bytes = given.gather(call, TRANSFER_BYTES_MAX)?;
    wait(call, &socket, Interest::Write)?;
    let send = || match to {
        Some(to) => net::sendto(socket.as_fd(), &bytes, SendFlags::NOSIGNAL, &to),
        None => net::send(socket.as_fd(), &bytes, SendFlags::NOSIGNAL),
    };
    Ok(sys(call.blocking(&socket, send)?)? as u32)
}

/// Standard streams are not looked at when they are given, so their type may be unknown.
fn is_socket(descriptor: &Descriptor) -> bool {
    sockopt::socket_type(descriptor.as_fd()).is_ok()
}

/// `riflags`: 1 peeks, 2 waits for all of a stream.
fn receive_flags(flags: u32) -> RecvFlags {
    let when = |bit: u32, flag| if flags & bit != 0 { flag } else { RecvFlags::empty() };
    when(1, RecvFlags::PEEK) | when(2, RecvFlags::WAITALL)
}

pub(super) fn sock_recv(
    call: &Call<'_>,
    fd: u32,
    iovs: Addr,
    count: u32,
    flags: u32,
    received: Addr,
    out_flags: Addr,
) -> Outcome {
    call.check(received, 4)?;
    call.check(out_flags, 2)?;
    let (len, _) = receive(call, fd, iovs, count, receive_flags(flags))?;
    call.write(out_flags, &[0; 2])?;
    call.write_u32(received, len)
}

pub(super) fn sock_recv_from(
    call: &Call<'_>,
    fd: u32,
    iovs: Addr,
    count: u32,
    flags: u32,
    address: Addr,
    received: Addr,
) -> Outcome {
    call.check(received, 4)?;
    call.check(address, ADDRESS_BYTES)?;
    let (len, from) = receive(call, fd, iovs, count, receive_flags(flags))?;
    if let Some(from) = from {
        address::write(call, address, from)?;
    }
    call.write_u32(received, len)
}

pub(super) fn sock_send(
    call: &Call<'_>,
    fd: u32,
    iovs: Addr,
    count: u32,
    _flags: u32,
    sent: Addr,
) -> Outcome {
    call.check(sent, 4)?;
    let len = send(call, fd, iovs, count, None)?;
    call.write_u32(sent, len)
}

pub(super) fn sock_send_to(
    call: &Call<'_>,
    fd: u32,
    iovs: Addr,
    count: u32,
    _flags: u32,
    address: Addr,
    sent: Addr,
) -> Outcome {
    call.check(sent, 4)?;
    let to = permitted(call, address)?;
    let len = send(call, fd, iovs, count, Some(to))?;
    call.write_u32(sent, len)
}

/// `sdflags`: 1 reading, 2 writing.
pub(super) fn sock_shutdown(call: &Call<'_>, fd: u32, how: u32) -> Outcome {
    let socket = socket(call, fd, Rights::NONE)?;
    if !is_socket(&socket) {
        return Err(Errno::NotSocket.into());
    }
    let how = match how as u8 {
        1 => net::Shutdown::Read,
        2 => net::Shutdown::Write,
        3 => net::Shutdown::Both,
        _ => return Err(Errno::Invalid.into()),
    };
    sys(net::shutdown(socket.as_fd(), how))
}
