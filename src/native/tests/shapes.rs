//! Argument lists of every shape: each is passed to a compiled C-ABI function, which mixes its
//! arguments into one word, and to the same function called the ordinary way.

use super::{EXEC_ENV, Rig};
use crate::abi::types::{FuncType, ValType};
use crate::native::{AddressWidth, Convention, HostFunc};
use std::ffi::c_void;
use std::ptr;

/// A type that C functions take and return.
trait Value: Copy {
    const TYPE: ValType;
    /// Differs for each place in a list, in every byte.
    fn sample(place: usize) -> Self;
    fn of_slot(slot: u64) -> Self;
    fn slot(self) -> u64;
}

fn noise(place: usize) -> u64 {
    (place as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Value for i32 {
    const TYPE: ValType = ValType::I32;
    fn sample(place: usize) -> Self {
        noise(place) as i32
    }
    fn of_slot(slot: u64) -> Self {
        slot as i32
    }
    fn slot(self) -> u64 {
        self as u32 as u64
    }
}

impl Value for i64 {
    const TYPE: ValType = ValType::I64;
    fn sample(place: usize) -> Self {
        noise(place) as i64
    }
    fn of_slot(slot: u64) -> Self {
        slot as i64
    }
    fn slot(self) -> u64 {
        self as u64
    }
}

// Floats keep clear of NaNs, which arithmetic elsewhere may change but passing must not; one
// test passes those on purpose.
impl Value for f32 {
    const TYPE: ValType = ValType::F32;
    fn sample(place: usize) -> Self {
        place as f32 * 1.5 - 7.25
    }
    fn of_slot(slot: u64) -> Self {
        (slot >> 40) as f32
    }
    fn slot(self) -> u64 {
        self.to_bits() as u64
    }
}

impl Value for f64 {
    const TYPE: ValType = ValType::F64;
    fn sample(place: usize) -> Self {
        place as f64 * -0.375 + 1e9
    }
    fn of_slot(slot: u64) -> Self {
        (slot >> 12) as f64
    }
    fn slot(self) -> u64 {
        self.to_bits()
    }
}

fn mix(state: u64, word: u64) -> u64 {
    (state.rotate_left(7) ^ word).wrapping_mul(0xff51_afd7_ed55_8ccd)
}

fn bind(target: *const c_void, ty: &FuncType) -> HostFunc {
    let convention = Convention::Native;
    let width = AddressWidth::Bits32;
    // SAFETY: the tests name functions of the types they give.
    let func =
        unsafe { HostFunc::c_function(target, ty, None, width, convention, ptr::null_mut(), None) };
    func.unwrap_or_else(|| panic!("there is no signature to check"))
}

macro_rules! shape {
    ($name:ident($($arg:ident: $ty:ty),*) -> $result:ty) => {
        #[test]
        fn $name() {
            #[expect(clippy::too_many_arguments, reason = "the argument list is the test")]
            #[allow(unfulfilled_lint_expectations, reason = "short lists are tested too")]
            extern "C" fn target(env: *mut c_void, $($arg: $ty),*) -> $result {
                let state = mix(0, env.addr() as u64);
                $(let state = mix(state, $arg.slot());)*
                <$result>::of_slot(state)
            }
            let places = &mut (1..);
            $(let $arg = <$ty>::sample(places.next().unwrap_or(0));)*
            assert!(places.next().is_some());
            let expected = target(EXEC_ENV, $($arg),*).slot();
            let ty = FuncType::new(vec![$(<$ty>::TYPE),*], [<$result>::TYPE]);
            let func = bind(target as *const c_void, &ty);
            // The upper half of a 32-bit slot does not matter.
            let _dirt = |ty: ValType| match ty {
                ValType::I32 | ValType::F32 => 0xa5a5_a5a5_u64 << 32,
                _ => 0,
            };
            let mut slots = vec![$($arg.slot() | _dirt(<$ty>::TYPE),)* 0];
            let mut rig = Rig::new(0);
            assert_eq!(rig.call(&func, &mut slots), 0);
            assert_eq!(slots[0], expected);
        }
    };
}

shape!(none() -> i32);
shape!(one_int(a: i32) -> i32);
shape!(two_ints(a: i32, b: i64) -> i64);
shape!(three_ints(a: i64, b: i32, c: i32) -> f64);
shape!(four_ints(a: i64, b: i32, c: i32, d: i64) -> f32);
shape!(five_ints(a: i32, b: i32, c: i32, d: i32, e: i32) -> i32);
shape!(six_ints(a: i32, b: i64, c: i32, d: i64, e: i32, f: i64) -> i64);
shape!(seven_ints(a: i32, b: i64, c: i32, d: i64, e: i32, f: i64, g: i32) -> i64);
shape!(eight_ints(a: i32, b: i64, c: i32, d: i64, e: i32, f: i64, g: i32, h: i32) -> i32);
shape!(nine_ints(
    a: i64, b: i64, c: i32, d: i64, e: i32, f: i64, g: i32, h: i32, i: i64
) -> i32);
shape!(one_float(a: f32) -> f32);
shape!(one_double(a: f64) -> f64);
shape!(two_doubles(a: f64, b: f64) -> f64);
shape!(int_and_float(a: i32, b: f32) -> i32);
shape!(float_and_int(a: f32, b: i32) -> i64);
shape!(mixed_to_the_brim(a: f32, b: i32, c: f64, d: i64, e: f32, f: i32, g: f64) -> f32);
shape!(mixed_floats_last(a: i32, b: i64, c: i32, d: f64, e: f32) -> f64);
shape!(mixed_floats_first(a: f64, b: f64, c: f32, d: f32, e: i64) -> i64);
shape!(one_int_too_many(a: f64, b: i32, c: i32, d: i32, e: i32) -> i64);
shape!(one_float_too_many(a: f64, b: f64, c: f32, d: f64, e: f32) -> f32);
shape!(eight_floats(
    a: f32, b: f64, c: f32, d: f64, e: f32, f: f64, g: f32, h: f64
) -> f64);
shape!(nine_floats(
    a: f32, b: f64, c: f32, d: f64, e: f32, f: f64, g: f32, h: f64, i: f32
) -> f64);
shape!(ten_floats(
    a: f32, b: f64, c: f32, d: f64, e: f32, f: f64, g: f32, h: f64, i: f32, j: f64
) -> i32);
shape!(registers_full_of_both(
    a: i32, b: f64, c: i32, d: f64, e: i32, f: f64, g: i32, h: f64, i: i32, j: f64, k: f64,
    l: f64, m: f64
) -> i64);
shape!(both_spill_odd(
    a: i32, b: f64, c: i32, d: f64, e: i32, f: f64, g: i64, h: f64, i: i32, j: f64, k: f64,
    l: f64, m: f64, n: f32, o: i32, p: i64, q: f64
) -> f32);
shape!(both_spill_even(
    a: f32, b: f64, c: f32, d: f64, e: f32, f: f64, g: f32, h: f64, i: i32, j: i32, k: i64,
    l: i64, m: i64, n: i32, o: i64, p: i64, q: f64, r: f32
) -> i64);
shape!(spills_in_turn(
    a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64, i: f64, j: f64, k: f64,
    l: f64, m: f64, n: f64, o: f64, p: f64, q: f64, r: i32, s: f32, t: i32, u: f32, v: i64,
    w: f64, x: i64, y: f64, z: i32
) -> f64);
shape!(more_than_a_frame_holds(
    a0: i64, a1: i32, a2: i64, a3: i64, a4: f64, a5: i64, a6: i64, a7: i32, a8: i64, a9: f32,
    b0: i64, b1: i64, b2: i64, b3: f64, b4: i64, b5: i64, b6: i64, b7: i64, b8: f32, b9: i64,
    c0: f64, c1: i64, c2: i32, c3: i64, c4: f64, c5: i32, c6: i64, c7: f32, c8: i64, c9: f64,
    d0: i64, d1: i64, d2: i64, d3: i64, d4: i64, d5: f32, d6: i32, d7: i64, d8: i64, d9: i64,
    e0: i64, e1: f64, e2: i64, e3: i64, e4: i32, e5: i64, e6: f32, e7: i64, e8: i64, e9: i64,
    f0: i32, f1: i64, f2: f64, f3: f64, f4: i64, f5: i64, f6: i64, f7: f32, f8: i64, f9: i64,
    g0: i64, g1: i64, g2: i32, g3: i64, g4: f64, g5: i64, g6: i64, g7: i32, g8: i64, g9: f32
) -> i64);

#[test]
fn nan_bits_survive() {
    extern "C" fn same(_env: *mut c_void, a: f32, b: f64) -> i64 {
        a.to_bits() as i64 ^ b.to_bits() as i64
    }
    extern "C" fn back(_env: *mut c_void, _a: f64, b: f64) -> f64 {
        b
    }
    let (narrow, wide) = (0x7fa1_2345_u64, 0xfff4_5678_9abc_def0_u64);
    let mut rig = Rig::new(0);
    let ty = FuncType::new([ValType::F32, ValType::F64], [ValType::I64]);
    let mut slots = [narrow, wide];
    assert_eq!(rig.call(&bind(same as *const c_void, &ty), &mut slots), 0);
    assert_eq!(slots[0], narrow ^ wide);
    let ty = FuncType::new([ValType::F64, ValType::F64], [ValType::F64]);
    let mut slots = [0, wide];
    assert_eq!(rig.call(&bind(back as *const c_void, &ty), &mut slots), 0);
    assert_eq!(slots[0], wide);
}

#[test]
fn nothing_is_written_for_no_result() {
    extern "C" fn nothing(_env: *mut c_void, _a: i32) {}
    extern "C" fn nothing_planned(_env: *mut c_void, _a: i32, _b: f64) {}
    let mut rig = Rig::new(0);
    let mut slots = [5, 6];
    let ty = FuncType::new([ValType::I32], []);
    assert_eq!(rig.call(&bind(nothing as *const c_void, &ty), &mut slots), 0);
    let ty = FuncType::new([ValType::I32, ValType::F64], []);
    assert_eq!(rig.call(&bind(nothing_planned as *const c_void, &ty), &mut slots), 0);
    assert_eq!(slots, [5, 6]);
}

#[test]
fn further_results_come_through_pointers() {
    extern "C" fn four(
        _env: *mut c_void,
        a: i32,
        b: f64,
        second: *mut f64,
        third: *mut i32,
        fourth: *mut i64,
    ) -> i32 {
        // SAFETY: the plan passes addresses of result slots.
        unsafe {
            *second = b + 1.0;
            *third = a - 1;
            *fourth = a as i64 * 2;
        }
        a + 1
    }
    use ValType::{F64, I32, I64};
    let ty = FuncType::new([I32, F64], [I32, F64, I32, I64]);
    let mut slots = [10, 0.5_f64.to_bits(), u64::MAX, u64::MAX];
    let mut rig = Rig::new(0);
    assert_eq!(rig.call(&bind(four as *const c_void, &ty), &mut slots), 0);
    assert_eq!(slots, [11, 1.5_f64.to_bits(), 9, 20]);
}

#[cfg(all(target_arch = "x86_64", not(isothread_ffi)))]
#[test]
fn vectors_travel_in_registers_and_on_the_stack() {
    use std::arch::x86_64::__m128i;

    fn words(v: __m128i) -> [u64; 2] {
        // SAFETY: both types are sixteen plain bytes.
        unsafe { std::mem::transmute(v) }
    }
    #[expect(improper_ctypes_definitions, reason = "C has this type under another name")]
    extern "C" fn ninth(
        _env: *mut c_void,
        a: __m128i,
        _b: __m128i,
        _c: __m128i,
        _d: __m128i,
        _e: __m128i,
        _f: __m128i,
        _g: __m128i,
        _h: __m128i,
        scale: f64,
        i: __m128i,
    ) -> __m128i {
        let (a, i) = (words(a), words(i));
        let sum = [a[0] + i[0], a[1] * scale as u64 + i[1]];
        // SAFETY: both types are sixteen plain bytes.
        unsafe { std::mem::transmute(sum) }
    }
    use ValType::{F64, V128};
    let mut params = vec![V128; 8];
    params.extend([F64, V128]);
    let ty = FuncType::new(params, [V128]);
    let mut slots: Vec<u64> = (1..=16).collect();
    slots.extend([10.0_f64.to_bits(), 100, 200]);
    let mut rig = Rig::new(0);
    assert_eq!(rig.call(&bind(ninth as *const c_void, &ty), &mut slots), 0);
    assert_eq!(slots[..2], [101, 220]);
}

#[cfg(target_pointer_width = "64")]
#[test]
fn the_stack_stays_aligned_and_can_be_walked() {
    #[inline(never)]
    extern "C" fn walk(_env: *mut c_void, first: f64, _b: i64, _c: i64, _d: i64) -> i64 {
        #[repr(align(16))]
        struct Aligned([u8; 16]);
        let here = std::hint::black_box(Aligned([first as u8; 16]));
        assert_eq!((&raw const here.0).addr() % 16, 0);
        let trace = std::backtrace::Backtrace::force_capture().to_string();
        trace.contains("the_stack_stays_aligned_and_can_be_walked") as i64
    }
    use ValType::{F64, I64};
    for extra in 0..4 {
        // More arguments than the function looks at: an odd and an even number on the stack.
        let mut params = vec![F64, I64, I64, I64];
        params.extend(vec![I64; 3 + extra]);
        let ty = FuncType::new(params, [I64]);
        let mut slots = vec![0; 8 + extra];
        let mut rig = Rig::new(0);
        assert_eq!(rig.call(&bind(walk as *const c_void, &ty), &mut slots), 0);
        assert_eq!(slots[0], 1, "the backtrace ends before the caller");
    }
}
