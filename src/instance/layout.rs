//! Where things lie in an instance's block.
//!
//! [`Instance`] comes first, with running code's view at its very start; then the parts that
//! running code reaches from there, the hottest first.

use super::Instance;
use super::memory::Memory;
use super::table::{ELEMS_MAX, Table};
use crate::abi::types::GlobalType;
use crate::abi::vm_layout::{VmFuncRef, VmGlobal, VmMemory, VmTable, VmTag};
use crate::module::Module;

/// Offsets of an instance's parts, in bytes from the start of its block.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    pub globals: usize,
    /// Room for unlinked imported globals, behind the defined ones.
    pub own_imported_globals: usize,
    pub func_refs: usize,
    pub memory_list: usize,
    pub table_list: usize,
    pub global_list: usize,
    /// Types of the imported globals.
    pub global_types: usize,
    pub tag_list: usize,
    /// Those of the instance: defined ones by index, then unlinked imported ones.
    pub tags: usize,
    pub memories: usize,
    pub tables: usize,
    pub elems: usize,
    /// One byte for each data segment, then one for each element segment: non-zero if dropped.
    pub dropped: usize,
    pub bytes: usize,
}

/// Parts of the block that need tearing down, or that running code does not reach.
pub(super) struct OwnParts {
    pub(super) memories: *mut Memory,
    pub(super) memory_count: usize,
    pub(super) tables: *mut Table,
    pub(super) table_count: usize,
    pub(super) dropped: *mut u8,
    /// The type that each imported global has, with canonical numbers.
    pub(super) global_types: *const GlobalType,
}

/// How many imports the instance provides for itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnImports {
    pub memories: usize,
    pub tables: usize,
    /// Elements of those tables.
    pub elems: u64,
    pub globals: usize,
    pub tags: usize,
}

impl Layout {
    /// The layout for an instance of `module`, or `None` if it is beyond all bounds.
    pub fn new(module: &Module, own: &OwnImports) -> Option<Self> {
        let imported = &module.imported;
        let mut at = Cursor { offset: size_of::<Instance>() };
        let defined_globals = module.globals.len() - imported.globals as usize;
        let defined_tables = &module.tables[imported.tables as usize..];
        let mut elems = own.elems;
        for table in defined_tables {
            if table.ty.limits.min > ELEMS_MAX {
                return None;
            }
            elems = elems.checked_add(table.ty.limits.min)?;
        }
        Some(Self {
            globals: at.place::<VmGlobal>(defined_globals)?,
            own_imported_globals: at.place::<VmGlobal>(own.globals)?,
            func_refs: at.place::<VmFuncRef>(module.func_refs.order.len())?,
            memory_list: at.place::<*mut VmMemory>(module.memories.len())?,
            table_list: at.place::<*mut VmTable>(module.tables.len())?,
            global_list: at.place::<*mut VmGlobal>(imported.globals as usize)?,
            global_types: at.place::<GlobalType>(imported.globals as usize)?,
            tag_list: at.place::<*const VmTag>(module.tags.len())?,
            tags: at.place::<VmTag>(module.tags.len() - imported.tags as usize + own.tags)?,
            memories: at.place::<Memory>(
                module.memories.len() - imported.memories as usize + own.memories,
            )?,
            tables: at.place::<Table>(defined_tables.len() + own.tables)?,
            elems: at.place::<u64>(usize::try_from(elems).ok()?)?,
            dropped: at.place::<u8>(module.datas.len() + module.elems.len())?,
            bytes: at.offset,
        })
    }
}

struct Cursor {
    offset: usize,
}

impl Cursor {
    fn place<T>(&mut self, count: usize) -> Option<usize> {
        let start = self.offset.checked_next_multiple_of(align_of::<T>())?;
        self.offset = start.checked_add(count.checked_mul(size_of::<T>())?)?;
        Some(start)
    }
}
