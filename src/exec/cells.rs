//! Calls with 32-bit cells, the form that `wasm_runtime_call_wasm` takes.
//!
//! i32 and f32 take one cell, i64, f64, externref, anyref and exnref two, low half first, v128
//! four. A funcref is the function's index, all ones for null; an externref is the host's object,
//! all ones for null on the way in and zero on the way out. The instance's host maps it to a number
//! for the guest. An externref that a guest has made of an object of its own, and an anyref, is the
//! word of a `RawRef`, in two cells; in place of the host's object that word of an externref is
//! fine, too. An exnref is a word with a meaning for its link set only, zero for null.

use super::call::{Call, func_type};
use super::env::ExecEnv;
use crate::abi::guest_word;
use crate::abi::heap_types::Hierarchy;
use crate::abi::raw_ref::RawRef;
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::abi::vm_layout::VmFuncRef;
use crate::instance::Instance;
use std::ptr::NonNull;

const NULL_INDEX: u32 = u32::MAX;

/// Calls `func` with the parameters in the `argc` cells at `argv`, and writes the results there,
/// from its start. Fewer cells than the parameters take are an exception.
///
/// # Safety
/// As for [`Call::prepare`]; `argv` has `argc` cells, and room for the results' cells.
#[inline]
pub unsafe fn call_cells(
    env: NonNull<ExecEnv>,
    func: NonNull<VmFuncRef>,
    argc: u32,
    argv: *mut u32,
    stack_low: usize,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees the conditions of `Call::prepare`, and room at `argv` for
    // parameters and results.
    unsafe {
        let ty = func_type(func);
        // At most two slots each: an upper bound, good enough to check the room.
        let slots = 2 * ty.params().len().max(ty.results().len());
        let call = Call::prepare(env, func, slots, stack_low)?;
        if argc < ty.param_cells() {
            return Err(too_few(ty, argc, env));
        }
        read_params(ty, argv, call.frame(), env, func)?;
        call.run()?;
        write_results(ty, call.frame(), argv, env)
    }
}

/// A bit for each numeric type; none for the others.
#[inline(always)]
const fn bit(ty: ValType) -> u32 {
    match ty {
        ValType::I32 => 1,
        ValType::F32 => 1 << 1,
        ValType::I64 => 1 << 2,
        ValType::F64 => 1 << 3,
        ValType::V128 | ValType::Ref(_) => 0,
    }
}

/// Whether `ty` is among these numeric `types`, by a test of bits: a `match` becomes a table of
/// jumps, each of which the processor has to predict.
#[inline(always)]
const fn is_one_of<const N: usize>(ty: ValType, types: &[ValType; N]) -> bool {
    let mut bits = 0_u32;
    let mut at = 0;
    while at < N {
        bits |= bit(types[at]);
        at += 1;
    }
    bits & bit(ty) != 0
}

/// Spreads the parameters over slots.
///
/// # Safety
/// Both have room for the parameters; `env` and `func` are live.
#[inline]
unsafe fn read_params(
    ty: &FuncType,
    mut cell: *const u32,
    mut slot: *mut u64,
    env: NonNull<ExecEnv>,
    func: NonNull<VmFuncRef>,
) -> Result<(), Trap> {
    for &param in ty.params() {
        // SAFETY: the caller vouches for the room; each type takes the words that its arm reads.
        unsafe {
            // Numbers first: nearly all parameters are.
            if is_one_of(param, &[ValType::I32, ValType::F32]) {
                *slot = *cell as u64;
                cell = cell.add(1);
            } else if is_one_of(param, &[ValType::I64, ValType::F64]) {
                *slot = cell.cast::<u64>().read_unaligned();
                cell = cell.add(2);
            } else {
                (cell, slot) = read_rare(param, cell, slot, env, func)?;
            }
            slot = slot.add(1);
        }
    }
    Ok(())
}

