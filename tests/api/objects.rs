//! Objects of guests: structs and arrays, what keeps them, and how they end.

use crate::{Guest, load};
use isothread::{AnyRef, Context, ContextConfig, ExecEnv, Extern, ExternRef, Instance};
use isothread::{InstanceArgs, Val};

/// How often loops allocate: many times what the heap of 128 KiB has room for.
const TURNS: i32 = 100_000;

const PLACES: &str = r#"(module
    (type $cell (struct (field i32) (field (mut anyref))))
    (type $list (array (mut (ref null $cell))))
    (tag $t (param anyref))
    (global $g (export "g") (mut anyref) (ref.null any))
    (table $table 2 externref)
    (func $make (param i32) (result anyref)
        (struct.new $cell (local.get 0) (ref.null any)))
    (func $value (param anyref) (result i32)
        (struct.get $cell 0 (ref.cast (ref $cell) (local.get 0))))
    (func $churn (export "churn") (param i32)
        (loop $l
            (drop (array.new_default $list (i32.const 7)))
            (br_if $l (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func $throw (param anyref) (throw $t (local.get 0)))
    ;; References in all places, while others come and go.
    (func (export "places") (param $n i32) (result i32)
        (local $local anyref) (local $list (ref null $list)) (local $exn exnref)
        (local.set $local (call $make (i32.const 1)))
        (global.set $g (call $make (i32.const 2)))
        (table.set $table (i32.const 1) (extern.convert_any (call $make (i32.const 4))))
        (local.set $list
            (array.new_fixed $list 2
                (ref.null $cell)
                (struct.new $cell (i32.const 0) (call $make (i32.const 8)))))
        (block $h (result anyref exnref)
            (try_table (catch_ref $t $h) (call $throw (call $make (i32.const 16))))
            (unreachable))
        (local.set $exn)
        (drop)
        (call $make (i32.const 32))
        (call $churn (local.get $n))
        (call $value)
        (i32.add (call $value (local.get $local)))
        (i32.add (call $value (global.get $g)))
        (i32.add (call $value (any.convert_extern (table.get $table (i32.const 1)))))
        (i32.add (call $value
            (struct.get $cell 1 (array.get $list (local.get $list) (i32.const 1)))))
        (i32.add (block $h (result i32)
            (call $value (block $c (result anyref)
                (try_table (catch $t $c) (throw_ref (local.get $exn)))
                (unreachable))))))
    ;; A list that grows for ever.
    (func (export "grow")
        (loop $l
            (global.set $g (struct.new $cell (i32.const 0) (global.get $g)))
            (br $l)))
    (func (export "clear") (global.set $g (ref.null any)))
    (func (export "large") (param i32)
        (drop (array.new_default $list (local.get 0))))
    (func (export "make") (param i32) (result anyref) (call $make (local.get 0)))
    (func (export "value") (param anyref) (result i32) (call $value (local.get 0)))
    (func (export "typed") (param (ref null $cell)) (result i32)
        (struct.get $cell 0 (local.get 0)))
    (func (export "same") (param anyref externref) (result i32)
        (ref.is_null (ref.null any))
        (i32.const 0)
        (i32.add)
        (drop)
        (ref.eq
            (ref.cast eqref (local.get 0))
            (ref.cast eqref (any.convert_extern (local.get 1)))))
    (func (export "out") (param anyref) (result externref)
        (extern.convert_any (local.get 0))))"#;

fn any(value: &[Val]) -> AnyRef {
    match value {
        [Val::AnyRef(Some(object))] => *object,
        other => panic!("an object expected, got {other:?}"),
    }
}

#[test]
fn what_a_guest_refers_to_stays() {
    for collects_always in [false, true] {
        let config = ContextConfig { collects_always, ..ContextConfig::default() };
        let context = Context::with(config).unwrap();
        let module = load(&context, PLACES);
        let instance = Instance::new(&module, InstanceArgs::default()).unwrap();
        let env = ExecEnv::new(&instance, 0).unwrap();
        let mut guest = Guest { env, instance };
        let turns = if collects_always { 300 } else { TURNS };
        assert_eq!(guest.call_i32("places", &[turns]), Ok(63), "{collects_always}");
    }
}

#[test]
fn a_full_heap_is_a_trap_and_can_be_used_again() {
    let mut guest = Guest::new(PLACES);
    let error = guest.call("grow", &[]).unwrap_err();
    assert!(error.contains("create struct object failed"), "{error}");
    guest.instance.clear_exception();
    let error = guest.call("large", &[Val::I32(100_000)]).unwrap_err();
    assert!(error.contains("create array object failed"), "{error}");
    guest.instance.clear_exception();
    // Without the list there is room again.
    guest.call("clear", &[]).unwrap();
    assert_eq!(guest.call_i32("places", &[TURNS]), Ok(63));
}

#[test]
fn the_host_hands_objects_back_that_are_still_there() {
    let mut guest = Guest::new(PLACES);
    let object = any(&guest.call("make", &[Val::I32(5)]).unwrap());
    assert!(object.to_i31().is_none() && object.to_extern().is_none());
    let object = Val::AnyRef(Some(object));
    assert!(matches!(guest.call("value", &[object]).unwrap()[..], [Val::I32(5)]));
    assert!(matches!(guest.call("typed", &[object]).unwrap()[..], [Val::I32(5)]));
    let out = guest.call("out", &[object]).unwrap();
    assert!(matches!(guest.call("same", &[object, out[0]]).unwrap()[..], [Val::I32(1)]));
    // Nothing of the guest's leads to it, so that it goes; then it is no object any more.
    guest.call("churn", &[Val::I32(TURNS)]).unwrap();
    let error = guest.call("typed", &[object]).unwrap_err();
    assert!(error.contains("not of the type"), "{error}");
    let error = guest.call("typed", &[Val::AnyRef(Some(AnyRef::from_i31(1)))]).unwrap_err();
    assert!(error.contains("not of the type"), "{error}");
}

#[test]
fn objects_of_the_host_pass_through_the_guest() {
    let mut guest = Guest::new(PLACES);
    let host = ExternRef::new(77).unwrap();
    let out = guest.call("out", &[Val::AnyRef(Some(host.into()))]).unwrap();
    assert!(matches!(out[..], [Val::ExternRef(Some(found))] if found.word() == 77));
    // The words of objects of guests are no words of the host's.
    let object = any(&guest.call("make", &[Val::I32(5)]).unwrap());
    let out = guest.call("out", &[Val::AnyRef(Some(object))]).unwrap();
    let [Val::ExternRef(Some(out))] = out[..] else { panic!("{out:?}") };
    assert_eq!(ExternRef::new(out.word()), None);
    let error = guest.call("value", &[Val::AnyRef(Some(host.into()))]).unwrap_err();
    assert!(error.contains("cast failure"), "{error}");
}

#[test]
fn objects_stay_when_link_sets_become_one() {
    let context = Context::new().unwrap();
    let provider = Instance::new(&load(&context, PLACES), InstanceArgs::default()).unwrap();
    let mut provider = Guest { env: ExecEnv::new(&provider, 0).unwrap(), instance: provider };
    let object = any(&provider.call("make", &[Val::I32(6)]).unwrap());
    let user = load(
        &context,
        r#"(module
            (type $cell (struct (field i32) (field (mut anyref))))
            (import "p" "value" (func $value (param anyref) (result i32)))
            (global $own (ref $cell) (struct.new $cell (i32.const 9) (ref.i31 (i32.const 3))))
            (func (export "own") (result i32) (call $value (global.get $own)))
            (func (export "theirs") (param anyref) (result i32)
                (struct.get $cell 0 (ref.cast (ref $cell) (local.get 0)))))"#,
    );
    let value = provider.instance.get_func("value").unwrap();
    let imports = [Some(Extern::Func(value))];
    let user = Instance::with_imports(&user, InstanceArgs::default(), &imports).unwrap();
    let mut user = Guest { env: ExecEnv::new(&user, 0).unwrap(), instance: user };
    assert_eq!(user.call_i32("own", &[]), Ok(9));
    let object = Val::AnyRef(Some(object));
    assert!(matches!(user.call("theirs", &[object]).unwrap()[..], [Val::I32(6)]));
    assert!(matches!(provider.call("value", &[object]).unwrap()[..], [Val::I32(6)]));
    // Another link set knows none of it.
    let mut stranger = Guest::new(PLACES);
    assert!(stranger.call("value", &[object]).is_err());
}

/// Arrays of every kind of element and of lengths around what is made without the heap: their
/// elements are the values, their neighbours stay as they are, and so do objects made later.
#[test]
fn arrays_of_all_kinds_and_lengths() {
    for (kind, ty, get, bytes) in [
        ("i8", "i32", "get_u", 1),
        ("i16", "i32", "get_u", 2),
        ("i32", "i32", "get", 4),
        ("i64", "i64", "get", 8),
        ("f32", "f32", "get", 4),
        ("f64", "f64", "get", 8),
    ] {
        // The element with a number has that number and three more.
        let value = |number: u32| format!("({ty}.const {})", number % 120 + 3);
        for len in [0, 1, 3, 7, 8, 9, 256 / bytes - 1, 256 / bytes, 256 / bytes + 1, 3000] {
            let listed: String = (0..len.min(300)).map(value).collect();
            let count = len.min(300);
            let wat = format!(
                r#"(module
                (type $a (array (mut {kind})))
                (func $sum (param $a (ref $a)) (param $step {ty}) (param $first {ty})
                    (result i32) (local $i i32) (local $good i32)
                    (block $end (loop $l
                        (br_if $end
                            (i32.ge_u (local.get $i) (array.len (local.get $a))))
                        (local.set $good (i32.add (local.get $good)
                            ({ty}.eq (local.get $first)
                                (array.{get} $a (local.get $a) (local.get $i)))))
                        (local.set $first ({ty}.add (local.get $first) (local.get $step)))
                        (local.set $i (i32.add (local.get $i) (i32.const 1)))
                        (if (i32.eqz (i32.rem_u (local.get $i) (i32.const 120)))
                            (then (if ({ty}.ne (local.get $step) ({ty}.const 0))
                                (then (local.set $first ({ty}.const 3))))))
                        (br $l)))
                    (local.get $good))
                (func (export "f") (result i32 i32 i32)
                    (local $zeros (ref null $a)) (local $same (ref null $a))
                    (local $listed (ref null $a))
                    (local.set $zeros (array.new_default $a (i32.const {len})))
                    (local.set $same (array.new $a ({ty}.const 77) (i32.const {len})))
                    (local.set $listed (array.new_fixed $a {count} {listed}))
                    (call $sum (ref.as_non_null (local.get $zeros))
                        ({ty}.const 0) ({ty}.const 0))
                    (call $sum (ref.as_non_null (local.get $same))
                        ({ty}.const 0) ({ty}.const 77))
                    (call $sum (ref.as_non_null (local.get $listed))
                        ({ty}.const 1) ({ty}.const 3))))"#
            );
            let mut guest = Guest::new(&wat);
            // Many times, so that objects are made of memory that others have left.
            for _ in 0..60 {
                let results = guest.call("f", &[]).expect("call");
                let expected = [len, len, count].map(|len| Val::I32(len as i32));
                assert_eq!(format!("{results:?}"), format!("{expected:?}"), "{kind} {len}");
            }
        }
    }
}

