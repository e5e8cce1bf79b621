//! Functions: those of the host, and calls of any.

use super::call;
use super::handles::{wasm_func_t, wasm_store_t, wasm_trap_t};
use super::host_code::{Callback, HostCode, NO_TRAP};
use super::host_items;
use super::memory_block::{Block, Counted};
use super::object::{self, FuncBody, Home, HostInfo, RefBody};
use super::store::ObjectStore;
use super::type_objects::{self as objects, valtype};
use super::types::{wasm_functype_t, wasm_valtype_t};
use super::types::{wasm_val_vec_t, wasm_valtype_vec_t};
use super::value::{self, kind_of, type_of as type_of_kind};
use super::vector::Vector;
use crate::ffi::guard;
use isothread::context::thread;
use isothread::{Error, FuncType, Result, ValType, try_vec};
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

pub type wasm_func_callback_t = Option<
    unsafe extern "C-unwind" fn(
        args: *const wasm_val_vec_t,
        results: *mut wasm_val_vec_t,
    ) -> *mut wasm_trap_t,
>;
pub type wasm_func_callback_with_env_t = Option<
    unsafe extern "C-unwind" fn(
        env: *mut c_void,
        args: *const wasm_val_vec_t,
        results: *mut wasm_val_vec_t,
    ) -> *mut wasm_trap_t,
>;

/// Makes a host function, of a type that stays the caller's. NULL for NULL, for types that are no
/// kinds, and without memory.
///
/// The function gets the guest's arguments and fills in the results, which are zero or null before.
/// References in the arguments are borrowed for the call; those in the results are given away. It
/// returns NULL, or a trap that ends the guest's call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_new(
    store: *mut wasm_store_t,
    functype: *const wasm_functype_t,
    callback: wasm_func_callback_t,
) -> *mut wasm_func_t {
    guard(|| {
        let env = HostInfo { pointer: null_mut(), finalizer: None };
        // SAFETY: NULL or a live store and a live type, as the header says.
        unsafe { make(store, functype, callback.map(Callback::Plain), env) }
    })
}

/// Makes a host function like `wasm_func_new`, which gets `env` as well. `finalizer`, which may be
/// NULL, is called with `env` once, when nothing refers to the function any more; also, at once, if
/// NULL is returned.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_new_with_env(
    store: *mut wasm_store_t,
    functype: *const wasm_functype_t,
    callback: wasm_func_callback_with_env_t,
    env: *mut c_void,
    finalizer: Option<unsafe extern "C" fn(*mut c_void)>,
) -> *mut wasm_func_t {
    guard(|| {
        let env = HostInfo { pointer: env, finalizer };
        // SAFETY: NULL or a live store and a live type, as the header says.
        unsafe { make(store, functype, callback.map(Callback::WithEnv), env) }
    })
}

/// # Safety
/// The pointers are NULL or live.
unsafe fn make(
    store: *mut wasm_store_t,
    functype: *const wasm_functype_t,
    callback: Option<Callback>,
    env: HostInfo,
) -> *mut wasm_func_t {
    // SAFETY: the caller guarantees that each is NULL or live; stores are counted.
    let (store, functype) = unsafe {
        let store = NonNull::new(store.cast::<Block<ObjectStore>>()).map(|s| Counted::retained(s));
        (store, functype.as_ref())
    };
    let (Some(store), Some(functype), Some(callback)) = (store, functype, callback) else {
        return null_mut();
    };
    let context = store.context().clone();
    let made = context.guarded(|| {
        // SAFETY: the vectors of a live type are valid.
        let ty = unsafe { rust_type(functype) }?;
        let native = HostCode::new(callback, env, ty.clone(), store.clone())?.native();
        let native = native.ok_or_else(|| Error::misuse(value::Misfit::Type.text()))?;
        let item = host_items::func(&store, &ty, &native)?;
        let func = item.into_func().ok_or_else(|| Error::misuse(NO_TRAP))?;
        Ok::<_, Error>((func, native))
    });
    match made {
        Ok(Ok((func, native))) => {
            let home = Home { owner: None, store };
            object::give(object::new(RefBody::Func(FuncBody::new(func, Some(native), home))))
        }
        _ => null_mut(),
    }
}

