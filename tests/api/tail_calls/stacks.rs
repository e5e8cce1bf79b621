//! What is left of the frames that were taken over: nothing that call stacks show, that catches
//! exceptions or that is measured any longer.

use super::linked;
use crate::{Guest, load};
use isothread::{
    Backtrace, Context, ExecEnv, Extern, FuncType, Instance, InstanceArgs, Native, Trap, Val,
    ValType,
};
use std::sync::{Arc, Mutex};

fn names(backtrace: &Backtrace) -> Vec<String> {
    let name = |frame: &isothread::BacktraceFrame| match &frame.func_name {
        Some(name) => name.to_string(),
        None => format!("$f{}", frame.func_index),
    };
    backtrace.frames.iter().map(name).collect()
}

/// Whether every frame of guest code says where in the module it is.
fn is_placed(backtrace: &Backtrace) -> bool {
    backtrace.frames.iter().all(|frame| frame.module_offset.is_some())
}

const TRAPS: &str = r#"(module
    (import "nobody" "has" (func $missing (param i32) (result i32)))
    (type $unary (func (param i32) (result i32)))
    (type $other (func (result i32)))
    (table 2 funcref)
    (elem (i32.const 0) $last)
    (func $last (param i32) (result i32) (unreachable))
    (func $middle (param i32 i32 i32) (result i32) (return_call $last (local.get 0)))
    (func $first (export "first") (param i32) (result i32)
        (return_call $middle (local.get 0) (i32.const 1) (i32.const 2)))
    (func (export "called") (param i32) (result i32)
        (i32.add (call $first (local.get 0)) (i32.const 1)))
    (func $indirect (export "indirect") (param i32) (result i32)
        (return_call_indirect (type $unary) (local.get 0) (local.get 0)))
    (func $mismatch (export "mismatch") (param i32) (result i32)
        (return_call_indirect (type $other) (local.get 0)))
    (func $unlinked (export "unlinked") (param i32) (result i32)
        (return_call $missing (local.get 0)))
    (func (export "in") (param i32) (result i32) (call $indirect (local.get 0)))
    (func (export "im") (param i32) (result i32) (call $mismatch (local.get 0)))
    (func (export "un") (param i32) (result i32) (call $unlinked (local.get 0))))"#;

#[test]
fn traps_show_the_frames_that_are_left() {
    let mut guest = Guest::new(TRAPS);
    for (name, arg, error, stack) in [
        ("first", 0, "unreachable", &["last"][..]),
        ("called", 0, "unreachable", &["last", "called"]),
        ("indirect", 0, "unreachable", &["last"]),
        // What traps is the call, before it takes over.
        ("indirect", 1, "uninitialized element", &["indirect"]),
        ("in", 2, "undefined element", &["indirect", "in"]),
        ("im", 0, "indirect call type mismatch", &["mismatch", "im"]),
        ("un", 0, "failed to call unlinked import function (nobody, has)", &["unlinked", "un"]),
        ("unlinked", 0, "failed to call unlinked import function (nobody, has)", &["unlinked"]),
    ] {
        assert_eq!(guest.call_i32(name, &[arg]), Err(error.into()), "{name}");
        let backtrace = guest.env.backtrace().unwrap();
        assert_eq!(names(&backtrace), stack, "{name}");
        assert!(is_placed(&backtrace), "{name}");
        guest.instance.clear_exception();
    }
}

