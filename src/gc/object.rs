//! What objects are in memory: heads, and which words belong to them.

use super::layout::{StorageKind, StructLayout};
use std::ops::Range;

/// An object's first word but for the references in front of it. From the lowest bit on: 32 bits
/// of the type's number; then, for a struct, 15 bits each that count the words behind it and the
/// references in front of it, or for an array what its elements are; whether it has a finalizer;
/// whether it is an array. An array's second word is its length, and the elements follow.
#[derive(Clone, Copy)]
pub(super) struct ObjectHead(pub(super) u64);

const DATA_SHIFT: u32 = 32;
const REFS_SHIFT: u32 = 47;
const PART_MASK: u64 = StructLayout::PART_MAX as u64;
const FINALIZER: u64 = 1 << 62;
const ARRAY: u64 = 1 << 63;

/// Words in front of an array's elements.
pub(super) const ARRAY_HEAD_WORDS: usize = 2;

impl ObjectHead {
    pub(super) fn of_struct(layout: &StructLayout, type_id: u32) -> Self {
        let refs = u64::from(layout.refs()) << REFS_SHIFT;
        Self(refs | u64::from(layout.data_words()) << DATA_SHIFT | u64::from(type_id))
    }

    pub(super) fn of_array(kind: StorageKind, type_id: u32) -> Self {
        Self(ARRAY | u64::from(kind.code()) << DATA_SHIFT | u64::from(type_id))
    }

    pub(super) fn type_id(self) -> u32 {
        self.0 as u32
    }

    pub(super) fn has_finalizer(self) -> bool {
        self.0 & FINALIZER != 0
    }

    pub(super) fn with_finalizer(self, has: bool) -> Self {
        Self(if has { self.0 | FINALIZER } else { self.0 & !FINALIZER })
    }

    /// References in front of a struct's head, and words behind it.
    pub(super) fn struct_parts(self) -> Option<(usize, usize)> {
        let part = |shift: u32| (self.0 >> shift & PART_MASK) as usize;
        (self.0 & ARRAY == 0).then(|| (part(REFS_SHIFT), part(DATA_SHIFT)))
    }

    /// What an array's elements are.
    pub(super) fn elements(self) -> Option<StorageKind> {
        if self.0 & ARRAY == 0 {
            return None;
        }
        StorageKind::from_code((self.0 >> DATA_SHIFT & PART_MASK) as u32)
    }
}

/// Words that so many elements take.
pub(super) fn element_words(kind: StorageKind, len: u32) -> u64 {
    (u64::from(len) << kind.bytes_log2()).div_ceil(8)
}

/// The words of the object whose head is at `head`.
pub(super) fn extent(words: &[u64], head: usize) -> Option<Range<usize>> {
    let first = ObjectHead(*words.get(head)?);
    if let Some((refs, data)) = first.struct_parts() {
        return Some(head.checked_sub(refs)?..head + 1 + data);
    }
    let len = *words.get(head + 1)? as u32;
    let elements = usize::try_from(element_words(first.elements()?, len)).ok()?;
    Some(head..(head + ARRAY_HEAD_WORDS).checked_add(elements)?)
}

/// Those of them that are references which may lead into the heap.
pub(super) fn references(words: &[u64], head: usize) -> Option<Range<usize>> {
    let first = ObjectHead(*words.get(head)?);
    if let Some((refs, _)) = first.struct_parts() {
        return Some(head.checked_sub(refs)?..head);
    }
    let at = head + ARRAY_HEAD_WORDS;
    let refs = first.elements()? == StorageKind::Ref;
    Some(at..at + if refs { *words.get(head + 1)? as usize } else { 0 })
}
