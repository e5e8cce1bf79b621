//! What runs of a guest without being called by anybody: start functions and their relatives, and
//! the guest's own allocator.
//!
//! Each gets an exec_env of its own, which is gone afterwards. It shares the context's limits and
//! is listed with its instance like all others, so that time, fuel and requests to stop reach it.

use super::func::call_slots;
use super::{Error, ErrorKind, Instance, Result};
use crate::exec::{EnvKind, EnvSetup, ExecEnv as Env};
use crate::interp;
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
                    let text = self.exception().unwrap_or_else(|| trap.text().to_owned());
                    Error::new(ErrorKind::Trap(trap), text)
                })?;
            }
            Ok(())
        })?
    }

    /// Runs `act` with an exec_env that is gone afterwards.
    pub(super) fn with_temporary_env<R>(&self, act: impl FnOnce(NonNull<Env>) -> R) -> Result<R> {
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
            run: interp::run,
            stack_bytes,
            owner: std::ptr::from_ref(self.context_ref()).cast(),
            limits: self.context_ref().limits(),
        }
    }
}
