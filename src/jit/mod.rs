//! Compiled code: functions as machine code, made by Cranelift.
//!
//! It is an engine above the interpreter. A module's code ([`TieredCode`]) is the interpreter's,
//! whose records say of each function what calls find: the interpreter's code, compiled code, or
//! both. `translate` turns a body into Cranelift's IR, `compiler` that into machine code,
//! `code_memory` holds it, and `code` publishes it, in the order of `thread`, or as `ahead` has it
//! from a file. `engine` finds its
//! frames (`frames`), `enter` has the ways in and out in assembly, and `builtins` the functions of
//! the runtime that it calls (`table`). `perf` tells Linux's perf where functions are.
//!
//! It knows no context, no native and no thread of guests. Control enters at [`engine::run`],
//! through the references to functions; from the interpreter, whose calls of a compiled function
//! are diverted (`interp::EnterOther`); and at the functions in `engine::ENGINE`, from `exec`.
//!
//! Compiled code calls functions of its instance on the native stack, by Cranelift's convention
//! `tail`, and looks for room on it; where there is little, the interpreter runs the function,
//! which needs none. So guests cannot overflow the native stack here either, and have the same
//! stack of their own.

mod accesses;
pub mod ahead;
mod builtins;
mod code;
mod code_memory;
mod compiler;
mod engine;
mod enter;
mod frame_tables;
mod frames;
mod layout;
mod made;
mod objects;
mod perf;
mod table;
mod thread;
mod translate;
mod unwind;

#[cfg(test)]
mod tests;

pub use code::{Policy, TieredCode, When};
pub use code_memory::MappedFile;
pub use compiler::OptLevel;
pub use made::CodeBudget;
pub use perf::PerfNotes;
pub use thread::CompileThread;

use crate::abi::error::Result;
use crate::module::Module;
use ahead::Image;
use std::sync::Arc;

/// The ways of this build. Owner: the process; it never changes.
static WAYS: &code::Ways = &code::Ways {
    entry: engine::run,
    from_interpreter: engine::enter_from_interpreter,
    into_loop: engine::enter_loop,
    builtins: builtins::BUILTINS,
};

/// The code of a module whose functions are compiled; nothing is compiled yet.
pub fn code(module: Arc<Module>, policy: Policy) -> Result<Arc<TieredCode>> {
    TieredCode::new(module, policy, WAYS)
}

/// The code of a module out of a file; functions without code there are interpreted.
///
/// # Safety
/// The image's code was made of this module, by this build's compiler.
pub unsafe fn code_of_image(
    module: Arc<Module>,
    image: Image,
    policy: Policy,
) -> Result<Arc<TieredCode>> {
    // SAFETY: the caller guarantees that the code is the module's.
    unsafe { TieredCode::of_image(module, image, policy, WAYS) }
}
