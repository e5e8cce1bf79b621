//! The one place where an engine is chosen.

use super::{Context, Result};
use crate::exec::GuestCode;
use crate::interp::ModuleCode;
#[cfg(isothread_jit)]
use crate::jit::{CodeBudget, OptLevel, Policy, TieredCode, When};
use crate::module::Module;
use std::sync::Arc;

/// The code of a module that is loaded into a context.
pub(super) fn code(context: &Context, module: Arc<Module>) -> Result<Arc<dyn GuestCode>> {
    let profiled = context.perf_profiling();
    #[cfg(isothread_jit)]
    if !profiled {
        use crate::context::RunningMode;
        let budget = Arc::new(CodeBudget::new(64 << 20));
        let policy = match context.running_mode() {
            RunningMode::FastJit => Some((When::FirstCall, OptLevel::None)),
            RunningMode::LlvmJit => Some((When::FirstCall, OptLevel::Speed)),
            RunningMode::MultiTierJit => Some((When::Hot(Arc::default()), OptLevel::Speed)),
            RunningMode::Default | RunningMode::Interp => None,
        };
        if let Some((when, level)) = policy {
            return Ok(TieredCode::new(module, Policy { when, level, budget })?);
        }
    }
    Ok(ModuleCode::new(module, profiled)?)
}
