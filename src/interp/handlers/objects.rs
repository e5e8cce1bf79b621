//! Objects of guests, and what references are. What accesses the heap is `exec::objects`.

use super::memory::reload_memory;
use super::trap;
use crate::abi::guest_word;
use crate::abi::trap::Trap;
use crate::exec::{Point, objects, work};
use crate::interp::dispatch::{handler, next, slow};
use crate::interp::operand::{Dst, ToSlot};
use crate::interp::shape;

slow!(
    /// Makes an object or looks into one.
    Object |r, i: shape::Object| {
    let point = Point { ip: r.ip.as_ptr(), sp: r.sp.as_ptr() };
    objects::execute(r.env, point, i.op, r.sp.slot(i.at), (i.ty, i.index))?;
    // A finalizer may have grown the memory.
    reload_memory(r);
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
