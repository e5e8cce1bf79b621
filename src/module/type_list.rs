//! The types that a module defines.

use crate::abi::definitions::SubType;
use crate::abi::types::FuncType;
use crate::alloc::fallible;
use std::collections::TryReserveError;

/// See the module. Numbers in the types are indices here.
#[derive(Default)]
pub struct TypeList {
    types: Vec<SubType>,
    /// Where each group of types that may refer to each other ends.
    ends: Vec<u32>,
    /// A type without parameters and results, for indices that are no functions'.
    empty: FuncType,
}

impl TypeList {
    pub fn len(&self) -> usize {
        self.types.len()
    }

    pub fn get(&self, index: u32) -> Option<&SubType> {
        self.types.get(index as usize)
    }

    /// The type of functions with this index.
    pub fn func(&self, index: u32) -> Option<&FuncType> {
        self.get(index)?.func()
    }

    /// As [`TypeList::func`], for an index that validation found to be one. If it is none, the
    /// type has neither parameters nor results.
    pub fn valid_func(&self, index: u32) -> &FuncType {
        self.func(index).unwrap_or(&self.empty)
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = &SubType> {
        self.types.iter()
    }

    /// The groups of types, in order.
    pub fn groups(&self) -> impl Iterator<Item = &[SubType]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let group = self.types.get(start..end as usize).unwrap_or_default();
            start = end as usize;
            group
        })
    }

    /// Makes room for so many more groups of one type.
    pub(super) fn reserve(&mut self, groups: usize) -> Result<(), TryReserveError> {
        fallible(|| self.types.try_reserve_exact(groups))?;
        fallible(|| self.ends.try_reserve_exact(groups))
    }

    /// Makes room for a group of so many types.
    pub(super) fn open_group(&mut self, types: usize) -> Result<(), TryReserveError> {
        fallible(|| self.types.try_reserve(types))
    }

    /// Appends a type to the group that is open.
    pub(super) fn push(&mut self, ty: SubType) -> Result<(), TryReserveError> {
        fallible(|| self.types.try_reserve(1))?;
        self.types.push(ty);
        Ok(())
    }

    pub(super) fn end_group(&mut self) -> Result<(), TryReserveError> {
        fallible(|| self.ends.try_reserve(1))?;
        self.ends.push(self.types.len() as u32);
        Ok(())
    }

    /// Function types, each a group of its own.
    #[cfg(test)]
    pub fn of_funcs(types: impl IntoIterator<Item = FuncType>) -> Self {
        Self::of_groups(types.into_iter().map(|ty| vec![SubType::from(ty)]))
    }

    #[cfg(test)]
    pub fn of_groups(groups: impl IntoIterator<Item = Vec<SubType>>) -> Self {
        let mut list = Self::default();
        for group in groups {
            list.types.extend(group);
            list.ends.push(list.types.len() as u32);
        }
        list
    }
}
