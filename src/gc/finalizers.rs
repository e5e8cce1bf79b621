//! A list of finalizers: functions of the host that run when an object is reachable no longer.

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

    pub(super) fn has_due(&self) -> bool {
        self.waiting < self.entries.len()
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Objects whose finalizers are to be run.
    pub(super) fn due(&self) -> impl Iterator<Item = GcRef> {
        self.entries[self.waiting..].iter().map(|entry| entry.0)
    }

    /// Makes one that waits one that is to be run; the last of those that wait takes its place.
    pub(super) fn end(&mut self, index: usize) {
        if index < self.waiting {
            self.waiting -= 1;
            self.entries.swap(index, self.waiting);
        }
    }

    fn push(&mut self, entry: (GcRef, GcFinalizer), waits: bool) {
        self.entries.push(entry);
        if waits {
            let last = self.entries.len() - 1;
            self.entries.swap(self.waiting, last);
            self.waiting += 1;
        }
    }

    /// Adds one that waits; false if memory runs out.
    pub(super) fn add(&mut self, object: GcRef, finalizer: GcFinalizer) -> bool {
        if fallible(|| self.entries.try_reserve(1)).is_err() {
            return false;
        }
        self.push((object, finalizer), true);
        true
    }

    fn position(&self, object: GcRef) -> Option<usize> {
        self.entries[..self.waiting].iter().position(|entry| entry.0 == object)
    }

    /// Puts one in the place of the one that an object has; false if it has none.
    pub(super) fn replace(&mut self, object: GcRef, finalizer: GcFinalizer) -> bool {
        let Some(index) = self.position(object) else { return false };
        self.entries[index].1 = finalizer;
        true
    }

    /// Takes the one away that waits for an object.
    pub(super) fn remove(&mut self, object: GcRef) -> Option<GcFinalizer> {
        self.end(self.position(object)?);
        Some(self.entries.swap_remove(self.waiting).1)
    }

    /// Takes one that is to be run.
    pub(super) fn take_due(&mut self) -> Option<(GcRef, GcFinalizer)> {
        if self.entries.len() == self.waiting { None } else { self.entries.pop() }
    }

    /// Takes over others; false, and nothing has happened, if memory runs out.
    pub(super) fn absorb(&mut self, other: &mut Self) -> bool {
        if fallible(|| self.entries.try_reserve(other.entries.len())).is_err() {
            return false;
        }
        let waiting = std::mem::take(&mut other.waiting);
        for (index, entry) in other.entries.drain(..).enumerate() {
            self.push(entry, index < waiting);
        }
        true
    }
}
