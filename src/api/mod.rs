//! The public types: everything an embedder, the C library, tests and benches may use.
//!
//! A [`Module`] is loaded into a [`Context`], an [`Instance`] is made from it, an [`ExecEnv`] is
//! a guest stack, and a [`Func`] is called on one. Handles are counted: instances that are linked
//! to each other form a link set that lives until the last handle into it goes, so a function
//! reference can never dangle. A handle is bound to the thread that holds it; [`Instance::detach`]
//! moves a whole link set to another thread.
//!
//! Nothing here decides how code runs: the parts below do. Control enters from the embedder, and
//! every entry makes the object's own context current for as long as it takes.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

mod address;
mod ahead;
mod ahead_options;
mod backtrace;
mod bind;
pub mod builtins;
mod defined;
mod engines;
mod env;
mod finalizer;
mod func;
mod gc_objects;
mod grow;
mod guest_types;
mod hook;
mod in_place;
mod instance;
mod items;
mod link;
mod local_refs;
mod memory_pool;
mod module;
mod native;
mod objects;
mod package;
mod profile;
mod program;
mod refs;
mod registered;
mod rooted;
mod shared_heap;
mod shared_memory;
mod start;
mod stdout;
mod sub_instances;
mod tag;
mod threads;
mod usage;

pub use crate::abi::definitions::{CompositeType, FieldType, Packed, StorageType, SubType};
pub use crate::abi::error::{Error, ErrorKind, Result};
pub use crate::abi::heap_types::{HeapType, Hierarchy, RefType, TypeIndex, TypeKind};
pub use crate::abi::raw_ref::RawRef;
pub use crate::abi::trap::Trap;
pub use crate::abi::types::{FuncType, GlobalType, Limits, MemoryType, TableType, ValType};
pub use crate::abi::value::{AnyRef, ExnRef, ExternRef, FuncRef, Val};
#[doc(hidden)]
pub use crate::abi::vm_layout::VmLocalRef as RawLocalRef;
pub use crate::ahead::Processor;
pub use crate::context::Context;
pub use ahead_options::{AheadFile, AheadOptions, AheadTarget};
pub use backtrace::{Backtrace, BacktraceFrame, FrameRef};
pub use env::{ExecEnv, RawExecEnv};
pub use finalizer::ObjectFinalizer;
pub use func::{Func, RawFunc, TypedFunc};
pub use grow::{MemoryGrowCallback, MemoryGrowFailed};
pub use guest_types::{GuestType, GuestTypes};
pub use instance::{Detached, Instance, InstanceArgs, RawInstance, Terminator};
pub use items::{Extern, Global, Memory, RawMemory, Table};
pub use module::{ExportType, ExternType, ImportType, LoadOptions, Module};
pub use native::{Caller, Native};
pub use profile::FuncProfile;
pub use registered::{ModuleBytes, ModuleReader};
pub use rooted::Rooted;
pub use shared_heap::{RawSharedHeap, SharedHeap};
pub use shared_memory::SharedMemory;
pub use stdout::StdoutCallback;
pub use sub_instances::SubHostState;
pub use tag::Tag;
pub use threads::{SpawnedEnv, ThreadHandle};
pub use usage::{ExecEnvUse, InstanceUse, MemoryUse, ModuleUse};

#[cfg(test)]
mod tests;
