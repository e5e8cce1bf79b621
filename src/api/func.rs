//! Functions and the ways to call them.

use super::env::context_of;
use super::instance::{call_error, instance_of};
use super::{Error, ExecEnv, FuncType, GuestTypes, Instance, RawExecEnv, Result, Trap, Val};
use crate::abi::error::bounded;
use crate::abi::types::ValType;
use crate::abi::vm_layout::VmFuncRef;
use crate::context::{Ended, thread};
use crate::exec::{self, Call, ExecEnv as Env, Pending};
use crate::instance::link_set;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

/// The target of a [`Func`], for code that keeps bare pointers. The address is the same for every
/// lookup of one function and stays for as long as its instance's link set lives.
#[repr(C)]
pub struct RawFunc {
    _opaque: [u8; 0],
}

/// A counted handle to a function of an instance.
#[repr(transparent)]
pub struct Func {
    ptr: NonNull<VmFuncRef>,
    not_send: PhantomData<*mut ()>,
}

impl Clone for Func {
    fn clone(&self) -> Self {
        // SAFETY: this handle keeps the link set alive.
        unsafe { Self::retained(self.ptr) }
    }
}

impl Drop for Func {
    fn drop(&mut self) {
        // SAFETY: the handle's count becomes that of the instance handle, which gives it up.
        drop(unsafe { Instance::from_raw(instance_of(self.ptr).cast()) });
    }
}

impl Func {
    /// One more handle to the link set of a function.
    ///
    /// # Safety
    /// Its link set is live.
    pub(super) unsafe fn retained(ptr: NonNull<VmFuncRef>) -> Self {
        // SAFETY: the caller guarantees that the function's link set is live.
        unsafe { link_set::retain(instance_of(ptr)) };
        Self { ptr, not_send: PhantomData }
    }

    pub(super) fn ptr(&self) -> NonNull<VmFuncRef> {
        self.ptr
    }

    pub fn ty(&self) -> &FuncType {
        // SAFETY: a handle keeps its function's link set alive.
        unsafe { exec::func_type(self.ptr) }
    }

    /// The function's index in the module of [`Func::instance`].
    pub fn index(&self) -> u32 {
        // SAFETY: a handle keeps its function's link set alive.
        unsafe { self.ptr.as_ref() }.func_index
    }

    /// The instance whose state the function runs on.
    pub fn instance(&self) -> Instance {
        // SAFETY: a handle keeps its function's link set alive.
        unsafe { Instance::retained(instance_of(self.ptr)) }
    }

    /// Calls the function. `results` needs as many places as the type has results; their old values
    /// do not matter.
    ///
    /// A trap becomes the pending exception of the exec_env's instance, where it can be read until
    /// the next call forgets it. A request to stop ([`Instance::terminate`]) stays until
    /// [`Instance::clear_exception`], and calls fail until then.
    ///
    /// ```
    /// use isothread::{Context, ExecEnv, Instance, InstanceArgs, Module, Trap, Val};
    ///
    /// let context = Context::new()?;
    /// let wasm = wat::parse_str(
    ///     "(module (func (export \"div\") (param i32 i32) (result i32)
    ///        (i32.div_u (local.get 0) (local.get 1))))",
    /// )
    /// .unwrap();
    /// let instance = Instance::new(&Module::new(&context, &wasm)?, InstanceArgs::default())?;
    /// let mut env = ExecEnv::new(&instance, 0)?;
    /// let div = instance.get_func("div").expect("exported");
    ///
    /// let mut results = [Val::I32(0)];
    /// let error = div.call(&mut env, &[Val::I32(1), Val::I32(0)], &mut results).unwrap_err();
    /// assert_eq!(error.trap(), Some(Trap::IntegerDivideByZero));
    /// assert_eq!(instance.exception().as_deref(), Some("Exception: integer divide by zero"));
    ///
    /// div.call(&mut env, &[Val::I32(7), Val::I32(2)], &mut results)?;
    /// assert!(matches!(results, [Val::I32(3)]));
    /// assert_eq!(instance.exception(), None);
    /// # Ok::<(), isothread::Error>(())
    /// ```
    pub fn call(&self, env: &mut ExecEnv, args: &[Val], results: &mut [Val]) -> Result<()> {
        let ty = self.ty();
        if results.len() != ty.results().len() {
            return Err(wrong_count("results", ty.results().len(), results.len()));
        }
        if args.len() != ty.params().len() {
            return Err(wrong_count("arguments", ty.params().len(), args.len()));
        }
        self.check_env(env)?;
        for (index, (arg, &ty)) in args.iter().zip(ty.params()).enumerate() {
            if arg.ty() != ty.widest() {
                return Err(wrong_argument(index, arg.ty(), ty));
            }
            check_value(self, arg, ty)?;
        }
        let slots = ty.param_slots().max(ty.result_slots()) as usize;
        // SAFETY: both are live and of one link set; the slots are written and read by type.
        unsafe {
            run(
                env.ptr(),
                self.ptr,
                slots,
                |frame| {
                    let mut at = frame;
                    for arg in args {
                        at = write_value(at, *arg);
                    }
                },
                |frame| {
                    let mut at = frame;
                    for (result, &ty) in results.iter_mut().zip(ty.results()) {
                        (*result, at) = read_value(at, ty);
                    }
                },
            )
        }
    }

