//! The validator's messages in the words embedders know.

use crate::abi::error::Error;

/// A load error for what the validator found.
#[cold]
pub(super) fn load_error(error: &wasmparser::Error) -> Error {
    Error::load(format!("{} (at offset 0x{:x})", error.message(), error.offset()))
}
