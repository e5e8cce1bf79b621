//! Instance contexts: pointers that host libraries keep with instances, under keys.
//!
//! A key is a slot of the instances of one runtime context. Its value names the context and how
//! often the slot was given out before, so that keys of other contexts and keys that are gone
//! mean nothing. Slot 0 of an instance is its module's.

use super::early::{Early, KEYS};
use super::instance;
use super::types::wasm_module_inst_t;
use crate::ffi::{context, guard, handle, log};
use isothread::context::thread;
use isothread::{Context, ContextData, Instance, Lock, LockGuard};
use std::ffi::c_void;
use std::ptr::{null_mut, with_exposed_provenance_mut, without_provenance_mut};
use std::sync::Arc;

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
    /// What its keys name instead of the context, if a thread without one made it; else 0.
    thread: u64,
}

/// The key of a slot: never NULL, and different each time the slot is given out.
fn key_of(maker: u64, given: u32, index: usize) -> *mut c_void {
    let number = maker.rotate_left(24) ^ u64::from(given) << 4;
    without_provenance_mut(number as usize & !0xF | (index + 1))
}

/// What the keys name that the calling thread makes while it has no context; no context's number.
fn maker_of_thread() -> u64 {
    1 << 39 | thread::number()
}

impl Keys {
    pub(crate) fn of(context: &Context) -> isothread::Result<Arc<Self>> {
        context.data_or_init(|| Self { context: context.id(), slots: Lock::default() })
    }

    fn lock(&self) -> LockGuard<'_, [Slot; KEYS]> {
        self.slots.lock()
    }

    fn key(&self, index: usize, slot: &Slot) -> *mut c_void {
        let maker = if slot.thread == 0 { self.context } else { slot.thread };
        key_of(maker, slot.given, index)
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
        let given = if slot.thread == 0 { slot.given.wrapping_add(1) } else { 1 };
        *slot = Slot { live: true, dtor, given, thread: 0 };
        Some(self.key(index, slot))
    }

    fn destroy(&self, key: *mut c_void) {
        let Some(index) = self.index(key) else { return };
        if let Some(slot) = self.lock().get_mut(index) {
            slot.live = false;
        }
    }
}

/// Gives a context that was just made the keys that its thread had before.
pub(super) fn adopt(context: &Context, early: &Early) {
    let Ok(keys) = Keys::of(context) else { return };
    let mut slots = keys.lock();
    for (index, slot) in slots.iter_mut().enumerate() {
        let given = early.given[index] as u32;
        if given != 0 && !slot.live {
            let dtor = dtor_of(early.dtors[index]);
            *slot = Slot { live: true, dtor, given, thread: maker_of_thread() };
        }
    }
}

/// A destructor that is kept as a word.
fn dtor_of(word: usize) -> Option<Dtor> {
    let pointer = with_exposed_provenance_mut::<c_void>(word);
    // SAFETY: zero is `None`, and other words come from `create_early`, which got a `Dtor`.
    unsafe { std::mem::transmute::<*mut c_void, Option<Dtor>>(pointer) }
}

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
    instance::MODULE_SLOT + 1 + index
}

/// Calls the destructors of all live keys for an instance that is taken down, whether or not a
/// pointer was set, and before that for those of the modules that it imports from, which go with
/// it. Only for main instances: those of guest threads inherit the pointers.
pub(crate) fn end(instance: &Instance, keys: &Keys) {
    if !keys.lock().iter().any(|slot| slot.live) {
        return;
    }
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
/// it, NULL if none was. A context has seven keys at most: NULL, with a log line, when all are in
/// use.
///
/// Make keys before instances: under a new key, an instance that is older has NULL, or what was
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
