//! The common part of all functions at the C boundary: panics become errors, strings and error
//! buffers get types, handles are checked.
//!
//! Of the headers it knows their types of handles, and none of their functions. The header folders
//! import it; nothing here is exported.

pub(crate) mod callback;
pub(crate) mod context;
mod cstr;
mod error_buf;
mod guard;
pub(crate) mod handle;
pub(crate) mod log;

pub(crate) use cstr::{opt_bytes, opt_str};
pub(crate) use error_buf::ErrorBuf;
pub(crate) use guard::{ErrorValue, guard, guard_guest, guard_held, guard_or};
