//! Calls that take over the frame of the function that makes them: that no stack grows, what is
//! passed and returned, and that limits hold.

mod stacks;

use crate::{Guest, load};
use isothread::{
    Context, ExecEnv, Extern, FuncType, Instance, InstanceArgs, Native, Trap, Val, ValType,
};
use std::thread;
use std::time::{Duration, Instant};

/// Ten million, of which each would take at least 24 bytes of one of the stacks.
const MANY: i32 = 10_000_000;

/// Runs `act` on a thread with little native stack.
fn on_small_stack(act: impl FnOnce() + Send + 'static) {
    let thread = thread::Builder::new().stack_size(128 << 10).spawn(act).unwrap();
    thread.join().unwrap();
}

/// Functions of one module that take turns; those with `odd` have other parameters.
const TURNS: &str = r#"(module
    (type $unary (func (param i32) (result i32)))
    (type $six (func (param i32 i64 f32 f64 i32 i64) (result i32)))
    (table 2 funcref)
    (elem (i32.const 0) $through $six)
    (func $next (param i32) (result i32) (i32.sub (local.get 0) (i32.const 1)))
    (func $self (export "self") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 11))))
        (return_call $self (i32.sub (local.get 0) (i32.const 1))))
    (func $even (export "even") (param i32) (result i32) (local i64 i64)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
        (return_call $odd (i64.const 5) (i32.sub (local.get 0) (i32.const 1)) (f64.const 1.5)))
    (func $odd (param i64 i32 f64) (result i32)
        (if (i32.eqz (local.get 1)) (then (return (i32.const 0))))
        (return_call $even (i32.sub (local.get 1) (i32.const 1))))
    (func $through (export "through") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 33))))
        (return_call_indirect (type $unary) (call $next (local.get 0)) (i32.const 0)))
    (func $six (export "six") (param i32 i64 f32 f64 i32 i64) (result i32)
        (if (i32.eqz (local.get 4))
            (then (return (i32.wrap_i64 (i64.add (local.get 1) (local.get 5))))))
        (return_call_indirect (type $six) (local.get 0) (local.get 5) (local.get 2)
            (local.get 3) (i32.sub (local.get 4) (i32.const 1)) (local.get 1) (i32.const 1)))
    (func $guarded (export "guarded") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 44))))
        (block $h
            (try_table (catch_all $h)
                (return_call $guarded (i32.sub (local.get 0) (i32.const 1)))))
        (i32.const -1))
    (func (export "called") (param i32) (result i32)
        (i32.add (call $even (local.get 0)) (call $through (local.get 0)))))"#;

#[test]
fn ten_million_take_no_stack() {
    on_small_stack(|| {
        let mut guest = Guest::new(TURNS);
        for (name, result) in
            [("self", 11), ("even", 1), ("through", 33), ("guarded", 44), ("called", 34)]
        {
            assert_eq!(guest.call_i32(name, &[MANY]), Ok(result), "{name}");
        }
        let [i64, f32, f64] = [Val::I64(3), Val::F32(0.0), Val::F64(0.0)];
        let args = [Val::I32(0), i64, f32, f64, Val::I32(MANY), Val::I64(4)];
        assert!(matches!(guest.call("six", &args).unwrap()[..], [Val::I32(7)]));
    });
}

/// Two instances that call each other: `ping` through an import, `pong` through a table.
const PING: &str = r#"(module
    (type $pass (func (param i32 i32) (result i32)))
    (type $back (func (param i32) (result i32)))
    (table (export "table") 3 funcref)
    (memory 1)
    (data (i32.const 0) "\01\00\00\00")
    (func (export "ping") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.load (i32.const 0)))))
        (return_call_indirect (type $pass)
            (i32.sub (local.get 0) (i32.const 1)) (i32.const 9) (i32.const 1)))
    (func $one (export "one") (param i32) (result i32)
        (return_call_indirect (type $back) (local.get 0) (i32.const 2)))
    (func (export "outer") (param i32) (result i32)
        (i32.add (call $one (local.get 0)) (i32.load (i32.const 0)))))"#;

const PONG: &str = r#"(module
    (import "ping" "ping" (func $ping (param i32) (result i32)))
    (import "ping" "one" (func $one (param i32) (result i32)))
    (import "ping" "table" (table 3 funcref))
    (elem (i32.const 1) $pong $start)
    (memory 1)
    (data (i32.const 0) "\02\00\00\00")
    (func $pong (param i32 i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.load (i32.const 0)))))
        (return_call $ping (i32.sub (local.get 0) (i32.const 1))))
    (func $start (export "start") (param i32) (result i32)
        (return_call $ping (local.get 0)))
    (func (export "nested") (param i32) (result i32)
        (i32.add (call $one (local.get 0)) (i32.load (i32.const 0)))))"#;

