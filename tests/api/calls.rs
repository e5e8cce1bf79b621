use crate::{Guest, load};
use isothread::{
    Context, ErrorKind, ExecEnv, ExternRef, Func, FuncType, Instance, InstanceArgs, Native, Trap,
    Val, ValType,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const CALLS: &str = r#"(module
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "swap") (param f32 i64 f64) (result f64 i64 f32)
        (local.get 2) (local.get 1) (local.get 0))
    (func $div (export "div") (param i32 i32) (result i32)
        (i32.div_s (local.get 0) (local.get 1)))
    (func (export "refs") (param funcref externref) (result externref funcref)
        (local.get 1) (local.get 0))
    (func (export "self") (result funcref) (ref.func $div))
    (func (export "spin") (loop (br 0)))
    (func (export "count") (param i32) (result i32) (local i32)
        (loop (br_if 0 (i32.lt_u
            (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))
        (local.get 1)))"#;

#[test]
fn values_of_all_types() {
    let mut guest = Guest::new(CALLS);
    assert_eq!(guest.call_i32("add", &[i32::MAX, 1]), Ok(i32::MIN));
    let args = [Val::F32(1.5), Val::I64(i64::MIN), Val::F64(-0.0)];
    let results = guest.call("swap", &args).expect("call");
    let [Val::F64(a), Val::I64(b), Val::F32(c)] = results[..] else { panic!("{results:?}") };
    assert_eq!((a.to_bits(), b, c), ((-0.0_f64).to_bits(), i64::MIN, 1.5));
    let typed = guest.instance.typed_func::<(f32, i64, f64), (f64, i64, f32)>("swap").unwrap();
    assert_eq!(typed.call(&mut guest.env, (0.5, 7, 2.0)).unwrap(), (2.0, 7, 0.5));
    assert!(guest.instance.typed_func::<(i32, i32), i64>("add").is_err());
    assert!(guest.instance.typed_func::<(), ()>("nothing").is_err());
}

#[test]
fn references() {
    let mut guest = Guest::new(CALLS);
    let func = guest.func("div");
    let word = ExternRef::new(0).expect("zero is a word");
    let results = guest.call("refs", &[func.to_val(), Val::ExternRef(Some(word))]).unwrap();
    let [Val::ExternRef(Some(object)), Val::FuncRef(Some(back))] = results[..] else {
        panic!("{results:?}")
    };
    assert_eq!(object.word(), 0);
    assert!(matches!(func.to_val(), Val::FuncRef(Some(func)) if func == back));
    let results = guest.call("refs", &[Val::FuncRef(None), Val::ExternRef(None)]).unwrap();
    assert!(matches!(results[..], [Val::ExternRef(None), Val::FuncRef(None)]));
    // A function of another context is refused, even once it is gone.
    let foreign = Guest::new(CALLS).func("div").to_val();
    let refused = guest.call("refs", &[foreign, Val::ExternRef(None)]);
    assert_eq!(refused.unwrap_err(), "the function belongs to instances that are not linked");
    assert_eq!(guest.instance.exception(), None);
}

#[test]
fn wrong_calls_are_refused() {
    let mut guest = Guest::new(CALLS);
    let add = guest.func("add");
    let args = [Val::I32(1), Val::I32(2)];
    let mut results = [Val::I32(0), Val::I32(0)];
    for (args, results, text) in [
        (&args[..1], &mut { results }[..1], "the function has 2 arguments, not 1"),
        (&args[..], &mut { results }[..], "the function has 1 results, not 2"),
        (&args[..], &mut [][..], "the function has 1 results, not 0"),
        (&[Val::I32(1), Val::I64(2)], &mut results[..1], "argument 1 is i64, not i32"),
    ] {
        let error = add.call(&mut guest.env, args, results).unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Misuse, text));
    }
    let error = guest.instance.typed_func::<(i32, i32), i64>("add").err().unwrap();
    assert_eq!(error.message(), "the function is (i32, i32) -> (i32), not (i32, i32) -> (i64)");
    let mut other = Guest::new(CALLS);
    let error = add.call(&mut other.env, &args, &mut results[..1]).unwrap_err();
    assert_eq!(error.message(), "invalid exec env");
    assert_eq!(guest.instance.exception(), None);
}

