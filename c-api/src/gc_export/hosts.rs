//! Objects of the host's as references, small integers, and the conversions between externrefs and
//! references of guests.

use super::objects::{host_address, read, to_c};
use super::types::{wasm_anyref_obj_t, wasm_externref_obj_t, wasm_i31_obj_t, wasm_obj_t};
use super::values::{host_object, known_host_object};
use crate::ffi::{guard, handle};
use crate::shared::wasm_exec_env_t;
use isothread::{AnyRef, ExternRef, RawRef};
use std::ffi::c_void;
use std::ptr::{null_mut, with_exposed_provenance};

/// # Safety
/// `exec_env` is NULL or live.
unsafe fn host_ref(exec_env: wasm_exec_env_t, host_obj: *const c_void) -> Option<ExternRef> {
    // SAFETY: the caller guarantees that it is NULL or live.
    let env = unsafe { handle::exec_env(exec_env) }?;
    host_object(&env.instance(), host_obj.expose_provenance())
}

/// An externref to an object of the host's, which is the environment's instance's from then on, as
/// with `wasm_externref_obj2ref`: the same object gives the same reference. NULL when memory runs
/// out. The reference is good until the instance lets the object go, which it may do after a call
/// unless a guest, a local reference or `wasm_runtime_pin_object` leads to it.
///
/// Calls take such a reference or the host's pointer itself as an externref, and hand the pointer
/// out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externref_obj_new(
    exec_env: wasm_exec_env_t,
    host_obj: *const c_void,
) -> wasm_externref_obj_t {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { host_ref(exec_env, host_obj) }.map_or(null_mut(), |made| to_c(Some(made))))
}

/// The host's object behind an externref; for one that a guest has made of an object of its own,
/// that object. A pointer that a call has handed out is the object itself, and comes back as it is.
/// NULL for an object that was let go, and for other references.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externref_obj_get_value(
    externref_obj: wasm_externref_obj_t,
) -> *const c_void {
    guard(|| match read(externref_obj) {
        RawRef::Plain(_) => externref_obj.cast_const().cast(),
        reference @ RawRef::Extern(_) => match reference.host_word() {
            Some(_) => host_address(reference).map_or(std::ptr::null(), with_exposed_provenance),
            None => to_c::<c_void>(reference.internalized()).cast_const(),
        },
        _ => std::ptr::null(),
    })
}

/// As `wasm_externref_obj_new`, as an anyref, which is the same object to guests that convert one
/// to the other.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_anyref_obj_new(
    exec_env: wasm_exec_env_t,
    host_obj: *const c_void,
) -> wasm_anyref_obj_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let made = unsafe { host_ref(exec_env, host_obj) };
        made.map_or(null_mut(), |made| to_c(Some(AnyRef::from(made))))
    })
}

/// The host's object behind an anyref; NULL for one that was let go, and for other references.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_anyref_obj_get_value(anyref_obj: wasm_anyref_obj_t) -> *const c_void {
    guard(|| match read(anyref_obj) {
        reference @ RawRef::Any(_) => {
            host_address(reference).map_or(std::ptr::null(), with_exposed_provenance)
        }
        _ => std::ptr::null(),
    })
}

/// What guests get that convert an externref to an anyref. NULL for other references, and for a
/// pointer that no instance has an object at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externref_obj_to_internal_obj(
    externref_obj: wasm_externref_obj_t,
) -> wasm_obj_t {
    guard(|| match read(externref_obj) {
        reference @ RawRef::Extern(_) => to_c(reference.internalized()),
        RawRef::Plain(address) => {
            known_host_object(address as usize).map_or(null_mut(), |found| to_c(Some(found)))
        }
        _ => null_mut(),
    })
}

/// What guests get that convert an anyref to an externref. Nothing is made, so that it stays as
/// long as the object does. NULL for other references and for a NULL environment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_internal_obj_to_externref_obj(
    exec_env: wasm_exec_env_t,
    internal_obj: wasm_obj_t,
) -> wasm_externref_obj_t {
    guard(|| match read(internal_obj) {
        reference @ RawRef::Any(_) if !exec_env.is_null() => to_c(reference.externalized()),
        _ => null_mut(),
    })
}

/// The reference to the small integer that the lowest 31 bits of a number are.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_i31_obj_new(i31_value: u32) -> wasm_i31_obj_t {
    guard(|| RawRef::Any(AnyRef::from_i31(i31_value)).word() as usize)
}

/// The value of a small integer: its 31 bits, with the highest one in bit 31 as well if
/// `sign_extend`. 0 for other references.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_i31_obj_get_value(i31_obj: wasm_i31_obj_t, sign_extend: bool) -> u32 {
    guard(|| {
        let RawRef::Any(reference) = RawRef::read(i31_obj as u64) else { return 0 };
        let bits = reference.to_i31().unwrap_or(0);
        if sign_extend { ((bits << 1) as i32 >> 1) as u32 } else { bits }
    })
}
