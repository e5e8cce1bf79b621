//! Execution environments: a guest stack, on one thread at a time.

use super::{Error, Instance, Result};
use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;

/// What lies behind an [`ExecEnv`], for code that keeps bare pointers.
#[repr(C)]
pub struct RawExecEnv {
    _opaque: [u8; 0],
}

/// A guest stack. It keeps its instance's group alive.
pub struct ExecEnv {
    ptr: NonNull<RawExecEnv>,
    not_send: PhantomData<*mut ()>,
}

impl ExecEnv {
    /// A stack of `stack_size` bytes as WAMR counts them; 0 for the default of 16 KiB.
    pub fn new(_instance: &Instance, _stack_size: u32) -> Result<Self> {
        Err(Error::misuse("no exec_env"))
    }

    /// The instance that calls run on and natives act on.
    pub fn instance(&self) -> Option<Instance> {
        None
    }

    /// Lets natives act on another instance. Whoever sets it from inside a native sets it back.
    pub fn set_instance(&mut self, _instance: &Instance) {}

    /// A word for the host.
    pub fn user_data(&self) -> usize {
        0
    }

    pub fn set_user_data(&mut self, _word: usize) {}

    /// The attachment of the native that is running, else null.
    pub fn attachment(&self) -> *mut c_void {
        std::ptr::null_mut()
    }

    /// How many instructions may run from now on; `None` for as many as they like.
    pub fn set_instruction_limit(&mut self, _limit: Option<u64>) {}

    /// Lowest address that native frames may reach, instead of the thread's own; 0 to undo.
    pub fn set_native_stack_boundary(&mut self, _boundary: usize) {}

    /// Whether `bytes` of native stack are left; sets the exception if not.
    pub fn check_native_stack(&self, _bytes: usize) -> bool {
        true
    }

    pub fn into_raw(self) -> NonNull<RawExecEnv> {
        self.ptr
    }

    /// # Safety
    /// `ptr` comes from [`ExecEnv::into_raw`] and was not taken back before. To borrow instead
    /// (also what [`Instance::singleton_exec_env`] returns), wrap the result in `ManuallyDrop`.
    pub unsafe fn from_raw(ptr: NonNull<RawExecEnv>) -> Self {
        Self { ptr, not_send: PhantomData }
    }
}