    fn check_env(&self, env: &ExecEnv) -> Result<()> {
        // SAFETY: both handles keep their link sets alive.
        let linked = unsafe { link_set::same(env.instance_raw().cast(), instance_of(self.ptr)) };
        if linked { Ok(()) } else { Err(Error::misuse("invalid exec env")) }
    }

    /// The function with its type checked against `P` and `R` once.
    pub fn typed<P: GuestTypes, R: GuestTypes>(&self) -> Result<TypedFunc<P, R>> {
        let ty = self.ty();
        if ty.params() != P::TYPES || ty.results() != R::TYPES {
            let (own, asked) = ((ty.params(), ty.results()), (P::TYPES, R::TYPES));
            return Err(Error::misuse(bounded(format_args!(
                "the function is {}, not {}",
                Arrow(own),
                Arrow(asked)
            ))));
        }
        Ok(TypedFunc { func: self.clone(), types: PhantomData })
    }

    /// Calls the function with 32-bit cells, as `wasm_runtime_call_wasm` does: the `argc` cells at
    /// `argv` hold the parameters, and take the results. Returns whether the call returned; if not,
    /// the exec_env's instance has the exception, or a native's unwinding has to go on
    /// ([`thread::go_on_unwinding`]). A call with an exception pending fails, runs nothing, and
    /// leaves the exception as it is.
    ///
    /// i32 and f32 take one cell, i64, f64 and externref two, v128 four. A funcref is a
    /// function's index or all ones, an externref the host's object or all ones, and zero for
    /// null when it is a result.
    ///
    /// # Safety
    /// `env` and `func` are live, of one link set and used by this thread only; `argv` has `argc`
    /// cells, and room for the results' cells.
    #[inline(always)]
    pub unsafe fn call_cells(
        env: NonNull<RawExecEnv>,
        func: NonNull<RawFunc>,
        argc: u32,
        argv: *mut u32,
    ) -> bool {
        let env: NonNull<Env> = env.cast();
        // SAFETY: the caller guarantees that `env` and `func` are live, of one link set and used by
        // this thread only; `argv` has `argc` cells, and room for the results' cells.
        unsafe {
            let context = context_of(env);
            let called =
                context.operate_guest(|low| exec::call_cells(env, func.cast(), argc, argv, low));
            let Some(called) = outcome(env, called) else { return false };
            if called == Err(Trap::InUse) {
                return false; // All that follows is the other thread's.
            }
            if context.extern_objects().is_some_and(|objects| objects.may_reclaim()) {
                let results = match called {
                    Ok(()) => Self::ty_of_raw(func).results(),
                    Err(_) => &[],
                };
                super::objects::reclaim(context, env, results, argv);
            }
            called.is_ok()
        }
    }

    /// The function's address, without a count.
    pub fn as_raw(&self) -> NonNull<RawFunc> {
        self.ptr.cast()
    }

    /// A handle with a count of its own.
    ///
    /// # Safety
    /// `ptr` is the address of a function whose link set lives.
    pub unsafe fn from_raw(ptr: NonNull<RawFunc>) -> Self {
        // SAFETY: the caller guarantees that `ptr` is the address of a function whose link set
        // lives.
        unsafe { Self::retained(ptr.cast()) }
    }

    /// The function's type, without a handle.
    ///
    /// # Safety
    /// `ptr` is the address of a function whose link set lives during `'a`.
    pub unsafe fn ty_of_raw<'a>(ptr: NonNull<RawFunc>) -> &'a FuncType {
        // SAFETY: the caller guarantees that `ptr` is the address of a function whose link set
        // lives during `'a`.
        unsafe { exec::func_type(ptr.cast()) }
    }
}

