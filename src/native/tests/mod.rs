//! A make-believe instance to call host functions on, and the tests that need one. Those that
//! call C functions are not for Miri, which knows no assembly.

#[cfg(not(miri))]
mod calls;
mod closures;
mod engines;
pub(crate) mod guest;
#[cfg(not(miri))]
mod guests;
#[cfg(not(miri))]
mod registry;
#[cfg(not(miri))]
mod shapes;

use super::HostFunc;
use crate::abi::vm_layout::{VmEnv, VmInstance, VmLocalRefs, VmMemory, VmThrown};
use crate::types::NO_TYPES;
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32};

/// An environment, its instance and one memory. Nothing of it moves while it lives.
pub(crate) struct Rig {
    pub(crate) env: Box<VmEnv>,
    pub(crate) instance: Box<VmInstance>,
    pub(crate) bytes: Box<[u8]>,
    memory: Box<VmMemory>,
}

/// Stands for the exec_env, which natives get as their first argument.
pub(crate) const EXEC_ENV: *mut c_void = ptr::without_provenance_mut(0x5eed_0010);

/// An instance that has a memory and nothing else.
pub(crate) fn instance_with(memory: *mut VmMemory) -> VmInstance {
    VmInstance {
        memory0: memory,
        memories: ptr::null(),
        tables: ptr::null(),
        imported_globals: ptr::null(),
        globals: ptr::null_mut(),
        func_refs: ptr::null_mut(),
        type_ids: ptr::null(),
        types: &raw const NO_TYPES,
        objects: crate::gc::no_objects(),
        codes: ptr::null(),
        builtins: ptr::null(),
        profile: ptr::null(),
        exception_set: AtomicU32::new(0),
        reserved: 0,
        owner: ptr::null_mut(),
        shared_heap: AtomicPtr::new(ptr::null_mut()),
        tags: ptr::null(),
    }
}

impl Rig {
    pub(crate) fn new(memory_bytes: usize) -> Self {
        let mut bytes = vec![0_u8; memory_bytes].into_boxed_slice();
        let mut memory = Box::new(VmMemory {
            base: bytes.as_mut_ptr(),
            len_bytes: bytes.len(),
            owner: ptr::null_mut(),
        });
        let mut instance = Box::new(instance_with(&raw mut *memory));
        let env = Box::new(VmEnv {
            instance: &raw mut *instance,
            globals: ptr::null_mut(),
            stack_top: ptr::null_mut(),
            stack_limit: ptr::null_mut(),
            budget: 0,
            fuel: i64::MAX,
            native_stack_limit: 0,
            terminate: AtomicU32::new(0),
            reserved: 0,
            attachment: ptr::null_mut(),
            activation: ptr::null_mut(),
            owner: EXEC_ENV,
            limits: ptr::null(),
            exception: VmThrown::NONE,
            catch_ip: ptr::null(),
            catch_sp: ptr::null_mut(),
            unwinding: ptr::null_mut(),
            tail_call: ptr::null(),
            next_code: ptr::null(),
            local_refs: VmLocalRefs::EMPTY,
            host_params: ptr::null(),
            scratch: [0; 2],
        });
        Self { env, instance, bytes, memory }
    }

    pub(crate) fn env(&mut self) -> *mut VmEnv {
        &raw mut *self.env
    }

    /// Start of the memory as natives see it.
    pub(crate) fn base(&self) -> *mut u8 {
        self.memory.base
    }

    /// Calls `func` on `slots`, which must have room for parameters and results.
    pub(crate) fn call(&mut self, func: &HostFunc, slots: &mut [u64]) -> u32 {
        assert!(slots.len() >= func.arg_slots as usize);
        let header = func.header();
        // SAFETY: `func` is alive, the rig's environment is complete as far as calls read it,
        // and the slots are as many as the function's type asks for.
        unsafe { ((*header).call)(header, self.env(), slots.as_mut_ptr()) }
    }
}
