//! The context of a call, and running in one.

pub(crate) use isothread::context::thread::with_current;
use isothread::{Context, Result};

/// The context of a call without a handle.
pub(crate) fn current() -> Option<Context> {
    Context::current().ok()
}

/// Whether a block may have been given out: a call without a handle finds a context, or some
/// other thread would. Functions of the embedder's that run while the last context ends are in it.
pub(crate) fn exists() -> bool {
    Context::any() || current().is_some()
}

/// Runs `f` in a context: its allocations come from there; an error if the context runs out.
pub(crate) fn within<R>(context: &Context, f: impl FnOnce() -> R) -> Result<R> {
    context.guarded(f)
}
