//! Collections whose size a guest or an embedder controls: they fail instead of overdrawing.

use super::current::fallible;
use std::collections::TryReserveError;

/// An empty vector with room for `capacity` elements.
pub fn try_vec<T>(capacity: usize) -> Result<Vec<T>, TryReserveError> {
    let mut vec = Vec::new();
    fallible(|| vec.try_reserve_exact(capacity))?;
    Ok(vec)
}

/// A vector of `len` copies of `value`.
pub fn try_filled<T: Copy>(len: usize, value: T) -> Result<Vec<T>, TryReserveError> {
    let mut vec = try_vec(len)?;
    vec.resize(len, value);
    Ok(vec)
}

/// A copy of `items`.
pub fn try_copy<T: Copy>(items: &[T]) -> Result<Vec<T>, TryReserveError> {
    let mut vec = try_vec(items.len())?;
    vec.extend_from_slice(items);
    Ok(vec)
}

/// A box around `value`.
pub fn try_box<T>(value: T) -> Result<Box<T>, TryReserveError> {
    let mut vec = try_vec(1)?;
    vec.push(value);
    let one: *mut [T] = Box::into_raw(vec.into_boxed_slice());
    // SAFETY: a boxed slice of exactly one element has the layout of a boxed element; the
    // capacity equals the length, so `into_boxed_slice` has not moved or shrunk it.
    Ok(unsafe { Box::from_raw(one.cast::<T>()) })
}
