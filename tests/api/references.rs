//! Typed references: which types are the same, across modules and contexts, and what the host may
//! pass.

use crate::{Guest, load};
use isothread::{
    Context, ContextConfig, ErrorKind, ExecEnv, Extern, FuncType, Hierarchy, Instance,
    InstanceArgs, Module, Native, Val, ValType,
};
use std::time::{Duration, Instant};

/// Functions of a type, of a subtype of it, and of one that is neither.
const PROVIDER: &str = r#"(module
    (type $top (sub (func (result i32))))
    (type $sub (sub $top (func (result i32))))
    (type $other (sub (func (result i32 i32))))
    (func (export "top") (type $top) (i32.const 1))
    (func (export "sub") (type $sub) (i32.const 2))
    (func (export "other") (type $other) (i32.const 3) (i32.const 4))
    (table (export "funcs") 3 funcref)
    (elem (i32.const 0) func 0 1 2)
    (global (export "null") (ref null $sub) (ref.null $sub))
    (global (export "set") (ref $sub) (ref.func 1))
    (global (export "mutable") (mut (ref null $sub)) (ref.null $sub)))"#;

/// The same types at other indices.
const USER: &str = r#"(module
    (type (func (param f64)))
    (type $top (sub (func (result i32))))
    (type (struct (field i8)))
    (type $sub (sub $top (func (result i32))))
    (import "" "funcs" (table $funcs 3 funcref))
    (func (export "as_top") (param i32) (result i32)
        (call_indirect $funcs (type $top) (local.get 0)))
    (func (export "as_sub") (param i32) (result i32)
        (call_indirect $funcs (type $sub) (local.get 0)))
    (func (export "by_ref") (param (ref null $sub)) (result i32)
        (call_ref $top (local.get 0)))
    (func (export "is_null") (param (ref null $top)) (result i32)
        (drop (block $b (result (ref $top))
            (br_on_non_null $b (local.get 0))
            (return (i32.const 1))))
        (i32.const 0))
    (func (export "strict") (param (ref $top)) (result i32)
        (call_ref $top (local.get 0))))"#;

fn link(provider: &Instance, context: &Context, wat: &str) -> isothread::Result<Instance> {
    let module = load(context, wat);
    let imports: Vec<_> = module.imports().map(|import| provider.get_export(import.name)).collect();
    Instance::with_imports(&module, InstanceArgs::default(), &imports)
}

fn linked() -> (Guest, Guest) {
    let provider = Guest::new(PROVIDER);
    let instance = link(&provider.instance, &provider.instance.context(), USER).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    (provider, Guest { env, instance })
}

#[test]
fn types_of_two_modules_are_the_same_in_a_context() {
    let (provider, mut user) = linked();
    assert_eq!(user.call_i32("as_top", &[0]), Ok(1));
    assert_eq!(user.call_i32("as_top", &[1]), Ok(2), "a subtype passes");
    assert_eq!(user.call_i32("as_sub", &[1]), Ok(2));
    for (name, index) in [("as_sub", 0), ("as_top", 2)] {
        let error = user.call_i32(name, &[index]).unwrap_err();
        assert!(error.contains("indirect call type mismatch"), "{error}");
    }
    drop(provider);
    assert_eq!(user.call_i32("as_top", &[1]), Ok(2));
}

#[test]
fn subtypes_are_called_within_an_instance_however_deep() {
    let mut guest = Guest::new(
        r#"(module
            (type $top (sub (func (param i32) (result i32))))
            (type $sub (sub $top (func (param i32) (result i32))))
            (table 1 1 (ref null $top) (ref.func $down))
            (func $down (export "down") (type $sub)
                (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 7)) (else
                    (call_indirect (type $top)
                        (i32.sub (local.get 0) (i32.const 1)) (i32.const 0))))))"#,
    );
    assert_eq!(guest.call_i32("down", &[500]), Ok(7));
    let error = guest.call_i32("down", &[10_000_000]).unwrap_err();
    assert!(error.contains("wasm operand stack overflow"), "no native stack is used: {error}");
}

