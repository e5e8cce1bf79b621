//! What contexts have for compiling, and how functions are compiled.

use crate::abi::error::Result;
use crate::alloc;
use crate::context::{Context, ContextData, JitOptions, RunningMode};
use crate::jit::{CodeBudget, CompileThread, OptLevel, PerfNotes, Policy, When};
use std::sync::Arc;

/// A context's part in compiling. Owner: the context, and the code of its modules.
pub(super) struct Compiling {
    thread: Arc<CompileThread>,
    pub(super) budget: Arc<CodeBudget>,
    pub(super) perf: Option<Arc<PerfNotes>>,
}

impl Compiling {
    /// Where the embedder sets no size.
    const CODE_BYTES: u64 = 64 << 20;

    fn new(options: JitOptions) -> Self {
        let bytes = match options.code_cache_size {
            0 => Self::CODE_BYTES,
            bytes => bytes.into(),
        };
        // Of the system's memory, like all that serves compiling.
        alloc::outside(|| Self {
            thread: Arc::default(),
            budget: Arc::new(CodeBudget::new(bytes)),
            perf: options.linux_perf.then(Arc::default),
        })
    }
}

impl ContextData for Compiling {
    fn end(&self) {
        self.thread.end();
    }
}

impl Drop for Compiling {
    fn drop(&mut self) {
        self.thread.end();
    }
}

/// The context's part.
pub(super) fn compiling(context: &Context) -> Result<Arc<Compiling>> {
    let options = context.jit_options();
    context.data_or_init(|| Compiling::new(options))
}

/// The work that goes into code, by WAMR's levels for optimised code.
pub(super) fn opt_level(size_level: u32) -> OptLevel {
    match size_level {
        // The levels at which LLVM prefers small code.
        1 | 2 => OptLevel::SpeedAndSize,
        _ => OptLevel::Speed,
    }
}

/// How functions are compiled in a mode; `None` if they are not.
pub(super) fn policy(context: &Context, mode: RunningMode) -> Result<Option<Policy>> {
    let best = opt_level(context.jit_options().size_level);
    let compiling = || compiling(context);
    let (when, level, compiling) = match mode {
        RunningMode::FastJit => (When::FirstCall, OptLevel::None, compiling()?),
        RunningMode::LlvmJit => (When::FirstCall, best, compiling()?),
        RunningMode::MultiTierJit => {
            let compiling = compiling()?;
            (When::Hot(compiling.thread.clone()), best, compiling)
        }
        RunningMode::Default | RunningMode::Interp => return Ok(None),
    };
    let (budget, perf) = (compiling.budget.clone(), compiling.perf.clone());
    Ok(Some(Policy { when, level, budget, perf }))
}
