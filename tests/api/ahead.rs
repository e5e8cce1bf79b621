//! Files compiled ahead: made, loaded, run, and refused.

use crate::compiled::{self, CALLS, MIXED};
use crate::{Guest, load};
use isothread::{
    AheadOptions, Context, ContextConfig, ErrorKind, ExecEnv, HeapConfig, Instance, InstanceArgs,
    JitOptions, Module, PackageType, PoolBuffer, Processor, RunningMode, Val,
};
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// A context that runs the code of files.
fn trusting(config: ContextConfig) -> Context {
    let context = Context::with(config).expect("context");
    // SAFETY: the tests make their files, and damage none that is accepted.
    unsafe { context.trust_compiled_files() }.expect("memory");
    context
}

fn file_of(wat: &str) -> Vec<u8> {
    let context = Context::new().expect("context");
    load(&context, wat).compile_ahead(&AheadOptions::default()).expect("a file").bytes
}

fn guest_of(module: &Module) -> Guest {
    let args = InstanceArgs { stack_size: 256 << 10, ..InstanceArgs::default() };
    let instance = Instance::new(module, args).expect("instance");
    let env = ExecEnv::new(&instance, 0).expect("exec_env");
    Guest { env, instance }
}

fn guest_ahead(wat: &str) -> Guest {
    let context = trusting(ContextConfig::default());
    guest_of(&Module::new(&context, &file_of(wat)).expect("a module"))
}

fn guest_interpreted(wat: &str) -> Guest {
    let running_mode = Some(RunningMode::Interp);
    let config = ContextConfig { running_mode, ..ContextConfig::default() };
    guest_of(&load(&Context::with(config).expect("context"), wat))
}

/// Results, traps and call stacks of calls, and the fuel that is left.
fn observe(mut guest: Guest, calls: &[(&str, &[Val])]) -> Vec<String> {
    let context = guest.instance.module().context().clone();
    context.set_fuel(Some(100_000_000));
    let one = |(name, args): &(&str, &[Val])| {
        format!("{} {:?}", compiled::observe(&mut guest, name, args), context.fuel())
    };
    calls.iter().map(one).collect()
}

#[test]
fn files_do_the_same_as_the_interpreter() {
    let guest = guest_ahead(MIXED);
    let module = guest.instance.module();
    assert_eq!(module.package_type(), PackageType::Aot);
    let compiled = module.compiled_code();
    assert!(compiled.funcs >= 10 && compiled.bytes > 0, "{compiled:?}");
    assert_eq!(observe(guest, &CALLS), observe(guest_interpreted(MIXED), &CALLS));
}

/// Functions with code call one without, and are called by it. It has too many locals.
fn mixture() -> String {
    let wat = r#"(module
        (memory 1)
        (type $unary (func (param i32) (result i32)))
        (table funcref (elem $double))
        (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
        (func $odd (param i32) (result i32) (local LOCALS)
            (local.set 4999 (call $double (local.get 0)))
            (call_indirect (type $unary) (local.get 4999) (i32.const 0)))
        (func (export "f") (param i32) (result i32)
            (i32.add (call $odd (local.get 0)) (call $double (i32.const 1))))
        (func (export "deep") (param i32) (result i32)
            (i32.load (call $odd (local.get 0)))))"#;
    wat.replace("LOCALS", &"i32 ".repeat(5000))
}

#[test]
fn functions_without_code_are_interpreted() {
    let calls: [(&str, &[Val]); 3] =
        [("f", &[Val::I32(5)]), ("deep", &[Val::I32(0)]), ("deep", &[Val::I32(-1)])];
    let guest = guest_ahead(&mixture());
    assert_eq!(guest.instance.module().compiled_code().funcs, 3);
    assert_eq!(observe(guest, &calls), observe(guest_interpreted(&mixture()), &calls));
}

#[test]
fn the_original_module_is_in_the_file() {
    let context = trusting(ContextConfig::default());
    let wat = r#"(module (@custom "note" "text") (func (export "f") (result i32) (i32.const 1)))"#;
    let module = Module::from_vec(&context, file_of(wat)).expect("a module");
    assert_eq!(module.bytes(), wat::parse_str(wat).expect("wat"));
    assert_eq!(module.custom_section("note"), Some(&b"text"[..]));
    // A file that is made of a file is the same.
    let again = module.compile_ahead(&AheadOptions::default()).expect("a file");
    assert_eq!(again.bytes, file_of(wat));
}

