//! A context's keys for pointers that host libraries keep with instances.
//!
//! A key is a slot of the instances of one runtime context. Its value names the context and how
//! often the slot was given out before, so that keys of other contexts and keys that are gone
//! mean nothing.

use super::remembered::{Early, KEYS};
use crate::shared::wasm_module_inst_t;
use isothread::context::thread;
use isothread::{Context, ContextData, Lock, LockGuard};
use std::ffi::c_void;
use std::ptr::{with_exposed_provenance_mut, without_provenance_mut};
use std::sync::Arc;

pub(super) type Dtor = unsafe extern "C" fn(wasm_module_inst_t, *mut c_void);

/// A context's keys. Owner: the context, and with it each of its modules.
pub(crate) struct Keys {
    /// A number that no other context of the process has.
    context: u64,
    slots: Lock<[KeySlot; KEYS]>,
}

impl ContextData for Keys {}

#[derive(Clone, Copy, Default)]
pub(super) struct KeySlot {
    pub(super) live: bool,
    pub(super) dtor: Option<Dtor>,
    /// How often the slot was given out.
    given: u32,
    /// The number that its keys name instead of the context, if a thread without one made it;
    /// else 0.
    thread: u64,
}

/// The key of a slot: never NULL, and different each time the slot is given out.
pub(super) fn key_of(maker: u64, given: u32, index: usize) -> *mut c_void {
    let number = maker.rotate_left(24) ^ u64::from(given) << 4;
    without_provenance_mut(number as usize & !0xF | (index + 1))
}

/// The number in keys that the calling thread makes while it has no context; no context's number.
pub(super) fn maker_of_thread() -> u64 {
    1 << 39 | thread::number()
}

impl Keys {
    pub(crate) fn of(context: &Context) -> isothread::Result<Arc<Self>> {
        context.data_or_init(|| Self { context: context.id(), slots: Lock::default() })
    }

    pub(super) fn lock(&self) -> LockGuard<'_, [KeySlot; KEYS]> {
        self.slots.lock()
    }

    fn key(&self, index: usize, slot: &KeySlot) -> *mut c_void {
        let maker = if slot.thread == 0 { self.context } else { slot.thread };
        key_of(maker, slot.given, index)
    }

    /// The number of a key's slot, if the key is one of these and live.
    pub(super) fn index(&self, key: *mut c_void) -> Option<usize> {
        let index = (key.addr() & 0xF).checked_sub(1)?;
        let slots = self.lock();
        let slot = slots.get(index)?;
        (slot.live && self.key(index, slot) == key).then_some(index)
    }

    pub(super) fn create(&self, dtor: Option<Dtor>) -> Option<*mut c_void> {
        let mut slots = self.lock();
        let index = slots.iter().position(|slot| !slot.live)?;
        let slot = slots.get_mut(index)?;
        let given = if slot.thread == 0 { slot.given.wrapping_add(1) } else { 1 };
        *slot = KeySlot { live: true, dtor, given, thread: 0 };
        Some(self.key(index, slot))
    }

    pub(super) fn destroy(&self, key: *mut c_void) {
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
            *slot = KeySlot { live: true, dtor, given, thread: maker_of_thread() };
        }
    }
}

/// A destructor that is kept as a word.
fn dtor_of(word: usize) -> Option<Dtor> {
    let pointer = with_exposed_provenance_mut::<c_void>(word);
    // SAFETY: zero is `None`, and other words come from `create_early`, which got a `Dtor`.
    unsafe { std::mem::transmute::<*mut c_void, Option<Dtor>>(pointer) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::null_mut;

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