/// Notes that the caller has given too few cells.
#[cold]
fn too_few(ty: &FuncType, argc: u32, env: NonNull<ExecEnv>) -> Trap {
    let needed = ty.param_cells();
    let text = format!("invalid argument count {argc}, must be no smaller than {needed}");
    // SAFETY: an exec_env's instance is live.
    unsafe { env.as_ref().instance().as_ref() }.raise(text.as_bytes());
    Trap::Host
}

/// Reads one parameter that is no plain number. Returns both pointers past it, but for the last
/// slot.
///
/// # Safety
/// As for [`read_params`].
#[cold]
unsafe fn read_rare(
    param: ValType,
    cell: *const u32,
    slot: *mut u64,
    env: NonNull<ExecEnv>,
    func: NonNull<VmFuncRef>,
) -> Result<(*const u32, *mut u64), Trap> {
    // SAFETY: the caller guarantees the room and a live environment; each type takes the cells that
    // its arm reads.
    unsafe {
        Ok(match param {
            ValType::V128 => {
                *slot = cell.cast::<u64>().read_unaligned();
                *slot.add(1) = cell.add(2).cast::<u64>().read_unaligned();
                (cell.add(4), slot.add(1))
            }
            ValType::Ref(ty) => {
                let callee = Instance::of_vm(func.as_ref().instance);
                let instance = env.as_ref().instance();
                let (word, cells) = match ty.hierarchy() {
                    Hierarchy::Func => (func_word(callee, *cell)?, 1),
                    hierarchy => {
                        let given = cell.cast::<u64>().read_unaligned();
                        let word = match hierarchy {
                            Hierarchy::Exn => exception_slot(instance, given)?,
                            Hierarchy::Extern => externref_slot(instance, given)?,
                            _ => anyref_slot(instance, given)?,
                        };
                        (word, 2)
                    }
                };
                if !callee.admits(callee.types().reference(ty), word) {
                    return Err(unfit(instance));
                }
                *slot = word;
                (cell.add(cells), slot)
            }
            // Plain numbers are read where this is called from.
            _ => return Err(Trap::Internal),
        })
    }
}

/// Packs the results into cells.
///
/// # Safety
/// Both have room for the results; `env` is live.
#[inline]
unsafe fn write_results(
    ty: &FuncType,
    mut slot: *const u64,
    mut cell: *mut u32,
    env: NonNull<ExecEnv>,
) -> Result<(), Trap> {
    for &result in ty.results() {
        // SAFETY: the caller vouches for the room; each type takes the words that its arm writes.
        unsafe {
            if is_one_of(result, &[ValType::I32, ValType::F32]) {
                *cell = *slot as u32;
                cell = cell.add(1);
            } else if is_one_of(result, &[ValType::I64, ValType::F64]) {
                cell.cast::<u64>().write_unaligned(*slot);
                cell = cell.add(2);
            } else {
                (slot, cell) = write_rare(result, slot, cell, env)?;
            }
            slot = slot.add(1);
        }
    }
    Ok(())
}

/// Writes one result that is no plain number. Returns both pointers past it, but for the last slot.
///
/// # Safety
/// As for [`write_results`].
#[cold]
unsafe fn write_rare(
    result: ValType,
    slot: *const u64,
    cell: *mut u32,
    env: NonNull<ExecEnv>,
) -> Result<(*const u64, *mut u32), Trap> {
    // SAFETY: the caller guarantees the room and a live environment; each type takes the cells that
    // its arm writes.
    unsafe {
        Ok(match result {
            ValType::V128 => {
                cell.cast::<u64>().write_unaligned(*slot);
                cell.add(2).cast::<u64>().write_unaligned(*slot.add(1));
                (slot.add(1), cell.add(4))
            }
            ValType::Ref(ty) if ty.hierarchy() == Hierarchy::Func => {
                *cell = func_index(*slot);
                (slot, cell.add(1))
            }
            ValType::Ref(ty) if ty.hierarchy() == Hierarchy::Exn => {
                cell.cast::<u64>().write_unaligned(*slot);
                (slot, cell.add(2))
            }
            ValType::Ref(ty) if ty.hierarchy() == Hierarchy::Any => {
                cell.cast::<u64>().write_unaligned(RawRef::of_anyref(*slot).word());
                (slot, cell.add(2))
            }
            _ => {
                let object = externref_object(env.as_ref().instance(), *slot)?;
                cell.cast::<u64>().write_unaligned(object);
                (slot, cell.add(2))
            }
        })
    }
}

