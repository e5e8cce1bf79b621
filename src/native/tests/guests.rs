//! Host functions called by guest code, and calling it back.

use super::guest::Guest;
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::abi::value::Val;
use crate::exec::{ExecEnv, call_cells};
use crate::instance::Instance;
use crate::native::{Convention, HostFunc, NativeArray, NativeSymbol, Registry};
use std::ffi::{CStr, c_void};
use std::ptr::{self, NonNull};
use std::sync::Arc;

fn symbol(name: &'static CStr, func: *const c_void, signature: &'static CStr) -> NativeSymbol {
    NativeSymbol {
        symbol: name.as_ptr(),
        func_ptr: func.cast_mut(),
        signature: signature.as_ptr(),
        attachment: ptr::without_provenance_mut(0xa77a),
    }
}

fn register(registry: &Registry, convention: Convention, symbols: &[NativeSymbol]) {
    let (module, count) = (c"env".as_ptr(), symbols.len() as u32);
    // SAFETY: the tests' arrays outlive their registries and guests.
    let array = unsafe { NativeArray::new(module, symbols.as_ptr(), count, convention) };
    assert!(registry.register(array));
}

extern "C" fn sum(env: NonNull<ExecEnv>, bytes: *const u8, len: u32, text: *const u8) -> i64 {
    // SAFETY: the conversions found `len` bytes, and a string; the exec_env is the caller's.
    unsafe {
        assert_eq!(env.as_ref().attachment().addr(), 0xa77a);
        let bytes = std::slice::from_raw_parts(bytes, len as usize);
        let text = CStr::from_ptr(text.cast()).to_bytes();
        bytes.iter().chain(text).map(|&b| b as i64).sum()
    }
}

/// Calls the export `back` of the caller's, which grows the memory, and reads through both.
extern "C" fn call_back(env: NonNull<ExecEnv>, pages: i32, x: f64) -> f64 {
    // SAFETY: the exec_env is the running one, and its instance exports `back`.
    unsafe {
        let instance = env.as_ref().instance();
        let index = instance.as_ref().exported("back", crate::module::ExternKind::Func);
        let func = index.and_then(|i| instance.as_ref().func(i)).expect("back");
        let mut cells = [pages as u32];
        call_cells(env, func, cells.len() as u32, cells.as_mut_ptr(), 0)
            .map_or(-1.0, |()| x + cells[0] as f64)
    }
}

extern "C" fn fail(env: NonNull<ExecEnv>) {
    // SAFETY: the exec_env is the running one, and holds its instance.
    unsafe { env.as_ref().instance().as_ref().set_exception(b"the native says no") };
}

/// Gives back the function with this index.
extern "C" fn pick(_env: NonNull<ExecEnv>, index: u32) -> u32 {
    index
}

extern "C" fn pick_raw(_env: NonNull<ExecEnv>, _args: *mut u64) {}

const MODULE: &str = r#"(module
    (import "env" "sum" (func $sum (param i32 i32 i32) (result i64)))
    (import "env" "call_back" (func $call_back (param i32 f64) (result f64)))
    (import "env" "fail" (func $fail))
    (import "env" "pick" (func $pick (param i32) (result funcref)))
    (import "env" "pick_raw" (func $pick_raw (param i32) (result funcref)))
    (import "env" "closure" (func $closure (param i32 f32) (result f32 i32)))
    (import "env" "nobody" (func $nobody))
    (memory 1)
    (table 1 funcref)
    (data (i32.const 16) "\01\02\03\04\00")
    (func (export "sum") (param i32 i32 i32) (result i64)
        (call $sum (local.get 0) (local.get 1) (local.get 2)))
    (func (export "call_back") (param i32) (result f64)
        (call $call_back (local.get 0) (f64.const 0.5))
        (i32.store (i32.const 0x1_0000) (i32.const 7)))
    (func (export "back") (param i32) (result i32)
        (drop (memory.grow (local.get 0)))
        (memory.size))
    (func (export "fail") (call $fail) unreachable)
    (func (export "pick") (param i32) (result i32)
        (table.set (i32.const 0) (call $pick (local.get 0)))
        (call_indirect (param i32) (result i32) (i32.const 0) (i32.const 0)))
    (func (export "pick_raw") (param i32) (result i32)
        (ref.is_null (call $pick_raw (local.get 0))))
    (func (export "closure") (result i32) (local i32)
        (call $closure (i32.const 3) (f32.const 1.5))
        (local.set 0)
        (i32.trunc_f32_s)
        (i32.add (local.get 0)))
    (func (export "nobody") (call $nobody)))"#;

