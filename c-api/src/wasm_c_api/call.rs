//! Calls of functions. Numbers and vectors go between the embedder's values and the guest's stack
//! directly, and such a call allocates nothing. References are looked up on the way.

use super::memory_block::Counted;
use super::object::{FuncBody, RefObject};
use super::trap;
use super::types::wasm_val_vec_t;
use super::value::{self, Misfit, kind_of};
use crate::shared::wasm_val_t;
use isothread::{Error, ExecEnv, Func, RawExecEnv, Trap, Val, ValType, outside, try_filled};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// Values of references that lie in the frame of a call; more take a block.
const FEW: usize = 16;

type Called = Result<(), Counted<RefObject>>;

/// Calls a function; the result has its trap. The exception of the function's instance is clear
/// behind it, because the trap is the caller's and ends nothing else.
///
/// # Safety
/// The vectors are NULL or valid, with valid values in `args`. The function's object is live until
/// this returns, which [`FuncBody::running`] sees to if there are no references.
#[inline]
pub(super) unsafe fn call(
    func: &FuncBody,
    args: *const wasm_val_vec_t,
    results: *mut wasm_val_vec_t,
) -> Called {
    let ty = func.func.ty();
    // SAFETY: the caller guarantees NULL or a vector with valid values.
    let given = unsafe { args.as_ref().map(|args| args.inner().elements()) }.unwrap_or_default();
    if given.len() < ty.params().len() {
        return Err(refused(func, "too few arguments"));
    }
    // A pointer, because the results may lie in the same place.
    let given = given.as_ptr();
    // SAFETY: the caller guarantees NULL or a vector.
    let room = unsafe { room_of(results) };
    if room.is_some_and(|(_, size)| size < ty.results().len()) {
        return Err(refused(func, "no room for the results"));
    }
    let room = room.map(|(room, _)| room);
    func.home.store.forget_passed();
    let Some(env) = func.env() else { return Err(func.home.store.out_of_memory()) };
    // SAFETY: there are as many arguments and as much room as the type asks for, and the caller
    // guarantees the rest.
    unsafe {
        match func.is_numeric {
            true => call_numeric(func, env, given, room)?,
            false => call_any(func, env, given, room)?,
        }
        if room.is_some() {
            let count = ty.results().len();
            (*results).num_elems = count;
            (*results).size_of_elem = size_of::<wasm_val_t>();
        }
    }
    Ok(())
}

/// The room for results and its size; `None` to leave the results out.
///
/// # Safety
/// `results` is NULL or a vector.
#[inline]
unsafe fn room_of(results: *mut wasm_val_vec_t) -> Option<(NonNull<wasm_val_t>, usize)> {
    // SAFETY: the caller guarantees NULL or a vector. It may be that of the arguments as well, so
    // its fields are copied.
    let (data, size) = unsafe { results.as_ref().map(|results| (results.data, results.size)) }?;
    NonNull::new(data).filter(|_| size > 0).map(|data| (data, size))
}

/// Calls a function that has numbers and vectors alone.
///
/// # Safety
/// As for [`call`]. `given` has a value for each parameter, `room` a place for each result, and
/// `env` is the function's.
#[inline]
unsafe fn call_numeric(
    func: &FuncBody,
    env: NonNull<RawExecEnv>,
    given: *const wasm_val_t,
    room: Option<NonNull<wasm_val_t>>,
) -> Called {
    let ty = func.func.ty();
    for (at, ty) in ty.params().iter().enumerate() {
        // SAFETY: the caller guarantees a value for each parameter.
        if let Some(misfit) = value::number_misfit(unsafe { &*given.add(at) }, kind_of(*ty)) {
            return Err(refused(func, misfit.text()));
        }
    }
    // SAFETY: the caller guarantees a place for each result.
    if room.is_some_and(|room| unsafe { lacks_address(ty.results(), room) }) {
        return Err(refused(func, Misfit::Vector.text()));
    }
    let write = |frame: *mut u64| {
        let mut slot = frame;
        for (at, ty) in ty.params().iter().enumerate() {
            // SAFETY: there is room for `func.slots`, which all parameters fit into, and the values
            // were found to fit their types.
            slot = unsafe { value::number_in(&*given.add(at), kind_of(*ty), slot) };
        }
        func.running()
    };
    let read = |frame: *const u64| {
        let Some(room) = room else { return };
        let mut slot = frame;
        for (at, ty) in ty.results().iter().enumerate() {
            // SAFETY: the slots hold the results, and there is a place for each, which has an
            // address if it is a vector's.
            slot = unsafe { value::number_out(slot, kind_of(*ty), room.as_ptr().add(at)) };
        }
    };
    // SAFETY: the environment is that of the function's instance, which the function keeps. `write`
    // writes a number or vector for each parameter, and both stay inside of `func.slots`.
    let called = unsafe { Func::call_in_place(env, func.func.as_raw(), func.slots, write, read) };
    match called {
        Ok(()) => Ok(()),
        // SAFETY: the environment is the function's.
        Err(error) => Err(unsafe { failed(func, env, &error) }),
    }
}

