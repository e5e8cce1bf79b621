//! Instructions on many bytes or slots at once. All of them are slow handlers, which charge for the
//! bytes that they move and work in pieces (`exec::work`).

use super::memory::reload_memory;
use crate::exec::{builtins, work};
use crate::interp::dispatch::slow;
use crate::interp::shape::{self, Bulk, Indices};

slow!(
    /// `memory.copy` within memory 0.
    MemoryCopy |r, i: Bulk<()>| {
    let (to, from, count) = (r.get::<u32>(i.to), r.get::<u32>(i.from), r.get::<u32>(i.count));
    builtins::memory_copy(r.env, (0, to as u64), (0, from as u64), count as u64)?;
    reload_memory(r);
    r.pass(i);
    Ok(())
});

slow!(
    /// `memory.fill` of memory 0; `from` is the byte.
    MemoryFill |r, i: Bulk<()>| {
    let (at, byte, count) = (r.get::<u32>(i.to), r.get::<u32>(i.from) as u8, r.get::<u32>(i.count));
    builtins::memory_fill(r.env, (0, at as u64), byte, count as u64)?;
    reload_memory(r);
    r.pass(i);
    Ok(())
});

slow!(
    /// `memory.init` of memory 0, from the segment `of`.
    MemoryInit |r, i: Bulk<u32>| {
    let (to, from, count) = (r.get::<u32>(i.to), r.get::<u32>(i.from), r.get::<u32>(i.count));
    builtins::memory_init(r.env, (0, to as u64), i.of, from, count)?;
    reload_memory(r);
    r.pass(i);
    Ok(())
});

slow!(
    /// `memory.copy` from the memory `of.from` to the memory `of.to`.
    MemoryCopyAny |r, i: Bulk<Indices>| {
    let (to, from, count) = (r.get::<u64>(i.to), r.get::<u64>(i.from), r.get::<u64>(i.count));
    builtins::memory_copy(r.env, (i.of.to, to), (i.of.from, from), count)?;
    reload_memory(r);
    r.pass(i);
    Ok(())
});

slow!(
    /// `memory.fill` of the memory `of`; `from` is the byte.
    MemoryFillAny |r, i: Bulk<u32>| {
    let (at, byte, count) = (r.get::<u64>(i.to), r.get::<u32>(i.from) as u8, r.get::<u64>(i.count));
    builtins::memory_fill(r.env, (i.of, at), byte, count)?;
    reload_memory(r);
    r.pass(i);
    Ok(())
});

slow!(
    /// `memory.init` of the memory `of.to` from the segment `of.from`. Segments are short: only
    /// the place in the memory has 64 bits.
    MemoryInitAny |r, i: Bulk<Indices>| {
    let (to, from, count) = (r.get::<u64>(i.to), r.get::<u32>(i.from), r.get::<u32>(i.count));
    builtins::memory_init(r.env, (i.of.to, to), i.of.from, from, count)?;
    reload_memory(r);
    r.pass(i);
    Ok(())
});

slow!(
    /// Drops a data segment.
    DataDrop |r, i: shape::Drop| {
    work::charge(r.env, work::SLOW)?;
    builtins::data_drop((*r.env).instance, i.index);
    r.pass(i);
    Ok(())
});

slow!(
    /// Copies slots, which may overlap: the values that a branch carries.
    CopyMany |r, i: shape::CopyMany| {
    let count = i.count as usize;
    work::charge(r.env, work::of_slots(count))?;
    std::ptr::copy(r.sp.slot(i.from), r.sp.slot(i.to), count);
    r.pass(i);
    Ok(())
});

slow!(
    /// Clears slots: the locals of one function.
    ClearMany |r, i: shape::ClearMany| {
    let count = i.count as usize;
    work::charge(r.env, work::of_slots(count))?;
    std::ptr::write_bytes(r.sp.slot(i.first), 0, count);
    r.pass(i);
    Ok(())
});
