//! Making files.

use super::checksum::checksum;
use super::header::{FileHeader, HEADER_BYTES, Host};
use super::section::FileSection;
use crate::abi::error::{Error, Result};
use crate::alloc;

/// The content of the sections, in their order.
pub type Contents<'a> = [&'a [u8]; FileSection::ALL.len()];

/// A file with these sections, whose code needs such a host.
pub fn write(needs: Host, contents: &Contents<'_>) -> Result<Vec<u8>> {
    let mut sections = [(0, 0); FileSection::ALL.len()];
    let mut end = HEADER_BYTES as u64;
    for (section, place) in FileSection::ALL.into_iter().zip(&mut sections) {
        let (start, len) = (section.start(end), contents[section as usize].len() as u64);
        end = start + len;
        let too_large = |_| Error::load("the file would be larger than 4 GiB");
        // The end's check covers both.
        u32::try_from(end).map_err(too_large)?;
        *place = (start as u32, len as u32);
    }
    let mut bytes = alloc::try_vec(end as usize)?;
    bytes.resize(HEADER_BYTES, 0);
    for (content, &(start, _)) in contents.iter().zip(&sections) {
        bytes.resize(start as usize, 0);
        bytes.extend_from_slice(content);
    }
    let header = FileHeader {
        needs,
        sections,
        file_bytes: end as u32,
        rest_sum: checksum(&bytes[HEADER_BYTES..]),
    };
    bytes[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
    Ok(bytes)
}
