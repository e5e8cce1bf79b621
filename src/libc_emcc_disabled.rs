//! Stands for `libc_emcc` in builds without it: offering nothing.

use crate::native::Registry;

/// Offers nothing.
pub fn register(_registry: &Registry) -> bool {
    true
}
