//! Fields and elements. Every function checks what it is given against the object as it is.

use super::heap::GcHeap;
use super::layout::{StorageKind, StructField};
use super::object::{ARRAY_HEAD_WORDS, ObjectHead};
use super::reference::GcRef;
use std::ops::Range;

/// Bytes of values, lowest first, in the order of memory.
fn bytes_of(words: &[u64]) -> &[u8] {
    // SAFETY: as many bytes as the words have, which are initialised; bytes lie anywhere, and
    // the result borrows the words.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

fn bytes_of_mut(words: &mut [u64]) -> &mut [u8] {
    // SAFETY: as many bytes as the words have, which are initialised and may be any; bytes lie
    // anywhere, and the result borrows the words alone.
    unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), size_of_val(words)) }
}

/// A value as one slot or two of a frame have it; a packed one is in the lowest bits.
fn load(bytes: &[u8]) -> [u64; 2] {
    // By size, because a copy of unknown length is a call.
    match *bytes {
        [byte] => [u64::from(byte), 0],
        [a, b] => [u64::from(u16::from_le_bytes([a, b])), 0],
        [a, b, c, d] => [u64::from(u32::from_le_bytes([a, b, c, d])), 0],
        _ => match bytes.as_chunks() {
            ([low], _) => [u64::from_le_bytes(*low), 0],
            ([low, high], _) => [u64::from_le_bytes(*low), u64::from_le_bytes(*high)],
            _ => [0; 2],
        },
    }
}

/// Writes as much of a value as there is room for.
fn store(bytes: &mut [u8], value: [u64; 2]) {
    let low = value[0].to_le_bytes();
    match bytes.len() {
        1 => bytes.copy_from_slice(&low[..1]),
        2 => bytes.copy_from_slice(&low[..2]),
        4 => bytes.copy_from_slice(&low[..4]),
        _ => {
            for (place, word) in bytes.as_chunks_mut().0.iter_mut().zip(value) {
                *place = word.to_le_bytes();
            }
        }
    }
}

/// The i32 that a packed value is, its sign extended; others stay as they are.
fn signed(kind: StorageKind, value: [u64; 2]) -> [u64; 2] {
    match kind {
        StorageKind::I8 => [u64::from(i32::from(value[0] as i8) as u32), 0],
        StorageKind::I16 => [u64::from(i32::from(value[0] as i16) as u32), 0],
        _ => value,
    }
}

/// An array's elements in its words.
#[derive(Clone, Copy)]
struct Elements {
    kind: StorageKind,
    len: u32,
    /// The first byte of element 0.
    first: usize,
}

impl Elements {
    fn of(words: &[u64], head: usize) -> Option<Self> {
        let kind = ObjectHead(*words.get(head)?).elements()?;
        let len = *words.get(head + 1)? as u32;
        Some(Self { kind, len, first: (head + ARRAY_HEAD_WORDS) * 8 })
    }

    /// The bytes of some elements; `None` if they are not all there.
    fn range(self, at: u32, count: u32) -> Option<Range<usize>> {
        if at.checked_add(count)? > self.len {
            return None;
        }
        let start = self.first + ((at as usize) << self.kind.bytes_log2());
        Some(start..start + ((count as usize) << self.kind.bytes_log2()))
    }
}

impl GcHeap {
    /// Where a field lies among the bytes of a struct's words.
    #[inline]
    fn field(words: &[u64], head: usize, field: StructField) -> Option<Range<usize>> {
        let (refs, data) = ObjectHead(*words.get(head)?).struct_parts()?;
        let at = field.at() as usize;
        if field.kind() == StorageKind::Ref {
            let start = (at < refs).then(|| (head - 1 - at) * 8)?;
            return Some(start..start + 8);
        }
        let end = at + field.kind().bytes();
        let start = (head + 1) * 8;
        (end <= data * 8).then_some(start + at..start + end)
    }

    /// A field's value, as slots of a frame have it. The caller knows that the object's type has
    /// the field; in objects of other types it finds some value or none.
    #[inline]
    pub fn get(&self, object: GcRef, field: StructField) -> Option<[u64; 2]> {
        let (words, head) = self.object(object)?;
        Some(load(bytes_of(words).get(Self::field(words, head, field)?)?))
    }

    /// As [`get`](Self::get), a packed value with its sign.
    #[inline]
    pub fn get_signed(&self, object: GcRef, field: StructField) -> Option<[u64; 2]> {
        self.get(object, field).map(|value| signed(field.kind(), value))
    }

    /// Sets a field; of a packed one, the lowest bits.
    #[inline]
    pub fn set(&mut self, object: GcRef, field: StructField, value: [u64; 2]) -> Option<()> {
        let (words, head) = self.object_mut(object)?;
        let range = Self::field(words, head, field)?;
        store(bytes_of_mut(words).get_mut(range)?, value);
        Some(())
    }

