//! The one place where an engine is chosen.

use super::{Context, Result};
use crate::exec::GuestCode;
use crate::interp::ModuleCode;
#[cfg(isothread_jit)]
use crate::jit::{OptLevel, Policy, TieredCode};
use crate::module::Module;
use std::sync::Arc;

/// The code of a module that is loaded into a context.
pub(super) fn code(context: &Context, module: Arc<Module>) -> Result<Arc<dyn GuestCode>> {
    let profiled = context.perf_profiling();
    #[cfg(isothread_jit)]
    if !profiled {
        use crate::context::RunningMode;
        let level = match context.running_mode() {
            RunningMode::FastJit => Some(OptLevel::None),
            RunningMode::LlvmJit | RunningMode::MultiTierJit => Some(OptLevel::Speed),
            RunningMode::Default | RunningMode::Interp => None,
        };
        if let Some(level) = level {
            return Ok(TieredCode::new(module, Policy { level })?);
        }
    }
    Ok(ModuleCode::new(module, profiled)?)
}
