//! Machine code out of a file, in memory.

use super::super::code_memory::{CodePages, MappedFile};
use super::super::frame_tables::FrameTables;
use super::super::made::{CodeBudget, CodePlace, Room};
use super::super::translate::thunks::ThunkKind;
use super::contract::thunk_place;
use super::frames;
use crate::abi::error::{Error, Result};
use crate::ahead::{Calls, FileLayout, FileSection, Offsets};
use crate::alloc;
use crate::module::Module;
use std::ops::Range;
use std::ptr::NonNull;
use std::sync::Arc;

/// The bytes of a file.
pub enum FileSource<'a> {
    /// In a buffer of the embedder's.
    Buffer(&'a [u8]),
    Mapping(MappedFile),
}

/// The text of a file, executable, and its tables. Owner: the module's code.
pub struct Image {
    memory: ImageMemory,
    text: NonNull<u8>,
    text_bytes: usize,
    /// Where the tables lie in the bytes of `memory`.
    funcs: Range<usize>,
    thunks: Range<usize>,
    calls: Range<usize>,
    /// The tables of frames, of functions that have some, by their numbers among the defined ones.
    frames: Vec<(u32, Arc<FrameTables>)>,
    _room: Room,
}

enum ImageMemory {
    /// Copies of the tables, and of the text, which goes with it.
    Copied(Box<[u8]>, #[expect(dead_code, reason = "it owns the text")] CodePages),
    Mapped(MappedFile),
}

// SAFETY: the pointer is to code in `memory`, which does not change and belongs to no thread.
unsafe impl Send for Image {}
// SAFETY: as for sending: shared use only reads.
unsafe impl Sync for Image {}

impl Image {
    /// Bytes of code memory for a file: its text, and its tables, which are not the context's.
    fn code_bytes(layout: &FileLayout) -> usize {
        let tables = layout.of(FileSection::Funcs).start..layout.of(FileSection::Calls).end;
        CodePages::bytes_for(layout.of(FileSection::Text).len()) + tables.len()
    }

    /// Takes a file's code into memory; `None` if the budget has no room for it.
    pub fn load(
        source: FileSource<'_>,
        layout: &FileLayout,
        budget: &Arc<CodeBudget>,
    ) -> Result<Option<Self>> {
        let Some(room) = budget.room(Self::code_bytes(layout)) else { return Ok(None) };
        match source {
            FileSource::Buffer(bytes) => Self::copy(bytes, layout, room),
            FileSource::Mapping(file) => Self::map(file, layout, room),
        }
        .map(Some)
    }

    /// The image of a file in a buffer, which is copied.
    fn copy(file: &[u8], layout: &FileLayout, room: Room) -> Result<Self> {
        let part = |range: Range<usize>| file.get(range).unwrap_or_default();
        let text = part(layout.of(FileSection::Text));
        let first = layout.of(FileSection::Funcs).start;
        let tables = part(first..layout.of(FileSection::Calls).end);
        let tables = alloc::outside(|| alloc::try_boxed(tables))?;
        let pages = CodePages::publish(text).map_err(|_| Error::out_of_memory())?;
        let frames = alloc::outside(|| frames::read(part(layout.of(FileSection::Frames))))?;
        let within = |section| {
            let Range { start, end } = layout.of(section);
            start - first..end - first
        };
        Ok(Self {
            text: pages.start(),
            text_bytes: text.len(),
            memory: ImageMemory::Copied(tables, pages),
            funcs: within(FileSection::Funcs),
            thunks: within(FileSection::Thunks),
            calls: within(FileSection::Calls),
            frames,
            _room: room,
        })
    }

    /// The image of a mapped file, which stays where it is. If the system does not allow that its
    /// text is executed there, as on file systems without execution, it is copied.
    fn map(mut file: MappedFile, layout: &FileLayout, room: Room) -> Result<Self> {
        let text = layout.of(FileSection::Text);
        let frames = file.bytes().get(layout.of(FileSection::Frames)).unwrap_or_default();
        let frames = alloc::outside(|| frames::read(frames))?;
        let Some(start) = file.make_executable(text.clone()) else {
            return Self::copy(file.bytes(), layout, room);
        };
        Ok(Self {
            text: start,
            text_bytes: text.len(),
            memory: ImageMemory::Mapped(file),
            funcs: layout.of(FileSection::Funcs),
            thunks: layout.of(FileSection::Thunks),
            calls: layout.of(FileSection::Calls),
            frames,
            _room: room,
        })
    }

