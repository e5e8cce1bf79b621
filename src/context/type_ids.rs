//! Numbers of types as modules hold them.

use super::Context;
use crate::abi::error::{Error, Result};
use crate::abi::vm_layout::VmTypes;
use crate::alloc;
use crate::module::TypeList;
use crate::types::TypeView;
use std::ops::Deref;

impl Context {
    /// Canonical numbers for a module's types, in use as long as the result is.
    pub(crate) fn intern_types(&self, types: &TypeList) -> Result<TypeIds> {
        self.guarded(|| {
            let ids = alloc::try_vec(types.len()).map_err(|_| Error::out_of_memory())?;
            // Made first, so that a failure releases the types numbered before it.
            let mut numbers = TypeIds { context: self.clone(), ids };
            let registry = &self.0.parts.types;
            let mut room = Vec::new();
            for group in types.groups() {
                registry.intern(group, &mut numbers.ids, &mut room)?;
            }
            Ok(numbers)
        })?
    }
}

/// Numbers of a module's types, by index. Owner: the module in its context.
pub(crate) struct TypeIds {
    context: Context,
    ids: Vec<u32>,
}

impl TypeIds {
    /// The module's types in the context.
    pub(crate) fn view(&self) -> TypeView<'_> {
        // SAFETY: the registry has given these numbers, and takes them back when this is dropped.
        unsafe { TypeView::new(&self.ids, self.types()) }
    }

    /// All types of the context.
    pub(crate) fn types(&self) -> &VmTypes {
        self.context.0.parts.types.types()
    }
}

impl Deref for TypeIds {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.ids
    }
}

impl Drop for TypeIds {
    fn drop(&mut self) {
        let types = &self.context.0.parts.types;
        alloc::with_heap(self.context.heap(), || types.release(&self.ids));
    }
}
