//! Sending, receiving, accepting and connecting: each is tried first and waited for only when the
//! system says that it would wait, as long as the socket's own setting says.

use super::{is_socket, own, sys};
use crate::platform::fd::{self, Buffer, Interest, Received};
use crate::wasi::abi::FileType;
use crate::wasi::attempt::{Patience, attempt, when_ready, whole};
use crate::wasi::call::{Call, Outcome, Stop, os};
use crate::wasi::descriptor::Descriptor;
use crate::wasi::errno::Errno;
use rustix::io::Errno as System;
use rustix::net;
use rustix::net::sockopt::{self, Timeout};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

fn patience(socket: &Descriptor, interest: Interest) -> Patience<'_> {
    Patience::new(socket, interest, limit)
}

/// The setting for waits of this kind.
fn limit(socket: &Descriptor, interest: Interest) -> Outcome<Option<Duration>> {
    let which = match interest {
        Interest::Read => Timeout::Recv,
        Interest::Write => Timeout::Send,
    };
    sys(sockopt::socket_timeout(socket.as_fd(), which))
}

/// How to receive.
#[derive(Clone, Copy, Default)]
pub(super) struct How {
    /// Leaves it where it is.
    pub(super) peek: bool,
    /// Waits until the buffers of a stream are full. Peeking returns the available bytes.
    pub(super) fill: bool,
}

/// Receives into these buffers.
///
/// # Safety
/// Every buffer is writable, and there are at most [`fd::BUFFERS_MAX`].
pub(super) unsafe fn receive(
    call: &Call<'_>,
    socket: &Descriptor,
    buffers: &[Buffer],
    how: How,
) -> Outcome<Received> {
    let mut patience = self::patience(socket, Interest::Read);
    let ignores = own::ignores(call, socket);
    let mut once = |buffers: &[Buffer]| {
        attempt(call, &mut patience, || {
            // SAFETY: the caller vouches for the buffers, of which these are a part.
            let got = unsafe { fd::receive(socket.as_fd(), buffers, how.peek) }?;
            if !ignores(got.from) {
                return Ok(got);
            }
            if how.peek {
                // SAFETY: there are no buffers. This drops the message that was peeked at.
                unsafe { fd::receive(socket.as_fd(), &[], false) }?;
            }
            Err(libc::EINTR)
        })
    };
    let is_message = socket.file_type == FileType::SocketDgram;
    if !is_message && buffers.iter().all(|buffer| buffer.len() == 0) {
        // SAFETY: the caller vouches for the buffers. Nothing of a stream needs no wait.
        return match unsafe { fd::receive(socket.as_fd(), buffers, how.peek) } {
            Err(libc::EAGAIN) => Ok(Received { len: 0, is_cut: false, from: None }),
            answer => os(answer),
        };
    }
    if is_message || how.peek || !how.fill {
        return once(buffers);
    }
    let len = whole(buffers, |rest| once(rest).map(|got| got.len))?;
    Ok(Received { len, is_cut: false, from: None })
}

/// Sends these buffers, to an address or to whom the socket is connected with: a message as a
/// whole, and of a stream everything, unless the guest's socket does not wait.
///
/// # Safety
/// Every buffer is readable, and there are at most [`fd::BUFFERS_MAX`].
pub(super) unsafe fn send(
    call: &Call<'_>,
    socket: &Descriptor,
    buffers: &[Buffer],
    to: Option<SocketAddr>,
) -> Outcome<usize> {
    own::bind_narrowly(call, socket, to)?;
    let mut patience = self::patience(socket, Interest::Write);
    let mut once = |buffers: &[Buffer]| {
        // SAFETY: the caller vouches for the buffers, of which these are a part.
        attempt(call, &mut patience, || unsafe { fd::send(socket.as_fd(), buffers, to) })
    };
    if socket.file_type == FileType::SocketDgram { once(buffers) } else { whole(buffers, once) }
}

/// Accepts a connection.
pub(super) fn accept(call: &Call<'_>, socket: &Descriptor) -> Outcome<OwnedFd> {
    let accept = || own::accept(socket.as_fd()).map_err(System::raw_os_error);
    if socket.own_socket().is_some() {
        return attempt(call, &mut patience(socket, Interest::Read), accept);
    }
    // The embedder's may wait in the system, but only if it listens.
    if is_socket(socket) && sys(sockopt::socket_acceptconn(socket.as_fd()))? {
        return when_ready(call, &mut patience(socket, Interest::Read), accept);
    }
    call.blocking(socket, accept)
}

/// Connects. A connection that the system completes later is requested again at its end, so that
/// the socket is left as by a call that waited: it can be used after a success, and connected once
/// more after a failure.
pub(super) fn connect(call: &Call<'_>, socket: &Descriptor, to: SocketAddr) -> Outcome {
    own::bind_narrowly(call, socket, Some(to))?;
    let connect = || net::connect(socket.as_fd(), &to);
    if socket.own_socket().is_none() {
        own::note_connection(call);
        return call.blocking(socket, || connect().map_err(System::raw_os_error));
    }
    let mut patience = self::patience(socket, Interest::Write);
    let mut has_waited = false;
    loop {
        match connect() {
            Err(error @ (System::INPROGRESS | System::ALREADY)) => {
                if !os(socket.waits())? {
                    return sys(Err(error));
                }
                match patience.wait(call) {
                    Err(Stop::Errno(Errno::Again)) => return Err(Errno::InProgress.into()),
                    waited => waited?,
                }
                has_waited = true;
            }
            Err(System::ISCONN) if has_waited => return Ok(()),
            Err(System::INTR) => call.look()?,
            other => return sys(other),
        }
    }
}
