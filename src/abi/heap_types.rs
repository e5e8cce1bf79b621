//! Reference types, and the types of what references lead to.

use std::fmt;

/// Which of the four families of references a type belongs to. References of different families
/// are never of a common type, so that it says how a reference lies in a slot and how the host
/// sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hierarchy {
    /// Functions.
    Func,
    /// Objects of the host's.
    Extern,
    /// Exceptions.
    Exn,
    /// Objects of the guest's: structs, arrays and small integers.
    Any,
}

/// What kind of type a definition makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TypeKind {
    Func,
    Struct,
    Array,
}

impl TypeKind {
    pub const fn hierarchy(self) -> Hierarchy {
        match self {
            Self::Func => Hierarchy::Func,
            Self::Struct | Self::Array => Hierarchy::Any,
        }
    }
}

/// The number of a defined type. Whose numbering it is follows from who says it: in a module it is
/// an index into the module's types; what an instance says of itself (tables, globals) and the
/// registry of a context use that context's canonical numbers.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TypeIndex([u8; 3]);

impl TypeIndex {
    /// The highest there is. A module has a million types at most.
    pub const MAX: u32 = (1 << 23) - 1;

    /// `None` above [`TypeIndex::MAX`].
    pub const fn new(index: u32) -> Option<Self> {
        if index > Self::MAX {
            return None;
        }
        let [a, b, c, _] = index.to_le_bytes();
        Some(Self([a, b, c]))
    }

    pub const fn get(self) -> u32 {
        let [a, b, c] = self.0;
        u32::from_le_bytes([a, b, c, 0])
    }
}

impl fmt::Debug for TypeIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// `Name "in text" hierarchy, "nullable reference in text";` for the types that no module defines,
/// in three groups: at the top, at the bottom and between. A top's bottom has the same place.
macro_rules! abstract_types {
    ($($name:ident $text:literal $hierarchy:ident $short:literal;)*) => {
        /// What a reference leads to.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum HeapType {
            $($name,)*
            /// A type that a module defines.
            Defined(TypeKind, TypeIndex),
        }

        /// A heap type, but for the number of one that is defined.
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        enum Code {
            $($name,)*
            DefinedFunc,
            DefinedStruct,
            DefinedArray,
        }

        #[cfg(isothread_jit)]
        impl Code {
            const ALL: &[Self] =
                &[$(Self::$name,)* Self::DefinedFunc, Self::DefinedStruct, Self::DefinedArray];
        }

        impl HeapType {
            const fn code(self) -> Code {
                match self {
                    $(Self::$name => Code::$name,)*
                    Self::Defined(TypeKind::Func, _) => Code::DefinedFunc,
                    Self::Defined(TypeKind::Struct, _) => Code::DefinedStruct,
                    Self::Defined(TypeKind::Array, _) => Code::DefinedArray,
                }
            }

            const fn of(code: Code, index: TypeIndex) -> Self {
                match code {
                    $(Code::$name => Self::$name,)*
                    Code::DefinedFunc => Self::Defined(TypeKind::Func, index),
                    Code::DefinedStruct => Self::Defined(TypeKind::Struct, index),
                    Code::DefinedArray => Self::Defined(TypeKind::Array, index),
                }
            }

            pub const fn hierarchy(self) -> Hierarchy {
                match self {
                    $(Self::$name => Hierarchy::$hierarchy,)*
                    Self::Defined(kind, _) => kind.hierarchy(),
                }
            }

            /// The text of the nullable reference, if that has a name of its own.
            const fn short_reference(self) -> Option<&'static str> {
                match self {
                    $(Self::$name => Some($short),)*
                    Self::Defined(..) => None,
                }
            }
        }

        impl fmt::Display for HeapType {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name => f.write_str($text),)*
                    Self::Defined(_, index) => index.get().fmt(f),
                }
            }
        }
    };
}

abstract_types! {
    Func "func" Func "funcref";
    Extern "extern" Extern "externref";
    Exn "exn" Exn "exnref";
    Any "any" Any "anyref";
    NoFunc "nofunc" Func "nullfuncref";
    NoExtern "noextern" Extern "nullexternref";
    NoExn "noexn" Exn "nullexnref";
    None "none" Any "nullref";
    Eq "eq" Any "eqref";
    I31 "i31" Any "i31ref";
    Struct "struct" Any "structref";
    Array "array" Any "arrayref";
}

