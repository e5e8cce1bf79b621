//! Exceptions: objects with a word of the caller's, and slots as a frame has them.
//!
//! The word says to the caller which exception it is. The heap does not look at it, nor can anybody
//! change it. The heap is not told which of the slots are references: a collection takes each of
//! them for one that may be.

use super::allocate::HeapFull;
use super::heap::GcHeap;
use super::object::{EXCEPTION_HEAD_WORDS, ObjectHead, slots};
use super::reference::GcRef;

impl GcHeap {
    /// Makes an exception with the caller's `word` and these slots.
    pub fn alloc_exception(&mut self, word: u64, payload: &[u64]) -> Result<GcRef, HeapFull> {
        let len = u32::try_from(payload.len()).map_err(|_| HeapFull::Exhausted)?;
        let size = EXCEPTION_HEAD_WORDS as u64 + u64::from(len);
        let object =
            self.allocate(size, 0, ObjectHead::of_exception(), Some(len), &mut || Ok(()))?;
        if let Some((words, head)) = self.object_mut(object)
            && let Some(range) = slots(words, head)
            && let Some(place) = words.get_mut(range.start - 1..range.end)
        {
            place[0] = word;
            place[1..].copy_from_slice(payload);
        }
        Ok(object)
    }

    /// The word and the slots of an exception; `None` if it is none. The slots stay where they are
    /// as long as it lives.
    pub fn exception(&self, object: GcRef) -> Option<(u64, &[u64])> {
        let (words, head) = self.object(object)?;
        if !ObjectHead(*words.get(head)?).is_exception() {
            return None;
        }
        let range = slots(words, head)?;
        let (word, payload) = words.get(range.start - 1..range.end)?.split_first()?;
        Some((*word, payload))
    }
}