/// An externref's slot is its word plus one, and zero for null.
#[cold]
fn externref_slot(instance: NonNull<Instance>, object: u64) -> Result<u64, Trap> {
    if object == u64::MAX {
        return Ok(0);
    }
    // SAFETY: an exec_env's instance is live.
    let host = unsafe { instance.as_ref() }.host();
    let raw = RawRef::read(object);
    let slot = match raw {
        RawRef::Null | RawRef::Plain(_) => {
            host.externref_word(instance, object).map(|word| word.wrapping_add(1))
        }
        RawRef::Extern(_) => raw.known_slot(|word| host.externref_object(word).is_some()),
        RawRef::Any(_) | RawRef::Func(_) => None,
    };
    slot.ok_or_else(|| unfit(instance))
}

/// The slot for an anyref. A word that says nothing of itself may be an object of the host's.
#[cold]
fn anyref_slot(instance: NonNull<Instance>, word: u64) -> Result<u64, Trap> {
    // SAFETY: an exec_env's instance is live.
    let host = unsafe { instance.as_ref() }.host();
    let slot = match RawRef::read(word) {
        RawRef::Null => Some(0),
        raw @ RawRef::Any(_) => raw.known_slot(|word| host.externref_object(word).is_some()),
        RawRef::Plain(word) => host.externref_object(word.wrapping_sub(1)).map(|_| word),
        RawRef::Extern(_) | RawRef::Func(_) => None,
    };
    slot.ok_or_else(|| unfit(instance))
}

/// Notes that an argument cannot be passed.
#[cold]
fn unfit(instance: NonNull<Instance>) -> Trap {
    // SAFETY: an exec_env's instance is live.
    unsafe { instance.as_ref() }.raise(b"the arguments conversion is failed");
    Trap::Host
}

/// The slot for an exception that the host hands back.
#[cold]
fn exception_slot(instance: NonNull<Instance>, word: u64) -> Result<u64, Trap> {
    // SAFETY: an exec_env's instance is live.
    let found = unsafe { instance.as_ref() }.exception_of(word);
    if word == 0 || found.is_some() { Ok(word) } else { Err(unfit(instance)) }
}

/// The object behind the externref in a slot.
#[cold]
fn externref_object(instance: NonNull<Instance>, slot: u64) -> Result<u64, Trap> {
    let Some(word) = slot.checked_sub(1) else { return Ok(0) };
    if guest_word::is_guests(slot) {
        return Ok(RawRef::of_anyref(slot).externalized().word());
    }
    // SAFETY: an exec_env's instance is live.
    let acts_on = unsafe { instance.as_ref() };
    acts_on.host().externref_object(word).ok_or_else(|| {
        acts_on.raise(b"the result conversion is failed");
        Trap::Host
    })
}

/// The function with this index as it lies in a slot.
#[cold]
fn func_word(instance: &Instance, index: u32) -> Result<u64, Trap> {
    if index == NULL_INDEX {
        return Ok(0);
    }
    let func = instance.func(index).ok_or_else(|| {
        instance.raise(b"unknown function");
        Trap::Host
    })?;
    Ok(func.as_ptr() as usize as u64)
}

/// The index of the function in a slot.
#[cold]
fn func_index(word: u64) -> u32 {
    // SAFETY: a funcref slot that running code filled holds zero or a live function's address.
    unsafe { (word as usize as *const VmFuncRef).as_ref() }
        .map_or(NULL_INDEX, |func| func.func_index)
}