/// Every kind of reference is asked whether it is of every kind, by tests, casts and branches.
#[test]
fn kinds_of_references() {
    const VALUES: [(&str, &str); 6] = [
        ("null", "(ref.null any)"),
        ("i31", "(ref.i31 (i32.const 5))"),
        ("struct", "(struct.new_default $s)"),
        ("array", "(array.new_default $a (i32.const 2))"),
        ("large", "(array.new_default $a (i32.const 9000))"),
        ("host", "(any.convert_extern (local.get $x))"),
    ];
    let is_of = |value: &str, kind: &str| match kind {
        "any" => value != "null",
        "eq" => !matches!(value, "null" | "host"),
        "i31" => value == "i31",
        "struct" | "$s" => value == "struct",
        "array" | "$a" => matches!(value, "array" | "large"),
        _ => false,
    };
    let (mut funcs, mut expected) = (String::new(), Vec::new());
    for kind in ["any", "eq", "i31", "struct", "array", "none", "$s", "$a"] {
        for (value, make) in VALUES {
            for null in ["", "null"] {
                let ty = format!("(ref {null} {kind})");
                let number = expected.len();
                expected.push(is_of(value, kind) || (value == "null" && null == "null"));
                funcs.push_str(&format!(
                    r#"(func (export "test{number}") (param $x externref) (result i32)
                        (ref.test {ty} {make}))
                    (func (export "branch{number}") (param $x externref) (result i32)
                        (block $is (result anyref)
                            (drop (br_on_cast $is anyref {ty} {make}))
                            (return (i32.const 0)))
                        (drop) (i32.const 1))
                    (func (export "other{number}") (param $x externref) (result i32)
                        (block $not (result anyref)
                            (drop (br_on_cast_fail $not anyref {ty} {make}))
                            (return (i32.const 1)))
                        (drop) (i32.const 0))
                    (func (export "cast{number}") (param $x externref) (result i32)
                        (ref.is_null (ref.cast {ty} {make})))"#
                ));
            }
        }
    }
    let mut guest = Guest::new(&format!(
        "(module (type $s (struct (field i32))) (type $a (array i8)) {funcs})"
    ));
    let host = Val::ExternRef(ExternRef::new(4));
    for (number, is_of) in expected.into_iter().enumerate() {
        for name in ["test", "branch", "other"] {
            let results = guest.call(&format!("{name}{number}"), &[host]);
            let Ok([Val::I32(found)]) = results.as_deref() else { panic!("{results:?}") };
            assert_eq!(*found, i32::from(is_of), "{name}{number}");
        }
        let cast = guest.call(&format!("cast{number}"), &[host]);
        assert_eq!(cast.is_ok(), is_of, "cast{number}: {cast:?}");
    }
}
