//! Instance contexts: pointers that host libraries keep with instances, under keys (`keys`).
//!
//! Slot 0 of an instance is its module's, the others are for these pointers.

use super::keys::{Dtor, Keys, key_of, maker_of_thread};
use super::loaded::{MODULE_SLOT, module_of};
use super::remembered::{Early, KEYS};
use crate::ffi::{context, guard, handle, log};
use crate::shared::wasm_module_inst_t;
use isothread::Instance;
use std::ffi::c_void;
use std::ptr::{null_mut, with_exposed_provenance_mut};

/// Makes a key on a thread without a context, for the contexts that it makes.
fn create_early(dtor: Option<Dtor>) -> Option<*mut c_void> {
    let mut early = Early::get();
    let index = early.given.iter().position(|&given| given == 0)?;
    early.last += 1;
    early.given[index] = early.last;
    early.dtors[index] = dtor.map_or(0, |dtor| (dtor as *const c_void).expose_provenance());
    early.set().then(|| key_of(maker_of_thread(), early.given[index] as u32, index))
}

/// Forgets a key that was made early.
fn destroy_early(key: *mut c_void) {
    let mut early = Early::get();
    let maker = maker_of_thread();
    let is_it = |index: &usize| key_of(maker, early.given[*index] as u32, *index) == key;
    if let Some(index) = (0..KEYS).filter(|&at| early.given[at] != 0).find(is_it) {
        early.given[index] = 0;
        early.set();
    }
}

/// Which of an instance's words belongs to a key.
fn word_of(index: usize) -> usize {
    MODULE_SLOT + 1 + index
}

/// Calls the destructors of all live keys for an instance that is taken down, whether or not a
/// pointer was set, and before that for those of the modules that it imports from, which go with
/// it. Only for main instances: those of guest threads inherit the pointers.
pub(crate) fn end(instance: &Instance, keys: &Keys) {
    if !keys.lock().iter().any(|slot| slot.live) {
        return;
    }
    instance.for_each_linked(&mut |linked| {
        // Those that hold a module are taken down by themselves, or were.
        if linked.slot(MODULE_SLOT) == 0 {
            end_one(linked, keys);
        }
    });
    end_one(instance, keys);
}

fn end_one(instance: &Instance, keys: &Keys) {
    for index in 0..KEYS {
        // Looked at one by one, without the lock: a destructor may use this API.
        let slot = keys.lock().get(index).copied().unwrap_or_default();
        let Some(dtor) = slot.dtor.filter(|_| slot.live) else { continue };
        let pointer = with_exposed_provenance_mut(instance.slot(word_of(index)));
        let handle = instance.as_raw().as_ptr().cast();
        // SAFETY: the embedder's function, which it keeps as long as its key.
        instance.context().run(|| unsafe { dtor(handle, pointer) });
    }
}

/// Makes a key for pointers kept with the instances of the calling thread's context. `dtor`, which
/// may be NULL, is called for each instance that is taken down, with the pointer that was set for
/// it, NULL if none was. A context has seven keys at most: NULL, with a log line, when all are in
/// use.
///
/// Make keys before instances: under a new key, an older instance has NULL, or the value that was
/// set under a destroyed key. A key that a thread makes before it has a context is valid in each
/// context that the thread makes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_create_context_key(
    dtor: Option<unsafe extern "C" fn(inst: wasm_module_inst_t, ctx: *mut c_void)>,
) -> *mut c_void {
    guard(|| {
        let key = match context::current() {
            Some(context) => Keys::of(&context).ok().and_then(|keys| keys.create(dtor)),
            None => create_early(dtor),
        };
        key.unwrap_or_else(|| {
            log::error(format_args!("failed to allocate instance context key"));
            null_mut()
        })
    })
}

/// Gives back a key of the calling thread's context, or one that the thread has made before it had
/// one. No destructor is called for it any more. Keys that are gone, keys of other contexts and
/// NULL are ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_destroy_context_key(key: *mut c_void) {
    guard(|| {
        if let Some(keys) = context::current().and_then(|context| context.data::<Keys>()) {
            keys.destroy(key);
        }
        destroy_early(key);
    })
}

/// Keeps a pointer with the instance under a key of its context. Keys that are gone, keys of other
/// contexts and NULL are ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_context(
    inst: wasm_module_inst_t,
    key: *mut c_void,
    ctx: *mut c_void,
) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some((instance, index)) = unsafe { find(inst, key) } {
            instance.set_slot(word_of(index), ctx.expose_provenance());
        }
    })
}

/// Keeps a pointer under a key like `wasm_runtime_set_context`, with the instances of all threads
/// of the guest.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_context_spread(
    inst: wasm_module_inst_t,
    key: *mut c_void,
    ctx: *mut c_void,
) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some((instance, index)) = unsafe { find(inst, key) } {
            instance.set_slot_of_all(word_of(index), ctx.expose_provenance());
        }
    })
}

/// The pointer that is kept with the instance under the key; NULL if none was set, and for keys
/// that `wasm_runtime_set_context` ignores.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_context(
    inst: wasm_module_inst_t,
    key: *mut c_void,
) -> *mut c_void {
    guard(|| {
        // SAFETY: the C contract of handles.
        unsafe { find(inst, key) }.map_or(null_mut(), |(instance, index)| {
            with_exposed_provenance_mut(instance.slot(word_of(index)))
        })
    })
}

/// The instance, and the number of the key's slot.
///
/// # Safety
/// `inst` is NULL or a live instance.
unsafe fn find(
    inst: wasm_module_inst_t,
    key: *mut c_void,
) -> Option<(handle::Borrowed<Instance>, usize)> {
    // SAFETY: the caller guarantees that it is NULL or live.
    let instance = unsafe { handle::instance(inst) }?;
    // SAFETY: an instance holds its module.
    let index = match unsafe { module_of(&instance) } {
        Some(module) => module.keys.index(key),
        // An imported module's.
        None => instance.context().data::<Keys>()?.index(key),
    };
    Some((instance, index?))
}
