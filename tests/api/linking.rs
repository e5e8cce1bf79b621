use crate::{Guest, load};
use isothread::{Context, ExecEnv, Extern, FuncType, Instance, InstanceArgs, Native, Val, ValType};

const COUNTER: &str = r#"(module
    (global $count (export "count") (mut i32) (i32.const 0))
    (memory (export "memory") 1)
    (table (export "table") 2 funcref)
    (func $bump (export "bump") (result i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (global.get $count))
    (func (export "fail") unreachable)
    (func (export "call") (param i32) (result i32)
        (call_indirect (result i32) (local.get 0))))"#;

const USER: &str = r#"(module
    (import "counter" "bump" (func $bump (result i32)))
    (import "counter" "count" (global $count (mut i32)))
    (import "counter" "memory" (memory 1))
    (import "counter" "table" (table 2 funcref))
    (import "counter" "fail" (func $fail))
    (func $own (result i32) (i32.add (call $bump) (i32.const 100)))
    (elem (i32.const 0) func $own $bump)
    (func (export "bump_twice") (result i32) (drop (call $bump)) (call $bump))
    (func (export "count") (result i32) (global.get $count))
    (func (export "poke") (i32.store8 (i32.const 5) (i32.const 42)))
    (func (export "fail") (call $fail)))"#;

/// Instantiates `wat` with the exports of `provider` that have the imports' names.
fn link(provider: &Instance, wat: &str) -> isothread::Result<Instance> {
    let module = load(&provider.context(), wat);
    let imports: Vec<_> = module.imports().map(|import| provider.get_export(import.name)).collect();
    Instance::with_imports(&module, InstanceArgs::default(), &imports)
}

fn linked() -> (Guest, Guest) {
    let counter = Guest::new(COUNTER);
    let instance = link(&counter.instance, USER).expect("instance");
    let env = ExecEnv::new(&instance, 0).expect("exec_env");
    (counter, Guest { env, instance })
}

#[test]
fn instances_share_what_they_import() {
    let (mut counter, mut user) = linked();
    assert_eq!(user.call_i32("bump_twice", &[]), Ok(2));
    assert_eq!(counter.call_i32("bump", &[]), Ok(3));
    assert_eq!(user.call_i32("count", &[]), Ok(3));
    user.call("poke", &[]).unwrap();
    let mut byte = [0];
    counter.instance.get_memory("memory").unwrap().read(5, &mut byte).unwrap();
    assert_eq!(byte, [42]);
    // The provider calls into the importer through its table.
    assert_eq!(counter.call_i32("call", &[0]), Ok(104));
    assert_eq!(counter.call_i32("call", &[1]), Ok(5));
    assert!(matches!(counter.instance.get_global("count").unwrap().get(), Val::I32(5)));
}

#[test]
fn a_link_set_lives_until_the_last_handle_goes() {
    let (mut counter, user) = linked();
    drop(user);
    // The importer's function is still in the table, and still works.
    assert_eq!(counter.call_i32("call", &[0]), Ok(101));
    let context = counter.instance.context();
    assert_eq!(context.stats().instances, 2);
    drop(counter);
    assert_eq!(context.stats().instances, 0);
}

#[test]
fn traps_in_linked_code_belong_to_the_caller() {
    let (counter, mut user) = linked();
    assert_eq!(user.call("fail", &[]).unwrap_err(), "unreachable");
    assert_eq!(user.instance.exception().unwrap(), "Exception: unreachable");
    assert_eq!(counter.instance.exception(), None);
}

#[test]
fn any_env_of_the_link_set_will_do() {
    let (counter, mut user) = linked();
    let bump = counter.instance.typed_func::<(), i32>("bump").unwrap();
    assert_eq!(bump.call(&mut user.env, ()).unwrap(), 1);
    user.env.set_instance(&counter.instance).unwrap();
    assert!(user.env.set_instance(&Guest::new("(module)").instance).is_err());
    let instance = user.instance.clone();
    user.env.set_instance(&instance).unwrap();
}

#[test]
fn failed_instances_leave_their_functions() {
    let mut counter = Guest::new(COUNTER);
    let error = link(
        &counter.instance,
        r#"(module (import "counter" "table" (table 2 funcref))
            (func $f (result i32) (i32.const 77)) (elem (i32.const 1) func $f)
            (func $start unreachable) (start $start))"#,
    );
    assert_eq!(error.err().unwrap().message(), "Exception: unreachable");
    assert_eq!(counter.call_i32("call", &[1]), Ok(77));
}

