//! Calls through libffi, for targets without a thunk.
//!
//! libffi wants the address of each argument, in order. So a frame has no registers here: the
//! exec_env comes first, the arguments follow in their order, and behind them lies the list of
//! addresses.

use super::plan::{CallPlan, FLOAT_RESULT, INT_RESULT, INT_START};
use crate::abi::types::{FuncType, ValType};
use crate::abi::vm_layout::VmEnv;
use crate::native::signature::{Param, Signature};
use crate::platform::unwind;
use libffi::middle::{Cif, Type};
use libffi::raw::ffi_call;
use std::ffi::c_void;

pub(super) const FLOAT_REGS: usize = 0;
/// The exec_env.
pub(super) const INT_REGS: usize = 1;

/// The list of addresses.
pub(super) fn own_words(args: usize) -> usize {
    args + INT_REGS
}

/// How libffi passes the arguments and where it puts the result.
pub(super) struct Extra {
    /// Absent if libffi does not know the types.
    cif: Option<Cif>,
    result: usize,
}

impl Extra {
    pub(super) fn new(ty: &FuncType, signature: Option<Signature<'_>>) -> Self {
        let mut args = vec![Type::pointer()];
        for (index, &param) in ty.params().iter().enumerate() {
            let asked = signature.map_or(Param::Value, |s| s.param(index));
            args.push(match asked {
                Param::Value => passed_as(param, signature.is_some()),
                _ => Type::pointer(),
            });
        }
        args.extend(ty.results().iter().skip(1).map(|_| Type::pointer()));
        let first = ty.results().first();
        let result = first.map_or(Type::void(), |&r| passed_as(r, signature.is_some()));
        let float = matches!(first, Some(ValType::F32 | ValType::F64 | ValType::V128));
        Self {
            cif: Cif::try_new(args, result).ok(),
            result: if float { FLOAT_RESULT } else { INT_RESULT },
        }
    }
}

/// References are objects to natives with a signature and numbers to others.
fn passed_as(ty: ValType, signed: bool) -> Type {
    match ty {
        ValType::I32 => Type::i32(),
        ValType::I64 => Type::i64(),
        ValType::F32 => Type::f32(),
        ValType::F64 => Type::f64(),
        ValType::V128 => Type::structure([Type::u64(), Type::u64()]),
        ValType::EXTERNREF | ValType::FUNCREF if signed => Type::pointer(),
        ValType::EXTERNREF | ValType::FUNCREF => Type::u32(),
        ValType::Ref(_) => Type::u64(),
    }
}

/// Calls `target` with the arguments in `frame`; the result replaces the frame's first words.
/// False if that cannot be done.
///
/// # Safety
/// `frame` is aligned to 16 bytes and filled for a function like `target` by `plan`; `env` is
/// live.
pub(super) unsafe fn call(
    env: *mut VmEnv,
    target: *const c_void,
    frame: *mut u64,
    _stack_words: usize,
    plan: &CallPlan,
) -> bool {
    let Some(cif) = &plan.target.cif else { return false };
    // SAFETY: the frame has the words that the plan counted: those of the arguments, and behind
    // them one for each address.
    unsafe {
        let list = frame.add(plan.own_start()).cast::<*mut c_void>();
        *list = frame.add(INT_START).cast();
        for (index, place) in plan.places().enumerate() {
            *list.add(index + 1) = frame.add(place).cast();
        }
        let mut result = [0_u64; 2];
        let args = [
            cif.as_raw_ptr().expose_provenance(),
            target.expose_provenance(),
            result.as_mut_ptr().expose_provenance(),
            list.expose_provenance(),
        ];
        if let Err(unwinding) = unwind::call(ffi_call as *const c_void, args) {
            (*env).unwinding = unwinding.as_ptr();
        }
        *frame.add(plan.target.result) = result[0];
        *frame.add(plan.target.result + 1) = result[1];
    }
    true
}

/// Calls a raw native.
///
/// # Safety
/// `env` is live, and `target` takes the slots at `args`.
pub(super) unsafe fn raw(env: *mut VmEnv, target: *const c_void, args: *const u64) {
    // SAFETY: the caller guarantees that `env` is live, and `target` takes the slots at `args`; the
    // owner of a live environment is its exec_env.
    unsafe {
        let words = [(*env).owner.expose_provenance(), args.expose_provenance(), 0, 0];
        if let Err(unwinding) = unwind::call(target, words) {
            (*env).unwinding = unwinding.as_ptr();
        }
    }
}

#[cfg(target_endian = "big")]
compile_error!("slots are words whose low half comes first");
