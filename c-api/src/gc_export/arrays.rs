//! Arrays.

use super::objects::{heap_object, on_object, to_c};
use super::structs::{packed, type_index};
use super::types::{wasm_array_obj_t, wasm_array_type_t, wasm_value_t};
use super::values::{from_c, to_value};
use crate::ffi::{guard, handle};
use crate::shared::wasm_exec_env_t;
use isothread::SubType;
use std::ffi::c_void;
use std::ptr::null_mut;

/// Makes an array of the type with this index in the module of the environment's instance: `length`
/// times `*init_value`, or zeros or null references if that is NULL. NULL is returned as by
/// `wasm_struct_obj_new_with_typeidx`, and also for a value that is not of the elements' type. The
/// array stays as long as a struct would.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_array_obj_new_with_typeidx(
    exec_env: wasm_exec_env_t,
    type_idx: u32,
    length: u32,
    init_value: *mut wasm_value_t,
) -> wasm_array_obj_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(mut env) = (unsafe { handle::exec_env(exec_env) }) else { return null_mut() };
        let instance = env.instance();
        let module = instance.module();
        let element = module.defined_type(type_idx).and_then(SubType::element);
        let Some(element) = element else { return null_mut() };
        // SAFETY: NULL, or the caller's value, whose member for the elements' type was written.
        let value = match unsafe { init_value.as_ref() } {
            None => None,
            // SAFETY: the same.
            Some(value) => match unsafe { from_c(value, element.storage, &instance) } {
                None => return null_mut(),
                value => value,
            },
        };
        let made = env.new_array(type_idx, length, value);
        made.map_or(null_mut(), |array| to_c(Some(array)))
    })
}

/// As `wasm_array_obj_new_with_typeidx`, with the type itself, which is one of the module of the
/// environment's instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_array_obj_new_with_type(
    exec_env: wasm_exec_env_t,
    r#type: wasm_array_type_t,
    length: u32,
    init_value: *mut wasm_value_t,
) -> wasm_array_obj_t {
    guard(|| {
        // SAFETY: the C contracts of handles, types and values.
        unsafe {
            type_index(exec_env, r#type).map_or(null_mut(), |index| {
                wasm_array_obj_new_with_typeidx(exec_env, index, length, init_value)
            })
        }
    })
}

/// Sets an element, as `wasm_struct_obj_set_field` sets a field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_array_obj_set_elem(
    array_obj: wasm_array_obj_t,
    elem_idx: u32,
    value: *const wasm_value_t,
) {
    guard(|| {
        // SAFETY: NULL, or the caller's value.
        let Some(value) = (unsafe { value.as_ref() }) else { return };
        on_object(array_obj, |instance, array| {
            let storage = instance.with_object_type(array, SubType::element)??.storage;
            // SAFETY: the caller has written the member that the elements' type asks for.
            let value = unsafe { from_c(value, storage, instance) }?;
            Some(instance.array_fill(array, elem_idx, 1, value))
        });
    })
}

/// Stores an element in `*value`, as `wasm_struct_obj_get_field` stores a field.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_array_obj_get_elem(
    array_obj: wasm_array_obj_t,
    elem_idx: u32,
    sign_extend: bool,
    value: *mut wasm_value_t,
) {
    guard(|| {
        if value.is_null() {
            return;
        }
        let packed = packed(sign_extend);
        let element =
            on_object(array_obj, |instance, array| instance.array_get(array, elem_idx, packed));
        // SAFETY: not NULL; the caller gives room.
        unsafe { value.write(to_value(element)) };
    })
}

/// Copies `len` elements, also within one array. Nothing happens if they are not all there, if they
/// are not of a subtype of the target's elements, or if the arrays are of instances that are not
/// linked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_array_obj_copy(
    dst_obj: wasm_array_obj_t,
    dst_idx: u32,
    src_obj: wasm_array_obj_t,
    src_idx: u32,
    len: u32,
) {
    guard(|| {
        on_object(dst_obj, |instance, target| {
            let source = heap_object(src_obj)?;
            Some(instance.array_copy((target, dst_idx), (source, src_idx), len))
        });
    })
}

/// How many elements the array has; 0 without one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_array_obj_length(array_obj: wasm_array_obj_t) -> u32 {
    guard(|| on_object(array_obj, |instance, array| instance.array_len(array)).unwrap_or(0))
}

/// The address of the first element; the others follow, in as many bytes as their type has. It
/// stays as long as the array, which never moves. Elements that are references are words of 8 bytes
/// with no meaning to the host. NULL without an array, for arrays of functions, and while another
/// thread runs in the instance that made it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_array_obj_first_elem_addr(
    array_obj: wasm_array_obj_t,
) -> *mut c_void {
    guard(|| address(array_obj, 0).unwrap_or(null_mut()))
}

/// As `wasm_array_obj_first_elem_addr`, the address of another element; NULL beyond the last.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_array_obj_elem_addr(
    array_obj: wasm_array_obj_t,
    elem_idx: u32,
) -> *mut c_void {
    guard(|| {
        let inside = |instance: &isothread::Instance, array| {
            (elem_idx < instance.array_len(array)?).then_some(())
        };
        on_object(array_obj, inside)
            .and_then(|()| address(array_obj, elem_idx))
            .unwrap_or(null_mut())
    })
}

fn address(array: wasm_array_obj_t, at: u32) -> Option<*mut c_void> {
    on_object(array, |instance, array| Some(instance.array_address(array, at)?.as_ptr().cast()))
}
