//! Typed references: calls of functions by them, and calls through tables where the types differ.

use super::calls::{enter, enter_leaf};
use super::host::{CallsOut, call_out};
use super::trap;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmFuncKind, VmFuncRef};
use crate::exec::work;
use crate::interp::code::VmCode;
use crate::interp::dispatch::{Regs, handler, next, slow, to_slow};
use crate::interp::shape::{self, SlotNo};
use crate::types::is_subtype;

impl CallsOut for shape::CallRef {
    #[inline(always)]
    fn arguments(&self) -> (SlotNo, u16) {
        (self.frame, self.slots)
    }
}

handler!(
    /// Calls the function that a slot refers to. Validation has checked its type.
    call_ref [] |r, i: shape::CallRef| {
    let func = r.get::<u64>(i.callee) as usize as *const VmFuncRef;
    if func.is_null() {
        return trap(r, Trap::NullFunction);
    }
    let frame = r.sp.inner(i.frame);
    if (*func).kind == VmFuncKind::Wasm && (*func).instance == (*r.env).instance {
        let code = (*func).body.code.cast::<VmCode>();
        let back_to = r.ip.next::<shape::CallRef>();
        return enter_leaf(r, code, frame, back_to);
    }
    r.int = func as usize as u64;
    to_slow::<CallRefOut>(r, i)
});

slow!(
    /// A call of the function whose address is in the integer accumulator, which is not guest
    /// code of this instance.
    CallRefOut |r, i: shape::CallRef| {
    work::charge(r.env, work::HOST_CALL)?;
    let func = r.int as usize as *const VmFuncRef;
    call_out(r, i, func)
});

slow!(
    /// An indirect call of the function whose address is in the integer accumulator, and which is
    /// not of the very type that is asked for.
    CallSubtype |r, i: shape::CallIndirect| {
    let func = r.int as usize as *const VmFuncRef;
    let instance = (*r.env).instance;
    check_subtype(r, func, i.ty)?;
    if (*func).kind != VmFuncKind::Wasm || (*func).instance != instance {
        work::charge(r.env, work::HOST_CALL)?;
        return call_out(r, i, func);
    }
    work::charge(r.env, work::SLOW)?;
    let code = (*func).body.code.cast::<VmCode>();
    let frame = r.sp.inner(i.frame);
    let back_to = r.ip.next::<shape::CallIndirect>();
    enter(r, code, frame, back_to)
});

/// Whether a function is of a subtype of the module's type at an index.
///
/// # Safety
/// `r` must be the registers of running code, `func` live, and the type there.
pub unsafe fn check_subtype(r: &Regs, func: *const VmFuncRef, ty: u32) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that `func` is live and that the running instance's module has
    // the type; an instance's types live with it.
    let is_of_type = unsafe {
        let instance = (*r.env).instance;
        let wanted = *(*instance).type_ids.add(ty as usize);
        is_subtype(&*(*instance).types, (*func).type_id, wanted)
    };
    if is_of_type { Ok(()) } else { Err(Trap::IndirectCallTypeMismatch) }
}

handler!(
    /// Goes on unless a slot holds null.
    assert_non_null [] |r, i: shape::AssertNonNull| {
    if r.get::<u64>(i.reference) == 0 {
        return trap(r, Trap::NullReference);
    }
    r.pass(i);
    next(r)
});
