//! Collections whose size a guest or an embedder controls: they fail, and take
//! nothing over the limit.

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