fn linked(context: &Context) -> (Guest, Guest) {
    let ping = Instance::new(&load(context, PING), InstanceArgs::default()).unwrap();
    let module = load(context, PONG);
    let imports: Vec<Option<Extern>> =
        module.imports().map(|import| ping.get_export(import.name)).collect();
    let pong = Instance::with_imports(&module, InstanceArgs::default(), &imports).unwrap();
    let guest = |instance| Guest { env: ExecEnv::new(&instance, 0).unwrap(), instance };
    (guest(ping), guest(pong))
}

#[test]
fn ten_million_over_instances_take_no_stack() {
    on_small_stack(|| {
        let (mut ping, mut pong) = linked(&Context::new().unwrap());
        // Each ends in the instance that it should, and the caller goes on in its own.
        assert_eq!(ping.call_i32("ping", &[MANY]), Ok(1));
        assert_eq!(ping.call_i32("ping", &[MANY + 1]), Ok(2));
        assert_eq!(pong.call_i32("start", &[MANY]), Ok(1));
        assert_eq!(ping.call_i32("outer", &[MANY + 1]), Ok(3));
        assert_eq!(pong.call_i32("nested", &[MANY]), Ok(3));
        assert_eq!(pong.call_i32("nested", &[MANY + 1]), Ok(4));
    });
}

