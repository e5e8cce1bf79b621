//! The frame around a C function's call: addresses, attachment, exceptions, the stack check.

use super::{EXEC_ENV, Rig};
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::abi::vm_layout::{VmBody, VmEnv, VmFuncKind, VmFuncRef, VmInstance};
use crate::native::{AddressWidth, Convention, ExternRefMap, HostFunc};
use ValType::{F32, F64, I32, I64};

const FUNCREF: ValType = ValType::FUNCREF;
const EXTERNREF: ValType = ValType::EXTERNREF;
use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

fn bind_full(
    target: *const c_void,
    ty: FuncType,
    signature: Option<&str>,
    convention: Convention,
    attachment: *mut c_void,
    map: Option<Arc<dyn ExternRefMap>>,
) -> HostFunc {
    let signature = signature.map(str::as_bytes);
    let width = AddressWidth::Bits32;
    // SAFETY: every test names a function of the type it gives.
    let func =
        unsafe { HostFunc::c_function(target, &ty, signature, width, convention, attachment, map) };
    func.unwrap_or_else(|| panic!("the signature does not fit"))
}

fn bind(target: *const c_void, ty: FuncType, signature: &str) -> HostFunc {
    bind_full(target, ty, Some(signature), Convention::Native, ptr::null_mut(), None)
}

fn raw(target: *const c_void, ty: FuncType, signature: Option<&str>) -> HostFunc {
    bind_full(target, ty, signature, Convention::Raw, ptr::null_mut(), None)
}

extern "C" fn offset_of_pointer(env: *mut VmEnv, pointer: usize) -> u64 {
    // The rig's memory is found through the attachment, since the exec_env is make-believe.
    assert_eq!(env.cast::<c_void>(), EXEC_ENV);
    pointer as u64
}

#[test]
fn addresses_become_pointers() {
    let mut rig = Rig::new(64);
    let ty = FuncType::new([I32], [I64]);
    let func = bind(offset_of_pointer as *const c_void, ty, "(*)I");
    for address in [0_u64, 1, 63] {
        // The upper half of an i32's slot must not matter.
        let mut slots = [address | 0xdead_beef << 32];
        assert_eq!(rig.call(&func, &mut slots), 0);
        assert_eq!(slots[0], rig.base() as u64 + address);
    }
    for address in [64_u64, 65, u32::MAX as u64] {
        let mut slots = [address];
        assert_eq!(rig.call(&func, &mut slots), Trap::MemoryOutOfBounds as u32);
    }
}

extern "C" fn pointer_and_length(_env: *mut c_void, pointer: usize, len: u32) -> u64 {
    (pointer as u64).wrapping_add((len as u64) << 48)
}

#[test]
fn lengths_are_checked_with_their_pointer() {
    let mut rig = Rig::new(64);
    let ty = FuncType::new([I32, I32], [I64]);
    let func = bind(pointer_and_length as *const c_void, ty, "(*~)I");
    let base = rig.base() as u64;
    for (address, len) in [(0, 64), (63, 1), (10, 0), (0, 0)] {
        let mut slots = [address, len];
        assert_eq!(rig.call(&func, &mut slots), 0, "{address} {len}");
        assert_eq!(slots[0], base + address + (len << 48));
    }
    // Nothing lies behind the last byte, so an empty range there has no pointer.
    let mut slots = [64, 0];
    assert_eq!(rig.call(&func, &mut slots), 0);
    assert_eq!(slots[0], 0);
    for (address, len) in [(0, 65), (64, 1), (65, 0), (u32::MAX as u64, u32::MAX as u64)] {
        let mut slots = [address, len];
        assert_eq!(rig.call(&func, &mut slots), Trap::MemoryOutOfBounds as u32);
    }
}

extern "C" fn length_of_text(_env: *mut c_void, text: *const c_char) -> i32 {
    // SAFETY: the conversion found a NUL inside the memory.
    unsafe { CStr::from_ptr(text) }.count_bytes() as i32
}

#[test]
fn strings_end_inside_the_memory() {
    let mut rig = Rig::new(8);
    rig.bytes.copy_from_slice(b"ab\0cdefg");
    let func = bind(length_of_text as *const c_void, FuncType::new([I32], [I32]), "($)i");
    for (address, len) in [(0, 2), (1, 1), (2, 0)] {
        let mut slots = [address];
        assert_eq!((rig.call(&func, &mut slots), slots[0]), (0, len));
    }
    for address in [3, 7, 8, 9, u32::MAX as u64] {
        let mut slots = [address];
        assert_eq!(rig.call(&func, &mut slots), Trap::MemoryOutOfBounds as u32);
    }
}