#[test]
fn natives_can_be_given_to_one_instance() {
    let context = Context::new().unwrap();
    let ty = || FuncType::new([], [ValType::I32]);
    let answer = |number| {
        Native::new(ty(), move |_, _, results| {
            results[0] = Val::I32(number);
            Ok(())
        })
    };
    context.define("m", "f", &answer(1)).unwrap();
    let module =
        load(&context, r#"(module (import "m" "f" (func (result i32))) (export "f" (func 0)))"#);
    let run = |imports: &[Option<Extern>]| {
        let instance = Instance::with_imports(&module, InstanceArgs::default(), imports)?;
        let mut env = ExecEnv::new(&instance, 0)?;
        instance.typed_func::<(), i32>("f")?.call(&mut env, ())
    };
    assert_eq!(run(&[]).unwrap(), 1);
    assert_eq!(run(&[None]).unwrap(), 1);
    assert_eq!(run(&[Some(Extern::Native(answer(2)))]).unwrap(), 2);
    let wrong = Native::new(FuncType::new([], []), |_, _, _| Ok(()));
    let error = run(&[Some(Extern::Native(wrong))]).unwrap_err();
    assert_eq!(error.message(), "incompatible import type");
}

#[test]
fn contexts_do_not_mix() {
    let counter = Guest::new(COUNTER);
    let other = Context::new().unwrap();
    let module = load(&other, USER);
    let imports: Vec<_> =
        module.imports().map(|import| counter.instance.get_export(import.name)).collect();
    let error = Instance::with_imports(&module, InstanceArgs::default(), &imports);
    assert_eq!(error.err().unwrap().message(), "an import belongs to another runtime");
}

#[test]
fn modules_are_imported_into_other_contexts() {
    let (first, second) = (Context::new().unwrap(), Context::new().unwrap());
    let answer = |number| {
        Native::new(FuncType::new([], [ValType::I32]), move |_, _, results| {
            results[0] = Val::I32(number);
            Ok(())
        })
    };
    first.define("m", "f", &answer(1)).unwrap();
    second.define("m", "f", &answer(2)).unwrap();
    let module =
        load(&first, r#"(module (import "m" "f" (func (result i32))) (export "f" (func 0)))"#);
    module.set_name("shared").unwrap();
    let copy = module.import_into(&second).unwrap();
    assert_eq!((copy.name(), copy.context()), ("shared".into(), &second));
    drop((module, first));
    let instance = Instance::new(&copy, InstanceArgs::default()).unwrap();
    let mut env = ExecEnv::new(&instance, 0).unwrap();
    assert_eq!(instance.typed_func::<(), i32>("f").unwrap().call(&mut env, ()).unwrap(), 2);
}

#[test]
fn imported_modules_share_their_code() {
    let contexts: Vec<_> = (0..4).map(|_| Context::new().unwrap()).collect();
    let wat = r#"(module (func (export "f") (param i32) (result i32)
        (i32.add (local.get 0) (i32.const 1))))"#;
    let module = load(&contexts[0], wat);
    let copies: Vec<_> =
        contexts.iter().map(|context| module.import_into(context).unwrap()).collect();
    // One copy of the binary, which is not the first module's, and the imports' imports have it
    // too.
    let again = copies[1].import_into(&contexts[2]).unwrap();
    drop(module);
    assert!(
        copies.iter().chain([&again]).all(|m| m.bytes().as_ptr() == copies[0].bytes().as_ptr())
    );
    // Called for the first time in all contexts at once.
    std::thread::scope(|scope| {
        for copy in &copies {
            let copy = copy.clone();
            scope.spawn(move || {
                let instance = Instance::new(&copy, InstanceArgs::default()).unwrap();
                let mut env = ExecEnv::new(&instance, 0).unwrap();
                let func = instance.typed_func::<i32, i32>("f").unwrap();
                assert_eq!(func.call(&mut env, 41).unwrap(), 42);
            });
        }
    });
}

#[test]
fn late_resolution() {
    let context = Context::new().unwrap();
    let options = isothread::LoadOptions { name: "late".into(), no_resolve: true };
    let wasm = wat::parse_str(r#"(module (import "m" "f" (func)))"#).unwrap();
    let module = isothread::Module::with_options(&context, &wasm, options).unwrap();
    assert_eq!(module.name(), "late");
    assert!(!module.resolve_imports());
    let native = Native::new(FuncType::new([], []), |_, _, _| Ok(()));
    context.define("m", "f", &native).unwrap();
    assert!(!module.import(0).unwrap().linked);
    assert!(module.resolve_imports());
    assert!(module.import(0).unwrap().linked);
}

#[test]
fn tables_and_globals_from_the_host() {
    let (counter, mut user) = linked();
    let table = counter.instance.get_table("table").unwrap();
    assert_eq!((table.size(), table.func(0).unwrap().index()), (2, 2));
    let bump = counter.func("bump");
    table.set(0, bump.to_val()).unwrap();
    assert!(table.set(2, bump.to_val()).is_err());
    assert!(table.set(0, Val::I32(0)).is_err());
    assert!(table.set(0, Guest::new(COUNTER).func("bump").to_val()).is_err());
    assert_eq!(table.grow(3, Val::FuncRef(None)).unwrap(), 2);
    assert!(table.func(4).is_none() && table.get(5).is_none());
    let global = counter.instance.get_global("count").unwrap();
    global.set(Val::I32(40)).unwrap();
    assert!(global.set(Val::I64(40)).is_err());
    assert_eq!(user.call_i32("bump_twice", &[]), Ok(42));
    assert!(matches!(counter.instance.export(0), Some(Extern::Global(_))));
    assert!(counter.instance.export(99).is_none());
}

#[test]
fn other_threads_hold_on_while_link_sets_merge() {
    let context = Context::new().unwrap();
    let module = load(&context, COUNTER);
    for _ in 0..50 {
        let first = Instance::new(&module, InstanceArgs::default()).unwrap();
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let terminator = first.terminator();
                std::thread::spawn(move || {
                    let mut held = Vec::new();
                    for round in 0..200 {
                        held.push(terminator.clone());
                        if round % 3 == 0 {
                            held.clear();
                        }
                    }
                    terminator.terminate();
                })
            })
            .collect();
        let mut linked = vec![first];
        for _ in 0..5 {
            let provider = linked.last().unwrap();
            linked.push(link(provider, USER).unwrap());
            linked.push(Instance::new(&module, InstanceArgs::default()).unwrap());
        }
        drop(linked);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
    assert_eq!(context.stats().instances, 0);
}