/// A frame that does not fit is not begun: the trap finds the one that makes the call. That is so
/// for functions that are called for the first time, too, whatever lies in the frames.
#[test]
fn frames_that_do_not_fit_leave_the_caller_alone() {
    let locals = "i64 ".repeat(40_000);
    let wat = format!(
        r#"(module
        (type $none (func (result i32)))
        (type $wide (func (param i64 i64 i64 i64 i64 i64) (result i32)))
        (table 2 funcref)
        (elem (i32.const 0) $large $larger)
        (func $large (result i32) (local {locals}) (i32.const 1))
        (func $larger (param i64 i64 i64 i64 i64 i64) (result i32) (local {locals}) (i32.const 1))
        (func $call (param i64 i64) (result i32) (call $large))
        (func $direct (param i64 i64) (result i32) (return_call $large))
        (func $indirect (param i64 i64) (result i32)
            (return_call_indirect (type $none) (i32.const 0)))
        (func $many (param i64 i64) (result i32) (local i64)
            (return_call $larger (local.get 0) (local.get 1) (local.get 0) (local.get 1)
                (local.get 0) (local.get 1)))
        (func $many_indirect (param i64 i64) (result i32) (local i64)
            (return_call_indirect (type $wide) (local.get 0) (local.get 1) (local.get 0)
                (local.get 1) (local.get 0) (local.get 1) (i32.const 1)))
        (func (export "call") (param i64 i64) (result i32)
            (i32.add (call $call (local.get 0) (local.get 1)) (i32.const 1)))
        (func (export "direct") (param i64 i64) (result i32)
            (i32.add (call $direct (local.get 0) (local.get 1)) (i32.const 1)))
        (func (export "indirect") (param i64 i64) (result i32)
            (i32.add (call $indirect (local.get 0) (local.get 1)) (i32.const 1)))
        (func (export "many") (param i64 i64) (result i32)
            (i32.add (call $many (local.get 0) (local.get 1)) (i32.const 1)))
        (func (export "many_indirect") (param i64 i64) (result i32)
            (i32.add (call $many_indirect (local.get 0) (local.get 1)) (i32.const 1))))"#
    );
    for name in ["call", "direct", "indirect", "many", "many_indirect"] {
        let mut guest = Guest::new(&wat);
        let args = [Val::I64(0x5555_5555_5555_5555), Val::I64(0x6666_6666_6666_6666)];
        // The first time the function that does not fit is translated, and its frame begun.
        let is_tail = name != "call";
        for stack in [
            ["large", if is_tail { name } else { "call" }],
            [if is_tail { name } else { "call" }, name],
        ] {
            let error = guest.call(name, &args).unwrap_err();
            assert_eq!(error, "wasm operand stack overflow", "{name}");
            let backtrace = guest.env.backtrace().unwrap();
            let seen = names(&backtrace);
            assert_eq!(seen.last().unwrap(), name);
            let inner =
                if name.starts_with("many") && stack[0] == "large" { "larger" } else { stack[0] };
            assert_eq!(seen[0], inner, "{name}: {seen:?}");
            guest.instance.clear_exception();
        }
    }
}

/// Exceptions of functions that are called last are not caught where they were called.
const CATCHES: &str = r#"(module
    (import "other" "throw" (func $other (param i32) (result i32)))
    (import "other" "tag" (tag $tag (param i32)))
    (func $throw (param i32) (result i32) (throw $tag (local.get 0)))
    (func $own (param i32) (result i32)
        (block $h (result i32)
            (try_table (result i32) (catch $tag $h) (return_call $throw (local.get 0)))
            (unreachable))
        (i32.add (i32.const 1000)))
    (func $far (param i32) (result i32)
        (block $h (result i32)
            (try_table (result i32) (catch $tag $h) (return_call $other (local.get 0)))
            (unreachable))
        (i32.add (i32.const 1000)))
    (func (export "own") (param i32) (result i32)
        (block $h (result i32)
            (try_table (result i32) (catch $tag $h) (call $own (local.get 0))) (return))
        (i32.add (i32.const 1)))
    (func (export "far") (param i32) (result i32)
        (block $h (result i32)
            (try_table (result i32) (catch $tag $h) (call $far (local.get 0))) (return))
        (i32.add (i32.const 1)))
    (func (export "nobody") (param i32) (result i32)
        (block $h (result i32)
            (try_table (result i32) (catch $tag $h) (return_call $own (local.get 0)))
            (unreachable)))
    (func (export "nobody_far") (param i32) (result i32)
        (block $h (result i32)
            (try_table (result i32) (catch $tag $h) (return_call $far (local.get 0)))
            (unreachable)))
    ;; A call inside of the block is another matter.
    (func (export "inside") (param i32) (result i32)
        (block $h (result i32)
            (try_table (result i32) (catch $tag $h) (call $own (local.get 0))) (return))))"#;