#[test]
fn the_host_passes_what_fits() {
    let (provider, mut user) = linked();
    let [top, sub, other] = ["top", "sub", "other"].map(|name| provider.func(name).to_val());
    let i32_of = |result: Result<Vec<Val>, String>| result.map(|values| format!("{values:?}"));
    assert_eq!(i32_of(user.call("by_ref", &[sub])), Ok("[I32(2)]".into()));
    assert_eq!(i32_of(user.call("strict", &[sub])), Ok("[I32(2)]".into()));
    assert_eq!(i32_of(user.call("strict", &[top])), Ok("[I32(1)]".into()));
    assert_eq!(i32_of(user.call("is_null", &[top])), Ok("[I32(0)]".into()));
    assert_eq!(i32_of(user.call("is_null", &[Val::FuncRef(None)])), Ok("[I32(1)]".into()));
    let unfit = [("by_ref", top), ("by_ref", other), ("strict", Val::FuncRef(None))];
    for (name, value) in unfit {
        let error = user.call(name, &[value]).unwrap_err();
        assert_eq!(error, "the reference is not of the type that is wanted", "{name} {value:?}");
    }
    let error = user.call("by_ref", &[Val::FuncRef(None)]).unwrap_err();
    assert!(error.contains("null function reference"), "{error}");
    let strict = user.func("strict");
    assert_eq!(strict.ty().params()[0].hierarchy(), Some(Hierarchy::Func));
    assert_eq!(strict.ty().params()[0].to_string(), "(ref 1)");
}

#[test]
fn cells_carry_what_fits() {
    let guest = Guest::new(
        r#"(module
            (type $t (func (result i32)))
            (func $five (export "five") (type $t) (i32.const 5))
            (func (export "other") (result i64) (i64.const 5))
            (func (export "call") (param (ref $t)) (result i32) (call_ref $t (local.get 0)))
            (func (export "any") (param anyref) (result i32) (ref.is_null (local.get 0))))"#,
    );
    let call = |name: &str, mut cells: Vec<u32>| {
        let func = guest.func(name).as_raw();
        guest.instance.clear_exception();
        // SAFETY: both are live and linked; the cells are as many as the parameters take.
        let done = unsafe {
            isothread::Func::call_cells(
                guest.env.as_raw(),
                func,
                cells.len() as u32,
                cells.as_mut_ptr(),
            )
        };
        done.then(|| cells[0])
    };
    assert_eq!(call("call", vec![0]), Some(5));
    assert_eq!(call("call", vec![1]), None, "a function of another type");
    assert_eq!(call("call", vec![u32::MAX]), None, "null");
    assert_eq!(call("any", vec![0, 0]), Some(1));
    assert_eq!(call("any", vec![1, 0]), Some(0), "an object of the host's");
    assert_eq!(call("any", vec![8, 0x6d80_0000]), None, "no object of the guest's");
}

#[test]
fn globals_and_tables_take_what_fits() {
    let (provider, _user) = linked();
    let [top, sub] = ["top", "sub"].map(|name| provider.func(name).to_val());
    let mutable = provider.instance.get_global("mutable").unwrap();
    assert_eq!(mutable.set(top).unwrap_err().kind(), ErrorKind::Misuse);
    mutable.set(sub).unwrap();
    mutable.set(Val::FuncRef(None)).unwrap();
    assert!(matches!(mutable.get(), Val::FuncRef(None)));
    let context = provider.instance.context();
    let import = |text: &str| {
        let wat = format!(
            "(module (type $top (sub (func (result i32))))
                (type $sub (sub $top (func (result i32)))) {text})"
        );
        link(&provider.instance, &context, &wat).map(|_| ()).map_err(|e| e.message().to_owned())
    };
    for fits in [
        r#"(import "" "null" (global (ref null $sub)))"#,
        r#"(import "" "set" (global (ref null $top)))"#,
        r#"(import "" "set" (global (ref func)))"#,
        r#"(import "" "mutable" (global (mut (ref null $sub))))"#,
        r#"(import "" "sub" (func (type $top)))"#,
    ] {
        assert_eq!(import(fits), Ok(()), "{fits}");
    }
    for misfit in [
        r#"(import "" "null" (global (ref $sub)))"#,
        r#"(import "" "set" (global externref))"#,
        r#"(import "" "mutable" (global (mut (ref null $top))))"#,
        r#"(import "" "mutable" (global (ref null $sub)))"#,
        r#"(import "" "top" (func (type $sub)))"#,
        r#"(type $own (func (result i32))) (import "" "top" (func (type $own)))"#,
        r#"(import "" "funcs" (table 3 (ref null $top)))"#,
    ] {
        let error = import(misfit).err();
        assert_eq!(error.as_deref(), Some("incompatible import type"), "{misfit}");
    }
}

