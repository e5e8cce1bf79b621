//! Tables and references. The usual accesses are leaves, the others slow handlers that go
//! through `exec::builtins`, with their operands in slots.

use super::trap;
use crate::abi::trap::Trap;
use crate::exec::{builtins, work};
use crate::interp::dispatch::{handler, next, slow};
use crate::interp::operand::{Dst, ToSlot};
use crate::interp::shape::{self, Bulk, Indices};

handler!(
    /// `dst = address of the function reference at the index`.
    ref_func [] |r, i: shape::Get| {
    let func = (*(*r.env).instance).func_refs.add(i.index as usize);
    ToSlot::write(&mut r, i.dst, func as usize as u64);
    r.pass(i);
    next(r)
});

handler!(
    /// `dst = table[at]`.
    table_get [] |r, i: shape::TableGet| {
    let table = *(*(*r.env).instance).tables.add(i.table as usize);
    let index = r.get::<u32>(i.at) as usize;
    if index >= (*table).len {
        return trap(r, Trap::TableOutOfBounds);
    }
    let value = *(*table).elems.add(index);
    ToSlot::write(&mut r, i.dst, value);
    r.pass(i);
    next(r)
});

handler!(
    /// `table[at] = value`.
    table_set [] |r, i: shape::TableSet| {
    let table = *(*(*r.env).instance).tables.add(i.table as usize);
    let index = r.get::<u32>(i.at) as usize;
    if index >= (*table).len {
        return trap(r, Trap::TableOutOfBounds);
    }
    *(*table).elems.add(index) = r.get::<u64>(i.value);
    r.pass(i);
    next(r)
});

handler!(
    /// `dst = elements of table`.
    table_size [] |r, i: shape::Get| {
    let table = *(*(*r.env).instance).tables.add(i.index as usize);
    let len = (*table).len as u32;
    ToSlot::write(&mut r, i.dst, len);
    r.pass(i);
    next(r)
});

slow!(
    /// `dst = table.grow(init, delta)`.
    TableGrow |r, i: shape::TableGrow| {
    let (init, delta) = (r.get::<u64>(i.init), r.get::<u32>(i.delta));
    let old = builtins::table_grow(r.env, i.table, delta as u64, init)?;
    ToSlot::write(r, i.dst, old);
    r.pass(i);
    Ok(())
});

slow!(
    /// `table.fill` of the table `of`; `from` is the value.
    TableFill |r, i: Bulk<u32>| {
    let (at, value, count) = (r.get::<u32>(i.to), r.get::<u64>(i.from), r.get::<u32>(i.count));
    builtins::table_fill(r.env, i.of, at, value, count)?;
    r.pass(i);
    Ok(())
});

slow!(
    /// `table.copy` from the table `of.from` to the table `of.to`.
    TableCopy |r, i: Bulk<Indices>| {
    let (to, from, count) = (r.get::<u32>(i.to), r.get::<u32>(i.from), r.get::<u32>(i.count));
    builtins::table_copy(r.env, i.of.to, i.of.from, to, from, count)?;
    r.pass(i);
    Ok(())
});

slow!(
    /// `table.init` of the table `of.to` from the segment `of.from`.
    TableInit |r, i: Bulk<Indices>| {
    let (to, from, count) = (r.get::<u32>(i.to), r.get::<u32>(i.from), r.get::<u32>(i.count));
    builtins::table_init(r.env, i.of.to, i.of.from, to, from, count)?;
    r.pass(i);
    Ok(())
});

slow!(
    /// Drops an element segment.
    ElemDrop |r, i: shape::Drop| {
    work::charge(r.env, work::SLOW)?;
    builtins::elem_drop((*r.env).instance, i.index);
    r.pass(i);
    Ok(())
});
