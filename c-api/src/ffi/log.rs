//! Log lines, in WAMR's form on C's standard output, so that they stay in order with the host's
//! output. The calling thread's context filters them.

use isothread::context::log::{Output, install};
use std::fmt;

/// Logs at level WASM_LOG_LEVEL_ERROR.
#[cold]
pub(crate) fn error(message: fmt::Arguments<'_>) {
    install(Output::C);
    log::error!("{message}");
}

/// Logs at level WASM_LOG_LEVEL_WARNING.
#[cold]
pub(crate) fn warning(message: fmt::Arguments<'_>) {
    install(Output::C);
    log::warn!("{message}");
}
