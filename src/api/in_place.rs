//! Calls in both directions for code with a form of values of its own, which reads and writes them
//! in the slots of the guest's stack: no [`Val`](super::Val) is made of them in between.
//!
//! A number takes a slot, a vector two, its lower half first. The upper half of a slot with a
//! number of 32 bits means nothing.

use super::func::run;
use super::{Caller, Func, FuncType, Native, RawExecEnv, RawFunc, Result, Trap};
use crate::native::{self, HostFunc};
use std::ptr::NonNull;
use std::sync::Arc;

impl Func {
    /// Calls a function as [`Func::call`] does. `write` puts the parameters at the address that it
    /// gets, one behind the other, and `read` finds the results there. `slots` is the larger number
    /// of slots that either takes. The result of `write` is dropped when the function has ended,
    /// before another thread can call on the link set.
    ///
    /// # Safety
    /// `env` and `func` are live and of one link set. `write` writes all parameters, each valid for
    /// its type, and both keep to as many slots as they were promised.
    #[inline]
    pub unsafe fn call_in_place<G>(
        env: NonNull<RawExecEnv>,
        func: NonNull<RawFunc>,
        slots: usize,
        write: impl FnOnce(*mut u64) -> G,
        read: impl FnOnce(*const u64),
    ) -> Result<()> {
        // SAFETY: the caller guarantees that both are live and of one link set, and what `write`
        // and `read` do. A call on a link set that another thread uses fails before either.
        unsafe { run(env.cast(), func.cast(), slots, write, read) }
    }
}

impl Native {
    /// A host function that reads its parameters from slots and leaves its results there, from the
    /// first slot on: of a type that has numbers and vectors alone, whose every slot is valid.
    /// `None` for other types. The slice has as many slots as the larger of both takes; otherwise
    /// as [`Native::new`].
    pub fn in_place(
        ty: FuncType,
        call: impl Fn(Caller<'_>, &mut [u64]) -> Result<(), Trap> + Send + Sync + 'static,
    ) -> Option<Self> {
        if !ty.is_numeric() {
            return None;
        }
        let call =
            move |caller: native::Caller<'_>, slots: &mut [u64]| call(Caller::of(caller), slots);
        Some(Self::of(Arc::new(HostFunc::in_place(ty, call))))
    }
}
