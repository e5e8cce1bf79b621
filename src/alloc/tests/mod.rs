//! Tests of heaps through the functions that other modules use. They know the heaps' contracts, not
//! how a source or a pool keeps its blocks, which is tested beside that code.

mod heap;
pub mod helpers;
mod user;

/// Owner: the test program. All unit tests of the crate run on the allocator of the C library.
#[cfg(not(loom))]
#[global_allocator]
static ALLOCATOR: super::ContextAlloc = super::ContextAlloc;
