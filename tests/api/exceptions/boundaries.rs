//! Exceptions that come to the end of a module's own code: into other instances, host functions,
//! limits, traces and accounts.

use crate::{Guest, load};
use isothread::{
    Context, ContextConfig, ErrorKind, ExecEnv, Extern, ExternType, FuncType, Instance,
    InstanceArgs, Native, Trap, Val, ValType,
};

const THROWER: &str = r#"(module
    (tag $t (export "t") (param i32))
    (memory (export "m") 1)
    (global $e (export "last") (mut exnref) (ref.null exn))
    (func (export "throw") (param i32) (throw $t (local.get 0)))
    (func (export "grow_and_throw") (param i32)
        (drop (memory.grow (i32.const 5))) (throw $t (local.get 0)))
    (func (export "keep") (param exnref) (global.set $e (local.get 0)))
    (func (export "again") (throw_ref (global.get $e))))"#;

const CATCHER: &str = r#"(module
    (import "" "t" (tag $t (param i32)))
    (import "" "throw" (func $throw (param i32)))
    (import "" "m" (memory 1))
    (import "" "grow_and_throw" (func $grow (param i32)))
    (import "" "keep" (func $keep (param exnref)))
    (import "" "again" (func $again))
    (tag $own (param i32))
    (func $deeper (param i32) (call $throw (local.get 0)))
    (func (export "catch") (param i32) (result i32)
        (block $h (result i32)
            (try_table (catch $own $h) (catch $t $h) (call $deeper (local.get 0)))
            (i32.const 0)))
    (func (export "miss") (param i32) (result i32)
        (block $h (result i32)
            (try_table (catch $own $h) (call $deeper (local.get 0)))
            (i32.const 0)))
    (func (export "grown") (result i32)
        (block $h (result i32)
            (try_table (catch $t $h) (call $grow (i32.const 1)))
            (i32.const 0))
        (drop)
        (i32.store (i32.const 300000) (i32.const 77))
        (i32.load (i32.const 300000)))
    (func (export "kept") (param i32) (result i32)
        (block $all (result exnref)
            (try_table (catch_all_ref $all) (call $throw (local.get 0)))
            (unreachable))
        (call $keep)
        (block $h (result i32)
            (try_table (catch $t $h) (call $again))
            (i32.const 0))))"#;

fn link(provider: &Instance, wat: &str) -> isothread::Result<Instance> {
    let module = load(&provider.context(), wat);
    let imports: Vec<_> = module.imports().map(|import| provider.get_export(import.name)).collect();
    Instance::with_imports(&module, InstanceArgs::default(), &imports)
}

#[test]
fn other_instances_catch_by_the_tag_they_import() {
    let thrower = Guest::new(THROWER);
    let instance = link(&thrower.instance, CATCHER).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    let mut catcher = Guest { env, instance };
    assert_eq!(catcher.call_i32("catch", &[9]), Ok(9));
    assert_eq!(catcher.call_i32("grown", &[]), Ok(77));
    assert_eq!(catcher.call_i32("kept", &[11]), Ok(11));
    assert_eq!(catcher.call_i32("miss", &[9]), Err("uncaught wasm exception".into()));
    // The link set goes as a whole, with the exception that a global holds.
    assert!(matches!(thrower.instance.get_global("last").unwrap().get(), Val::ExnRef(Some(_))));
}

/// Throws payloads that are as long as a number says, with references at both ends.
const LONG: &str = r#"(module
    (tag $one (export "one") (param i32))
    (tag $t (export "t") (param exnref PAYLOAD exnref))
    (func $made (param i32) (result exnref)
        (block $h (result exnref)
            (try_table (catch_all_ref $h) (throw $one (local.get 0)))
            (unreachable)))
    (func (export "throw") (param i32)
        (throw $t (call $made (local.get 0)) VALUES
            (call $made (i32.add (local.get 0) (i32.const 1)))))
    (func (export "value") (param exnref) (result i32)
        (block $h (result i32)
            (try_table (catch $one $h) (throw_ref (local.get 0)))
            (unreachable))))"#;

