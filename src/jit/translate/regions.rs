//! The parts of memory that compiled code accesses.

use cranelift_codegen::ir::{AliasRegion, AliasRegionData, Endianness, Function, MemFlagsData};

/// Parts of memory that do not overlap, for Cranelift's alias analysis.
#[derive(Clone, Copy)]
pub struct Regions {
    /// Structs of `abi::vm_layout`, and globals.
    state: AliasRegion,
    /// Slots of the guest's stack.
    slots: AliasRegion,
    /// Guests' memories.
    memory: AliasRegion,
    /// Elements of tables, and function references.
    tables: AliasRegion,
}

impl Regions {
    pub fn new(function: &mut Function) -> Self {
        let mut region = |user_id, description: &'static str| {
            let description = description.into();
            function.dfg.alias_regions.insert(AliasRegionData { user_id, description })
        };
        Self {
            state: region(0, "state"),
            slots: region(1, "slots"),
            memory: region(2, "memory"),
            tables: region(3, "tables"),
        }
    }

    pub fn state(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.state))
    }

    pub fn slots(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.slots))
    }

    pub fn tables(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.tables))
    }

    /// Bounds have been checked; nothing is known of alignment.
    pub fn memory(&self) -> MemFlagsData {
        MemFlagsData::new()
            .with_notrap()
            .with_endianness(Endianness::Little)
            .with_alias_region(Some(self.memory))
    }
}
