//! Vectors on their way between frames, instances, exceptions and the host, where they are two of
//! the things that others are one of.

#![cfg(feature = "simd")]

use crate::{Guest, load};
use isothread::{Context, ExecEnv, FuncType, Instance, InstanceArgs, Native, Val, ValType};

/// A vector of four lanes.
const fn v(a: u32, b: u32, c: u32, d: u32) -> u128 {
    a as u128 | (b as u128) << 32 | (c as u128) << 64 | (d as u128) << 96
}

fn guest(instance: Instance) -> Guest {
    Guest { env: ExecEnv::new(&instance, 0).unwrap(), instance }
}

const OWNER: &str = r#"(module
    (type $mix (func (param i32 v128 i64 v128 f32) (result v128 i32 v128 f32)))
    (tag $odd (export "odd") (param i32 v128 i32 v128))
    (global (export "fixed") v128 (v128.const i32x4 1 2 3 4))
    (global $var (export "var") (mut v128) (v128.const i32x4 5 6 7 8))
    (table (export "table") 2 funcref)
    (elem (i32.const 0) $mix)
    (func $mix (export "mix") (type $mix)
        (local.get 3)
        (i32.add (local.get 0) (i32.wrap_i64 (local.get 2)))
        (local.get 1)
        (local.get 4))
    (func (export "throw") (param i32 v128 i32 v128)
        (throw $odd (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
    (func (export "var is") (result v128) (global.get $var)))"#;

const USER: &str = r#"(module
    (type $mix (func (param i32 v128 i64 v128 f32) (result v128 i32 v128 f32)))
    (import "o" "odd" (tag $odd (param i32 v128 i32 v128)))
    (import "o" "fixed" (global $fixed v128))
    (import "o" "var" (global $var (mut v128)))
    (import "o" "table" (table 2 funcref))
    (import "o" "mix" (func $mix (type $mix)))
    (import "o" "throw" (func $throw (param i32 v128 i32 v128)))
    (global $copy v128 (global.get $fixed))
    (func (export "call") (type $mix)
        (call $mix (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
    (func (export "indirect") (type $mix)
        (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
        (call_indirect (type $mix) (i32.const 0)))
    (func $tail (export "tail") (type $mix)
        (return_call $mix (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
    (func (export "tail indirect") (type $mix)
        (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
        (return_call_indirect (type $mix) (i32.const 0)))
    ;; Fewer parameters than the function that takes the frame, and more.
    (func (export "grown") (param v128) (result v128 i32 v128 f32)
        (return_call $tail (i32.const 1) (local.get 0) (i64.const 2) (global.get $copy)
            (f32.const 1.5)))
    (func (export "shrunk") (param i32 v128 i32 v128 i32 v128 v128) (result v128 i32 v128 f32)
        (return_call $tail (local.get 4) (local.get 6) (i64.const 2) (local.get 1)
            (f32.const 1.5)))
    (func (export "caught") (param i32 v128 i32 v128) (result v128 i32 v128 i32)
        (local $one i32) (local $two v128) (local $three i32) (local $four v128)
        (block $h (result i32 v128 i32 v128)
            (try_table (catch $odd $h)
                (call $throw (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
            (unreachable))
        (local.set $four) (local.set $three) (local.set $two) (local.set $one)
        (global.set $var (i32x4.add (local.get $four) (global.get $var)))
        (local.get $four) (local.get $three) (local.get $two) (local.get $one)))"#;

#[test]
fn vectors_pass_between_instances() {
    let context = Context::new().unwrap();
    let owner = Instance::new(&load(&context, OWNER), InstanceArgs::default()).unwrap();
    let module = load(&context, USER);
    let imports: Vec<_> = module.imports().map(|import| owner.get_export(import.name)).collect();
    let user = Instance::with_imports(&module, InstanceArgs::default(), &imports).unwrap();
    let (mut owner, mut user) = (guest(owner), guest(user));

    let (one, two, three) = (v(1, 2, 3, 4), v(9, 8, 7, u32::MAX), v(0, 0, u32::MAX, 1));
    let args = [Val::I32(40), Val::V128(two), Val::I64(2), Val::V128(three), Val::F32(1.5)];
    let mixed = format!("{:?}", [Val::V128(three), Val::I32(42), Val::V128(two), Val::F32(1.5)]);
    for name in ["call", "indirect", "tail", "tail indirect"] {
        assert_eq!(format!("{:?}", user.call(name, &args).unwrap()), mixed, "{name}");
    }
    let grown = user.call("grown", &[Val::V128(three)]).unwrap();
    let expected = [Val::V128(one), Val::I32(3), Val::V128(three), Val::F32(1.5)];
    assert_eq!(format!("{grown:?}"), format!("{expected:?}"));
    let [a, b, c] = [one, two, three].map(Val::V128);
    let args = [Val::I32(7), a, Val::I32(8), b, Val::I32(9), Val::V128(0), c];
    let expected = [Val::V128(one), Val::I32(11), Val::V128(three), Val::F32(1.5)];
    assert_eq!(format!("{:?}", user.call("shrunk", &args).unwrap()), format!("{expected:?}"));

    let args = [Val::I32(1), Val::V128(two), Val::I32(2), Val::V128(three)];
    let expected = [Val::V128(three), Val::I32(2), Val::V128(two), Val::I32(1)];
    assert_eq!(format!("{:?}", user.call("caught", &args).unwrap()), format!("{expected:?}"));
    let var = owner.call("var is", &[]).unwrap();
    assert_eq!(format!("{var:?}"), format!("{:?}", [Val::V128(v(5, 6, 6, 9))]));
}

#[test]
fn vectors_pass_through_the_host() {
    use ValType::{F64, I32, V128};
    let context = Context::new().unwrap();
    let ty = FuncType::new([I32, V128, F64, V128, V128], [V128, I32, V128, V128]);
    let turn = Native::new(ty, |_, args, results| {
        let [Val::I32(number), a, Val::F64(float), b, c] = args else { unreachable!() };
        results[0] = *c;
        results[1] = Val::I32(number + *float as i32);
        (results[2], results[3]) = (*a, *b);
        Ok(())
    });
    context.define("host", "turn", &turn).unwrap();
    let wat = r#"(module
        (type $turn (func (param i32 v128 f64 v128 v128) (result v128 i32 v128 v128)))
        (import "host" "turn" (func $turn (type $turn)))
        (table 1 funcref)
        (elem (i32.const 0) $turn)
        (func (export "call") (type $turn)
            (call $turn (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)))
        (func (export "tail") (type $turn)
            (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
            (return_call_indirect (type $turn) (i32.const 0)))
        ;; What lies below the arguments is whole afterwards.
        (func (export "below") (type $turn) (local v128)
            (i32x4.splat (i32.const 3))
            (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4)
            (call $turn)
            (local.set 1) (local.set 3) (local.set 0) (local.set 4)
            (local.set 5)
            (local.get 5) (local.get 0) (local.get 1) (local.get 4)))"#;
    let instance = Instance::new(&load(&context, wat), InstanceArgs::default()).unwrap();
    let mut guest = guest(instance);
    let [a, b, c] = [v(1, 2, 3, 4), v(5, 6, 7, 8), v(9, 10, 11, 12)].map(Val::V128);
    let args = [Val::I32(40), a, Val::F64(2.5), b, c];
    let turned = format!("{:?}", [c, Val::I32(42), a, b]);
    for name in ["call", "tail"] {
        assert_eq!(format!("{:?}", guest.call(name, &args).unwrap()), turned, "{name}");
    }
    let below = format!("{:?}", [Val::V128(v(3, 3, 3, 3)), Val::I32(42), b, c]);
    assert_eq!(format!("{:?}", guest.call("below", &args).unwrap()), below);
}

/// Stores of one lane, and of all, that reach behind the end of a memory change none of it.
#[test]
fn vectors_at_the_end_of_memory_are_stored_whole_or_not() {
    for memory in ["1 1", "i64 1 1", "65536 65536 (pagesize 1)", "i64 65536 (pagesize 1)"] {
        let address = if memory.starts_with("i64") { "i64" } else { "i32" };
        for other in ["", "(memory 1 1)"] {
            let index = usize::from(!other.is_empty());
            let mut wat = format!("(module {other} (memory (export \"memory\") {memory})");
            let sizes = [("8_lane", 1), ("16_lane", 2), ("32_lane", 4), ("64_lane", 8), ("", 16)];
            for (size, _) in sizes {
                let lane = if size.is_empty() { "" } else { "1" };
                wat += &format!(
                    "(func (export \"store{size}\") (param {address})
                        (v128.store{size} {index} offset=4 {lane} (local.get 0)
                            (i8x16.splat (i32.const 7))))
                    (func (export \"load{size}\") (param {address}) (result v128)
                        (v128.load{size} {index} offset=4 {lane} (local.get 0) {}))",
                    if size.is_empty() { "" } else { "(i8x16.splat (i32.const 7))" },
                );
            }
            let mut guest = Guest::new(&(wat + ")"));
            for (size, bytes) in sizes {
                let at = |behind: i64| match address {
                    "i64" => [Val::I64(65536 - bytes - 4 + behind)],
                    _ => [Val::I32((65536 - bytes - 4 + behind) as i32)],
                };
                for behind in 1..=bytes {
                    for name in ["store", "load"] {
                        let name = format!("{name}{size}");
                        let error = guest.call(&name, &at(behind)).unwrap_err();
                        assert_eq!(error, "out of bounds memory access", "{name} {memory}");
                    }
                }
                let mut tail = [1; 32];
                let memory = guest.instance.get_memory("memory").unwrap();
                memory.read(65536 - 32, &mut tail).unwrap();
                assert_eq!(tail, [0; 32], "{size}");
                guest.call(&format!("store{size}"), &at(0)).unwrap();
                memory.read(65536 - 32, &mut tail).unwrap();
                let (untouched, stored) = tail.split_at(32 - bytes as usize);
                assert!(untouched.iter().all(|&byte| byte == 0), "{size}");
                assert!(stored.iter().all(|&byte| byte == 7), "{size}");
                memory.write(65536 - 32, &[0; 32]).unwrap();
                guest.call(&format!("load{size}"), &at(0)).unwrap();
            }
        }
    }
}