/// The reference to the exception makes it an object, before which all others are looked for: the
/// payload is kept that is still where the inner instance's frame was.
const CATCHES_LONG: &str = r#"(module
    (import "" "t" (tag $t (param exnref PAYLOAD exnref)))
    (import "" "throw" (func $throw (param i32)))
    (import "" "value" (func $value (param exnref) (result i32)))
    (type $caught (func (result exnref PAYLOAD exnref exnref)))
    (func (export "run") (param $n i32) (result i32)
        (local $first exnref) (local $last exnref) (local $e exnref) (local $sum i64)
        (block $h (type $caught)
            (try_table (catch_ref $t $h) (call $throw (local.get $n)))
            (unreachable))
        (local.set $e) (local.set $last) ADD (local.set $first)
        (i32.wrap_i64 (local.get $sum))
        (i32.add (i32.mul (i32.const 10000) (call $value (local.get $first))))
        (i32.add (i32.mul (i32.const 1000000) (call $value (local.get $last))))))"#;

#[test]
fn collections_keep_what_is_on_its_way_to_another_instance() {
    for slots in [0, 3, 100] {
        let values: String = (0..slots).map(|n| format!("(i64.const {n})")).collect();
        let add = "(local.set $sum (i64.add (local.get $sum)))".repeat(slots);
        let filled = |wat: &str| {
            let wat = wat.replace("PAYLOAD", &"i64 ".repeat(slots));
            wat.replace("VALUES", &values).replace("ADD", &add)
        };
        let config = ContextConfig { collects_always: true, ..ContextConfig::default() };
        let context = Context::with(config).unwrap();
        let module = load(&context, &filled(LONG));
        let thrower = Instance::new(&module, InstanceArgs::default()).unwrap();
        let instance = link(&thrower, &filled(CATCHES_LONG)).unwrap();
        let env = ExecEnv::new(&instance, 0).unwrap();
        let mut catcher = Guest { env, instance };
        let sum = (0..slots as i32).sum::<i32>();
        for n in 1..20 {
            let expected = sum + 10_000 * n + 1_000_000 * (n + 1);
            assert_eq!(catcher.call_i32("run", &[n]), Ok(expected), "{slots}");
        }
    }
}

/// Two instances of one module have two tags.
#[test]
fn a_tag_is_an_instances_own() {
    let context = Context::new().unwrap();
    let module = load(&context, THROWER);
    let [one, two] = [(); 2].map(|()| Instance::new(&module, InstanceArgs::default()).unwrap());
    let catcher = load(&context, CATCHER);
    let mut imports: Vec<_> = catcher.imports().map(|i| one.get_export(i.name)).collect();
    imports[0] = two.get_export("t");
    let instance = Instance::with_imports(&catcher, InstanceArgs::default(), &imports).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    let mut catcher = Guest { env, instance };
    assert_eq!(catcher.call_i32("catch", &[9]), Err("uncaught wasm exception".into()));
}

#[test]
fn imported_tags_must_be_there_and_fit() {
    let context = Context::new().unwrap();
    let wanted = load(&context, r#"(module (import "a" "t" (tag (param i32))))"#);
    let error = Instance::new(&wanted, InstanceArgs::default()).map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Instantiate);
    assert_eq!(error.message(), "failed to link import tag (a, t)");
    let other = load(&context, r#"(module (tag (export "t") (param i64)) (func (export "f")))"#);
    let other = Instance::new(&other, InstanceArgs::default()).unwrap();
    for name in ["t", "f"] {
        let imports = [other.get_export(name)];
        let made = Instance::with_imports(&wanted, InstanceArgs::default(), &imports);
        assert_eq!(made.map(|_| ()).unwrap_err().message(), "incompatible import type");
    }
}

const CALLS_BACK: &str = r#"(module
    (import "host" "run" (func $run (param i32) (result i32)))
    (tag $t (param i32))
    (func (export "throw") (param i32) (throw $t (local.get 0)))
    (func (export "outer") (param i32) (result i32)
        (block $h
            (try_table (catch_all $h) (return (call $run (local.get 0))))
            (unreachable))
        (i32.const -2)))"#;

