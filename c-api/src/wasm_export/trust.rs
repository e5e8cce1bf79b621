//! Whether contexts run the code of files compiled ahead.

use crate::ffi::context;
use isothread::{Context, ContextData, Result};
use std::sync::atomic::{AtomicBool, Ordering};

/// Owner: the context.
#[derive(Default)]
struct AotRefusal {
    refuses: AtomicBool,
}

impl ContextData for AotRefusal {}

/// Has a context run the code of files that it loads from now on, or not.
pub(crate) fn set(context: &Context, runs: bool) -> Result<()> {
    let refusal = context.data_or_init(AotRefusal::default)?;
    refusal.refuses.store(!runs, Ordering::Relaxed);
    if !runs {
        context.distrust_compiled_files();
    }
    Ok(())
}

/// Lets a context run the code of a file that it is about to load, unless it refuses all.
pub(super) fn trust(context: &Context) -> Result<()> {
    if context.data::<AotRefusal>().is_some_and(|refusal| refusal.refuses.load(Ordering::Relaxed)) {
        return Ok(());
    }
    // SAFETY: the header has embedders load files compiled ahead from sources that they trust, or
    // have the context refuse them.
    context::within(context, || unsafe { context.trust_compiled_files() })?
}
