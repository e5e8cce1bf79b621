//! A module's exports for the host: its allocator, and the start of its own heap.
//!
//! Linkers and AssemblyScript give these exports fixed names; the host recognises them by name
//! and type, as WAMR does.

use crate::abi::types::ValType;
use crate::module::{ConstOp, ExternKind, Module};

/// Functions of a guest's own allocator, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestAllocator {
    pub malloc: u32,
    /// AssemblyScript's function, called with the result of `malloc`, which then takes a class id.
    pub retain: Option<u32>,
    pub free: u32,
}

impl GuestAllocator {
    /// The allocator that `module` exports, if it is complete.
    pub fn of(module: &Module) -> Option<Self> {
        use ValType::I32;
        let find = |name| function(module, name, &[I32], &[]);
        let free = find("free").or_else(|| find("__release")).or_else(|| find("__unpin"))?;
        if let Some(malloc) = function(module, "malloc", &[I32], &[I32]) {
            return Some(Self { malloc, retain: None, free });
        }
        let malloc = function(module, "__new", &[I32, I32], &[I32])?;
        let retain = function(module, "__retain", &[I32], &[I32])
            .or_else(|| function(module, "__pin", &[I32], &[I32]))?;
        Some(Self { malloc, retain: Some(retain), free })
    }
}

/// A function that `module` defines and exports with this type.
fn function(module: &Module, name: &str, params: &[ValType], results: &[ValType]) -> Option<u32> {
    let index = module.exported(name, ExternKind::Func)?;
    let ty = module.func_type(index)?;
    let fits = index >= module.imported.funcs && ty.params() == params && ty.results() == results;
    fits.then_some(index)
}

/// The defined global that holds the start of the guest's heap, and its value.
pub fn heap_base(module: &Module) -> Option<(u32, u64)> {
    let (global, base) = constant_export(module, "__heap_base")?;
    let (_, data_end) = constant_export(module, "__data_end")?;
    (data_end.next_multiple_of(16) <= base).then_some((global, base))
}

/// A constant that the linker exports: the defined global's index, and its value.
pub fn constant_export(module: &Module, name: &str) -> Option<(u32, u64)> {
    let index = module.exported(name, ExternKind::Global)?;
    let defined = index.checked_sub(module.imported.globals)?;
    let global = module.globals.get(index as usize)?;
    match global.init.as_ref()?.ops() {
        [ConstOp::I32(value)] if !global.ty.mutable => Some((defined, *value as u32 as u64)),
        _ => None,
    }
}