/// A host function that calls the guest back, and returns -1 if that threw, having cleared the
/// exception, or passes the failure on.
fn calls_back(swallow: bool) -> Guest {
    let context = Context::new().unwrap();
    let ty = FuncType::new([ValType::I32], [ValType::I32]);
    let run = Native::new(ty, move |mut caller, args, results| {
        let throw = caller.instance().get_func("throw").unwrap();
        let error = caller.call(&throw, args, &mut []).unwrap_err();
        assert_eq!(error.trap(), Some(Trap::UncaughtException));
        assert_eq!(error.message(), "uncaught wasm exception");
        if swallow {
            caller.instance().clear_exception();
            results[0] = Val::I32(-1);
            return Ok(());
        }
        Err(Trap::Host)
    });
    context.define("host", "run", &run).unwrap();
    let instance = Instance::new(&load(&context, CALLS_BACK), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    Guest { env, instance }
}

/// The host sees an error, may handle it, and cannot send it on as an exception: from there on it
/// is a trap.
#[test]
fn host_functions_are_not_thrown_through() {
    assert_eq!(calls_back(true).call_i32("outer", &[3]), Ok(-1));
    let mut guest = calls_back(false);
    assert_eq!(guest.call_i32("outer", &[3]), Err("uncaught wasm exception".into()));
    let text = guest.instance.exception();
    assert_eq!(text.as_deref(), Some("Exception: uncaught wasm exception"));
}

#[test]
fn host_functions_take_no_exceptions() {
    let context = Context::new().unwrap();
    let ty = FuncType::new([ValType::EXNREF], []);
    let native = Native::new(ty, |_, _, _| Ok(()));
    context.define("host", "take", &native).unwrap();
    let module = load(
        &context,
        r#"(module (import "host" "take" (func $take (param exnref)))
            (func (export "run") (call $take (ref.null exn))))"#,
    );
    assert!(!module.import(0).unwrap().linked);
    let imports = [Some(Extern::Native(native))];
    let made = Instance::with_imports(&module, InstanceArgs::default(), &imports);
    assert_eq!(made.map(|_| ()).unwrap_err().message(), "incompatible import type");
}

/// The host may hold on to a reference, and hand it back as long as the guest has it too.
#[test]
fn references_pass_the_host_while_they_live() {
    let mut guest = Guest::new(
        r#"(module
        (tag $t (param i32))
        (table (export "table") 1 exnref)
        (func (export "make") (param i32) (result exnref)
            (block $h (result exnref)
                (try_table (catch_all_ref $h) (throw $t (local.get 0)))
                (unreachable)))
        (func (export "is_null") (param exnref) (result i32) (ref.is_null (local.get 0)))
        (func (export "use") (param exnref) (result i32)
            (block $h (result i32)
                (try_table (catch $t $h) (throw_ref (local.get 0)))
                (i32.const 0)))
        (func (export "churn")
            (local i32)
            (loop $l
                (drop (block $h (result exnref)
                    (try_table (catch_all_ref $h) (throw $t (i32.const 1)))
                    (unreachable)))
                (br_if $l (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1)))
                    (i32.const 2000))))))"#,
    );
    let kept = guest.call("make", &[Val::I32(5)]).unwrap()[0];
    let lost = guest.call("make", &[Val::I32(6)]).unwrap()[0];
    let table = guest.instance.get_table("table").unwrap();
    table.set(0, kept).unwrap();
    assert!(matches!(guest.call("use", &[lost]).unwrap()[..], [Val::I32(6)]));
    guest.call("churn", &[]).unwrap();
    assert!(matches!(guest.call("use", &[kept]).unwrap()[..], [Val::I32(5)]));
    assert!(matches!(guest.call("is_null", &[kept]).unwrap()[..], [Val::I32(0)]));
    assert!(matches!(guest.call("is_null", &[Val::ExnRef(None)]).unwrap()[..], [Val::I32(1)]));
    // Another link set knows nothing of it.
    let other = Guest::new(r#"(module (table (export "table") 1 exnref))"#);
    let error = other.instance.get_table("table").unwrap().set(0, kept).unwrap_err();
    assert_eq!(error.message(), "the exception is gone");
}

/// A loop that goes through a handler on every turn pays for it, and can be stopped.
#[test]
fn fuel_ends_loops_of_exceptions() {
    let mut guest = Guest::new(
        r#"(module (tag $t)
        (func (export "forever") (loop $l (try_table (catch $t $l) (throw $t)))))"#,
    );
    guest.env.set_instruction_limit(Some(1_000_000));
    assert_eq!(guest.call("forever", &[]).map(|_| ()), Err(Trap::FuelExhausted.text().into()));
    guest.instance.clear_exception();
    guest.env.set_instruction_limit(None);
    let terminator = guest.instance.terminator();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        terminator.terminate();
    });
    assert_eq!(guest.call("forever", &[]).map(|_| ()), Err("terminated by user".into()));
    stopper.join().unwrap();
}

