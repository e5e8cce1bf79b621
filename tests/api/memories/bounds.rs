//! Addresses and indices that are far out.

use super::{OUT, numbers};
use crate::Guest;
use isothread::Val;

/// Loads and stores of 1 and 8 bytes at an address plus an offset, in memory `at`.
fn accesses(at: usize, offset: &str) -> String {
    let memories = "(memory i64 1)".repeat(at + 1);
    format!(
        r#"(module {memories}
            (func (export "load1") (param i64) (result i64)
                (i64.load8_u {at} offset={offset} (local.get 0)))
            (func (export "load8") (param i64) (result i64)
                (i64.load {at} offset={offset} (local.get 0)))
            (func (export "load8 const") (param i64) (result i64)
                (i64.load {at} offset={offset} (i64.const 0xffff_ffff_ffff_fff0)))
            (func (export "load8 sum") (param i64) (result i64)
                (i64.load {at} offset={offset} (i64.add (local.get 0) (i64.const 0))))
            (func (export "store1") (param i64)
                (i64.store8 {at} offset={offset} (local.get 0) (i64.const -1)))
            (func (export "store8") (param i64)
                (i64.store {at} offset={offset} (local.get 0) (local.get 0)))
            (func (export "store8 float") (param i64)
                (f64.store {at} offset={offset} (local.get 0) (f64.const 1.5)))
            (func (export "add") (param i64) (result i64)
                (i64.atomic.rmw.add {at} offset={offset} (local.get 0) (i64.const 1)))
            (func (export "notify") (param i64) (result i32)
                (memory.atomic.notify {at} offset={offset} (local.get 0) (i32.const 1))))"#
    )
}

#[test]
fn sums_that_leave_64_bits_are_out_of_bounds() {
    let offsets = [0, 1, 8, 0xffff, 0x1_0000, 1 << 32, u64::MAX - 7, u64::MAX];
    let addresses = [0, 1, 0xfff8, 0xfff9, 0xffff, 0x1_0000, 1 << 32, 1 << 63, u64::MAX];
    let near = offsets.iter().map(|offset| offset.wrapping_neg());
    let addresses: Vec<u64> = addresses.into_iter().chain(near).collect();
    for (at, offset) in [0, 1, 2].into_iter().flat_map(|at| offsets.map(|offset| (at, offset))) {
        let mut guest = Guest::new(&accesses(at, &offset.to_string()));
        for &address in &addresses {
            let fits = |bytes: u64| {
                let end = u128::from(address) + u128::from(offset) + u128::from(bytes);
                end <= 65536
            };
            let param = [Val::I64(address as i64)];
            for (name, fits) in [
                ("load1", fits(1)),
                ("load8", fits(8)),
                ("load8 const", false),
                ("load8 sum", fits(8)),
                ("store1", fits(1)),
                ("store8", fits(8)),
                ("store8 float", fits(8)),
            ] {
                let outcome = numbers(&mut guest, name, &param).map(|_| ());
                let expected = if fits { Ok(()) } else { Err(OUT.to_owned()) };
                assert_eq!(outcome, expected, "{name} of {at} at {address:#x} + {offset:#x}");
                guest.instance.clear_exception();
            }
            for name in ["add", "notify"] {
                let outcome = numbers(&mut guest, name, &param).map(|_| ());
                let bytes = if name == "add" { 8 } else { 4 };
                let is_aligned = address.wrapping_add(offset).is_multiple_of(bytes);
                let expected = match (fits(bytes), is_aligned) {
                    (false, _) => Err(OUT.to_owned()),
                    (true, false) => Err("unaligned atomic".to_owned()),
                    (true, true) => Ok(()),
                };
                assert_eq!(outcome, expected, "{name} of {at} at {address:#x} + {offset:#x}");
                guest.instance.clear_exception();
            }
        }
    }
}