/// # Safety
/// The type is live.
unsafe fn rust_type(functype: &wasm_functype_t) -> Result<FuncType> {
    let types = |vector: &wasm_valtype_vec_t| {
        // SAFETY: the caller guarantees a live type, whose vectors are valid.
        let kinds = unsafe { vector.inner().elements() };
        let mut types = try_vec(kinds.len())?;
        for kind in kinds {
            // SAFETY: an element of a live type, or NULL.
            let ty = unsafe { kind.as_ref() }.and_then(|ty| type_of_kind(ty.kind));
            types.push(ty.ok_or_else(|| Error::misuse(value::Misfit::Type.text()))?);
        }
        Ok::<_, Error>(types.into_boxed_slice())
    };
    Ok(FuncType::new(types(&functype.params)?, types(&functype.results)?))
}

/// The header's form of a function's type; NULL without memory.
pub(super) fn type_of(ty: &FuncType) -> *mut wasm_functype_t {
    parts_of_type(ty)
        .map_or(null_mut(), |[params, results]| objects::functype(params.into(), results.into()))
}

fn parts_of_type(ty: &FuncType) -> Option<[Vector<*mut wasm_valtype_t>; 2]> {
    let vector = |types: &[ValType]| {
        let mut vector = Vector::with_room(types.len())?;
        for ty in types {
            let element = valtype(kind_of(*ty));
            if element.is_null() {
                // SAFETY: the elements are the vector's.
                unsafe { vector.end() };
                return None;
            }
            vector.push(element);
        }
        Some(vector)
    };
    let mut params = vector(ty.params())?;
    let Some(results) = vector(ty.results()) else {
        // SAFETY: the elements are the vector's.
        unsafe { params.end() };
        return None;
    };
    Some([params, results])
}

/// # Safety
/// `func` is NULL or a live object.
#[inline]
unsafe fn part<'a>(func: *const wasm_func_t) -> Option<&'a FuncBody> {
    // SAFETY: the caller guarantees NULL or a live object.
    match unsafe { object::get(func) }.map(|func| &func.body) {
        Some(RefBody::Func(func)) => Some(func),
        _ => None,
    }
}

/// Makes the function's type, which is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_type(func: *const wasm_func_t) -> *mut wasm_functype_t {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| unsafe { part(func) }.map_or(null_mut(), |func| type_of(func.func.ty())))
}

/// The number of parameters; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_param_arity(func: *const wasm_func_t) -> usize {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| unsafe { part(func) }.map_or(0, |func| func.func.ty().params().len()))
}

/// The number of results; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_result_arity(func: *const wasm_func_t) -> usize {
    // SAFETY: NULL or a live object, as the header says.
    guard(|| unsafe { part(func) }.map_or(0, |func| func.func.ty().results().len()))
}

/// Calls a function. `args` has a value of the right kind for each parameter, and may be NULL if
/// there are none; `results` has room for the results, of which references are the caller's, or is
/// NULL or empty to leave them out. NULL when the call returned, else the trap, which is the
/// caller's: the guest's, that of a host function, or, with nothing run, one that says what is
/// wrong with the values. NULL for a NULL function.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_func_call(
    func: *const wasm_func_t,
    args: *const wasm_val_vec_t,
    results: *mut wasm_val_vec_t,
) -> *mut wasm_trap_t {
    let trap: *mut wasm_trap_t = guard(|| {
        // SAFETY: the C contract of objects: NULL or live.
        let Some(body) = (unsafe { part(func) }) else { return null_mut() };
        // Its last pointer may be deleted meanwhile. Calls without references see to that
        // themselves, without a locked instruction.
        // SAFETY: a live object.
        let _kept = if body.is_numeric { None } else { unsafe { object::counted(func) } };
        // SAFETY: each vector is NULL or valid, and so are the values in it.
        let called = unsafe { call::call(body, args, results) };
        if body.has_deleted() {
            // SAFETY: a live object, which is not used below.
            unsafe { object::end_deleted(func) };
        }
        match called {
            Ok(()) => null_mut(),
            Err(trap) => object::give(Some(trap)),
        }
    });
    if !trap.is_null() {
        // SAFETY: the body is over, and this frame owns nothing.
        unsafe { thread::go_on_unwinding() };
    }
    trap
}
