//! What keeps objects alive for the host, and tells it of their end.

use super::objects::read;
use super::types::{wasm_local_obj_ref_t, wasm_obj_finalizer_t, wasm_obj_t};
use crate::ffi::{guard, handle};
use crate::shared::wasm_exec_env_t;
use isothread::{ObjectFinalizer, RawLocalRef};
use std::ffi::c_void;
use std::mem::transmute;
use std::ptr::{NonNull, null_mut};

/// Keeps an object until `wasm_runtime_unpin_object` was called as often or the instance ends.
/// False for an object that is not there or is no object of the environment's instance, nor of one
/// that it is linked to, while another thread runs in the instance, and if memory runs out.
/// Functions and small integers always stay.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_pin_object(
    exec_env: wasm_exec_env_t,
    obj: wasm_obj_t,
) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::exec_env(exec_env) }.is_some_and(|mut env| env.pin(read(obj))))
}

/// Takes one `wasm_runtime_pin_object` of the object back; false if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_unpin_object(
    exec_env: wasm_exec_env_t,
    obj: wasm_obj_t,
) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { handle::exec_env(exec_env) }.is_some_and(|mut env| env.unpin(read(obj))))
}

/// Puts a reference on the environment's list, and sets its `val` to NULL. From now on the object
/// that `val` refers to stays, whatever that is set to, until the reference is popped. It must stay
/// where it is until then; when a native function returns, those that it has pushed and not popped
/// are taken off. Nothing happens if it is the last one on the list already, and while another
/// thread runs in the instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_push_local_obj_ref(
    exec_env: wasm_exec_env_t,
    local_obj_ref: *mut wasm_local_obj_ref_t,
) {
    guard(|| {
        // SAFETY: the C contract of handles.
        let env = unsafe { handle::exec_env(exec_env) };
        if let (Some(mut env), Some(local)) = (env, NonNull::new(local_obj_ref)) {
            // SAFETY: the caller keeps it where it is until it is popped, and changes `val` alone.
            unsafe { env.push_local_ref(local.cast()) };
        }
    })
}

/// Takes the reference that was pushed last off the list, and returns it; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_pop_local_obj_ref(
    exec_env: wasm_exec_env_t,
) -> *mut wasm_local_obj_ref_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let env = unsafe { handle::exec_env(exec_env) };
        env.map_or(null_mut(), |mut env| env.pop_local_refs(1).cast())
    })
}

/// Takes the `n` references that were pushed last off the list, or all if there are fewer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_pop_local_obj_refs(exec_env: wasm_exec_env_t, n: u32) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(mut env) = unsafe { handle::exec_env(exec_env) } {
            env.pop_local_refs(n);
        }
    })
}

/// The reference that was pushed last, which stays on the list; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_cur_local_obj_ref(
    exec_env: wasm_exec_env_t,
) -> *mut wasm_local_obj_ref_t {
    guard(|| {
        // SAFETY: the C contract of handles.
        let env = unsafe { handle::exec_env(exec_env) };
        env.map_or(null_mut(), |mut env| env.last_local_ref().cast())
    })
}

/// Has `cb` called with the object and `data` when the runtime finds that nothing leads to the
/// object, or when the instance and its last environment have ended, in place of the finalizer that
/// it had. False for functions and small integers, for an object that is not there, for a NULL
/// `cb`, and if memory runs out.
///
/// The finalizer runs on the thread that makes another object, or ends a call or the instance. The
/// object can still be looked into; it goes afterwards, unless the finalizer has made it reachable.
/// It runs in the midst of guest code: calls of guests fail on the environment that runs with an
/// exception, which ends the guest unless it is cleared; and it has to return. It must not end the
/// instance. Finalizers of several objects run in no particular order.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_set_gc_finalizer(
    exec_env: wasm_exec_env_t,
    obj: wasm_obj_t,
    cb: wasm_obj_finalizer_t,
    data: *mut c_void,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let env = unsafe { handle::exec_env(exec_env) };
        let (Some(mut env), Some(callback)) = (env, cb) else { return false };
        // SAFETY: objects are pointers to C, whatever they are called.
        let callback = unsafe {
            transmute::<unsafe extern "C" fn(wasm_obj_t, *mut c_void), ObjectFinalizer>(callback)
        };
        // SAFETY: the embedder's function, which it keeps as long as the object.
        unsafe { env.set_finalizer(read(obj), callback, data) }
    })
}

/// Takes an object's finalizer away, if it has one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_unset_gc_finalizer(exec_env: wasm_exec_env_t, obj: *mut c_void) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(mut env) = unsafe { handle::exec_env(exec_env) } {
            env.unset_finalizer(read(obj));
        }
    })
}

/// C's struct is the runtime's.
const _: () = {
    assert!(size_of::<wasm_local_obj_ref_t>() == size_of::<RawLocalRef>());
    assert!(std::mem::offset_of!(wasm_local_obj_ref_t, val) == size_of::<usize>());
};
