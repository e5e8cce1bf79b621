//! Sockets: the functions of preview 1 and those that WAMR adds to open them.
//!
//! A guest opens sockets as it likes; with whom they talk is limited by the embedder's address
//! pool (`pool.rs`), and which names it may look up by the pool of names. `own.rs` keeps the
//! system from giving a socket other addresses than the pool's, `transfer.rs` moves bytes and
//! waits where that can be stopped. `address.rs` knows how addresses look to the guest,
//! `options.rs` is the long list of settings, `resolve.rs` asks for addresses of names.

mod address;
pub(super) mod options;
mod own;
mod pool;
pub(super) mod resolve;
mod transfer;

#[cfg(test)]
pub(super) use address::to_bytes as address_bytes;
pub(super) use own::{Own, before_close};
pub(super) use pool::Pools;

use super::abi::{Addr, FileType, Rights, fdflags};
use super::call::{Buffers, Call, Outcome};
use super::descriptor::Descriptor;
use super::errno::Errno;
use super::fd_table::FdEntry;
use crate::platform::fd::{BUFFERS_MAX, Buffer, Received};
use address::ADDRESS_BYTES;
use rustix::net::{self, SocketType, sockopt};
use std::net::SocketAddr;
use std::sync::Arc;
use transfer::How;

/// Makes the guest's error of the system's.
fn sys<T>(result: rustix::io::Result<T>) -> Outcome<T> {
    result.map_err(|error| Errno::from_os(error.raw_os_error()).into())
}

/// A descriptor with these rights. That it is no socket is for the system to say.
fn socket(call: &Call<'_>, number: u32, rights: Rights) -> Outcome<Arc<Descriptor>> {
    call.ctx.fds.get_with(number, rights)
}

/// Gives a new socket a number.
fn install(call: &Call<'_>, socket: Descriptor, number: Addr) -> Outcome {
    let entry = FdEntry::opened(socket, Rights::ALL, Rights::ALL)?;
    call.write_u32(number, call.ctx.fds.add(entry)?)
}

pub(super) fn sock_open(
    call: &Call<'_>,
    _pool: u32,
    family: u32,
    kind: u32,
    opened: Addr,
) -> Outcome {
    call.check(opened, 4)?;
    // Any other value stands for the second, as in WAMR.
    let kind = if kind == 0 { SocketType::DGRAM } else { SocketType::STREAM };
    let slot = call.slot()?;
    install(call, own::open(&call.ctx.pools, family == 1, kind, slot)?, opened)
}

pub(super) fn sock_bind(call: &Call<'_>, fd: u32, address: Addr) -> Outcome {
    let address = permitted(call, address)?;
    let socket = socket(call, fd, Rights::SOCK_BIND)?;
    sys(net::bind(socket.as_fd(), &address))?;
    socket.own_socket().into_iter().for_each(Own::set_bound);
    Ok(())
}

/// The address in the guest's memory, if its pool has it.
fn permitted(call: &Call<'_>, address: Addr) -> Outcome<SocketAddr> {
    call.check(address, ADDRESS_BYTES)?;
    let address = address::read(&call.memory, address.into())?;
    own::permitted(call, address.ip())?;
    Ok(address)
}

pub(super) fn sock_listen(call: &Call<'_>, fd: u32, backlog: u32) -> Outcome {
    let socket = socket(call, fd, Rights::SOCK_LISTEN)?;
    own::may_listen(call, &socket)?;
    sys(net::listen(socket.as_fd(), i32::try_from(backlog).unwrap_or(i32::MAX)))
}

/// Only the non-blocking flag makes sense, for the accepted socket.
pub(super) fn sock_accept(call: &Call<'_>, fd: u32, flags: u32, accepted: Addr) -> Outcome {
    call.check(accepted, 4)?;
    let socket = socket(call, fd, Rights::SOCK_ACCEPT)?;
    let nonblock = u32::from(fdflags::NONBLOCK);
    if flags & !nonblock != 0 {
        return Err(Errno::Invalid.into());
    }
    // Before a connection is taken that there is no room for.
    let slot = call.slot()?;
    let new = transfer::accept(call, &socket)?;
    install(call, own::accepted(new, flags & nonblock != 0, slot)?, accepted)
}

