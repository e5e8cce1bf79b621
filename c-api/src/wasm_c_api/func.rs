//! Functions: host functions, their calls by guests, and calls of any function.

use super::handles::{wasm_func_t, wasm_store_t, wasm_trap_t};
use super::host_items;
use super::memory_block::{Block, Counted};
use super::object::{self, Home, HostInfo, RefBody, RefObject};
use super::store::ObjectStore;
use super::trap;
use super::type_objects::{self as objects, valtype};
use super::types::{wasm_functype_t, wasm_valtype_t};
use super::types::{wasm_val_vec_t, wasm_valtype_vec_t};
use super::value::{self, kind_of, type_of as type_of_kind};
use super::vector::Vector;
use crate::ffi::{guard, guard_guest};
use crate::shared::{anon_val_of, wasm_val_t};
use isothread::{Caller, Error, ExecEnv, Func, FuncType, Native, Result, Trap, Val, ValType};
use isothread::{outside, try_filled, try_vec};
use std::ffi::c_void;
use std::mem::ManuallyDrop;
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

/// The embedder's function.
#[derive(Clone, Copy)]
enum Callback {
    Plain(
        unsafe extern "C-unwind" fn(*const wasm_val_vec_t, *mut wasm_val_vec_t) -> *mut wasm_trap_t,
    ),
    WithEnv(
        unsafe extern "C-unwind" fn(
            *mut c_void,
            *const wasm_val_vec_t,
            *mut wasm_val_vec_t,
        ) -> *mut wasm_trap_t,
    ),
}

/// What a host function needs. Owner: the runtime's function, which lives while an object or an
/// instance refers to it.
struct HostCode {
    callback: Callback,
    /// The environment and its finalizer.
    env: HostInfo,
    ty: FuncType,
    store: Counted<ObjectStore>,
}

// SAFETY: the function and the environment are the embedder's, which by the contract of the header
// uses a store, and so what is in it, on one thread at a time. The store's count is atomic, and the
// type is plain data.
unsafe impl Send for HostCode {}
// SAFETY: as for `Send`; nothing changes through a shared reference.
unsafe impl Sync for HostCode {}

/// Values of the header's, which own their references.
struct Values {
    vals: Vec<wasm_val_t>,
    /// Room for vectors, one for each value if there are any.
    vectors: Vec<u128>,
}

impl Values {
    /// A value of zero or null for each type; each vector has room.
    fn zeros(types: &[ValType]) -> Option<Self> {
        outside(|| {
            let has_vectors = types.contains(&ValType::V128);
            let mut vectors = try_filled(if has_vectors { types.len() } else { 0 }, 0_u128).ok()?;
            let mut vals = try_vec(types.len()).ok()?;
            for (at, ty) in types.iter().enumerate() {
                let mut val = value::zero(kind_of(*ty));
                if let (ValType::V128, Some(vector)) = (ty, vectors.get_mut(at)) {
                    val.of = anon_val_of { foreign: (&raw mut *vector).expose_provenance() };
                }
                vals.push(val);
            }
            Some(Self { vals, vectors })
        })
    }

    fn as_vec(&mut self) -> wasm_val_vec_t {
        let (size, data) = (self.vals.len(), self.vals.as_mut_ptr());
        let size_of_elem = size_of::<wasm_val_t>();
        wasm_val_vec_t { size, data, num_elems: size, size_of_elem, lock: null_mut() }
    }
}

impl Drop for Values {
    fn drop(&mut self) {
        let _ = &self.vectors;
        // SAFETY: the references are these values' own, or were the embedder's to give away.
        self.vals.iter().for_each(|val| unsafe { value::end(val) });
    }
}

impl HostCode {
    fn call(&self, caller: &Caller<'_>, args: &[Val], results: &mut [Val]) -> Result<(), Trap> {
        let outcome = self.try_call(caller, args, results);
        let Err(trap) = outcome else { return Ok(()) };
        if let RefBody::Trap(body) = &trap.body {
            caller.instance().set_exception(body.text());
        }
        self.store.pass(Some(trap));
        Err(Trap::Host)
    }

    fn try_call(
        &self,
        caller: &Caller<'_>,
        args: &[Val],
        results: &mut [Val],
    ) -> Result<(), Counted<RefObject>> {
        let failed = |text| trap::exception(&self.store, text);
        let near = caller.instance();
        let (params, outs) = (self.ty.params(), self.ty.results());
        let made = (Values::zeros(params), Values::zeros(outs));
        let (Some(mut given), Some(mut taken)) = made else {
            return Err(self.store.out_of_memory());
        };
        for (place, arg) in given.vals.iter_mut().zip(args) {
            // SAFETY: the place has room of this frame's if the value is a vector.
            let val = unsafe { value::value_out(*arg, place, &near, &self.store) };
            *place = val.map_err(|misfit| failed(misfit.text()))?;
        }
        let (given, mut out) = (given.as_vec(), taken.as_vec());
        let env = self.env.pointer;
        // SAFETY: the embedder's function, with values of the types that it was made for.
        let ended = unsafe {
            match self.callback {
                Callback::Plain(call) => call(&given, &mut out),
                Callback::WithEnv(call) => call(env, &given, &mut out),
            }
        };
        if let Some(block) = NonNull::new(ended) {
            // SAFETY: a trap that the function gives away.
            return Err(unsafe { taken_trap(block) }.unwrap_or_else(|| failed(NO_TRAP)));
        }
        for ((result, val), ty) in results.iter_mut().zip(&taken.vals).zip(outs) {
            // SAFETY: the function has filled the values in, or left them zero.
            let val = unsafe { value::value_in(val, *ty, &near, &self.store) };
            *result = val.map_err(|misfit| failed(misfit.text()))?;
        }
        Ok(())
    }
}

