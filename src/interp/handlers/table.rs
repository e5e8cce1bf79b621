//! Tables and references. The usual accesses are leaves, the others slow handlers that go
//! through `exec::builtins`, with their operands in slots.

use super::trap;
use crate::abi::trap::Trap;
use crate::exec::{builtins, work};
use crate::interp::dispatch::{handler, next, slow};
use crate::interp::operand::{A, B, DST, Dst, ToSlot, WIDE};

handler!(
    /// `dst = address of function reference imm`.
    ref_func [] |r| {
    let func = (*(*r.env).instance).func_refs.add(r.field::<u32>(WIDE) as usize);
    ToSlot::write(&mut r, func as usize as u64);
    r.skip(24);
    next(r)
});

handler!(
    /// `dst = table[a]`.
    table_get [] |r| {
    let table = *(*(*r.env).instance).tables.add(r.field::<u32>(WIDE) as usize);
    let index = r.get::<u32>(A) as usize;
    if index >= (*table).len {
        return trap(r, Trap::TableOutOfBounds);
    }
    let value = *(*table).elems.add(index);
    ToSlot::write(&mut r, value);
    r.skip(24);
    next(r)
});

handler!(
    /// `table[a] = b`.
    table_set [] |r| {
    let table = *(*(*r.env).instance).tables.add(r.field::<u32>(WIDE) as usize);
    let index = r.get::<u32>(A) as usize;
    if index >= (*table).len {
        return trap(r, Trap::TableOutOfBounds);
    }
    *(*table).elems.add(index) = r.get::<u64>(B);
    r.skip(24);
    next(r)
});

handler!(
    /// `dst = elements of table`.
    table_size [] |r| {
    let table = *(*(*r.env).instance).tables.add(r.field::<u32>(WIDE) as usize);
    let len = (*table).len as u32;
    ToSlot::write(&mut r, len);
    r.skip(24);
    next(r)
});

slow!(
    /// `dst = table.grow(init = a, delta = b)`.
    TableGrow |r| {
    let (init, delta) = (r.get::<u64>(A), r.get::<u32>(B));
    let old = builtins::table_grow(r.env, r.field(WIDE), delta as u64, init)?;
    ToSlot::write(r, old as i32);
    r.skip(24);
    Ok(())
});

slow!(
    /// `table.fill(at = dst, value = a, n = b)`.
    TableFill |r| {
    let (at, value, count) = (r.get::<u32>(DST), r.get::<u64>(A), r.get::<u32>(B));
    builtins::table_fill(r.env, r.field(WIDE), at, value, count)?;
    r.skip(24);
    Ok(())
});

slow!(
    /// `table.copy dst_table src_table (to = dst, from = a, n = b)`.
    TableCopy |r| {
    let (to, from, count) = (r.get::<u32>(DST), r.get::<u32>(A), r.get::<u32>(B));
    let (to_table, from_table) = (r.field::<u32>(WIDE), r.field::<u32>(WIDE + 4));
    builtins::table_copy(r.env, to_table, from_table, to, from, count)?;
    r.skip(24);
    Ok(())
});

slow!(
    /// `table.init table segment (to = dst, from = a, n = b)`.
    TableInit |r| {
    let (to, from, count) = (r.get::<u32>(DST), r.get::<u32>(A), r.get::<u32>(B));
    let (table, segment) = (r.field::<u32>(WIDE), r.field::<u32>(WIDE + 4));
    builtins::table_init(r.env, table, segment, to, from, count)?;
    r.skip(24);
    Ok(())
});

slow!(
    /// Drops an element segment.
    ElemDrop |r| {
    work::charge(r.env, work::SLOW)?;
    builtins::elem_drop((*r.env).instance, r.field::<u32>(WIDE));
    r.skip(24);
    Ok(())
});
