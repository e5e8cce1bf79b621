//! Random modules on two runtimes: results, traps, memory and globals must agree.
//!
//! `cargo run --release --bin differential -- [COUNT] [FIRST_SEED]` reports its comparisons, and
//! fails if anything differs, with the seeds that show it again.

use isothread::{Context, ErrorKind, ExecEnv, InstanceArgs, Trap, Val, ValType};
use std::collections::BTreeMap;
use wasm_smith::{Config, Module};

/// The result of a call, in terms that both runtimes share.
#[derive(Clone, Debug, PartialEq)]
enum Outcome {
    Values(Vec<Value>),
    Trap(&'static str),
    /// The guest's stack ran out: where is up to the runtime.
    Exhausted,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Value {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    /// Whether a reference is null; its target has no common name.
    Ref(bool),
}

/// A module's behaviour on one runtime.
#[derive(Debug, Default, PartialEq)]
struct Run {
    /// Set if it could not be instantiated.
    failed: Option<&'static str>,
    calls: Vec<(String, Outcome)>,
    memory: u64,
    /// By name.
    globals: BTreeMap<String, Value>,
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

/// Bytes that a seed stands for.
fn entropy(seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    (0..512)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect()
}

fn module(seed: u64) -> Option<Vec<u8>> {
    let config = Config {
        simd_enabled: false,
        relaxed_simd_enabled: false,
        threads_enabled: false,
        exceptions_enabled: false,
        gc_enabled: false,
        tail_call_enabled: false,
        memory64_enabled: false,
        wide_arithmetic_enabled: false,
        custom_page_sizes_enabled: false,
        compact_imports_enabled: false,
        max_memories: 1,
        max_imports: 0,
        min_funcs: 1,
        max_funcs: 12,
        max_instructions: 400,
        export_everything: true,
        canonicalize_nans: true,
        memory_max_size_required: true,
        max_memory32_bytes: 1 << 20,
        max_table_elements: 1000,
        table_max_size_required: true,
        ..Config::default()
    };
    let bytes = entropy(seed);
    let mut source = arbitrary::Unstructured::new(&bytes);
    let mut module = Module::new(config, &mut source).ok()?;
    module.ensure_termination(10_000).ok()?;
    Some(module.to_bytes())
}

/// The same argument for every parameter type on both sides.
fn argument(ty: ValType, turn: i64) -> Value {
    match ty {
        ValType::I32 => Value::I32((turn.wrapping_mul(0x1234_5677)) as i32),
        ValType::I64 => Value::I64(turn.wrapping_mul(0x1234_5678_9abc_def1)),
        ValType::F32 => Value::F32((turn as f32 * 1.5).to_bits()),
        ValType::F64 => Value::F64((turn as f64 * -2.25).to_bits()),
        _ => Value::Ref(true),
    }
}

/// Seeds that show faults of the other runtime, with their causes.
const THEIR_FAULTS: [(u64, &str); 1] = [(
    688_195,
    "wasmi 2.0.0: `select` of an f32 after `ref.is_null`, in a loop, gives neither operand, and \
     `i32.trunc_f32_s` of it traps; 2^-127 becomes 0 there",
)];

/// The class of an exhausted stack.
const EXHAUSTED: &str = "exhausted";

/// The class of a trap, by both runtimes' names.
fn trap(text: &str) -> &'static str {
    const CLASSES: [(&str, &str); 11] = [
        ("stack overflow", EXHAUSTED),
        ("call stack exhausted", EXHAUSTED),
        ("divide by zero", "division"),
        ("integer overflow", "overflow"),
        ("conversion to integer", "conversion"),
        // One trap there, two here.
        ("undefined element", "table"),
        ("uninitialized", "null element"),
        ("type mismatch", "signature"),
        ("unreachable", "unreachable"),
        ("memory access", "memory"),
        ("table access", "table"),
    ];
    CLASSES.iter().find(|(part, _)| text.contains(part)).map_or("other", |(_, class)| class)
}

mod ours {
    use super::*;

    fn value(value: &Val) -> Value {
        match *value {
            Val::I32(v) => Value::I32(v),
            Val::I64(v) => Value::I64(v),
            Val::F32(v) => Value::F32(v.to_bits()),
            Val::F64(v) => Value::F64(v.to_bits()),
            Val::FuncRef(r) => Value::Ref(r.is_none()),
            Val::ExternRef(r) => Value::Ref(r.is_none()),
            Val::ExnRef(r) => Value::Ref(r.is_none()),
            Val::AnyRef(r) => Value::Ref(r.is_none()),
            Val::V128(_) => unreachable!("no vectors were asked for"),
        }
    }

    fn val(ty: ValType, turn: i64) -> Val {
        match (ty, argument(ty, turn)) {
            (_, Value::I32(v)) => Val::I32(v),
            (_, Value::I64(v)) => Val::I64(v),
            (_, Value::F32(v)) => Val::F32(f32::from_bits(v)),
            (_, Value::F64(v)) => Val::F64(f64::from_bits(v)),
            (ValType::EXTERNREF, _) => Val::ExternRef(None),
            _ => Val::FuncRef(None),
        }
    }

    pub fn run(context: &Context, bytes: &[u8], names: &[String]) -> Run {
        let mut run = Run::default();
        let module = match isothread::Module::new(context, bytes) {
            Ok(module) => module,
            Err(error) => panic!("a valid module does not load: {error}"),
        };
        let instance = match isothread::Instance::new(&module, InstanceArgs::default()) {
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
        for export in module.exports() {
            if let Some(memory) = instance.get_memory(export.name) {
                let mut bytes = vec![0; memory.len_bytes()];
                memory.read(0, &mut bytes).expect("all of it is there");
                run.memory = fnv(&bytes);
            }
        }
        run.globals = module
            .exports()
            .filter_map(|export| instance.get_global(export.name).map(|g| (export.name, g)))
            .map(|(name, global)| (name.to_string(), value(&global.get())))
            .collect();
        run
    }
}

mod theirs {
    use super::*;
    use wasmi::{Engine, Extern, Linker, Module, Store, TrapCode, Val};

    fn value(value: &Val) -> Value {
        match value {
            Val::I32(v) => Value::I32(*v),
            Val::I64(v) => Value::I64(*v),
            Val::F32(v) => Value::F32(v.to_bits()),
            Val::F64(v) => Value::F64(v.to_bits()),
            Val::FuncRef(r) => Value::Ref(r.is_null()),
            Val::ExternRef(r) => Value::Ref(r.is_null()),
            _ => unreachable!("no vectors were asked for"),
        }
    }

    fn val(ty: wasmi::ValType, turn: i64) -> Val {
        let ours = match ty {
            wasmi::ValType::I32 => ValType::I32,
            wasmi::ValType::I64 => ValType::I64,
            wasmi::ValType::F32 => ValType::F32,
            wasmi::ValType::F64 => ValType::F64,
            _ => ValType::FUNCREF,
        };
        match argument(ours, turn) {
            Value::I32(v) => Val::I32(v),
            Value::I64(v) => Val::I64(v),
            Value::F32(v) => Val::F32(wasmi::F32::from_bits(v)),
            Value::F64(v) => Val::F64(wasmi::F64::from_bits(v)),
            Value::Ref(_) => Val::default(ty),
        }
    }

    /// Runs `names`, or all function exports if there are none yet, which it then fills in.
    pub fn run(bytes: &[u8], names: &mut Vec<String>) -> Run {
        let mut run = Run::default();
        let engine = Engine::default();
        let module = Module::new(&engine, bytes).expect("a valid module");
        *names = module
            .exports()
            .filter(|export| export.ty().func().is_some())
            .map(|export| export.name().to_string())
            .collect();
        names.sort();
        let mut store = Store::new(&engine, ());
        let instance = match Linker::new(&engine).instantiate_and_start(&mut store, &module) {
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
            let mut results: Vec<Val> = ty.results().iter().map(|&t| Val::default(t)).collect();
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
            match instance.get_export(&store, export.name()) {
                Some(Extern::Memory(memory)) => run.memory = fnv(memory.data(&store)),
                Some(Extern::Global(global)) => {
                    run.globals.insert(export.name().to_string(), value(&global.get(&store)));
                }
                _ => {}
            }
        }
        run
    }
}

/// Cuts both after the first exhaustion on either side: runtimes have stacks of their own size.
fn comparable(ours: &mut Run, theirs: &mut Run) {
    if [&*ours, theirs].iter().any(|run| run.failed == Some(EXHAUSTED)) {
        // The start function did not get through; nothing else is comparable.
        (*ours, *theirs) = (Run::default(), Run::default());
    }
    let end = |run: &Run| run.calls.iter().position(|(_, o)| *o == Outcome::Exhausted);
    if let Some(at) = [end(ours), end(theirs)].into_iter().flatten().min() {
        for run in [ours, theirs] {
            run.calls.truncate(at);
            run.memory = 0;
            run.globals.clear();
        }
    }
}

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse::<u64>().expect("a number"));
    let count = args.next().unwrap_or(1000);
    let first = args.next().unwrap_or(1);
    let context = Context::new().expect("a context");
    let (mut modules, mut calls, mut traps, mut differences) = (0, 0, 0, 0);
    for seed in first..first + count {
        let Some(bytes) = module(seed) else { continue };
        let mut names = Vec::new();
        let mut theirs = theirs::run(&bytes, &mut names);
        let mut ours = ours::run(&context, &bytes, &names);
        comparable(&mut ours, &mut theirs);
        modules += 1;
        calls += theirs.calls.len();
        traps += theirs.calls.iter().filter(|(_, o)| matches!(o, Outcome::Trap(_))).count();
        if ours != theirs && !THEIR_FAULTS.iter().any(|(known, _)| *known == seed) {
            eprintln!("seed {seed}: ours {ours:#?}\ntheirs {theirs:#?}");
            std::fs::write(format!("seed-{seed}.wasm"), &bytes).expect("writable");
            differences += 1;
        }
    }
    println!("{modules} modules, {calls} calls, {traps} traps, {differences} differences");
    if differences > 0 {
        std::process::exit(1);
    }
}