#[test]
fn a_shared_heap_ends_where_64_bits_do() {
    for (at, offset) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let mut guest = Guest::new(&accesses(at, &offset.to_string()));
        let heap = guest.instance.context().create_shared_heap(4096).unwrap();
        guest.instance.attach_shared_heap(&heap).unwrap();
        let start = 0_u64.wrapping_sub(heap.len_bytes().into());
        for address in [start, start + 1, start + 8, u64::MAX - 8, u64::MAX - 7, u64::MAX] {
            // Whether all of the bytes are in the heap, which is in reach of memory 0 alone.
            let fits = |bytes: u64| {
                let first = u128::from(address) + offset;
                at == 0 && first + u128::from(bytes) <= 1 << 64
            };
            for (name, fits) in [
                ("store8", fits(8)),
                ("load8", fits(8)),
                ("load8 sum", fits(8)),
                ("store8 float", fits(8)),
                ("load1", fits(1)),
                ("store1", fits(1)),
            ] {
                let outcome = numbers(&mut guest, name, &[Val::I64(address as i64)]).map(|_| ());
                let expected = if fits { Ok(()) } else { Err(OUT.to_owned()) };
                assert_eq!(outcome, expected, "{name} of {at} at {address:#x} + {offset}");
                guest.instance.clear_exception();
            }
            if fits(8) {
                let before = numbers(&mut guest, "load8", &[Val::I64(address as i64)]);
                numbers(&mut guest, "store8", &[Val::I64(address as i64)]).unwrap();
                let after = numbers(&mut guest, "load8", &[Val::I64(address as i64)]);
                assert!(before != after && after == Ok(vec![address as i64]));
            }
        }
        guest.instance.detach_shared_heap();
    }
}

const BULK: &str = r#"(module (memory $a 1) (memory $b i64 1) (memory $c i64 1)
    (data $d "0123456789")
    (func (export "fill") (param i64 i64)
        (memory.fill $b (local.get 0) (i32.const 7) (local.get 1)))
    (func (export "copy") (param i64 i64 i64)
        (memory.copy $b $c (local.get 0) (local.get 1) (local.get 2)))
    (func (export "out") (param i32 i64 i32)
        (memory.copy $a $b (local.get 0) (local.get 1) (local.get 2)))
    (func (export "in") (param i64 i32 i32)
        (memory.copy $b $a (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i64 i32 i32)
        (memory.init $b $d (local.get 0) (local.get 1) (local.get 2)))
    ;; The upper half of what was an i64 is not part of the i32.
    (func (export "wrapped") (param i64 i64)
        (memory.copy $b $a (i64.const 0) (i32.wrap_i64 (local.get 0))
            (i32.wrap_i64 (local.get 1)))))"#;

#[test]
fn bulk_instructions_check_all_64_bits() {
    let mut guest = Guest::new(BULK);
    let far = [1 << 16, 1 << 32, (1 << 32) + 1, 1 << 63, -1, -65536];
    let mut call = |name: &str, args: &[Val]| {
        guest.instance.clear_exception();
        numbers(&mut guest, name, args).map(|_| ())
    };
    let (long, short) = (Val::I64, Val::I32);
    let out = || Err(OUT.to_owned());
    for far in far {
        assert_eq!(call("fill", &[long(far), long(1)]), out());
        assert_eq!(call("fill", &[long(1), long(far)]), out());
        assert_eq!(call("copy", &[long(far), long(0), long(1)]), out());
        assert_eq!(call("copy", &[long(0), long(far), long(1)]), out());
        assert_eq!(call("copy", &[long(1), long(1), long(far)]), out());
        assert_eq!(call("out", &[short(0), long(far), short(1)]), out());
        assert_eq!(call("in", &[long(far), short(0), short(1)]), out());
        assert_eq!(call("init", &[long(far), short(0), short(1)]), out());
    }
    for (name, args) in [
        ("fill", &[long(65535), long(2)][..]),
        ("out", &[short(0), long(65535), short(2)]),
        ("out", &[short(65535), long(0), short(2)]),
        ("in", &[long(0), short(-1), short(2)]),
        ("init", &[long(0), short(5), short(6)]),
        ("init", &[long(0), short(-1), short(2)]),
    ] {
        assert_eq!(call(name, args), out(), "{name} {args:?}");
    }
    assert_eq!(call("fill", &[long(65536), long(0)]), Ok(()));
    assert_eq!(call("fill", &[long(0), long(65536)]), Ok(()));
    assert_eq!(call("init", &[long(65530), short(4), short(6)]), Ok(()));
    assert_eq!(call("out", &[short(100), long(65528), short(8)]), Ok(()));
    assert_eq!(call("wrapped", &[long((7 << 32) + 100), long((9 << 32) + 8)]), Ok(()));
    let mut bytes = [[0; 8]; 2];
    guest.instance.memory(0).unwrap().read(100, &mut bytes[0]).unwrap();
    guest.instance.memory(1).unwrap().read(0, &mut bytes[1]).unwrap();
    assert_eq!(bytes, [*b"\x07\x07456789"; 2]);
}

