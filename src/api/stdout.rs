//! The output of guests without a descriptor: the built-in C library's.

use super::hook::Hook;
use super::{Context, Result};
use crate::context::log;
use crate::instance::OutputWait;
use std::sync::Arc;

/// Receives the output of guests, in pieces of any length and encoding. It runs inside the guest's
/// context, on the thread of the guest.
pub type StdoutCallback = Arc<Stdout>;

type Stdout = dyn Fn(&[u8]) + Send + Sync;

impl Context {
    /// Sends the output of this context's guests through the built-in C library to `callback`
    /// instead of standard output; `None` to stop that. WASI programs write to their descriptors.
    pub fn set_stdout_callback(&self, callback: Option<StdoutCallback>) -> Result<()> {
        Hook::set(self, callback)
    }
}

/// Prints for a guest of `context`, as the instance's host is asked to.
pub(super) fn print(context: &Context, bytes: &[u8], wait: &mut dyn FnMut(OutputWait) -> bool) {
    match Hook::<Stdout>::get(context) {
        Some(callback) => callback(bytes),
        None => log::print_bytes(bytes, wait),
    }
}
