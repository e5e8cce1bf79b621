//! Globals.

use super::handles::{wasm_global_t, wasm_store_t};
use super::host_items;
use super::memory_block::{Block, Counted};
use super::object::{self, Home, RefBody};
use super::store::ObjectStore;
use super::type_objects::{self as objects, valtype};
use super::types::wasm_globaltype_t;
use super::value::{self, kind_of, type_of as type_of_kind};
use crate::ffi::guard;
use crate::shared::wasm_val_t;
use isothread::{Global, GlobalType};
use std::ptr::{NonNull, null_mut};

/// Makes a global of the host's, with its first value; both arguments stay the caller's. NULL for
/// NULL, for a value of another kind, and without memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_new(
    store: *mut wasm_store_t,
    globaltype: *const wasm_globaltype_t,
    value: *const wasm_val_t,
) -> *mut wasm_global_t {
    guard(|| {
        // SAFETY: the C contract of stores, types and values: each NULL or live.
        let made = unsafe {
            let store =
                NonNull::new(store.cast::<Block<ObjectStore>>()).map(|s| Counted::retained(s));
            store.and_then(|store| make(store, globaltype.as_ref()?, value.as_ref()?))
        };
        made.unwrap_or(null_mut())
    })
}

/// # Safety
/// The type and the value are valid.
unsafe fn make(
    store: Counted<ObjectStore>,
    globaltype: &wasm_globaltype_t,
    value: &wasm_val_t,
) -> Option<*mut wasm_global_t> {
    // SAFETY: a live type's content is live.
    let ty = type_of_kind(unsafe { globaltype.content.as_ref() }?.kind)?;
    let item = host_items::global(&store, ty, globaltype.mutability != 0).ok()?;
    let global = item.into_global()?;
    // SAFETY: the caller's value.
    let val = unsafe { value::value_in(value, ty, global.instance(), &store) }.ok()?;
    // SAFETY: the storage has two words, and nothing has seen the global yet.
    unsafe { global.data_ptr().cast::<[u64; 2]>().write(val.to_slots()) };
    Some(object::give(object::new(RefBody::Global(global, Home { owner: None, store }))))
}

/// The header's form of a global's type; NULL without memory.
pub(super) fn type_of(ty: GlobalType) -> *mut wasm_globaltype_t {
    // SAFETY: the content is new, and given away.
    unsafe { objects::globaltype(valtype(kind_of(ty.val)), u8::from(ty.mutable)) }
}

/// # Safety
/// `global` is NULL or a live object.
unsafe fn parts<'a>(global: *const wasm_global_t) -> Option<(&'a Global, &'a Home)> {
    // SAFETY: the caller guarantees that `global` is NULL or a live object.
    match unsafe { object::get(global) }.map(|global| &global.body) {
        Some(RefBody::Global(global, home)) => Some((global, home)),
        _ => None,
    }
}

/// Makes the global's type, which is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_type(global: *const wasm_global_t) -> *mut wasm_globaltype_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| unsafe { parts(global) }.map_or(null_mut(), |(global, _)| type_of(global.ty())))
}

/// Stores the value in `out`, of which a reference is the caller's. A vector goes to the address
/// that `out`, of kind WASM_V128, has. NULL, and a value that has no kind, store a WASM_I32 of 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_get(global: *const wasm_global_t, out: *mut wasm_val_t) {
    guard(|| {
        let Some(out) = NonNull::new(out) else { return };
        // SAFETY: NULL or a live object, as the header says.
        let val = unsafe { parts(global) }.and_then(|(global, home)| {
            let (val, near) = (global.get(), global.instance());
            let place = match val.ty() {
                // SAFETY: the caller has set the place up for a vector.
                isothread::ValType::V128 => unsafe { out.read() },
                _ => value::zero(0),
            };
            // SAFETY: a vector's place has an address, as the header says.
            unsafe { value::value_out(val, &place, near, &home.store) }.ok()
        });
        // SAFETY: not NULL; the caller gives room.
        unsafe { out.write(val.unwrap_or(value::zero(0))) };
    })
}

/// Sets a mutable global; the value stays the caller's. Nothing happens for NULL, for an immutable
/// global, and for a value of another kind.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_global_set(global: *mut wasm_global_t, value: *const wasm_val_t) {
    guard(|| {
        // SAFETY: each is NULL or live, as the header says.
        let (parts, value) = unsafe { (parts(global.cast_const()), value.as_ref()) };
        let (Some((global, home)), Some(value)) = (parts, value) else { return };
        // SAFETY: the value's reference or address is NULL or good, as the header says.
        let val =
            unsafe { value::value_in(value, global.ty().val, global.instance(), &home.store) };
        if let Ok(val) = val {
            let _ = global.set(val);
        }
    })
}
