//! Execution environments: a guest stack, on one thread at a time.

use super::{Context, Error, Instance, RawInstance, Result};
use crate::context::{ObjectKind, thread};
use crate::exec::{EnvKind, ExecEnv as Env};
use crate::platform::stack;
use std::ffi::c_void;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

/// The target of an [`ExecEnv`], for code that keeps bare pointers. Native functions get such a
/// pointer as `wasm_exec_env_t`.
#[repr(C)]
pub struct RawExecEnv {
    _opaque: [u8; 0],
}

/// A guest stack. It keeps its instance's link set alive.
#[repr(transparent)]
pub struct ExecEnv {
    ptr: NonNull<Env>,
    not_send: PhantomData<*mut ()>,
}

impl ExecEnv {
    /// A stack of `stack_size` bytes as WAMR counts them; 0 for the default of 16 KiB.
    pub fn new(instance: &Instance, stack_size: u32) -> Result<Self> {
        let setup = instance.env_setup(stack_size);
        // SAFETY: the instance is live.
        let new = || unsafe { Env::new(instance.ptr(), EnvKind::Counted, setup) };
        let context = instance.context_ref();
        let ptr = context.run(new).ok_or_else(Error::out_of_memory)?;
        context.count_object(ObjectKind::ExecEnv);
        Ok(Self { ptr, not_send: PhantomData })
    }

    pub(super) fn env(&self) -> &Env {
        // SAFETY: the handle owns the exec_env, or borrows it from its owner.
        unsafe { self.ptr.as_ref() }
    }

    pub(super) fn kind(&self) -> EnvKind {
        self.env().kind()
    }

    pub(super) fn ptr(&self) -> NonNull<Env> {
        self.ptr
    }

    /// The instance that calls run on and natives act on.
    pub fn instance(&self) -> Instance {
        // SAFETY: the instance that is set is alive: the exec_env keeps its own, `set_instance` the
        // others.
        unsafe { Instance::retained(self.env().instance()) }
    }

    /// As [`ExecEnv::instance`], without a count.
    pub fn instance_raw(&self) -> NonNull<RawInstance> {
        self.env().instance().cast()
    }

    /// Lets natives act on another instance, of the same link set. A native that sets it sets it
    /// back.
    pub fn set_instance(&mut self, instance: &Instance) -> Result<()> {
        // SAFETY: both link sets are held.
        if !unsafe { crate::instance::link_set::same(self.env().home(), instance.ptr()) } {
            return Err(Error::misuse("the instance is not linked to the exec_env's"));
        }
        // SAFETY: the exec_env keeps the link set alive.
        unsafe { Env::set_instance(self.ptr, instance.ptr()) };
        Ok(())
    }

    /// As [`ExecEnv::set_instance`], for any instance.
    ///
    /// # Safety
    /// The instance lives for as long as it is set, and belongs to the same context.
    pub unsafe fn set_instance_raw(&mut self, instance: NonNull<RawInstance>) {
        // SAFETY: the caller guarantees that the instance lives for as long as it is set, and
        // belongs to the same context.
        unsafe { Env::set_instance(self.ptr, instance.cast()) };
    }

    /// A word for the host.
    pub fn user_data(&self) -> usize {
        self.env().user_data()
    }

    pub fn set_user_data(&mut self, word: usize) {
        self.env().set_user_data(word);
    }

    /// The attachment of the native that is running, else null.
    pub fn attachment(&self) -> *mut c_void {
        self.env().attachment()
    }

    /// Whether running code was asked to stop, as [`Instance::terminate`] does.
    pub fn is_terminated(&self) -> bool {
        self.env().is_terminated()
    }

    /// Announces that the native that runs is about to do something of the system's that may
    /// block. Until [`ExecEnv::end_blocking`] a request to stop, or the end of the context's time,
    /// interrupts it with a signal, so that it fails with `EINTR`. False, and nothing is begun, if
    /// there is a reason to stop already. `errno` stays as it is.
    pub fn begin_blocking(&self) -> bool {
        self.env().begin_blocking()
    }

    /// Ends the blocking call that [`ExecEnv::begin_blocking`] began, on the same thread. `errno`
    /// stays as it is.
    pub fn end_blocking(&self) {
        self.env().end_blocking();
    }

    /// How many instructions may run from now on; `None` for as many as they like. Running out
    /// traps with "instruction limit exceeded". Translating a function costs none.
    pub fn set_instruction_limit(&mut self, limit: Option<u64>) {
        // SAFETY: the handle is used by this thread only.
        unsafe { Env::set_fuel(self.ptr, limit) };
    }

    /// Lowest address that native frames may reach, instead of the thread's own; 0 to undo.
    pub fn set_native_stack_boundary(&mut self, boundary: usize) {
        self.env().set_boundary(boundary);
    }

    /// Whether `bytes` of native stack are left below this frame, of this thread's stack or down
    /// to the boundary that was set; sets the exception "native stack overflow" if not.
    pub fn check_native_stack(&self, bytes: usize) -> bool {
        self.check_limit(self.env().native_limit_for(thread::native_stack_low(), bytes))
    }

    /// Whether enough native stack is left to call guest code or other code that needs stack; sets
    /// the exception "native stack overflow" if not.
    pub fn check_native_stack_margin(&self) -> bool {
        self.check_limit(self.env().native_limit(thread::native_stack_low()))
    }

    fn check_limit(&self, limit: usize) -> bool {
        let fits = stack::pointer() > limit;
        if !fits {
            // SAFETY: the exec_env's instance is live.
            unsafe { self.env().instance().as_ref() }.set_exception(b"native stack overflow");
        }
        fits
    }

    /// The exec_env's address, without a count.
    pub fn as_raw(&self) -> NonNull<RawExecEnv> {
        self.ptr.cast()
    }

    /// Gives up the handle without freeing the exec_env.
    pub fn into_raw(self) -> NonNull<RawExecEnv> {
        ManuallyDrop::new(self).ptr.cast()
    }

    /// Takes the handle back.
    ///
    /// # Safety
    /// `ptr` comes from [`ExecEnv::into_raw`] and was not taken back before. To borrow instead
    /// (also the results of [`Instance::singleton_exec_env`] and the pointers that natives get),
    /// wrap the result in `ManuallyDrop`.
    pub unsafe fn from_raw(ptr: NonNull<RawExecEnv>) -> Self {
        Self { ptr: ptr.cast(), not_send: PhantomData }
    }
}

impl Drop for ExecEnv {
    fn drop(&mut self) {
        if self.env().kind() == EnvKind::Singleton {
            // Its instance owns it.
            return;
        }
        if self.env().kind() == EnvKind::Spawned {
            self.end_spawned();
            return;
        }
        // SAFETY: the exec_env is live. The clone outlives the instance that may go with it.
        let context = unsafe { context_of(self.ptr) }.clone();
        // SAFETY: the handle owns the exec_env, and nobody can call on it any more.
        let freed = context.run(|| unsafe {
            Env::end_stale_calls(self.ptr, thread::native_stack_low());
            Env::free(self.ptr)
        });
        if freed {
            context.uncount_object(ObjectKind::ExecEnv);
        }
    }
}

/// The context of an exec_env.
///
/// # Safety
/// The exec_env is live during `'a`.
#[inline]
pub(super) unsafe fn context_of<'a>(env: NonNull<Env>) -> &'a Context {
    // SAFETY: exec_envs are made by `Instance::env_setup`, which gives them the address of the
    // context that their instance holds; the instance outlives them.
    unsafe { &*env.as_ref().owner().cast::<Context>() }
}
