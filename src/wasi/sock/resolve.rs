//! Addresses of names.
//!
//! The system's resolver cannot be stopped, so it runs on a thread of its own. A guest that is
//! stopped meanwhile does not wait for it; the thread ends when the resolver has answered. Until
//! then it counts towards the limits of the context's guests, but its memory belongs to no context.

use super::address;
use crate::alloc::{operation, outside, try_string};
use crate::exec::QuotaSlot;
use crate::platform::event::Event;
use crate::platform::fd::{Interest, Poll};
use crate::platform::thread;
use crate::wasi::abi::Addr;
use crate::wasi::call::{Call, Outcome};
use crate::wasi::errno::Errno;
use crate::wasi::poll::until;
use dns_lookup::{AddrInfoHints, LookupErrorKind, SockType};
use std::ffi::c_void;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

const HINTS_BYTES: u64 = 12;
/// An address and the type of its sockets.
const INFO_BYTES: u64 = address::ADDRESS_BYTES + 4;

/// Longest name of a host that is asked for, as the domain name system has it.
const HOST_BYTES_MAX: usize = 255;
/// Longest name of a service, as system headers have it (`NI_MAXSERV`).
const SERVICE_BYTES_MAX: usize = 32;

/// A guest's query.
struct Question {
    host: String,
    service: String,
    hints: AddrInfoHints,
}

type Resolution = Result<Vec<(SocketAddr, bool)>, Errno>;

/// Asks for the addresses of `host`, writes as many as there is room for, and how many there are.
pub(in crate::wasi) fn sock_addr_resolve(
    call: &Call<'_>,
    host: Addr,
    service: Addr,
    hints: Addr,
    found: Addr,
    room: u32,
    count: Addr,
) -> Outcome {
    call.check(found, room as u64 * INFO_BYTES)?;
    call.check(count, 4)?;
    call.check(service, 1)?;
    let hints = self::hints(call, hints)?;
    let host = text(call, host, HOST_BYTES_MAX)?;
    if !call.ctx.pools.permits_name(host.as_bytes()) {
        return Err(Errno::Access.into());
    }
    let service = text(call, service, SERVICE_BYTES_MAX)?;
    let question = Question { host, service, hints };
    let answer = ask(call, question)?;
    for (index, &(socket, stream)) in answer.iter().take(room as usize).enumerate() {
        let at = found + index as u32 * INFO_BYTES as u32;
        address::write(call, at, socket)?;
        call.write_u32(at + address::ADDRESS_BYTES as u32, stream as u32)?;
    }
    let total = u32::try_from(answer.len()).map_err(|_| Errno::Overflow);
    outside(|| drop(answer));
    call.write_u32(count, total?)
}

fn hints(call: &Call<'_>, hints: Addr) -> Outcome<AddrInfoHints> {
    let bytes: [u8; HINTS_BYTES as usize] = call.memory.read(hints.into())?;
    let number =
        |at: usize| i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    let (mut socktype, mut family) = (0, 0);
    if bytes[8] != 0 {
        socktype = match number(0) {
            0 => SockType::DGram.into(),
            1 => SockType::Stream.into(),
            _ => 0,
        };
        family = match number(4) {
            0 => libc::AF_INET,
            1 => libc::AF_INET6,
            _ => libc::AF_UNSPEC,
        };
    }
    Ok(AddrInfoHints { socktype, address: family, ..AddrInfoHints::default() })
}

/// A string of the guest's with a limited length, in memory of no context. The bytes behind the
/// limit are not read.
fn text(call: &Call<'_>, at: Addr, most: usize) -> Outcome<String> {
    let mut bytes = [0; HOST_BYTES_MAX];
    for index in 0..=most {
        let [byte] = call.memory.read(u64::from(at) + index as u64)?;
        if byte == 0 {
            let text = str::from_utf8(&bytes[..index]).map_err(|_| Errno::IllegalSequence)?;
            return outside(|| try_string(text)).map_err(|_| Errno::NoMemory.into());
        }
        if let Some(to) = bytes[..most].get_mut(index) {
            *to = byte;
        }
    }
    Err(Errno::NameTooLong.into())
}

