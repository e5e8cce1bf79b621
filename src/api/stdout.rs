//! What guests print without a descriptor: the built-in C library's output.

use super::hook::Hook;
use super::{Context, Result};
use crate::context::log;
use crate::instance::OutputWait;
use std::sync::Arc;

/// Gets what guests print, in pieces of any length; no piece is text of any particular encoding.
/// It runs inside the guest's context, on the thread of the guest.
pub type StdoutCallback = Arc<Stdout>;

type Stdout = dyn Fn(&[u8]) + Send + Sync;

impl Context {
    /// Sends what this context's guests print with the built-in C library to `callback` instead
    /// of standard output; `None` to stop that. WASI programs write to their descriptors.
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
