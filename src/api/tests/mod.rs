//! Tests that need internals which embedders do not see.

#[cfg(all(feature = "wasi", feature = "builtin-libc", not(miri)))]
mod hostile;
