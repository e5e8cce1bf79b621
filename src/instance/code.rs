//! How the functions of an instance are entered, which is given from above: an instance knows no
//! engine.

use crate::abi::vm_layout::{VmBody, VmEntry};
use std::ffi::c_void;

/// An engine's code of a module, as references to its functions need it.
#[derive(Clone, Copy)]
pub struct CodeTable {
    /// Enters each of the defined functions.
    pub entry: VmEntry,
    /// The engine's record of the first defined function.
    pub first: *const c_void,
    /// Bytes from one record to the next.
    pub stride: usize,
    /// The engine's table of functions that its code calls; null if it needs none.
    pub builtins: *const c_void,
    pub imports: &'static ImportEntries,
}

/// The entries of imports that are not bound to guest code.
pub struct ImportEntries {
    pub host: VmEntry,
    pub unlinked: VmEntry,
}

impl CodeTable {
    /// The body of a function, by its number among those that the module defines.
    pub(super) fn body(&self, defined: u32) -> VmBody {
        VmBody { code: self.first.wrapping_byte_add(defined as usize * self.stride) }
    }
}
