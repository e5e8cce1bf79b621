//! Translation and machine code, without running them.

mod entries;
mod hints;
mod modules;
