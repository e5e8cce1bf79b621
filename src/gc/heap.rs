//! The heap: its parts and their chunks, what it counts, and how two heaps become one.

use super::chunk::{CHUNK_WORDS, Chunk, ChunkNo};
use super::finalizers::Finalizers;
use super::handles::Handles;
use super::look::GcLook;
use super::object::ObjectHead;
use super::reference::{CHUNKS_MAX, GcRef, PARTS_MAX};
use super::view::PartView;
use crate::abi::trap::Trap;
use crate::alloc::{fallible, free_in_pieces};

/// Words of the first chunk; each next one may be as large as all before it, up to the largest.
const FIRST_WORDS: u64 = 512;

/// Objects take this many bytes before the first collection, if the limit allows.
pub(super) const BYTES_MIN: u64 = 256 << 10;

/// Chunks and handles with references of one number. Owner: the heap.
pub(super) struct HeapPart {
    /// Of all references to objects in here. Never 0.
    pub(super) number: u32,
    pub(super) chunks: Vec<Chunk>,
    /// The first chunk whose number is free; the others follow by their `next`.
    free: Option<u32>,
    pub(super) handles: Handles,
    pub(super) view: PartView,
}

/// Free words, all zero, that new objects are taken from, one after the other.
#[derive(Clone, Copy)]
pub(super) struct FreeRun {
    pub(super) at: ChunkNo,
    pub(super) cursor: usize,
    pub(super) end: usize,
}

/// Where the first words of a heap are.
pub(super) const START: ChunkNo = ChunkNo { part: 0, chunk: 0 };

const NO_RUN: FreeRun = FreeRun { at: START, cursor: 0, end: 0 };

/// What a heap counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GcStats {
    /// Bytes of objects: those that the last collection found and those allocated since.
    pub bytes_in_use: u64,
    /// Bytes of memory that objects lie in or may lie in.
    pub bytes_reserved: u64,
    /// Bytes of all objects that were ever allocated.
    pub bytes_allocated: u64,
    /// Collections that came to their end.
    pub collections: u64,
    /// The longest one, in nanoseconds, those that were abandoned included.
    pub longest_pause_ns: u64,
}

/// The objects of a link set. Owner: the link set. Used by the thread that uses that.
pub struct GcHeap {
    /// The heap's own first; then those of heaps that it has absorbed, by their numbers.
    pub(super) parts: Vec<HeapPart>,
    pub(super) number: u32,
    /// Bytes that chunks may take.
    pub(super) limit: u64,
    pub(super) stats: GcStats,
    /// A collection is due when objects take more bytes.
    pub(super) trigger: u64,
    /// No object was allocated, and no allocation failed, since a collection.
    pub(super) fresh: bool,
    pub(super) stress: bool,
    pub(super) run: FreeRun,
    /// The address of the first word of the run that was lent to running code, if it was.
    pub(super) lent: usize,
    /// Where to look for the next free run.
    pub(super) search: (ChunkNo, usize),
    /// The search has passed free words that were too few.
    pub(super) skipped: bool,
    /// It has begun once more since the last collection.
    pub(super) rewound: bool,
    pub(super) finalizers: Finalizers,
    /// Finalizers are being run.
    pub(super) finalizing: bool,
    /// Chunks that a collection has to look at.
    pub(super) listed: Option<ChunkNo>,
    /// There may be marks: during a collection, and after one that was abandoned.
    pub(super) has_marks: bool,
}

impl GcHeap {
    /// An empty heap whose objects take at most `limit` bytes, with what is around them. It takes
    /// memory with the first object. `number` is any; heaps that may become one need different
    /// ones (see [`absorb`](Self::absorb)).
    pub fn new(limit: u64, number: u32) -> Self {
        Self {
            parts: Vec::new(),
            number: number % (PARTS_MAX - 1) + 1,
            limit: limit.min(isize::MAX as u64),
            stats: GcStats::default(),
            trigger: BYTES_MIN,
            fresh: false,
            stress: false,
            run: NO_RUN,
            lent: usize::MAX,
            search: (START, 0),
            skipped: false,
            rewound: false,
            finalizers: Finalizers::default(),
            finalizing: false,
            listed: None,
            has_marks: false,
        }
    }