/// An error describes the call that returned it, and earlier errors do not matter.
#[test]
fn every_call_begins_anew() {
    let mut guest = Guest::new(CALLS);
    let div = guest.func("div");
    for (args, trap) in [
        ([1, 0], Trap::IntegerDivideByZero),
        ([i32::MIN, -1], Trap::IntegerOverflow),
        ([1, 0], Trap::IntegerDivideByZero),
    ] {
        let mut results = [Val::I32(0)];
        let error = div.call(&mut guest.env, &args.map(Val::I32), &mut results).unwrap_err();
        assert_eq!((error.trap(), error.message()), (Some(trap), trap.text()));
        assert_eq!(guest.instance.exception().unwrap(), format!("Exception: {}", trap.text()));
    }
    assert_eq!(guest.call_i32("add", &[1, 1]), Ok(2));
    assert_eq!(guest.instance.exception(), None);
    guest.instance.set_exception(&[b'y'; 200]);
    assert_eq!(guest.instance.exception().unwrap().len(), 127);
    let add = guest.instance.typed_func::<(i32, i32), i32>("add").unwrap();
    assert_eq!(add.call(&mut guest.env, (1, 1)).unwrap(), 2);
    assert_eq!(guest.instance.exception(), None);
}

/// A request to stop is nothing that a call forgets.
#[test]
fn requests_to_stop_stay() {
    let mut guest = Guest::new(CALLS);
    guest.instance.terminate();
    for _ in 0..2 {
        let add = guest.func("add");
        let mut results = [Val::I32(0)];
        let args = [Val::I32(1), Val::I32(1)];
        let error = add.call(&mut guest.env, &args, &mut results).unwrap_err();
        assert_eq!((error.trap(), error.message()), (Some(Trap::Terminated), "terminated by user"));
    }
    guest.instance.clear_exception();
    assert_eq!(guest.call_i32("add", &[1, 1]), Ok(2));
}

#[test]
fn cells() {
    let guest = Guest::new(CALLS);
    let call = |name: &str, cells: &mut [u32]| {
        // SAFETY: all is alive, and the tests pass enough cells.
        unsafe {
            let (env, func) = (guest.env.as_raw(), guest.func(name).as_raw());
            Func::call_cells(env, func, cells.len() as u32, cells.as_mut_ptr())
        }
    };
    let mut cells = [5, 6];
    assert!(call("add", &mut cells));
    assert_eq!(cells, [11, 6]);
    let mut cells = [1.5_f32.to_bits(), 2, 1, 4, 3];
    assert!(call("swap", &mut cells));
    assert_eq!(cells, [4, 3, 2, 1, 1.5_f32.to_bits()]);
    let mut cells = [2, 77, 0];
    assert!(call("refs", &mut cells));
    assert_eq!(cells, [77, 0, 2]);
    let mut cells = [u32::MAX; 3];
    assert!(call("refs", &mut cells));
    assert_eq!(cells, [0, 0, u32::MAX]);
    let mut cells = [1, 0];
    assert!(!call("div", &mut cells));
    assert_eq!(cells, [1, 0]);
}

#[test]
fn fuel() {
    let mut guest = Guest::new(CALLS);
    guest.env.set_instruction_limit(Some(1_000_000));
    assert_eq!(guest.call("spin", &[]).unwrap_err(), "instruction limit exceeded");
    guest.instance.clear_exception();
    assert_eq!(guest.call_i32("add", &[1, 1]).unwrap_err(), "instruction limit exceeded");
    guest.instance.clear_exception();
    guest.env.set_instruction_limit(None);
    assert_eq!(guest.call_i32("count", &[300_000]), Ok(300_000));
    guest.env.set_instruction_limit(Some(10_000_000));
    assert_eq!(guest.call_i32("count", &[300_000]), Ok(300_000));
    guest.env.set_instruction_limit(Some(1000));
    assert_eq!(guest.call_i32("count", &[300_000]).unwrap_err(), "instruction limit exceeded");
}

#[test]
fn termination_from_another_thread() {
    let mut guest = Guest::new(CALLS);
    let terminator = guest.instance.terminator();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(30));
        terminator.clone().terminate();
    });
    assert_eq!(guest.call("spin", &[]).unwrap_err(), "terminated by user");
    stopper.join().unwrap();
    assert_eq!(guest.call_i32("add", &[1, 1]).unwrap_err(), "terminated by user");
    guest.instance.clear_exception();
    assert_eq!(guest.call_i32("add", &[1, 1]), Ok(2));
}

