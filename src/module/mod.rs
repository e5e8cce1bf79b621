//! A module: parsed, validated, immutable and shareable.
//!
//! It knows no instance, no engine and no context. Control enters at [`Module::parse`], which
//! copies the binary out of the embedder's buffer; all other functions only read.

mod const_expr;
mod exports;
mod features;
mod func_refs;
mod hints;
mod layouts;
mod metered;
mod names;
pub mod package;
mod parse;
mod type_list;
mod validate;
mod wasi_abi;

use crate::abi::error::{Error, Result};
use crate::abi::heap_types::HeapType;
use crate::abi::types::{FuncType, GlobalType, MemoryType, TableType, ValType};
use crate::alloc::{self, Heap, HeapConfig, HeapRef, HeapStats};
use std::ops::Range;
use std::sync::Arc;

pub use const_expr::{ConstExpr, ConstOp};
pub use exports::ExportIndex;
pub use features::Features;
pub use func_refs::FuncRefs;
pub use hints::BranchHints;
pub use layouts::ObjectLayouts;
pub use names::FuncNames;
pub use type_list::TypeList;

/// A validated module. Owners: the holders of its `Arc`, such as all its instances.
pub struct Module {
    /// The whole binary: bodies, data segments and custom sections are ranges of it.
    pub bytes: Box<[u8]>,
    pub types: TypeList,
    pub layouts: ObjectLayouts,
    /// Type index of every function, imported first.
    pub funcs: Box<[u32]>,
    /// Imports in binary order.
    pub imports: Box<[Import]>,
    pub imported: ImportCounts,
    /// All tables, imported first (those have no initialiser).
    pub tables: Box<[TableDef]>,
    /// All memories, imported first.
    pub memories: Box<[MemoryType]>,
    /// All globals, imported first (those have no initialiser).
    pub globals: Box<[GlobalDef]>,
    /// Type index of every tag, imported first.
    pub tags: Box<[u32]>,
    pub exports: Box<[Export]>,
    pub start: Option<u32>,
    pub elems: Box<[ElemSegment]>,
    pub datas: Box<[DataSegment]>,
    /// Bodies of the defined functions, from their locals to their final `end`.
    pub bodies: Box<[Range<u32>]>,
    pub func_refs: FuncRefs,
    pub custom_sections: Box<[CustomSection]>,
    export_index: ExportIndex,
    func_names: FuncNames,
    branch_hints: BranchHints,
    imports_wasi: bool,
    features: Features,
    /// The heap of the module and of its translated code; `None` for the heap that is current at
    /// each allocation.
    home: Option<HeapRef>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct ImportCounts {
    pub funcs: u32,
    pub tables: u32,
    pub memories: u32,
    pub globals: u32,
    pub tags: u32,
}

pub struct Import {
    pub module: Box<str>,
    pub name: Box<str>,
    pub ty: ExternType,
}

/// The type of an import or export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternType {
    /// A function, by type index.
    Func(u32),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
    /// A tag of exceptions, by the type index of its payload.
    Tag(u32),
}

pub struct Export {
    pub name: Box<str>,
    pub kind: ExternKind,
    /// Index in the index space of `kind`.
    pub index: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternKind {
    Func,
    Table,
    Memory,
    Global,
    Tag,
}

pub struct TableDef {
    pub ty: TableType,
    /// Initial element, null when absent.
    pub init: Option<ConstExpr>,
}

pub struct GlobalDef {
    pub ty: GlobalType,
    /// Absent for imports.
    pub init: Option<ConstExpr>,
}

pub struct ElemSegment {
    pub ty: ValType,
    pub mode: SegmentMode,
    pub items: ElemItems,
}

/// The items of an element segment.
pub enum ElemItems {
    /// Function indices, or [`ElemItems::NULL`] for a null reference. Segments of any reference
    /// type that consist of `ref.func` and `ref.null` alone are stored like this.
    Funcs(Box<[u32]>),
    /// Anything else, item by item.
    Exprs(Box<[ConstExpr]>),
}

impl ElemItems {
    /// Stands for a null reference among function indices, which are always smaller.
    pub const NULL: u32 = u32::MAX;

