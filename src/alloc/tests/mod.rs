//! Tests of heaps through what other modules use. They know the heaps' contracts, not how a
//! source or a pool keeps its blocks; those are tested beside their code. Nothing enters here.

mod heap;
pub mod helpers;
mod user;

/// Owner: the test program. All unit tests of the crate run on the allocator of the C library.
#[cfg(not(loom))]
#[global_allocator]
static ALLOCATOR: super::ContextAlloc = super::ContextAlloc;
