//! Accesses that are not within memory 0 as the registers have it.
//!
//! The handlers of `memory` jump here instead of trapping. `exec::builtins` says whether the
//! bytes are somewhere else; if so the access is done there, else it traps.

use super::memory::{Load, Store, reload_memory};
use super::trap;
use crate::abi::trap::Trap;
use crate::exec::builtins;
use crate::interp::dispatch::{Handler, Regs, Ret, handler, next};
use crate::interp::operand::{A, B, DST, Dst, Src, WIDE};

/// Goes on in `handler` with the address `at`. It travels in the place of the length, which the
/// handler reads again: the accumulators are still the guest's.
///
/// # Safety
/// The contract of [`Handler`] must hold for `r`; `handler` is one of this module's for the
/// instruction at `r.ip`.
#[inline(always)]
pub unsafe fn hand_over(r: Regs, at: u64, handler: Handler) -> Ret {
    // Where native addresses are shorter, nothing lies at the addresses that do not fit.
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    // SAFETY: the caller's contract.
    unsafe { handler(r.ip, r.sp, r.mem, at, r.env, r.int, r.f32, r.f64) }
}

/// The native address of `size` bytes at the address that [`hand_over`] was given; memory 0 is
/// in the registers again.
///
/// # Safety
/// As for [`hand_over`].
#[inline(always)]
unsafe fn locate(r: &mut Regs, size: usize) -> Option<*mut u8> {
    let at = r.len as u64;
    // SAFETY: the instance of the running environment is alive.
    unsafe {
        reload_memory(r);
        builtins::far_memory((*r.env).instance, at, size as u64)
    }
}

handler!(
    /// A load, of an instruction of `BYTES` bytes.
    #[cold]
    #[inline(never)]
    load [L: Load, D: Dst, const BYTES: usize] |r| {
    match locate(&mut r, size_of::<L::Raw>()) {
        Some(at) => {
            let raw = at.cast::<L::Raw>().read_unaligned();
            D::write(&mut r, L::widen(raw));
            r.skip(BYTES);
            next(r)
        }
        None => trap(r, Trap::MemoryOutOfBounds),
    }
});

handler!(
    /// A store, of an instruction of `BYTES` bytes.
    #[cold]
    #[inline(never)]
    store [S: Store, V: Src<S::Val>, const BYTES: usize] |r| {
    let value = V::read(&r, DST, WIDE);
    match locate(&mut r, size_of::<S::Raw>()) {
        Some(at) => {
            at.cast::<S::Raw>().write_unaligned(S::narrow(value));
            r.skip(BYTES);
            next(r)
        }
        None => trap(r, Trap::MemoryOutOfBounds),
    }
});

handler!(
    /// `memory.copy`, with the fields of `memory::memory_copy`.
    #[cold]
    #[inline(never)]
    copy [] |r| {
    let count = r.get::<u32>(B);
    let instance = (*r.env).instance;
    let to = builtins::far_memory(instance, r.get::<u32>(DST) as u64, count as u64);
    let from = builtins::far_memory(instance, r.get::<u32>(A) as u64, count as u64);
    let (Some(to), Some(from)) = (to, from) else { return trap(r, Trap::MemoryOutOfBounds) };
    std::ptr::copy(from, to, count as usize);
    reload_memory(&mut r);
    r.skip(16);
    next(r)
});

handler!(
    /// `memory.fill`, with the fields of `memory::memory_fill`.
    #[cold]
    #[inline(never)]
    fill [] |r| {
    let count = r.get::<u32>(B);
    let at = r.get::<u32>(DST) as u64;
    let Some(at) = builtins::far_memory((*r.env).instance, at, count as u64) else {
        return trap(r, Trap::MemoryOutOfBounds);
    };
    std::ptr::write_bytes(at, r.get::<u32>(A) as u8, count as usize);
    reload_memory(&mut r);
    r.skip(16);
    next(r)
});
