//! A module on isothread.

use crate::outcome::{Content, Outcome, Run, Value, argument, trap};
use isothread::{
    Context, ErrorKind, ExecEnv, ExternType, Instance, InstanceArgs, Module, Trap, Val, ValType,
};

fn value(value: &Val) -> Value {
    match *value {
        Val::I32(v) => Value::I32(v),
        Val::I64(v) => Value::I64(v),
        Val::F32(v) => Value::F32(v.to_bits()),
        Val::F64(v) => Value::F64(v.to_bits()),
        Val::V128(v) => Value::V128(v),
        Val::FuncRef(r) => Value::Ref(r.is_none()),
        Val::ExternRef(r) => Value::Ref(r.is_none()),
        Val::ExnRef(r) => Value::Ref(r.is_none()),
        Val::AnyRef(r) => Value::Ref(r.is_none()),
    }
}

fn val(ty: ValType, turn: i64) -> Val {
    match (ty, argument(ty, turn)) {
        (_, Value::I32(v)) => Val::I32(v),
        (_, Value::I64(v)) => Val::I64(v),
        (_, Value::F32(v)) => Val::F32(f32::from_bits(v)),
        (_, Value::F64(v)) => Val::F64(f64::from_bits(v)),
        (_, Value::V128(v)) => Val::V128(v),
        (ValType::EXTERNREF, _) => Val::ExternRef(None),
        (ValType::EXNREF, _) => Val::ExnRef(None),
        _ => Val::FuncRef(None),
    }
}

/// The names of exported functions, in an order that does not depend on the runtime.
pub fn functions(module: &Module) -> Vec<String> {
    let mut names: Vec<String> = module
        .exports()
        .filter(|export| matches!(export.ty, ExternType::Func(_)))
        .map(|export| export.name.to_string())
        .collect();
    names.sort();
    names
}

pub fn load(context: &Context, bytes: &[u8]) -> Module {
    Module::new(context, bytes).unwrap_or_else(|e| panic!("a valid module does not load: {e}"))
}

pub fn run(module: &Module, names: &[String]) -> Run {
    let mut run = Run::default();
    let instance = match Instance::new(module, InstanceArgs::default()) {
        Ok(instance) => instance,
        Err(error) => {
            run.failed = Some(trap(error.message()));
            return run;
        }
    };
    let mut env = ExecEnv::new(&instance, 1 << 20).expect("room for a stack");
    for (turn, name) in names.iter().enumerate() {
        let func = instance.get_func(name).expect("exported");
        let ty = func.ty().clone();
        let args: Vec<Val> = ty.params().iter().map(|&t| val(t, turn as i64)).collect();
        let mut results: Vec<Val> = ty.results().iter().map(|&t| val(t, 0)).collect();
        let outcome = match func.call(&mut env, &args, &mut results) {
            Ok(()) => Outcome::Values(results.iter().map(value).collect()),
            Err(error) => match error.kind() {
                ErrorKind::Trap(Trap::OperandStackOverflow | Trap::NativeStackOverflow) => {
                    Outcome::Exhausted
                }
                ErrorKind::Trap(t) => Outcome::Trap(trap(t.text())),
                kind => panic!("{kind:?}: {error}"),
            },
        };
        instance.clear_exception();
        let exhausted = outcome == Outcome::Exhausted;
        run.calls.push((name.clone(), outcome));
        if exhausted {
            return run;
        }
    }
    look(module, &instance, &mut run);
    run
}

/// Notes what the instance's state has become.
fn look(module: &Module, instance: &Instance, run: &mut Run) {
    for export in module.exports() {
        let name = export.name.to_string();
        match export.ty {
            ExternType::Memory(_) => {
                let memory = instance.get_memory(&name).expect("exported");
                let mut bytes = vec![0; memory.len_bytes()];
                memory.read(0, &mut bytes).expect("all of it is there");
                run.memories.insert(name, Content::of(&bytes));
            }
            ExternType::Global(_) => {
                let global = instance.get_global(&name).expect("exported");
                run.globals.insert(name, value(&global.get()));
            }
            ExternType::Table(_) => {
                let table = instance.get_table(&name).expect("exported");
                let is_null = |index| table.get(index).map(|v| value(&v)) == Some(Value::Ref(true));
                run.tables.insert(name, (0..table.size()).map(is_null).collect());
            }
            ExternType::Func(_) | ExternType::Tag(_) => {}
        }
    }
}
