//! A bound on the validator's memory for each part of a binary, which is reserved before.
//!
//! The validator's allocations are infallible. Its lists grow with the counts and texts of the
//! sections, so a bound goes with a section's length. The figures are the memory measured for the
//! densest sections, with all that growing lists leave behind, and a third more.

use super::super::validate;
use crate::abi::error::Error;
use crate::alloc::ensure_reserve;
use wasmparser::{BinaryReader, Payload};

/// The memory of any section, even a small one: the first blocks of its lists, and an error's text.
const SECTION_BYTES: usize = 8 << 10;
const BYTES_PER_TYPE_BYTE: usize = 160;
/// As many times that where types may be in groups of several, which can be two bytes each.
const GROUPED: usize = 3;
/// How such a group begins.
const GROUP: u8 = 0x4e;
const BYTES_PER_IMPORT_BYTE: usize = 100;
const BYTES_PER_BYTE: usize = 72;
/// Items that a section may promise without having them: the validator makes room for as many.
const PROMISED: u64 = 64;
/// More items than there may be in any section, which the validator refuses in its own words.
const ITEMS_MAX: u64 = 1_000_000;
/// Of the type section: the lists that are made when all types are known.
const BYTES_PER_TYPE_BYTE_LATER: usize = 48;

/// Makes sure that the validator can get the memory for this part of the binary.
/// `bytes` is the binary, `type_bytes` the length of the sections before that define types, and
/// more for those with groups.
pub(super) fn provide(
    payload: &Payload<'_>,
    bytes: &[u8],
    type_bytes: &mut usize,
) -> Result<(), Error> {
    let (range, count, rate) = match payload {
        Payload::TypeSection(section) => {
            let count = section.count();
            let (range, len) = (section.range(), length(&section.range()));
            let content = bytes.get(range.start as usize..).unwrap_or_default();
            let content = &content[..len.min(content.len())];
            if promises_too_much(content) {
                return Err(Error::load("unexpected end"));
            }
            if content.contains(&GROUP) {
                *type_bytes += len * GROUPED / 2;
                (range, count, BYTES_PER_TYPE_BYTE * GROUPED)
            } else {
                *type_bytes += len;
                (range, count, BYTES_PER_TYPE_BYTE)
            }
        }
        Payload::ImportSection(section) => {
            (section.range(), section.count(), BYTES_PER_IMPORT_BYTE)
        }
        Payload::FunctionSection(section) => (section.range(), section.count(), BYTES_PER_BYTE),
        Payload::TableSection(section) => (section.range(), section.count(), BYTES_PER_BYTE),
        Payload::MemorySection(section) => (section.range(), section.count(), BYTES_PER_BYTE),
        Payload::TagSection(section) => (section.range(), section.count(), BYTES_PER_BYTE),
        Payload::GlobalSection(section) => (section.range(), section.count(), BYTES_PER_BYTE),
        Payload::ExportSection(section) => (section.range(), section.count(), BYTES_PER_BYTE),
        Payload::ElementSection(section) => (section.range(), section.count(), BYTES_PER_BYTE),
        // Bodies are looked after while they are validated.
        Payload::CodeSectionEntry(_) => return ensure(validate::FIRST_BYTES - SECTION_BYTES),
        _ => return ensure(*type_bytes * BYTES_PER_TYPE_BYTE_LATER),
    };
    let len = length(&range);
    // Every item has at least a byte.
    if (PROMISED..=ITEMS_MAX).contains(&count.into()) && count as usize > len {
        return Err(Error::load("unexpected end"));
    }
    ensure(len * rate)
}

/// Whether a group of types has fewer bytes than types: the parser makes room for as many. The byte
/// that begins a group may be the end of a number, too. Whatever comes then, and is a number of
/// several bytes, counts things of at least a byte as well.
fn promises_too_much(content: &[u8]) -> bool {
    let ends = content.iter().enumerate().filter(|&(_, &byte)| byte == GROUP);
    ends.map(|(at, _)| &content[at + 1..]).any(|behind| {
        let mut reader = BinaryReader::new(behind, 0);
        let several = behind.first().is_some_and(|&byte| byte >= 0x80);
        let count = if several { reader.read_var_u32().unwrap_or(0) } else { 0 };
        u64::from(count) <= ITEMS_MAX && count as usize > behind.len()
    })
}

fn length(range: &std::ops::Range<u64>) -> usize {
    usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX / 256)
}

fn ensure(bytes: usize) -> Result<(), Error> {
    ensure_reserve(SECTION_BYTES + bytes).map_err(|_| Error::out_of_memory())
}
