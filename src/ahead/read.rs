//! Reading files.

use super::checksum::checksum;
use super::header::{self, CodeTarget, FileHeader, Host};
use super::processor::Processor;
use super::section::{CODE_ALIGN, FileSection, NONE};
use crate::abi::error::{Error, Result, bounded};
use std::ops::Range;

/// A file whose header, lengths and checksums are right. Nothing is said of the sections' content.
#[derive(Clone, Copy)]
pub struct File<'a> {
    header: FileHeader,
    bytes: &'a [u8],
}

impl<'a> File<'a> {
    /// Reads a file. The error names the reason why it is none, or none that this build reads.
    pub fn read(bytes: &'a [u8]) -> Result<Self> {
        let header = FileHeader::read(bytes)?;
        match bytes.get(header::HEADER_BYTES..) {
            Some(rest) if checksum(rest) == header.rest_sum => Ok(Self { header, bytes }),
            _ => Err(header::damaged()),
        }
    }

    /// The original module.
    pub fn module(&self) -> &'a [u8] {
        self.bytes.get(self.layout().of(FileSection::Module)).unwrap_or_default()
    }

    pub fn layout(&self) -> FileLayout {
        FileLayout(self.header.sections)
    }

    /// Whether there is code.
    pub fn has_code(&self) -> bool {
        self.header.needs != Host::NONE
    }

    /// Checks that `host` can run the code.
    pub fn check_host(&self, host: &Host) -> Result<()> {
        let Host { target, contract, processor } = self.header.needs;
        if target != host.target {
            return Err(Error::load(bounded(format_args!(
                "the file has code for {}, and this build runs code for {}",
                name_of(&target),
                name_of(&host.target)
            ))));
        }
        if contract != host.contract {
            return Err(Error::load(
                "the file was made by another version of the runtime: compile the module again",
            ));
        }
        let missing = processor.beyond(host.processor);
        if missing != Processor::BASE {
            return Err(Error::load(bounded(format_args!(
                "the file's code needs a processor with {missing}"
            ))));
        }
        Ok(())
    }
}

/// Where the sections lie in a file, which the header's reader has checked.
#[derive(Clone, Copy, Debug)]
pub struct FileLayout([(u32, u32); FileSection::ALL.len()]);

impl FileLayout {
    pub fn of(&self, section: FileSection) -> Range<usize> {
        let (offset, len) = self.0[section as usize];
        offset as usize..offset as usize + len as usize
    }
}

fn name_of(target: &CodeTarget) -> impl std::fmt::Display + '_ {
    let len = target.iter().position(|&byte| byte == 0).unwrap_or(target.len());
    target[..len].escape_ascii()
}

/// A table of offsets in the text.
#[derive(Clone, Copy)]
pub struct Offsets<'a>(pub &'a [u8]);

impl Offsets<'_> {
    pub fn len(&self) -> usize {
        self.0.len() / 4
    }

    /// The offset at an index; `None` if there is no code.
    pub fn get(&self, index: usize) -> Option<u32> {
        let (words, _) = self.0.as_chunks();
        words.get(index).map(|word| u32::from_le_bytes(*word)).filter(|&offset| offset != NONE)
    }

    /// Whether all offsets are places for code in a text of this length.
    pub fn are_within(&self, text_bytes: usize) -> bool {
        let mut offsets = (0..self.len()).filter_map(|index| self.get(index));
        offsets.all(|offset| {
            (offset as usize) < text_bytes && (offset as usize).is_multiple_of(CODE_ALIGN)
        })
    }
}

/// A table of calls.
#[derive(Clone, Copy)]
pub struct Calls<'a>(pub &'a [u8]);

impl Calls<'_> {
    /// The position in the module of the call that ends at an offset of the text.
    pub fn find(&self, after: u32) -> Option<u32> {
        let (entries, _) = self.0.as_chunks::<8>();
        let offset_of = |[a, b, c, d, ..]: &[u8; 8]| u32::from_le_bytes([*a, *b, *c, *d]);
        let place = entries.binary_search_by_key(&after, offset_of).ok()?;
        entries.get(place).map(|&[.., a, b, c, d]| u32::from_le_bytes([a, b, c, d]))
    }
}