#[test]
fn closures_call_back() {
    let context = Context::new().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = calls.clone();
    let ty = || FuncType::new([ValType::I32], [ValType::I32]);
    // fact(n) = n * fact(n - 1), every other step on the host.
    let native = Native::new(ty(), move |mut caller, args, results| {
        seen.fetch_add(1, Ordering::Relaxed);
        let Val::I32(n) = args[0] else { return Err(Trap::Internal) };
        let mut text = [0; 5];
        caller.read(0, &mut text)?;
        assert_eq!(&text, b"guest");
        caller.write(0, b"guest")?;
        if caller.write(65536, b"x").is_ok() || n > 1000 {
            caller.instance().set_exception(b"too much");
            return Err(Trap::Host);
        }
        let fact = caller.instance().get_func("fact").ok_or(Trap::Internal)?;
        caller.call(&fact, &[Val::I32(n)], results).map_err(|error| error.trap().unwrap())
    });
    context.define("host", "fact", &native).unwrap();
    let module = load(
        &context,
        r#"(module (import "host" "fact" (func $host (param i32) (result i32)))
            (memory 1) (data (i32.const 0) "guest")
            (func (export "fact") (param i32) (result i32)
                (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 1))
                    (else (i32.mul (local.get 0)
                        (call $host (i32.sub (local.get 0) (i32.const 1)))))))
            (func (export "host") (param i32) (result i32) (call $host (local.get 0)))
            (export "direct" (func $host)))"#,
    );
    assert!(module.import(0).unwrap().linked);
    let instance = Instance::new(&module, InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    let mut guest = Guest { env, instance };
    assert_eq!(guest.call_i32("fact", &[6]), Ok(720));
    assert_eq!(calls.load(Ordering::Relaxed), 6);
    assert_eq!(guest.call_i32("host", &[5]), Ok(120));
    assert_eq!(guest.call_i32("direct", &[5]), Ok(120));
    assert_eq!(guest.call_i32("host", &[1001]).unwrap_err(), "too much");
    guest.instance.clear_exception();
    // Unregistering does not unbind.
    assert!(context.undefine("host", "fact") && !context.undefine("host", "fact"));
    assert_eq!(guest.call_i32("fact", &[3]), Ok(6));
    // The closure lives as long as the modules bound to it.
    drop((context, native, module));
    assert_eq!(Arc::strong_count(&calls), 2);
    drop(guest);
    assert_eq!(Arc::strong_count(&calls), 1);
}

#[test]
fn unlinked_imports_trap_by_name() {
    let mut guest = Guest::new(
        r#"(module (import "some" "thing" (func $f)) (table funcref (elem $f))
            (func (export "direct") (call $f))
            (func (export "table") (call_indirect (i32.const 0))))"#,
    );
    assert!(!guest.instance.module().import(0).unwrap().linked);
    for name in ["direct", "table"] {
        let error = guest.call(name, &[]).unwrap_err();
        assert_eq!(error, "failed to call unlinked import function (some, thing)");
        guest.instance.clear_exception();
    }
}

#[test]
fn start_functions() {
    let guest = Guest::new(
        r#"(module (global (export "g") (mut i32) (i32.const 1))
            (func $start (global.set 0 (i32.add (global.get 0) (i32.const 1))))
            (func (export "__wasm_call_ctors")
                (global.set 0 (i32.mul (global.get 0) (i32.const 10))))
            (func (export "_initialize") (global.set 0 (i32.const -1)))
            (start $start))"#,
    );
    let global = guest.instance.get_global("g").unwrap();
    assert!(matches!(global.get(), Val::I32(20)));
    let context = Context::new().unwrap();
    let module = load(&context, "(module (func $f unreachable) (start $f))");
    let error = Instance::new(&module, InstanceArgs::default()).err().unwrap();
    assert_eq!(error.message(), "Exception: unreachable");
    assert_eq!(error.kind(), ErrorKind::Trap(Trap::Unreachable));
}

#[test]
fn instances_move_between_threads() {
    let guest = Guest::new(CALLS);
    drop(guest.env);
    let detached = guest.instance.detach().ok().expect("the only handle");
    let sum = std::thread::spawn(move || {
        let instance = detached.attach();
        let mut env = ExecEnv::new(&instance, 0).unwrap();
        instance.typed_func::<(i32, i32), i32>("add").unwrap().call(&mut env, (20, 22)).unwrap()
    });
    assert_eq!(sum.join().unwrap(), 42);
}

#[test]
fn words_of_the_host() {
    let args = InstanceArgs {
        custom_data: 5,
        host_state: Some(Box::new(String::from("state"))),
        ..Default::default()
    };
    let mut guest = Guest::with("(module)", args);
    assert_eq!(guest.instance.custom_data(), 5);
    guest.instance.set_custom_data(6);
    guest.instance.set_slot(7, 8);
    guest.instance.set_slot(8, 9);
    let instance = guest.env.instance();
    assert_eq!((instance.custom_data(), instance.slot(7), instance.slot(8)), (6, 8, 0));
    assert_eq!(instance.host_state::<String>().unwrap(), "state");
    assert!(instance.host_state::<u8>().is_none());
    guest.env.set_user_data(3);
    assert_eq!(guest.env.user_data(), 3);
    assert!(guest.env.attachment().is_null());
    let first = instance.singleton_exec_env().unwrap();
    assert_eq!(instance.singleton_exec_env().unwrap(), first);
}

