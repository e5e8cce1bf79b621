//! A file's kind, from its first bytes. Pure functions over any buffer.

/// The kinds of file an embedder may hand over. The numbers are those of the C API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum PackageType {
    /// A WebAssembly binary.
    Bytecode = 0,
    /// Code compiled ahead of time.
    Aot = 1,
    Unknown = 0xffff,
}

pub const WASM_MAGIC: [u8; 4] = *b"\0asm";
pub const AOT_MAGIC: [u8; 4] = *b"\0aot";

/// Version of the binary format this library reads.
pub const WASM_VERSION: u32 = 1;
/// Version of ahead-of-time files that matches the C API's headers.
pub const AOT_VERSION: u32 = 6;

impl PackageType {
    /// The kind of file that starts with `bytes`.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        if bytes.starts_with(&WASM_MAGIC) {
            Self::Bytecode
        } else if bytes.starts_with(&AOT_MAGIC) {
            Self::Aot
        } else {
            Self::Unknown
        }
    }

    /// The newest version of this kind of file; 0 where there is none.
    pub fn current_version(self) -> u32 {
        match self {
            Self::Bytecode => WASM_VERSION,
            Self::Aot => AOT_VERSION,
            Self::Unknown => 0,
        }
    }
}

/// The version field that follows the magic; 0 when `bytes` is too short to hold one.
pub fn file_version(bytes: &[u8]) -> u32 {
    match bytes.get(4..8) {
        Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}
