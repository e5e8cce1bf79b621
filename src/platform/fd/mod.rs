//! File descriptors: the system's calls on them, with the system's error numbers.
//!
//! It must not know any other part of the crate. Control enters through plain functions. Each
//! borrows a descriptor that its caller keeps open; one that an embedder has closed all the same
//! is an error, nothing worse. Waits take numbers, because a negative one stands for none. Buffers
//! are raw because they lie in guests' memories, which no Rust reference may cover. Errors come as
//! numbers alone, without signals beside them.

#[cfg(not(all(unix, not(miri))))]
mod fallback;
#[cfg(all(unix, not(miri)))]
mod now;
// Guests have sockets by WASI alone.
#[cfg(all(unix, not(miri), feature = "wasi"))]
mod socket;
mod types;
#[cfg(all(unix, not(miri)))]
mod unix;

#[cfg(not(all(unix, not(miri))))]
use fallback as backend;
#[cfg(all(unix, not(miri)))]
use unix as backend;

pub use super::poll::{Interest, Poll, Readiness, poll};
pub use backend::{
    Buffer, advise, allocate, fast_open, flags, flush, is_terminal, kind_of_mode, medium, read,
    readable_bytes, seek, set_fast_open, set_flags, set_size, set_times, stat, sync, sync_data,
    wait, write,
};
#[cfg(not(all(unix, not(miri))))]
pub use fallback::{append, receive, send, try_read, try_write};
#[cfg(all(unix, not(miri)))]
pub use now::{append, try_read, try_write};
#[cfg(all(unix, not(miri), feature = "wasi"))]
pub use socket::{receive, send};

pub use types::{
    Advice, At, BUFFERS_MAX, Flags, Interrupted, Kind, Medium, Received, Result, Stat, Time, Whence,
};

#[cfg(all(test, unix, not(miri)))]
mod tests;