    fn table(&self, range: &Range<usize>) -> &[u8] {
        let bytes = match &self.memory {
            ImageMemory::Copied(tables, _) => tables,
            ImageMemory::Mapped(file) => file.bytes(),
        };
        bytes.get(range.clone()).unwrap_or_default()
    }

    fn funcs(&self) -> Offsets<'_> {
        Offsets(self.table(&self.funcs))
    }

    fn thunks(&self) -> Offsets<'_> {
        Offsets(self.table(&self.thunks))
    }

    /// Whether the tables are those of such a module, and all offsets lie in the text.
    pub fn fits(&self, module: &Module) -> bool {
        let (funcs, thunks) = (self.funcs(), self.thunks());
        funcs.len() == module.bodies.len()
            && thunks.len() == 2 * module.types.len()
            && [funcs, thunks].iter().all(|offsets| offsets.are_within(self.text_bytes))
    }

    fn at(&self, offset: u32) -> NonNull<u8> {
        // SAFETY: `fits` has found that all offsets in the tables lie in the text.
        unsafe { self.text.add(offset as usize) }
    }

    /// The code of a function, by its number among those that the module defines.
    pub fn func(&self, defined: usize) -> Option<NonNull<u8>> {
        self.funcs().get(defined).map(|offset| self.at(offset))
    }

    /// The code of a function with its length, or with that of all until the next function's.
    pub fn func_with_len(&self, defined: usize) -> Option<(NonNull<u8>, usize)> {
        let funcs = self.funcs();
        let start = funcs.get(defined)?;
        let next = (defined + 1..funcs.len()).find_map(|next| funcs.get(next));
        let end = next.map_or(self.text_bytes, |next| next as usize);
        Some((self.at(start), end.saturating_sub(start as usize)))
    }

    pub fn thunk(&self, kind: ThunkKind, type_index: u32) -> Option<NonNull<u8>> {
        self.thunks().get(thunk_place(kind, type_index)).map(|offset| self.at(offset))
    }

    /// The place before a return address; `None` if that is no call in this text.
    pub fn place_behind(&self, module: &Module, after: *const u8) -> Option<CodePlace> {
        let offset = after.addr().checked_sub(self.text.addr().get())?;
        let offset = u32::try_from(offset).ok().filter(|_| offset <= self.text_bytes)?;
        let position = Calls(self.table(&self.calls)).find(offset)?;
        self.place(module, position, |start| offset.wrapping_sub(start))
    }

    /// The place at a position in a function.
    pub fn place_at(&self, module: &Module, position: u32) -> Option<CodePlace> {
        self.place(module, position, |_| 0)
    }

    /// A place in the function at a position, by its distance from the start of the code.
    fn place(
        &self,
        module: &Module,
        position: u32,
        after: impl FnOnce(u32) -> u32,
    ) -> Option<CodePlace> {
        let bodies_before = module.bodies.partition_point(|body| body.start <= position);
        let defined = bodies_before.checked_sub(1)?;
        let start = self.funcs().get(defined)?;
        let defined = u32::try_from(defined).ok()?;
        let tables = self.frames.binary_search_by_key(&defined, |known| known.0).ok();
        Some(CodePlace {
            func_index: module.imported.funcs + defined,
            position,
            start: self.at(start).as_ptr(),
            after: after(start),
            tables: tables.and_then(|place| self.frames.get(place)).map(|known| known.1.clone()),
        })
    }

    /// How many functions have code, and the bytes of its pages.
    pub fn size(&self) -> (u64, u64) {
        let funcs = self.funcs();
        let count = (0..funcs.len()).filter(|&defined| funcs.get(defined).is_some()).count();
        (count as u64, CodePages::bytes_for(self.text_bytes) as u64)
    }
}
