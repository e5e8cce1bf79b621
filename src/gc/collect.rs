//! Collections: which objects can be reached, and what becomes of the others.

use super::chunk::{Chunk, ChunkNo};
use super::heap::{BYTES_MIN, GcHeap};
use super::look::GcLook;
use super::object::{extent, references};
use super::reference::GcRef;
use crate::abi::trap::Trap;
use crate::platform::time::{Clock, now};

/// Steps between two looks: references, objects, chunks, groups of bits.
const STEPS: usize = 4096;

/// Shows a collection all references that the caller knows of.
pub type GcRoots<'a> = dyn FnMut(&mut GcMarker<'_, '_, '_>) -> Result<(), Trap> + 'a;

/// A collection under way. It may end at every step.
pub struct GcMarker<'h, 'l, 'a> {
    heap: &'h mut GcHeap,
    look: &'l mut GcLook<'a>,
    /// Steps before the next look.
    left: usize,
    /// Steps until now.
    taken: u64,
    /// Words of the objects that were found.
    found_words: u64,
}

impl GcHeap {
    /// Frees what neither `roots` show nor handles hold nor what these lead to. Objects with
    /// finalizers are not freed by the collection that finds that they could be, but by the next
    /// one: their finalizers are to be taken from [`take_finalizer`](Self::take_finalizer).
    ///
    /// Ends with the reason if `roots` or `look` say so. Then some objects are freed that could not
    /// be reached, or none; nothing else has happened, and the next collection starts anew.
    pub fn collect(&mut self, roots: &mut GcRoots<'_>, look: &mut GcLook<'_>) -> Result<(), Trap> {
        self.take_run_back();
        let begun = now(Clock::Monotonic);
        let collected = self.mark_and_sweep(roots, look);
        if let (Some(begun), Some(ended)) = (begun, now(Clock::Monotonic)) {
            let pause = ended.saturating_sub(begun);
            self.stats.longest_pause_ns = self.stats.longest_pause_ns.max(pause);
        }
        collected
    }

    fn mark_and_sweep(
        &mut self,
        roots: &mut GcRoots<'_>,
        look: &mut GcLook<'_>,
    ) -> Result<(), Trap> {
        // The first step looks, so that short collections one after the other do.
        let mut marker = GcMarker { heap: self, look, left: 0, taken: 0, found_words: 0 };
        marker.forget_marks()?;
        marker.mark_held()?;
        roots(&mut marker)?;
        marker.follow()?;
        marker.end_finalizers()?;
        marker.sweep()?;
        let (taken, live) = (marker.taken, marker.found_words * 8);
        self.stats.bytes_in_use = live;
        self.stats.collections += 1;
        // A step costs about as much time as making a small object.
        self.trigger = live.saturating_add(BYTES_MIN.max(live).max(taken * 16));
        self.fresh = true;
        Ok(())
    }
}