static CALLS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count_call(_env: *mut c_void, _text: *const c_char, _p: *mut u8, _x: f64) {
    CALLS.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn a_bad_address_keeps_the_native_from_running() {
    let mut rig = Rig::new(8);
    let func = bind(count_call as *const c_void, FuncType::new([I32, I32, F64], []), "($*F)");
    let mut slots = [0, 0, 0];
    assert_eq!(rig.call(&func, &mut slots), 0);
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
    for bad in [[8, 0, 0], [0, 8, 0]] {
        let mut slots = bad;
        assert_eq!(rig.call(&func, &mut slots), Trap::MemoryOutOfBounds as u32);
    }
    assert_eq!(CALLS.load(Ordering::Relaxed), 1);
}

#[test]
fn without_a_memory_every_address_is_bad() {
    let mut rig = Rig::new(0);
    let func = bind(offset_of_pointer as *const c_void, FuncType::new([I32], [I64]), "(*)I");
    assert_eq!(rig.call(&func, &mut [0]), Trap::MemoryOutOfBounds as u32);
}

#[test]
fn without_a_signature_addresses_stay_numbers() {
    let mut rig = Rig::new(8);
    let target = offset_of_pointer as *const c_void;
    for signature in [None, Some("")] {
        let ty = FuncType::new([I32], [I64]);
        let func = bind_full(target, ty, signature, Convention::Native, ptr::null_mut(), None);
        let mut slots = [7_000];
        assert_eq!((rig.call(&func, &mut slots), slots[0]), (0, 7_000));
    }
}

extern "C" fn narrow(_env: *mut c_void) -> i32 {
    -1
}

#[test]
fn a_narrow_result_fills_its_slot_with_zeros() {
    let mut rig = Rig::new(0);
    let func = bind(narrow as *const c_void, FuncType::new([], [I32]), "()i");
    let mut slots = [u64::MAX];
    assert_eq!((rig.call(&func, &mut slots), slots[0]), (0, u32::MAX as u64));
}

/// The environment whose attachment a native looks at; its exec_env is make-believe.
struct Outer {
    env: *mut VmEnv,
    inner: Option<*const HostFunc>,
    seen: Vec<usize>,
}

extern "C" fn look(_env: *mut c_void, outer: u64) {
    let outer = ptr::with_exposed_provenance_mut::<Outer>(outer as usize);
    // SAFETY: the test passes the address of its `Outer`, which outlives the call.
    let outer = unsafe { &mut *outer };
    // SAFETY: the environment is the rig's, which is being called on.
    let attachment = || unsafe { (*outer.env).attachment.addr() };
    outer.seen.push(attachment());
    if let Some(inner) = outer.inner.take() {
        let header = inner.cast::<crate::abi::vm_layout::VmHostFunc>();
        let mut slots = [std::ptr::from_mut(outer).expose_provenance() as u64];
        // SAFETY: the test keeps the inner function alive.
        let code = unsafe { ((*header).call)(header, outer.env, slots.as_mut_ptr()) };
        assert_eq!(code, 0);
        // SAFETY: the environment is the running one.
        outer.seen.push(unsafe { (*outer.env).attachment.addr() });
    }
}

#[test]
fn attachments_nest() {
    let mut rig = Rig::new(0);
    let attach = |word: usize| {
        bind_full(
            look as *const c_void,
            FuncType::new([I64], []),
            Some("(I)"),
            Convention::Native,
            ptr::without_provenance_mut(word),
            None,
        )
    };
    let (first, second) = (attach(0x10), attach(0x20));
    let mut outer = Outer { env: rig.env(), inner: Some(&raw const second), seen: Vec::new() };
    let mut slots = [(&raw mut outer).expose_provenance() as u64];
    assert_eq!(rig.call(&first, &mut slots), 0);
    assert_eq!(outer.seen, [0x10, 0x20, 0x10]);
    assert!(rig.env.attachment.is_null());
}

extern "C" fn raise(_env: *mut c_void, instance: u64) -> i32 {
    let instance = ptr::with_exposed_provenance::<VmInstance>(instance as usize);
    // SAFETY: the test passes its instance.
    unsafe { (*instance).exception_set.store(1, Ordering::Release) };
    5
}

extern "C" fn raise_raw(env: *mut c_void, args: *mut u64) {
    // SAFETY: one parameter of the test's type.
    raise(env, unsafe { *args });
}

extern "C" fn raise_planned(env: *mut c_void, instance: u64, _x: f64) -> i32 {
    raise(env, instance)
}

#[test]
fn an_exception_set_by_a_native_is_a_trap() {
    let mut rig = Rig::new(0);
    let one = FuncType::new([I64], [I32]);
    let two = FuncType::new([I64, F64], [I32]);
    for func in [
        bind(raise as *const c_void, one.clone(), "(I)i"),
        bind(raise_planned as *const c_void, two, "(IF)i"),
        raw(raise_raw as *const c_void, one, Some("(I)i")),
    ] {
        rig.instance.exception_set.store(0, Ordering::Relaxed);
        let address = (&raw mut *rig.instance).expose_provenance() as u64;
        assert_eq!(rig.call(&func, &mut [address, 0]), Trap::Host as u32);
    }
}

#[test]
fn natives_are_not_called_on_an_exhausted_stack() {
    let mut rig = Rig::new(0);
    let here = (&raw const rig).addr();
    let direct = bind(narrow as *const c_void, FuncType::new([], [I32]), "()i");
    let floats = FuncType::new([F64], []);
    let planned = bind(pass_float as *const c_void, floats.clone(), "(F)");
    let raw = raw(sum_raw as *const c_void, FuncType::new([I32, I32], [I32]), None);
    let closure = HostFunc::closure(floats, |_, _, _| Ok(()));
    for func in [&direct, &planned, &raw, &closure] {
        // Addresses of this test's frames are all below this one.
        rig.env.native_stack_limit = here + (1 << 20);
        assert_eq!(rig.call(func, &mut [0, 0]), Trap::NativeStackOverflow as u32);
        rig.env.native_stack_limit = here - (1 << 16);
        assert_eq!(rig.call(func, &mut [0, 0]), 0);
    }
}

extern "C" fn pass_float(_env: *mut c_void, _x: f64) {}

extern "C" fn sum_raw(_env: *mut c_void, args: *mut u64) {
    // SAFETY: the tests give the function two parameters, each in a word of its own; the
    // result replaces the first, as natives do by writing 32 bits.
    unsafe {
        let sum = *args + *args.add(1);
        *args.cast::<u32>() = sum as u32;
    }
}

#[test]
fn raw_natives_get_clean_words() {
    let mut rig = Rig::new(0);
    let ty = FuncType::new([I32, I32], [I32]);
    let func = raw(sum_raw as *const c_void, ty, None);
    let mut slots = [0xffff_ffff_0000_0003, 0xaaaa_aaaa_8000_0004];
    assert_eq!((rig.call(&func, &mut slots), slots[0] as u32), (0, 0x8000_0007));
}

extern "C" fn fill_raw(_env: *mut c_void, args: *mut u64) {
    // SAFETY: the test gives a pointer, a length, a string and a float.
    unsafe {
        let start = ptr::with_exposed_provenance_mut::<u8>(*args as usize);
        ptr::write_bytes(start, b'x', *args.add(1) as usize);
        let text = ptr::with_exposed_provenance::<c_char>(*args.add(2) as usize);
        let len = CStr::from_ptr(text).count_bytes() as f32;
        *args = (len + f32::from_bits(*args.add(3) as u32)).to_bits() as u64 | 7 << 40;
    }
}

#[test]
fn raw_natives_get_pointers_too() {
    let mut rig = Rig::new(8);
    rig.bytes.copy_from_slice(b"abcdef\0g");
    let ty = FuncType::new([I32, I32, I32, F32], [F32]);
    let func = raw(fill_raw as *const c_void, ty, Some("(*~$f)f"));
    let mut slots = [1, 2, 2, 0.5_f32.to_bits() as u64];
    assert_eq!(rig.call(&func, &mut slots), 0);
    assert_eq!(&rig.bytes[..], b"axxdef\0g");
    assert_eq!(slots[0] as u32, 4.5_f32.to_bits());
    assert_eq!(rig.call(&func, &mut [1, 8, 2, 0]), Trap::MemoryOutOfBounds as u32);
    assert_eq!(rig.call(&func, &mut [1, 2, 7, 0]), Trap::MemoryOutOfBounds as u32);
}

extern "C" fn same_word(_env: *mut c_void, word: usize) -> usize {
    word
}

extern "C" fn same_word_planned(_env: *mut c_void, word: usize, _x: f64) -> usize {
    word
}

/// Objects are 0x100 above their words, except that there is none for 13.
struct Shifted;

impl ExternRefMap for Shifted {
    fn to_host(&self, word: u64) -> Option<*mut c_void> {
        (word != 13).then(|| ptr::without_provenance_mut(word as usize + 0x100))
    }

    fn from_host(&self, _instance: *mut VmInstance, object: *mut c_void) -> Option<u64> {
        Some(object.addr() as u64 - 0x100)
    }
}

#[test]
fn externrefs_are_objects_to_natives_with_a_signature() {
    let mut rig = Rig::new(0);
    let ty = FuncType::new([EXTERNREF, F64], [EXTERNREF]);
    let target = same_word_planned as *const c_void;
    let func = bind(target, ty.clone(), "(rF)r");
    // The slot of word 41 holds 42; the native sees 41 and gives it back.
    let mut slots = [42, 0];
    assert_eq!((rig.call(&func, &mut slots), slots[0]), (0, 42));
    // Null is a null pointer on the way in, and that is an object on the way out.
    let mut slots = [0, 0];
    assert_eq!((rig.call(&func, &mut slots), slots[0]), (0, 1));
    let map: Arc<dyn ExternRefMap> = Arc::new(Shifted);
    let map = Some(map);
    let func =
        bind_full(target, ty, Some("(rF)r"), Convention::Native, ptr::null_mut(), map.clone());
    let mut slots = [42, 0];
    assert_eq!((rig.call(&func, &mut slots), slots[0]), (0, 42));
    assert_eq!(rig.call(&func, &mut [14, 0]), Trap::Internal as u32);
    let numbers = FuncType::new([EXTERNREF], [I64]);
    let func = bind_full(
        same_word as *const c_void,
        numbers,
        Some("(r)I"),
        Convention::Native,
        ptr::null_mut(),
        map,
    );
    let mut slots = [42];
    assert_eq!((rig.call(&func, &mut slots), slots[0]), (0, 41 + 0x100));
}

extern "C" fn no_object(_env: *mut c_void) -> usize {
    usize::MAX
}

#[test]
fn the_last_address_is_the_null_externref() {
    let mut rig = Rig::new(0);
    let ty = FuncType::new([], [EXTERNREF]);
    for signature in [Some("()r"), None] {
        let func = bind_full(
            no_object as *const c_void,
            ty.clone(),
            signature,
            Convention::Native,
            ptr::null_mut(),
            None,
        );
        let mut slots = [9];
        assert_eq!((rig.call(&func, &mut slots), slots[0]), (0, 0));
    }
}

/// The entry of a function that is never called.
unsafe extern "C-unwind" fn never(_: *mut VmEnv, _: *const VmFuncRef, _: *mut u64) -> u32 {
    Trap::Internal as u32
}

#[test]
fn references_are_numbers_to_natives_without_a_signature() {
    let mut rig = Rig::new(0);
    let func_ref = VmFuncRef {
        type_id: 0,
        kind: VmFuncKind::Wasm,
        entry: never,
        body: VmBody { code: ptr::null() },
        instance: ptr::null_mut(),
        ty: ptr::null(),
        func_index: 77,
        reserved: 0,
    };
    let func = |param| {
        let ty = FuncType::new([param], [I64]);
        let target = same_word as *const c_void;
        bind_full(target, ty, None, Convention::Native, ptr::null_mut(), None)
    };
    let (func_type, extern_type) = (func(FUNCREF), func(EXTERNREF));
    let mut slots = [(&raw const func_ref).expose_provenance() as u64];
    assert_eq!((rig.call(&func_type, &mut slots), slots[0]), (0, 77));
    let mut slots = [0];
    assert_eq!((rig.call(&func_type, &mut slots), slots[0]), (0, u32::MAX as u64));
    let mut slots = [6];
    assert_eq!((rig.call(&extern_type, &mut slots), slots[0]), (0, 5));
    let mut slots = [0];
    assert_eq!((rig.call(&extern_type, &mut slots), slots[0]), (0, u32::MAX as u64));
}
