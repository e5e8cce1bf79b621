//! Memory: heaps over the system, over an embedder's callbacks or over an embedder's buffer, and
//! the global allocator that sends every allocation to the heap that is current.
//!
//! It must not know contexts, modules or anything else above it: a heap is a heap. Control
//! enters through [`Heap`] (explicit allocations), through [`ContextAlloc`] (everything that
//! Rust code allocates), and through the thread's head (`current.rs`) that names the heap.
//!
//! - Every block carries its owner in a 16-byte header (`header.rs`), so any thread can free it,
//!   with any heap current, and a pointer that is no block is refused.
//! - An explicit allocation fails with null when its heap is exhausted. Infallible Rust code
//!   cannot take null: [`ContextAlloc`] then makes an *over-limit allocation*, that is, takes the
//!   block from the system, or from the thread's reserve (`reserve.rs`) if that has none either,
//!   still owned and counted by the heap. The thread counts them, and the [`operation`] during
//!   which there was one fails. Sizes that a guest or an embedder controls go through the helpers
//!   in `fallible.rs`, for which nothing is over the limit.
//! - A heap lives until its last handle and its last block are gone. Its *source* (`source.rs`,
//!   `user.rs`) or its pool (`pool/`) has the memory, its *ledger* (`ledger.rs`) the counters and
//!   the quota.

mod blocks;
mod config;
mod current;
mod fallible;
mod global;
mod header;
mod heap;
mod ledger;
mod pool;
mod reserve;
mod source;
mod user;

pub use config::{
    FailRule, HeapConfig, HeapError, HeapIdentity, HeapStats, PlainFunctions, PoolBuffer, PoolInfo,
    Usage, UsageFunctions, UsageUserDataFunctions, UserAllocator, UserDataFunctions, UserFunctions,
};
pub use current::{
    HeadKind, ThreadHead, ensure_reserve, fallible, head_ptr, install, leave, lock_owner,
    operation, outside, remove, trim_reserve, with_heap,
};
#[cfg(test)]
pub use current::{OutOfMemory, enter};
pub use fallible::{
    free_in_pieces, try_boxed, try_c_string, try_collect, try_copy, try_filled, try_str,
    try_string, try_vec, try_zeros,
};
pub use global::ContextAlloc;
pub use heap::{Heap, HeapRef};
pub use reserve::Reserve;

#[cfg(test)]
mod tests;