const THROWS: &str = r#"(module
    (tag $tag (export "tag") (param i32))
    (func $throw (param i32) (result i32) (throw $tag (local.get 0)))
    (func (export "throw") (param i32) (result i32)
        (block $h (result i32)
            (try_table (result i32) (catch $tag $h) (return_call $throw (local.get 0)))
            (unreachable))))"#;

#[test]
fn handlers_end_with_the_frame() {
    let context = Context::new().unwrap();
    let other = Instance::new(&load(&context, THROWS), InstanceArgs::default()).unwrap();
    let module = load(&context, CATCHES);
    let imports: Vec<Option<Extern>> =
        module.imports().map(|import| other.get_export(import.name)).collect();
    let instance = Instance::with_imports(&module, InstanceArgs::default(), &imports).unwrap();
    let mut guest = Guest { env: ExecEnv::new(&instance, 0).unwrap(), instance };
    for _ in 0..3 {
        assert_eq!(guest.call_i32("own", &[7]), Ok(8));
        assert_eq!(guest.call_i32("far", &[7]), Ok(8));
        assert_eq!(guest.call_i32("inside", &[7]), Ok(7));
        for name in ["nobody", "nobody_far"] {
            assert_eq!(guest.call_i32(name, &[7]), Err("uncaught wasm exception".into()), "{name}");
            assert_eq!(names(&guest.env.backtrace().unwrap()), ["throw"], "{name}");
            guest.instance.clear_exception();
        }
    }
}

