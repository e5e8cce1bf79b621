//! The operating system: everything the rest of the crate may ask of it, and nothing else.
//!
//! It must not know any other part of the crate; a port to another system is a change of this
//! folder alone. Control enters through plain functions; nothing here calls back, except that
//! [`tls::arm_exit`] runs one callback when a thread ends.
//!
//! | contract | meaning |
//! |---|---|
//! | [`tls`] | one pointer-sized word per thread, and one callback at thread exit |

pub mod tls;