    /// Has every allocation ask for a collection first, for tests.
    pub fn set_stress(&mut self, stress: bool) {
        self.take_run_back();
        self.stress = stress;
    }

    pub fn stats(&self) -> GcStats {
        let bytes = self.words_made() as u64 * 8;
        GcStats {
            bytes_in_use: self.stats.bytes_in_use + bytes,
            bytes_allocated: self.stats.bytes_allocated + bytes,
            ..self.stats
        }
    }

    /// Takes over the objects, handles and finalizers of another heap, which is empty afterwards
    /// and no more use: references and handles stay as they are. The limit is the larger one, or
    /// the sum if both have objects. Objects are not touched; it takes a step for each finalizer.
    ///
    /// False, and nothing has happened, if memory runs out, or if both have objects or handles and
    /// parts of the same number.
    pub fn absorb(&mut self, other: &mut Self) -> bool {
        self.take_run_back();
        other.take_run_back();
        if !self.parts.is_empty() && !other.parts.is_empty() {
            let known = |part: &HeapPart| self.part_index(part.number).is_some();
            if other.parts.iter().any(known)
                || fallible(|| self.parts.try_reserve(other.parts.len())).is_err()
            {
                return false;
            }
        }
        if !self.finalizers.absorb(&mut other.finalizers) {
            return false;
        }
        match (self.parts.is_empty(), other.parts.is_empty()) {
            (false, false) => {
                self.limit = self.limit.saturating_add(other.limit).min(isize::MAX as u64);
                self.parts.append(&mut other.parts);
                self.parts[1..].sort_unstable_by_key(|part| part.number);
            }
            (true, false) => {
                self.limit = self.limit.max(other.limit);
                std::mem::swap(&mut self.parts, &mut other.parts);
                self.number = other.number;
            }
            (_, true) => self.limit = self.limit.max(other.limit),
        }
        self.stats.bytes_in_use += other.stats.bytes_in_use;
        self.stats.bytes_reserved += other.stats.bytes_reserved;
        self.stats.bytes_allocated += other.stats.bytes_allocated;
        self.stats.collections += other.stats.collections;
        self.stats.longest_pause_ns = self.stats.longest_pause_ns.max(other.stats.longest_pause_ns);
        self.trigger = self.trigger.max(other.trigger);
        self.has_marks |= other.has_marks;
        self.restart_search();
        let number = other.number;
        *other = Self { number, stress: other.stress, ..Self::new(other.limit, 0) };
        true
    }

    /// Looks for free runs from the start again. Nothing else knows where those are.
    pub(super) fn restart_search(&mut self) {
        (self.run, self.search) = (NO_RUN, (START, 0));
        (self.skipped, self.rewound) = (false, false);
    }

    #[inline]
    pub(super) fn part_index(&self, number: u32) -> Option<usize> {
        if self.parts.first()?.number == number {
            return Some(0);
        }
        let others = &self.parts[1..];
        others.binary_search_by_key(&number, |part| part.number).ok().map(|at| at + 1)
    }

    /// The chunk of a reference.
    #[inline]
    pub(super) fn find(&self, object: GcRef) -> Option<ChunkNo> {
        let part = self.part_index(object.part())? as u32;
        Some(ChunkNo { part, chunk: object.chunk() as u32 })
    }

    #[inline]
    pub(super) fn chunk(&self, at: ChunkNo) -> Option<&Chunk> {
        self.parts.get(at.part as usize)?.chunks.get(at.chunk as usize)
    }

    #[inline]
    pub(super) fn chunk_mut(&mut self, at: ChunkNo) -> Option<&mut Chunk> {
        self.parts.get_mut(at.part as usize)?.chunks.get_mut(at.chunk as usize)
    }

    /// The words among which a live object lies, and where its head is.
    #[inline]
    pub(super) fn object(&self, object: GcRef) -> Option<(&[u64], usize)> {
        let chunk = self.chunk(self.find(object)?)?;
        Some((&chunk.words, chunk.head(object.place())?))
    }

    /// The same, to change them.
    #[inline]
    pub(super) fn object_mut(&mut self, object: GcRef) -> Option<(&mut [u64], usize)> {
        let at = self.find(object)?;
        let chunk = self.chunk_mut(at)?;
        let head = chunk.head(object.place())?;
        Some((&mut chunk.words, head))
    }

