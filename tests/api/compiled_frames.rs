//! Frames of compiled code: what tail calls, exceptions and loops make of them.

use crate::compiled::{LONG, context_in, guest_in, in_all_modes, observe};
use crate::load;
use isothread::{ExecEnv, Instance, InstanceArgs, JitOptions, RunningMode, Val};
use std::time::Instant;

#[test]
fn tail_calls_between_compiled_and_interpreted_functions_take_no_stack() {
    // Compiled code has no functions with so many results.
    let results = "(result i32 i32 i32 i32 i32 i32 i32 i32 i32)";
    let wat = format!(
        r#"(module
        (type $step (func (param i32) (result i32)))
        (table funcref (elem $even $odd))
        (elem declare func $odd)
        (func $many {results} (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
            (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9))
        ;; Interpreted, because it calls that.
        (func $odd (type $step)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
            (call $many) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop)
            (return_call $even (i32.sub (local.get 0) (i32.const 1))))
        ;; Compiled; it goes on by each kind of call in turn.
        (func $even (type $step)
            (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
            (if (i32.and (local.get 0) (i32.const 2)) (then
                (return_call_indirect (type $step)
                    (i32.sub (local.get 0) (i32.const 1)) (i32.const 1))))
            (if (i32.and (local.get 0) (i32.const 4)) (then
                (return_call_ref $step
                    (i32.sub (local.get 0) (i32.const 1)) (ref.func $odd))))
            (return_call $odd (i32.sub (local.get 0) (i32.const 1))))
        (func (export "even") (param i32) (result i32) (return_call $even (local.get 0)))
        (func (export "inside") (param i32) (result i32)
            (i32.add (i32.const 10) (call $even (local.get 0))))
        (func (export "interpreted") (param i32) (result i32)
            (call $many) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop)
            (i32.add (i32.const 20) (call $even (local.get 0)))))"#
    );
    let context = context_in(RunningMode::LlvmJit, JitOptions::default());
    let instance = Instance::new(&load(&context, &wat), InstanceArgs::default()).expect("instance");
    let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
    for (name, base) in [("even", 0), ("inside", 10), ("interpreted", 20)] {
        let func = instance.typed_func::<i32, i32>(name).expect("exported");
        for last in 0..2 {
            let result = func.call(&mut env, 200_000 + last).expect("a result");
            assert_eq!(result, base + last, "{name}");
        }
    }
    assert_eq!(instance.module().compiled_code().funcs, 3, "the others are interpreted");
}

#[test]
fn exceptions_pass_between_compiled_and_interpreted_functions() {
    let results = "(result i32 i32 i32 i32 i32 i32 i32 i32 i32)";
    let drops = "(drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop) (drop)";
    let wat = format!(
        r#"(module
        (tag $e (param i32 i64))
        (func $many {results} (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
            (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9))
        (func $throws (param i32) (throw $e (local.get 0) (i64.const 40)))
        (func $interpreted (param i32) (call $many) {drops} (call $throws (local.get 0)))
        (func $between (param i32) (call $interpreted (local.get 0)))
        (func $catches (export "compiled") (param i32) (result i64) (local $kept i64)
            (local.set $kept (i64.const 1000))
            (block $caught (result i32 i64)
                (try_table (catch $e $caught) (call $between (local.get 0)))
                (unreachable))
            (local.set $kept (i64.add (local.get $kept)))
            (i64.add (i64.extend_i32_u) (local.get $kept)))
        (func (export "interpreted") (param i32) (result i64)
            (call $many) {drops}
            (block $caught (result i32 i64)
                (try_table (catch $e $caught) (call $between (local.get 0)))
                (unreachable))
            (i64.add (i64.const 2000)) (drop) (i64.extend_i32_u))
        (func (export "again") (param i32) (result i64)
            (block $caught (result i32 i64 exnref)
                (try_table (catch_ref $e $caught)
                    (block $first (result exnref)
                        (try_table (catch_all_ref $first) (call $between (local.get 0)))
                        (unreachable))
                    (throw_ref))
                (unreachable))
            (drop) (drop) (i64.extend_i32_u))
        (func (export "uncaught") (param i32) (call $between (local.get 0))))"#
    );
    let seen = in_all_modes(|mode| {
        let mut guest = guest_in(mode, &wat);
        let names = ["compiled", "interpreted", "again", "uncaught"];
        names.map(|name| observe(&mut guest, name, &[Val::I32(2)]))
    });
    assert!(seen[0].contains("I64(1042)"), "{}", seen[0]);
    assert!(seen[1].contains("I64(2)"), "{}", seen[1]);
    assert!(seen[2].contains("I64(2)"), "{}", seen[2]);
    assert!(seen[3].contains("uncaught"), "{}", seen[3]);
}

#[test]
fn loops_in_one_branch_leave_values_to_the_other() {
    // The loop goes on in compiled code, whose other paths lead around it.
    let wat = r#"(module (func (export "f") (param $n i32) (result i32)
        (local $outer i32) (local $inner i32) (local $sum i32)
        (loop $again
            (i32.mul (local.get $outer) (i32.const 1000))
            (if (i32.and (local.get $outer) (i32.const 1))
                (then
                    (local.set $inner (i32.const 0))
                    (loop $next
                        (br_if $next (i32.lt_u
                            (local.tee $inner (i32.add (local.get $inner) (i32.const 1)))
                            (local.get $n)))))
                (else (local.set $sum (i32.add (local.get $sum) (i32.const 1)))))
            (local.set $sum (i32.add (local.get $sum)))
            (br_if $again (i32.lt_u
                (local.tee $outer (i32.add (local.get $outer) (i32.const 1)))
                (i32.const 4))))
        (local.get $sum)))"#;
    let mut guest = guest_in(RunningMode::MultiTierJit, wat);
    let module = guest.instance.module();
    let end = Instant::now() + LONG;
    while module.compiled_code().loops == 0 {
        assert!(Instant::now() < end, "the loop is not compiled");
        let result = guest.call("f", &[Val::I32(1 << 24)]).expect("a result");
        assert!(matches!(result[..], [Val::I32(6002)]), "{result:?}");
    }
}
