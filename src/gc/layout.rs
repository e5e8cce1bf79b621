//! Where the fields of a struct lie, and what fields and elements are.

use crate::alloc::try_vec;

/// What a field or an element is stored as. References take a word, as in a slot of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StorageKind {
    I8,
    I16,
    I32,
    I64,
    F32,
    F64,
    V128,
    /// A reference that may lead into this heap.
    Ref,
    /// A reference that leads elsewhere: the collector does not look at it.
    Opaque,
}

impl StorageKind {
    const ALL: [Self; 9] = [
        Self::I8,
        Self::I16,
        Self::I32,
        Self::I64,
        Self::F32,
        Self::F64,
        Self::V128,
        Self::Ref,
        Self::Opaque,
    ];

    /// Binary logarithm of the bytes that a value takes.
    // Leaves of the interpreter use it, which must call nothing.
    #[inline(always)]
    pub const fn bytes_log2(self) -> u32 {
        match self {
            Self::I8 => 0,
            Self::I16 => 1,
            Self::I32 | Self::F32 => 2,
            Self::I64 | Self::F64 | Self::Ref | Self::Opaque => 3,
            Self::V128 => 4,
        }
    }

    /// Bytes that a value takes.
    pub const fn bytes(self) -> usize {
        1 << self.bytes_log2()
    }

    pub const fn code(self) -> u32 {
        self as u32
    }

    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.get(code as usize).copied()
    }
}

/// A field of a struct: the same in all subtypes of the type that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StructField {
    kind: StorageKind,
    /// Of references that may lead into this heap, the number among these; else bytes behind the
    /// head.
    at: u32,
}

impl StructField {
    pub fn kind(self) -> StorageKind {
        self.kind
    }

    /// What `at` returned for a field of this kind.
    pub fn new(kind: StorageKind, at: u32) -> Self {
        Self { kind, at }
    }

    /// Of references that may lead into this heap, the number among these; else bytes behind the
    /// head.
    #[inline(always)]
    pub fn at(self) -> u32 {
        self.at
    }
}

/// Where the fields of a struct lie. Owner: a module or an instance, for each of its types.
///
/// References that may lead into this heap lie in front of the object's head, the first one next
/// to it; all other fields lie behind. Each has its place by the fields before it alone, so that a
/// subtype, which adds fields at the end, has those of the supertype where that has them.
#[derive(Debug, PartialEq, Eq)]
pub struct StructLayout {
    fields: Vec<StructField>,
    refs: u32,
    /// Words behind the head.
    data_words: u32,
}

impl StructLayout {
    /// The layout of these fields; `None` if memory for it cannot be had, or if there are more
    /// than 10,000, which no valid module has.
    pub fn new(kinds: impl ExactSizeIterator<Item = StorageKind>) -> Option<Self> {
        let count = kinds.len();
        if count > 10_000 {
            return None;
        }
        let mut layout = Self { fields: try_vec(count).ok()?, refs: 0, data_words: 0 };
        let mut holes = [None; 3];
        for kind in kinds.take(count) {
            let at = if kind == StorageKind::Ref {
                layout.refs += 1;
                layout.refs - 1
            } else {
                layout.place(kind.bytes_log2(), &mut holes)
            };
            layout.fields.push(StructField { kind, at });
        }
        Some(layout)
    }

    /// The place of the next value of so many bytes: in the smallest hole that is large enough,
    /// else in a new word. `holes` are those of 1, 2 and 4 bytes, never two of one size.
    fn place(&mut self, bytes_log2: u32, holes: &mut [Option<u32>; 3]) -> u32 {
        let wanted = bytes_log2 as usize;
        let found = (wanted..3).find_map(|size| Some((size, holes[size].take()?)));
        let (size, at) = found.unwrap_or_else(|| {
            let at = self.data_words * 8;
            self.data_words += if wanted > 3 { 2 } else { 1 };
            (3, at)
        });
        // What is left of the hole are holes of the sizes that there were none of.
        for (smaller, hole) in holes.iter_mut().enumerate().take(size).skip(wanted) {
            *hole = Some(at + (1 << smaller));
        }
        at
    }

    pub fn fields(&self) -> &[StructField] {
        &self.fields
    }

    pub fn refs(&self) -> u32 {
        self.refs
    }

    pub fn data_words(&self) -> u32 {
        self.data_words
    }
}
