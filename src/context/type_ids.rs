//! Numbers of function types as modules hold them.

use super::Context;
use crate::abi::error::{Error, Result};
use crate::abi::types::FuncType;
use crate::alloc;
use std::ops::Deref;

impl Context {
    /// Canonical numbers for function types, alive as long as the result is.
    pub fn intern_types<'a>(
        &self,
        types: impl ExactSizeIterator<Item = &'a FuncType>,
    ) -> Result<TypeIds> {
        self.guarded(|| {
            let mut ids = Vec::new();
            alloc::fallible(|| ids.try_reserve_exact(types.len()))
                .map_err(|_| Error::out_of_memory())?;
            // Made first, so that a failure releases the types numbered before it.
            let mut numbers = TypeIds { context: self.clone(), ids };
            let mut table = self.0.parts.types.0.lock();
            for ty in types {
                match table.intern(ty) {
                    Ok(id) => numbers.ids.push(id),
                    Err(error) => {
                        drop(table);
                        return Err(error);
                    }
                }
            }
            drop(table);
            Ok(numbers)
        })?
    }
}

/// Numbers of some function types, in the order they were asked for.
pub struct TypeIds {
    context: Context,
    ids: Vec<u32>,
}

impl Deref for TypeIds {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        &self.ids
    }
}

impl Drop for TypeIds {
    fn drop(&mut self) {
        let mut table = self.context.0.parts.types.0.lock();
        for &id in &self.ids {
            table.release(id);
        }
    }
}
