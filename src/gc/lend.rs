//! The free run in the hands of running code, which takes words from its front (`direct`).
//!
//! The view of the heap's own part lends it. Before the heap itself looks at the run, it is taken
//! back, and the objects in it are counted.

use super::heap::{FreeRun, GcHeap, HeapPart};
use super::reference::GcRef;
use super::view::no_objects;
use crate::abi::vm_layout::{VmChunk, VmObjects};
use std::ptr;

impl GcHeap {
    /// What running code sees of objects of the heap's own. It lives as long as the heap and all
    /// that absorb it, and is for the thread that uses them.
    pub fn view(&self) -> *mut VmObjects {
        self.parts.first().map_or(no_objects(), |part| part.view.pointer())
    }

    fn own_view(&mut self) -> Option<&mut VmObjects> {
        self.parts.first_mut()?.view.get_mut()
    }

    /// Words of objects that running code has made of the run since it was lent.
    pub(super) fn words_made(&self) -> usize {
        let view = self.parts.first().and_then(|part| part.view.get());
        view.map_or(0, |view| (view.cursor.addr() - self.lent.min(view.cursor.addr())) / 8)
    }

    /// Lends the run to running code, as much of it as may be used before a collection is due.
    #[inline]
    pub(super) fn lend_run(&mut self) {
        let FreeRun { at, cursor, end } = self.run;
        let room = self.trigger.saturating_sub(self.stats.bytes_in_use) / 8;
        let len = (room.min((end - cursor) as u64)) as usize;
        if len == 0 || self.stress || self.fresh {
            return;
        }
        let Some(HeapPart { number, chunks, .. }) = self.parts.get_mut(at.part as usize) else {
            return;
        };
        let Some(chunk) = chunks.get_mut(at.chunk as usize) else { return };
        let VmChunk { words, heads, .. } = chunk.view();
        let run_first = GcRef::new(*number, at.chunk, 0).word();
        // Several objects share the chunk, so that places are words.
        let (cursor, limit) = (words.wrapping_add(cursor), words.wrapping_add(cursor + len));
        self.lent = cursor.addr();
        if let Some(view) = self.own_view() {
            (view.cursor, view.limit) = (cursor, limit);
            (view.run_words, view.run_heads, view.run_first) = (words, heads, run_first);
        }
    }

    /// Takes the run back, and counts the objects that were made of it.
    #[inline]
    pub(super) fn take_run_back(&mut self) {
        let words = self.words_made();
        if let Some(view) = self.own_view() {
            (view.cursor, view.limit) = (ptr::null_mut(), ptr::null_mut());
        }
        self.lent = usize::MAX;
        if words > 0 {
            let FreeRun { at, cursor, .. } = self.run;
            self.run.cursor = cursor + words;
            if let Some(chunk) = self.chunk_mut(at) {
                chunk.used += words;
            }
            self.stats.bytes_in_use += words as u64 * 8;
            self.stats.bytes_allocated += words as u64 * 8;
        }
    }
}
