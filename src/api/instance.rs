//! Instances: a module's state, its exports, and what the host keeps with it.

use super::{Context, Error, Extern, Func, GuestTypes, Memory, Module, RawExecEnv, Result};
use super::{Global, Table, TypedFunc};
use std::any::Any;
use std::ffi::{c_char, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// What lies behind an [`Instance`], for code that keeps bare pointers.
#[repr(C)]
pub struct RawInstance {
    _opaque: [u8; 0],
}

/// How an instance is made.
#[derive(Default)]
pub struct InstanceArgs {
    /// Bytes of guest stack for the instance's own exec_env and those of its threads; 0 for the
    /// default of 16 KiB.
    pub stack_size: u32,
    /// Bytes of the heap that [`Instance::malloc`] serves from, inside linear memory. Ignored
    /// when the module exports `malloc` and `free`.
    pub heap_size: u32,
    /// Lowers the maximum that memories declare; 0 for no limit beyond theirs.
    pub max_memory_pages: u32,
    /// First value of [`Instance::custom_data`].
    pub custom_data: usize,
    /// First value of [`Instance::host_state`].
    pub host_state: Option<Box<dyn Any + Send + Sync>>,
}

/// A counted handle to an instance.
pub struct Instance {
    ptr: NonNull<RawInstance>,
    not_send: PhantomData<*mut ()>,
}

/// A group of instances on its way to another thread.
pub struct Detached {
    ptr: NonNull<RawInstance>,
}

// SAFETY: `Instance::detach` makes one only from the last handle into a group, so nothing of the
// group is reachable from the thread it leaves.
unsafe impl Send for Detached {}

impl Detached {
    /// Binds the group to the calling thread.
    pub fn attach(self) -> Instance {
        Instance { ptr: self.ptr, not_send: PhantomData }
    }
}

/// Stops an instance's running code, from any thread.
#[derive(Clone)]
pub struct Terminator {
    _instance: (),
}

impl Terminator {
    /// Makes running code stop with "terminated by user" at its next loop, branch or call.
    pub fn terminate(&self) {}
}

impl Instance {
    /// Instantiates `module` with what its imports were bound to at load, and runs its start
    /// function and what else a module expects to be run first.
    pub fn new(module: &Module, args: InstanceArgs) -> Result<Self> {
        Self::with_imports(module, args, &[])
    }

    /// As [`Instance::new`]; `imports` are the module's imports in binary order. `None`, or a
    /// list that is too short, stands for what was bound at load.
    pub fn with_imports(
        _module: &Module,
        _args: InstanceArgs,
        _imports: &[Option<Extern>],
    ) -> Result<Self> {
        Err(Error::instantiate("no instances"))
    }

    pub fn module(&self) -> Module {
        unreachable_yet()
    }

    pub fn context(&self) -> Context {
        unreachable_yet()
    }

    pub fn get_export(&self, _name: &str) -> Option<Extern> {
        None
    }

    /// The export at this place in binary order.
    pub fn export(&self, _index: usize) -> Option<Extern> {
        None
    }

    pub fn get_func(&self, _name: &str) -> Option<Func> {
        None
    }

    pub fn get_memory(&self, _name: &str) -> Option<Memory> {
        None
    }

    pub fn get_table(&self, _name: &str) -> Option<Table> {
        None
    }

    pub fn get_global(&self, _name: &str) -> Option<Global> {
        None
    }

    /// The memory with this index, exported or not.
    pub fn memory(&self, _index: u32) -> Option<Memory> {
        None
    }

    /// The table with this index, exported or not.
    pub fn table(&self, _index: u32) -> Option<Table> {
        None
    }

    /// An exported function with its type checked once.
    pub fn typed_func<P: GuestTypes, R: GuestTypes>(&self, _name: &str) -> Result<TypedFunc<P, R>> {
        Err(Error::misuse("no functions"))
    }

    /// The instance's own exec_env, made at first use and gone with the instance.
    pub fn singleton_exec_env(&self) -> Result<NonNull<RawExecEnv>> {
        Err(Error::misuse("no exec_env"))
    }

    /// The pending exception's text, "Exception: " and all.
    pub fn exception(&self) -> Option<String> {
        None
    }

    /// The pending exception's text as C reads it, or null. It lies in the instance.
    pub fn exception_ptr(&self) -> *const c_char {
        std::ptr::null()
    }

    /// Sets the exception to "Exception: " and `text`, cut to 127 bytes.
    pub fn set_exception(&self, _text: &[u8]) {}

    pub fn clear_exception(&self) {}

    /// A handle that stops the instance's running code from any thread.
    pub fn terminator(&self) -> Terminator {
        Terminator { _instance: () }
    }

    /// As [`Terminator::terminate`].
    pub fn terminate(&self) {}

    /// A word for the host.
    pub fn custom_data(&self) -> usize {
        0
    }

    pub fn set_custom_data(&self, _word: usize) {}

    /// The host's state of this type, if that is what the instance carries.
    pub fn host_state<T: Any + Send + Sync>(&self) -> Option<&T> {
        None
    }

    /// One of eight words that the host numbers as it likes; 0 beyond them.
    pub fn slot(&self, _index: usize) -> usize {
        0
    }

    pub fn set_slot(&self, _index: usize, _word: usize) {}

    /// The code that the guest gave to WASI's `proc_exit`, 0 before that.
    pub fn exit_code(&self) -> u32 {
        0
    }

    /// Allocates guest memory with the guest's own `malloc`, else from the instance's heap.
    /// Returns its address, and where that is now.
    pub fn malloc(&self, _size: u64) -> Option<(u64, NonNull<u8>)> {
        None
    }

    /// Frees what [`Instance::malloc`] returned. Other addresses are ignored.
    pub fn free(&self, _address: u64) {}

    /// Copies `bytes` into new guest memory.
    pub fn dup_data(&self, _bytes: &[u8]) -> Option<u64> {
        None
    }

    /// Whether memory 0 holds `len` bytes at `address`; sets the exception if not.
    pub fn validate_app_addr(&self, _address: u64, _len: u64) -> bool {
        false
    }

    /// Whether memory 0 holds a NUL-terminated string at `address`; sets the exception if not.
    pub fn validate_app_str_addr(&self, _address: u64) -> bool {
        false
    }

    /// Whether `len` bytes at `native` lie in memory 0; sets the exception if not.
    pub fn validate_native_addr(&self, _native: *const c_void, _len: u64) -> bool {
        false
    }

    /// Where `address` of memory 0 is now, or null.
    pub fn addr_app_to_native(&self, _address: u64) -> *mut c_void {
        std::ptr::null_mut()
    }

    /// The guest's address of `native`, or 0 outside memory 0.
    pub fn addr_native_to_app(&self, _native: *const c_void) -> u64 {
        0
    }

    /// Adds pages to memory 0; false when it cannot grow so far, after telling the context's
    /// callback.
    pub fn enlarge_memory(&self, _pages: u64) -> bool {
        false
    }

    /// Moves the group to another thread, if this is the only handle into it.
    pub fn detach(self) -> Result<Detached, Self> {
        Err(self)
    }

    /// Gives up the handle without its count.
    pub fn into_raw(self) -> NonNull<RawInstance> {
        self.ptr
    }

    /// Takes the handle back.
    ///
    /// # Safety
    /// `ptr` comes from [`Instance::into_raw`] and its count was not taken back before. To
    /// borrow instead, wrap the result in `ManuallyDrop`.
    pub unsafe fn from_raw(ptr: NonNull<RawInstance>) -> Self {
        Self { ptr, not_send: PhantomData }
    }
}

fn unreachable_yet<T>() -> T {
    unreachable!()
}
