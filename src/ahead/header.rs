//! The header of files, and the texts for files that are refused.

use super::checksum::checksum;
use super::processor::Processor;
use super::section::FileSection;
use crate::abi::error::{Error, Result, bounded};
use crate::module::package;

/// The mark of files of this runtime.
const MARK: [u8; 8] = *b"isothrd\0";

/// The version of the format: of all but the code's contract, which `Host::contract` names.
const FORMAT: u32 = 1;

/// Where the fields lie, in bytes.
mod at {
    pub const VERSION: usize = 4;
    pub const MARK: usize = 8;
    pub const FORMAT: usize = 16;
    pub const FILE_BYTES: usize = 20;
    pub const TARGET: usize = 24;
    pub const CONTRACT: usize = 40;
    pub const PROCESSOR: usize = 48;
    pub const SECTIONS: usize = 56;
    pub const REST_SUM: usize = 104;
    pub const HEADER_SUM: usize = 120;
}

/// Bytes of a header.
pub const HEADER_BYTES: usize = 128;

/// The kind of machine that code is for: a name, filled up with zeros.
pub type CodeTarget = [u8; 16];

/// A build and the machine that it runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    pub target: CodeTarget,
    /// A hash of all that code relies on: layouts of running state, functions of the runtime.
    pub contract: u64,
    pub processor: Processor,
}

impl Host {
    /// That of files without code.
    pub const NONE: Self = Self { target: [0; 16], contract: 0, processor: Processor::BASE };
}

/// The beginning of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// The host that the code needs.
    pub needs: Host,
    /// Offset and length of each section.
    pub sections: [(u32, u32); FileSection::ALL.len()],
    pub file_bytes: u32,
    /// The checksum of all that follows the header.
    pub rest_sum: u64,
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|word| u32::from_le_bytes(*word))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|word| u64::from_le_bytes(*word))
}

/// Whether these bytes claim to be a file compiled ahead, of whatever compiler.
pub fn is_ahead(bytes: &[u8]) -> bool {
    bytes.starts_with(&package::AOT_MAGIC)
}

/// The error for files whose content cannot be.
#[cold]
pub fn damaged() -> Error {
    Error::load("the file is damaged")
}

/// Checks whose file it is, and its format.
fn recognise(bytes: &[u8]) -> Result<()> {
    let (Some(version), true) = (u32_at(bytes, at::VERSION), is_ahead(bytes)) else {
        return Err(Error::load("unexpected end"));
    };
    if version != package::AOT_VERSION {
        return Err(Error::load("unknown binary version"));
    }
    let Some(mark) = bytes.get(at::MARK..at::FORMAT) else {
        return Err(Error::load("unexpected end"));
    };
    if mark != MARK {
        return Err(Error::load(
            "the file is another compiler's: compile the module again with `iwasm compile` or \
             `wamrc`",
        ));
    }
    match u32_at(bytes, at::FORMAT) {
        Some(FORMAT) => Ok(()),
        None => Err(Error::load("unexpected end")),
        Some(other) => Err(Error::load(bounded(format_args!(
            "the file has format {other}, and this build reads format {FORMAT}: compile the \
             module again"
        )))),
    }
}

impl FileHeader {
    /// Reads the header of a file, and checks all of it that concerns no engine.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        recognise(bytes)?;
        let header = bytes.get(..HEADER_BYTES).ok_or_else(|| Error::load("unexpected end"))?;
        let this = Self::fields(header).ok_or_else(damaged)?;
        let file_bytes = this.file_bytes as usize;
        if bytes.len() < file_bytes {
            return Err(Error::load("unexpected end"));
        }
        if bytes.len() > file_bytes || !this.is_laid_out() {
            return Err(damaged());
        }
        Ok(this)
    }

    /// The fields of a header; `None` if its checksum is another.
    fn fields(header: &[u8]) -> Option<Self> {
        if u64_at(header, at::HEADER_SUM)? != checksum(&header[..at::HEADER_SUM]) {
            return None;
        }
        let mut sections = [(0, 0); FileSection::ALL.len()];
        for (place, section) in sections.iter_mut().enumerate() {
            let at = at::SECTIONS + place * 8;
            *section = (u32_at(header, at)?, u32_at(header, at + 4)?);
        }
        Some(Self {
            needs: Host {
                target: *header.get(at::TARGET..)?.first_chunk()?,
                contract: u64_at(header, at::CONTRACT)?,
                processor: Processor::from_bits(u64_at(header, at::PROCESSOR)?),
            },
            sections,
            file_bytes: u32_at(header, at::FILE_BYTES)?,
            rest_sum: u64_at(header, at::REST_SUM)?,
        })
    }

    /// Whether the sections lie one behind the other, up to the end of the file.
    fn is_laid_out(&self) -> bool {
        let mut end = HEADER_BYTES as u64;
        for (section, &(offset, len)) in FileSection::ALL.into_iter().zip(&self.sections) {
            if u64::from(offset) != section.start(end) {
                return false;
            }
            end = u64::from(offset) + u64::from(len);
        }
        end == u64::from(self.file_bytes)
    }

    /// The header as bytes.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut put = |at: usize, field: &[u8]| {
            bytes[at..at + field.len()].copy_from_slice(field);
        };
        put(0, &package::AOT_MAGIC);
        put(at::VERSION, &package::AOT_VERSION.to_le_bytes());
        put(at::MARK, &MARK);
        put(at::FORMAT, &FORMAT.to_le_bytes());
        put(at::FILE_BYTES, &self.file_bytes.to_le_bytes());
        put(at::TARGET, &self.needs.target);
        put(at::CONTRACT, &self.needs.contract.to_le_bytes());
        put(at::PROCESSOR, &self.needs.processor.bits().to_le_bytes());
        for (place, (offset, len)) in self.sections.into_iter().enumerate() {
            put(at::SECTIONS + place * 8, &offset.to_le_bytes());
            put(at::SECTIONS + place * 8 + 4, &len.to_le_bytes());
        }
        put(at::REST_SUM, &self.rest_sum.to_le_bytes());
        let sum = checksum(&bytes[..at::HEADER_SUM]).to_le_bytes();
        bytes[at::HEADER_SUM..].copy_from_slice(&sum);
        bytes
    }
}
