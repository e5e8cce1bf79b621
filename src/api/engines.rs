//! The engines of modules and instances: the one place where they are chosen.
//!
//! A module has code for each mode that its instances run in, made when the first of them asks.

use super::{Context, Result};
use crate::alloc;
use crate::context::RunningMode;
#[cfg(isothread_jit)]
use crate::context::{ContextData, JitOptions};
use crate::exec::{CompiledCode, GuestCode};
use crate::interp::ModuleCode;
#[cfg(isothread_jit)]
use crate::jit::{self, CodeBudget, CompileThread, OptLevel, Policy, When};
use crate::module::Module;
use crate::sync::Lock;
use std::sync::Arc;

/// The code of a module by the modes of its instances. Owner: the module.
#[derive(Default)]
pub(super) struct Codes(Lock<Vec<(RunningMode, Arc<dyn GuestCode>)>>);

/// A context's part in compiling. Owner: the context, and the code of its modules.
#[cfg(isothread_jit)]
struct Compiling {
    thread: Arc<CompileThread>,
    budget: Arc<CodeBudget>,
}

#[cfg(isothread_jit)]
impl Compiling {
    /// Where the embedder sets no size.
    const CODE_BYTES: u64 = 64 << 20;

    fn new(options: JitOptions) -> Self {
        let bytes = match options.code_cache_size {
            0 => Self::CODE_BYTES,
            bytes => bytes.into(),
        };
        // Of the system's memory, like all that serves compiling.
        alloc::outside(|| Self { thread: Arc::default(), budget: Arc::new(CodeBudget::new(bytes)) })
    }
}

#[cfg(isothread_jit)]
impl ContextData for Compiling {
    fn end(&self) {
        self.thread.end();
    }
}

#[cfg(isothread_jit)]
impl Drop for Compiling {
    fn drop(&mut self) {
        self.thread.end();
    }
}

/// The mode of instances in a context that ask for this one. [`RunningMode::Default`] stands for
/// tiers where functions can be compiled and the context's memory is no pool, else for the
/// interpreter, and so it does for code that contexts share, because compiled code is each
/// context's own. A context that measures its functions interprets them.
pub(super) fn resolve(context: &Context, module: &Module, mode: RunningMode) -> RunningMode {
    let compiles = RunningMode::MultiTierJit.is_supported() && !context.perf_profiling();
    match mode {
        _ if !compiles => RunningMode::Interp,
        RunningMode::Default if cfg!(isothread_compile_all) => RunningMode::LlvmJit,
        RunningMode::Default if context.has_pool() || module.is_shared() => RunningMode::Interp,
        RunningMode::Default => RunningMode::MultiTierJit,
        mode => mode,
    }
}

/// Code of a module that is loaded into a context, for instances in this mode.
pub(super) fn code(
    context: &Context,
    module: Arc<Module>,
    mode: RunningMode,
) -> Result<Arc<dyn GuestCode>> {
    #[cfg(isothread_jit)]
    if let Some(policy) = policy(context, mode)? {
        return Ok(jit::code(module, policy)?);
    }
    #[cfg(not(isothread_jit))]
    let _ = mode;
    Ok(ModuleCode::new(module, context.perf_profiling())?)
}

#[cfg(isothread_jit)]
fn policy(context: &Context, mode: RunningMode) -> Result<Option<Policy>> {
    let options = context.jit_options();
    let best = match options.size_level {
        // The levels at which LLVM prefers small code.
        1 | 2 => OptLevel::SpeedAndSize,
        _ => OptLevel::Speed,
    };
    let compiling = || context.data_or_init(|| Compiling::new(options));
    let (when, level, compiling) = match mode {
        RunningMode::FastJit => (When::FirstCall, OptLevel::None, compiling()?),
        RunningMode::LlvmJit => (When::FirstCall, best, compiling()?),
        RunningMode::MultiTierJit => {
            let compiling = compiling()?;
            (When::Hot(compiling.thread.clone()), best, compiling)
        }
        RunningMode::Default | RunningMode::Interp => return Ok(None),
    };
    Ok(Some(Policy { when, level, budget: compiling.budget.clone() }))
}

/// The code of a module for instances in a mode, which is made now if there is none.
pub(super) fn code_for(
    context: &Context,
    (module, codes): (&Arc<Module>, &Codes),
    mode: RunningMode,
) -> Result<Arc<dyn GuestCode>> {
    let find = |codes: &[(RunningMode, Arc<dyn GuestCode>)]| {
        codes.iter().find(|known| known.0 == mode).map(|known| known.1.clone())
    };
    if let Some(code) = find(&codes.0.lock()) {
        return Ok(code);
    }
    // Outside of the lock, because forks wait for that.
    let made = code(context, module.clone(), mode)?;
    let mut known = codes.0.lock();
    if let Some(code) = find(&known) {
        // Another thread was faster.
        return Ok(code);
    }
    let has_room = alloc::fallible(|| known.try_reserve(1));
    has_room.map_err(|_| super::Error::out_of_memory())?;
    known.push((mode, made.clone()));
    Ok(made)
}

impl Drop for Codes {
    fn drop(&mut self) {
        let codes = std::mem::take(&mut *self.0.lock());
        for (_, code) in codes {
            code.retire();
        }
    }
}

impl Codes {
    /// With the code that a module was loaded with.
    pub(super) fn of(mode: RunningMode, code: Arc<dyn GuestCode>) -> Result<Self> {
        let mut codes = alloc::try_vec(1).map_err(|_| super::Error::out_of_memory())?;
        codes.push((mode, code));
        Ok(Self(Lock::new(codes)))
    }

    /// The machine code of all modes.
    pub(super) fn compiled(&self) -> CompiledCode {
        let mut sum = CompiledCode::default();
        for (_, code) in self.0.lock().iter() {
            let CompiledCode { funcs, loops, bytes } = code.compiled();
            sum.funcs += funcs;
            sum.loops += loops;
            sum.bytes += bytes;
        }
        sum
    }
}
