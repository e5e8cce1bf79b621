//! The parts of memory that compiled code accesses.

use cranelift_codegen::ir::{
    AliasRegion, AliasRegionData, Endianness, Function, MemFlagsData, Type, types,
};

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
    /// Heads, fields and elements of objects, and the bits that say where there are some.
    objects: AliasRegion,
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
            objects: region(4, "objects"),
        }
    }

    pub fn state(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.state))
    }

    pub fn slots(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.slots))
    }

    /// For a value of this type in slots, which are aligned to 8 bytes.
    pub fn slots_for(&self, ty: Type) -> MemFlagsData {
        match ty {
            types::I8X16 => MemFlagsData::new().with_notrap().with_alias_region(Some(self.slots)),
            _ => self.slots(),
        }
    }

    pub fn tables(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.tables))
    }

    /// Of objects, whose fields and elements have the alignment of their sizes up to 8 bytes.
    pub fn objects(&self) -> MemFlagsData {
        MemFlagsData::new().with_notrap().with_alias_region(Some(self.objects))
    }

    /// Bounds have been checked; nothing is known of alignment.
    pub fn memory(&self) -> MemFlagsData {
        MemFlagsData::new()
            .with_notrap()
            .with_endianness(Endianness::Little)
            .with_alias_region(Some(self.memory))
    }
}
