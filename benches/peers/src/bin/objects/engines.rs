//! A program on one of the runtimes.

use crate::Ticks;
use isothread::{
    Context, ContextConfig, ExecEnv, FuncType, Instance, InstanceArgs, Module, Native,
};
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::Collector;

/// The subject first. The last one never frees anything: it shows what collections cost.
pub const NAMES: [&str; 4] =
    ["isothread", "wasmtime, copying", "wasmtime, counting", "wasmtime, none"];

/// What objects may take here and there, so that no program fails for want of memory.
const HEAP_BYTES: u32 = 512 << 20;

/// Calls `run`; returns its result, the number of objects that were made, and the calls.
pub type Run = Box<dyn FnMut(i32) -> Result<(i64, u64, Ticks), String>>;

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A program, ready to run.
pub fn start(name: &str, wasm: &[u8]) -> Result<Run, String> {
    match name {
        "isothread" => isothread(wasm),
        "wasmtime, copying" => wasmtime(wasm, Collector::Copying),
        "wasmtime, counting" => wasmtime(wasm, Collector::DeferredReferenceCounting),
        "wasmtime, none" => wasmtime(wasm, Collector::Null),
        _ => Err(format!("{name} is no runtime here")),
    }
}

fn isothread(wasm: &[u8]) -> Result<Run, String> {
    let config = ContextConfig { gc_heap_size: HEAP_BYTES, ..ContextConfig::default() };
    let context = Context::with(config).map_err(text)?;
    let ticks = Arc::new(Mutex::new(Ticks::new()));
    let seen = ticks.clone();
    let tick = Native::new(FuncType::new([], []), move |_, _, _| {
        seen.lock().unwrap_or_else(PoisonError::into_inner).tick();
        Ok(())
    });
    context.define("env", "tick", &tick).map_err(text)?;
    let module = Module::new(&context, wasm).map_err(text)?;
    let args = InstanceArgs { stack_size: 1 << 20, ..InstanceArgs::default() };
    let instance = Instance::new(&module, args).map_err(text)?;
    let mut env = ExecEnv::new(&instance, 1 << 20).map_err(text)?;
    let run = instance.typed_func::<i32, i64>("run").map_err(text)?;
    let made = instance.typed_func::<(), i64>("made").map_err(text)?;
    Ok(Box::new(move |arg| {
        let swap = || {
            let mut seen = ticks.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *seen, Ticks::new())
        };
        swap();
        let result = run.call(&mut env, arg).map_err(text)?;
        let objects = made.call(&mut env, ()).map_err(text)?;
        Ok((result, objects as u64, swap()))
    }))
}

fn wasmtime(wasm: &[u8], collector: Collector) -> Result<Run, String> {
    let mut config = wasmtime::Config::new();
    config.wasm_gc(true).wasm_function_references(true).collector(collector);
    let engine = wasmtime::Engine::new(&config).map_err(text)?;
    let module = wasmtime::Module::new(&engine, wasm).map_err(text)?;
    let mut linker = wasmtime::Linker::new(&engine);
    let tick = |mut caller: wasmtime::Caller<'_, Ticks>| caller.data_mut().tick();
    linker.func_wrap("env", "tick", tick).map_err(text)?;
    let mut store = wasmtime::Store::new(&engine, Ticks::new());
    let instance = linker.instantiate(&mut store, &module).map_err(text)?;
    let run = instance.get_typed_func::<i32, i64>(&mut store, "run").map_err(text)?;
    let made = instance.get_typed_func::<(), i64>(&mut store, "made").map_err(text)?;
    Ok(Box::new(move |arg| {
        *store.data_mut() = Ticks::new();
        let result = run.call(&mut store, arg).map_err(text)?;
        let objects = made.call(&mut store, ()).map_err(text)?;
        Ok((result, objects as u64, std::mem::replace(store.data_mut(), Ticks::new())))
    }))
}