#[test]
fn code_runs_where_files_are_trusted() {
    let file = file_of(MIXED);
    let context = Context::new().expect("context");
    assert!(!context.trusts_compiled_files());
    let module = Module::new(&context, &file).expect("a module");
    assert_eq!((module.compiled_code().funcs, module.package_type()), (0, PackageType::Aot));
    assert_eq!(observe(guest_of(&module), &CALLS), observe(guest_interpreted(MIXED), &CALLS));
    // SAFETY: the file was made here.
    unsafe { context.trust_compiled_files() }.expect("memory");
    assert!(Module::new(&context, &file).expect("a module").compiled_code().funcs > 0);
    context.distrust_compiled_files();
    assert_eq!(Module::new(&context, &file).expect("a module").compiled_code().funcs, 0);
}

#[test]
fn modes_keep_their_meaning() {
    let file = file_of(MIXED);
    let mode_of = |config| {
        let module = Module::new(&trusting(config), &file).expect("a module");
        let guest = guest_of(&module);
        (guest.instance.running_mode(), module.compiled_code().funcs > 0)
    };
    let in_mode = |mode| ContextConfig { running_mode: Some(mode), ..ContextConfig::default() };
    assert_eq!(mode_of(in_mode(RunningMode::Interp)), (RunningMode::Interp, false));
    for mode in [RunningMode::Default, RunningMode::FastJit, RunningMode::MultiTierJit] {
        assert_eq!(mode_of(in_mode(mode)), (RunningMode::LlvmJit, true));
    }
    let buffer = vec![0_u64; 512 << 10].leak();
    // SAFETY: the buffer is the pool's alone, and stays.
    let pool = unsafe { PoolBuffer::new(buffer.as_mut_ptr().cast(), size_of_val(buffer)) };
    let heap = HeapConfig::Pool(pool.expect("a large buffer"));
    let pooled = ContextConfig { heap, ..ContextConfig::default() };
    assert_eq!(mode_of(pooled), (RunningMode::LlvmJit, true));
    // An instance changes over, and back.
    let context = trusting(ContextConfig::default());
    let mut guest = guest_of(&Module::new(&context, &file).expect("a module"));
    let expected = guest.call("fold", &[Val::I32(100)]).expect("a result");
    for mode in [RunningMode::Interp, RunningMode::MultiTierJit, RunningMode::Interp] {
        guest.instance.set_running_mode(mode).expect("the mode");
        assert_eq!(guest.call("fold", &[Val::I32(100)]).expect("a result").len(), expected.len());
    }
}

#[test]
fn code_memory_is_limited() {
    let file = file_of(MIXED);
    let jit = JitOptions { code_cache_size: 1, ..JitOptions::default() };
    let context = trusting(ContextConfig { jit, ..ContextConfig::default() });
    let module = Module::new(&context, &file).expect("a module");
    assert_eq!(module.compiled_code().funcs, 0);
    assert_eq!(observe(guest_of(&module), &CALLS), observe(guest_interpreted(MIXED), &CALLS));
    // What a module gives back is there for the next.
    let jit = JitOptions { code_cache_size: 32 << 10, ..JitOptions::default() };
    let context = trusting(ContextConfig { jit, ..ContextConfig::default() });
    for _ in 0..20 {
        let module = Module::new(&context, &file).expect("a module");
        assert!(module.compiled_code().funcs > 0);
    }
}

/// A file in the test's folder.
fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).expect("a file can be written");
    path
}

#[test]
fn files_are_mapped() {
    let path = written("mapped.aot", &file_of(MIXED));
    let mut file = File::open(&path).expect("the file");
    for context in [trusting(ContextConfig::default()), Context::new().expect("context")] {
        let module = Module::from_file(&context, &mut file).expect("a module");
        let is_mapped = std::fs::read_to_string("/proc/self/maps")
            .expect("the mappings")
            .lines()
            .any(|line| line.contains("r-xp") && line.ends_with("mapped.aot"));
        assert_eq!(is_mapped, context.trusts_compiled_files());
        assert_eq!(module.compiled_code().funcs > 0, context.trusts_compiled_files());
        assert_eq!(observe(guest_of(&module), &CALLS), observe(guest_interpreted(MIXED), &CALLS));
    }
    let wasm = wat::parse_str("(module)").expect("wat");
    let mut file = File::open(written("plain.wasm", &wasm)).expect("the file");
    let module = Module::from_file(&trusting(ContextConfig::default()), &mut file);
    assert_eq!(module.expect("a module").package_type(), PackageType::Bytecode);
    let mut folder = File::open(env!("CARGO_TARGET_TMPDIR")).expect("the folder");
    let error = Module::from_file(&trusting(ContextConfig::default()), &mut folder);
    assert!(error.err().expect("no file").message().starts_with("the file cannot be read"));
}

