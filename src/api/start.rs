//! Functions of a guest that the runtime calls on its own: start functions and their relatives, and
//! the guest's allocator.
//!
//! Each gets an exec_env of its own, which is gone afterwards. It shares the context's limits and
//! is listed with its instance like all others, so that time, fuel and requests to stop reach it.

use super::func::call_slots;
use super::{Error, ErrorKind, Instance, Result, Trap};
use crate::abi::vm_layout::VmFuncRef;
use crate::exec::{EnvKind, EnvSetup, ExecEnv as Env};
use crate::instance::{any_env, link_set};
use std::ptr::NonNull;

impl Instance {
    /// Runs the start function and its relatives.
    pub(super) fn run_entry_points(&self) -> Result<()> {
        let entry_points = self.surroundings().module.entry_points;
        if entry_points.iter().next().is_none() {
            return Ok(());
        }
        self.with_temporary_env(|env| {
            for index in entry_points.iter() {
                let func = self.parts().func(index).ok_or_else(Error::out_of_memory)?;
                // SAFETY: the function and the exec_env are this instance's.
                unsafe { call_slots(env, func, &mut []) }.map_err(|trap| {
                    match self.exception() {
                        Some(text) => Error::new(ErrorKind::Trap(trap), text),
                        None => trap.into(),
                    }
                })?;
            }
            Ok(())
        })?
    }

    /// Calls a function of the guest's for the host. If that is itself called by the guest, the
    /// instructions count where it was called.
    ///
    /// # Safety
    /// The function is the instance's, and `slots` are its parameters and have room for its
    /// results.
    pub(super) unsafe fn call_for_host(
        &self,
        func: NonNull<VmFuncRef>,
        slots: &mut [u64],
    ) -> Result<Result<(), Trap>> {
        self.with_temporary_env(|env| {
            let payer = self.payer();
            // SAFETY: `payer` says that this thread uses the link set of the one, the other has
            // just been made for it; for the function speaks the caller.
            unsafe {
                if let Some(payer) = payer {
                    Env::inherit_fuel(env, payer);
                }
                let before = Env::fuel_left(Env::vm(env));
                let called = call_slots(env, func, slots);
                let after = Env::fuel_left(Env::vm(env));
                if let (Some(payer), Some(before), Some(after)) = (payer, before, after) {
                    Env::spend_fuel(payer, before.saturating_sub(after));
                }
                called
            }
        })
    }

    /// Of the exec_envs whose calls of the host this one is inside of, the one with the fewest
    /// instructions left, if they are limited. There is none if another thread uses the link set.
    fn payer(&self) -> Option<NonNull<Env>> {
        let mut payer = None;
        let mut least = u64::MAX;
        // SAFETY: this handle keeps the link set alive, and while it is in use here no other thread
        // runs its exec_envs. Each is the owner of its view.
        unsafe {
            let _used = link_set::Use::begin(self.ptr())?;
            any_env(self.ptr(), |vm| {
                if let (true, Some(left)) = (Env::is_in_call(vm), Env::fuel_left(vm))
                    && left < least
                {
                    least = left;
                    payer = NonNull::new((*vm).owner.cast::<Env>());
                }
                false
            });
        }
        payer
    }

    /// Runs `act` with an exec_env that is gone afterwards.
    fn with_temporary_env<R>(&self, act: impl FnOnce(NonNull<Env>) -> R) -> Result<R> {
        let setup = self.env_setup(self.parts().limits().stack_bytes);
        self.context().run(|| {
            // SAFETY: the instance is live, and outlives the exec_env.
            let env = unsafe { Env::new(self.ptr(), EnvKind::Singleton, setup) };
            let env = env.ok_or_else(Error::out_of_memory)?;
            let result = act(env);
            // SAFETY: made above, and no longer running.
            unsafe { Env::free(env) };
            Ok(result)
        })
    }

    pub(super) fn env_setup(&self, stack_bytes: u32) -> EnvSetup {
        EnvSetup {
            stack_bytes,
            owner: std::ptr::from_ref(self.context_ref()).cast(),
            limits: self.context_ref().limits(),
        }
    }
}