#[test]
fn exec_envs_outlive_their_handles() {
    let Guest { mut env, instance } = Guest::new(CALLS);
    let add = instance.typed_func::<(i32, i32), i32>("add").unwrap();
    drop(instance);
    assert_eq!(add.call(&mut env, (1, 2)).unwrap(), 3);
    drop(add);
    let instance = env.instance();
    drop(env);
    assert!(instance.get_func("add").is_some());
}

#[cfg(feature = "wasi")]
#[test]
fn wasi_is_there_for_modules_that_import_it() {
    let mut guest = Guest::new(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func (export "_start") (call $exit (i32.const 33))))"#,
    );
    assert!(guest.instance.module().is_wasi());
    assert!(guest.instance.host_state::<isothread::WasiCtx>().is_some());
    assert_eq!(guest.call("_start", &[]).unwrap_err(), "wasi proc exit");
    assert_eq!(guest.instance.exit_code(), 33);
    assert!(Guest::new("(module)").instance.host_state::<isothread::WasiCtx>().is_none());
}

/// A call by a table or a reference leaves its result where code looks for it first: guest code of
/// the same instance, of another one, and host functions.
#[test]
fn results_of_indirect_calls_are_taken_at_once() {
    const OTHER: &str = r#"(module
        (func (export "i32") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
        (func (export "i64") (param i64) (result i64) (i64.add (local.get 0) (i64.const 1)))
        (func (export "f32") (param f32) (result f32) (f32.add (local.get 0) (f32.const 1)))
        (func (export "f64") (param f64) (result f64) (f64.add (local.get 0) (f64.const 1))))"#;
    let context = Context::new().expect("context");
    let other = Instance::new(&load(&context, OTHER), InstanceArgs::default()).expect("instance");
    for (ty, number) in [("i32", 0), ("i64", 1), ("f32", 2), ("f64", 3)] {
        let by = |call: &str| {
            // Another value of the class is in the accumulator before.
            format!("({ty}.eq (call_{call}) ({ty}.add (local.get $x) ({ty}.const 1)))")
        };
        let indirect = |at: u32| by(&format!("indirect (type $t) (local.get $x) (i32.const {at})"));
        let reference =
            |at: u32| by(&format!("ref $t (local.get $x) (table.get (i32.const {at}))"));
        let sums: String = (0..3)
            .flat_map(|at| [indirect(at), reference(at)])
            .map(|is_same| format!("(local.set $sum (i32.add (local.get $sum) {is_same}))"))
            .collect();
        let wat = format!(
            r#"(module
                (type $t (func (param {ty}) (result {ty})))
                (import "other" "{ty}" (func $other (type $t)))
                (import "host" "{ty}" (func $host (type $t)))
                (table (ref null $t) (elem (ref.func $own) (ref.func $other) (ref.func $host)))
                (func $own (type $t) ({ty}.add (local.get 0) ({ty}.const 1)))
                (func (export "f") (result i32) (local $sum i32) (local $x {ty})
                    (local.set $x ({ty}.const 41)) {sums} (local.get $sum)))"#
        );
        let val = [ValType::I32, ValType::I64, ValType::F32, ValType::F64][number];
        let host = Native::new(FuncType::new([val], [val]), |_, args, results| {
            results[0] = match args[0] {
                Val::I32(x) => Val::I32(x + 1),
                Val::I64(x) => Val::I64(x + 1),
                Val::F32(x) => Val::F32(x + 1.0),
                Val::F64(x) => Val::F64(x + 1.0),
                _ => return Err(Trap::Internal),
            };
            Ok(())
        });
        context.define("host", ty, &host).expect("defined");
        let module = load(&context, &wat);
        let imports: Vec<_> = module
            .imports()
            .map(|import| {
                (import.module == "other").then(|| other.get_export(import.name)).flatten()
            })
            .collect();
        let instance =
            Instance::with_imports(&module, InstanceArgs::default(), &imports).expect("instance");
        let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
        let f = instance.typed_func::<(), i32>("f").expect("exported");
        assert_eq!(f.call(&mut env, ()).expect("call"), 6, "{ty}");
    }
}
