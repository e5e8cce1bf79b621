//! Tables of references that the host holds until it gives them back: by handles, and by counts.

use super::reference::GcRef;
use crate::alloc::fallible;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// Keeps an object alive; to be given back with [`GcHeap::unpin`](super::GcHeap::unpin).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GcHandle {
    /// The number of the part whose table it is in.
    pub(super) part: u32,
    index: u32,
    generation: u32,
}

/// The handles of a part. Owner: the part.
#[derive(Default)]
pub(super) struct Handles {
    slots: Vec<HandleSlot>,
    /// The first slot that is free; the others follow.
    free: Option<u32>,
    /// How often objects of the part are held without handles.
    held: HashMap<GcRef, u32, BuildHasherDefault<DefaultHasher>>,
}

/// A slot has the handles of one generation after the other.
struct HandleSlot {
    generation: u32,
    state: HandleState,
}

enum HandleState {
    Object(GcRef),
    /// With the next free slot.
    Free(Option<u32>),
}

impl Handles {
    pub(super) fn objects(&self) -> impl Iterator<Item = GcRef> {
        self.slots.iter().filter_map(HandleSlot::object).chain(self.held.keys().copied())
    }

    /// Holds an object once more; false if memory runs out.
    pub(super) fn hold(&mut self, object: GcRef) -> bool {
        if fallible(|| self.held.try_reserve(1)).is_err() {
            return false;
        }
        let count = self.held.entry(object).or_default();
        *count = count.saturating_add(1);
        true
    }

    /// Takes one [`Handles::hold`] back; false if there is none.
    pub(super) fn let_go(&mut self, object: GcRef) -> bool {
        let Some(count) = self.held.get_mut(&object) else { return false };
        *count -= 1;
        if *count == 0 {
            self.held.remove(&object);
        }
        true
    }

    /// A handle in this table, which is that of `part`; `None` if memory runs out.
    pub(super) fn add(&mut self, part: u32, object: GcRef) -> Option<GcHandle> {
        let index = match self.free {
            Some(index) => index,
            None => {
                let index = u32::try_from(self.slots.len()).ok()?;
                fallible(|| self.slots.try_reserve(1)).ok()?;
                self.slots.push(HandleSlot { generation: 0, state: HandleState::Free(None) });
                index
            }
        };
        let slot = self.slots.get_mut(index as usize)?;
        if let HandleState::Free(next) =
            std::mem::replace(&mut slot.state, HandleState::Object(object))
        {
            self.free = next;
        }
        Some(GcHandle { part, index, generation: slot.generation })
    }

    pub(super) fn get(&self, handle: GcHandle) -> Option<GcRef> {
        let slot = self.slots.get(handle.index as usize)?;
        if slot.generation == handle.generation { slot.object() } else { None }
    }

    pub(super) fn remove(&mut self, handle: GcHandle) -> Option<GcRef> {
        let object = self.get(handle)?;
        let slot = self.slots.get_mut(handle.index as usize)?;
        slot.generation = slot.generation.wrapping_add(1);
        slot.state = HandleState::Free(self.free.replace(handle.index));
        Some(object)
    }
}

impl HandleSlot {
    fn object(&self) -> Option<GcRef> {
        match self.state {
            HandleState::Object(object) => Some(object),
            HandleState::Free(_) => None,
        }
    }
}
