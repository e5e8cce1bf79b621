//! Exceptions together with structs and arrays, which are in the same heap.

use crate::{Guest, load};
use isothread::{AnyRef, Context, ContextConfig, ExecEnv, Instance, InstanceArgs, Packed};
use isothread::{Rooted, Val, ValType};

const BOTH: &str = r#"(module
    (type $cell (struct (field (mut exnref)) (field i32)))
    (tag $t (param i32 anyref))
    (global $kept (mut (ref null $cell)) (ref.null $cell))
    (table (export "table") 1 exnref)
    (func $caught (param i32 anyref) (result exnref)
        (block $h (result exnref)
            (try_table (catch_all_ref $h) (throw $t (local.get 0) (local.get 1)))
            (unreachable)))
    ;; A struct with a reference to an exception that has one to the struct.
    (func $circle (param $n i32) (result (ref $cell)) (local $cell (ref null $cell))
        (local.set $cell (struct.new $cell (ref.null exn) (local.get $n)))
        (struct.set $cell 0 (local.get $cell)
            (call $caught (local.get $n) (local.get $cell)))
        (ref.as_non_null (local.get $cell)))
    (func (export "circles") (param $n i32)
        (loop $l
            (drop (call $circle (local.get $n)))
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "keep") (param i32) (global.set $kept (call $circle (local.get 0))))
    ;; Goes round so many times from the struct to the exception and back.
    (func (export "rounds") (param $n i32) (result i32) (local $cell (ref null $cell))
        (local.set $cell (global.get $kept))
        (loop $l
            (block $h (result i32 anyref)
                (try_table (catch $t $h) (throw_ref (struct.get $cell 0 (local.get $cell))))
                (unreachable))
            (local.set $cell (ref.cast (ref $cell)))
            (drop)
            (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (struct.get $cell 1 (local.get $cell)))
    (func (export "cell") (param i32) (result anyref) (call $circle (local.get 0)))
    (func (export "exception") (param i32) (result exnref)
        (call $caught (local.get 0) (ref.null any)))
    (func (export "use") (param exnref) (result i32)
        (block $h (result i32 anyref)
            (try_table (catch $t $h) (throw_ref (local.get 0)))
            (unreachable))
        (drop))
    (func (export "any") (param anyref))
    (func (export "extern") (param externref)))"#;

const TURNS: i32 = if cfg!(debug_assertions) { 100_000 } else { 3_000_000 };

#[test]
fn circles_through_exceptions_and_structs_are_freed() {
    let mut guest = Guest::new(BOTH);
    guest.call("keep", &[Val::I32(7)]).unwrap();
    // Many times what the heap of 128 KiB has room for.
    guest.call("circles", &[Val::I32(TURNS)]).unwrap();
    assert_eq!(guest.call_i32("rounds", &[1000]), Ok(7));
}

#[test]
fn collections_at_every_object_keep_what_is_thrown() {
    let config = ContextConfig { collects_always: true, ..ContextConfig::default() };
    let context = Context::with(config).unwrap();
    let instance = Instance::new(&load(&context, BOTH), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    let mut guest = Guest { env, instance };
    guest.call("keep", &[Val::I32(7)]).unwrap();
    guest.call("circles", &[Val::I32(300)]).unwrap();
    assert_eq!(guest.call_i32("rounds", &[1000]), Ok(7));
}

/// The word of a reference, and another value of the same word.
fn word(value: Val) -> u64 {
    value.to_slots()[0]
}

fn forged(ty: ValType, word: u64) -> Val {
    Val::from_slots(ty, [word, 0])
}

/// A reference to an exception and one to a struct are words of the same kind: each is recognised
/// where the other is wanted, and so are all others nearby.
#[test]
fn words_of_one_kind_of_object_are_refused_for_the_other() {
    let mut guest = Guest::new(BOTH);
    let cell = guest.call("cell", &[Val::I32(3)]).unwrap()[0];
    let exception = guest.call("exception", &[Val::I32(4)]).unwrap()[0];
    let table = guest.instance.get_table("table").unwrap();
    table.set(0, exception).unwrap();
    let root = match cell {
        Val::AnyRef(Some(object)) => Rooted::new(&guest.instance, object).unwrap(),
        other => panic!("{other:?}"),
    };
    let known = [word(exception), {
        let Some(Val::ExnRef(inner)) = guest.instance.struct_get(root.get(), 0, Packed::Unsigned)
        else {
            panic!("a field of an exnref")
        };
        word(Val::ExnRef(inner))
    }];
    let first = word(cell) & !0x7fff;
    for word in (first..first + 0x8000).chain([word(cell), u64::MAX, 1, 8, !7]) {
        let used = guest.call("use", &[forged(ValType::EXNREF, word)]);
        match known.contains(&word) {
            true => assert!(matches!(used.unwrap()[..], [Val::I32(3 | 4)])),
            false if word == 0 => assert_eq!(used.unwrap_err(), "null reference"),
            false => assert_eq!(used.unwrap_err(), "the exception is gone"),
        }
        guest.instance.clear_exception();
    }
    let error = table.set(0, forged(ValType::EXNREF, word(cell))).unwrap_err();
    assert_eq!(error.message(), "the exception is gone");
    for word in known {
        for (name, ty) in [("any", ValType::ANYREF), ("extern", ValType::EXTERNREF)] {
            let error = guest.call(name, &[forged(ty, word)]).unwrap_err();
            assert!(error.contains("not of the type"), "{error}");
        }
        let Val::AnyRef(Some(object)) = forged(ValType::ANYREF, word) else { panic!("no null") };
        not_looked_into(&guest, object);
    }
    // Everything is as it was.
    assert!(matches!(guest.call("use", &[exception]).unwrap()[..], [Val::I32(4)]));
}

fn not_looked_into(guest: &Guest, exception: AnyRef) {
    let instance = &guest.instance;
    assert!(!instance.has_object(exception) && Rooted::new(instance, exception).is_err());
    for index in 0..4 {
        assert!(instance.struct_get(exception, index, Packed::Unsigned).is_none());
        assert!(instance.array_get(exception, index, Packed::Unsigned).is_none());
        assert!(!instance.struct_set(exception, index, Val::I32(1)));
        assert!(!instance.array_fill(exception, index, 1, Val::I32(1)));
    }
    assert_eq!((instance.struct_len(exception), instance.array_len(exception)), (None, None));
}
