//! Host functions in Rust: closures that modules import.

use super::{Context, Error, ExecEnv, Func, FuncType, Instance, RawExecEnv, Result, Trap, Val};
use crate::abi::vm_layout::VmHostFunc;
use crate::native::{self, HostFunc};
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

/// A host function. It belongs to no instance and can be bound to imports of many.
///
/// ```
/// use isothread::{Context, ExecEnv, FuncType, Instance, InstanceArgs, Module, Native};
/// use isothread::{Val, ValType};
///
/// let ty = FuncType::new([ValType::I32], [ValType::I32]);
/// let double = Native::new(ty, |_caller, args, results| {
///     if let Val::I32(value) = args[0] {
///         results[0] = Val::I32(value * 2);
///     }
///     Ok(())
/// });
/// let context = Context::new()?;
/// context.define("env", "double", &double)?;
///
/// let wasm = wat::parse_str(
///     "(module (import \"env\" \"double\" (func $double (param i32) (result i32)))
///        (func (export \"run\") (result i32) (call $double (i32.const 21))))",
/// )
/// .unwrap();
/// let instance = Instance::new(&Module::new(&context, &wasm)?, InstanceArgs::default())?;
/// let mut env = ExecEnv::new(&instance, 0)?;
/// assert_eq!(instance.typed_func::<(), i32>("run")?.call(&mut env, ())?, 42);
/// # Ok::<(), isothread::Error>(())
/// ```
#[derive(Clone)]
pub struct Native(Arc<HostFunc>);

impl Native {
    /// A host function from a closure, which gets zeros of the right types for its results and
    /// must keep their types. Parameters and results that are references are of the most general
    /// types (`ValType::FUNCREF`, `EXTERNREF`, `ANYREF`); what an import's type says beyond that is
    /// looked at when the function returns. Imports whose type has exceptions in it (exnref) are
    /// never bound to one. Objects among the parameters stay until it returns. To trap with a text
    /// of its own, it sets the exception of [`Caller::instance`] and returns [`Trap::Host`].
    pub fn new(
        ty: FuncType,
        call: impl Fn(Caller<'_>, &[Val], &mut [Val]) -> Result<(), Trap> + Send + Sync + 'static,
    ) -> Self {
        let call = move |caller: native::Caller<'_>, args: &[Val], results: &mut [Val]| {
            call(Caller(caller), args, results)
        };
        Self(Arc::new(HostFunc::closure(ty, call)))
    }

    pub(super) fn of(func: Arc<HostFunc>) -> Self {
        Self(func)
    }

    pub fn ty(&self) -> &FuncType {
        self.0.ty()
    }

    pub(super) fn header(&self) -> *const VmHostFunc {
        self.0.header()
    }
}

impl Context {
    /// Offers `native` to the imports of modules that are loaded from now on. The last
    /// definition of a name wins.
    pub fn define(&self, module: &str, name: &str, native: &Native) -> Result<()> {
        let func = native.0.clone();
        match self.guarded(|| self.natives().register_func(module, name, func))? {
            true => Ok(()),
            false => Err(Error::out_of_memory()),
        }
    }

    /// Takes back the latest [`Context::define`] of this name; false if there is none. Imports
    /// that are bound already stay bound.
    pub fn undefine(&self, module: &str, name: &str) -> bool {
        self.run(|| self.natives().unregister_func(module, name))
    }
}

/// The caller of a host function. It lasts as long as the call.
pub struct Caller<'a>(native::Caller<'a>);

impl<'a> Caller<'a> {
    pub(super) fn of(caller: native::Caller<'a>) -> Self {
        Self(caller)
    }
}

impl Caller<'_> {
    pub(super) fn env(&self) -> ManuallyDrop<ExecEnv> {
        let raw = NonNull::new(self.0.exec_env().cast::<RawExecEnv>());
        // SAFETY: running code passes its live exec_env, whose owner field is its own address;
        // it is borrowed for as long as the call lasts.
        ManuallyDrop::new(unsafe { ExecEnv::from_raw(raw.unwrap_unchecked()) })
    }

    /// The instance whose import was called.
    pub fn instance(&self) -> Instance {
        self.env().instance()
    }

    /// The attachment that was registered with the function.
    pub fn attachment(&self) -> *mut c_void {
        self.0.attachment()
    }

    /// Why the caller should stop now: it was terminated, or the time of its context is over. A
    /// function that waits asks at times, and returns the trap.
    pub fn stop_reason(&self) -> Option<Trap> {
        self.0.stop_reason()
    }

    /// How much time the context has left; `None` for any.
    pub fn time_left(&self) -> Option<Duration> {
        self.0.time_left()
    }

    /// Whether the caller should stop.
    pub fn is_terminated(&self) -> bool {
        self.0.is_terminated()
    }

    /// Runs `act`, best a single system call that may block. When the caller should stop, a signal
    /// interrupts it, so that the call fails with `EINTR`, again and again until `act` returns.
    /// Fails with the trap to return if the caller should stop, before or afterwards.
    pub fn blocking<R>(&self, act: impl FnOnce() -> R) -> Result<R, Trap> {
        self.0.blocking(act)
    }

    /// Copies bytes out of the guest's memory 0.
    pub fn read(&self, address: u64, bytes: &mut [u8]) -> Result<(), Trap> {
        self.0.memory().copy_out(address, bytes)
    }

    /// Copies bytes into the guest's memory 0.
    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Trap> {
        self.0.memory().write(address, bytes)
    }

    /// Calls back into the guest, on the stack of the caller.
    pub fn call(&mut self, func: &Func, args: &[Val], results: &mut [Val]) -> Result<()> {
        func.call(&mut self.env(), args, results)
    }

    /// The exec_env that runs, as C code knows it.
    pub fn exec_env(&self) -> NonNull<RawExecEnv> {
        self.env().as_raw()
    }
}
