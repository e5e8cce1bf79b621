//! The engines of modules and instances: the one place where they are chosen.
//!
//! A module has code for each mode that its instances run in, made when the first of them asks, or
//! brought along from a file (`ahead`).

#[cfg(isothread_jit)]
mod ahead;
#[cfg(not(isothread_jit))]
#[path = "no_ahead.rs"]
mod ahead;
#[cfg(isothread_jit)]
mod compiling;
mod modes;

pub(super) use ahead::{FileCode, Mapping, check, compile, file_code};

use super::{Context, Result};
use crate::alloc;
use crate::context::RunningMode;
use crate::exec::{CompiledCode, GuestCode};
use crate::interp::ModuleCode;
#[cfg(isothread_jit)]
use crate::jit;
use crate::module::Module;
use crate::sync::Lock;
use modes::{ModeCode, compiles, resolve};
use std::sync::Arc;

/// The code of a module by the modes of its instances. Owner: the module.
pub(super) struct Codes {
    /// The code that the module was loaded with.
    first: ModeCode,
    /// Whether that is out of a file.
    is_ahead: bool,
    others: Lock<Vec<ModeCode>>,
}

/// The code that a module is loaded with. Code out of a file is that of all modes but the
/// interpreter's, also in contexts with a pool.
pub(super) fn codes(
    context: &Context,
    module: &Arc<Module>,
    file_code: Option<FileCode>,
) -> Result<Codes> {
    if let Some(file_code) = file_code {
        let first = ahead::code(context, module.clone(), file_code)?;
        return Ok(Codes { first, is_ahead: true, others: Lock::default() });
    }
    let mode = resolve(context, module, context.running_mode());
    Ok(Codes::of(mode, code(context, module.clone(), mode)?))
}

/// Code of a module that is loaded into a context, for instances in this mode.
fn code(context: &Context, module: Arc<Module>, mode: RunningMode) -> Result<Arc<dyn GuestCode>> {
    #[cfg(isothread_jit)]
    if let Some(policy) = compiling::policy(context, mode)? {
        return Ok(jit::code(module, policy)?);
    }
    #[cfg(not(isothread_jit))]
    let _ = mode;
    Ok(ModuleCode::new(module, context.perf_profiling())?)
}

/// The mode of instances of a module that ask for this one, and the code for it, which is made now
/// if there is none.
pub(super) fn code_for(
    context: &Context,
    (module, codes): (&Arc<Module>, &Codes),
    mode: RunningMode,
) -> Result<ModeCode> {
    let mode = match mode {
        RunningMode::Interp => mode,
        _ if codes.is_ahead && compiles(context) => codes.first.0,
        _ => resolve(context, module, mode),
    };
    if codes.first.0 == mode {
        return Ok(codes.first.clone());
    }
    let find = |others: &[ModeCode]| others.iter().find(|known| known.0 == mode).cloned();
    if let Some(code) = find(&codes.others.lock()) {
        return Ok(code);
    }
    // Outside of the lock, because forks wait for that.
    let made = (mode, code(context, module.clone(), mode)?);
    let mut others = codes.others.lock();
    if let Some(code) = find(&others) {
        // Another thread was faster.
        return Ok(code);
    }
    let has_room = alloc::fallible(|| others.try_reserve(1));
    has_room.map_err(|_| super::Error::out_of_memory())?;
    others.push(made.clone());
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
    /// With code that was made of a module's functions.
    pub(super) fn of(mode: RunningMode, code: Arc<dyn GuestCode>) -> Self {
        Self { first: (mode, code), is_ahead: false, others: Lock::default() }
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
