//! Entering and leaving guest code, and the slow paths that engines share.
//!
//! It knows instances and no engine. Control enters from the public API.

pub mod builtins;
