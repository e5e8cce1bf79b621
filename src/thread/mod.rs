//! Threads of guests: starting them, and the two libraries through which guests do.
//!
//! A thread runs on an exec_env of its own, with an instance of its own (`instance::cluster`) and
//! for some programs a stack of its own in linear memory (`guest_stack.rs`). `spawn.rs` makes those
//! and starts the thread; `wasi_threads.rs` has the import of wasi-libc's programs, `pthread.rs`
//! and its neighbours those of freestanding programs.
//!
//! Everything here belongs to a cluster: handles, keys and thread numbers mean nothing to another
//! program. It knows no context: the instance's host puts a new thread into the right one.
//! Control enters when a guest calls a function of the tables, and from the API.

mod guest_stack;
mod ids;
mod key;
mod lock;
mod objects;
mod program;
mod pthread;
mod pthread_call;
mod semaphore;
mod spawn;
mod wasi_threads;

pub use spawn::{Completion, GuestStack, SpawnError, ThreadBody, end_env, spawn_env, start_thread};

use crate::native::BuiltinTable;

/// The functions by which guests start threads and wait for each other: C's pthread library, and
/// wasi-threads.
pub const THREADS: BuiltinTable =
    BuiltinTable::new(&[pthread::PTHREAD, wasi_threads::WASI_THREADS]);
