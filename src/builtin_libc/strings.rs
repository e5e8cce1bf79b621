//! `str*`: texts up to their NUL.

use super::{Answer, Call};

/// The first difference of two texts of which at most `most` bytes count, each byte taken as
/// `fold` has it.
fn difference(a: impl Fn(u32) -> u8, b: impl Fn(u32) -> u8, most: u32, fold: fn(u8) -> u8) -> u64 {
    for index in 0..most {
        let (x, y) = (fold(a(index)), fold(b(index)));
        if x != y || x == 0 {
            return (x as i32 - y as i32) as u32 as u64;
        }
    }
    0
}

fn same(byte: u8) -> u8 {
    byte
}

fn lower(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}

pub(super) fn strlen(call: &Call<'_>, text: u32) -> Answer {
    Ok(call.text(text)?.len().into())
}

pub(super) fn strcmp(call: &Call<'_>, a: u32, b: u32) -> Answer {
    let (a, b) = (call.text(a)?, call.text(b)?);
    Ok(difference(|i| a.at(i), |i| b.at(i), u32::MAX, same))
}

/// Both places must have as many bytes as may be compared.
pub(super) fn strncmp(call: &Call<'_>, a: u32, b: u32, most: u32) -> Answer {
    let (a, b) = (call.bytes(a, most)?, call.bytes(b, most)?);
    Ok(difference(|i| a.at(i), |i| b.at(i), most, same))
}

pub(super) fn strncasecmp(call: &Call<'_>, a: u32, b: u32, most: u32) -> Answer {
    let (a, b) = (call.text(a)?, call.text(b)?);
    Ok(difference(|i| a.at(i), |i| b.at(i), most, lower))
}

pub(super) fn strchr(call: &Call<'_>, text: u32, byte: u32) -> Answer {
    let text = call.text(text)?;
    let wanted = byte as u8;
    let index = text.find(|byte| byte == wanted);
    // The NUL belongs to the text here.
    let found = index < text.len() || wanted == 0;
    Ok(if found { text.address_of(index) } else { 0 })
}

pub(super) fn strcpy(call: &Call<'_>, to: u32, from: u32) -> Answer {
    let from = call.text(from)?;
    let to = call.bytes(to, from.len().saturating_add(1))?;
    for index in 0..to.len {
        to.set(index, from.at(index));
    }
    Ok(to.address.into())
}

/// Fills all of the place: what the text leaves free becomes NULs, and a text that does not fit
/// has none.
pub(super) fn strncpy(call: &Call<'_>, to: u32, from: u32, size: u32) -> Answer {
    let to = call.bytes(to, size)?;
    let from = call.bytes(from, size)?;
    let mut ended = false;
    for index in 0..size {
        let byte = if ended { 0 } else { from.at(index) };
        ended |= byte == 0;
        to.set(index, byte);
    }
    Ok(to.address.into())
}

pub(super) fn strspn(call: &Call<'_>, text: u32, accepted: u32) -> Answer {
    let (text, accepted) = (call.text(text)?, call.text(accepted)?);
    Ok(text.find(|byte| accepted.iter().all(|other| other != byte)).into())
}

pub(super) fn strcspn(call: &Call<'_>, text: u32, rejected: u32) -> Answer {
    let (text, rejected) = (call.text(text)?, call.text(rejected)?);
    Ok(text.find(|byte| rejected.iter().any(|other| other == byte)).into())
}

pub(super) fn strstr(call: &Call<'_>, text: u32, wanted: u32) -> Answer {
    let (text, wanted) = (call.text(text)?, call.text(wanted)?);
    let Some(last) = text.len().checked_sub(wanted.len()) else { return Ok(0) };
    let starts_at = |start: u32| (0..wanted.len()).all(|i| text.at(start + i) == wanted.at(i));
    Ok((0..=last).find(|&start| starts_at(start)).map_or(0, |start| text.address_of(start)))
}

pub(super) fn puts(call: &Call<'_>, text: u32) -> Answer {
    let Some(mut line) = call.text(text)?.copy() else { return Ok(u32::MAX.into()) };
    line.push(b'\n');
    call.print(&line);
    Ok(line.len() as u64)
}

pub(super) fn putchar(call: &Call<'_>, byte: u32) -> Answer {
    call.print(&[byte as u8]);
    Ok(1)
}
