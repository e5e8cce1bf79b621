//! Puts the C library where programs look for it: headers, libraries, and the files for pkg-config
//! and CMake; and the command with its pages.
//!
//! `build` gets from cargo the libraries and the further libraries of a static link; `install` lays
//! the tree out. Neither knows a function of the library. Nothing in the tree names the folder it
//! was made in, so it may be moved.

mod build;
mod install;

pub use build::Options;
pub use install::{VERSION, install};
