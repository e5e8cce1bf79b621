//! Making objects.

use super::chunk::{CHUNK_WORDS, ChunkNo};
use super::heap::{FreeRun, GcHeap, START};
use super::layout::{StorageKind, StructLayout};
use super::look::GcLook;
use super::object::{ARRAY_HEAD_WORDS, ObjectHead, element_words};
use super::reference::GcRef;
use crate::abi::trap::Trap;

/// Objects of so many words have a chunk of their own.
const LARGE: u64 = CHUNK_WORDS as u64 / 4;

/// Chunks that are searched for free words before the heap grows.
const CHUNKS_SEARCHED: u32 = 64;

/// Why there is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeapFull {
    /// A collection is due: collect and try again.
    Collect,
    /// There is no room, and a collection would not help, or has just been.
    Exhausted,
    /// The caller's look has said to stop.
    Stopped(Trap),
}

impl HeapFull {
    /// The trap for that after a collection, which is `failure` if there is no room.
    pub fn trap(self, failure: Trap) -> Trap {
        match self {
            Self::Stopped(trap) => trap,
            Self::Collect | Self::Exhausted => failure,
        }
    }
}

impl GcHeap {
    /// Makes a struct of zeros and null references. Takes a bounded time unless the heap is at
    /// its limit.
    pub fn alloc_struct(&mut self, layout: &StructLayout, type_id: u32) -> Result<GcRef, HeapFull> {
        let words = 1 + u64::from(layout.refs()) + u64::from(layout.data_words());
        let base = layout.refs() as usize;
        self.allocate(words, base, ObjectHead::of_struct(layout, type_id), None, &mut || Ok(()))
    }

    /// Makes an array of zeros or null references. `look` is called while a large one is cleared.
    pub fn alloc_array(
        &mut self,
        kind: StorageKind,
        type_id: u32,
        len: u32,
        look: &mut GcLook<'_>,
    ) -> Result<GcRef, HeapFull> {
        let words = ARRAY_HEAD_WORDS as u64 + element_words(kind, len);
        self.allocate(words, 0, ObjectHead::of_array(kind, type_id), Some(len), look)
    }

    /// Lets objects be made without the collection that is due, where the caller cannot show all
    /// roots.
    pub fn postpone_collection(&mut self) {
        self.take_run_back();
        self.fresh = true;
        self.trigger = self.trigger.max(self.stats.bytes_in_use.saturating_mul(2));
    }

    /// An object of so many words, `base` of which lie in front of its head. Behind that is `len`,
    /// if it has a length, and else zeros.
    #[inline]
    pub(super) fn allocate(
        &mut self,
        words: u64,
        base: usize,
        head: ObjectHead,
        len: Option<u32>,
        look: &mut GcLook<'_>,
    ) -> Result<GcRef, HeapFull> {
        self.take_run_back();
        let made = self.allocate_alone(words, base, head, len, look);
        self.lend_run();
        made
    }

    /// As [`allocate`](Self::allocate), with the run in the heap's own hands.
    #[inline]
    fn allocate_alone(
        &mut self,
        words: u64,
        base: usize,
        head: ObjectHead,
        len: Option<u32>,
        look: &mut GcLook<'_>,
    ) -> Result<GcRef, HeapFull> {
        let bytes = words.saturating_mul(8);
        let in_use = self.stats.bytes_in_use.saturating_add(bytes);
        if (in_use > self.trigger || self.stress) && !self.fresh {
            return Err(self.no_room(bytes));
        }
        let run = self.run;
        let fits = words <= (run.end - run.cursor) as u64;
        let found = if fits { Some(run) } else { self.find_room(words, base, look)? };
        let made = found.and_then(|run| self.make(run, words as usize, base, head, len));
        let Some(object) = made else { return Err(self.no_room(bytes)) };
        self.fresh = false;
        self.stats.bytes_in_use = in_use;
        self.stats.bytes_allocated += bytes;
        Ok(object)
    }

    /// What to say about an object of so many bytes that cannot be made now.
    #[cold]
    fn no_room(&mut self, bytes: u64) -> HeapFull {
        let exhausted = std::mem::take(&mut self.fresh) || bytes > self.limit;
        if exhausted { HeapFull::Exhausted } else { HeapFull::Collect }
    }

    /// Makes the object from a run that is long enough, which is the heap's own from then on if
    /// several objects share its chunk.
    #[inline]
    fn make(
        &mut self,
        run: FreeRun,
        words: usize,
        base: usize,
        head: ObjectHead,
        len: Option<u32>,
    ) -> Option<GcRef> {
        let FreeRun { at, cursor, end } = run;
        let part = self.parts.get_mut(at.part as usize)?;
        let chunk = part.chunks.get_mut(at.chunk as usize)?;
        let is_shared = chunk.is_shared();
        let object = chunk.words.get_mut(cursor..cursor + words)?;
        // A chunk of its own is not looked at: nobody has written to it, and it may be large.
        debug_assert!(!is_shared || object.iter().all(|word| *word == 0));
        if is_shared {
            chunk.used += words;
        }
        object[base] = head.0;
        if let Some(len) = len {
            object[base + 1] = u64::from(len);
        }
        let place = cursor + base - chunk.base;
        chunk.set_head(place);
        if is_shared {
            self.run = FreeRun { at, cursor: cursor + words, end };
        }
        Some(GcRef::new(part.number, at.chunk, place))
    }

    #[cold]
    fn find_room(
        &mut self,
        words: u64,
        base: usize,
        look: &mut GcLook<'_>,
    ) -> Result<Option<FreeRun>, HeapFull> {
        if words < LARGE {
            return Ok(self.find_run(words));
        }
        let at = self.add_one(words, base, look).map_err(HeapFull::Stopped)?;
        Ok(at.map(|at| FreeRun { at, cursor: 0, end: words as usize }))
    }

    fn find_run(&mut self, words: u64) -> Option<FreeRun> {
        self.skipped |= self.run.cursor < self.run.end;
        if let Some(run) = self.search_run(words, CHUNKS_SEARCHED) {
            return Some(run);
        }
        if let Some(run) = self.add_shared(words) {
            return Some(run);
        }
        if let Some(run) = self.search_run(words, u32::MAX) {
            return Some(run);
        }
        // Once for each collection: what was too short for one object is enough for another.
        if !self.skipped || std::mem::replace(&mut self.rewound, true) {
            return None;
        }
        self.search = (START, 0);
        self.search_run(words, u32::MAX)
    }

    /// The next free run of so many words, if it is found in so many chunks with free words.
    fn search_run(&mut self, words: u64, mut chunks: u32) -> Option<FreeRun> {
        while chunks > 0 {
            let (at, from) = self.search;
            let part = self.parts.get_mut(at.part as usize)?;
            let Some(chunk) = part.chunks.get_mut(at.chunk as usize) else {
                self.search = (ChunkNo { part: at.part + 1, chunk: 0 }, 0);
                continue;
            };
            let free = chunk.words.len() - chunk.used.min(chunk.words.len());
            if chunk.is_shared() && free as u64 >= words {
                let gap = chunk.gap(from);
                self.search.1 = gap.end;
                if gap.len() as u64 >= words {
                    chunk.words.get_mut(gap.clone())?.fill(0);
                    return Some(FreeRun { at, cursor: gap.start, end: gap.end });
                }
                self.skipped |= !gap.is_empty();
                if !gap.is_empty() {
                    continue;
                }
                chunks -= 1;
            } else {
                self.skipped |= chunk.is_shared() && free > 0;
            }
            self.search = (ChunkNo { part: at.part, chunk: at.chunk + 1 }, 0);
        }
        None
    }
}
