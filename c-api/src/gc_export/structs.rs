//! Structs.

use super::defined_types::defined;
use super::objects::{on_object, to_c};
use super::types::{wasm_struct_obj_t, wasm_struct_type_t, wasm_value_t};
use super::values::{from_c, to_value};
use crate::ffi::{guard, handle};
use crate::shared::wasm_exec_env_t;
use isothread::{Packed, SubType};
use std::ptr::null_mut;

/// Makes a struct of the type with this index in the module of the environment's instance, of zeros
/// and null references. NULL if the type is none of structs, while another thread runs in the
/// instance, and if the instance's heap of objects is full, also after objects were freed that
/// nothing leads to; no exception is set.
///
/// The struct may be freed when the next object is made, by guest code or by the host, unless a
/// guest or `wasm_runtime_push_local_obj_ref` or `wasm_runtime_pin_object` leads to it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_struct_obj_new_with_typeidx(
    exec_env: wasm_exec_env_t,
    type_idx: u32,
) -> wasm_struct_obj_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let env = unsafe { handle::exec_env(exec_env) };
        let made = env.and_then(|mut env| env.new_struct(type_idx).ok());
        made.map_or(null_mut(), |object| to_c(Some(object)))
    })
}

/// As `wasm_struct_obj_new_with_typeidx`, with the type itself, which is one of the module of the
/// environment's instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_struct_obj_new_with_type(
    exec_env: wasm_exec_env_t,
    r#type: wasm_struct_type_t,
) -> wasm_struct_obj_t {
    guard(|| {
        // SAFETY: the C contracts of handles and types.
        unsafe {
            type_index(exec_env, r#type)
                .map_or(null_mut(), |index| wasm_struct_obj_new_with_typeidx(exec_env, index))
        }
    })
}

/// Sets a field, whether guests may set it or not. Nothing happens without such a struct and field,
/// for a reference to anything but a live object of the field's type, and while another thread runs
/// in the instance that made the struct.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_struct_obj_set_field(
    obj: wasm_struct_obj_t,
    field_idx: u32,
    value: *const wasm_value_t,
) {
    guard(|| {
        // SAFETY: NULL, or the caller's value.
        let Some(value) = (unsafe { value.as_ref() }) else { return };
        on_object(obj, |instance, object| {
            let field = |ty: &SubType| ty.fields()?.get(field_idx as usize).copied();
            let storage = instance.with_object_type(object, field)??.storage;
            // SAFETY: the caller has written the member that the field's type asks for.
            let value = unsafe { from_c(value, storage, instance) }?;
            Some(instance.struct_set(object, field_idx, value))
        });
    })
}

/// Stores a field in `*value`; all zero without such a struct and field, and while another thread
/// runs in the instance that made the struct. An i8 or i16 becomes an i32, whose upper bits are its
/// sign if `sign_extend`, else zero.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_struct_obj_get_field(
    obj: wasm_struct_obj_t,
    field_idx: u32,
    sign_extend: bool,
    value: *mut wasm_value_t,
) {
    guard(|| {
        if value.is_null() {
            return;
        }
        let packed = packed(sign_extend);
        let field =
            on_object(obj, |instance, object| instance.struct_get(object, field_idx, packed));
        // SAFETY: not NULL; the caller gives room.
        unsafe { value.write(to_value(field)) };
    })
}

pub(super) fn packed(sign_extend: bool) -> Packed {
    if sign_extend { Packed::Signed } else { Packed::Unsigned }
}

/// How many fields the struct has; 0 without one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_struct_obj_get_field_count(obj: wasm_struct_obj_t) -> u32 {
    guard(|| on_object(obj, |instance, object| instance.struct_len(object)).unwrap_or(0))
}

/// The index of a type in the module of an environment's instance.
///
/// # Safety
/// `exec_env` is NULL or live, and so is the type.
pub(super) unsafe fn type_index<T>(exec_env: wasm_exec_env_t, ty: *mut T) -> Option<u32> {
    // SAFETY: the caller guarantees that it is NULL or live.
    let env = unsafe { handle::exec_env(exec_env) }?;
    // SAFETY: the same.
    let ty = unsafe { defined(ty) }?;
    env.instance().module().index_of_type(ty)
}
