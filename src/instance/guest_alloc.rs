//! A module's exports for the host: its allocator, and the start of its own heap.
//!
//! Linkers and AssemblyScript give these exports fixed names; the host recognises them by name
//! and type, as WAMR does.

use crate::abi::types::ValType;
use crate::module::{ExternKind, Module};

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
        let size = module.address_type();
        let find = |name| function(module, name, &[size], &[]);
        let free = find("free").or_else(|| find("__release")).or_else(|| find("__unpin"))?;
        if let Some(malloc) = function(module, "malloc", &[size], &[size]) {
            return Some(Self { malloc, retain: None, free });
        }
        let malloc = function(module, "__new", &[size, ValType::I32], &[size])?;
        let retain = function(module, "__retain", &[size], &[size])
            .or_else(|| function(module, "__pin", &[size], &[size]))?;
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
    (data_end.checked_next_multiple_of(16)? <= base).then_some((global, base))
}

/// An address that the linker exports as a constant: the defined global's index, and its value.
pub fn constant_export(module: &Module, name: &str) -> Option<(u32, u64)> {
    let index = module.exported(name, ExternKind::Global)?;
    let defined = index.checked_sub(module.imported.globals)?;
    let global = module.globals.get(index as usize)?;
    if global.ty.mutable || global.ty.val != module.address_type() {
        return None;
    }
    Some((defined, global.init.as_ref()?.single()?.as_address()?))
}
