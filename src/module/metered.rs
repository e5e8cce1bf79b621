//! Types for the validator, and a bound on its work with them.
//!
//! The validator handles each parameter and result of a type wherever the type is used: at both
//! ends of a block, at a call, for every label of a branch. A use may be a single byte and have
//! 1,000 results, so that a small module could take minutes. All uses together have an allowance
//! that goes with the size of the binary.

use crate::abi::error::Error;
use std::cell::Cell;
use wasmparser::types::CoreTypeId;
use wasmparser::{
    CompositeInnerType, FuncType, GlobalType, HeapType, MemoryType, RefType, SubType, TableType,
    ValType, ValidatorResources, WasmModuleResources,
};

/// Parameters and results that each byte of a binary may use. Compilers stay below a tenth.
const VALUES_PER_BYTE: u64 = 4;

/// The extra allowance of any binary, even a small one.
const VALUES_MIN: u64 = 1 << 20;

/// Parameters and results that the code of one module may still use. Owner: its reading.
#[derive(Clone, Copy)]
pub(super) struct Allowance(u64);

impl Allowance {
    /// That of a binary of this length.
    pub(super) fn new(len: usize) -> Self {
        Self(VALUES_MIN.saturating_add((len as u64).saturating_mul(VALUES_PER_BYTE)))
    }

    /// The resources of the next body, which nothing is taken from yet.
    pub(super) fn resources(self, resources: ValidatorResources) -> Metered {
        Metered { resources, left: Cell::new(u64::MAX), refused: Cell::new(false) }
    }

    /// From now on `metered` is charged, for the locals that its function's type makes to begin
    /// with.
    pub(super) fn lend(self, metered: &Metered, type_index: u32) {
        metered.left.set(self.0);
        metered.sub_type_at(type_index);
    }

    /// Takes back the rest of the allowance of `metered`; an error if that was exceeded.
    pub(super) fn take_back(&mut self, metered: &Metered) -> Result<(), Error> {
        self.0 = metered.left.get();
        if metered.refused.get() {
            return Err(Error::load("too many parameters and results for the size of the code"));
        }
        Ok(())
    }
}

/// The resources of a body, which refuse types once the allowance is used up.
pub(super) struct Metered {
    resources: ValidatorResources,
    left: Cell<u64>,
    refused: Cell<bool>,
}

impl Metered {
    /// Charges for one use of a type; `None` if too little is left.
    #[inline]
    fn charge(&self, ty: &FuncType) -> Option<()> {
        let values = ty.params().len() + ty.results().len();
        match self.left.get().checked_sub(values as u64) {
            Some(left) => {
                self.left.set(left);
                Some(())
            }
            None => {
                self.refused.set(true);
                None
            }
        }
    }
}

impl WasmModuleResources for Metered {
    #[inline]
    fn sub_type_at(&self, type_index: u32) -> Option<&SubType> {
        let found = self.resources.sub_type_at(type_index)?;
        if let CompositeInnerType::Func(ty) = &found.composite_type.inner {
            self.charge(ty)?;
        }
        Some(found)
    }

    #[inline]
    fn tag_at(&self, at: u32) -> Option<&FuncType> {
        let found = self.resources.tag_at(at)?;
        self.charge(found)?;
        Some(found)
    }

    #[inline]
    fn table_at(&self, at: u32) -> Option<TableType> {
        self.resources.table_at(at)
    }

    #[inline]
    fn memory_at(&self, at: u32) -> Option<MemoryType> {
        self.resources.memory_at(at)
    }

    #[inline]
    fn global_at(&self, at: u32) -> Option<GlobalType> {
        self.resources.global_at(at)
    }

    #[inline]
    fn sub_type_at_id(&self, id: CoreTypeId) -> &SubType {
        self.resources.sub_type_at_id(id)
    }

    #[inline]
    fn type_id_of_function(&self, func_index: u32) -> Option<CoreTypeId> {
        self.resources.type_id_of_function(func_index)
    }

    #[inline]
    fn type_index_of_function(&self, func_index: u32) -> Option<u32> {
        self.resources.type_index_of_function(func_index)
    }

    #[inline]
    fn element_type_at(&self, at: u32) -> Option<RefType> {
        self.resources.element_type_at(at)
    }

    #[inline]
    fn is_subtype(&self, a: ValType, b: ValType) -> bool {
        self.resources.is_subtype(a, b)
    }

    #[inline]
    fn is_shared(&self, ty: RefType) -> bool {
        self.resources.is_shared(ty)
    }

    #[inline]
    fn check_heap_type(&self, ty: &mut HeapType, offset: u64) -> wasmparser::Result<()> {
        self.resources.check_heap_type(ty, offset)
    }

    #[inline]
    fn top_type(&self, ty: &HeapType) -> HeapType {
        self.resources.top_type(ty)
    }

    #[inline]
    fn element_count(&self) -> u32 {
        self.resources.element_count()
    }

    #[inline]
    fn data_count(&self) -> Option<u32> {
        self.resources.data_count()
    }

    #[inline]
    fn is_function_referenced(&self, index: u32) -> bool {
        self.resources.is_function_referenced(index)
    }

    #[inline]
    fn has_function_exact_type(&self, index: u32) -> bool {
        self.resources.has_function_exact_type(index)
    }
}
