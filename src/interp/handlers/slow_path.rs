//! Accesses that are not within memory 0 as the registers have it.
//!
//! The leaves of `memory` end here instead of trapping. `exec::builtins` looks for the bytes in the
//! memory as it is now and in shared heaps. The access is done if they are found, else it traps.

use super::memory::{HasResult, HasValue, Load, Store, reload_memory};
use crate::abi::trap::Trap;
use crate::exec::{builtins, work};
use crate::interp::dispatch::{Regs, Ret, Slow, Stop, to_slow};
use crate::interp::operand::{Dst, Src};
use std::marker::PhantomData;

/// Goes on in `S`, one of this module's, with the address `at`. It takes the place of memory 0's
/// length in the registers, which is read again later: the accumulators are in use.
///
/// # Safety
/// The contract of `Handler` must hold for `r`.
#[inline(always)]
pub unsafe fn hand_over<S: Slow>(mut r: Regs, i: &S::Shape, at: u64) -> Ret {
    // Where native addresses are shorter, nothing lies at the addresses that do not fit.
    r.memory.len = usize::try_from(at).unwrap_or(usize::MAX);
    // SAFETY: the registers are the caller's but for the length.
    unsafe { to_slow::<S>(r, i) }
}

/// The native address of `size` bytes at the address that [`hand_over`] was given; memory 0 is
/// in the registers again.
///
/// # Safety
/// `r.env` is the running environment.
unsafe fn locate(r: &mut Regs, size: usize) -> Result<*mut u8, Stop> {
    let at = r.memory.len as u64;
    // SAFETY: the instance of the running environment is alive.
    unsafe {
        reload_memory(r);
        work::charge(r.env, work::SLOW)?;
        let place = builtins::slow_address((*r.env).instance, (0, at), size as u64);
        Ok(place.ok_or(Trap::MemoryOutOfBounds)?)
    }
}

/// A load by an instruction of the shape `I`.
pub struct SlowLoad<L, D, I>(PhantomData<(L, D, I)>);

impl<L: Load, D: Dst, I: HasResult> Slow for SlowLoad<L, D, I> {
    type Shape = I;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `memory::load_memory` has handed over an address and an instruction of this
        // shape with a result of the mode `D`; `locate` returns a place with room for the value.
        unsafe {
            let i = r.ip.of_shape::<I>().operands();
            let at = locate(r, size_of::<L::Raw>())?;
            D::write(r, i.dst(), L::widen(at.cast::<L::Raw>().read_unaligned()));
            r.pass(i);
        }
        Ok(())
    }
}

/// A store by an instruction of the shape `I`.
pub struct SlowStore<S, V, I>(PhantomData<(S, V, I)>);

impl<S: Store, V: Src<S::Val>, I: HasValue<V::Field>> Slow for SlowStore<S, V, I> {
    type Shape = I;
    unsafe fn run(r: &mut Regs) -> Result<(), Stop> {
        // SAFETY: `memory::store_memory` has handed over an address and an instruction of this
        // shape with a value of the mode `V`; `locate` returns a place with room for it.
        unsafe {
            let i = r.ip.of_shape::<I>().operands();
            let value = V::read(r, i.value());
            let at = locate(r, size_of::<S::Raw>())?;
            at.cast::<S::Raw>().write_unaligned(S::narrow(value));
            r.pass(i);
        }
        Ok(())
    }
}
