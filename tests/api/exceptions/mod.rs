//! Guests' exceptions: their handlers, and their release.

mod boundaries;
mod collections;
mod legacy;
#[cfg(feature = "gc")]
mod objects;
mod reclaim;
#[cfg(feature = "gc")]
mod references;

use crate::Guest;
use isothread::{Trap, Val};

/// Catches in all ways, at labels of all kinds.
const CATCHES: &str = r#"(module
    (tag $none) (tag $one (param i32)) (tag $two (param i64 f32)) (tag $other (param i32))
    (func $throw (param i32) (result i32)
        (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $none)))
        (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $one (i32.const 20))))
        (if (i32.eq (local.get 0) (i32.const 3))
            (then (throw $two (i64.const 30) (f32.const 1.5))))
        (if (i32.eq (local.get 0) (i32.const 4)) (then (throw $other (i32.const 40))))
        (if (i32.eq (local.get 0) (i32.const 5)) (then (unreachable)))
        (i32.const 0))
    (func (export "kinds") (param i32) (result i32)
        (local f32)
        (block $all
            (block $pair (result i64 f32)
                (block $number (result i32)
                    (block $nothing
                        (try_table (result i32) (catch $none $nothing) (catch $one $number)
                            (catch $two $pair) (catch_all $all)
                            (i32.add (i32.const 100) (call $throw (local.get 0))))
                        (return))
                    (return (i32.const 1)))
                (return (i32.add (i32.const 2))))
            (local.set 1)
            (return (i32.add (i32.wrap_i64) (i32.trunc_f32_s (local.get 1)))))
        (i32.const -1))
    ;; Clauses that lead to the function's own label.
    (func (export "function") (param i32) (result i32)
        (try_table (result i32) (catch $one 0) (catch $other 0)
            (call $throw (local.get 0))))
    ;; A clause that leads to a loop, which takes the payload.
    (func (export "loop") (param $turns i32) (result i32)
        (local $sum i32)
        (i32.const 0)
        (loop $again (param i32)
            (local.set $sum (i32.add (local.get $sum)))
            (if (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))
                (then (try_table (catch $one $again) (throw $one (local.get $turns))))))
        (local.get $sum))
    ;; Operands below the block stay on the stack, in locals and in constants.
    (func (export "stack") (param $a i32) (param $b i32) (result i32)
        (local $c i32)
        (local.set $c (i32.mul (local.get $a) (local.get $b)))
        (local.get $a)
        (i32.const 7)
        (i32.add (local.get $a) (local.get $b))
        (block $h (param i32) (result i32)
            (try_table (param i32) (catch $one $h)
                (local.set $b (i32.const 1000))
                (drop)
                (i32.const 5) (i32.const 6)
                (drop (call $throw (i32.const 2)))
                (drop) (drop))
            (unreachable))
        (i32.add (local.get $b))
        (i32.add)
        (i32.add)
        (i32.add (local.get $c)))
    ;; The innermost clause that fits, across frames, and out of a clause's own block.
    (func $middle (param i32) (result i32)
        (block $h (result i32)
            (try_table (catch $other $h) (return (call $throw (local.get 0))))
            (unreachable))
        (i32.add (i32.const 1000)))
    (func (export "nested") (param i32) (result i32)
        (block $outer (result i32)
            (block $inner (result i32)
                (try_table (catch $one $outer)
                    (try_table (catch $other $inner) (return (call $middle (local.get 0))))
                    (unreachable))
                (unreachable))
            (throw $one (i32.add (i32.const 2000))))
        (i32.add (i32.const 3000)))
    (func (export "outside") (param i32) (result i32)
        (drop (block $h (result i32)
            (try_table (result i32) (catch $one $h) (i32.const 1))))
        (call $throw (local.get 0)))
    (func (export "rethrow") (param i32) (result i32)
        (local $e exnref)
        (block $h (result i32)
            (try_table (catch $one $h) (catch $other $h)
                (block $all (result exnref)
                    (try_table (catch_all_ref $all) (return (call $throw (local.get 0))))
                    (unreachable))
                (local.set $e)
                (throw_ref (local.get $e)))
            (unreachable))
        (i32.add (i32.const 5000)))
    (func (export "null") (throw_ref (ref.null exn))))"#;