#[test]
fn damaged_files_are_refused() {
    let file = file_of("(module (func (export \"f\") (result i32) (i32.const 7)))");
    let context = trusting(ContextConfig::default());
    let refused = |bytes: &[u8]| {
        let error = Module::new(&context, bytes).err().expect("a damaged file");
        assert_eq!(error.kind(), ErrorKind::Load);
        error.message().to_owned()
    };
    for place in 0..file.len() {
        let mut bytes = file.clone();
        bytes[place] ^= 1 << (place % 8);
        refused(&bytes);
    }
    for len in 0..file.len() {
        refused(&file[..len]);
    }
    let mut upstream = b"\0aot\x06\0\0\0\0\0\0\0\x30\0\0\0".to_vec();
    upstream.resize(200, 0);
    assert!(refused(&upstream).contains("another compiler's"));
}

#[test]
fn code_for_other_processors_is_made_and_refused() {
    let wat = r#"(module (func (export "f") (param f64 i32) (result i32)
        (i32.add (i32.popcnt (local.get 1)) (i32.trunc_f64_s (local.get 0)))))"#;
    let context = Context::new().expect("context");
    let module = load(&context, wat);
    let with = |processor| {
        let options = AheadOptions { processor, ..AheadOptions::default() };
        module.compile_ahead(&options).expect("a file").bytes
    };
    // Code for any processor runs here.
    let context = trusting(ContextConfig::default());
    let base = Module::new(&context, &with(Processor::BASE)).expect("a module");
    assert_eq!(base.compiled_code().funcs, 1);
    let mut guest = guest_of(&base);
    let args = [Val::F64(2.5), Val::I32(7)];
    assert!(matches!(guest.call("f", &args).expect("a result")[..], [Val::I32(5)]));
    let levels = [(0, 3), (3, 1), (3, 3), (1, 2)];
    for (opt_level, size_level) in levels {
        let options = AheadOptions { opt_level, size_level, ..AheadOptions::default() };
        let file = module.compile_ahead(&options).expect("a file");
        let mut guest = guest_of(&Module::new(&context, &file.bytes).expect("a module"));
        assert!(matches!(guest.call("f", &args).expect("a result")[..], [Val::I32(5)]));
    }
    let host = Processor::host();
    let missing = host.features().find(|(_, is_there)| !is_there);
    if let Some((name, _)) = missing {
        let more = host.set(name, true).expect("a name");
        let error = Module::new(&context, &with(more)).err().expect("another processor");
        assert!(error.message().ends_with(name), "{}", error.message());
    }
}

#[test]
fn imports_and_sub_modules_are_linked() {
    let provider = file_of(r#"(module (func (export "one") (result i32) (i32.const 1)))"#);
    let importer = file_of(
        r#"(module (import "m" "one" (func $one (result i32)))
        (func (export "f") (result i32) (i32.add (call $one) (call $one))))"#,
    );
    let (kinds, context) = (Arc::new(Mutex::new(Vec::new())), trusting(ContextConfig::default()));
    let wanted = kinds.clone();
    let reader = move |_: &str, kind| -> Option<isothread::ModuleBytes> {
        // Files ask for files, bytecode for bytecode, and take either.
        wanted.lock().expect("no panic").push(kind);
        Some(Box::new(provider.clone()))
    };
    context.set_module_reader(Some(Arc::new(reader))).expect("a reader");
    let module = Module::new(&context, &importer).expect("a module");
    assert_eq!(guest_of(&module).call_i32("f", &[]), Ok(2));
    load(&context, r#"(module (import "n" "one" (func (result i32))))"#);
    assert_eq!(*kinds.lock().expect("no panic"), [PackageType::Aot, PackageType::Bytecode]);
    // Another context interprets what it shares.
    let other = trusting(ContextConfig::default());
    let plain = Module::new(&context, &file_of(MIXED)).expect("a module");
    let shared = plain.import_into(&other).expect("a module");
    assert_eq!((shared.compiled_code().funcs, shared.package_type()), (0, PackageType::Aot));
    assert_eq!(observe(guest_of(&shared), &CALLS), observe(guest_interpreted(MIXED), &CALLS));
}
