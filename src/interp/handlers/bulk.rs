//! Instructions on many bytes or slots at once. All of them are slow handlers, which charge for
//! what they move and do it in pieces (`exec::work`).

use super::memory::reload_memory;
use crate::exec::{builtins, work};
use crate::interp::dispatch::slow;
use crate::interp::operand::{A, B, DST, IMM, WIDE};

slow!(
    /// `memory.copy(to = dst, from = a, n = b)` within memory 0.
    MemoryCopy |r| {
    let (to, from, count) = (r.get::<u32>(DST), r.get::<u32>(A), r.get::<u32>(B));
    builtins::memory_copy(r.env, to as u64, from as u64, count as u64)?;
    reload_memory(r);
    r.skip(16);
    Ok(())
});

slow!(
    /// `memory.fill(at = dst, byte = a, n = b)` of memory 0.
    MemoryFill |r| {
    let (at, byte, count) = (r.get::<u32>(DST), r.get::<u32>(A) as u8, r.get::<u32>(B));
    builtins::memory_fill(r.env, at as u64, byte, count as u64)?;
    reload_memory(r);
    r.skip(16);
    Ok(())
});

slow!(
    /// `memory.init segment(to = dst, from = a, n = b)` of memory 0.
    MemoryInit |r| {
    let segment = r.field::<u32>(WIDE);
    let (to, from, count) = (r.get::<u32>(DST), r.get::<u32>(A), r.get::<u32>(B));
    builtins::memory_init(r.env, 0, segment, to as u64, from, count)?;
    reload_memory(r);
    r.skip(24);
    Ok(())
});

slow!(
    /// Drops a data segment.
    DataDrop |r| {
    work::charge(r.env, work::SLOW)?;
    builtins::data_drop((*r.env).instance, r.field::<u32>(WIDE));
    r.skip(24);
    Ok(())
});

slow!(
    /// `dst.. = a..` for `b` slots, which may overlap. At most as many as a branch has values.
    CopyMany |r| {
    let count = r.field::<u16>(B) as usize;
    work::charge(r.env, work::of_slots(count))?;
    std::ptr::copy(r.slot(A), r.slot(DST), count);
    r.skip(16);
    Ok(())
});

slow!(
    /// Clears `imm` slots from `dst` on: the locals of one function.
    ClearMany |r| {
    let count = r.field::<u32>(IMM) as usize;
    work::charge(r.env, work::of_slots(count))?;
    std::ptr::write_bytes(r.slot(DST), 0, count);
    r.skip(16);
    Ok(())
});