#[test]
fn wide_tables_are_indexed_with_64_bits() {
    let mut guest = Guest::new(
        r#"(module (table $t i64 4 20 funcref) (table $u 4 funcref)
            (type $f (func (result i32)))
            (func $one (result i32) (i32.const 1))
            (elem (table $t) (i64.const 1) func $one)
            (elem $e func $one)
            (func (export "call") (param i64) (result i32)
                (call_indirect $t (type $f) (local.get 0)))
            (func (export "get") (param i64) (result i32)
                (ref.is_null (table.get $t (local.get 0))))
            (func (export "set") (param i64) (table.set $t (local.get 0) (ref.func $one)))
            (func (export "grow") (param i64) (result i64)
                (table.grow $t (ref.func $one) (local.get 0)))
            (func (export "grow narrow") (param i32) (result i32)
                (table.grow $u (ref.func $one) (local.get 0)))
            (func (export "size") (result i64) (table.size $t))
            (func (export "fill") (param i64 i64)
                (table.fill $t (local.get 0) (ref.null func) (local.get 1)))
            (func (export "copy") (param i64 i32 i32)
                (table.copy $t $u (local.get 0) (local.get 1) (local.get 2)))
            (func (export "init") (param i64)
                (table.init $t $e (local.get 0) (i32.const 0) (i32.const 1))))"#,
    );
    let mut call = |name: &str, args: &[Val]| {
        guest.instance.clear_exception();
        numbers(&mut guest, name, args)
    };
    let (long, short) = (Val::I64, Val::I32);
    let one = || Ok(vec![1]);
    assert_eq!(call("call", &[long(1)]), one());
    let out = || Err("out of bounds table access".to_owned());
    for far in [4, 1 << 32, (1 << 32) + 1, (1 << 63) + 1, -1, i64::from(u32::MAX)] {
        assert_eq!(call("call", &[long(far)]), Err("undefined element".to_owned()), "{far}");
        for (name, args) in [
            ("get", &[long(far)][..]),
            ("set", &[long(far)]),
            ("fill", &[long(far), long(1)]),
            ("fill", &[long(1), long(far)]),
            ("copy", &[long(far), short(0), short(1)]),
            ("init", &[long(far)]),
        ] {
            assert_eq!(call(name, args), out(), "{name} {args:?}");
        }
    }
    for far in [17, 1 << 32, (1 << 32) + 1, -1] {
        assert_eq!(call("grow", &[long(far)]), Ok(vec![-1]), "{far}");
    }
    assert_eq!(call("grow", &[long(2)]), Ok(vec![4]));
    assert_eq!(call("size", &[]), Ok(vec![6]));
    assert_eq!(call("call", &[long(5)]), one());
    assert_eq!(call("grow narrow", &[short(-1)]), Ok(vec![-1]));
    assert_eq!(call("fill", &[long(6), long(0)]), Ok(vec![]));
    assert_eq!(call("init", &[long(3)]), Ok(vec![]));
    assert_eq!(call("call", &[long(3)]), one());
    assert_eq!(call("fill", &[long(0), long(6)]), Ok(vec![]));
    assert_eq!(call("get", &[long(3)]), one());
}