/// The stack of an uncaught exception is that of the throw; a caught one leaves none.
#[test]
fn uncaught_exceptions_leave_their_stack() {
    let mut guest = Guest::new(
        r#"(module (tag $t)
        (func $throw (throw $t))
        (func $middle (export "middle") (call $throw))
        (func $caught (export "caught")
            (block $h (try_table (catch $t $h) (call $middle)))))"#,
    );
    guest.call("caught", &[]).unwrap();
    assert!(guest.env.backtrace().unwrap().frames.is_empty());
    guest.call("middle", &[]).unwrap_err();
    let trace = guest.env.backtrace().unwrap();
    let indices: Vec<_> = trace.frames.iter().map(|frame| frame.func_index).collect();
    assert_eq!(indices, [0, 1]);
}

#[test]
fn calls_that_exceptions_end_are_counted() {
    let context = Context::new().unwrap();
    context.set_perf_profiling(true);
    let module = load(
        &context,
        r#"(module (tag $t)
        (func $leaf (export "leaf") (local i32)
            (loop $l (br_if $l (i32.lt_u
                (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 200000))))
            (throw $t))
        (func $middle (call $leaf))
        (func $top (export "top")
            (block $h (try_table (catch $t $h) (call $middle)))))"#,
    );
    let instance = Instance::new(&module, InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    let mut guest = Guest { env, instance };
    for _ in 0..3 {
        guest.call("top", &[]).unwrap();
    }
    let profile: Vec<_> = guest.instance.profile().collect();
    assert!(profile.iter().all(|account| account.count == 3), "{profile:?}");
    assert!(profile[0].total_ns > 0);
    // The cost of calls that were ended is not the catching function's own.
    assert!(profile[1].children_ns >= profile[0].total_ns, "{profile:?}");
    assert!(profile[2].children_ns >= profile[1].total_ns, "{profile:?}");
}

#[test]
fn modules_tell_of_their_tags() {
    let context = Context::new().unwrap();
    let module =
        load(&context, r#"(module (import "a" "t" (tag (param i64))) (tag (export "x")))"#);
    let import = module.import(0).unwrap();
    assert!(matches!(import.ty, ExternType::Tag(ty) if ty.params() == [ValType::I64]));
    assert!(!import.linked);
    let export = module.export(0).unwrap();
    assert!(matches!(export.ty, ExternType::Tag(ty) if ty.params().is_empty()));
}

/// A thread's instance has the module's tags for itself, and two imports that are one tag are one
/// there too.
#[test]
fn threads_catch_what_they_throw() {
    let context = Context::new().unwrap();
    let provider = load(&context, r#"(module (tag (export "t") (param i32)) (tag (export "u")))"#);
    let provider = Instance::new(&provider, InstanceArgs::default()).unwrap();
    let module = load(
        &context,
        r#"(module
        (import "" "u" (tag $u)) (import "" "t" (tag $t (param i32)))
        (import "" "t" (tag $same (param i32)))
        (tag $own (param i32))
        (memory 1 1 shared)
        (func $throw (param i32)
            (if (i32.eqz (local.get 0)) (then (throw $u)))
            (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $t (i32.const 10))))
            (throw $own (i32.const 20)))
        (func (export "run") (param i32) (result i32)
            (block $none
                (block $value (result i32)
                    (try_table (catch $own $value) (catch $same $value) (catch $u $none)
                        (call $throw (local.get 0)))
                    (unreachable))
                (return))
            (i32.const 30)))"#,
    );
    let imports: Vec<_> = module.imports().map(|i| provider.get_export(i.name)).collect();
    let instance = Instance::with_imports(&module, InstanceArgs::default(), &imports).unwrap();
    let mut env = ExecEnv::new(&instance, 0).unwrap();
    let spawned = env.spawn().unwrap();
    let run = |env: &mut ExecEnv| {
        let run = env.instance().typed_func::<i32, i32>("run").unwrap();
        [0, 1, 2].map(|which| run.call(env, which).unwrap())
    };
    let there = std::thread::spawn(move || run(&mut spawned.attach())).join().unwrap();
    assert_eq!(there, [30, 10, 20]);
    assert_eq!(run(&mut env), there);
}
