//! The heap as running code sees it (`VmObjects`), which makes objects and looks into them without
//! calling the heap (`direct`). Each part has a view. It stays where it is as long as the heap,
//! also when that is absorbed by another.

use super::chunk::CHUNK_WORDS;
use super::reference::GcRef;
use crate::abi::vm_layout::{VmChunk, VmObjects};
use crate::alloc::{fallible, try_vec};
use std::collections::TryReserveError;
use std::ptr;

/// No objects, for instances whose link set has none yet.
pub fn no_objects() -> *mut VmObjects {
    ptr::from_ref(NO_OBJECTS).cast_mut()
}

/// Nobody writes here: there is no room for an object.
const NO_OBJECTS: &VmObjects = &VmObjects {
    first: 0,
    places: 0,
    chunks: ptr::null(),
    cursor: ptr::null_mut(),
    limit: ptr::null_mut(),
    run_words: ptr::null_mut(),
    run_heads: ptr::null_mut(),
    run_first: 0,
};

/// No chunk: what is at a number that is free.
const NO_CHUNK: VmChunk =
    VmChunk { words: ptr::null_mut(), heads: ptr::null_mut(), groups: 0, reserved: 0 };

/// A part's view, and its chunks in that. Owner: the part.
pub(super) struct PartView {
    /// A single one, which never moves.
    view: Vec<VmObjects>,
    chunks: Vec<VmChunk>,
}

impl PartView {
    pub(super) fn new(number: u32) -> Result<Self, TryReserveError> {
        let mut view = try_vec(1)?;
        view.push(VmObjects { first: GcRef::new(number, 0, 0).word(), ..*NO_OBJECTS });
        Ok(Self { view, chunks: Vec::new() })
    }

    /// Makes room for one more chunk.
    pub(super) fn reserve(&mut self) -> Result<(), TryReserveError> {
        fallible(|| self.chunks.try_reserve(1))
    }

    /// Notes the chunk with a number, for the last of which there is room.
    pub(super) fn set(&mut self, number: usize, chunk: Option<VmChunk>) {
        if number == self.chunks.len() {
            self.chunks.push(NO_CHUNK);
        }
        if let Some(place) = self.chunks.get_mut(number) {
            *place = chunk.unwrap_or(NO_CHUNK);
        }
        let (chunks, places) = (self.chunks.as_ptr(), self.chunks.len() * CHUNK_WORDS);
        if let Some(view) = self.view.first_mut() {
            (view.chunks, view.places) = (chunks, places as u64);
        }
    }

    pub(super) fn pointer(&self) -> *mut VmObjects {
        self.view.as_ptr().cast_mut()
    }

    pub(super) fn get(&self) -> Option<&VmObjects> {
        self.view.first()
    }

    pub(super) fn get_mut(&mut self) -> Option<&mut VmObjects> {
        self.view.first_mut()
    }
}
