//! A module on wasmi.

use crate::outcome::{Content, Outcome, Run, Value, argument, trap};
use wasmi::{Config, Engine, Extern, Linker, Module, Store, TrapCode, Val, ValType};

fn value(value: &Val) -> Value {
    match value {
        Val::I32(v) => Value::I32(*v),
        Val::I64(v) => Value::I64(*v),
        Val::F32(v) => Value::F32(v.to_bits()),
        Val::F64(v) => Value::F64(v.to_bits()),
        Val::V128(v) => Value::V128(v.as_u128()),
        Val::FuncRef(r) => Value::Ref(r.is_null()),
        Val::ExternRef(r) => Value::Ref(r.is_null()),
    }
}

fn val(ty: ValType, turn: i64) -> Val {
    let ours = match ty {
        ValType::I32 => isothread::ValType::I32,
        ValType::I64 => isothread::ValType::I64,
        ValType::F32 => isothread::ValType::F32,
        ValType::F64 => isothread::ValType::F64,
        ValType::V128 => isothread::ValType::V128,
        _ => isothread::ValType::FUNCREF,
    };
    match argument(ours, turn) {
        Value::I32(v) => Val::I32(v),
        Value::I64(v) => Val::I64(v),
        Value::F32(v) => Val::F32(wasmi::F32::from_bits(v)),
        Value::F64(v) => Val::F64(wasmi::F64::from_bits(v)),
        Value::V128(v) => Val::V128(wasmi::V128::from(v)),
        Value::Ref(_) => Val::default_for_ty(ty),
    }
}

/// With every proposal that it has.
pub fn engine() -> Engine {
    let mut config = Config::default();
    config.wasm_custom_page_sizes(true).wasm_wide_arithmetic(true);
    Engine::new(&config)
}

pub fn run(engine: &Engine, bytes: &[u8], names: &[String]) -> Run {
    let mut run = Run::default();
    let module = Module::new(engine, bytes).expect("a valid module");
    let mut store = Store::new(engine, ());
    let instance = match Linker::new(engine).instantiate_and_start(&mut store, &module) {
        Ok(instance) => instance,
        Err(error) => {
            run.failed = Some(trap(&error.to_string()));
            return run;
        }
    };
    for (turn, name) in names.iter().enumerate() {
        let func = instance.get_func(&store, name).expect("exported");
        let ty = func.ty(&store);
        let args: Vec<Val> = ty.params().iter().map(|&t| val(t, turn as i64)).collect();
        let mut results: Vec<Val> = ty.results().iter().map(|&t| Val::default_for_ty(t)).collect();
        let outcome = match func.call(&mut store, &args, &mut results) {
            Ok(()) => Outcome::Values(results.iter().map(value).collect()),
            Err(error) => match error.as_trap_code() {
                Some(TrapCode::StackOverflow) => Outcome::Exhausted,
                _ => Outcome::Trap(trap(&error.to_string())),
            },
        };
        let exhausted = outcome == Outcome::Exhausted;
        run.calls.push((name.clone(), outcome));
        if exhausted {
            return run;
        }
    }
    for export in module.exports() {
        let name = export.name().to_string();
        match instance.get_export(&store, &name) {
            Some(Extern::Memory(memory)) => {
                run.memories.insert(name, Content::of(memory.data(&store)));
            }
            Some(Extern::Global(global)) => {
                run.globals.insert(name, value(&global.get(&store)));
            }
            Some(Extern::Table(table)) => {
                let is_null = |index| match table.get(&store, index) {
                    Some(wasmi::Ref::Func(r)) => r.is_null(),
                    Some(wasmi::Ref::Extern(r)) => r.is_null(),
                    None => false,
                };
                let nulls = (0..table.size(&store)).map(is_null).collect();
                run.tables.insert(name, nulls);
            }
            _ => {}
        }
    }
    run
}
