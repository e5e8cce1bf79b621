//! The operating system: everything the rest of the crate may ask of it, and nothing else.
//!
//! It must not know any other part of the crate; a port to another system is a new backend
//! folder. Control enters through plain functions; nothing here calls back, except that
//! [`tls::arm_exit`] and [`tls::arm_last`] run callbacks when a thread ends.
//!
//! The functions of a backend (`unix/`, `fallback/`):
//!
//! | module | contract |
//! |---|---|
//! | [`pages`] | ranges of whole pages: reserve addresses, commit, zero, decommit, release |
//! | [`stack`] | where the calling thread's native stack is, and how deep it is now |
//! | [`time`] | wall, monotonic and CPU clocks in nanoseconds, and their resolutions |
//! | [`random`] | unpredictable bytes |
//! | [`rlimit`] | the process's resource limits |
//! | [`thread`] | a number for the calling thread; starting, joining and detaching others |
//! | [`barrier`] | ordering a hot side with a cold one, at no cost to the hot one |
//! | [`fork`] | calls before and after the process forks |
//! | [`futex`] | sleeping on a word; waking may also happen for no reason |
//! | [`poll`] | waiting for descriptors |
//! | [`event`] | a descriptor that others make readable, to end waits for descriptors |
//! | [`quiet`] | calls whose errors come without the signals that the system sends beside them |
//! | [`unwind`] | catching unwinding out of C code, resuming it, holding cancellation off |
//! | [`signal`] | interrupting a thread's blocking call, chaining to the previous handler |
//!
//! [`tls`] is common to all backends: two pointer-sized words per thread, and a callback for each
//! at thread exit. So is [`fd`], the types of descriptors; its calls have backends of their own.

pub mod fd;
pub mod poll;
pub mod tls;

#[cfg(all(unix, not(miri)))]
#[path = "unix/mod.rs"]
mod backend;
#[cfg(not(all(unix, not(miri))))]
#[path = "fallback/mod.rs"]
mod backend;

pub use backend::{
    barrier, event, fork, futex, pages, quiet, random, rlimit, signal, stack, thread, time, unwind,
};

#[cfg(test)]
mod tests;
