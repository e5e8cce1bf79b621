//! The libraries that contexts offer to guests, to choose from for
//! [`ContextConfig::builtins`](crate::ContextConfig::builtins).
//!
//! Libraries that a Cargo feature leaves out of the build are not here. Contexts know none of
//! these: the maker of a context hands it a list, and the default one is made here.
//!
//! ```
//! use isothread::{Context, ContextConfig, builtins};
//!
//! // Guests of this context can start threads, and import nothing else that is not defined.
//! let context = Context::with(ContextConfig {
//!     builtins: &[builtins::THREADS],
//!     ..ContextConfig::default()
//! })?;
//! assert!(context.natives().is_linked("wasi", "thread-spawn"));
//! assert!(!context.natives().is_linked("wasi_snapshot_preview1", "fd_write"));
//! # Ok::<(), isothread::Error>(())
//! ```

use crate::abi::error::Result;
use crate::context::{Context, ContextConfig};
use crate::native::BuiltinTable;

#[cfg(feature = "builtin-libc")]
pub use crate::builtin_libc::LIBC;
#[cfg(feature = "libc-emcc")]
pub use crate::libc_emcc::EMSCRIPTEN;
pub use crate::native::SHARED_HEAP;
pub use crate::thread::THREADS;
#[cfg(feature = "wasi")]
pub use crate::wasi::WASI;

/// Every library that this build has, the most particular first: several go by the name `env`.
pub const ALL: &[BuiltinTable] = &[
    THREADS,
    #[cfg(feature = "wasi")]
    WASI,
    SHARED_HEAP,
    #[cfg(feature = "libc-emcc")]
    EMSCRIPTEN,
    #[cfg(feature = "builtin-libc")]
    LIBC,
];

impl Default for ContextConfig {
    fn default() -> Self {
        Self::with_builtins(ALL)
    }
}

impl Context {
    /// A context with everything at its default.
    pub fn new() -> Result<Self> {
        Ok(Self::with(ContextConfig::default())?)
    }
}
