//! Tests that need what embedders do not see.

#[cfg(all(feature = "wasi", feature = "builtin-libc", not(miri)))]
mod hostile;
