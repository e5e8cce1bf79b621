//! Exports by name.

use super::{Export, ExternKind, Module};
use crate::abi::error::{Error, Result};
use crate::alloc;

/// Indices into the export list, ordered by name, so that a look-up needs no hashing state and
/// no second copy of the names.
pub struct ExportIndex(Box<[u32]>);

impl ExportIndex {
    pub(super) fn new(exports: &[Export]) -> Result<Self> {
        let mut order = alloc::try_vec(exports.len()).map_err(|_| Error::out_of_memory())?;
        order.extend(0..exports.len() as u32);
        order.sort_unstable_by_key(|&i| &*exports[i as usize].name);
        Ok(Self(order.into_boxed_slice()))
    }
}

impl Module {
    /// The export called `name`. Names are unique within a module, across all kinds.
    pub fn export(&self, name: &str) -> Option<&Export> {
        let order = &self.export_index.0;
        let found = order.binary_search_by_key(&name, |&i| &*self.exports[i as usize].name).ok()?;
        self.exports.get(order[found] as usize)
    }

    /// Index of the `kind` that is exported as `name`.
    pub fn exported(&self, name: &str, kind: ExternKind) -> Option<u32> {
        self.export(name).filter(|export| export.kind == kind).map(|export| export.index)
    }
}
