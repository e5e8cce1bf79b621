//! Canonical numbers of function types.
//!
//! `call_indirect` compares one number, so equal types have the same number within a context.
//! Numbers are counted: a type's goes when the last instance or host function that uses it goes,
//! so that loading and unloading modules forever does not grow the table. Zero is never given
//! out.

use crate::abi::error::{Error, Result};
use crate::abi::types::FuncType;
use crate::alloc;
use crate::sync::Lock;
use std::collections::HashMap;
use std::sync::Arc;

/// The types in use. Owner: the context.
#[derive(Default)]
pub(super) struct TypeTable(pub(super) Lock<Types>);

#[derive(Default)]
pub(super) struct Types {
    numbers: HashMap<Arc<FuncType>, u32>,
    /// The types by number; the type with number `n` is at `n - 1`.
    slots: Vec<TypeSlot>,
    /// First free number, or 0.
    first_free: u32,
}

enum TypeSlot {
    Used { ty: Arc<FuncType>, count: usize },
    Free { next: u32 },
}

impl Types {
    pub(super) fn intern(&mut self, ty: &FuncType) -> Result<u32> {
        if let Some(&number) = self.numbers.get(ty) {
            if let Some(TypeSlot::Used { count, .. }) = self.slots.get_mut(number as usize - 1) {
                *count += 1;
            }
            return Ok(number);
        }
        alloc::fallible(|| self.numbers.try_reserve(1).and_then(|()| self.slots.try_reserve(1)))
            .map_err(|_| Error::out_of_memory())?;
        let ty = Arc::new(ty.clone());
        let used = TypeSlot::Used { ty: ty.clone(), count: 1 };
        let number = match self.first_free {
            0 => {
                self.slots.push(used);
                u32::try_from(self.slots.len()).map_err(|_| Error::out_of_memory())?
            }
            number => {
                let slot = std::mem::replace(&mut self.slots[number as usize - 1], used);
                self.first_free = if let TypeSlot::Free { next } = slot { next } else { 0 };
                number
            }
        };
        self.numbers.insert(ty, number);
        Ok(number)
    }

    pub(super) fn release(&mut self, number: u32) {
        let Some(slot) = self.slots.get_mut(number as usize - 1) else { return };
        let TypeSlot::Used { ty, count } = slot else { return };
        *count -= 1;
        if *count == 0 {
            self.numbers.remove(&**ty);
            *slot = TypeSlot::Free { next: self.first_free };
            self.first_free = number;
        }
    }
}

impl TypeTable {
    /// Forgets everything and keeps no memory.
    pub(super) fn clear(&self) {
        let types = std::mem::take(&mut *self.0.lock());
        drop(types);
    }

    #[cfg(test)]
    pub(super) fn live(&self) -> usize {
        self.0.lock().numbers.len()
    }
}