#[test]
fn host_functions_take_references_of_any_type() {
    let context = Context::new().unwrap();
    let ty = FuncType::new([ValType::FUNCREF], [ValType::I32]);
    let native = Native::new(ty, |_, args, results| {
        results[0] = Val::I32(matches!(args[0], Val::FuncRef(Some(_))).into());
        Ok(())
    });
    let wat = |param: &str, result: &str| {
        format!(
            r#"(module (type $t (func))
                (import "" "f" (func $f (param {param}) (result {result})))
                (func $g (export "g") (type $t)) (elem declare func $g))"#
        )
    };
    let make = |wat: &str| {
        let imports = [Some(Extern::Native(native.clone()))];
        Instance::with_imports(&load(&context, wat), InstanceArgs::default(), &imports)
    };
    let instance = make(&wat("(ref $t)", "i32")).unwrap();
    let mut env = ExecEnv::new(&instance, 0).unwrap();
    let mut results = [Val::I32(9)];
    let g = instance.get_func("g").unwrap().to_val();
    instance.func(0).unwrap().call(&mut env, &[g], &mut results).unwrap();
    assert!(matches!(results, [Val::I32(1)]));
    for (param, result) in [("(ref $t)", "(ref $t)"), ("exnref", "i32"), ("anyref", "i32")] {
        assert!(make(&wat(param, result)).is_err(), "{param} {result}");
    }
}

#[test]
fn contexts_never_meet() {
    let provider = Guest::new(PROVIDER);
    let elsewhere = Context::new().unwrap();
    let error = link(&provider.instance, &elsewhere, USER).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Misuse);
    // The same module in both has numbers of both.
    let module = load(&provider.instance.context(), PROVIDER);
    let shared = module.import_into(&elsewhere).unwrap();
    let instance = Instance::new(&shared, InstanceArgs::default()).unwrap();
    let user = link(&instance, &elsewhere, USER).unwrap();
    let mut env = ExecEnv::new(&user, 0).unwrap();
    let call = user.typed_func::<i32, i32>("as_top").unwrap();
    assert_eq!(call.call(&mut env, 1).unwrap(), 2);
    drop((provider, module));
    assert_eq!(call.call(&mut env, 0).unwrap(), 1);
}

#[test]
fn nothing_is_left_of_a_modules_types() {
    let context = Context::new().unwrap();
    drop(load(&context, "(module)"));
    let before = context.heap().stats();
    for _ in 0..3 {
        let modules = [load(&context, PROVIDER), load(&context, USER)];
        assert!(context.heap().stats().live_bytes > before.live_bytes);
        drop(modules);
        assert_eq!(context.heap().stats().live_bytes, before.live_bytes);
    }
}

/// A type section: its count, then `types`.
fn types(count: u32, types: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    leb(count, &mut content);
    content.extend_from_slice(types);
    let mut bytes = b"\0asm\x01\0\0\0\x01".to_vec();
    leb(content.len() as u32, &mut bytes);
    bytes.extend(content);
    bytes
}

fn leb(mut value: u32, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// A defined type: a number with a sign, which is not negative.
fn heap_type(mut index: u32, bytes: &mut Vec<u8>) {
    while index >= 0x40 {
        bytes.push(index as u8 | 0x80);
        index >>= 7;
    }
    bytes.push(index as u8);
}

/// A group of `count` types.
fn group(count: u32, types: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x4e];
    leb(count, &mut bytes);
    bytes.extend_from_slice(types);
    bytes
}

