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

/// The code of a module for instances in a mode.
type ModeCode = (RunningMode, Arc<dyn GuestCode>);

/// The code of a module by the modes of its instances. Owner: the module.
pub(super) struct Codes {
    /// That which the module was loaded with.
    first: ModeCode,
    others: Lock<Vec<ModeCode>>,
}

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
    if codes.first.0 == mode {
        return Ok(codes.first.1.clone());
    }
    let find = |others: &[ModeCode]| {
        others.iter().find(|known| known.0 == mode).map(|known| known.1.clone())
    };
    if let Some(code) = find(&codes.others.lock()) {
        return Ok(code);
    }
    // Outside of the lock, because forks wait for that.
    let made = code(context, module.clone(), mode)?;
    let mut others = codes.others.lock();
    if let Some(code) = find(&others) {
        // Another thread was faster.
        return Ok(code);
    }
    let has_room = alloc::fallible(|| others.try_reserve(1));
    has_room.map_err(|_| super::Error::out_of_memory())?;
    others.push((mode, made.clone()));
    Ok(made)
}

impl Drop for Codes {
    fn drop(&mut self) {
        let others = std::mem::take(&mut *self.others.lock());
        self.first.1.retire();
        others.iter().for_each(|(_, code)| code.retire());
    }
}

impl Codes {
    /// With the code that a module was loaded with.
    pub(super) fn of(mode: RunningMode, code: Arc<dyn GuestCode>) -> Self {
        Self { first: (mode, code), others: Lock::default() }
    }

    /// The code that the module was loaded with.
    pub(super) fn first(&self) -> &Arc<dyn GuestCode> {
        &self.first.1
    }

    fn for_each(&self, mut each: impl FnMut(&dyn GuestCode)) {
        each(&*self.first.1);
        self.others.lock().iter().for_each(|(_, code)| each(&**code));
    }

    /// Bytes of the code of all modes, with its tables.
    pub(super) fn bytes(&self) -> u64 {
        let mut sum = 0;
        self.for_each(|code| sum += code.bytes());
        sum
    }

    /// The machine code of all modes.
    pub(super) fn compiled(&self) -> CompiledCode {
        let mut sum = CompiledCode::default();
        self.for_each(|code| {
            let CompiledCode { funcs, loops, bytes } = code.compiled();
            sum.funcs += funcs;
            sum.loops += loops;
            sum.bytes += bytes;
        });
        sum
    }
}
