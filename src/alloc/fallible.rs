//! Collections whose size a guest or an embedder controls: an exhausted heap is an error here, and
//! no allocation goes over the limit.

use super::current::fallible;
use std::alloc::{self, Layout};
use std::collections::TryReserveError;
use std::ffi::CString;
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

/// A vector of `len` zeros, which takes no time to fill where the heap has cleared memory; `None`
/// if it is exhausted.
pub fn try_zeros(len: usize) -> Option<Vec<u64>> {
    let layout = Layout::array::<u64>(len).ok().filter(|layout| layout.size() > 0)?;
    // SAFETY: the layout has a size.
    let words = NonNull::new(fallible(|| unsafe { alloc::alloc_zeroed(layout) }))?;
    // SAFETY: the global allocator has just made the block, with the layout of `len` integers; all
    // of them are zeros.
    Some(unsafe { Vec::from_raw_parts(words.as_ptr().cast(), len, len) })
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
