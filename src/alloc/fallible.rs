//! Collections whose size a guest or an embedder controls: an exhausted heap is an error here, and
//! no allocation goes over the limit.

use super::current::{current, fallible};
use super::heap::Heap;
use std::alloc::{self, Layout};
use std::collections::TryReserveError;
use std::ffi::CString;
use std::mem::{self, ManuallyDrop};
use std::ptr::NonNull;

/// An empty vector with room for `capacity` elements.
pub fn try_vec<T>(capacity: usize) -> Result<Vec<T>, TryReserveError> {
    let mut vec = Vec::new();
    if capacity > 0 {
        fallible(|| vec.try_reserve_exact(capacity))?;
    }
    Ok(vec)
}

/// A vector of `len` copies of `value`.
pub fn try_filled<T: Copy>(len: usize, value: T) -> Result<Vec<T>, TryReserveError> {
    let mut vec = try_vec(len)?;
    vec.resize(len, value);
    Ok(vec)
}

/// Words that are cleared between two looks.
const CLEARED_WORDS: usize = 1 << 15;

/// Words that are given back between two looks.
const FREED_WORDS: usize = 1 << 21;

/// Whether the system clears large blocks of the current heap, page by page when they are used.
fn has_zeros() -> bool {
    let (heap, _) = current();
    // SAFETY: null, or the current heap, which lives.
    unsafe { heap.as_ref() }.is_none_or(Heap::has_zeros)
}

/// A vector of `len` zeros; `None` if the heap is exhausted. Clears it in pieces with a `look`
/// between them, unless the system does.
pub fn try_zeros<E>(
    len: usize,
    look: &mut dyn FnMut() -> Result<(), E>,
) -> Result<Option<Vec<u64>>, E> {
    if has_zeros() {
        return Ok(cleared_by_the_system(len));
    }
    let Ok(mut words) = try_vec(len) else { return Ok(None) };
    while words.len() < len {
        if !words.is_empty() {
            look()?;
        }
        words.resize(len.min(words.len() + CLEARED_WORDS), 0);
    }
    Ok(Some(words))
}

fn cleared_by_the_system(len: usize) -> Option<Vec<u64>> {
    let layout = Layout::array::<u64>(len).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the layout has a size.
    let words = NonNull::new(fallible(|| unsafe { alloc::alloc_zeroed(layout) }))?;
    // SAFETY: the global allocator has just made the block, with the layout of `len` integers; all
    // of them are zeros.
    Some(unsafe { Vec::from_raw_parts(words.as_ptr().cast(), len, len) })
}

/// Gives the memory of `words` back. The system takes long for many pages, so it gets those of the
/// current heap in pieces, from the end, with a `look` between them. If that fails, `words` has
/// what is left, [`FREED_WORDS`] or more.
pub fn free_in_pieces<E>(
    words: &mut Vec<u64>,
    look: &mut dyn FnMut() -> Result<(), E>,
) -> Result<(), E> {
    while words.len() > 2 * FREED_WORDS && has_zeros() {
        if !try_shrink(words, words.len() - FREED_WORDS) {
            break;
        }
        look()?;
    }
    *words = Vec::new();
    Ok(())
}

/// Makes the vector's block smaller, which has no room for more; false if the heap cannot do that.
fn try_shrink(words: &mut Vec<u64>, len: usize) -> bool {
    let Ok(layout) = Layout::array::<u64>(words.capacity()) else { return false };
    if len == 0 || len > words.len() {
        return false;
    }
    let mut old = ManuallyDrop::new(mem::take(words));
    let (start, old_len) = (old.as_mut_ptr(), old.len());
    // SAFETY: the vector's block has the layout of its capacity, and nothing else uses it now; the
    // new size is neither zero nor larger.
    let block =
        fallible(|| unsafe { alloc::realloc(start.cast(), layout, len * size_of::<u64>()) });
    *words = match NonNull::new(block) {
        // SAFETY: the global allocator has resized the block to so many integers, which it kept.
        Some(block) => unsafe { Vec::from_raw_parts(block.as_ptr().cast(), len, len) },
        // SAFETY: the block is as it was, and the old vector is not used any more.
        None => unsafe { Vec::from_raw_parts(start, old_len, layout.size() / size_of::<u64>()) },
    };
    !block.is_null()
}

/// A copy of `items`.
pub fn try_copy<T: Copy>(items: &[T]) -> Result<Vec<T>, TryReserveError> {
    let mut vec = try_vec(items.len())?;
    vec.extend_from_slice(items);
    Ok(vec)
}

/// Collects the items of an iterator of known length.
pub fn try_collect<T>(items: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>, TryReserveError> {
    let mut vec = try_vec(items.len())?;
    // Items beyond the length that the iterator announced are dropped.
    let room = vec.capacity();
    vec.extend(items.take(room));
    Ok(vec)
}

/// A copy of `bytes` in a box.
pub fn try_boxed(bytes: &[u8]) -> Result<Box<[u8]>, TryReserveError> {
    Ok(try_copy(bytes)?.into_boxed_slice())
}

/// A copy of `text`.
pub fn try_string(text: &str) -> Result<String, TryReserveError> {
    let mut string = String::new();
    fallible(|| string.try_reserve_exact(text.len()))?;
    string.push_str(text);
    Ok(string)
}

/// A copy of `text` in a box.
pub fn try_str(text: &str) -> Result<Box<str>, TryReserveError> {
    Ok(try_string(text)?.into_boxed_str())
}

/// `text` as C reads it: up to the first NUL.
pub fn try_c_string(text: &[u8]) -> Result<CString, TryReserveError> {
    let len = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    let mut bytes = try_vec(len + 1)?;
    bytes.extend_from_slice(&text[..len]);
    // There is room for the end, and no NUL before it.
    Ok(CString::new(bytes).unwrap_or_default())
}
