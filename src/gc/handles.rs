//! Handles: references that the host holds, until it gives them back.

use super::heap::GcHeap;
use super::reference::GcRef;
use crate::alloc::fallible;

/// Keeps an object alive; to be given back with [`GcHeap::unpin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GcHandle {
    part: u32,
    index: u32,
    generation: u32,
}

/// The handles of a part. Owner: the part.
#[derive(Default)]
pub(super) struct Handles {
    slots: Vec<HandleSlot>,
    /// The first slot that is free; the others follow.
    free: Option<u32>,
}

/// A slot holds the handles of one generation after the other.
struct HandleSlot {
    generation: u32,
    held: SlotState,
}

enum SlotState {
    Object(GcRef),
    /// With the next free slot.
    Free(Option<u32>),
}

impl Handles {
    pub(super) fn objects(&self) -> impl Iterator<Item = GcRef> {
        self.slots.iter().filter_map(HandleSlot::object)
    }
}

impl HandleSlot {
    fn object(&self) -> Option<GcRef> {
        match self.held {
            SlotState::Object(object) => Some(object),
            SlotState::Free(_) => None,
        }
    }
}

impl GcHeap {
    /// Keeps an object alive until the handle is given back, or the heap ends. `None` if it is
    /// none, or if memory runs out.
    pub fn pin(&mut self, object: GcRef) -> Option<GcHandle> {
        if !self.is_live(object) {
            return None;
        }
        let part = self.own_part()?;
        let handles = &mut part.handles;
        let index = match handles.free {
            Some(index) => index,
            None => {
                let index = u32::try_from(handles.slots.len()).ok()?;
                fallible(|| handles.slots.try_reserve(1)).ok()?;
                handles.slots.push(HandleSlot { generation: 0, held: SlotState::Free(None) });
                index
            }
        };
        let slot = handles.slots.get_mut(index as usize)?;
        if let SlotState::Free(next) = std::mem::replace(&mut slot.held, SlotState::Object(object))
        {
            handles.free = next;
        }
        Some(GcHandle { part: part.number, index, generation: slot.generation })
    }

    /// The object of a handle; `None` if it was given back.
    pub fn pinned(&self, handle: GcHandle) -> Option<GcRef> {
        let part = self.parts.get(self.part_index(handle.part)?)?;
        let slot = part.handles.slots.get(handle.index as usize)?;
        if slot.generation == handle.generation { slot.object() } else { None }
    }

    /// Gives a handle back. `None`, and nothing happens, if it was given back before.
    pub fn unpin(&mut self, handle: GcHandle) -> Option<GcRef> {
        let object = self.pinned(handle)?;
        let part = self.part_index(handle.part)?;
        let handles = &mut self.parts.get_mut(part)?.handles;
        let slot = handles.slots.get_mut(handle.index as usize)?;
        slot.generation = slot.generation.wrapping_add(1);
        slot.held = SlotState::Free(handles.free.replace(handle.index));
        Some(object)
    }
}
