//! `str*`: texts up to their NUL.

use super::call::{Answer, LibcCall, PIECE_BYTES};
use super::guest_text::Text;

/// The first difference of two texts of which at most `most` bytes count, each byte taken as
/// `fold` has it.
fn difference(
    call: &LibcCall<'_>,
    [a, b]: [&dyn Fn(u32) -> u8; 2],
    most: u32,
    fold: fn(u8) -> u8,
) -> Answer {
    let found = call.search(most, |index| {
        let (x, y) = (fold(a(index)), fold(b(index)));
        (x != y || x == 0).then_some(x as i32 - y as i32)
    })?;
    Ok(found.unwrap_or(0) as u32 as u64)
}

fn same(byte: u8) -> u8 {
    byte
}

fn lower(byte: u8) -> u8 {
    byte.to_ascii_lowercase()
}

pub(super) fn strlen(call: &LibcCall<'_>, text: u32) -> Answer {
    Ok(call.text(text)?.len().into())
}

pub(super) fn strcmp(call: &LibcCall<'_>, a: u32, b: u32) -> Answer {
    let (a, b) = (call.text(a)?, call.text(b)?);
    difference(call, [&|i| a.at(i), &|i| b.at(i)], u32::MAX, same)
}

/// Both places must have as many bytes as may be compared.
pub(super) fn strncmp(call: &LibcCall<'_>, a: u32, b: u32, most: u32) -> Answer {
    let (a, b) = (call.bytes(a, most)?, call.bytes(b, most)?);
    difference(call, [&|i| a.at(i), &|i| b.at(i)], most, same)
}

pub(super) fn strncasecmp(call: &LibcCall<'_>, a: u32, b: u32, most: u32) -> Answer {
    let (a, b) = (call.text(a)?, call.text(b)?);
    difference(call, [&|i| a.at(i), &|i| b.at(i)], most, lower)
}

pub(super) fn strchr(call: &LibcCall<'_>, text: u32, byte: u32) -> Answer {
    let text = call.text(text)?;
    let wanted = byte as u8;
    let index = text.find(call, |byte| byte == wanted)?;
    // The NUL belongs to the text here.
    let found = index < text.len() || wanted == 0;
    Ok(if found { text.address_of(index) } else { 0 })
}

pub(super) fn strcpy(call: &LibcCall<'_>, to: u32, from: u32) -> Answer {
    let from = call.text(from)?;
    let to = call.bytes(to, from.len().saturating_add(1))?;
    call.each(to.len, |index| to.set(index, from.at(index)))?;
    Ok(to.address.into())
}

/// Fills all of the place: the rest behind the text becomes NULs, and a text that does not fit has
/// none.
pub(super) fn strncpy(call: &LibcCall<'_>, to: u32, from: u32, size: u32) -> Answer {
    let to = call.bytes(to, size)?;
    let from = call.bytes(from, size)?;
    let mut ended = false;
    call.each(size, |index| {
        let byte = if ended { 0 } else { from.at(index) };
        ended |= byte == 0;
        to.set(index, byte);
    })?;
    Ok(to.address.into())
}

/// Which bytes a text has.
fn bytes_of(call: &LibcCall<'_>, text: Text) -> Answer<[bool; 256]> {
    let mut found = [false; 256];
    call.each(text.len(), |index| found[text.at(index) as usize] = true)?;
    Ok(found)
}

pub(super) fn strspn(call: &LibcCall<'_>, text: u32, accepted: u32) -> Answer {
    let (text, accepted) = (call.text(text)?, call.text(accepted)?);
    let accepted = bytes_of(call, accepted)?;
    Ok(text.find(call, |byte| !accepted[byte as usize])?.into())
}

pub(super) fn strcspn(call: &LibcCall<'_>, text: u32, rejected: u32) -> Answer {
    let (text, rejected) = (call.text(text)?, call.text(rejected)?);
    let rejected = bytes_of(call, rejected)?;
    Ok(text.find(call, |byte| rejected[byte as usize])?.into())
}

pub(super) fn strstr(call: &LibcCall<'_>, text: u32, wanted: u32) -> Answer {
    let (text, wanted) = (call.text(text)?, call.text(wanted)?);
    let Some(last) = text.len().checked_sub(wanted.len()) else { return Ok(0) };
    for start in 0..=last {
        let differs = |i| (text.at(start + i) != wanted.at(i)).then_some(());
        if call.search(wanted.len(), differs)?.is_none() {
            return Ok(text.address_of(start));
        }
    }
    Ok(0)
}

/// A line of usual length is printed at once.
pub(super) fn puts(call: &LibcCall<'_>, text: u32) -> Answer {
    let text = call.text(text)?;
    let room = text.len().min(PIECE_BYTES) as usize + 1;
    let Ok(mut piece) = crate::alloc::try_vec(room) else { return Ok(u32::MAX.into()) };
    let mut done = 0;
    loop {
        let end = text.len().min(done + PIECE_BYTES);
        piece.clear();
        text.copy_to(&mut piece, done..end);
        if end == text.len() {
            piece.push(b'\n');
            call.print(&piece)?;
            return Ok(u64::from(end) + 1);
        }
        call.print(&piece)?;
        call.work(end - done)?;
        done = end;
    }
}

pub(super) fn putchar(call: &LibcCall<'_>, byte: u32) -> Answer {
    call.print(&[byte as u8])?;
    Ok(1)
}
