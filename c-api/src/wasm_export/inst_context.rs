//! Instance contexts: pointers that host libraries keep with instances, under keys.
//!
//! A key is a slot of the instances of one runtime context. Its value names the context and how
//! often the slot was given out before, so that keys of other contexts and keys that are gone
//! mean nothing. Slot 0 of an instance is its module's.

use super::instance;
use super::types::wasm_module_inst_t;
use crate::ffi::{context, guard, handle, log};
use isothread::{Context, ContextData, Instance, Lock, LockGuard};
use std::ffi::c_void;
use std::ptr::{null_mut, with_exposed_provenance_mut, without_provenance_mut};
use std::sync::Arc;

/// Keys that a context can have at once. WAMR has eight, of which WASI takes one.
const KEYS: usize = 7;

type Dtor = unsafe extern "C" fn(wasm_module_inst_t, *mut c_void);

/// A context's keys. Owner: the context, and with it each of its modules.
pub(crate) struct Keys {
    /// What no other context of the process has here.
    context: u64,
    slots: Lock<[Slot; KEYS]>,
}

impl ContextData for Keys {}

#[derive(Clone, Copy, Default)]
struct Slot {
    live: bool,
    dtor: Option<Dtor>,
    /// How often the slot was given out.
    given: u32,
}

impl Keys {
    pub(crate) fn of(context: &Context) -> isothread::Result<Arc<Self>> {
        context.data_or_init(|| Self { context: context.id(), slots: Lock::default() })
    }

    fn lock(&self) -> LockGuard<'_, [Slot; KEYS]> {
        self.slots.lock()
    }

    /// The key of a slot: never NULL, and different each time the slot is given out.
    fn key(&self, index: usize, slot: &Slot) -> *mut c_void {
        let number = self.context.rotate_left(24) ^ u64::from(slot.given) << 4;
        without_provenance_mut(number as usize & !0xF | (index + 1))
    }

    /// The number of a key's slot, if the key is one of these and live.
    fn index(&self, key: *mut c_void) -> Option<usize> {
        let index = (key.addr() & 0xF).checked_sub(1)?;
        let slots = self.lock();
        let slot = slots.get(index)?;
        (slot.live && self.key(index, slot) == key).then_some(index)
    }

    fn create(&self, dtor: Option<Dtor>) -> Option<*mut c_void> {
        let mut slots = self.lock();
        let index = slots.iter().position(|slot| !slot.live)?;
        let slot = slots.get_mut(index)?;
        *slot = Slot { live: true, dtor, given: slot.given.wrapping_add(1) };
        Some(self.key(index, slot))
    }

    fn destroy(&self, key: *mut c_void) {
        let Some(index) = self.index(key) else { return };
        if let Some(slot) = self.lock().get_mut(index) {
            slot.live = false;
        }
    }
}

/// Which of an instance's words belongs to a key.
fn word_of(index: usize) -> usize {
    instance::MODULE_SLOT + 1 + index
}

/// Calls the destructors of all live keys for an instance that is taken down, whether or not a
/// pointer was set, and before that for those of the modules that it imports from, which go with
/// it. Only for main instances: those of guest threads inherit the pointers.
pub(crate) fn end(instance: &Instance, keys: &Keys) {
    instance.for_each_linked(&mut |imported| end_one(imported, keys));
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
/// it, NULL if none was. A context has seven keys at most. NULL with a log line when they are used
/// up, and without a context. To be made before the instances are: those made earlier have NULL, or
/// what was set under a key that was destroyed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_create_context_key(
    dtor: Option<unsafe extern "C" fn(inst: wasm_module_inst_t, ctx: *mut c_void)>,
) -> *mut c_void {
    guard(|| {
        let keys = context::current().and_then(|context| Keys::of(&context).ok());
        keys.and_then(|keys| keys.create(dtor)).unwrap_or_else(|| {
            log::error(format_args!("failed to allocate instance context key"));
            null_mut()
        })
    })
}

/// Gives back a key of the calling thread's context. No destructor is called for it any more.
/// Keys that are gone, keys of other contexts and NULL are ignored.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_destroy_context_key(key: *mut c_void) {
    guard(|| {
        if let Some(keys) = context::current().and_then(|context| context.data::<Keys>()) {
            keys.destroy(key);
        }
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
    // SAFETY: passed on.
    let instance = unsafe { handle::instance(inst) }?;
    // SAFETY: an instance holds its module.
    let index = match unsafe { instance::module_of(&instance) } {
        Some(module) => module.keys.index(key),
        // An imported module's.
        None => instance.context().data::<Keys>()?.index(key),
    };
    Some((instance, index?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_their_context_and_their_turn() {
        let of = |context| Keys { context, slots: Lock::default() };
        let (ours, theirs) = (of(1), of(2));
        let first = ours.create(None).expect("a key");
        assert_eq!((ours.index(first), theirs.index(first)), (Some(0), None));
        assert_ne!(theirs.create(None), Some(first));
        assert_eq!((ours.index(null_mut()), theirs.index(first)), (None, None));
        let others: Vec<_> = (1..KEYS).map(|_| ours.create(None).expect("a key")).collect();
        assert_eq!(ours.create(None), None);
        ours.destroy(first);
        assert_eq!(ours.index(first), None);
        ours.destroy(first);
        let again = ours.create(None).expect("a key");
        assert!(again != first && ours.index(again) == Some(0) && ours.index(first).is_none());
        assert_eq!(others.last().and_then(|key| ours.index(*key)), Some(KEYS - 1));
    }
}
