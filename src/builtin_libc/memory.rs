//! `mem*`: bytes of a given length.

use super::call::{Answer, LibcCall};

pub(super) fn memcmp(call: &LibcCall<'_>, a: u32, b: u32, len: u32) -> Answer {
    let (a, b) = (call.bytes(a, len)?, call.bytes(b, len)?);
    let difference = |i| Some(a.at(i) as i32 - b.at(i) as i32).filter(|&d| d != 0);
    Ok(call.search(len, difference)?.unwrap_or(0) as u32 as u64)
}

/// `memcpy`, `memmove` and Emscripten's name for the former.
pub(super) fn memmove(call: &LibcCall<'_>, to: u32, from: u32, len: u32) -> Answer {
    call.copy(call.bytes(to, len)?, call.bytes(from, len)?)?;
    Ok(to.into())
}

pub(super) fn memset(call: &LibcCall<'_>, to: u32, byte: u32, len: u32) -> Answer {
    call.fill(call.bytes(to, len)?, byte as u8)?;
    Ok(to.into())
}

pub(super) fn memchr(call: &LibcCall<'_>, at: u32, byte: u32, len: u32) -> Answer {
    let bytes = call.bytes(at, len)?;
    let found = call.search(len, |i| (bytes.at(i) == byte as u8).then_some(i))?;
    Ok(found.map_or(0, |i| bytes.address.wrapping_add(i) as u64))
}
