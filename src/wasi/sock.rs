//! Sockets: the functions of preview 1 and those that WAMR adds.
//!
//! A guest cannot open a socket yet. Those that a descriptor of the embedder's may refer to can
//! be read and written like streams; every function here answers as on a descriptor that is no
//! socket, or that the system does not have the call.

use super::abi::Addr;
use super::call::{Call, Outcome};
use super::errno::Errno;

/// Any function on an existing descriptor.
fn on_socket(call: &Call<'_>, fd: u32) -> Outcome {
    call.ctx.fds.get(fd)?;
    Err(Errno::NotSocket.into())
}

pub(super) fn sock_accept(call: &Call<'_>, fd: u32, _flags: u32, accepted: Addr) -> Outcome {
    call.check(accepted, 4)?;
    on_socket(call, fd)
}

pub(super) fn sock_recv(
    call: &Call<'_>,
    fd: u32,
    iovs: Addr,
    count: u32,
    _flags: u32,
    received: Addr,
    out_flags: Addr,
) -> Outcome {
    call.check(received, 4)?;
    call.check(out_flags, 4)?;
    call.buffers(iovs, count)?;
    on_socket(call, fd)
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
    call.buffers(iovs, count)?;
    on_socket(call, fd)
}

pub(super) fn sock_shutdown(call: &Call<'_>, fd: u32, _how: u32) -> Outcome {
    on_socket(call, fd)
}

/// `sock_open`: there is nothing to open.
pub(super) fn sock_open(
    call: &Call<'_>,
    _pool: u32,
    _family: u32,
    _kind: u32,
    opened: Addr,
) -> Outcome {
    call.check(opened, 4)?;
    Err(Errno::NoSys.into())
}

/// `sock_addr_resolve`: there is nobody to ask.
pub(super) fn sock_addr_resolve(
    call: &Call<'_>,
    host: Addr,
    service: Addr,
    hints: Addr,
    _found: Addr,
    _room: u32,
    count: Addr,
) -> Outcome {
    call.memory.text(host.into())?;
    call.memory.text(service.into())?;
    call.check(hints, 1)?;
    call.check(count, 4)?;
    Err(Errno::NoSys.into())
}

/// A function of a descriptor and a number.
pub(super) fn with_number(call: &Call<'_>, fd: u32, _value: u32) -> Outcome {
    on_socket(call, fd)
}

/// A function of a descriptor and two numbers.
pub(super) fn with_numbers(call: &Call<'_>, fd: u32, _first: u32, _second: u32) -> Outcome {
    on_socket(call, fd)
}

/// A function of a descriptor and a long number.
pub(super) fn with_long(call: &Call<'_>, fd: u32, _value: u64) -> Outcome {
    on_socket(call, fd)
}

/// A function of a descriptor and an address in memory.
pub(super) fn with_pointer(call: &Call<'_>, fd: u32, pointer: Addr) -> Outcome {
    call.check(pointer, 1)?;
    on_socket(call, fd)
}

/// A function of a descriptor and two addresses in memory.
pub(super) fn with_pointers(call: &Call<'_>, fd: u32, first: Addr, second: Addr) -> Outcome {
    call.check(first, 1)?;
    call.check(second, 1)?;
    on_socket(call, fd)
}

/// A function of a descriptor, an address in memory and a number.
pub(super) fn with_pointer_and_number(
    call: &Call<'_>,
    fd: u32,
    pointer: Addr,
    _value: u32,
) -> Outcome {
    with_pointer(call, fd, pointer)
}

/// A function of a descriptor, a number and an address in memory.
pub(super) fn with_number_and_pointer(
    call: &Call<'_>,
    fd: u32,
    _value: u32,
    pointer: Addr,
) -> Outcome {
    with_pointer(call, fd, pointer)
}

/// `sock_recv_from` and `sock_send_to`.
pub(super) fn datagram(
    call: &Call<'_>,
    fd: u32,
    iovs: Addr,
    count: u32,
    _flags: u32,
    address: Addr,
    transferred: Addr,
) -> Outcome {
    call.check(address, 1)?;
    call.check(transferred, 4)?;
    call.buffers(iovs, count)?;
    on_socket(call, fd)
}
