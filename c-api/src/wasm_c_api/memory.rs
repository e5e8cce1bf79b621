//! Memories.

use super::handles::{wasm_memory_t, wasm_store_t};
use super::host_items;
use super::memory_block::{Block, Counted};
use super::object::{self, Home, RefBody};
use super::store::ObjectStore;
use super::table::{limits_of, max_of};
use super::type_objects as objects;
use super::types::{wasm_memory_pages_t, wasm_memorytype_t};
use crate::ffi::guard;
use isothread::{Memory, MemoryType};
use std::ffi::c_char;
use std::ptr::{NonNull, null_mut};

/// Makes a memory of the host's, of zeros. NULL for NULL, for limits that make no sense, and
/// without memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_new(
    store: *mut wasm_store_t,
    memorytype: *const wasm_memorytype_t,
) -> *mut wasm_memory_t {
    guard(|| {
        // SAFETY: the C contract of stores and types: each NULL or live.
        let made = unsafe {
            let store =
                NonNull::new(store.cast::<Block<ObjectStore>>()).map(|s| Counted::retained(s));
            store.and_then(|store| {
                let limits = memorytype.as_ref()?.limits;
                let item = host_items::memory(&store, limits.min, max_of(limits)).ok()?;
                let home = Home { owner: None, store };
                Some(object::give(object::new(RefBody::Memory(item.into_memory()?, home))))
            })
        };
        made.unwrap_or(null_mut())
    })
}

/// The header's form of a memory's type; NULL without memory.
pub(super) fn type_of(ty: MemoryType) -> *mut wasm_memorytype_t {
    objects::memorytype(limits_of(ty.limits))
}

/// # Safety
/// `memory` is NULL or a live object.
unsafe fn part<'a>(memory: *const wasm_memory_t) -> Option<&'a Memory> {
    // SAFETY: the caller guarantees that `memory` is NULL or a live object.
    match unsafe { object::get(memory) }.map(|memory| &memory.body) {
        Some(RefBody::Memory(memory, _)) => Some(memory),
        _ => None,
    }
}

/// Makes the memory's type, which is the caller's. The minimum is the current size.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_type(memory: *const wasm_memory_t) -> *mut wasm_memorytype_t {
    guard(|| {
        // SAFETY: NULL or a live object, as the header says.
        let Some(memory) = (unsafe { part(memory) }) else { return null_mut() };
        let mut ty = memory.ty();
        ty.limits.min = memory.pages();
        type_of(ty)
    })
}

/// The first byte. It may move when the memory grows. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_data(memory: *mut wasm_memory_t) -> *mut c_char {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| unsafe { part(memory) }.map_or(null_mut(), |memory| memory.base_ptr().cast()))
}

/// The size in bytes; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_data_size(memory: *const wasm_memory_t) -> usize {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| unsafe { part(memory) }.map_or(0, Memory::len_bytes))
}

/// The size in pages of the memory's own; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_size(memory: *const wasm_memory_t) -> wasm_memory_pages_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| unsafe { part(memory) }.map_or(0, |memory| memory.pages() as u32))
}

/// Adds pages. False, with nothing added, beyond the limit and without memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_memory_grow(
    memory: *mut wasm_memory_t,
    delta: wasm_memory_pages_t,
) -> bool {
    guard(|| {
        // SAFETY: NULL or a live object, as the header says.
        unsafe { part(memory) }.is_some_and(|memory| memory.grow(u64::from(delta)).is_ok())
    })
}