/// Modules whose types are many, or wide, or deep.
fn hostile() -> Vec<(&'static str, Vec<u8>)> {
    const MILLION: u32 = 1_000_000;
    let chain = |count: u32| {
        let mut all = vec![0x50, 0, 0x60, 0, 0];
        for index in 1..count {
            all.extend([0x50, 1]);
            leb(index - 1, &mut all);
            all.extend([0x60, 0, 0]);
        }
        all
    };
    let referring = |count: u32| {
        let mut all = Vec::new();
        for index in 0..count {
            all.extend([0x60, 1, 0x63]);
            heap_type((index + 1) % count, &mut all);
            all.push(0);
        }
        all
    };
    vec![
        ("a million equal types", types(MILLION, &[0x60, 0, 0].repeat(MILLION as usize))),
        ("a million empty groups", types(MILLION, &[0x4e, 0].repeat(MILLION as usize))),
        ("one group of a million", types(1, &group(MILLION, &[0x5f, 0].repeat(MILLION as usize)))),
        ("a large circle", types(1, &group(200_000, &referring(200_000)))),
        ("the deepest chain", types(64, &chain(64))),
        ("a chain that is too deep", types(65, &chain(65))),
        ("a group that claims too much", types(1, &group(u32::MAX, &[0x60, 0, 0]))),
        ("a type that is its own supertype", types(1, &[0x50, 1, 0, 0x60, 0, 0])),
        (
            "a supertype that comes later",
            types(1, &group(2, &[0x50, 1, 1, 0x60, 0, 0, 0x60, 0, 0])),
        ),
        ("no such type", types(1, &[0x60, 1, 0x63, 9, 0])),
    ]
}

#[test]
fn hostile_types_load_or_fail_in_time_and_leave_nothing() {
    let loads = [true, true, true, true, true, false, false, false, false, false];
    for ((what, bytes), loads) in hostile().into_iter().zip(loads) {
        let context = Context::new().unwrap();
        drop(load(&context, "(module)"));
        let before = context.heap().stats().live_bytes;
        let start = Instant::now();
        let module = Module::new(&context, &bytes);
        assert_eq!(module.is_ok(), loads, "{what}: {:?}", module.err());
        drop(module);
        assert!(start.elapsed() < Duration::from_secs(60), "{what}: {:?}", start.elapsed());
        assert_eq!(context.heap().stats().live_bytes, before, "{what}");
    }
}

#[test]
fn types_are_within_their_contexts_quota() {
    for (what, bytes) in hostile().into_iter().take(4) {
        let config = ContextConfig { quota_bytes: Some(8 << 20), ..ContextConfig::default() };
        let context = Context::with(config).unwrap();
        let error = Module::new(&context, &bytes).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{what}: {error}");
        assert!(load(&context, PROVIDER).func_type(0).is_some(), "{what}");
    }
}

#[test]
fn a_global_keeps_its_type_from_module_to_module() {
    let provider = Guest::new(PROVIDER);
    let context = provider.instance.context();
    // It is imported as one of a wider type, and passed on.
    let between = r#"(module
        (import "" "set" (global $set funcref)) (import "" "mutable" (global $mutable (mut TYPE)))
        (export "set" (global $set)) (export "mutable" (global $mutable)))"#;
    let types = "(type $top (sub (func (result i32)))) (type $sub (sub $top (func (result i32))))";
    let between = between.replace("(module", &format!("(module {types}"));
    let between = link(&provider.instance, &context, &between.replace("TYPE", "(ref null $sub)"));
    let between = between.unwrap();
    let user = |ty: &str| {
        let wat = format!(
            r#"(module (type (func (param i64))) {types} (import "" "set" (global {ty}))
                (func (export "f") (result i32) (call_ref $sub (global.get 0))))"#
        );
        link(&between, &context, &wat)
    };
    let instance = user("(ref $sub)").unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    assert_eq!(Guest { env, instance }.call_i32("f", &[]), Ok(2));
    let other = r#"(module (type $other (sub (func (result i32 i32))))
        (import "" "set" (global (ref $other))))"#;
    assert!(link(&between, &context, other).is_err());
    // The host sees the same.
    let ty = |instance: &Instance| instance.get_global("set").unwrap().ty();
    assert_eq!(ty(&between), ty(&provider.instance));
}
