//! What guests print without a descriptor: the built-in C library's output.

use super::{Context, Result};
use crate::context::{ContextData, log};
use crate::sync::Lock;
use std::sync::Arc;

/// Gets what guests print, in pieces of any length; no piece is text of any particular encoding.
/// It runs inside the guest's context, on the thread of the guest.
pub type StdoutCallback = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// Owner: the context.
#[derive(Default)]
struct StdoutHook(Lock<Option<StdoutCallback>>);

impl ContextData for StdoutHook {
    fn end(&self) {
        let callback = self.0.lock().take();
        drop(callback);
    }

    fn before_fork(&self) {
        self.0.hold();
    }

    unsafe fn after_fork(&self) {
        // SAFETY: held since `before_fork`, says the caller.
        drop(unsafe { self.0.resume() });
    }
}

impl Context {
    /// Sends what this context's guests print with the built-in C library to `callback` instead
    /// of standard output; `None` to stop that. WASI programs write to their descriptors.
    pub fn set_stdout_callback(&self, callback: Option<StdoutCallback>) -> Result<()> {
        let place = self.data_or_init(StdoutHook::default)?;
        let old = std::mem::replace(&mut *place.0.lock(), callback);
        drop(old);
        Ok(())
    }
}

/// Prints for a guest of `context`.
pub(super) fn print(context: &Context, bytes: &[u8]) {
    let hook = context.data::<StdoutHook>().and_then(|place| place.0.lock().clone());
    match hook {
        Some(callback) => callback(bytes),
        None => log::print_bytes(bytes),
    }
}