/// What a guest gets if a host function returns something else than a trap.
const NO_TRAP: &str = "native function throw unknown exception";

/// # Safety
/// `trap` is an object that the caller was given.
unsafe fn taken_trap(trap: NonNull<wasm_trap_t>) -> Option<Counted<RefObject>> {
    // SAFETY: the caller's contract; objects of any kind are of this type.
    let object = unsafe { Counted::from_raw(trap.cast::<Block<RefObject>>()) };
    matches!(object.body, RefBody::Trap(_)).then_some(object)
}

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
        // SAFETY: the C contract of stores and types.
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
        // SAFETY: the C contract of stores and types.
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
    // SAFETY: the caller's contract; stores are counted.
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
        let code = HostCode { callback, env, ty: ty.clone(), store: store.clone() };
        let native =
            Native::new(ty.clone(), move |caller, args, results| code.call(&caller, args, results));
        let item = host_items::func(&store, &ty, &native)?;
        let func = item.into_func().ok_or_else(|| Error::misuse(NO_TRAP))?;
        Ok::<_, Error>((func, native))
    });
    match made {
        Ok(Ok((func, native))) => {
            let home = Home { owner: None, store };
            object::give(object::new(RefBody::Func(func, Some(native), home)))
        }
        _ => null_mut(),
    }
}

/// # Safety
/// The type is live.
unsafe fn rust_type(functype: &wasm_functype_t) -> Result<FuncType> {
    let types = |vector: &wasm_valtype_vec_t| {
        // SAFETY: the caller's contract.
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
unsafe fn parts<'a>(func: *const wasm_func_t) -> Option<(&'a Func, &'a Home)> {
    // SAFETY: the caller's contract.
    match unsafe { object::get(func) }.map(|func| &func.body) {
        Some(RefBody::Func(func, _, home)) => Some((func, home)),
        _ => None,
    }
}

/// Makes the function's type, which is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_type(func: *const wasm_func_t) -> *mut wasm_functype_t {
    // SAFETY: the C contract of objects.
    guard(|| unsafe { parts(func) }.map_or(null_mut(), |(func, _)| type_of(func.ty())))
}

/// The number of parameters; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_param_arity(func: *const wasm_func_t) -> usize {
    // SAFETY: the C contract of objects.
    guard(|| unsafe { parts(func) }.map_or(0, |(func, _)| func.ty().params().len()))
}

/// The number of results; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_func_result_arity(func: *const wasm_func_t) -> usize {
    // SAFETY: the C contract of objects.
    guard(|| unsafe { parts(func) }.map_or(0, |(func, _)| func.ty().results().len()))
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
    guard_guest(|| {
        // SAFETY: the C contract of objects.
        let Some((func, home)) = (unsafe { parts(func) }) else { return null_mut() };
        // The embedder may delete the object meanwhile.
        let (func, owner, store) = (func.clone(), home.owner.clone(), home.store.clone());
        // SAFETY: the C contract of vectors and values.
        let called = unsafe { call(&func, &store, args, results) };
        drop(owner);
        match called {
            Ok(()) => null_mut(),
            Err(trap) => object::give(Some(trap)),
        }
    })
}

/// # Safety
/// The vectors are NULL or valid.
unsafe fn call(
    func: &Func,
    store: &Counted<ObjectStore>,
    args: *const wasm_val_vec_t,
    results: *mut wasm_val_vec_t,
) -> Result<(), Counted<RefObject>> {
    let failed = |text: &str| trap::exception(store, text);
    let out_of_memory = || store.out_of_memory();
    let (params, outs) = (func.ty().params(), func.ty().results());
    let near = func.instance();
    // SAFETY: the caller's contract.
    let given = unsafe { args.as_ref().map(|args| args.inner().elements()) }.unwrap_or_default();
    if given.len() < params.len() {
        return Err(failed("too few arguments"));
    }
    // SAFETY: the caller's contract.
    let taken = unsafe { results.as_mut() }.filter(|taken| taken.size > 0 && !taken.data.is_null());
    if taken.as_ref().is_some_and(|taken| taken.size < outs.len()) {
        return Err(failed("no room for the results"));
    }
    let mut vals = outside(|| try_vec(params.len())).map_err(|_| out_of_memory())?;
    for (val, ty) in given.iter().zip(params) {
        // SAFETY: the caller's contract.
        let val = unsafe { value::value_in(val, *ty, &near, store) };
        vals.push(val.map_err(|misfit| failed(misfit.text()))?);
    }
    let mut returned =
        outside(|| try_filled(outs.len(), Val::I32(0))).map_err(|_| out_of_memory())?;
    let env = near.singleton_exec_env().map_err(|_| out_of_memory())?;
    // SAFETY: the instance owns it and lives; the handle is a borrow.
    let mut env = ManuallyDrop::new(unsafe { ExecEnv::from_raw(env) });
    store.pass(None);
    func.call(&mut env, &vals, &mut returned).map_err(|e| {
        let trap = trap::of_call(store, &e, Some(&env));
        // The trap is the caller's now, and ends nothing else.
        near.clear_exception();
        trap
    })?;
    let Some(taken) = taken else { return Ok(()) };
    for (at, val) in returned.iter().enumerate() {
        // SAFETY: there is room for as many.
        unsafe {
            let place = taken.data.add(at);
            let out = value::value_out(*val, &*place, &near, store);
            match out {
                Ok(out) => place.write(out),
                Err(misfit) => {
                    (0..at).for_each(|before| value::end(&*taken.data.add(before)));
                    return Err(failed(misfit.text()));
                }
            }
        }
    }
    (taken.num_elems, taken.size_of_elem) = (outs.len(), size_of::<wasm_val_t>());
    Ok(())
}
