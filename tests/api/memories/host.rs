//! The host's side of them: its heap, and natives that get addresses.

use super::{OUT, numbers};
use crate::{Guest, load};
use isothread::{Context, ExecEnv, FuncType, Instance, InstanceArgs, Native, Val, ValType};

/// The host's heap in memories that are not the usual ones, and natives that get addresses.
#[test]
fn the_host_allocates_in_them() {
    for (memory, allocator) in [
        ("i64 1 4", ""),
        ("i64 0 0", ""),
        ("10 100 (pagesize 1)", ""),
        ("0 0 (pagesize 1)", ""),
        ("i64 2 4", "i64"),
    ] {
        let allocator = match allocator {
            "" => "",
            _ => {
                r#"(global $next (mut i64) (i64.const 0x10100))
                (func (export "malloc") (param i64) (result i64)
                    (global.get $next)
                    (global.set $next (i64.add (global.get $next) (local.get 0))))
                (func (export "free") (param i64))"#
            }
        };
        let wat = format!("(module (memory (export \"memory\") {memory}) {allocator})");
        let args = InstanceArgs { heap_size: 4096, ..Default::default() };
        let guest = Guest::with(&wat, args);
        let (instance, size) = (&guest.instance, guest.instance.memory(0).unwrap().len_bytes());
        let (first, native) = instance.malloc(100).unwrap();
        let copy = instance.dup_data(b"data").unwrap();
        assert!(first != copy && first + 100 <= size as u64, "{memory}: {first} of {size}");
        assert_eq!(instance.addr_app_to_native(first), native.as_ptr().cast());
        let mut bytes = [0; 4];
        instance.memory(0).unwrap().read(copy, &mut bytes).unwrap();
        assert_eq!(&bytes, b"data");
        assert!(instance.malloc(1 << 40).is_none(), "{memory}");
        instance.free(first);
        assert_eq!(instance.exception(), None);
    }
}

#[test]
fn natives_get_wide_addresses() {
    let context = Context::new().unwrap();
    let ty = FuncType::new([ValType::I64], [ValType::I64]);
    let read = Native::new(ty, |caller, args, results| {
        let Val::I64(address) = args[0] else { return Ok(()) };
        let mut bytes = [0; 8];
        caller.read(address as u64, &mut bytes)?;
        results[0] = Val::I64(i64::from_le_bytes(bytes));
        Ok(())
    });
    context.define("host", "read", &read).unwrap();
    let module = load(
        &context,
        r#"(module (import "host" "read" (func $read (param i64) (result i64)))
            (memory i64 1) (memory 1) (data (i64.const 8) "12345678")
            (func (export "run") (param i64) (result i64) (call $read (local.get 0))))"#,
    );
    let instance = Instance::new(&module, InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    let mut guest = Guest { env, instance };
    let expected = i64::from_le_bytes(*b"12345678");
    assert_eq!(numbers(&mut guest, "run", &[Val::I64(8)]), Ok(vec![expected]));
    for far in [65529, 1 << 32, -8, -1] {
        assert_eq!(numbers(&mut guest, "run", &[Val::I64(far)]), Err(OUT.to_owned()));
        guest.instance.clear_exception();
    }
}
