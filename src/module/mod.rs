//! A module: parsed, validated, immutable and shareable.
//!
//! It knows no instance, no engine and no context. Control enters at [`Module::parse`], which
//! copies what it needs out of the embedder's buffer; everything else only reads.

use crate::abi::types::{FuncType, GlobalType, MemoryType, TableType, ValType};
use std::ops::Range;

/// A validated module. Owner: whoever holds the `Arc`; shared by all its instances.
pub struct Module {
    /// The whole binary: bodies, data segments and custom sections are ranges of it.
    pub bytes: Box<[u8]>,
    pub types: Box<[FuncType]>,
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
    pub exports: Box<[Export]>,
    pub start: Option<u32>,
    pub elems: Box<[ElemSegment]>,
    pub datas: Box<[DataSegment]>,
    /// Bodies of the defined functions, from their locals to their final `end`.
    pub bodies: Box<[Range<u32>]>,
    pub func_refs: FuncRefs,
    pub custom_sections: Box<[CustomSection]>,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct ImportCounts {
    pub funcs: u32,
    pub tables: u32,
    pub memories: u32,
    pub globals: u32,
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
    pub items: Box<[ConstExpr]>,
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
    Active { target: u32, offset: ConstExpr },
}

/// A constant expression as a short postfix program (extended-const included).
#[derive(Clone, Debug)]
pub struct ConstExpr(pub Box<[ConstOp]>);

#[derive(Clone, Copy, Debug)]
pub enum ConstOp {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    V128(u128),
    GlobalGet(u32),
    RefNull(ValType),
    RefFunc(u32),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
}

/// Which functions an instance makes references for, and where. Imports come first, by index;
/// then every defined function that is exported, started, or named by `ref.func` or a segment.
pub struct FuncRefs {
    /// Function index of each reference.
    pub order: Box<[u32]>,
    /// By function index: its place in `order`, or `NONE`.
    pub place: Box<[u32]>,
}

impl FuncRefs {
    pub const NONE: u32 = u32::MAX;
}

pub struct CustomSection {
    pub name: Box<str>,
    /// The section's content, after its name, as a range of `Module::bytes`.
    pub bytes: Range<u32>,
}
