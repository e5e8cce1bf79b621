//! Host functions in Rust: values, wrong answers, panics, built-in functions.

use super::{EXEC_ENV, Rig};
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::abi::value::Val;
use crate::native::{Builtin, HostFunc};
use ValType::{F32, F64, I32, I64, V128};
use std::sync::Arc;

#[test]
fn values_go_in_and_out() {
    let mut rig = Rig::new(0);
    let ty = FuncType::new([I32, V128, F64], [V128, F32, I64]);
    let func = HostFunc::closure(ty, |_, params, results| {
        let [Val::I32(a), Val::V128(b), Val::F64(c)] = params else { return Err(Trap::Internal) };
        results[0] = Val::V128(b.rotate_left(64));
        results[1] = Val::F32(*c as f32);
        results[2] = Val::I64(*a as i64);
        Ok(())
    });
    let mut slots = [-5_i32 as u32 as u64, 1, 2, 1.5_f64.to_bits()];
    assert_eq!(rig.call(&func, &mut slots), 0);
    assert_eq!(slots, [2, 1, 1.5_f32.to_bits() as u64, -5_i64 as u64]);
}

#[test]
fn many_values_work_too() {
    let mut rig = Rig::new(0);
    for count in [2, 3, 8, 9, 40] {
        let ty = FuncType::new(vec![I64; count], vec![I64; count]);
        let func = HostFunc::closure(ty, |_, params, results| {
            for (result, param) in results.iter_mut().zip(params.iter().rev()) {
                *result = *param;
            }
            Ok(())
        });
        let mut slots: Vec<u64> = (0..count as u64).collect();
        assert_eq!(rig.call(&func, &mut slots), 0);
        assert_eq!(slots, (0..count as u64).rev().collect::<Vec<_>>());
    }
}

#[test]
fn results_start_as_zeros_of_their_types() {
    let mut rig = Rig::new(0);
    let func = HostFunc::closure(FuncType::new([I64], [I32, F64]), |_, _, results| {
        assert_eq!((results[0].ty(), results[1].ty()), (I32, F64));
        Ok(())
    });
    let mut slots = [9, 9];
    assert_eq!((rig.call(&func, &mut slots), slots), (0, [0, 0]));
}

#[test]
fn a_result_of_another_type_is_a_trap() {
    let mut rig = Rig::new(0);
    let func = HostFunc::closure(FuncType::new([], [I32]), |_, _, results| {
        results[0] = Val::I64(1);
        Ok(())
    });
    assert_eq!(rig.call(&func, &mut [0]), Trap::Host as u32);
}

#[test]
fn traps_pass_through() {
    let mut rig = Rig::new(0);
    let func = HostFunc::closure(FuncType::new([], []), |_, _, _| Err(Trap::ProcExit));
    assert_eq!(rig.call(&func, &mut []), Trap::ProcExit as u32);
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        std::panic::resume_unwind(Box::new(()));
    }
}

#[test]
fn panics_become_traps() {
    let mut rig = Rig::new(0);
    // `resume_unwind` spares the test's output the panic message.
    for _ in 0..2 {
        let func = HostFunc::closure(FuncType::new([], []), |_, _, _| {
            std::panic::resume_unwind(Box::new(PanicsWhenDropped))
        });
        assert_eq!(rig.call(&func, &mut []), Trap::Host as u32);
    }
    assert!(rig.env.attachment.is_null());
}

#[test]
fn the_caller_shows_its_environment() {
    let mut rig = Rig::new(16);
    let (env, instance) = (rig.env().addr(), (&raw const *rig.instance).addr());
    let func = HostFunc::closure(FuncType::new([I32], []), move |caller, params, _| {
        assert_eq!(caller.env().addr(), env);
        assert_eq!(caller.instance().addr(), instance);
        assert_eq!(caller.exec_env(), EXEC_ENV);
        assert_eq!(caller.attachment().addr(), 0x77);
        assert!(!caller.is_terminated());
        let Val::I32(address) = params[0] else { return Err(Trap::Internal) };
        caller.memory().write(address as u32 as u64, b"hi")
    });
    let func = func.with_attachment(std::ptr::without_provenance_mut(0x77));
    assert_eq!(rig.call(&func, &mut [14]), 0);
    assert_eq!(&rig.bytes[14..], b"hi");
    assert_eq!(rig.call(&func, &mut [15]), Trap::MemoryOutOfBounds as u32);
}

#[test]
fn a_closure_goes_with_its_function() {
    let alive = Arc::new(());
    let inside = Arc::clone(&alive);
    let func = HostFunc::closure(FuncType::new([], []), move |_, _, _| {
        let _ = &inside;
        Ok(())
    });
    assert_eq!(Arc::strong_count(&alive), 2);
    drop(func);
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[test]
fn built_in_functions_see_slots() {
    let mut rig = Rig::new(0);
    let builtin = Builtin {
        name: "swap",
        signature: "(II)I",
        call: |_, slots| {
            slots.swap(0, 1);
            Ok(())
        },
    };
    let ty = FuncType::new([I64, I64], [I64]);
    let func = HostFunc::builtin(&builtin, &ty);
    let mut slots = [1, 2];
    assert_eq!(func.map(|f| rig.call(&f, &mut slots)), Some(0));
    assert_eq!(slots, [2, 1]);
    assert!(HostFunc::builtin(&builtin, &FuncType::new([I64, I32], [I64])).is_none());
}
