//! The validator's messages in the words embedders know.
//!
//! Programs and test suites compare the start of load errors with the texts they know, so where
//! those have another text for the same error, it comes first. The validator's details, such as an
//! index or a type, and the offset follow.

use crate::abi::error::Error;
use wasmparser::Payload;

/// Part of a binary, as far as texts differ by it.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Stage {
    #[default]
    Other,
    Types,
    Imports,
    Exports,
    Code,
}

impl Stage {
    pub(super) fn of(payload: &Payload<'_>) -> Self {
        match payload {
            Payload::TypeSection(_) => Self::Types,
            Payload::ImportSection(_) => Self::Imports,
            Payload::ExportSection(_) => Self::Exports,
            Payload::CodeSectionStart { .. } | Payload::CodeSectionEntry(_) => Self::Code,
            _ => Self::Other,
        }
    }

    /// Where the parser is after this part: bodies are read one by one, other sections whole.
    pub(super) fn between(self) -> Self {
        if self == Self::Code { self } else { Self::Other }
    }
}

/// How a message of the validator starts, and how ours starts instead.
const REWORDED: &[(&str, &str)] = &[
    ("`else` found outside", "opcode else found without matched opcode if, outside"),
    ("data count is non-zero but data section", DATA_COUNT),
    ("function and code section have inconsistent lengths", CODE_COUNT),
    ("function section has non-zero count but code section", CODE_COUNT),
    ("function section is absent", "function and code section have inconsistent lengths"),
    ("invalid flags byte in element segment", "unknown element segment kind"),
    ("invalid leading byte", "unknown value type: leading byte"),
    ("invalid memop alignment:", "invalid memop flags:"),
    ("invalid memory limits flags", "invalid limits flags"),
    ("invalid start function type", "invalid start function"),
    ("invalid table resizable limits flags", "invalid limits flags"),
    ("invalid value type", "unknown value type"),
    ("invalid var_i32: ", ""),
    ("invalid var_i64: ", ""),
    ("invalid var_s33: ", ""),
    ("invalid var_u32: ", ""),
    ("invalid var_u64: ", ""),
    ("malformed UTF-8 encoding", "invalid UTF-8 encoding"),
    ("malformed global flags", "invalid mutability"),
    ("malformed memop:", "invalid memop flags: alignment must not be larger than natural:"),
    ("malformed section id", "invalid section id"),
    ("memory size must be at most 0x10000 65536-byte pages", MEMORY_SIZE),
    ("operators remaining after end of function body", "section size mismatch: operators remain"),
    ("section out of order", "unexpected content after last section or junk after last section"),
    ("unexpected data at the end of operators", "section size mismatch"),
    ("unexpected end-of-file", "unexpected end of section or function"),
    ("unknown label", "unknown label, unexpected end of section or function"),
];

const CODE_COUNT: &str = "function and code section have inconsistent lengths or unexpected end";
const DATA_COUNT: &str = "data count and data section have inconsistent lengths: data section";
const MEMORY_SIZE: &str = "memory size must be at most 65536 pages (4GiB)";

/// A load error for the validator's error in `bytes`.
#[cold]
pub(super) fn load_error(error: &wasmparser::Error, bytes: &[u8], stage: Stage) -> Error {
    let (message, offset) = (error.message(), error.offset());
    let before = usize::try_from(offset).ok().and_then(|at| bytes.get(at.checked_sub(1)?));
    let said = by_place(message, stage, before.copied())
        .or_else(|| opcode(message))
        .or_else(|| {
            let (from, to) = REWORDED.iter().find(|(from, _)| message.starts_with(from))?;
            Some(format!("{to}{}", &message[from.len()..]))
        })
        .unwrap_or_else(|| message.to_owned());
    Error::load(format!("{said} (at offset 0x{offset:x})"))
}

/// Messages whose text depends on where they come up; `before` is the byte before that.
fn by_place(message: &str, stage: Stage, before: Option<u8>) -> Option<String> {
    const END: u8 = 0x0b;
    if message.starts_with("control frames remain at end of function body") {
        return Some(match before {
            Some(END) => "unexpected end opcodes from unbalanced control flow structures".into(),
            _ => "section size mismatch: function body END opcode expected".into(),
        });
    }
    // A section that claims to be longer than the binary.
    if message == "unexpected end-of-file" && stage == Stage::Other {
        return Some("unexpected end".into());
    }
    let byte = message.strip_prefix("invalid leading byte ")?;
    let kind = match stage {
        Stage::Types if byte.ends_with("for type") => "invalid type flag",
        Stage::Imports if byte.ends_with("for external kind") => "invalid import kind",
        Stage::Exports if byte.ends_with("for external kind") => "invalid export kind",
        _ => return None,
    };
    Some(format!("{kind}: leading byte {byte}"))
}

/// Opcodes that no proposal knows.
fn opcode(message: &str) -> Option<String> {
    if let Some(opcode) = message.strip_prefix("illegal opcode: 0x") {
        return Some(format!("unsupported opcode {opcode:0>2}"));
    }
    let (prefix, opcode) = message.strip_prefix("unknown 0x")?.split_once(" subopcode: 0x")?;
    Some(match prefix {
        "fd" => format!("invalid opcode 0xfd {opcode:0>2}."),
        _ => format!("unsupported opcode {prefix} {opcode:0>2}"),
    })
}
