//! Types of the WebAssembly type grammar, as far as the engines need them.

use std::fmt;

/// A value type. Reference types beyond functions, host objects and exceptions join here with GC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ValType {
    I32,
    I64,
    F32,
    F64,
    V128,
    FuncRef,
    ExternRef,
    ExnRef,
}

impl ValType {
    /// How many 64-bit slots of a frame a value of this type takes.
    pub const fn slots(self) -> u32 {
        match self {
            Self::V128 => 2,
            _ => 1,
        }
    }

    /// How many 32-bit cells a value of this type takes at the C API, where an externref is a
    /// pointer.
    #[inline]
    pub const fn cells(self) -> u32 {
        match self {
            Self::I32 | Self::F32 | Self::FuncRef => 1,
            Self::I64 | Self::F64 | Self::ExternRef | Self::ExnRef => 2,
            Self::V128 => 4,
        }
    }

    /// Whether values of this type are references.
    pub const fn is_ref(self) -> bool {
        matches!(self, Self::FuncRef | Self::ExternRef | Self::ExnRef)
    }
}

impl fmt::Display for ValType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::V128 => "v128",
            Self::FuncRef => "funcref",
            Self::ExternRef => "externref",
            Self::ExnRef => "exnref",
        })
    }
}

/// A function type. Equality is structural, as the specification asks of `call_indirect`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FuncType {
    params: Box<[ValType]>,
    results: Box<[ValType]>,
    /// Cells of the parameters.
    param_cells: u32,
}

impl FuncType {
    pub fn new(params: impl Into<Box<[ValType]>>, results: impl Into<Box<[ValType]>>) -> Self {
        let (params, results) = (params.into(), results.into());
        let param_cells = params.iter().map(|ty| ty.cells()).sum();
        Self { params, results, param_cells }
    }

    pub fn params(&self) -> &[ValType] {
        &self.params
    }

    pub fn results(&self) -> &[ValType] {
        &self.results
    }

    /// Cells that the parameters take at the C API.
    #[inline]
    pub fn param_cells(&self) -> u32 {
        self.param_cells
    }

    /// Slots the parameters take at the start of a callee's frame.
    pub fn param_slots(&self) -> u32 {
        self.params.iter().map(|t| t.slots()).sum()
    }

    /// Whether an exception is passed or returned, which host functions cannot.
    pub fn has_exceptions(&self) -> bool {
        self.params.iter().chain(&*self.results).any(|&ty| ty == ValType::ExnRef)
    }

    /// Slots the results take; they overwrite the parameters from the first slot on.
    pub fn result_slots(&self) -> u32 {
        self.results.iter().map(|t| t.slots()).sum()
    }
}

/// Size limits of a table or a memory, in elements or pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    pub min: u64,
    pub max: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableType {
    pub elem: ValType,
    pub limits: Limits,
    /// Indices are 64 bits wide (memory64 proposal).
    pub table64: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MemoryType {
    pub limits: Limits,
    pub shared: bool,
    /// Addresses are 64 bits wide (memory64 proposal).
    pub memory64: bool,
    /// Binary logarithm of the bytes of a page: 16, or with custom page sizes 0.
    pub page_size_log2: u8,
}

impl Default for MemoryType {
    /// An empty memory of 32-bit addresses and pages of 64 KiB that is not shared.
    fn default() -> Self {
        let limits = Limits { min: 0, max: None };
        let page_size_log2 = Self::PAGE_SIZE_LOG2;
        Self { limits, shared: false, memory64: false, page_size_log2 }
    }
}

impl MemoryType {
    /// Binary logarithm of [`PAGE_SIZE`].
    pub const PAGE_SIZE_LOG2: u8 = 16;

    /// Bytes of a page, in which the limits count; saturating, should a type say nonsense.
    pub const fn page_bytes(&self) -> u64 {
        match 1_u64.checked_shl(self.page_size_log2 as u32) {
            Some(bytes) => bytes,
            None => u64::MAX,
        }
    }

    /// Pages a memory of this type can have, of its own size. With addresses of 32 bits that is
    /// what they reach, but no size is the number by which `memory.grow` says that it failed. With
    /// 64 bits it is WAMR's limit, as many pages of 64 KiB as have numbers of 32 bits.
    pub const fn pages_max(&self) -> u64 {
        if self.memory64 {
            return u32::MAX as u64 * PAGE_SIZE as u64 / self.page_bytes();
        }
        let pages = (1 << 32) / self.page_bytes();
        if pages < u32::MAX as u64 { pages } else { u32::MAX as u64 - 1 }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct GlobalType {
    pub val: ValType,
    pub mutable: bool,
}

/// Bytes of a linear-memory page.
pub const PAGE_SIZE: usize = 0x1_0000;
