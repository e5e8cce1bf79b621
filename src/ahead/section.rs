//! The sections of files.

/// The parts of a file behind its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSection {
    /// The original module.
    Module,
    /// Of each function that the module defines, the offset of its code, or [`NONE`].
    Funcs,
    /// Of each type of the module two offsets: of the code that enters functions of the type, and
    /// of the code that stands for those without code. [`NONE`] where there is none.
    Thunks,
    /// The calls in the code, by offset: the offset behind a call, and the position in the module
    /// that it is for.
    Calls,
    /// What the engine knows of frames of functions, in words that are the engine's.
    Frames,
    /// Machine code, without relocations.
    Text,
}

impl FileSection {
    pub const ALL: [Self; 6] =
        [Self::Module, Self::Funcs, Self::Thunks, Self::Calls, Self::Frames, Self::Text];
}

/// Stands for an offset where there is no code.
pub const NONE: u32 = u32::MAX;

/// The text begins at a multiple of this, and each piece of code in it at a multiple of
/// [`CODE_ALIGN`].
pub(super) const PAGE_BYTES: usize = 4096;
pub const CODE_ALIGN: usize = 16;

impl FileSection {
    /// Where the section begins if the one before it ends at `end`.
    pub fn start(self, end: u64) -> u64 {
        let align = match self {
            Self::Text => PAGE_BYTES,
            _ => CODE_ALIGN,
        };
        end.next_multiple_of(align as u64)
    }
}
