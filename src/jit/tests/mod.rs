//! Compiled code beside the interpreter's, function by function, without running either.

mod entries;
mod modules;
