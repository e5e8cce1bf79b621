//! Guests' exceptions take memory as long as there is a reference to them, and no longer.

use crate::{Guest, load};
use isothread::{Context, ContextConfig, ExecEnv, FuncType, Instance, InstanceArgs, Native, Val};

/// How often a loop throws: often enough for many collections everywhere.
const TURNS: i32 = if cfg!(debug_assertions) { 300_000 } else { 10_000_000 };

/// Bytes that a loop may leave behind: less than the heap of all objects may have.
const SLACK: u64 = 100_000;

const LOOPS: &str = r#"(module
    (tag $t (param i32)) (tag $chain (param i32 exnref))
    (global $global (mut exnref) (ref.null exn))
    (table $table 3 exnref)
    (func $throw (param i32) (throw $t (local.get 0)))
    (func $value (param exnref) (result i32)
        (block $h (result i32)
            (try_table (catch $t $h) (throw_ref (local.get 0)))
            (unreachable)))
    (func $make (param i32) (result exnref)
        (block $h (result exnref)
            (try_table (catch_all_ref $h) (call $throw (local.get 0)))
            (unreachable)))
    (func $churn (export "churn") (param i32)
        (loop $l
            (drop (call $make (i32.const 9)))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "plain") (param i32)
        (loop $l
            (drop (block $h (result i32)
                (try_table (catch $t $h) (call $throw (i32.const 1)))
                (unreachable)))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    ;; As compilers clean up: by a reference, thrown again, and caught by its tag.
    (func $cleanup (local $e exnref)
        (block $h (result exnref)
            (try_table (catch_all_ref $h) (call $throw (i32.const 1)))
            (unreachable))
        (local.set $e)
        (throw_ref (local.get $e)))
    (func (export "cleanups") (param i32)
        (loop $l
            (drop (block $h (result i32)
                (try_table (catch $t $h) (call $cleanup))
                (unreachable)))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    ;; References in all places, while others come and go.
    (func (export "places") (param $n i32) (result i32)
        (local $local exnref)
        (local.set $local (call $make (i32.const 1)))
        (global.set $global (call $make (i32.const 2)))
        (table.set $table (i32.const 1) (call $make (i32.const 4)))
        (call $make (i32.const 8))
        (call $churn (local.get $n))
        (call $value)
        (i32.add (call $value (local.get $local)))
        (i32.add (call $value (global.get $global)))
        (i32.add (call $value (table.get $table (i32.const 1)))))
    ;; In frames further down, and as the payload of another exception's payload.
    (func $deep (param $depth i32) (param $n i32) (param $e exnref) (result i32)
        (if (i32.eqz (local.get $depth))
            (then (call $churn (local.get $n)) (return (i32.const 0))))
        (i32.add
            (call $deep (i32.sub (local.get $depth) (i32.const 1)) (local.get $n)
                (call $make (local.get $depth)))
            (call $value (local.get $e))))
    (func (export "frames") (param $depth i32) (param $n i32) (result i32)
        (call $deep (local.get $depth) (local.get $n) (call $make (i32.const 0))))
    (func $link (param i32 exnref) (result exnref)
        (block $h (result i32 exnref exnref)
            (try_table (catch_ref $chain $h) (throw $chain (local.get 0) (local.get 1)))
            (unreachable))
        (local.set 1) (drop) (drop) (local.get 1))
    (func (export "chains") (param $links i32) (param $n i32) (result i32)
        (local $e exnref) (local $sum i32) (local $i i32)
        (local.set $i (local.get $links))
        (loop $l
            (local.set $e (call $link (local.get $i) (local.get $e)))
            (br_if $l (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
        (call $churn (local.get $n))
        (loop $l
            (block $h (result i32 exnref)
                (try_table (catch $chain $h) (throw_ref (local.get $e)))
                (unreachable))
            (local.set $e)
            (local.set $sum (i32.add (local.get $sum)))
            (br_if $l (i32.eqz (ref.is_null (local.get $e)))))
        (local.get $sum))
    (func (export "forget")
        (global.set $global (ref.null exn))
        (table.fill $table (i32.const 0) (ref.null exn) (i32.const 3))))"#;

fn live(guest: &Guest) -> u64 {
    guest.instance.context().stats().heap.live_bytes
}

#[test]
fn loops_of_exceptions_take_no_memory() {
    let mut guest = Guest::new(LOOPS);
    for name in ["plain", "cleanups", "churn"] {
        // The heap is as large as it will be.
        guest.call(name, &[Val::I32(20_000)]).unwrap();
        let before = live(&guest);
        guest.call(name, &[Val::I32(TURNS)]).unwrap();
        let after = live(&guest);
        assert!(after < before + SLACK, "{name}: {before} bytes became {after}");
    }
}

#[test]
fn what_something_leads_to_stays() {
    let stack = InstanceArgs { stack_size: 1 << 20, ..InstanceArgs::default() };
    let mut guest = Guest::with(LOOPS, stack);
    guest.env = ExecEnv::new(&guest.instance, 1 << 20).unwrap();
    let before = live(&guest);
    for turns in [10, 1000, 20_000] {
        assert_eq!(guest.call_i32("places", &[turns]), Ok(15));
        assert_eq!(guest.call_i32("frames", &[1000, turns]), Ok(1000 * 1001 / 2 - 1));
        assert_eq!(guest.call_i32("chains", &[1000, turns]), Ok(1000 * 1001 / 2));
    }
    guest.call("forget", &[]).unwrap();
    guest.call("churn", &[Val::I32(20_000)]).unwrap();
    let after = live(&guest);
    assert!(after < before + SLACK, "{before} bytes became {after}");
}

/// Throws collect as other objects do, at each of them if a test asks for that.
#[test]
fn collections_at_every_throw_keep_what_something_leads_to() {
    let config = ContextConfig { collects_always: true, ..ContextConfig::default() };
    let context = Context::with(config).unwrap();
    let stack = InstanceArgs { stack_size: 1 << 20, ..InstanceArgs::default() };
    let instance = Instance::new(&load(&context, LOOPS), stack).unwrap();
    let env = ExecEnv::new(&instance, 1 << 20).unwrap();
    let mut guest = Guest { env, instance };
    assert_eq!(guest.call_i32("places", &[100]), Ok(15));
    assert_eq!(guest.call_i32("frames", &[100, 100]), Ok(100 * 101 / 2 - 1));
    assert_eq!(guest.call_i32("chains", &[100, 100]), Ok(100 * 101 / 2));
    guest.call("cleanups", &[Val::I32(100)]).unwrap();
}

/// A host function calls back on the stack that called it and on another one; the references of
/// all of them count.
#[test]
fn the_stacks_of_a_link_set_are_looked_at() {
    let wat = r#"(module
        (import "host" "churn" (func $host))
        (tag $t (param i32))
        (func $value (param exnref) (result i32)
            (block $h (result i32)
                (try_table (catch $t $h) (throw_ref (local.get 0)))
                (unreachable)))
        (func $make (param i32) (result exnref)
            (block $h (result exnref)
                (try_table (catch_all_ref $h) (throw $t (local.get 0)))
                (unreachable)))
        (func (export "churn") (param i32)
            (loop $l
                (drop (call $make (i32.const 9)))
                (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
        (func (export "run") (result i32)
            (local $e exnref)
            (local.set $e (call $make (i32.const 1)))
            (call $make (i32.const 2))
            (call $host)
            (i32.add (call $value) (call $value (local.get $e)))))"#;
    let context = Context::new().unwrap();
    let churn = Native::new(FuncType::new([], []), |mut caller, _, _| {
        let instance = caller.instance();
        let func = instance.get_func("churn").unwrap();
        caller.call(&func, &[Val::I32(5000)], &mut []).map_err(|_| isothread::Trap::Host)?;
        let mut env = ExecEnv::new(&instance, 0).unwrap();
        func.call(&mut env, &[Val::I32(5000)], &mut []).map_err(|_| isothread::Trap::Host)
    });
    context.define("host", "churn", &churn).unwrap();
    let instance = Instance::new(&load(&context, wat), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    assert_eq!(Guest { env, instance }.call_i32("run", &[]), Ok(3));
}

/// Instances that have thrown on their own become one link set, and find each other's exceptions.
#[test]
fn link_sets_become_one_with_what_they_have() {
    let context = Context::new().unwrap();
    let part = load(
        &context,
        r#"(module (tag $t (export "t") (param i32))
        (global (export "e") (mut exnref) (ref.null exn))
        (func (export "make") (param i32)
            (global.set 0 (block $h (result exnref)
                (try_table (catch_all_ref $h) (throw $t (local.get 0)))
                (unreachable)))))"#,
    );
    let parts = [3, 4].map(|value| {
        let instance = Instance::new(&part, InstanceArgs::default()).unwrap();
        let env = ExecEnv::new(&instance, 0).unwrap();
        let mut guest = Guest { env, instance };
        guest.call("make", &[Val::I32(value)]).unwrap();
        guest
    });
    let both = load(
        &context,
        r#"(module
        (import "a" "t" (tag $a (param i32))) (import "a" "e" (global $ea (mut exnref)))
        (import "b" "t" (tag $b (param i32))) (import "b" "e" (global $eb (mut exnref)))
        (func (export "sum") (result i32)
            (i32.add
                (block $h (result i32)
                    (try_table (catch $a $h) (throw_ref (global.get $ea))) (unreachable))
                (block $h (result i32)
                    (try_table (catch $b $h) (throw_ref (global.get $eb))) (unreachable)))))"#,
    );
    let imports: Vec<_> = both
        .imports()
        .map(|import| parts[usize::from(import.module == "b")].instance.get_export(import.name))
        .collect();
    let instance = Instance::with_imports(&both, InstanceArgs::default(), &imports).unwrap();
    drop((parts, imports));
    let env = ExecEnv::new(&instance, 0).unwrap();
    assert_eq!(Guest { env, instance }.call_i32("sum", &[]), Ok(7));
    assert_eq!(context.stats().instances, 0);
}
