//! The exception instructions from before `try_table`.

use crate::Guest;
use isothread::Val;

const LEGACY: &str = r#"(module
    (tag $none) (tag $one (param i32)) (tag $two (param i64 i32)) (tag $other (param i32))
    (tag $three (param i32 i32 i32))
    (func $throw (param i32) (result i32)
        (if (i32.eq (local.get 0) (i32.const 1)) (then (throw $none)))
        (if (i32.eq (local.get 0) (i32.const 2)) (then (throw $one (i32.const 20))))
        (if (i32.eq (local.get 0) (i32.const 3))
            (then (throw $two (i64.const 30) (i32.const 7))))
        (if (i32.eq (local.get 0) (i32.const 4)) (then (throw $other (i32.const 40))))
        (if (i32.eq (local.get 0) (i32.const 5)) (then (unreachable)))
        (i32.const 0))
    ;; Blocks with clauses of their own lie between the clauses, and values below.
    (func (export "kinds") (param i32) (result i32)
        local.get 0
        i32.const 1000
        try (param i32) (result i32)
            local.get 0
            call $throw
            i32.add
        catch $none
            i32.const 1
        catch $one
            try
                i32.const 4
                call $throw
                drop
            catch $other
                i32.const 2
                i32.add
                br 1
            end
        catch $two
            (block $out (result i32)
                (br_if $out (i32.const 98) (i32.const 0))
                drop
                (br_table $out 1 (i32.const 99) (i32.const 1)))
            drop
            unreachable
        catch_all
            i32.const -1
        end
        i32.const 10000
        i32.mul
        i32.add)
    (func $again (param i32) (result i32)
        try (result i32)
            local.get 0
            call $throw
        catch_all
            try
                i32.const 4
                call $throw
                drop
            catch $other
                drop
                rethrow 1
            end
            unreachable
        end)
    (func (export "rethrow") (param i32) (result i32)
        try (result i32)
            local.get 0
            call $again
        catch $one
            i32.const 1
            i32.add
        catch $two
            i32.const 1
            i32.add
            local.set 0
            drop
            local.get 0
        end)
    (func (export "delegate") (param i32 i32) (result i32)
        try (result i32)
            try (result i32)
                block (result i32)
                    try (result i32)
                        (if (i32.eq (local.get 1) (i32.const 0)) (then
                            try local.get 0 call $throw drop delegate 1))
                        (if (i32.eq (local.get 1) (i32.const 1)) (then
                            try local.get 0 call $throw drop delegate 2))
                        (if (i32.eq (local.get 1) (i32.const 2)) (then
                            try local.get 0 call $throw drop delegate 3))
                        (if (i32.eq (local.get 1) (i32.const 3)) (then
                            try local.get 0 call $throw drop delegate 4))
                        (if (i32.eq (local.get 1) (i32.const 4)) (then
                            try local.get 0 call $throw drop delegate 5))
                        i32.const 5
                    catch $one
                        i32.const 100
                        i32.add
                    end
                end
            catch $one
                i32.const 200
                i32.add
            end
        catch $one
            i32.const 300
            i32.add
        end)
    ;; From the body of a clause, what is thrown goes further out.
    (func (export "out") (result i32)
        try (result i32)
            try (result i32)
                throw $none
            catch_all
                try (result i32)
                    i32.const 2
                    call $throw
                delegate 0
            end
        catch $one
        end)
    ;; What is thrown where it is caught is moved over itself, past the place of the reference.
    (func (export "here") (result i32)
        try
            i32.const 1
            i32.const 20
            i32.const 300
            throw $three
        catch $three
            i32.add
            i32.add
            return
        end
        unreachable)
    (func (export "hereagain") (result i32)
        try (result i32)
            try
                i32.const 4000
                i32.const 50000
                i32.const 600000
                throw $three
            catch $three
                drop
                drop
                drop
                rethrow 0
            end
            unreachable
        catch $three
            i32.add
            i32.add
        end)
    ;; In `try_table`, and around it.
    (func (export "mixed") (param i32) (result i32)
        (block $h (result i32)
            (try_table (result i32) (catch $one $h)
                try (result i32)
                    (try_table (result i32) (catch $other $h) (call $throw (local.get 0)))
                catch $two
                    drop
                    i32.wrap_i64
                catch $none
                    i32.const 2
                    call $throw
                end)))
    ;; What cannot be reached is skipped with all its parts.
    (func (export "unreached") (result i32)
        i32.const 3
        return
        try
            try catch_all rethrow 0 end
            try delegate 0
        catch $one
            drop
        end
        unreachable)
    (func (export "churn") (param i32)
        (loop $l
            try
                try i32.const 2 call $throw drop catch_all rethrow 0 end
            catch $one
                drop
            end
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

#[test]
fn clauses_get_what_they_are_for() {
    let mut guest = Guest::new(LEGACY);
    for (kind, value) in [(0, 1000), (1, 1), (2, 42), (3, 99), (4, -1)] {
        // Of the values below the block, one is a parameter that handlers do not have.
        assert_eq!(guest.call_i32("kinds", &[kind]), Ok(kind + value * 10_000), "{kind}");
    }
    let trap = guest.call_i32("kinds", &[5]);
    assert_eq!(trap, Err("unreachable".into()));
}

#[test]
fn rethrown_exceptions_keep_what_they_carry() {
    let mut guest = Guest::new(LEGACY);
    for (kind, value) in [(0, 0), (2, 21), (3, 8)] {
        assert_eq!(guest.call_i32("rethrow", &[kind]), Ok(value), "{kind}");
    }
    assert_eq!(guest.call_i32("rethrow", &[1]), Err("uncaught wasm exception".into()));
}

#[test]
fn delegates_pass_what_is_in_between() {
    let mut guest = Guest::new(LEGACY);
    for (way, value) in [(0, 120), (1, 220), (2, 220), (3, 320)] {
        assert_eq!(guest.call_i32("delegate", &[2, way]), Ok(value), "{way}");
        assert_eq!(guest.call_i32("delegate", &[0, way]), Ok(5), "{way}");
        assert!(guest.call_i32("delegate", &[4, way]).is_err(), "{way}");
        guest.instance.clear_exception();
    }
    assert!(guest.call_i32("delegate", &[2, 4]).is_err(), "to the caller");
    guest.instance.clear_exception();
    assert_eq!(guest.call_i32("out", &[]), Ok(20));
}

#[test]
fn old_and_new_instructions_go_together() {
    let mut guest = Guest::new(LEGACY);
    for (kind, value) in [(0, 0), (1, 20), (2, 20), (3, 30), (4, 40)] {
        assert_eq!(guest.call_i32("mixed", &[kind]), Ok(value), "{kind}");
    }
    assert_eq!(guest.call_i32("unreached", &[]), Ok(3));
}

#[test]
fn exceptions_are_caught_where_they_are_thrown() {
    let mut guest = Guest::new(LEGACY);
    assert_eq!(guest.call_i32("here", &[]), Ok(321));
    assert_eq!(guest.call_i32("hereagain", &[]), Ok(654_000));
}

#[test]
fn rethrowing_takes_no_memory() {
    let mut guest = Guest::new(LEGACY);
    guest.call("churn", &[Val::I32(1000)]).unwrap();
    let live = |guest: &Guest| guest.instance.context().stats().heap.live_bytes;
    let before = live(&guest);
    guest.call("churn", &[Val::I32(100_000)]).unwrap();
    assert!(live(&guest) < before + 100_000);
}

#[test]
fn fuel_is_charged_for_delegates_on_the_way() {
    let fuel_of = |depth: usize| {
        let (open, close) = ("try ".repeat(depth), "delegate 0 ".repeat(depth));
        let mut guest = Guest::new(&format!(
            "(module (tag $t) (func (export \"run\") try {open} throw $t {close} catch $t end))"
        ));
        guest.instance.context().set_fuel(Some(1_000_000));
        guest.call("run", &[]).unwrap();
        1_000_000 - guest.instance.context().fuel().unwrap()
    };
    // Two units for the instructions of each, and one for passing it.
    assert_eq!(fuel_of(500) - fuel_of(0), 1500);
}