/// References to exceptions are passed on, and found by sweeps where they are.
#[test]
fn references_are_found_in_frames_that_were_taken_over() {
    let mut guest = Guest::new(
        r#"(module
        (tag $t (param i32))
        (func $churn (param $n i32)
            (loop $more
                (block $h (result exnref)
                    (try_table (catch_all_ref $h) (throw $t (i32.const 1)))
                    (unreachable))
                (drop)
                (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
        (func $rethrow (param i64 exnref) (result i32)
            (call $churn (i32.const 20000))
            (throw_ref (local.get 1)))
        (func $pass (param exnref) (result i32)
            (call $churn (i32.const 20000))
            (return_call $rethrow (i64.const 1) (local.get 0)))
        (func (export "keep") (result i32)
            (block $h (result i32)
                (try_table (result i32) (catch $t $h)
                    (call $pass (block $r (result exnref)
                        (try_table (catch_all_ref $r) (throw $t (i32.const 5)))
                        (unreachable))))
                (unreachable))))"#,
    );
    for _ in 0..3 {
        assert_eq!(guest.call_i32("keep", &[]), Ok(5));
    }
}

/// What a host function has seen.
type Seen = Arc<Mutex<Vec<Vec<String>>>>;

const LOOKS: &str = r#"(module
    (import "host" "look" (func $look (param i32) (result i32)))
    (import "host" "fail" (func $fail (param i32) (result i32)))
    (func $replaced (export "replaced") (param i32) (result i32)
        (return_call $look (local.get 0)))
    (func $fails (export "fails") (param i32) (result i32) (return_call $fail (local.get 0)))
    (func (export "called") (param i32) (result i32)
        (i32.add (call $replaced (local.get 0)) (i32.const 1)))
    (func (export "calls_fail") (param i32) (result i32)
        (i32.add (call $fails (local.get 0)) (i32.const 1)))
    (func $inner (export "inner") (param i32) (result i32)
        (return_call $look (i32.sub (local.get 0) (i32.const 1))))
    (func (export "direct") (param i32) (result i32)
        (i32.add (call $fail (local.get 0)) (i32.const 1))))"#;

/// `look` notes the stack, and calls `inner` while its argument is positive; `fail` traps.
fn looking(profiled: bool) -> (Guest, Seen) {
    let context = Context::new().unwrap();
    context.set_perf_profiling(profiled);
    let seen = Seen::default();
    let log = seen.clone();
    let ty = || FuncType::new([ValType::I32], [ValType::I32]);
    let look = Native::new(ty(), move |mut caller, args, results| {
        log.lock().unwrap().push(names(&caller.backtrace().unwrap()));
        results[0] = args[0];
        if let Val::I32(1..) = args[0] {
            let inner = caller.instance().get_func("inner").unwrap();
            caller.call(&inner, args, results).map_err(|error| error.trap().unwrap())?;
        }
        Ok(())
    });
    let fail = Native::new(ty(), |caller, _, _| {
        caller.instance().set_exception(b"the host's own");
        Err(Trap::Host)
    });
    context.define("host", "look", &look).unwrap();
    context.define("host", "fail", &fail).unwrap();
    let instance = Instance::new(&load(&context, LOOKS), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    (Guest { env, instance }, seen)
}

#[test]
fn host_functions_see_the_frames_that_are_left() {
    for profiled in [false, true] {
        let (mut guest, seen) = looking(profiled);
        let mut look = |name, arg| {
            guest.call_i32(name, &[arg]).unwrap();
            std::mem::take(&mut *seen.lock().unwrap())
        };
        assert_eq!(look("replaced", 0), [["look"]]);
        assert_eq!(look("called", 0), [["look", "called"]]);
        let nested = look("called", 1);
        assert_eq!(nested, [&["look", "called"][..], &["look", "look", "called"]]);
        assert!(guest.env.backtrace().unwrap().frames.is_empty());
    }
}

#[test]
fn host_functions_that_trap_have_the_stack_around_them() {
    let (mut guest, _) = looking(false);
    let mut fail = |name: &str| {
        assert_eq!(guest.call_i32(name, &[0]), Err("the host's own".into()), "{name}");
        let backtrace = guest.env.backtrace().unwrap();
        guest.instance.clear_exception();
        names(&backtrace)
    };
    assert_eq!(fail("direct"), ["direct"]);
    // Not the stack of the trap before, which had the same text.
    assert!(fail("fails").is_empty());
    assert_eq!(fail("calls_fail"), ["calls_fail"]);
    assert!(fail("fails").is_empty());
}

#[test]
fn functions_are_measured_until_they_are_replaced() {
    let (mut guest, _) = looking(true);
    assert_eq!(guest.call_i32("called", &[0]), Ok(1));
    assert_eq!(guest.call_i32("replaced", &[0]), Ok(0));
    let profile: Vec<_> = guest.instance.profile().collect();
    let of = |name| *profile.iter().find(|func| func.name == Some(name)).expect("known");
    for (name, count) in [("look", 2), ("replaced", 2), ("called", 1), ("fails", 0)] {
        assert_eq!(of(name).count, count, "{name}");
    }
    assert_eq!(of("replaced").children_ns, 0);
    let children = of("called").children_ns;
    assert!(children > 0 && children <= of("called").total_ns);
    assert!(children <= of("look").total_ns + of("replaced").total_ns);
}

#[test]
fn ten_million_that_are_measured_take_no_stack() {
    let context = Context::new().unwrap();
    context.set_perf_profiling(true);
    let (mut ping, mut pong) = linked(&context);
    // Reading the clock takes most of the time.
    assert_eq!(ping.call_i32("outer", &[200_000]), Ok(2));
    assert_eq!(pong.call_i32("start", &[200_000]), Ok(1));
    let profile: Vec<_> = ping.instance.profile().collect();
    let of = |name| profile.iter().find(|func| func.name == Some(name)).expect("known").count;
    assert_eq!((of("ping"), of("one"), of("outer")), (200_002, 1, 1));
}
