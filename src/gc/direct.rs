//! What running code does with objects where it calls nothing: it reads the heap's view
//! (`VmObjects`), and makes the same checks as the heap does.
//!
//! - An object is found only where a bit says that one begins. So a word that is no reference leads
//!   nowhere, or to a live object, like everywhere in the heap.
//! - The head of that says how much of it there is, and it was written by the heap or by
//!   [`allocate`]; nothing that is found here lies outside of it.
//!
//! `None` stands for all that is unusual: no object, another part's, too few fields, no room. The
//! heap itself decides what becomes of that.

use super::chunk::CHUNK_WORDS;
use super::layout::{StorageKind, StructLayout};
use super::object::{ARRAY_HEAD_WORDS, ObjectHead};
use crate::abi::vm_layout::VmObjects;

/// The head of an object in memory.
pub type Head = *mut u64;

/// The object that a word refers to.
///
/// # Safety
/// The view is a live heap's, whose thread this is.
#[inline(always)]
pub unsafe fn find(objects: *const VmObjects, word: u64) -> Option<Head> {
    // SAFETY: the caller guarantees that the heap is live. A view has as many chunks as its places
    // need, a chunk as many bits as it says, and a bit is set for heads alone, each with its word.
    unsafe {
        // Words that are not multiples of 8 get one of the highest bits, and no heap has such a
        // place.
        let at = word.wrapping_sub((*objects).first).rotate_right(3);
        if at >= (*objects).places {
            return None;
        }
        let at = at as usize;
        let chunk = (*objects).chunks.add(at / CHUNK_WORDS);
        // Each number is made of `at` where it is needed, which takes few of the processor's
        // registers.
        let group = at / 64 % (CHUNK_WORDS / 64);
        if group >= (*chunk).groups || *(*chunk).heads.add(group) >> (at % 64) & 1 == 0 {
            return None;
        }
        Some((*chunk).words.add(at % CHUNK_WORDS))
    }
}

/// The number of an object's type.
///
/// # Safety
/// The object was just found.
#[inline(always)]
pub unsafe fn type_of(head: Head) -> u32 {
    // SAFETY: says the caller.
    ObjectHead(unsafe { *head }).type_id()
}

/// A field of `T` that lies `at` bytes behind the head of a struct.
///
/// # Safety
/// The object was just found.
#[inline(always)]
pub unsafe fn data_field<T>(head: Head, at: u32) -> Option<*mut T> {
    // SAFETY: the caller guarantees that the object is there, and a struct has as many words behind
    // its head as that says, an array none.
    unsafe {
        let end = u64::from(at) + size_of::<T>() as u64;
        let has = end <= u64::from(ObjectHead(*head).data_words()) * 8;
        has.then(|| head.add(1).cast::<u8>().add(at as usize).cast())
    }
}

/// The reference with a number in front of the head of a struct.
///
/// # Safety
/// The object was just found.
#[inline(always)]
pub unsafe fn ref_field(head: Head, at: u32) -> Option<*mut u64> {
    // SAFETY: the caller guarantees that the object is there, and a struct has as many references
    // in front of its head as that says, an array none.
    unsafe { (at < ObjectHead(*head).refs()).then(|| head.sub(1 + at as usize)) }
}

/// The length of an array.
///
/// # Safety
/// The object was just found.
#[inline(always)]
pub unsafe fn len(head: Head) -> Option<u32> {
    // SAFETY: the caller guarantees that the object is there, and an array's head is followed by
    // its length.
    unsafe { ObjectHead(*head).is_array().then(|| *head.add(1) as u32) }
}

/// Whether an object is an array or a struct; `None` if it is an exception, which is neither.
///
/// # Safety
/// The object was just found.
#[inline(always)]
pub unsafe fn is_array(head: Head) -> Option<bool> {
    // SAFETY: says the caller.
    let head = ObjectHead(unsafe { *head });
    (!head.is_exception()).then(|| head.is_array())
}

/// An element of an array, if it has elements of the size of `T` and so many of them.
///
/// # Safety
/// The object was just found.
#[inline(always)]
pub unsafe fn element<T>(head: Head, at: u32) -> Option<*mut T> {
    // SAFETY: the caller guarantees that the object is there; an array has as many elements of its
    // size as its second word says, behind that.
    unsafe {
        let fits = ObjectHead(*head).has_elements_of(size_of::<T>().trailing_zeros());
        let has = fits && at < *head.add(1) as u32;
        has.then(|| head.add(ARRAY_HEAD_WORDS).cast::<T>().add(at as usize))
    }
}

/// An object of zeros and its reference, if there is room for it in the run that is lent. An array
/// still needs its length. The number of the type is to be added to the head, see [`head_of`] and
/// [`array_head_of`].
///
/// # Safety
/// The view is a live heap's, whose thread this is; `refs` and `words` are those of a layout, or of
/// an array, which gets the length for these words before anything else happens.
#[inline(always)]
pub unsafe fn allocate(
    objects: *mut VmObjects,
    refs: u32,
    words: u32,
    head: u64,
) -> Option<(Head, u64)> {
    // SAFETY: the caller guarantees that the heap is live. Words from the cursor to the limit are
    // free, zero and in the run's chunk, which has a bit for each.
    unsafe {
        let start = (*objects).cursor;
        let room = (*objects).limit.addr() - start.addr();
        if (words as usize * 8) > room {
            return None;
        }
        (*objects).cursor = start.add(words as usize);
        let at = start.add(refs as usize);
        let offset = at.addr() - (*objects).run_words.addr();
        *(*objects).run_heads.add(offset / (8 * 64)) |= 1 << (offset / 8 % 64);
        *at = head;
        Some((at, (*objects).run_first + offset as u64))
    }
}

/// The head of a struct of a type.
pub fn head_of(layout: &StructLayout, type_id: u32) -> u64 {
    ObjectHead::of_struct(layout, type_id).0
}

/// The head of an array of a type.
pub fn array_head_of(elements: StorageKind, type_id: u32) -> u64 {
    ObjectHead::of_array(elements, type_id).0
}

/// The places of a layout's structs in memory: references, and all words.
pub fn parts_of(layout: &StructLayout) -> (u32, u32) {
    (layout.refs(), layout.refs() + 1 + layout.data_words())
}

/// Where in words and heads there is what the functions above look at, for engines that make code
/// of the same checks.
#[cfg(isothread_jit)]
pub mod bits {
    use super::super::{chunk, object};

    /// Binary logarithm of the places of a chunk.
    pub const CHUNK_LOG2: u32 = chunk::CHUNK_WORDS.trailing_zeros();
    /// Bits of a head with the number of the type, the lowest ones.
    pub const TYPE_BITS: u32 = object::KIND_SHIFT;
    /// The lowest bit of the 3 that say how large an array's elements are; 0 for structs.
    pub const SIZE_SHIFT: u32 = object::SIZE_SHIFT;
    /// The lowest bit of the 16 that count the words behind a struct's head.
    pub const DATA_SHIFT: u32 = object::DATA_SHIFT;
    /// The lowest bit of those that count the references in front of it, up to the highest.
    pub const REFS_SHIFT: u32 = object::REFS_SHIFT;
    /// Words in front of an array's elements.
    pub const ARRAY_HEAD_WORDS: usize = object::ARRAY_HEAD_WORDS;

    /// What says that elements have so many bytes.
    pub const fn size_code(bytes_log2: u32) -> u32 {
        object::ObjectHead::size_code(bytes_log2)
    }
}
