//! wasi-threads: `thread-spawn`, as wasi-libc's pthreads use it.
//!
//! The new thread calls the exported `wasi_thread_start` with its number and the argument. It has
//! no joining: the program waits for its own threads, through its memory.

use super::program::Program;
use super::spawn::{GuestStack, end_env, spawn_env, start_thread};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::exec::{Call, ExecEnv};
use crate::instance::Instance;
use crate::module::{ExternKind, Module};
use crate::native::{Builtin, BuiltinModule, Caller};
use std::ptr::NonNull;

/// The import by which guests of wasi-libc start threads.
pub(super) const WASI_THREADS: &BuiltinModule = &BuiltinModule {
    names: &["wasi"],
    functions: &[Builtin { name: "thread-spawn", signature: "(i)i", call: thread_spawn }],
};

const START: &str = "wasi_thread_start";

fn thread_spawn(caller: Caller<'_>, slots: &mut [u64]) -> Result<(), Trap> {
    if let Some(slot) = slots.first_mut() {
        let id = spawn(&caller, *slot as u32);
        *slot = id.map_or(u32::MAX, |id| id) as u64;
    }
    Ok(())
}

/// The function that threads start in.
fn start_function(module: &Module) -> Option<u32> {
    let index = module.exported(START, ExternKind::Func)?;
    let ty = module.func_type(index)?;
    let fits = ty.params() == [ValType::I32, ValType::I32] && ty.results().is_empty();
    fits.then_some(index)
}

fn spawn(caller: &Caller<'_>, argument: u32) -> Option<u32> {
    let (parent, stack_low) = caller.calling_env()?;
    // SAFETY: the guest that calls runs on this exec_env, on this thread.
    let home: &Instance = unsafe { parent.as_ref().instance().as_ref() };
    let Some(start) = start_function(home.module()) else {
        log::error!("Failed to find thread start function {START}");
        return None;
    };
    let program = Program::of(home.cluster_or_init())?;
    // SAFETY: the guest that calls runs on this exec_env, on this thread.
    let env = unsafe { spawn_env(parent, GuestStack::None, stack_low) };
    let Ok(env) = env else {
        log::error!("Failed to spawn a new thread");
        return None;
    };
    let Some(id) = program.ids.take() else {
        log::error!("Failed to get thread identifier");
        // SAFETY: just made, and not used yet.
        unsafe { end_env(env) };
        return None;
    };
    // SAFETY: just made, and given away here; the type of `start` was checked.
    let started = unsafe {
        start_thread(
            env,
            Box::new(move |env, stack_low| run(env, start, [id, argument], stack_low)),
            None,
        )
    };
    if started.is_err() {
        log::error!("Failed to spawn a new thread");
        program.ids.put(id);
        return None;
    }
    Some(id)
}

/// The life of a thread. A trap has been spread to the others by the time it comes back.
fn run(env: NonNull<ExecEnv>, start: u32, params: [u32; 2], stack_low: usize) {
    // SAFETY: the thread owns the exec_env, which holds its instance; the function's type was
    // checked for the module that both instances have.
    unsafe {
        let instance = env.as_ref().home().as_ref();
        if let Some(func) = instance.func(start)
            && let Ok(call) = Call::prepare(env, func, params.len(), stack_low)
        {
            *call.frame() = params[0] as u64;
            *call.frame().add(1) = params[1] as u64;
            let _ = call.run();
        }
        if let Some(program) = instance.cluster().and_then(|cluster| Program::of(cluster)) {
            program.ids.put(params[0]);
        }
    }
}
