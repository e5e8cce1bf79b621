#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

// A model's atomics work inside the model only, so that build has no other tests.
#[cfg(not(loom))]
mod contexts;
#[cfg(not(loom))]
mod externrefs;
#[cfg(loom)]
mod models;
#[cfg(not(loom))]
mod registry;
pub(super) mod world;