impl GcHeap {
    /// Calls `each` with all words of objects that may be references, until it fails.
    pub fn for_each_reference(
        &self,
        each: &mut dyn FnMut(u64) -> Result<(), Trap>,
    ) -> Result<(), Trap> {
        for chunk in self.parts.iter().flat_map(|part| &part.chunks) {
            for (group, &heads) in chunk.heads.iter().enumerate() {
                let mut heads = heads;
                while heads != 0 {
                    let head = chunk.base + group * 64 + heads.trailing_zeros() as usize;
                    heads &= heads - 1;
                    for word in references(&chunk.words, head) {
                        each(word)?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl GcMarker<'_, '_, '_> {
    /// The caller has looked at something that takes as long as so many references.
    pub fn step(&mut self, steps: usize) -> Result<(), Trap> {
        self.taken += steps as u64;
        if steps < self.left {
            self.left -= steps;
            return Ok(());
        }
        self.left = STEPS;
        (self.look)()
    }

    /// Takes a step, and keeps the object that a word leads to. All other words are fine, too.
    #[inline]
    pub fn mark(&mut self, word: u64) -> Result<(), Trap> {
        self.step(1)?;
        let listed = self.heap.listed;
        if let Some(object) = GcRef::from_word(word)
            && let Some(at) = self.heap.find(object)
            && let Some(chunk) = self.heap.chunk_mut(at)
            && chunk.mark(object.place())
        {
            chunk.next = listed;
            self.heap.listed = Some(at);
        }
        Ok(())
    }

    /// Calls `each` with all chunks.
    fn for_each_chunk(
        &mut self,
        each: fn(&mut Self, ChunkNo) -> Result<(), Trap>,
    ) -> Result<(), Trap> {
        for part in 0..self.heap.parts.len() {
            for chunk in 0..self.heap.parts[part].chunks.len() {
                let at = ChunkNo { part: part as u32, chunk: chunk as u32 };
                let groups = self.heap.chunk(at).map_or(0, |chunk| chunk.heads.len());
                self.step(1 + groups)?;
                each(self, at)?;
            }
        }
        Ok(())
    }

    /// Takes the marks back that a collection has left which was abandoned.
    fn forget_marks(&mut self) -> Result<(), Trap> {
        if self.heap.has_marks {
            self.for_each_chunk(|marker, at| {
                if let Some(chunk) = marker.heap.chunk_mut(at) {
                    chunk.forget_marks();
                }
                Ok(())
            })?;
        }
        self.heap.listed = None;
        self.heap.has_marks = true;
        Ok(())
    }

    /// Marks what the heap itself holds: handles, and objects whose finalizers are to be run.
    fn mark_held(&mut self) -> Result<(), Trap> {
        for part in 0..self.heap.parts.len() {
            let handles = std::mem::take(&mut self.heap.parts[part].handles);
            let marked = handles.objects().try_for_each(|object| self.mark(object.word()));
            self.heap.parts[part].handles = handles;
            marked?;
        }
        let finalizers = std::mem::take(&mut self.heap.finalizers);
        let marked = finalizers.due().try_for_each(|object| self.mark(object.word()));
        self.heap.finalizers = finalizers;
        marked
    }

    /// Marks what the objects lead to that were found so far. Takes no memory, whatever the shape
    /// of what they lead to.
    fn follow(&mut self) -> Result<(), Trap> {
        while let Some(at) = self.heap.listed {
            let Some(chunk) = self.heap.chunk_mut(at) else { break };
            let next = chunk.next;
            // Marking needs the bits alone, so the words can be read meanwhile.
            let words = std::mem::take(&mut chunk.words);
            self.heap.listed = next;
            let looked = self.look_at(at, &words);
            if let Some(chunk) = self.heap.chunk_mut(at) {
                chunk.words = words;
                chunk.listed = false;
            }
            looked?;
        }
        Ok(())
    }

    /// Looks at the gray objects of a chunk until there are none.
    fn look_at(&mut self, at: ChunkNo, words: &[u64]) -> Result<(), Trap> {
        loop {
            let Some(chunk) = self.heap.chunk_mut(at) else { return Ok(()) };
            let Some(place) = chunk.take_gray() else { return Ok(()) };
            let head = chunk.base + place;
            let size = extent(words, head).map_or(0, |object| object.len());
            chunk.found += size;
            self.found_words += size as u64;
            self.step(1)?;
            for word in references(words, head) {
                self.mark(word)?;
            }
        }
    }

    /// Finds the finalizers that are to be run, and keeps their objects and what these lead to.
    fn end_finalizers(&mut self) -> Result<(), Trap> {
        let before = self.heap.finalizers.waiting();
        // From the end on, so that the entry that takes the place of another was looked at.
        for index in (0..before).rev() {
            self.step(1)?;
            let Some(object) = self.heap.finalizers.object(index) else { continue };
            let chunk = self.heap.find(object).and_then(|at| self.heap.chunk(at));
            if !chunk.is_some_and(|chunk| chunk.is_marked(object.place())) {
                self.heap.end_finalizer(index);
            }
        }
        if self.heap.finalizers.waiting() < before {
            self.mark_held()?;
            self.follow()?;
        }
        Ok(())
    }

    /// Frees what was not marked; then no marks are left.
    fn sweep(&mut self) -> Result<(), Trap> {
        self.heap.restart_search();
        self.for_each_chunk(|marker, at| {
            let left = marker.heap.chunk_mut(at).map(Chunk::sweep);
            let taken = marker.heap.chunk(at).is_some_and(|chunk| !chunk.words.is_empty());
            if left == Some(false) && taken {
                marker.heap.release(at, marker.look)?;
            }
            Ok(())
        })?;
        self.heap.has_marks = false;
        Ok(())
    }
}
