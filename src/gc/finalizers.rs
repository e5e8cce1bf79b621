//! Finalizers: what the host wants to hear when an object is reachable no longer.

use super::heap::GcHeap;
use super::object::ObjectHead;
use super::reference::GcRef;
use crate::alloc::fallible;

/// Two words of the host's, which nobody here looks at: a function's address and its argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GcFinalizer {
    pub callback: usize,
    pub data: usize,
}

/// The finalizers of a heap. Owner: the heap.
#[derive(Default)]
pub(super) struct Finalizers {
    /// Those of objects that were reachable at the last look; behind them those to be run.
    entries: Vec<(GcRef, GcFinalizer)>,
    /// How many there are of the former.
    waiting: usize,
}

impl Finalizers {
    pub(super) fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) fn object(&self, index: usize) -> Option<GcRef> {
        self.entries.get(index).map(|entry| entry.0)
    }

    /// Objects whose finalizers are to be run.
    pub(super) fn due(&self) -> impl Iterator<Item = GcRef> {
        self.entries[self.waiting..].iter().map(|entry| entry.0)
    }

    /// Makes one that waits, the last one of them in its place, one that is to be run.
    pub(super) fn end(&mut self, index: usize) {
        if index < self.waiting {
            self.waiting -= 1;
            self.entries.swap(index, self.waiting);
        }
    }

    fn add(&mut self, object: GcRef, finalizer: GcFinalizer) -> bool {
        if fallible(|| self.entries.try_reserve(1)).is_err() {
            return false;
        }
        self.entries.push((object, finalizer));
        let last = self.entries.len() - 1;
        self.entries.swap(self.waiting, last);
        self.waiting += 1;
        true
    }

    /// Takes over others; false, and nothing has happened, if memory runs out.
    pub(super) fn absorb(&mut self, other: &mut Self) -> bool {
        if fallible(|| self.entries.try_reserve(other.entries.len())).is_err() {
            return false;
        }
        for (index, entry) in other.entries.drain(..).enumerate() {
            self.entries.push(entry);
            if index < other.waiting {
                let last = self.entries.len() - 1;
                self.entries.swap(self.waiting, last);
                self.waiting += 1;
            }
        }
        other.waiting = 0;
        true
    }
}

impl GcHeap {
    /// Has `finalizer` run once the object is reachable no longer, in place of the one it had; then
    /// takes a step for each finalizer there is. False if there is no such object, or no memory.
    pub fn set_finalizer(&mut self, object: GcRef, finalizer: GcFinalizer) -> bool {
        let Some(head) = self.head(object) else { return false };
        if head.has_finalizer() {
            let waiting = &mut self.finalizers.entries[..self.finalizers.waiting];
            if let Some(entry) = waiting.iter_mut().find(|entry| entry.0 == object) {
                entry.1 = finalizer;
                return true;
            }
        }
        self.finalizers.add(object, finalizer) && self.note_finalizer(object, true)
    }

    /// Takes an object's finalizer away, which takes a step for each there is.
    pub fn unset_finalizer(&mut self, object: GcRef) -> Option<GcFinalizer> {
        if !self.head(object)?.has_finalizer() {
            return None;
        }
        let Finalizers { entries, waiting } = &mut self.finalizers;
        let index = entries[..*waiting].iter().position(|entry| entry.0 == object)?;
        *waiting -= 1;
        entries.swap(index, *waiting);
        let (_, finalizer) = entries.swap_remove(*waiting);
        self.note_finalizer(object, false);
        Some(finalizer)
    }

    /// A finalizer to be run, and its object, which still is as it was. From now on nothing keeps
    /// that alive but what the caller does: it is gone with the next collection.
    pub fn take_finalizer(&mut self) -> Option<(GcRef, GcFinalizer)> {
        if self.finalizers.entries.len() == self.finalizers.waiting {
            return None;
        }
        self.finalizers.entries.pop()
    }

    /// The heap ends: all finalizers are to be run, whether their objects are reachable or not.
    pub fn end_finalizers(&mut self) {
        for index in 0..self.finalizers.waiting {
            if let Some(object) = self.finalizers.object(index) {
                self.note_finalizer(object, false);
            }
        }
        self.finalizers.waiting = 0;
    }

    pub(super) fn note_finalizer(&mut self, object: GcRef, has: bool) -> bool {
        let Some((words, head)) = self.object_mut(object) else { return false };
        let Some(word) = words.get_mut(head) else { return false };
        *word = ObjectHead(*word).with_finalizer(has).0;
        true
    }
}
