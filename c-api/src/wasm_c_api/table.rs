//! Tables.

use super::handles::{wasm_store_t, wasm_table_t};
use super::host_items;
use super::memory_block::{Block, Counted};
use super::object::{self, Home, RefBody};
use super::store::ObjectStore;
use super::type_objects::{self as objects, valtype};
use super::types::{wasm_limits_t, wasm_table_size_t, wasm_tabletype_t};
use super::value::{self, kind_of, type_of as type_of_kind};
use crate::ffi::guard;
use crate::shared::wasm_ref_t;
use isothread::{Limits, Table, TableType, Val};
use std::ptr::{NonNull, null_mut};

/// Stands for no limit.
const NO_LIMIT: u32 = u32::MAX;

/// The upper limit of the header's form; `None` for none.
pub(super) fn max_of(limits: wasm_limits_t) -> Option<u32> {
    (limits.max != NO_LIMIT).then_some(limits.max)
}

pub(super) fn limits_of(limits: Limits) -> wasm_limits_t {
    let number = |number: u64| u32::try_from(number).unwrap_or(NO_LIMIT);
    wasm_limits_t { min: number(limits.min), max: limits.max.map_or(NO_LIMIT, number) }
}

/// Makes a table of the host's, full of `init`, which stays the caller's. NULL for a NULL store or
/// type, for a reference of another kind, for limits that make no sense, and without memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_new(
    store: *mut wasm_store_t,
    tabletype: *const wasm_tabletype_t,
    init: *mut wasm_ref_t,
) -> *mut wasm_table_t {
    guard(|| {
        // SAFETY: the C contract of stores, types and references: each NULL or live.
        let made = unsafe {
            let store =
                NonNull::new(store.cast::<Block<ObjectStore>>()).map(|s| Counted::retained(s));
            store.and_then(|store| make(store, tabletype.as_ref()?, init))
        };
        made.unwrap_or(null_mut())
    })
}

/// # Safety
/// The type is valid, and the reference NULL or live.
unsafe fn make(
    store: Counted<ObjectStore>,
    tabletype: &wasm_tabletype_t,
    init: *mut wasm_ref_t,
) -> Option<*mut wasm_table_t> {
    // SAFETY: a live type's element is live.
    let ty = type_of_kind(unsafe { tabletype.element.as_ref() }?.kind)?;
    let limits = tabletype.limits;
    let table = host_items::table(&store, ty, limits.min, max_of(limits)).ok()?.into_table()?;
    if !init.is_null() {
        // SAFETY: the caller's reference.
        let val = unsafe { value_for(&table, init, &store) }?;
        (0..table.size()).try_for_each(|at| table.set(at, val)).ok()?;
    }
    Some(object::give(object::new(RefBody::Table(table, Home { owner: None, store }))))
}

/// # Safety
/// `reference` is NULL or live.
unsafe fn value_for(
    table: &Table,
    reference: *const wasm_ref_t,
    store: &Counted<ObjectStore>,
) -> Option<Val> {
    // SAFETY: the caller guarantees that the reference is NULL or live.
    unsafe { value::reference_in(reference, table.ty().elem, &table.instance(), store) }.ok()
}

/// The header's form of a table's type; NULL without memory.
pub(super) fn type_of(ty: TableType) -> *mut wasm_tabletype_t {
    // SAFETY: the element is new, and given away.
    unsafe { objects::tabletype(valtype(kind_of(ty.elem)), limits_of(ty.limits)) }
}

/// # Safety
/// `table` is NULL or a live object.
unsafe fn parts<'a>(table: *const wasm_table_t) -> Option<(&'a Table, &'a Home)> {
    // SAFETY: the caller guarantees that `table` is NULL or a live object.
    match unsafe { object::get(table) }.map(|table| &table.body) {
        Some(RefBody::Table(table, home)) => Some((table, home)),
        _ => None,
    }
}

/// Makes the table's type, which is the caller's. The minimum is the current size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_type(table: *const wasm_table_t) -> *mut wasm_tabletype_t {
    guard(|| {
        // SAFETY: NULL or a live object, as the header says.
        let Some((table, _)) = (unsafe { parts(table) }) else { return null_mut() };
        let mut ty = table.ty();
        ty.limits.min = table.size();
        type_of(ty)
    })
}

/// The reference at an index, which is the caller's; NULL for null and beyond the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_get(
    table: *const wasm_table_t,
    index: wasm_table_size_t,
) -> *mut wasm_ref_t {
    guard(|| {
        // SAFETY: NULL or a live object, as the header says.
        let found = unsafe { parts(table) }.and_then(|(table, home)| {
            let val = table.get(u64::from(index))?;
            value::reference_out(val, &table.instance(), &home.store).ok()
        });
        found.unwrap_or(null_mut())
    })
}

/// Sets the reference at an index; it stays the caller's, and NULL is null. False beyond the end,
/// and for a reference of another kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_set(
    table: *mut wasm_table_t,
    index: wasm_table_size_t,
    reference: *mut wasm_ref_t,
) -> bool {
    guard(|| {
        // SAFETY: NULL or a live object, as the header says.
        unsafe { parts(table.cast_const()) }.is_some_and(|(table, home)| {
            // SAFETY: NULL or a live reference, as the header says.
            let val = unsafe { value_for(table, reference, &home.store) };
            val.is_some_and(|val| table.set(u64::from(index), val).is_ok())
        })
    })
}

/// The number of elements; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_size(table: *const wasm_table_t) -> wasm_table_size_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| unsafe { parts(table) }.map_or(0, |(table, _)| table.size() as u32))
}

/// Adds `delta` elements, all of them `init`, which stays the caller's. False, with nothing added,
/// beyond the limit, and for a reference of another kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_table_grow(
    table: *mut wasm_table_t,
    delta: wasm_table_size_t,
    init: *mut wasm_ref_t,
) -> bool {
    guard(|| {
        // SAFETY: NULL or a live object, as the header says.
        unsafe { parts(table.cast_const()) }.is_some_and(|(table, home)| {
            // SAFETY: NULL or a live reference, as the header says.
            let val = unsafe { value_for(table, init, &home.store) };
            val.is_some_and(|val| table.grow(u64::from(delta), val).is_ok())
        })
    })
}
