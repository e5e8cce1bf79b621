//! Execution environments, and entering and leaving guest code.
//!
//! An [`ExecEnv`] is a guest stack that one thread uses at a time. [`call`] places parameters on
//! it, checks the room on the stack, enters the function by its reference and turns a trap into the
//! instance's pending exception. Nothing here knows an engine: [`engine`] is the interface of all
//! of them, [`frames`] goes through stacks of several, [`throw`] throws through them. Nothing here
//! knows contexts either: the caller has made the right one current and passes the limit of the
//! native stack.
//!
//! Control enters from the embedder through [`call`] and [`cells`], and from running code through
//! [`nested`], [`throw`], [`objects`], [`fields`], [`builtins`] and [`atomics`], the slow paths
//! that engines share; [`work`] charges for their work.
//!
//! Terms: a *slot* is 8 bytes of the guest's stack. A *run* ([`Run`]) is a function from its entry
//! until it is left; meanwhile its *activation* (`VmActivation`) is in the environment and names
//! the engine that can read its frames. A *point* ([`Point`]) is an instruction of guest code with
//! its frame.

pub mod atomics;
mod blocking;
pub mod builtins;
mod call;
mod cells;
mod collect;
mod engine;
mod enter;
mod env;
pub mod fields;
mod frames;
pub mod limits;
pub mod objects;
mod quota;
mod roots;
pub mod throw;
mod trace;
pub mod work;

pub use blocking::{blocking, poll_timeout, sleep, wait_at, wait_to_write, wake_descriptor};
pub use call::{Call, Pending, func_type};
pub use cells::call_cells;
pub use collect::make_object;
pub use engine::{
    CompiledCode, Engine, GuestCode, GuestFrame, Point, Search, Show, Shown, Sought, code_table,
};
#[cfg(test)]
pub use enter::nested;
pub use enter::{Run, away, call_out, end_in_host, follow, tail_call};
pub use env::{EnvKind, EnvSetup, ExecEnv};
pub use frames::{Frames, record_trap};
pub use limits::{
    CallCounts, DescriptorCounts, Limits, descriptor_slot, errand_slot, stop_reason, time_left,
};
pub use quota::QuotaSlot;
pub use roots::for_each_local_ref;
pub use trace::{FramePlace, Trace, TraceFrame};

/// Bytes of native stack that guest code leaves to the host functions it calls and to itself.
/// Small enough for threads with stacks of 64 KiB.
pub const NATIVE_STACK_MARGIN: usize = 16 << 10;

#[cfg(test)]
mod tests;