    pub fn len(&self) -> usize {
        match self {
            Self::Funcs(funcs) => funcs.len(),
            Self::Exprs(exprs) => exprs.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

pub struct DataSegment {
    pub mode: SegmentMode,
    /// Where the segment's bytes lie in `Module::bytes`.
    pub bytes: Range<u32>,
}

pub enum SegmentMode {
    Passive,
    /// Elements only: dropped at instantiation, present for `ref.func`.
    Declared,
    /// Copied at instantiation to `offset` of the table or memory `target`.
    Active {
        target: u32,
        offset: ConstExpr,
    },
}

/// A custom section, kept for the embedder and for names.
pub struct CustomSection {
    pub name: Box<str>,
    /// The section's content, after its name, as a range of `Module::bytes`.
    pub bytes: Range<u32>,
}

impl Module {
    /// Parses and validates a binary. Nothing of `bytes` is referred to afterwards.
    pub fn parse(bytes: &[u8], features: Features) -> Result<Self> {
        parse::check_header(bytes)?;
        // The copy comes first, and validation reads the copy, because the embedder's buffer may
        // change.
        Self::parse_owned(parse::copy(bytes)?, features)
    }

    /// As [`Module::parse`], of bytes that become the module's own.
    pub fn parse_owned(bytes: Box<[u8]>, features: Features) -> Result<Self> {
        Self::parse_with(bytes, features, parse::Bodies::Unknown)
    }

    /// As [`Module::parse`], of a binary that it has accepted before: bodies of functions are not
    /// validated again.
    ///
    /// # Safety
    /// This version of [`Module::parse`] has accepted the same bytes with the same features.
    pub unsafe fn parse_again(bytes: &[u8], features: Features) -> Result<Self> {
        parse::check_header(bytes)?;
        Self::parse_with(parse::copy(bytes)?, features, parse::Bodies::Valid)
    }

    fn parse_with(bytes: Box<[u8]>, features: Features, bodies: parse::Bodies) -> Result<Self> {
        parse::check_header(&bytes)?;
        let sections = parse::read(&bytes, features, bodies)?;
        let imports_wasi = wasi_abi::imports_wasi(&sections);
        if imports_wasi {
            wasi_abi::check(&sections)?;
        }
        Ok(Self {
            func_refs: FuncRefs::new(&sections)?,
            export_index: ExportIndex::new(&sections.exports)?,
            bytes,
            layouts: match features.contains(Features::GC) {
                true => ObjectLayouts::new(&sections.types)?,
                false => ObjectLayouts::default(),
            },
            types: sections.types,
            funcs: sections.funcs.into_boxed_slice(),
            imports: sections.imports.into_boxed_slice(),
            imported: sections.imported,
            tables: sections.tables.into_boxed_slice(),
            memories: sections.memories.into_boxed_slice(),
            globals: sections.globals.into_boxed_slice(),
            tags: sections.tags.into_boxed_slice(),
            exports: sections.exports.into_boxed_slice(),
            start: sections.start,
            elems: sections.elems.into_boxed_slice(),
            datas: sections.datas.into_boxed_slice(),
            bodies: sections.bodies.into_boxed_slice(),
            custom_sections: sections.custom_sections.into_boxed_slice(),
            func_names: FuncNames::default(),
            branch_hints: BranchHints::default(),
            imports_wasi,
            features,
            home: None,
        })
    }

    /// A copy of this module that belongs to no context: it lies, with all that is made of it, in
    /// a heap of its own, which takes from the system and goes with it.
    pub fn free_copy(&self) -> Result<Arc<Self>> {
        let heap = Heap::new(HeapConfig::System, None).map_err(|_| Error::out_of_memory())?;
        let copy = alloc::operation(|| {
            alloc::with_heap(&heap, || {
                let mut copy = Self::parse(&self.bytes, self.features)?;
                copy.home = Some(heap.clone());
                Ok(Arc::new(copy))
            })
        });
        copy.map_err(|_| Error::out_of_memory())?
    }

    /// Runs `f` with the heap current that things made of this module are to lie in.
    pub fn at_home<R>(&self, f: impl FnOnce() -> R) -> R {
        match &self.home {
            Some(heap) => alloc::with_heap(heap, f),
            None => f(),
        }
    }

    /// Whether the module belongs to no context.
    pub fn is_shared(&self) -> bool {
        self.home.is_some()
    }

    /// The bytes of a module that belongs to no context, its translated code included.
    pub fn home_stats(&self) -> Option<HeapStats> {
        self.home.as_ref().map(|heap| heap.stats())
    }

    /// The type of addresses of memory 0: what guests give to natives, and what they export for
    /// the host.
    pub fn address_type(&self) -> ValType {
        match self.memories.first() {
            Some(memory) if memory.memory64 => ValType::I64,
            _ => ValType::I32,
        }
    }

    /// A heap type as the parser has it; `None` for those that we have none of.
    pub fn heap_type(&self, ty: wasmparser::HeapType) -> Option<HeapType> {
        let named = parse::types::Named { known: &self.types, group: &[], executes_gc: false };
        named.heap_type(ty).ok()
    }

    /// A value type as the parser has it; `None` for those that we have none of.
    pub fn val_type(&self, ty: wasmparser::ValType) -> Option<ValType> {
        let named = parse::types::Named { known: &self.types, group: &[], executes_gc: false };
        named.val_type(ty).ok()
    }

    /// Number of functions, imported ones included.
    pub fn func_count(&self) -> u32 {
        self.funcs.len() as u32
    }

    /// Type of function `index`.
    pub fn func_type(&self, index: u32) -> Option<&FuncType> {
        self.types.func(*self.funcs.get(index as usize)?)
    }

    /// Body of function `index`, from its locals to its final `end`; `None` for imports.
    pub fn body(&self, index: u32) -> Option<&[u8]> {
        let defined = index.checked_sub(self.imported.funcs)?;
        self.slice(self.bodies.get(defined as usize)?)
    }

    /// Bytes of data segment `index`.
    pub fn data(&self, index: u32) -> Option<&[u8]> {
        self.slice(&self.datas.get(index as usize)?.bytes)
    }

    /// Content of the first custom section called `name`.
    pub fn custom_section(&self, name: &str) -> Option<&[u8]> {
        let section = self.custom_sections.iter().find(|section| &*section.name == name)?;
        self.slice(&section.bytes)
    }

    /// The `index`-th imported function.
    pub fn imported_func(&self, index: u32) -> Option<&Import> {
        self.imports
            .iter()
            .filter(|import| matches!(import.ty, ExternType::Func(_)))
            .nth(index as usize)
    }

    /// Whether functions of WASI preview 1 are imported.
    pub fn imports_wasi(&self) -> bool {
        self.imports_wasi
    }

    /// The proposals the module was validated with.
    pub fn features(&self) -> Features {
        self.features
    }

    /// Type of the import or export target `kind` `index`.
    pub fn extern_type(&self, kind: ExternKind, index: u32) -> Option<ExternType> {
        let i = index as usize;
        match kind {
            ExternKind::Func => self.funcs.get(i).copied().map(ExternType::Func),
            ExternKind::Table => self.tables.get(i).map(|table| ExternType::Table(table.ty)),
            ExternKind::Memory => self.memories.get(i).copied().map(ExternType::Memory),
            ExternKind::Global => self.globals.get(i).map(|global| ExternType::Global(global.ty)),
            ExternKind::Tag => self.tags.get(i).copied().map(ExternType::Tag),
        }
    }

    fn slice(&self, range: &Range<u32>) -> Option<&[u8]> {
        self.bytes.get(range.start as usize..range.end as usize)
    }
}

#[cfg(test)]
mod tests;
