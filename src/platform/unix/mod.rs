//! The backend for POSIX systems, with Linux's own calls where they are better.
//!
//! It must not know any other part of the crate. Control enters through the functions that
//! `platform/mod.rs` describes.

pub mod barrier;
pub mod event;
pub mod fork;
pub mod futex;
pub mod pages;
pub mod poll;
#[cfg(target_os = "linux")]
pub mod quiet;
#[cfg(not(target_os = "linux"))]
#[path = "../fallback/quiet.rs"]
pub mod quiet;
pub mod random;
pub mod rlimit;
#[cfg(target_os = "linux")]
pub mod signal;
#[cfg(not(target_os = "linux"))]
#[path = "../fallback/signal.rs"]
pub mod signal;
pub mod stack;
pub mod thread;
pub mod time;
pub mod unwind;
