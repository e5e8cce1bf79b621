//! References to exceptions: an exception is one object however often it is caught, and holds what
//! it carries while others come and go.

use crate::{Guest, load};
use isothread::{Context, ContextConfig, ExecEnv, Instance, InstanceArgs, Val};

const AGAIN: &str = r#"(module
    (type $cell (struct (field i32)))
    (tag $t (param i32 anyref))
    (table $held 3 exnref)
    (func $throw (param i32)
        (throw $t (local.get 0) (struct.new $cell (local.get 0))))
    (func $caught (param i32) (result exnref)
        (block $h (result exnref)
            (try_table (catch_all_ref $h) (call $throw (local.get 0)))
            (unreachable)))
    (func $churn (export "churn") (param i32)
        (loop $l
            (drop (call $caught (i32.const -1)))
            (drop (struct.new $cell (i32.const -2)))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func $clean (param exnref)
        (throw_ref (block $h (result exnref)
            (try_table (catch_all_ref $h) (throw_ref (local.get 0)))
            (unreachable))))
    ;; What is thrown by a reference, caught with and without it on the way, is caught as it was.
    (func (export "again") (param $turns i32) (result exnref exnref exnref exnref)
        (local $first exnref)
        (local.set $first (call $caught (i32.const 5)))
        (call $churn (local.get $turns))
        (local.get $first)
        (block $h (result exnref)
            (try_table (catch_all_ref $h) (throw_ref (local.get $first)))
            (unreachable))
        (block $h (result exnref)
            (try_table (catch_all_ref $h) (call $clean (local.get $first)))
            (unreachable))
        (block $h (result exnref)
            (try_table (catch_all_ref $h)
                try
                    local.get $first
                    throw_ref
                catch_all
                    local.get $turns
                    call $churn
                    rethrow 0
                end)
            (unreachable)))
    (func $value (param exnref) (result i32)
        (block $h (result i32 anyref)
            (try_table (catch $t $h) (throw_ref (local.get 0)))
            (unreachable))
        (struct.get $cell 0 (ref.cast (ref $cell)))
        (i32.add))
    ;; A table has the only references to exceptions, and these to their structs.
    (func (export "held") (param $turns i32) (result i32)
        (table.set $held (i32.const 0) (call $caught (i32.const 1)))
        (table.set $held (i32.const 1) (call $caught (i32.const 10)))
        (table.set $held (i32.const 2) (call $caught (i32.const 100)))
        (call $churn (local.get $turns))
        (i32.add (call $value (table.get $held (i32.const 2)))
            (i32.add (call $value (table.get $held (i32.const 0)))
                (call $value (table.get $held (i32.const 1))))))
    ;; The body of a clause has nothing of the exception but the right to throw it again.
    (func $clause (param $n i32) (param $turns i32)
        try
            local.get $n
            call $throw
        catch $t
            drop
            drop
            local.get $turns
            call $churn
            rethrow 0
        end)
    (func $outer (param $n i32) (param $turns i32)
        try
            local.get $n
            local.get $turns
            call $clause
        catch_all
            try
                local.get $turns
                call $churn
                local.get $n
                i32.const 1
                i32.add
                call $throw
            catch $t
                drop
                drop
                local.get $turns
                call $churn
                rethrow 1
            end
        end)
    (func (export "rethrown") (param $turns i32) (result i32)
        (block $h (result i32 anyref)
            (try_table (catch $t $h) (call $outer (i32.const 7) (local.get $turns)))
            (unreachable))
        (struct.get $cell 0 (ref.cast (ref $cell)))
        (i32.add)))"#;

fn stressed(wat: &str) -> Guest {
    let config = ContextConfig { collects_always: true, ..ContextConfig::default() };
    let context = Context::with(config).unwrap();
    let instance = Instance::new(&load(&context, wat), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    Guest { env, instance }
}

/// The guest with the usual collections and with one at every object, and turns for many of them.
fn guests() -> [(Guest, i32); 2] {
    [(Guest::new(AGAIN), 20_000), (stressed(AGAIN), 20)]
}

#[test]
fn an_exception_that_is_caught_again_is_the_same() {
    for (mut guest, turns) in guests() {
        let caught = guest.call("again", &[Val::I32(turns)]).unwrap();
        let words: Vec<_> = caught.iter().map(|value| value.to_slots()[0]).collect();
        assert_ne!(words[0], 0);
        assert_eq!(words, [words[0]; 4]);
    }
}

#[test]
fn exceptions_hold_what_they_carry() {
    for (mut guest, turns) in guests() {
        assert_eq!(guest.call_i32("held", &[turns]), Ok(222));
        assert_eq!(guest.call_i32("rethrown", &[turns]), Ok(14));
    }
}
