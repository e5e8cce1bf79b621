//! What the host asks of objects: to stay, and to hear of their end.

use super::finalizers::GcFinalizer;
use super::handles::GcHandle;
use super::heap::{GcHeap, HeapPart};
use super::object::ObjectHead;
use super::reference::GcRef;

impl GcHeap {
    /// Keeps an object alive until the handle is given back, or the heap ends. `None` if there is
    /// no such object, or if memory runs out.
    pub fn pin(&mut self, object: GcRef) -> Option<GcHandle> {
        if !self.is_live(object) {
            return None;
        }
        let part = self.own_part()?;
        part.handles.add(part.number, object)
    }

    /// The object of a handle; `None` if it was given back.
    pub fn pinned(&self, handle: GcHandle) -> Option<GcRef> {
        self.parts.get(self.part_index(handle.part)?)?.handles.get(handle)
    }

    /// Gives a handle back. `None`, and nothing happens, if it was given back before.
    pub fn unpin(&mut self, handle: GcHandle) -> Option<GcRef> {
        let part = self.part_index(handle.part)?;
        self.parts.get_mut(part)?.handles.remove(handle)
    }

    /// Keeps an object alive until each such call was taken back by [`GcHeap::let_go`], or the heap
    /// ends. False if there is no such object, or if memory runs out.
    pub fn hold(&mut self, object: GcRef) -> bool {
        self.is_live(object) && self.part_of(object).is_some_and(|part| part.handles.hold(object))
    }

    /// Takes one [`GcHeap::hold`] back; false if there is none.
    pub fn let_go(&mut self, object: GcRef) -> bool {
        self.part_of(object).is_some_and(|part| part.handles.let_go(object))
    }

    fn part_of(&mut self, object: GcRef) -> Option<&mut HeapPart> {
        let part = self.part_index(object.part())?;
        self.parts.get_mut(part)
    }

    /// Whether the caller is to run finalizers now: some are due, and no caller is about it.
    pub fn begin_finalizers(&mut self) -> bool {
        self.finalizers.has_due() && !std::mem::replace(&mut self.finalizing, true)
    }

    /// Ends what [`GcHeap::begin_finalizers`] began.
    pub fn finalizers_done(&mut self) {
        self.finalizing = false;
    }

    /// Has `finalizer` run once the object is reachable no longer, in place of the one it had; then
    /// takes a step for each finalizer there is. False if there is no such object, or no memory.
    pub fn set_finalizer(&mut self, object: GcRef, finalizer: GcFinalizer) -> bool {
        let Some(head) = self.head(object) else { return false };
        if head.has_finalizer() && self.finalizers.replace(object, finalizer) {
            return true;
        }
        self.finalizers.add(object, finalizer) && self.note_finalizer(object, true)
    }

    /// Takes an object's finalizer away, which takes a step for each there is.
    pub fn unset_finalizer(&mut self, object: GcRef) -> Option<GcFinalizer> {
        if !self.head(object)?.has_finalizer() {
            return None;
        }
        let finalizer = self.finalizers.remove(object)?;
        self.note_finalizer(object, false);
        Some(finalizer)
    }

    /// A finalizer to be run, and its object, which is unchanged. The heap no longer keeps the
    /// object: unless the caller makes it reachable, the next collection frees it.
    pub fn take_finalizer(&mut self) -> Option<(GcRef, GcFinalizer)> {
        self.finalizers.take_due()
    }

    pub fn has_finalizers(&self) -> bool {
        !self.finalizers.is_empty()
    }

    /// The heap ends: all finalizers are to be run, whether their objects are reachable or not.
    pub fn end_finalizers(&mut self) {
        for index in (0..self.finalizers.waiting()).rev() {
            self.end_finalizer(index);
        }
    }

    /// The finalizer with this number is to be run.
    pub(super) fn end_finalizer(&mut self, index: usize) {
        if let Some(object) = self.finalizers.object(index) {
            self.note_finalizer(object, false);
        }
        self.finalizers.end(index);
    }

    fn note_finalizer(&mut self, object: GcRef, has: bool) -> bool {
        let Some((words, head)) = self.object_mut(object) else { return false };
        let Some(word) = words.get_mut(head) else { return false };
        *word = ObjectHead(*word).with_finalizer(has).0;
        true
    }
}
