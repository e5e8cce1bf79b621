//! Objects of guests, and what references are. What accesses the heap is `exec::objects`.

use super::memory::reload_memory;
use super::trap;
use crate::abi::guest_word;
use crate::abi::trap::Trap;
use crate::exec::{Point, objects, work};
use crate::interp::dispatch::{Regs, Stop, handler, next, slow};
use crate::interp::operand::{Dst, ToSlot};
use crate::interp::shape;

/// Does an instruction's work on objects.
///
/// # Safety
/// `r` are the registers of the instruction that `object` is, or begins with.
pub(super) unsafe fn execute(r: &mut Regs, object: &shape::Object) -> Result<(), Stop> {
    let point = Point { ip: r.ip.as_ptr(), sp: r.sp.as_ptr() };
    // SAFETY: the caller guarantees that the instruction is running, so that its operands are in
    // slots, and the registers are those of its environment.
    unsafe {
        let (slots, indices) = (r.sp.slot(object.at), (object.ty, object.index));
        objects::execute(r.env, point, object.op, slots, indices)?;
        // A finalizer may have grown the memory.
        reload_memory(r);
    }
    Ok(())
}

slow!(
    /// Makes an object or works on an array.
    Object |r, i: shape::Object| {
    work::charge(r.env, work::SLOW)?;
    execute(r, i)?;
    r.pass(i);
    Ok(())
});

slow!(
    /// `dst = whether a reference is of a type`.
    RefTest |r, i: shape::RefTest| {
    work::charge(r.env, work::SLOW)?;
    let is_of = objects::is_of(r.env, i.ty, r.get::<u64>(i.a));
    ToSlot::write(r, i.dst, u32::from(is_of));
    r.pass(i);
    Ok(())
});

slow!(
    /// Goes on if a reference is of a type.
    RefCast |r, i: shape::RefCast| {
    work::charge(r.env, work::SLOW)?;
    if !objects::is_of(r.env, i.ty, r.get::<u64>(i.reference)) {
        return Err(Trap::CastFailure.into());
    }
    r.pass(i);
    Ok(())
});

handler!(
    /// `dst = the small integer of the lowest 31 bits`.
    ref_i31 [] |r, i: shape::Unary| {
    let word = guest_word::small_integer(r.get::<u32>(i.a));
    ToSlot::write(&mut r, i.dst, word);
    r.pass(i);
    next(r)
});

handler!(
    /// `dst = the value of a small integer`.
    i31_get [const SIGNED: bool] |r, i: shape::Unary| {
    let Some(bits) = guest_word::as_small_integer(r.get::<u64>(i.a)) else {
        return trap(r, Trap::NullI31);
    };
    let value = if SIGNED { ((bits << 1) as i32 >> 1) as u32 } else { bits };
    ToSlot::write(&mut r, i.dst, value);
    r.pass(i);
    next(r)
});
