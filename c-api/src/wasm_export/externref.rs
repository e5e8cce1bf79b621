//! Externrefs: objects of the host's, and the numbers under which guests carry them.

use crate::ffi::{context, guard, handle};
use crate::shared::wasm_module_inst_t;
use isothread::ObjectCleanup;
use std::ffi::c_void;
use std::ptr::{null_mut, with_exposed_provenance_mut};

/// The number of a null reference.
const NULL_REF: u32 = u32::MAX;

/// Gives an object of the host's a number, by which guest code refers to it, and stores the number
/// in `*p_externref_idx`. An object that has a number in the instance keeps it; new numbers are
/// counted from 1 in each context. (void *)-1 is the null reference, whose number is 0xFFFFFFFF;
/// NULL is an object like others. False when memory runs out.
///
/// The object belongs to the instance until one of three things happens: the object is deleted,
/// the instance is taken down, or a call returns to the host while no global or table of the
/// instance holds the object. `wasm_externref_retain` prevents the last.
///
/// A function that takes or returns externrefs does this by itself: native functions with `r` in
/// their signature and the `wasm_runtime_call_wasm` family see objects, never numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externref_obj2ref(
    module_inst: wasm_module_inst_t,
    extern_obj: *mut c_void,
    p_externref_idx: *mut u32,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let instance = unsafe { handle::instance(module_inst) };
        let (Some(instance), false) = (instance, p_externref_idx.is_null()) else { return false };
        let number = match extern_obj.expose_provenance() {
            usize::MAX => Some(NULL_REF),
            address => instance.extern_number(address),
        };
        let Some(number) = number else { return false };
        // SAFETY: not NULL; the caller gives room for a number.
        unsafe { p_externref_idx.write(number) };
        true
    })
}

/// Deletes an object of the instance's and calls its cleanup function. References to it that the
/// guest still has lead nowhere: a call that hands one to the host fails. False if the instance
/// has no such object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externref_objdel(
    module_inst: wasm_module_inst_t,
    extern_obj: *mut c_void,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { handle::instance(module_inst) }
            .is_some_and(|instance| instance.delete_extern_object(extern_obj.expose_provenance()))
    })
}

/// Sets the function that is called with an object of the instance's when the runtime lets it go,
/// for any reason; NULL for none. It runs without any lock, on the thread of the call that let the
/// object go, and may use this API. False if the instance has no such object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externref_set_cleanup(
    module_inst: wasm_module_inst_t,
    extern_obj: *mut c_void,
    extern_obj_cleanup: Option<unsafe extern "C" fn(*mut c_void)>,
) -> bool {
    let cleanup: Option<ObjectCleanup> = extern_obj_cleanup;
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(instance) = (unsafe { handle::instance(module_inst) }) else { return false };
        // SAFETY: the embedder's function, which it keeps as long as the object.
        unsafe { instance.set_extern_cleanup(extern_obj.expose_provenance(), cleanup) }
    })
}

/// Stores the object that a number stands for in the calling thread's context; NULL for the null
/// reference. False, with nothing stored, for numbers that stand for nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externref_ref2obj(
    externref_idx: u32,
    p_extern_obj: *mut *mut c_void,
) -> bool {
    guard(|| {
        if p_extern_obj.is_null() {
            return false;
        }
        let object = match externref_idx {
            NULL_REF => Some(null_mut()),
            number => context::current()
                .and_then(|context| context.extern_objects()?.address(number))
                .map(with_exposed_provenance_mut),
        };
        let Some(object) = object else { return false };
        // SAFETY: not NULL; the caller gives room for a pointer.
        unsafe { p_extern_obj.write(object) };
        true
    })
}

/// Keeps the object with this number in the calling thread's context even while nothing leads to
/// it, until it is deleted or its instance taken down. False for numbers that stand for nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_externref_retain(externref_idx: u32) -> bool {
    guard(|| {
        context::current().is_some_and(|context| {
            context.extern_objects().is_some_and(|objects| objects.retain(externref_idx))
        })
    })
}
