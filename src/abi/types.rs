//! Types of the WebAssembly type grammar, as far as the engines need them.

use super::heap_types::{HeapType, Hierarchy, RefType};
use std::borrow::Cow;
use std::fmt;

/// A value type, in four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValType {
    I32,
    I64,
    F32,
    F64,
    V128,
    Ref(RefType),
}

const _: () = assert!(size_of::<ValType>() == 4 && size_of::<Option<ValType>>() == 4);

impl ValType {
    /// A function of any type, or null.
    pub const FUNCREF: Self = Self::Ref(RefType::new(true, HeapType::Func));
    /// An object of the host's, or null.
    pub const EXTERNREF: Self = Self::Ref(RefType::new(true, HeapType::Extern));
    /// An exception, or null.
    pub const EXNREF: Self = Self::Ref(RefType::new(true, HeapType::Exn));
    /// An object of the guest's, or null.
    pub const ANYREF: Self = Self::Ref(RefType::new(true, HeapType::Any));

    /// The type of all references of a hierarchy, null included.
    pub const fn top_of(hierarchy: Hierarchy) -> Self {
        match hierarchy {
            Hierarchy::Func => Self::FUNCREF,
            Hierarchy::Extern => Self::EXTERNREF,
            Hierarchy::Exn => Self::EXNREF,
            Hierarchy::Any => Self::ANYREF,
        }
    }

    /// The type itself; of a reference, the most general one of its hierarchy.
    pub const fn widest(self) -> Self {
        match self {
            Self::Ref(ty) => Self::top_of(ty.hierarchy()),
            other => other,
        }
    }

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
            Self::I32 | Self::F32 => 1,
            Self::I64 | Self::F64 => 2,
            Self::V128 => 4,
            Self::Ref(ty) => match ty.hierarchy() {
                Hierarchy::Func => 1,
                Hierarchy::Extern | Hierarchy::Exn | Hierarchy::Any => 2,
            },
        }
    }

    /// The hierarchy of a reference type; `None` for any other type.
    pub const fn hierarchy(self) -> Option<Hierarchy> {
        match self {
            Self::Ref(ty) => Some(ty.hierarchy()),
            _ => None,
        }
    }

    /// Whether values of this type are references.
    pub const fn is_ref(self) -> bool {
        matches!(self, Self::Ref(_))
    }

    /// Whether values of this type may lead to what is freed once nothing leads there: exceptions,
    /// and objects of guests.
    pub const fn is_collected(self) -> bool {
        matches!(self.hierarchy(), Some(Hierarchy::Exn | Hierarchy::Any | Hierarchy::Extern))
    }

    /// Whether values of this type are references to exceptions.
    pub const fn is_exception(self) -> bool {
        matches!(self.hierarchy(), Some(Hierarchy::Exn))
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
            Self::Ref(ty) => return ty.fmt(f),
        })
    }
}

/// A function type. Equality is that of the text: numbers of defined types are their module's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
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

    /// Whether there are no references among parameters and results.
    pub fn is_numeric(&self) -> bool {
        !self.params.iter().chain(&*self.results).any(|ty| ty.is_ref())
    }

    /// Slots the parameters take at the start of a callee's frame.
    pub fn param_slots(&self) -> u32 {
        self.params.iter().map(|t| t.slots()).sum()
    }

    /// The type of host functions that this one may be imported from: they take and return any
    /// references of a hierarchy, null included, and their callers check that results are of this
    /// type. `None` if there are none, which is so where an exception is passed or returned:
    /// natives have no form for these.
    pub fn of_host(&self) -> Option<Cow<'_, Self>> {
        let values = || self.params.iter().chain(&*self.results);
        if values().any(|ty| ty.is_exception()) {
            return None;
        }
        if values().all(|&ty| ty == ty.widest()) {
            return Some(Cow::Borrowed(self));
        }
        let mut wide = self.clone();
        let values = wide.params.iter_mut().chain(&mut wide.results);
        values.for_each(|ty| *ty = ty.widest());
        Some(Cow::Owned(wide))
    }

    /// Whether references are among the results.
    pub fn returns_refs(&self) -> bool {
        self.results.iter().any(|ty| ty.is_ref())
    }

    /// Whether references that keep something alive are among the parameters.
    pub fn takes_collected(&self) -> bool {
        self.params.iter().any(|ty| ty.is_collected())
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
    /// Binary logarithm of the size of a usual page, 64 KiB.
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
