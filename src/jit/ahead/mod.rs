//! Compiled code from files: made ahead of any run, and run without a compiler.
//!
//! `compile` makes the content of a file, with the translator and the compiler of all compiled
//! code. An [`Image`] is the content of one in memory: its text, which can be executed, and its
//! tables. This folder knows no context and no instance; the format is `crate::ahead`'s. Control
//! enters at [`compile`], and at [`Image::load`]; `jit::code` publishes an image's functions.
//!
//! Code in a file is trusted like the library itself: checksums find accidents, and nothing finds
//! out whether code is benign. The caller of [`Image::load`] vouches for it.

mod compile;
mod contract;
mod frames;
mod image;

pub use compile::{CompileOptions, Compiled, compile};
pub use contract::host;
pub use image::{FileSource, Image};
