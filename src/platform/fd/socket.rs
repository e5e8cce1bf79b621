//! Messages of sockets, for POSIX systems. No call here blocks, even if the socket's own flags
//! would let it, and none causes a signal.

use super::unix::{Buffer, last_error};
use super::{Received, Result};
use rustix::net::SocketAddrAny;
use rustix::net::addr::{SocketAddrArg, SocketAddrStorage};
use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

/// A message of these buffers.
fn message(buffers: &[Buffer]) -> libc::msghdr {
    // SAFETY: zeros are a message without address, buffers and anything else.
    let mut message: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    message.msg_iov = buffers.as_ptr().cast_mut().cast();
    message.msg_iovlen = buffers.len() as _;
    message
}

/// Sends, to an address or to whom the socket is connected with.
///
/// # Safety
/// Every buffer is readable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
pub unsafe fn send(
    fd: BorrowedFd<'_>,
    buffers: &[Buffer],
    to: Option<SocketAddr>,
) -> Result<usize> {
    let mut message = message(buffers);
    let address = to.map(|to| to.as_any());
    if let Some(address) = &address {
        message.msg_name = address.as_ptr().cast_mut().cast();
        message.msg_namelen = address.addr_len() as _;
    }
    let flags = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT;
    // SAFETY: the caller vouches for the buffers, and `address` lives as long as the call, which
    // only reads.
    let done = unsafe { libc::sendmsg(fd.as_raw_fd(), &message, flags) };
    usize::try_from(done).map_err(|_| last_error())
}

/// Receives, or only peeks.
///
/// # Safety
/// Every buffer is writable, and there are at most [`BUFFERS_MAX`](super::BUFFERS_MAX).
pub unsafe fn receive(fd: BorrowedFd<'_>, buffers: &[Buffer], peek: bool) -> Result<Received> {
    let mut message = message(buffers);
    let mut from = MaybeUninit::<SocketAddrStorage>::zeroed();
    message.msg_name = from.as_mut_ptr().cast();
    message.msg_namelen = size_of::<SocketAddrStorage>() as _;
    let peek: c_int = if peek { libc::MSG_PEEK } else { 0 };
    // SAFETY: the caller vouches for the buffers; `from` has the room that the message says.
    let done = unsafe { libc::recvmsg(fd.as_raw_fd(), &mut message, libc::MSG_DONTWAIT | peek) };
    let len = usize::try_from(done).map_err(|_| last_error())?;
    // Streams return no sender: an address of no bytes.
    let from = (message.msg_namelen as usize >= size_of::<libc::sa_family_t>()).then(|| {
        // SAFETY: the system wrote an address of that length, and the rest is zeros.
        let any = unsafe { SocketAddrAny::read(ptr::from_ref(&from).cast(), message.msg_namelen) };
        SocketAddr::try_from(any).ok()
    });
    let is_cut = message.msg_flags & libc::MSG_TRUNC != 0;
    Ok(Received { len, is_cut, from: from.flatten() })
}