/// Host functions that are called last, by the host's own call and within a guest's.
const HOST: &str = r#"(module
    (import "host" "int" (func $int (param i32 i64) (result i32)))
    (import "host" "long" (func $long (param i32) (result i64)))
    (import "host" "single" (func $single (result f32)))
    (import "host" "double" (func $double (result f64)))
    (import "host" "none" (func $none (param i32 i32 i32 i32 i32 i32)))
    (import "host" "many" (func $many (param i32) (result i32 i64 f64)))
    (type $int_type (func (param i32 i64) (result i32)))
    (table 1 funcref)
    (elem (i32.const 0) $int)
    (func $f_int (export "int") (param i32) (result i32)
        (return_call $int (local.get 0) (i64.const 7)))
    (func $f_indirect (export "indirect") (param i32) (result i32)
        (return_call_indirect (type $int_type) (local.get 0) (i64.const 8) (i32.const 0)))
    (func $f_long (param i32) (result i64) (local i64) (return_call $long (local.get 0)))
    (func $f_single (param i32) (result f32) (return_call $single))
    (func $f_double (param i64 i64) (result f64) (return_call $double))
    (func $f_none (export "none") (return_call $none (i32.const 1) (i32.const 2) (i32.const 3)
        (i32.const 4) (i32.const 5) (i32.const 6)))
    (func $f_many (export "many") (result i32 i64 f64) (return_call $many (i32.const 5)))
    (func (export "sum") (param i32) (result f64) (local f64)
        (f64.convert_i32_s (call $f_int (local.get 0)))
        (f64.add (f64.convert_i32_s (call $f_indirect (local.get 0))))
        (f64.add (f64.convert_i64_s (i64.add (call $f_long (local.get 0)) (i64.const 1))))
        (f64.add (f64.promote_f32 (f32.mul (call $f_single (i32.const 1)) (f32.const 2))))
        (f64.add (f64.mul (f64.const 2) (call $f_double (i64.const 1) (i64.const 2))))
        (call $f_none)
        (local.set 1)
        (call $f_many)
        (f64.add (local.get 1))
        (local.set 1)
        (drop)
        (f64.add (f64.convert_i32_s) (local.get 1)))
    (func (export "turns") (param i32) (result i32) (local i32)
        (loop $again
            (local.set 1 (i32.add (local.get 1) (call $f_int (i32.const 1))))
            (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
        (local.get 1)))"#;

fn with_host() -> Guest {
    let context = Context::new().unwrap();
    let define = |name, params: &[ValType], results: &[ValType], give: fn(&[Val]) -> Vec<Val>| {
        let ty = FuncType::new(params, results);
        let native = Native::new(ty, move |_, args, results| {
            results.copy_from_slice(&give(args));
            Ok(())
        });
        context.define("host", name, &native).unwrap();
    };
    use ValType::{F32, F64, I32, I64};
    define("int", &[I32, I64], &[I32], |args| match args[..] {
        [Val::I32(a), Val::I64(b)] => vec![Val::I32(a + b as i32)],
        _ => panic!("other types"),
    });
    define("long", &[I32], &[I64], |args| match args[..] {
        [Val::I32(a)] => vec![Val::I64(i64::from(a) << 40)],
        _ => panic!("other types"),
    });
    define("single", &[], &[F32], |_| vec![Val::F32(1.5)]);
    define("double", &[], &[F64], |_| vec![Val::F64(2.25)]);
    define("none", &[I32; 6], &[], |args| {
        let sum: i32 = args.iter().map(|arg| if let Val::I32(arg) = arg { *arg } else { 0 }).sum();
        assert_eq!(sum, 21);
        vec![]
    });
    define("many", &[I32], &[I32, I64, F64], |_| {
        vec![Val::I32(100), Val::I64(200), Val::F64(300.0)]
    });
    let instance = Instance::new(&load(&context, HOST), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    Guest { env, instance }
}

#[test]
fn host_functions_return_to_the_caller_of_the_caller() {
    let mut guest = with_host();
    assert_eq!(guest.call_i32("int", &[1]), Ok(8));
    assert_eq!(guest.call_i32("indirect", &[1]), Ok(9));
    assert!(guest.call("none", &[]).unwrap().is_empty());
    let many = guest.call("many", &[]).unwrap();
    assert!(matches!(many[..], [Val::I32(100), Val::I64(200), Val::F64(300.0)]), "{many:?}");
    let sum = guest.call("sum", &[Val::I32(1)]).unwrap();
    let expected = 8.0 + 9.0 + ((1_u64 << 40) + 1) as f64 + 3.0 + 4.5 + 300.0 + 100.0;
    assert!(matches!(sum[..], [Val::F64(got)] if got == expected), "{sum:?}");
    on_small_stack(|| assert_eq!(with_host().call_i32("turns", &[1_000_000]), Ok(8_000_000)));
}

/// Results of each kind come back through frames that were taken over; a single one is expected in
/// the accumulator, too.
#[test]
fn parameters_and_results_of_all_numbers() {
    let mut guest = Guest::new(
        r#"(module
        (func $many (param i32) (result i32 i64 f32 f64 i32)
            (local.get 0) (i64.const 2) (f32.const 3) (f64.const 4) (i32.const 5))
        (func $to_many (param i64 i64) (result i32 i64 f32 f64 i32)
            (return_call $many (i32.wrap_i64 (local.get 1))))
        (func $from_none (export "many") (result i32 i64 f32 f64 i32)
            (return_call $to_many (i64.const 0) (i64.const 1)))
        ;; The parameters reach far behind the frame of the function that makes the call, and into
        ;; their own source.
        (func $eight (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
            (i32.sub (i32.add (local.get 7) (i32.mul (local.get 0) (i32.const 100)))
                (i32.add (local.get 1) (local.get 6))))
        (func $none (result i32)
            (return_call $eight (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
                (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8)))
        (func $three (param i32 i32 i32) (result i32) (return_call $none))
        (func $four (param i32 i32 i32 i32) (result i32)
            (return_call $three (local.get 3) (local.get 2) (local.get 1)))
        (func (export "shapes") (result i32)
            (i32.add (call $four (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4))
                (i32.const 1000)))
        (func $swap (export "swap") (param i32 i32 i32) (result i32)
            (if (i32.eqz (local.get 2)) (then (return (local.get 0))))
            (return_call $swap (local.get 1) (local.get 0)
                (i32.sub (local.get 2) (i32.const 1))))
        (func $half (param f32) (result f32) (f32.mul (local.get 0) (f32.const 0.5)))
        (func $quarter (param f32) (result f32) (return_call $half (call $half (local.get 0))))
        (func $neg (param f64) (result f64) (f64.neg (local.get 0)))
        (func $negs (result f64) (return_call $neg (f64.const 3)))
        (func (export "floats") (result f64)
            (f64.add (f64.promote_f32 (call $quarter (f32.const 10))) (call $negs))))"#,
    );
    let many = guest.call("many", &[]).unwrap();
    let expected = "[I32(1), I64(2), F32(3.0), F64(4.0), I32(5)]";
    assert_eq!(format!("{many:?}"), expected);
    assert_eq!(guest.call_i32("shapes", &[]), Ok(1099));
    assert_eq!(guest.call_i32("swap", &[6, 7, 3]), Ok(7));
    assert_eq!(guest.call_i32("swap", &[6, 7, 4]), Ok(6));
    let floats = guest.call("floats", &[]).unwrap();
    assert!(matches!(floats[..], [Val::F64(-0.5)]), "{floats:?}");
}

/// Loops that only limits end.
const ENDLESS: &str = r#"(module
    (type $nothing (func))
    (import "pong" "pong" (func $pong))
    (table (export "table") 1 funcref)
    (func $spin (export "spin") (return_call $spin))
    (elem (i32.const 0) $round)
    (func $round (export "round") (return_call_indirect (type $nothing) (i32.const 0)))
    (func $wide (export "wide") (result i64) (return_call $wider (i64.const 1) (i64.const 1)
        (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 1)))
    (func $wider (param i64 i64 i64 i64 i64 i64) (result i64) (return_call $wide)))"#;

fn endless() -> Vec<(Guest, &'static str)> {
    let context = Context::new().unwrap();
    let nothing = Native::new(FuncType::new([], []), |_, _, _| Ok(()));
    context.define("pong", "pong", &nothing).unwrap();
    let (ping, _) = linked(&context);
    let instance = Instance::new(&load(&context, ENDLESS), InstanceArgs::default()).unwrap();
    let guest = || Guest { env: ExecEnv::new(&instance, 0).unwrap(), instance: instance.clone() };
    vec![(guest(), "spin"), (guest(), "round"), (guest(), "wide"), (ping, "ping")]
}

/// Runs a loop until something ends it.
fn ended(guest: &mut Guest, name: &str) -> Option<Trap> {
    guest.instance.clear_exception();
    let func = guest.func(name);
    // As many turns as there can be, where turns are counted.
    let args = [Val::I32(-1)];
    let mut results = vec![Val::I32(0); func.ty().results().len()];
    let args = &args[..func.ty().params().len()];
    func.call(&mut guest.env, args, &mut results).err().and_then(|error| error.trap())
}

#[test]
fn limits_end_loops_of_tail_calls() {
    for (mut guest, name) in endless() {
        let context = guest.instance.context();
        let start = Instant::now();
        context.set_time_left(Some(Duration::from_millis(30)));
        assert_eq!(ended(&mut guest, name), Some(Trap::DeadlineExceeded), "{name}");
        assert!(start.elapsed() >= Duration::from_millis(30), "{name}");
        context.set_time_left(None);

        let terminator = guest.instance.terminator();
        let stopper = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            terminator.terminate();
        });
        assert_eq!(ended(&mut guest, name), Some(Trap::Terminated), "{name}");
        stopper.join().unwrap();
    }
}

