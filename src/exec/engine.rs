//! The interface of engines: code that runs guest code, such as the interpreter.
//!
//! Functions are entered by their references (`VmFuncRef::entry`). Only the engine itself can read
//! its frames on the guest's stack: each activation names its engine, whose functions here describe
//! the frames. They run no guest code, and only [`Engine::position`] allocates.

use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEntry, VmEnv, VmTag};
use crate::exec::enter;
use crate::exec::trace::FramePlace;
use crate::instance::{CodeTable, ImportEntries};
use crate::module::Module;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;

/// A point that guest code has come to: an instruction, and the frame that it works on, in the
/// terms of the engine.
#[derive(Clone, Copy)]
pub struct Point {
    pub ip: *const u8,
    pub sp: *mut u64,
}

/// A frame of guest code.
pub struct GuestFrame {
    pub func_index: u32,
    pub place: FramePlace,
    /// The call that has made the frame; `None` for the outermost one of its activation.
    pub caller: Option<Point>,
}

/// A step of [`Engine::references`].
pub enum Shown {
    /// A frame, before its references.
    Frame,
    /// A place that holds a reference.
    Reference(*mut u64),
    /// A place that does not, after all.
    Nothing,
}

/// What [`Engine::references`] shows its steps to.
pub type Show<'a> = &'a mut dyn FnMut(Shown) -> Result<(), Trap>;

/// What a search for a handler costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// The frames and clauses that are looked at are charged for.
    Charged,
    /// Nothing: the exception has come out of a call, and was searched for from there.
    Again,
}

/// The tag of an exception that a handler is looked for, and how.
pub type Sought = (*const VmTag, Search);

/// What an engine tells of its code. There is one of them for each engine, which lasts for ever;
/// activations lead to it.
///
/// Its functions are unsafe: the activation must be live and this engine's, its guest code at the
/// point, and the thread of its stack must do nothing else meanwhile.
pub struct Engine {
    /// The frame at a call.
    pub frame_at_call: unsafe fn(&VmActivation, Point) -> Option<GuestFrame>,
    /// The frame at the instruction that has trapped.
    pub frame_at_trap: unsafe fn(&VmActivation, Point) -> Option<GuestFrame>,
    /// Whether one of the activation's frames catches exceptions with the tag. The search is
    /// charged to the environment, so it may end with a trap.
    pub catches: unsafe fn(*mut VmEnv, &VmActivation, Point, Sought) -> Result<bool, Trap>,
    /// Shows the places of the activation's frames that may hold references to what guests have
    /// made, exceptions and objects; externrefs are among them. It works in short steps, each of
    /// which is shown and may be the last: then it ends with the reason. The point is one that may
    /// throw or make an object, or a call.
    pub references: unsafe fn(&VmActivation, Point, Show<'_>) -> Result<(), Trap>,
    /// Where in the module the operator stands that a [`FramePlace::Code`] of a function is about.
    /// Takes bounded time; `None` if that is too little, or memory runs out. Safe.
    pub position: fn(&Module, func_index: u32, code: u64) -> Option<u32>,
}

/// The engine of an activation; `None` for a host function.
///
/// # Safety
/// The activation is live.
pub unsafe fn engine_of(activation: *const VmActivation) -> Option<&'static Engine> {
    // SAFETY: the field is null or an engine's, says `VmActivation`, and engines last for ever.
    unsafe { (*activation).engine.cast::<Engine>().as_ref() }
}

/// The machine code of a module, as far as there is any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompiledCode {
    /// Functions that have been compiled.
    pub funcs: u64,
    /// Loops that functions in the midst of them go on in compiled code from.
    pub loops: u64,
    /// Bytes of the pages that machine code takes.
    pub bytes: u64,
}

/// A module's code as an engine keeps it. Owner: the `Arc`s of its instances.
pub trait GuestCode: Send + Sync {
    fn module(&self) -> &Arc<Module>;

    /// The entry and the records that function references of the module get.
    fn table(&self) -> CodeTable;

    /// Whether the code measures the cost of its functions.
    fn is_profiled(&self) -> bool;

    /// Bytes that code and tables take now.
    fn bytes(&self) -> u64;

    /// The machine code that there is now.
    fn compiled(&self) -> CompiledCode;

    /// Nothing runs the code any more, or will: other threads that work on it are done when this
    /// returns, so that what it has is freed with its last owner.
    fn retire(&self) {}

    /// The same engine's code of another copy of the module, made in the same way.
    fn again(&self, module: Arc<Module>) -> crate::abi::error::Result<Arc<dyn GuestCode>>;
}

/// A table of code that is entered by `entry`, with the engine's records of the module's defined
/// functions at `first`.
pub fn code_table<T>(entry: VmEntry, first: *const T) -> CodeTable {
    const IMPORTS: &ImportEntries = &ImportEntries { host: enter::host, unlinked: enter::unlinked };
    CodeTable {
        entry,
        first: first.cast::<c_void>(),
        stride: size_of::<T>(),
        builtins: ptr::null(),
        imports: IMPORTS,
    }
}