impl HeapType {
    /// Whether this is the type that all others of its hierarchy are subtypes of.
    pub const fn is_top(self) -> bool {
        matches!(self, Self::Func | Self::Extern | Self::Exn | Self::Any)
    }

    /// Whether nothing is of this type, so that a reference to it is null.
    pub const fn is_bottom(self) -> bool {
        matches!(self, Self::NoFunc | Self::NoExtern | Self::NoExn | Self::None)
    }
}

/// A reference type, in four bytes: a heap type and whether null is among its values.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct RefType {
    code: Code,
    /// The number of a defined type, low byte first, and above it [`RefType::NULLABLE`].
    rest: [u8; 3],
}

impl RefType {
    const NULLABLE: u8 = 1 << 7;

    pub const fn new(nullable: bool, heap: HeapType) -> Self {
        let [a, b, c] = match heap {
            HeapType::Defined(_, index) => index.0,
            _ => [0; 3],
        };
        let c = if nullable { c | Self::NULLABLE } else { c };
        Self { code: heap.code(), rest: [a, b, c] }
    }

    pub const fn is_nullable(self) -> bool {
        self.rest[2] & Self::NULLABLE != 0
    }

    pub const fn heap(self) -> HeapType {
        let [a, b, c] = self.rest;
        HeapType::of(self.code, TypeIndex([a, b, c & !Self::NULLABLE]))
    }

    pub const fn hierarchy(self) -> Hierarchy {
        self.heap().hierarchy()
    }

    /// The type as a number, for code that is made.
    #[cfg(isothread_jit)]
    pub const fn to_bits(self) -> u32 {
        let [a, b, c] = self.rest;
        u32::from_le_bytes([a, b, c, self.code as u8])
    }

    /// The type that has this number; `None` if none has.
    #[cfg(isothread_jit)]
    pub fn from_bits(bits: u32) -> Option<Self> {
        let [a, b, c, code] = bits.to_le_bytes();
        let code = *Code::ALL.get(usize::from(code))?;
        Some(Self { code, rest: [a, b, c] })
    }
}

impl fmt::Debug for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for RefType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heap = self.heap();
        match (self.is_nullable(), heap.short_reference()) {
            (true, Some(text)) => f.write_str(text),
            (true, None) => write!(f, "(ref null {heap})"),
            (false, _) => write!(f, "(ref {heap})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{HeapType, Hierarchy, RefType, TypeIndex, TypeKind};

    #[test]
    fn four_bytes_hold_all_of_a_reference_type() {
        let highest = TypeIndex::new(TypeIndex::MAX).unwrap();
        assert_eq!(TypeIndex::new(TypeIndex::MAX + 1), None);
        let heaps = [
            HeapType::Func,
            HeapType::NoExn,
            HeapType::Array,
            HeapType::Defined(TypeKind::Func, TypeIndex::new(0).unwrap()),
            HeapType::Defined(TypeKind::Struct, TypeIndex::new(0x12_3456).unwrap()),
            HeapType::Defined(TypeKind::Array, highest),
        ];
        for heap in heaps {
            for nullable in [false, true] {
                let ty = RefType::new(nullable, heap);
                assert_eq!((ty.heap(), ty.is_nullable()), (heap, nullable));
                #[cfg(isothread_jit)]
                assert_eq!(RefType::from_bits(ty.to_bits()), Some(ty));
            }
        }
        assert_eq!(size_of::<RefType>(), 4);
    }

    #[test]
    fn texts_are_those_of_the_text_format() {
        let five = HeapType::Defined(TypeKind::Struct, TypeIndex::new(5).unwrap());
        let texts = [
            (true, HeapType::Func, "funcref"),
            (false, HeapType::Func, "(ref func)"),
            (true, HeapType::None, "nullref"),
            (true, five, "(ref null 5)"),
            (false, five, "(ref 5)"),
        ];
        for (nullable, heap, text) in texts {
            assert_eq!(RefType::new(nullable, heap).to_string(), text);
        }
        assert_eq!(five.hierarchy(), Hierarchy::Any);
    }
}
