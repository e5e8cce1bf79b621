//! The modes of instances.

use crate::context::{Context, RunningMode};
use crate::exec::GuestCode;
use crate::module::Module;
use std::sync::Arc;

/// The code of a module for instances in a mode.
pub(in crate::api) type ModeCode = (RunningMode, Arc<dyn GuestCode>);

/// Whether functions may have machine code in a context. One that measures its functions interprets
/// them.
pub(super) fn compiles(context: &Context) -> bool {
    RunningMode::MultiTierJit.is_supported() && !context.perf_profiling()
}

/// The mode of instances in a context that ask for this one. [`RunningMode::Default`] stands for
/// tiers where functions can be compiled and the context's memory is no pool, else for the
/// interpreter, and so it does for code that contexts share, because compiled code is each
/// context's own.
pub(super) fn resolve(context: &Context, module: &Module, mode: RunningMode) -> RunningMode {
    match mode {
        _ if !compiles(context) => RunningMode::Interp,
        RunningMode::Default if cfg!(isothread_compile_all) => RunningMode::LlvmJit,
        RunningMode::Default if context.has_pool() || module.is_shared() => RunningMode::Interp,
        RunningMode::Default => RunningMode::MultiTierJit,
        mode => mode,
    }
}
