//! A call of a function of the pthread library, and the common part of those functions.

use super::objects::Object;
use super::program::Program;
use crate::abi::trap::Trap;
use crate::exec::ExecEnv;
use crate::instance::Instance;
use crate::native::{Caller, GuestMemory};
use std::ptr::NonNull;

/// -1.
pub const FAILED: u32 = u32::MAX;

/// Names of semaphores are cut there.
const NAME_BYTES_MAX: usize = 4096;

/// A call of one of the functions.
pub(super) struct PthreadCall<'a> {
    pub caller: &'a Caller<'a>,
    pub program: &'a Program,
    pub args: [u64; 4],
    pub env: NonNull<ExecEnv>,
    pub stack_low: usize,
}

/// Makes a call of `function` out of the slots, and puts its answer there.
pub(super) fn call(
    caller: &Caller<'_>,
    slots: &mut [u64],
    function: fn(&PthreadCall<'_>) -> Result<u32, Trap>,
) -> Result<(), Trap> {
    let (env, stack_low) = caller.calling_env().ok_or(Trap::Internal)?;
    // SAFETY: the guest that calls runs on this exec_env, on this thread.
    let instance: &Instance = unsafe { env.as_ref().instance().as_ref() };
    let program = Program::of(instance.cluster_or_init()).ok_or(Trap::Internal)?;
    let mut args = [0; 4];
    for (to, from) in args.iter_mut().zip(slots.iter()) {
        *to = *from;
    }
    let result = function(&PthreadCall { caller, program, args, env, stack_low })?;
    if let Some(slot) = slots.first_mut() {
        *slot = result.into();
    }
    Ok(())
}

impl PthreadCall<'_> {
    pub fn arg(&self, index: usize) -> u32 {
        self.args.get(index).map_or(0, |&word| word as u32)
    }

    pub fn memory(&self) -> GuestMemory<'_> {
        self.caller.memory()
    }

    /// The bytes of the string at the address that is an argument; `None` for a null address.
    pub fn text(&self, index: usize) -> Result<Option<Box<[u8]>>, Trap> {
        if self.arg(index) == 0 {
            return Ok(None);
        }
        let copy = self.caller.copy_text(self.arg(index).into(), NAME_BYTES_MAX)?;
        Ok(Some(copy.ok_or(Trap::OutOfMemory)?.into_boxed_slice()))
    }

    /// The handle at the address that is an argument.
    pub fn handle(&self, index: usize) -> Result<u32, Trap> {
        self.memory().read_u32(self.arg(index).into())
    }

    /// Makes a handle, and stores it at the address that is the first argument.
    pub fn make(&self, object: Object) -> Result<u32, Trap> {
        let place = self.arg(0);
        self.memory().range(place.into(), 4)?;
        let Some(handle) = self.program.objects.add(object) else { return Ok(FAILED) };
        self.memory().write_u32(place.into(), handle)?;
        Ok(0)
    }

    /// The identity of this thread.
    pub fn thread_key(&self) -> u64 {
        self.env.addr().get() as u64
    }

    pub fn instance(&self) -> &Instance {
        // SAFETY: the guest that calls runs on this exec_env, which holds its instance.
        unsafe { self.env.as_ref().instance().as_ref() }
    }
}