    pub(super) fn head(&self, object: GcRef) -> Option<ObjectHead> {
        let (words, head) = self.object(object)?;
        words.get(head).copied().map(ObjectHead)
    }

    /// Whether a live object begins there.
    pub fn is_live(&self, object: GcRef) -> bool {
        self.object(object).is_some()
    }

    /// The number of the type that a struct or an array was made with.
    #[inline]
    pub fn type_of(&self, object: GcRef) -> Option<u32> {
        let head = self.head(object)?;
        (!head.is_exception()).then_some(head.type_id())
    }

    /// The heap's own part, made with the first thing that needs one.
    pub(super) fn own_part(&mut self) -> Option<&mut HeapPart> {
        if self.parts.is_empty() {
            fallible(|| self.parts.try_reserve_exact(1)).ok()?;
            let (number, handles) = (self.number, Handles::default());
            let view = PartView::new(number).ok()?;
            self.parts.push(HeapPart { number, chunks: Vec::new(), free: None, handles, view });
        }
        self.parts.first_mut()
    }

    /// Whether chunks may take so many more bytes.
    fn has_room(&self, words: u64) -> bool {
        let bytes = words.saturating_mul(8);
        self.stats.bytes_reserved.saturating_add(bytes) <= self.limit
    }

    /// A new chunk for many objects, of which one has so many words.
    pub(super) fn add_shared(&mut self, words: u64) -> Option<FreeRun> {
        let room = (self.limit - self.stats.bytes_reserved.min(self.limit)) / 8;
        let usual = (self.stats.bytes_reserved / 8).next_power_of_two();
        let usual = usual.clamp(FIRST_WORDS, CHUNK_WORDS as u64).max(words);
        let taken = usual.min(room);
        if taken < words {
            return None;
        }
        let at = self.add(Chunk::shared(taken as usize).ok()?)?;
        Some(FreeRun { at, cursor: 0, end: taken as usize })
    }

    /// A chunk for one object of so many words, with its head at `base`.
    pub(super) fn add_one(
        &mut self,
        words: u64,
        base: usize,
        look: &mut GcLook<'_>,
    ) -> Result<Option<ChunkNo>, Trap> {
        if !self.has_room(words) {
            return Ok(None);
        }
        let Ok(words) = usize::try_from(words) else { return Ok(None) };
        Ok(Chunk::of_one(words, base, look)?.and_then(|chunk| self.add(chunk)))
    }

    fn add(&mut self, chunk: Chunk) -> Option<ChunkNo> {
        let bytes = chunk.words.len() as u64 * 8;
        let part = self.own_part()?;
        let at = match part.free {
            Some(free) => free,
            None if part.chunks.len() >= CHUNKS_MAX => return None,
            None => {
                fallible(|| part.chunks.try_reserve(1)).ok()?;
                part.view.reserve().ok()?;
                part.chunks.push(Chunk::default());
                part.chunks.len() as u32 - 1
            }
        };
        let place = part.chunks.get_mut(at as usize)?;
        part.free = place.next.map(|next| next.chunk);
        *place = chunk;
        part.view.set(at as usize, Some(place.view()));
        self.stats.bytes_reserved += bytes;
        Some(ChunkNo { part: 0, chunk: at })
    }

    /// Gives the memory of a chunk without objects back; its number is free afterwards. If `look`
    /// says to stop, some of the memory is still the chunk's, and the number is not free.
    pub(super) fn release(&mut self, at: ChunkNo, look: &mut GcLook<'_>) -> Result<(), Trap> {
        let Some(part) = self.parts.get_mut(at.part as usize) else { return Ok(()) };
        let Some(chunk) = part.chunks.get_mut(at.chunk as usize) else { return Ok(()) };
        part.view.set(at.chunk as usize, None);
        let before = chunk.words.len();
        let freed = free_in_pieces(&mut chunk.words, look);
        self.stats.bytes_reserved -= (before - chunk.words.len()) as u64 * 8;
        freed?;
        let next = part.free.replace(at.chunk).map(|chunk| ChunkNo { part: at.part, chunk });
        *chunk = Chunk { next, ..Chunk::default() };
        Ok(())
    }
}
