//! One call of a WASI function: the caller, its memory, and the possible outcomes.

use super::WasiCtx;
use super::abi::{Addr, IOVEC_BYTES, IoVec};
use super::descriptor::Descriptor;
use super::errno::Errno;
use crate::abi::trap::Trap;
use crate::exec::QuotaSlot;
use crate::native::{Caller, GuestMemory};
use crate::platform::fd;
use crate::platform::unwind::Held;

/// Why a function did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The guest gets an error number.
    Errno(Errno),
    /// The guest does not go on.
    Trap(Trap),
    /// The guest raised a signal, and does not go on.
    Signal(u8),
}

/// The outcome of a WASI function.
pub(super) type Outcome<T = ()> = Result<T, Stop>;

impl From<Errno> for Stop {
    fn from(errno: Errno) -> Self {
        Self::Errno(errno)
    }
}

impl From<Trap> for Stop {
    fn from(trap: Trap) -> Self {
        Self::Trap(trap)
    }
}

/// Makes the guest's error of the system's.
pub(super) fn os<T>(result: fd::Result<T>) -> Outcome<T> {
    result.map_err(|error| Errno::from_os(error).into())
}

/// Iovecs checked between two looks whether to stop.
const LOOK_IOVECS: u64 = 1 << 16;

/// A call in progress.
///
/// Addresses that are not the guest's own trap before anything else happens, as they do at the
/// natives of WAMR, whose functions get them as pointers.
pub(super) struct Call<'a> {
    pub(super) ctx: &'a WasiCtx,
    pub(super) memory: GuestMemory<'a>,
    pub(super) caller: &'a Caller<'a>,
    /// The thread is cancelled where the call waits, and nowhere else.
    pub(super) held: Held,
}

impl Call<'_> {
    /// Makes a system call on `descriptor` that may block in spite of earlier waits: another
    /// process was faster, or the call needs more than is ready. The caller can be stopped then,
    /// too, by a signal; the embedder's own signals do not affect the guest.
    pub(super) fn blocking<T>(
        &self,
        descriptor: &Descriptor,
        mut act: impl FnMut() -> fd::Result<T>,
    ) -> Outcome<T> {
        if descriptor.may_block() {
            return self.interruptible(act);
        }
        loop {
            let answer = act();
            if !matches!(answer, Err(libc::EINTR)) {
                return os(answer);
            }
        }
    }

    /// Makes a call of the system's that takes long, so that the caller can be stopped.
    pub(super) fn interruptible<T>(&self, mut act: impl FnMut() -> fd::Result<T>) -> Outcome<T> {
        loop {
            let answer = self.caller.blocking(&mut act)?;
            if !matches!(answer, Err(libc::EINTR)) {
                return os(answer);
            }
        }
    }

    /// Fails if the caller is to stop. Long work without waits checks between its pieces, and
    /// interrupted calls check before they go on.
    pub(super) fn look(&self) -> Outcome {
        match self.caller.stop_reason() {
            Some(trap) => Err(trap.into()),
            None => Ok(()),
        }
    }

    /// Room for a descriptor that is about to be opened; the guest gets no more of them than its
    /// context has.
    pub(super) fn slot(&self) -> Outcome<QuotaSlot> {
        self.caller.descriptor_slot().ok_or(Errno::TooManyFiles.into())
    }

    /// Traps unless `len` bytes at `address` are the guest's.
    pub(super) fn check(&self, address: Addr, len: u64) -> Outcome {
        self.memory.range(address.into(), len)?;
        Ok(())
    }

    pub(super) fn write(&self, address: Addr, bytes: &[u8]) -> Outcome {
        Ok(self.memory.write(address.into(), bytes)?)
    }

    pub(super) fn write_u32(&self, address: Addr, value: u32) -> Outcome {
        Ok(self.memory.write_u32(address.into(), value)?)
    }

    pub(super) fn write_u64(&self, address: Addr, value: u64) -> Outcome {
        Ok(self.memory.write_u64(address.into(), value)?)
    }

    /// The buffers that `count` iovecs at `address` name.
    pub(super) fn buffers(&self, address: Addr, count: u32) -> Outcome<Buffers> {
        self.check(address, count as u64 * IOVEC_BYTES)?;
        let mut buffers = Buffers::new(count)?;
        for index in 0..count as u64 {
            if index % LOOK_IOVECS == 0 {
                self.look()?;
                // A few are part of the call.
                let before = index.min(LOOK_IOVECS);
                self.caller.work(before * IOVEC_BYTES)?;
            }
            let iovec = IoVec::read(&self.memory, address as u64 + index * IOVEC_BYTES)?;
            let start = self.memory.range(iovec.address.into(), iovec.len.into())?;
            buffers.push(fd::Buffer::new(start, iovec.len as usize));
        }
        Ok(buffers)
    }
}

/// Buffers in a guest's memory, a few of them in place. More than the system takes at once are
/// checked but left out: a read or write may always do less than it was asked for.
pub(super) struct Buffers {
    few: [fd::Buffer; FEW],
    many: Vec<fd::Buffer>,
    len: usize,
}

const FEW: usize = 8;

impl Buffers {
    fn new(count: u32) -> Outcome<Self> {
        let mut many = Vec::new();
        if count as usize > FEW {
            let room = (count as usize).min(fd::BUFFERS_MAX);
            let reserved = crate::alloc::fallible(|| many.try_reserve_exact(room));
            reserved.map_err(|_| Errno::NoMemory)?;
        }
        let few = [fd::Buffer::new(std::ptr::null_mut(), 0); FEW];
        Ok(Self { few, many, len: 0 })
    }

    fn push(&mut self, buffer: fd::Buffer) {
        if self.many.capacity() == 0 {
            self.few[self.len] = buffer;
            self.len += 1;
        } else if self.many.len() < fd::BUFFERS_MAX {
            self.many.push(buffer);
        }
    }

    pub(super) fn as_slice(&self) -> &[fd::Buffer] {
        if self.many.capacity() == 0 { &self.few[..self.len] } else { &self.many }
    }
}