    fn elements(&self, array: GcRef) -> Option<(&[u64], Elements)> {
        let (words, head) = self.object(array)?;
        Some((words, Elements::of(words, head)?))
    }

    /// Some elements of an array.
    fn elements_mut(
        &mut self,
        array: GcRef,
        at: u32,
        count: u32,
    ) -> Option<(StorageKind, &mut [u8])> {
        let (words, head) = self.object_mut(array)?;
        let elements = Elements::of(words, head)?;
        let range = elements.range(at, count)?;
        Some((elements.kind, bytes_of_mut(words).get_mut(range)?))
    }

    /// An array's length; `None` if it is none.
    #[inline]
    pub fn len(&self, array: GcRef) -> Option<u32> {
        Some(self.elements(array)?.1.len)
    }

    /// What an array's elements are.
    pub fn element_kind(&self, array: GcRef) -> Option<StorageKind> {
        Some(self.elements(array)?.1.kind)
    }

    /// The bytes of some elements, at an address that stays while the array is alive.
    pub fn element_bytes(&mut self, array: GcRef, at: u32, count: u32) -> Option<&mut [u8]> {
        Some(self.elements_mut(array, at, count)?.1)
    }

    /// An element, as slots of a frame have it.
    #[inline]
    pub fn array_get(&self, array: GcRef, at: u32) -> Option<[u64; 2]> {
        let (words, elements) = self.elements(array)?;
        Some(load(bytes_of(words).get(elements.range(at, 1)?)?))
    }

    /// As [`array_get`](Self::array_get), a packed value with its sign.
    #[inline]
    pub fn array_get_signed(&self, array: GcRef, at: u32) -> Option<[u64; 2]> {
        let kind = self.element_kind(array)?;
        Some(signed(kind, self.array_get(array, at)?))
    }

    /// Sets an element.
    #[inline]
    pub fn array_set(&mut self, array: GcRef, at: u32, value: [u64; 2]) -> Option<()> {
        store(self.elements_mut(array, at, 1)?.1, value);
        Some(())
    }

    /// Sets some elements to one value. `None`, and nothing happens, if they are not all there.
    pub fn array_fill(&mut self, array: GcRef, at: u32, value: [u64; 2], count: u32) -> Option<()> {
        let (kind, place) = self.elements_mut(array, at, count)?;
        match kind.bytes() {
            1 => place.fill(value[0] as u8),
            bytes => place.chunks_exact_mut(bytes).for_each(|element| store(element, value)),
        }
        Some(())
    }

    /// Copies elements, also within one array. `None`, and nothing happens, if they are not all
    /// there, or if the arrays' elements are not of one size, or references that may lead into the
    /// heap in one array alone.
    pub fn array_copy(
        &mut self,
        to: GcRef,
        to_at: u32,
        from: GcRef,
        from_at: u32,
        count: u32,
    ) -> Option<()> {
        let (_, source) = self.elements(from)?;
        let source_range = source.range(from_at, count)?;
        let (_, target) = self.elements(to)?;
        let target_range = target.range(to_at, count)?;
        let refs = |kind| kind == StorageKind::Ref;
        if source.kind.bytes() != target.kind.bytes() || refs(source.kind) != refs(target.kind) {
            return None;
        }
        let (source_chunk, target_chunk) = (self.find(from)?, self.find(to)?);
        if source_chunk == target_chunk {
            let words = &mut self.chunk_mut(target_chunk)?.words;
            bytes_of_mut(words).copy_within(source_range, target_range.start);
            return Some(());
        }
        // Taken out meanwhile, because the other chunk is in the same list.
        let words = std::mem::take(&mut self.chunk_mut(source_chunk)?.words);
        if let Some(chunk) = self.chunk_mut(target_chunk) {
            bytes_of_mut(&mut chunk.words)[target_range]
                .copy_from_slice(&bytes_of(&words)[source_range]);
        }
        self.chunk_mut(source_chunk)?.words = words;
        Some(())
    }

    /// Writes elements that lie in `bytes` one after the other, lowest byte first. `None`, and
    /// nothing happens, if they are not all there, if the bytes end within an element, or if
    /// elements are references.
    pub fn copy_in(&mut self, array: GcRef, at: u32, bytes: &[u8]) -> Option<()> {
        let kind = self.element_kind(array)?;
        let count = u32::try_from(bytes.len() >> kind.bytes_log2()).ok()?;
        let (kind, place) = self.elements_mut(array, at, count)?;
        if matches!(kind, StorageKind::Ref | StorageKind::Opaque) || place.len() != bytes.len() {
            return None;
        }
        place.copy_from_slice(bytes);
        Some(())
    }
}
