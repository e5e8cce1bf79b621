//! Execution environments, and entering and leaving guest code.
//!
//! An [`ExecEnv`] is a guest stack that one thread uses at a time. [`call`] places parameters on
//! it, looks at how much stack is left, hands over to whatever runs the function and turns a
//! trap into the instance's pending exception. What runs guest code comes in as a function
//! pointer ([`EngineRun`]), so nothing here knows an engine; nothing here knows contexts either:
//! the caller has made the right one current and says how deep the native stack may go.
//!
//! Control enters from the embedder through [`call`] and [`cells`], and from running code
//! through [`builtins`] and [`atomics`], the slow paths that engines share; [`work`] is how these
//! keep to the limits.

pub mod atomics;
mod blocking;
pub mod builtins;
mod call;
mod cells;
mod descriptors;
mod env;
mod errands;
pub mod limits;
mod trace;
pub mod work;

pub use blocking::{bell, blocking, sleep, wait_at, wait_to_write};
pub use call::{Call, Pending, func_type};
pub use cells::call_cells;
pub use descriptors::{DescriptorCounts, DescriptorSlot, descriptor_slot};
pub use env::{EnvKind, EnvSetup, ExecEnv};
pub use errands::{ErrandSlot, errand_slot};
pub use limits::{CallCounts, Limits, stop_reason, time_left};
pub use trace::{Frame, Place, Trace};

use crate::abi::vm_layout::{VmEnv, VmFuncRef};

/// What runs guest code: finds the parameters at `frame`, leaves the results there, and returns
/// zero or the code of a trap. It may use the slots from `frame` up to the environment's limit,
/// and restores the environment's instance, globals and stack top before it returns.
pub type EngineRun =
    unsafe extern "C-unwind" fn(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32;

/// Bytes of native stack that guest code leaves to the host functions it calls and to itself.
/// Small enough for threads with stacks of 64 KiB.
pub const NATIVE_STACK_MARGIN: usize = 16 << 10;

#[cfg(test)]
mod tests;
