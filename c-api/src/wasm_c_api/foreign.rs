//! Objects of the host's: their host info is all that they have.

use super::handles::{wasm_foreign_t, wasm_store_t};
use super::memory_block::{Block, value};
use super::object::{self, RefBody};
use super::store::ObjectStore;
use crate::ffi::guard;
use std::ptr::null_mut;

/// Makes an object of the host's, which guests can carry as an externref. NULL for NULL, and
/// without memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_foreign_new(store: *mut wasm_store_t) -> *mut wasm_foreign_t {
    guard(|| {
        // SAFETY: NULL or a live store, by the C contract.
        let store = unsafe { value(store.cast_const().cast::<Block<ObjectStore>>()) };
        store.map_or(null_mut(), |_| object::give(object::new(RefBody::Foreign)))
    })
}