#[test]
fn each_clause_gets_what_it_is_for() {
    let mut guest = Guest::new(CATCHES);
    let mut kinds = |which| guest.call_i32("kinds", &[which]);
    assert_eq!(kinds(0), Ok(100));
    assert_eq!(kinds(1), Ok(1));
    assert_eq!(kinds(2), Ok(22));
    assert_eq!(kinds(3), Ok(31));
    assert_eq!(kinds(4), Ok(-1));
    assert_eq!(kinds(5), Err("unreachable".into()), "a trap is no exception");
}

#[test]
fn clauses_lead_to_labels_of_all_kinds() {
    let mut guest = Guest::new(CATCHES);
    assert_eq!(guest.call_i32("function", &[2]), Ok(20));
    assert_eq!(guest.call_i32("function", &[4]), Ok(40));
    assert_eq!(guest.call_i32("function", &[0]), Ok(0));
    assert_eq!(guest.call_i32("function", &[1]), Err("uncaught wasm exception".into()));
    guest.instance.clear_exception();
    assert_eq!(guest.call_i32("loop", &[100]), Ok(99 * 100 / 2));
    assert_eq!(guest.call_i32("stack", &[3, 4]), Ok(3 + 7 + 20 + 1000 + 12));
}

#[test]
fn the_innermost_clause_that_fits_catches() {
    let mut guest = Guest::new(CATCHES);
    assert_eq!(guest.call_i32("nested", &[0]), Ok(0));
    assert_eq!(guest.call_i32("nested", &[2]), Ok(3020));
    assert_eq!(guest.call_i32("nested", &[4]), Ok(1040));
    assert_eq!(guest.call_i32("outside", &[2]), Err("uncaught wasm exception".into()));
}

#[test]
fn a_reference_throws_again() {
    let mut guest = Guest::new(CATCHES);
    assert_eq!(guest.call_i32("rethrow", &[2]), Ok(5020));
    assert_eq!(guest.call_i32("rethrow", &[4]), Ok(5040));
    assert_eq!(guest.call_i32("rethrow", &[0]), Ok(0));
    let func = guest.func("rethrow");
    let mut results = [Val::I32(0)];
    let error = func.call(&mut guest.env, &[Val::I32(1)], &mut results).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::UncaughtException));
    guest.instance.clear_exception();
    assert_eq!(guest.call("null", &[]).map(|_| ()), Err("null reference".into()));
}

/// Frames of all sizes lie between; they are gone, and the stack is as before.
#[test]
fn many_frames_are_left_at_once() {
    let mut guest = Guest::new(
        r#"(module
        (tag $deep (param i32 i32))
        (func $down (param i32) (result i32)
            (if (i32.eqz (local.get 0)) (then (throw $deep (i32.const 1) (i32.const 2))))
            (i32.add (local.get 0) (call $down (i32.sub (local.get 0) (i32.const 1)))))
        (func (export "run") (param i32) (result i32)
            (local $n i32)
            (loop $more
                (block $h (result i32 i32)
                    (try_table (catch $deep $h) (drop (call $down (local.get 0))))
                    (unreachable))
                (local.set $n (i32.add (i32.add (local.get $n))))
                (br_if $more (i32.lt_u (local.get $n) (i32.const 3000))))
            (local.get $n)))"#,
    );
    assert_eq!(guest.call_i32("run", &[500]), Ok(3000));
}

/// The type of no exception at all, wherever a type can stand.
#[test]
fn null_exceptions() {
    let mut guest = Guest::new(
        r#"(module
        (global $g (mut nullexnref) (ref.null noexn))
        (table $t 2 nullexnref)
        (func $pass (param nullexnref) (result nullexnref) (local $l nullexnref)
            (local.set $l (local.get 0))
            (block (result nullexnref) (local.get $l)))
        (func (export "is_null") (result i32)
            (global.set $g (call $pass (ref.null noexn)))
            (table.set $t (i32.const 1) (global.get $g))
            (ref.is_null (select (result nullexnref)
                (table.get $t (i32.const 1)) (ref.null noexn) (i32.const 1))))
        (func (export "throw") (throw_ref (call $pass (ref.null noexn)))))"#,
    );
    assert_eq!(guest.call_i32("is_null", &[]), Ok(1));
    assert_eq!(guest.call("throw", &[]).unwrap_err(), Trap::NullReference.text());
}