/// Rings when the thread that has it is done, however that ends.
struct Done(Arc<Event>);

impl Drop for Done {
    fn drop(&mut self) {
        self.0.ring();
    }
}

/// The thread's parameters, in memory of no context.
struct Errand {
    question: Question,
    told: SyncSender<Resolution>,
    slots: Slots,
    done: Done,
}

/// The slots that an errand takes until the resolver is done: for a thread, its [`Event`], and the
/// resolver's own descriptor.
struct Slots {
    _thread: QuotaSlot,
    _descriptors: [QuotaSlot; 2],
}

impl Slots {
    fn take(call: &Call<'_>) -> Outcome<Self> {
        let thread = call.caller.errand_slot().ok_or(Errno::Again)?;
        Ok(Self { _thread: thread, _descriptors: [call.slot()?, call.slot()?] })
    }
}

/// Bytes of the thread's stack; the system's resolver has buffers there.
const STACK_BYTES: usize = 256 << 10;

/// The function that the system calls on the thread.
extern "C" fn run_errand(errand: *mut c_void) -> *mut c_void {
    // SAFETY: `ask` gives a box of this type, which is this thread's.
    let Errand { question, told, slots, done } = *unsafe { Box::from_raw(errand.cast::<Errand>()) };
    // A panic ends with the thread; the hook has reported it.
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let answer = operation(|| resolve(&question)).unwrap_or(Err(Errno::NoMemory));
        // There is no receiver any more when the guest was stopped.
        let _ = told.send(answer);
        drop((question, told));
    }));
    // First, so that the guest that is woken finds room for the next one.
    drop(slots);
    drop(done);
    null_mut()
}

fn ask(call: &Call<'_>, question: Question) -> Outcome<Vec<(SocketAddr, bool)>> {
    let slots = Slots::take(call)?;
    let event = outside(|| Event::new().map(Arc::new)).map_err(|error| Errno::from_io(&error))?;
    let poll = Poll::new(event.fd(), Interest::Read);
    // All that takes memory comes before the thread; it ends as it was made, whichever way this
    // returns.
    let prepared = operation(|| {
        outside(|| {
            let (told, answer) = sync_channel::<Resolution>(1);
            let done = Done(event.clone());
            (Box::new(Errand { question, told, slots, done }), answer)
        })
    });
    let (errand, answer) = prepared.map_err(|_| Errno::NoMemory)?;
    let errand = Box::into_raw(errand);
    match thread::start(STACK_BYTES, run_errand, errand.cast()) {
        Ok(thread) => thread.detach(),
        Err(error) => {
            // SAFETY: the box from above: no thread got it.
            outside(|| drop((unsafe { Box::from_raw(errand) }, answer)));
            return Err(Errno::from_io(&error).into());
        }
    }
    let waited = until(call, poll, None);
    let answer = outside(|| {
        drop(event);
        answer.try_recv()
    });
    waited?;
    Ok(answer.map_err(|_| Errno::Io)??)
}

fn resolve(question: &Question) -> Resolution {
    let host = (!question.host.is_empty()).then_some(question.host.as_str());
    let service = (!question.service.is_empty()).then_some(question.service.as_str());
    let found = dns_lookup::getaddrinfo(host, service, Some(question.hints));
    let found = found.map_err(|error| match error.kind() {
        LookupErrorKind::NoName | LookupErrorKind::NoData => Errno::NoEntry,
        LookupErrorKind::Again => Errno::Again,
        LookupErrorKind::Memory => Errno::NoMemory,
        LookupErrorKind::Family => Errno::AddressFamilyNotSupported,
        LookupErrorKind::Service | LookupErrorKind::Socktype => Errno::Invalid,
        _ => Errno::Io,
    })?;
    let stream = libc::SOCK_STREAM;
    Ok(found
        .filter_map(Result::ok)
        .filter(|info| info.socktype == stream || info.socktype == libc::SOCK_DGRAM)
        .map(|info| (info.sockaddr, info.socktype == stream))
        .collect())
}
