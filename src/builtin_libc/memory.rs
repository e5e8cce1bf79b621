//! `mem*`: bytes of a given length.

use super::{Answer, Call};

pub(super) fn memcmp(call: &Call<'_>, a: u32, b: u32, len: u32) -> Answer {
    let (a, b) = (call.bytes(a, len)?, call.bytes(b, len)?);
    let difference = (0..len).map(|i| a.at(i) as i32 - b.at(i) as i32).find(|&d| d != 0);
    Ok(difference.unwrap_or(0) as u32 as u64)
}

/// `memcpy`, `memmove` and Emscripten's name for the former.
pub(super) fn memmove(call: &Call<'_>, to: u32, from: u32, len: u32) -> Answer {
    call.bytes(to, len)?.copy_from(call.bytes(from, len)?);
    Ok(to.into())
}

pub(super) fn memset(call: &Call<'_>, to: u32, byte: u32, len: u32) -> Answer {
    call.bytes(to, len)?.fill(byte as u8);
    Ok(to.into())
}

pub(super) fn memchr(call: &Call<'_>, at: u32, byte: u32, len: u32) -> Answer {
    let bytes = call.bytes(at, len)?;
    let found = (0..len).find(|&i| bytes.at(i) == byte as u8);
    Ok(found.map_or(0, |i| bytes.address.wrapping_add(i) as u64))
}
