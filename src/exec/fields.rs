//! Fields and elements of objects that running code did not find by itself: those of other parts of
//! the heap, those behind words that are no references, and null. The same for every engine.

use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmEnv;
use crate::gc::{GcHeap, GcRef, StructField};
use crate::instance::{Instance, Slots};

/// Has the running instance's code see the heap as it is, from the first object on and after the
/// link set got another one's heap.
///
/// # Safety
/// `env` is the live environment of the running code.
pub(super) unsafe fn show_view(env: *mut VmEnv) {
    // SAFETY: the caller guarantees that the environment is live, and with it the instance; a view
    // lives as long as the link set's heap, and so as the instance.
    unsafe {
        let vm = (*env).instance;
        if let Some(view) = Instance::of_vm(vm).with_live_objects(GcHeap::view) {
            (*vm).objects = view;
        }
    }
}

/// A field of the struct that a word refers to; a packed one with its sign, if that is wanted.
///
/// # Safety
/// `env` is the live environment of the running code.
pub unsafe fn get_field(
    env: *mut VmEnv,
    word: u64,
    field: StructField,
    signed: bool,
) -> Result<Slots, Trap> {
    // SAFETY: the running instance is live.
    unsafe {
        show_view(env);
        let get = if signed { GcHeap::get_signed } else { GcHeap::get };
        let object = GcRef::from_word(word).ok_or(Trap::NullStruct)?;
        let instance = Instance::of_vm((*env).instance);
        instance.with_objects(|heap| get(heap, object, field)).ok_or(Trap::NullStruct)
    }
}

/// Sets a field of the struct that a word refers to.
///
/// # Safety
/// `env` is the live environment of the running code.
pub unsafe fn set_field(
    env: *mut VmEnv,
    word: u64,
    field: StructField,
    value: Slots,
) -> Result<(), Trap> {
    // SAFETY: the running instance is live.
    unsafe {
        show_view(env);
        let object = GcRef::from_word(word).ok_or(Trap::NullStruct)?;
        let instance = Instance::of_vm((*env).instance);
        instance.with_objects(|heap| heap.set(object, field, value)).ok_or(Trap::NullStruct)
    }
}

/// An element of the array that a word refers to; a packed one with its sign, if that is wanted.
///
/// # Safety
/// `env` is the live environment of the running code.
pub unsafe fn get_element(
    env: *mut VmEnv,
    word: u64,
    at: u32,
    signed: bool,
) -> Result<Slots, Trap> {
    // SAFETY: the running instance is live.
    unsafe {
        let array = found_array(env, word)?;
        let get = if signed { GcHeap::array_get_signed } else { GcHeap::array_get };
        let instance = Instance::of_vm((*env).instance);
        instance.with_objects(|heap| get(heap, array, at)).ok_or(Trap::ArrayOutOfBounds)
    }
}

/// Sets an element of the array that a word refers to.
///
/// # Safety
/// `env` is the live environment of the running code.
pub unsafe fn set_element(env: *mut VmEnv, word: u64, at: u32, value: Slots) -> Result<(), Trap> {
    // SAFETY: the running instance is live.
    unsafe {
        let array = found_array(env, word)?;
        let instance = Instance::of_vm((*env).instance);
        let set = instance.with_objects(|heap| heap.array_set(array, at, value));
        set.ok_or(Trap::ArrayOutOfBounds)
    }
}

/// The length of the array that a word refers to.
///
/// # Safety
/// `env` is the live environment of the running code.
pub unsafe fn array_len(env: *mut VmEnv, word: u64) -> Result<u32, Trap> {
    // SAFETY: the running instance is live.
    unsafe {
        let array = found_array(env, word)?;
        let instance = Instance::of_vm((*env).instance);
        instance.with_objects(|heap| heap.len(array)).ok_or(Trap::NullArray)
    }
}

/// # Safety
/// `env` is the live environment of the running code.
unsafe fn found_array(env: *mut VmEnv, word: u64) -> Result<GcRef, Trap> {
    // SAFETY: the running instance is live.
    unsafe {
        show_view(env);
        let array = GcRef::from_word(word).ok_or(Trap::NullArray)?;
        let instance = Instance::of_vm((*env).instance);
        let len = instance.with_objects(|heap| heap.len(array));
        len.map(|_| array).ok_or(Trap::NullArray)
    }
}
