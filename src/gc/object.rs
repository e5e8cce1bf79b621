//! What objects are in memory: heads, and which words belong to them.

use super::layout::{StorageKind, StructLayout};
use std::ops::Range;

/// An object's first word but for the references in front of it. From the lowest bit on: 24 bits
/// of the type's number; for an array, 4 bits that say what its elements are, and 3 with the
/// logarithm of their bytes, counted from 1; whether it has a finalizer; for a struct, 16 bits each
/// that count the words behind it and the references in front of it, both 0 for an array. An
/// array's second word is its length, and the elements follow.
///
/// An exception has a number that no type has, the bits of [`EXCEPTION`] where an array says its
/// elements, and zeros elsewhere: so it has neither fields nor elements. Its second word is the
/// number of its slots, the third the caller's word, and the slots follow.
#[derive(Clone, Copy)]
pub(super) struct ObjectHead(pub(super) u64);

pub(super) const KIND_SHIFT: u32 = 24;
pub(super) const SIZE_SHIFT: u32 = 28;
const FINALIZER: u64 = 1 << 31;
pub(super) const DATA_SHIFT: u32 = 32;
pub(super) const REFS_SHIFT: u32 = 48;

/// The bits of a head that say whether it is a struct's, an array's or an exception's, from the
/// kind of elements on. A struct's are 0.
const FORM_MASK: u32 = 0x7f;

/// Those of an exception. No array has elements of this kind, nor of no size.
const EXCEPTION: u32 = 15;

/// The number in the head of an exception, which no type has.
const NO_TYPE: u32 = (1 << KIND_SHIFT) - 1;

/// Words in front of an array's elements.
pub const ARRAY_HEAD_WORDS: usize = 2;

/// Words in front of an exception's slots, of which the last is the caller's.
pub(super) const EXCEPTION_HEAD_WORDS: usize = 3;

impl ObjectHead {
    pub(super) fn of_struct(layout: &StructLayout, type_id: u32) -> Self {
        let refs = u64::from(layout.refs()) << REFS_SHIFT;
        Self(refs | u64::from(layout.data_words()) << DATA_SHIFT | Self::of_type(type_id))
    }

    pub(super) fn of_array(kind: StorageKind, type_id: u32) -> Self {
        let size = u64::from(Self::size_code(kind.bytes_log2())) << SIZE_SHIFT;
        Self(size | u64::from(kind.code()) << KIND_SHIFT | Self::of_type(type_id))
    }

    pub(super) fn of_exception() -> Self {
        Self(u64::from(EXCEPTION) << KIND_SHIFT | Self::of_type(NO_TYPE))
    }

    /// Numbers of types are below [`NO_TYPE`].
    fn of_type(type_id: u32) -> u64 {
        u64::from(type_id) & ((1 << KIND_SHIFT) - 1)
    }

    pub(super) const fn size_code(bytes_log2: u32) -> u32 {
        bytes_log2 + 1
    }

    #[inline(always)]
    pub(super) fn type_id(self) -> u32 {
        self.0 as u32 & ((1 << KIND_SHIFT) - 1)
    }

    /// Of an array, that its elements are of so many bytes.
    #[inline(always)]
    pub(super) fn has_elements_of(self, bytes_log2: u32) -> bool {
        self.size() == Self::size_code(bytes_log2)
    }

    /// 0 for structs.
    #[inline(always)]
    fn size(self) -> u32 {
        (self.0 >> SIZE_SHIFT) as u32 & 7
    }

    #[inline(always)]
    pub(super) fn is_array(self) -> bool {
        self.size() != 0
    }

    /// Words behind a struct's head.
    #[inline(always)]
    pub(super) fn data_words(self) -> u32 {
        u32::from((self.0 >> DATA_SHIFT) as u16)
    }

    /// References in front of a struct's head.
    #[inline(always)]
    pub(super) fn refs(self) -> u32 {
        (self.0 >> REFS_SHIFT) as u32
    }

    pub(super) fn has_finalizer(self) -> bool {
        self.0 & FINALIZER != 0
    }

    pub(super) fn with_finalizer(self, has: bool) -> Self {
        Self(if has { self.0 | FINALIZER } else { self.0 & !FINALIZER })
    }

    fn form(self) -> u32 {
        (self.0 >> KIND_SHIFT) as u32 & FORM_MASK
    }

    pub(super) fn is_exception(self) -> bool {
        self.form() == EXCEPTION
    }

    /// References in front of a struct's head, and words behind it.
    pub(super) fn struct_parts(self) -> Option<(usize, usize)> {
        (self.form() == 0).then(|| (self.refs() as usize, self.data_words() as usize))
    }

    /// What an array's elements are.
    pub(super) fn elements(self) -> Option<StorageKind> {
        if !self.is_array() {
            return None;
        }
        StorageKind::from_code((self.0 >> KIND_SHIFT) as u32 & 15)
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
    if first.is_exception() {
        return Some(head..slots(words, head)?.end);
    }
    let len = *words.get(head + 1)? as u32;
    let elements = usize::try_from(element_words(first.elements()?, len)).ok()?;
    Some(head..(head + ARRAY_HEAD_WORDS).checked_add(elements)?)
}

/// The slots of the exception whose head is at `head`.
pub(super) fn slots(words: &[u64], head: usize) -> Option<Range<usize>> {
    let at = head + EXCEPTION_HEAD_WORDS;
    Some(at..at.checked_add(usize::try_from(*words.get(head + 1)?).ok()?)?)
}

/// The references of an object which may lead into the heap. An exception may have other words
/// among them.
pub(super) fn references(words: &[u64], head: usize) -> impl Iterator<Item = u64> {
    let first = words.get(head).map_or(ObjectHead(0), |first| ObjectHead(*first));
    let found = reference_range(first, words, head).and_then(|range| words.get(range));
    // Slots are the processor's words, while fields and elements have the order of memory.
    let is_slot = first.is_exception();
    let word = move |word: &u64| if is_slot { *word } else { u64::from_le(*word) };
    found.unwrap_or_default().iter().map(word)
}

fn reference_range(first: ObjectHead, words: &[u64], head: usize) -> Option<Range<usize>> {
    if let Some((refs, _)) = first.struct_parts() {
        return Some(head.checked_sub(refs)?..head);
    }
    if first.is_exception() {
        return slots(words, head);
    }
    let at = head + ARRAY_HEAD_WORDS;
    let refs = first.elements()? == StorageKind::Ref;
    Some(at..at + if refs { *words.get(head + 1)? as usize } else { 0 })
}
