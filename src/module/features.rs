//! Which WebAssembly proposals a module may use.

use std::fmt;
use std::ops::BitOr;
use wasmparser::WasmFeatures;

/// A set of proposals beyond the base that every context accepts: WebAssembly 2.0 without SIMD,
/// plus extended constant expressions.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Features(u32);

macro_rules! features {
    ($( $(#[$doc:meta])* $name:ident = $bit:literal, $wasm:expr; )*) => {
        impl Features {
            $( $(#[$doc])* pub const $name: Self = Self(1 << $bit); )*

            /// Every proposal this type can name, engines or not.
            pub const ALL: Self = Self($( (1 << $bit) )|*);

            /// The validator's switches for this set.
            pub(crate) fn to_wasm(self) -> WasmFeatures {
                let mut all = BASE;
                $( if self.contains(Self::$name) { all |= $wasm; } )*
                all
            }
        }

        impl fmt::Debug for Features {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut set = f.debug_set();
                $( if self.contains(Self::$name) { set.entry(&stringify!($name)); } )*
                set.finish()
            }
        }
    };
}

/// The features that are always on.
const BASE: WasmFeatures =
    WasmFeatures::WASM2.difference(WasmFeatures::SIMD).union(WasmFeatures::EXTENDED_CONST);

features! {
    SIMD = 0, WasmFeatures::SIMD;
    RELAXED_SIMD = 1, WasmFeatures::RELAXED_SIMD;
    TAIL_CALL = 2, WasmFeatures::TAIL_CALL;
    MULTI_MEMORY = 3, WasmFeatures::MULTI_MEMORY;
    MEMORY64 = 4, WasmFeatures::MEMORY64;
    THREADS = 5, WasmFeatures::THREADS;
    EXCEPTIONS = 6, WasmFeatures::EXCEPTIONS;
    /// The exception instructions browsers shipped before the standard ones.
    LEGACY_EXCEPTIONS = 7, WasmFeatures::LEGACY_EXCEPTIONS;
    /// Typed references to functions, and all types of WebAssembly 3.0: groups of them, subtypes,
    /// and references that can be nothing but null without GC.
    FUNCTION_REFERENCES = 8, WasmFeatures::FUNCTION_REFERENCES.union(WasmFeatures::GC);
    /// The instructions that make objects and look into them.
    GC = 9, WasmFeatures::GC;
    CUSTOM_PAGE_SIZES = 10, WasmFeatures::CUSTOM_PAGE_SIZES;
    WIDE_ARITHMETIC = 11, WasmFeatures::WIDE_ARITHMETIC;
}

impl Features {
    /// No proposal beyond the base.
    pub const NONE: Self = Self(0);

    /// What the engines execute. A module that needs more is refused at load with the name of
    /// what it needs.
    pub const SUPPORTED: Self = Self::THREADS
        .with(Self::EXCEPTIONS)
        .with(Self::LEGACY_EXCEPTIONS)
        .with(Self::VECTORS)
        .with(Self::TAIL_CALL)
        .with(Self::WIDE_ARITHMETIC)
        .with(Self::MULTI_MEMORY)
        .with(Self::MEMORY64)
        .with(Self::CUSTOM_PAGE_SIZES)
        .with(Self::FUNCTION_REFERENCES)
        .with(Self::OBJECTS);

    /// Vectors, unless this build leaves them out.
    const VECTORS: Self =
        if cfg!(feature = "simd") { Self::SIMD.with(Self::RELAXED_SIMD) } else { Self::NONE };

    /// The instructions of GC, unless this build leaves them out.
    const OBJECTS: Self = if cfg!(feature = "gc") { Self::GC } else { Self::NONE };

    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

impl Default for Features {
    fn default() -> Self {
        Self::SUPPORTED
    }
}

impl BitOr for Features {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}