#[cold]
fn wrong_count(what: &str, wanted: usize, given: usize) -> Error {
    Error::misuse(bounded(format_args!("the function has {wanted} {what}, not {given}")))
}

#[cold]
fn wrong_argument(index: usize, given: ValType, wanted: ValType) -> Error {
    Error::misuse(bounded(format_args!("argument {index} is {given}, not {wanted}")))
}

/// Parameters and results, as an error names them.
struct Arrow<'a>((&'a [ValType], &'a [ValType]));

impl fmt::Display for Arrow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (types, start) in [(self.0.0, "("), (self.0.1, " -> (")] {
            f.write_str(start)?;
            for (index, ty) in types.iter().enumerate() {
                let comma = if index == 0 { "" } else { ", " };
                write!(f, "{comma}{ty}")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

/// Whether `value` may be given where `ty` is wanted; a function must be of `near`'s link set.
/// The type is the function's module's.
pub(super) fn check_value(near: &Func, value: &Val, ty: ValType) -> Result<()> {
    let instance = instance_of(near.ptr);
    // SAFETY: a handle keeps its function's link set alive.
    let ty = unsafe { instance.as_ref() }.types().value(ty);
    check_value_of(instance, value, ty)
}

/// As [`check_value`], by the link set's instance; numbers in the type are canonical.
pub(super) fn check_value_of(
    near: NonNull<crate::instance::Instance>,
    value: &Val,
    ty: ValType,
) -> Result<()> {
    check_origin(near, value, ty)?;
    let ValType::Ref(wanted) = ty else { return Ok(()) };
    // SAFETY: a handle keeps the link set alive.
    let (near, word) = (unsafe { near.as_ref() }, value.to_slots()[0]);
    let fits = match value {
        // It may be an object of a guest's, which is not known to be there.
        Val::ExternRef(_) => near.admits(wanted, word),
        // SAFETY: functions were found to be the link set's.
        _ => unsafe { near.accepts(wanted, word) },
    };
    match fits {
        true => Ok(()),
        false => Err(Error::misuse("the reference is not of the type that is wanted")),
    }
}

/// Whether `value` is of the kind that `ty` asks for, and is known to the link set.
fn check_origin(near: NonNull<crate::instance::Instance>, value: &Val, ty: ValType) -> Result<()> {
    if value.ty() != ty.widest() {
        let (given, wanted) = (value.ty(), ty);
        return Err(Error::misuse(bounded(format_args!("the value is {given}, not {wanted}"))));
    }
    if let Val::ExnRef(Some(exception)) = value {
        // SAFETY: a handle keeps the link set alive.
        let known = unsafe { near.as_ref() }.exception_of(exception.0.get());
        return known.map(|_| ()).ok_or_else(|| Error::misuse("the exception is gone"));
    }
    let Val::FuncRef(Some(func)) = value else { return Ok(()) };
    let address = func.0.as_ptr().cast_const();
    // SAFETY: a handle keeps the link set alive.
    let found =
        unsafe { link_set::find(near, |member| member.as_ref().owns_func(address).then_some(())) };
    found.ok_or_else(|| Error::misuse("the function belongs to instances that are not linked"))
}

/// # Safety
/// `at` has room for the value.
unsafe fn write_value(at: *mut u64, value: Val) -> *mut u64 {
    let [low, high] = value.to_slots();
    // SAFETY: the caller guarantees that `at` has room for the value.
    unsafe {
        *at = low;
        if value.ty() == ValType::V128 {
            *at.add(1) = high;
        }
        at.add(value.ty().slots() as usize)
    }
}

/// # Safety
/// `at` holds a value of type `ty`.
unsafe fn read_value(at: *const u64, ty: ValType) -> (Val, *mut u64) {
    // SAFETY: the caller guarantees that `at` holds a value of type `ty`.
    unsafe {
        let high = if ty == ValType::V128 { *at.add(1) } else { 0 };
        (Val::from_slots(ty, [*at, high]), at.add(ty.slots() as usize).cast_mut())
    }
}

/// One call in its context: `write` places the parameters, `read` fetches the results. The result
/// of `write` is dropped when the function has returned, while this thread still uses the link set.
///
/// # Safety
/// Both are live, of one link set and used by this thread only; `write` fills all parameters in.
#[inline]
pub(super) unsafe fn run<G>(
    env: NonNull<Env>,
    func: NonNull<VmFuncRef>,
    slots: usize,
    write: impl FnOnce(*mut u64) -> G,
    read: impl FnOnce(*const u64),
) -> Result<()> {
    // SAFETY: the caller guarantees that both are live, of one link set and used by this thread
    // only; `write` fills all parameters in.
    unsafe {
        let context = context_of(env);
        let called = context.operate_guest(|low| {
            let call = Call::prepare_with(env, func, slots, low, Pending::IsForgotten)?;
            let _during = write(call.frame());
            call.run()?;
            read(call.frame());
            Ok(())
        });
        let called = outcome(env, called).ok_or_else(Error::out_of_memory)?;
        called.map_err(|trap| context.run(|| call_error(env.as_ref().instance().as_ref(), trap)))
    }
}

/// Calls a function whose parameters and results are all in `slots`, inside its context.
///
/// # Safety
/// As for [`run`]; `slots` holds the parameters and has room for the results.
pub(super) unsafe fn call_slots(
    env: NonNull<Env>,
    func: NonNull<VmFuncRef>,
    slots: &mut [u64],
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that both are live, of one link set and used by this thread
    // only, and that `slots` holds the parameters and has room for the results.
    unsafe {
        let call = Call::prepare(env, func, slots.len(), thread::native_stack_low())?;
        call.frame().copy_from_nonoverlapping(slots.as_ptr(), slots.len());
        if let Err(trap) = call.run() {
            if trap == Trap::Unwinding {
                keep_unwinding(env);
            }
            return Err(trap);
        }
        slots.as_mut_ptr().copy_from_nonoverlapping(call.frame(), slots.len());
        Ok(())
    }
}

/// Keeps a native's unwinding until no frame of ours is on the stack.
///
/// # Safety
/// The exec_env is live and used by this thread.
#[cold]
pub(super) unsafe fn keep_unwinding(env: NonNull<Env>) {
    // SAFETY: the caller guarantees that the exec_env is live and used by this thread.
    let unwinding = unsafe { std::mem::replace(&mut (*Env::vm(env)).unwinding, ptr::null_mut()) };
    if let Some(unwinding) = NonNull::new(unwinding) {
        thread::keep_unwinding(unwinding);
    }
}

type Outcome = Result<(), Trap>;

/// The result of a call; `None` if memory ran out, which is then the instance's exception.
///
/// # Safety
/// The exec_env and its instance are live.
#[inline]
unsafe fn outcome(env: NonNull<Env>, called: Ended<Outcome>) -> Option<Outcome> {
    match called {
        Ended::Returned(Ok(())) => Some(Ok(())),
        // SAFETY: the caller vouches for the exec_env and its instance.
        failed => unsafe { failure(env, failed) },
    }
}

/// As [`outcome`], for calls that failed.
///
/// # Safety
/// The exec_env and its instance are live.
#[cold]
unsafe fn failure(env: NonNull<Env>, called: Ended<Outcome>) -> Option<Outcome> {
    if let Ended::Returned(Err(Trap::Unwinding)) | Ended::RanOut(Err(Trap::Unwinding)) = called {
        // SAFETY: the exec_env is live and used by this thread, which has just called on it.
        unsafe { keep_unwinding(env) };
    }
    if let Ended::Returned(called) | Ended::RanOut(called @ Err(Trap::InUse)) = called {
        return Some(called);
    }
    // SAFETY: the caller vouches for both; an instance that is in use elsewhere is left alone.
    unsafe {
        let _used = link_set::Use::begin(env.as_ref().home())?;
        let instance = env.as_ref().instance();
        instance.as_ref().raise(Trap::OutOfMemory.text().as_bytes());
    }
    None
}

/// A function whose parameters and results are known to Rust.
pub struct TypedFunc<P, R> {
    func: Func,
    types: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        Self { func: self.func.clone(), types: PhantomData }
    }
}

impl<P: GuestTypes, R: GuestTypes> TypedFunc<P, R> {
    /// Calls the function; as [`Func::call`] otherwise.
    #[inline]
    pub fn call(&self, env: &mut ExecEnv, params: P) -> Result<R> {
        self.func.check_env(env)?;
        // No type takes more than two slots.
        let slots = 2 * P::TYPES.len().max(R::TYPES.len());
        let mut results = None;
        // SAFETY: `Func::typed` has compared the types; both are live and of one link set.
        unsafe {
            run(
                env.ptr(),
                self.func.ptr,
                slots,
                |frame| params.write(frame),
                |frame| results = Some(R::read(frame)),
            )?;
        }
        results.ok_or_else(|| Trap::Internal.into())
    }

    pub fn func(&self) -> &Func {
        &self.func
    }
}
