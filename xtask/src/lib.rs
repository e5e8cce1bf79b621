//! Puts the C library where programs look for it: headers, libraries, and the files that tell
//! pkg-config and CMake about them; and the command with what belongs to it.
//!
//! `build` asks cargo for the libraries and for what a static link needs beside them; `install`
//! lays the tree out. Neither knows a function of the library. Nothing in the tree names the
//! folder it was made in, so it may be moved.

mod build;
mod install;

pub use build::Options;
pub use install::{VERSION, install};