pub(super) fn sock_connect(call: &Call<'_>, fd: u32, address: Addr) -> Outcome {
    let address = permitted(call, address)?;
    let socket = socket(call, fd, Rights::SOCK_CONNECT)?;
    transfer::connect(call, &socket, address)
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

/// Standard streams are not looked at when they are given, so their type may be unknown.
fn is_socket(descriptor: &Descriptor) -> bool {
    sockopt::socket_type(descriptor.as_fd()).is_ok()
}

/// Reads from a socket as from a file.
///
/// # Safety
/// Every buffer is writable, and there are at most [`BUFFERS_MAX`].
pub(super) unsafe fn read(
    call: &Call<'_>,
    socket: &Descriptor,
    buffers: &[Buffer],
) -> Outcome<usize> {
    // SAFETY: the caller vouches for the same of the same buffers.
    unsafe { transfer::receive(call, socket, buffers, How::default()) }.map(|got| got.len)
}

/// Writes to a socket as to a file.
///
/// # Safety
/// Every buffer is readable, and there are at most [`BUFFERS_MAX`].
pub(super) unsafe fn write(
    call: &Call<'_>,
    socket: &Descriptor,
    buffers: &[Buffer],
) -> Outcome<usize> {
    // SAFETY: the caller vouches for the same of the same buffers.
    unsafe { transfer::send(call, socket, buffers, None) }
}

/// The socket and the guest's buffers, for a transfer.
fn parties(
    call: &Call<'_>,
    fd: u32,
    rights: Rights,
    iovs: Addr,
    count: u32,
) -> Outcome<(Arc<Descriptor>, Buffers)> {
    let buffers = call.buffers(iovs, count)?;
    let socket = socket(call, fd, rights)?;
    if !is_socket(&socket) {
        return Err(Errno::NotSocket.into());
    }
    Ok((socket, buffers))
}

fn receive(call: &Call<'_>, fd: u32, iovs: Addr, count: u32, how: How) -> Outcome<Received> {
    let (socket, buffers) = parties(call, fd, Rights::FD_READ, iovs, count)?;
    // SAFETY: `Call::buffers` found every buffer in the guest's memory, which does not move or
    // shrink meanwhile, and left out the part beyond the system's limit.
    unsafe { transfer::receive(call, &socket, buffers.as_slice(), how) }
}

/// Sends the guest's buffers, to an address or to whom the socket is connected with.
fn send(call: &Call<'_>, fd: u32, iovs: Addr, count: u32, to: Option<SocketAddr>) -> Outcome<u32> {
    let (socket, buffers) = parties(call, fd, Rights::FD_WRITE, iovs, count)?;
    if socket.file_type == FileType::SocketDgram && count as usize > BUFFERS_MAX {
        // A message is sent as a whole or not at all.
        return Err(Errno::MessageSize.into());
    }
    // SAFETY: `Call::buffers` found every buffer in the guest's memory, which does not move or
    // shrink meanwhile, and left out the part beyond the system's limit.
    Ok(unsafe { transfer::send(call, &socket, buffers.as_slice(), to) }? as u32)
}

/// `riflags`: 1 peeks, 2 waits for all of a stream.
fn how(flags: u32) -> How {
    How { peek: flags & 1 != 0, fill: flags & 2 != 0 }
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
    if flags & !3 != 0 {
        return Err(Errno::Invalid.into());
    }
    let got = receive(call, fd, iovs, count, how(flags))?;
    // `roflags`: 1 says that the message was longer.
    call.write(out_flags, &[got.is_cut as u8, 0])?;
    call.write_u32(received, got.len as u32)
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
    let got = receive(call, fd, iovs, count, how(flags))?;
    if let Some(from) = got.from {
        address::write(call, address, from)?;
    }
    call.write_u32(received, got.len as u32)
}

pub(super) fn sock_send(
    call: &Call<'_>,
    fd: u32,
    iovs: Addr,
    count: u32,
    flags: u32,
    sent: Addr,
) -> Outcome {
    call.check(sent, 4)?;
    // There are no flags so far.
    if flags != 0 {
        return Err(Errno::Invalid.into());
    }
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
    let how = match how {
        1 => net::Shutdown::Read,
        2 => net::Shutdown::Write,
        3 => net::Shutdown::Both,
        _ => return Err(Errno::Invalid.into()),
    };
    sys(net::shutdown(socket.as_fd(), how))
}
