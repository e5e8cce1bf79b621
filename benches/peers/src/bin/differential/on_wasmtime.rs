//! A module on wasmtime.

use crate::outcome::{Content, EXHAUSTED, Outcome, Run, Value, argument, trap};
use wasmtime::{
    Config, Engine, Error, Extern, Linker, Module, OptLevel, Store, Trap, Val, ValType,
};

fn value(value: &Val) -> Value {
    match value {
        Val::I32(v) => Value::I32(*v),
        Val::I64(v) => Value::I64(*v),
        Val::F32(v) => Value::F32(*v),
        Val::F64(v) => Value::F64(*v),
        Val::V128(v) => Value::V128(v.as_u128()),
        reference => Value::Ref(reference.ref_().is_none_or(|r| r.is_null())),
    }
}

fn val(ty: &ValType, turn: i64) -> Val {
    let ours = match ty {
        ValType::I32 => isothread::ValType::I32,
        ValType::I64 => isothread::ValType::I64,
        ValType::F32 => isothread::ValType::F32,
        ValType::F64 => isothread::ValType::F64,
        ValType::V128 => isothread::ValType::V128,
        ValType::Ref(_) => isothread::ValType::FUNCREF,
    };
    match argument(ours, turn) {
        Value::I32(v) => Val::I32(v),
        Value::I64(v) => Val::I64(v),
        Value::F32(v) => Val::F32(v),
        Value::F64(v) => Val::F64(v),
        Value::V128(v) => Val::V128(v.into()),
        Value::Ref(_) => null(ty),
    }
}

fn null(ty: &ValType) -> Val {
    Val::default_for_ty(ty).expect("nullable types alone were asked for")
}

/// With every proposal that both have.
pub fn engine() -> Engine {
    let mut config = Config::new();
    config
        .wasm_memory64(true)
        .wasm_multi_memory(true)
        .wasm_tail_call(true)
        .wasm_wide_arithmetic(true)
        .wasm_custom_page_sizes(true)
        .wasm_exceptions(true)
        .relaxed_simd_deterministic(true)
        .cranelift_opt_level(OptLevel::None)
        .parallel_compilation(false)
        // Modules are many and their memories small.
        .memory_reservation(0)
        .memory_guard_size(0);
    Engine::new(&config).expect("this machine has it")
}

fn class(error: &Error) -> &'static str {
    match error.downcast_ref::<Trap>() {
        Some(t) => trap(&t.to_string()),
        None => trap(&format!("{error:#}")),
    }
}

pub fn run(engine: &Engine, bytes: &[u8], names: &[String]) -> Run {
    let mut run = Run::default();
    let module = Module::new(engine, bytes).expect("a valid module");
    let mut store = Store::new(engine, ());
    let instance = match Linker::new(engine).instantiate(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            run.failed = Some(class(&error));
            return run;
        }
    };
    for (turn, name) in names.iter().enumerate() {
        let func = instance.get_func(&mut store, name).expect("exported");
        let ty = func.ty(&store);
        let args: Vec<Val> = ty.params().map(|t| val(&t, turn as i64)).collect();
        let mut results: Vec<Val> = ty.results().map(|t| null(&t)).collect();
        let outcome = match func.call(&mut store, &args, &mut results) {
            Ok(()) => Outcome::Values(results.iter().map(value).collect()),
            Err(error) => {
                // What was thrown would be pending in the next call.
                let _ = store.take_pending_exception();
                match class(&error) {
                    EXHAUSTED => Outcome::Exhausted,
                    class => Outcome::Trap(class),
                }
            }
        };
        let exhausted = outcome == Outcome::Exhausted;
        run.calls.push((name.clone(), outcome));
        if exhausted {
            return run;
        }
    }
    for export in module.exports() {
        let name = export.name().to_string();
        match instance.get_export(&mut store, &name) {
            Some(Extern::Memory(memory)) => {
                run.memories.insert(name, Content::of(memory.data(&store)));
            }
            Some(Extern::Global(global)) => {
                run.globals.insert(name, value(&global.get(&mut store)));
            }
            Some(Extern::Table(table)) => {
                let size = table.size(&store);
                let is_null = |index| table.get(&mut store, index).is_some_and(|r| r.is_null());
                run.tables.insert(name, (0..size).map(is_null).collect());
            }
            _ => {}
        }
    }
    run
}