#[test]
fn the_same_tail_calls_use_the_same_fuel() {
    let spend = |guest: &mut Guest, name: &str, turns: i32| {
        guest.instance.context().set_fuel(Some(1_000_000_000));
        guest.call_i32(name, &[turns]).unwrap();
        1_000_000_000 - guest.instance.context().fuel().unwrap()
    };
    let mut turns = Guest::new(TURNS);
    let (mut ping, mut pong) = linked(&Context::new().unwrap());
    for (guest, names) in [
        (&mut turns, &["self", "even", "through"][..]),
        (&mut ping, &["ping", "outer"]),
        (&mut pong, &["nested"]),
    ] {
        for name in names {
            let few = spend(guest, name, 100);
            assert_eq!(spend(guest, name, 100), few, "{name}");
            // Every turn costs, and always the same.
            let more = spend(guest, name, 300) - few;
            assert!(more >= 200 * 4, "{name}: {more}");
            assert_eq!(spend(guest, name, 500) - few, 2 * more, "{name}");
        }
    }
    for (mut guest, name) in endless() {
        let context = guest.instance.context();
        context.set_fuel(Some(1_000_000));
        assert_eq!(ended(&mut guest, name), Some(Trap::FuelExhausted), "{name}");
        assert_eq!(context.fuel(), Some(0), "{name}");
    }
}

#[test]
fn indices_of_64_bits_are_not_cut() {
    let mut guest = Guest::new(
        r#"(module (type $f (func (result i32)))
            (table i64 funcref (elem $one))
            (func $one (type $f) (i32.const 1))
            (func (export "f") (param i64) (result i32)
                (return_call_indirect (type $f) (local.get 0))))"#,
    );
    let result = guest.call("f", &[Val::I64(0)]).expect("a result");
    assert!(matches!(result[..], [Val::I32(1)]));
    let error = guest.call("f", &[Val::I64(1 << 32)]).expect_err("no such element");
    assert!(error.contains("undefined element"), "{error}");
}