fn guest(registry: &Registry) -> Guest {
    let ty = FuncType::new([ValType::I32, ValType::F32], [ValType::F32, ValType::I32]);
    let closure = HostFunc::closure(ty, |caller, params, results| {
        let (Val::I32(a), Val::F32(b)) = (params[0], params[1]) else {
            return Err(Trap::Internal);
        };
        // SAFETY: a caller's instance lives during the call.
        let instance = unsafe { Instance::of_vm(caller.instance()) };
        assert!(instance.memory(0).is_some());
        results[0] = Val::F32(b * 4.0);
        results[1] = Val::I32(a * 100);
        Ok(())
    });
    assert!(registry.register_func("env", "closure", Arc::new(closure)));
    Guest::new(MODULE, registry, None)
}

fn natives() -> [NativeSymbol; 4] {
    [
        symbol(c"sum", sum as *const c_void, c"(*~$)I"),
        symbol(c"call_back", call_back as *const c_void, c"(iF)F"),
        symbol(c"fail", fail as *const c_void, c"()"),
        symbol(c"pick", pick as *const c_void, c""),
    ]
}

#[test]
fn guests_call_natives() {
    let (registry, natives) = (Registry::new(&[]), natives());
    register(&registry, Convention::Native, &natives);
    let guest = guest(&registry);
    let mut cells = [16, 3, 18];
    assert_eq!(guest.call("sum", &mut cells), Ok(()));
    assert_eq!(cells[..2], [1 + 2 + 3 + 3 + 4, 0]);
    assert_eq!(guest.call("closure", &mut cells), Ok(()));
    assert_eq!(cells[0], 306);
    assert_eq!(guest.call("sum", &mut [0xffff, 2, 18]), Err(Trap::MemoryOutOfBounds));
    assert_eq!(guest.take_exception(), "Exception: out of bounds memory access");
}

#[test]
fn natives_call_guests_that_grow_their_memory() {
    let (registry, natives) = (Registry::new(&[]), natives());
    register(&registry, Convention::Native, &natives);
    let guest = guest(&registry);
    let mut cells = [3, 0];
    assert_eq!(guest.call("call_back", &mut cells), Ok(()));
    assert_eq!(f64::from_bits(cells[0] as u64 | (cells[1] as u64) << 32), 4.5);
    assert_eq!(guest.read(0x1_0000, 1), [7]);
}

#[test]
fn a_natives_exception_stops_the_guest() {
    let (registry, natives) = (Registry::new(&[]), natives());
    register(&registry, Convention::Native, &natives);
    let guest = guest(&registry);
    assert_eq!(guest.call("fail", &mut []), Err(Trap::Host));
    assert_eq!(guest.take_exception(), "Exception: the native says no");
    assert_eq!(guest.call("nobody", &mut []), Err(Trap::UnlinkedImport));
    let text = "Exception: failed to call unlinked import function (env, nobody)";
    assert_eq!(guest.take_exception(), text);
}

#[test]
fn natives_name_functions_by_their_index() {
    let (registry, natives) = (Registry::new(&[]), natives());
    register(&registry, Convention::Native, &natives);
    let raw = [symbol(c"pick_raw", pick_raw as *const c_void, c"")];
    register(&registry, Convention::Raw, &raw);
    let guest = guest(&registry);
    let back = guest.instance().exported("back", crate::module::ExternKind::Func).expect("back");
    let mut cells = [back];
    assert_eq!(guest.call("pick", &mut cells), Ok(()));
    assert_eq!(cells, [1]);
    for (index, is_null) in [(back, 0), (u32::MAX, 1), (9999, 1)] {
        let mut cells = [index];
        assert_eq!(guest.call("pick_raw", &mut cells), Ok(()));
        assert_eq!(cells, [is_null]);
    }
    assert_eq!(guest.call("pick", &mut [u32::MAX]), Err(Trap::UninitializedElement));
    assert!(guest.is_bound(0) && !guest.is_bound(6));
    assert_eq!(guest.env(), guest.env());
}
