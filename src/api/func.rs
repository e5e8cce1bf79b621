//! Functions and the ways to call them.

use super::{Error, ExecEnv, FuncType, Instance, RawExecEnv, Result, Val};
use crate::abi::types::ValType;
use crate::abi::vm_layout::VmFuncRef;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// What lies behind a [`Func`], for code that keeps bare pointers. The address is the same for
/// every lookup of one function and stays for as long as its instance's group lives.
#[repr(C)]
pub struct RawFunc {
    _opaque: [u8; 0],
}

/// A counted handle to a function of an instance.
pub struct Func {
    ptr: NonNull<VmFuncRef>,
    not_send: PhantomData<*mut ()>,
}

impl Clone for Func {
    fn clone(&self) -> Self {
        Self { ptr: self.ptr, not_send: PhantomData }
    }
}

impl Func {
    pub fn ty(&self) -> Result<&FuncType> {
        Err(Error::misuse("no functions"))
    }

    /// The function's index in the module that defines or imports it.
    pub fn index(&self) -> u32 {
        // SAFETY: a handle keeps its function's group alive.
        unsafe { self.ptr.as_ref() }.func_index
    }

    /// The instance whose state the function runs on.
    pub fn instance(&self) -> Option<Instance> {
        None
    }

    /// Calls the function. `results` needs as many places as the type has results.
    pub fn call(&self, _env: &mut ExecEnv, _args: &[Val], _results: &mut [Val]) -> Result<()> {
        Err(Error::misuse("no functions"))
    }

    /// The function with its type checked against `P` and `R` once.
    pub fn typed<P: GuestTypes, R: GuestTypes>(&self) -> Result<TypedFunc<P, R>> {
        Err(Error::misuse("no functions"))
    }

    /// Calls the function with 32-bit cells, as `wasm_runtime_call_wasm` does: `argv` holds the
    /// parameters and takes the results. Returns whether the call returned; if not, the instance
    /// has the exception.
    ///
    /// # Safety
    /// `env` and `func` are live, `argv` has room for the parameters' and the results' cells.
    pub unsafe fn call_cells(
        _env: NonNull<RawExecEnv>,
        _func: NonNull<RawFunc>,
        _argc: u32,
        _argv: *mut u32,
    ) -> bool {
        false
    }

    /// The function's address, without a count.
    pub fn as_raw(&self) -> NonNull<RawFunc> {
        self.ptr.cast()
    }

    /// A handle with a count of its own.
    ///
    /// # Safety
    /// `ptr` is the address of a function whose group lives.
    pub unsafe fn from_raw(ptr: NonNull<RawFunc>) -> Self {
        Self { ptr: ptr.cast(), not_send: PhantomData }
    }
}

/// A Rust type that stands for one guest type: `i32`, `u32`, `i64`, `u64`, `f32`, `f64`, `u128`.
pub trait GuestType: Copy {
    const TYPE: ValType;
}

/// Parameters or results of a [`TypedFunc`]: one [`GuestType`], or a tuple of up to eight.
pub trait GuestTypes {
    fn types() -> Vec<ValType>;
}

/// A function whose parameters and results are known to Rust.
pub struct TypedFunc<P, R> {
    _func: Func,
    _types: PhantomData<fn(P) -> R>,
}

impl<P: GuestTypes, R: GuestTypes> TypedFunc<P, R> {
    pub fn call(&self, _env: &mut ExecEnv, _params: P) -> Result<R> {
        Err(Error::misuse("no functions"))
    }
}