/// Whether a place for a vector is no value of that kind with an address.
///
/// # Safety
/// There is a place for each result, and those of vectors are values.
unsafe fn lacks_address(results: &[ValType], room: NonNull<wasm_val_t>) -> bool {
    results.iter().enumerate().filter(|(_, ty)| **ty == ValType::V128).any(|(at, ty)| {
        // SAFETY: the caller guarantees that the places of vectors are values.
        value::number_misfit(unsafe { room.add(at).as_ref() }, kind_of(*ty)).is_some()
    })
}

/// Calls a function that takes or returns references.
///
/// # Safety
/// As for [`call_numeric`].
#[inline(never)]
unsafe fn call_any(
    func: &FuncBody,
    env: NonNull<RawExecEnv>,
    given: *const wasm_val_t,
    room: Option<NonNull<wasm_val_t>>,
) -> Called {
    let (params, outs) = (func.func.ty().params().len(), func.func.ty().results().len());
    with_vals(params + outs, |vals| {
        let (vals, returned) = vals.split_at_mut(params);
        // SAFETY: the caller's guarantees are passed on.
        unsafe { call_with(func, env, given, vals, returned, room) }
    })
    .unwrap_or_else(|| Err(func.home.store.out_of_memory()))
}

/// Finds room for values; `None` without memory.
pub(super) fn with_vals<R>(count: usize, act: impl FnOnce(&mut [Val]) -> R) -> Option<R> {
    let zero = Val::I32(0);
    if count <= FEW {
        return Some(act(&mut [zero; FEW][..count]));
    }
    let mut vals = outside(|| try_filled(count, zero)).ok()?;
    Some(act(&mut vals))
}

/// # Safety
/// As for [`call_numeric`]; `vals` and `returned` have a place for each parameter and result.
unsafe fn call_with(
    func: &FuncBody,
    env: NonNull<RawExecEnv>,
    given: *const wasm_val_t,
    vals: &mut [Val],
    returned: &mut [Val],
    room: Option<NonNull<wasm_val_t>>,
) -> Called {
    let (ty, store, near) = (func.func.ty(), &func.home.store, func.func.instance());
    for (at, (val, ty)) in vals.iter_mut().zip(ty.params()).enumerate() {
        // SAFETY: the caller guarantees a valid value for each parameter.
        let read = unsafe { value::value_in(&*given.add(at), *ty, &near, store) };
        *val = read.map_err(|misfit| refused(func, misfit.text()))?;
    }
    // SAFETY: the function's instance owns the environment and lives; the handle is a borrow.
    let mut handle = ManuallyDrop::new(unsafe { ExecEnv::from_raw(env) });
    if let Err(error) = func.func.call(&mut handle, vals, returned) {
        // SAFETY: the environment is the function's.
        return Err(unsafe { failed(func, env, &error) });
    }
    let Some(room) = room else { return Ok(()) };
    for (at, val) in returned.iter().enumerate() {
        // SAFETY: the caller guarantees a place for each result; those before are written.
        unsafe {
            let place = room.add(at);
            match value::value_out(*val, place.as_ref(), &near, store) {
                Ok(out) => place.write(out),
                Err(misfit) => {
                    (0..at).for_each(|before| value::end(room.add(before).as_ref()));
                    return Err(refused(func, misfit.text()));
                }
            }
        }
    }
    Ok(())
}

/// The trap of a call that was not made, or whose results do not fit.
#[cold]
fn refused(func: &FuncBody, text: &str) -> Counted<RefObject> {
    trap::exception(&func.home.store, text)
}

/// The trap of a call that failed.
///
/// # Safety
/// `env` is the function's.
#[cold]
unsafe fn failed(func: &FuncBody, env: NonNull<RawExecEnv>, error: &Error) -> Counted<RefObject> {
    if error.trap() == Some(Trap::InUse) {
        // The exception and the trap that there may be are another thread's.
        return refused(func, error.message());
    }
    // SAFETY: the function's instance owns the environment and lives; the handle is a borrow.
    let env = ManuallyDrop::new(unsafe { ExecEnv::from_raw(env) });
    let trap = trap::of_call(&func.home.store, error, Some(&env));
    func.func.instance().clear_exception();
    trap
}
