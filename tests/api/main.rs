//! The public API, end to end: loading, calling, trapping, linking, running out of things.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(all(feature = "jit", target_arch = "x86_64", unix))]
mod ahead;
mod backtrace;
mod calls;
#[cfg(all(feature = "jit", target_arch = "x86_64", unix))]
mod compiled;
#[cfg(all(feature = "jit", target_arch = "x86_64", unix))]
mod compiled_frames;
mod contexts;
mod exceptions;
mod guest_threads;
mod host_objects;
mod large;
mod limits;
mod linking;
mod memories;
mod memory;
mod modules;
#[cfg(feature = "gc")]
mod objects;
mod oom;
#[cfg(all(feature = "jit", target_arch = "x86_64", unix))]
mod perf;
mod profile;
mod pthread;
mod references;
mod shared_heap;
mod stacks;
mod starting;
mod tail_calls;
mod thread_contexts;
mod threads;
mod translation;
#[cfg(feature = "simd")]
mod vectors;
mod waits;
mod work;

use isothread::{Context, ExecEnv, Func, Instance, InstanceArgs, Module, Val};

/// A module's instance with a stack, in a context of its own.
struct Guest {
    env: ExecEnv,
    instance: Instance,
}

impl Guest {
    fn new(wat: &str) -> Self {
        Self::with(wat, InstanceArgs::default())
    }

    fn with(wat: &str, args: InstanceArgs) -> Self {
        let context = Context::new().expect("context");
        let instance = Instance::new(&load(&context, wat), args).expect("instance");
        let env = ExecEnv::new(&instance, 0).expect("exec_env");
        Self { env, instance }
    }

    fn func(&self, name: &str) -> Func {
        self.instance.get_func(name).expect("exported function")
    }

    /// Calls an export; gives its results, or the trap's text.
    fn call(&mut self, name: &str, args: &[Val]) -> Result<Vec<Val>, String> {
        let func = self.func(name);
        let mut results = vec![Val::I32(-1); func.ty().results().len()];
        match func.call(&mut self.env, args, &mut results) {
            Ok(()) => Ok(results),
            Err(error) => Err(error.message().to_owned()),
        }
    }

    /// Calls an export of i32 parameters with one i32 result.
    fn call_i32(&mut self, name: &str, args: &[i32]) -> Result<i32, String> {
        let args: Vec<_> = args.iter().map(|&arg| Val::I32(arg)).collect();
        self.call(name, &args).map(|results| match results[..] {
            [Val::I32(result)] => result,
            _ => panic!("one i32 expected, got {results:?}"),
        })
    }
}

fn load(context: &Context, wat: &str) -> Module {
    Module::new(context, &wat::parse_str(wat).expect("wat")).expect("module")
}
