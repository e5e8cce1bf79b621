//! Numbers written as text, and clocks.
//!
//! A `long` of the guest's has 32 bits; a larger value becomes the nearest that fits, where WAMR
//! cuts the host's 64 bits off.

use super::call::{Answer, LibcCall};
use super::guest_text::Text;
use crate::platform::time::{Clock, now};

/// A number at the start of a text.
struct Parsed {
    negative: bool,
    /// Saturated.
    magnitude: u64,
    /// Index behind the last digit; 0 if there is no number.
    end: u32,
}

fn parse(call: &LibcCall<'_>, text: Text, base: u32) -> Answer<Parsed> {
    let mut at = text.find(call, |byte| !byte.is_ascii_whitespace() && byte != 0x0b)?;
    let negative = text.at(at) == b'-';
    at += matches!(text.at(at), b'-' | b'+') as u32;
    let is_hex = text.at(at) == b'0'
        && text.at(at + 1).eq_ignore_ascii_case(&b'x')
        && text.at(at + 2).is_ascii_hexdigit();
    let base = match base {
        0 if is_hex => 16,
        0 if text.at(at) == b'0' => 8,
        0 => 10,
        base => base,
    };
    if !(2..=36).contains(&base) {
        return Ok(Parsed { negative: false, magnitude: 0, end: 0 });
    }
    at += if base == 16 && is_hex { 2 } else { 0 };
    let first = at;
    let mut magnitude = 0_u64;
    // The text's NUL is no digit.
    let count = call.search(text.len().saturating_sub(first).saturating_add(1), |count| {
        let Some(digit) = (text.at(first + count) as char).to_digit(base) else {
            return Some(count);
        };
        magnitude = magnitude.saturating_mul(base.into()).saturating_add(digit.into());
        None
    })?;
    let count = count.unwrap_or(0);
    Ok(Parsed { negative, magnitude, end: if count > 0 { first + count } else { 0 } })
}

fn to_i32(parsed: &Parsed) -> i32 {
    let value = i64::try_from(parsed.magnitude).unwrap_or(i64::MAX);
    let value = if parsed.negative { -value } else { value };
    value.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}

pub(super) fn atoi(call: &LibcCall<'_>, text: u32) -> Answer {
    Ok(to_i32(&parse(call, call.text(text)?, 10)?) as u32 as u64)
}

pub(super) fn strtol(call: &LibcCall<'_>, text: u32, end: u32, base: u32) -> Answer {
    let parsed = parse_to(call, text, end, base)?;
    Ok(to_i32(&parsed) as u32 as u64)
}

pub(super) fn strtoul(call: &LibcCall<'_>, text: u32, end: u32, base: u32) -> Answer {
    let parsed = parse_to(call, text, end, base)?;
    let Ok(value) = u32::try_from(parsed.magnitude) else { return Ok(u32::MAX.into()) };
    Ok(if parsed.negative { value.wrapping_neg() } else { value }.into())
}

/// Parses, and stores at `end` where the number stops.
fn parse_to(call: &LibcCall<'_>, text: u32, end: u32, base: u32) -> Answer<Parsed> {
    call.bytes(end, 4)?;
    let text = call.text(text)?;
    let parsed = parse(call, text, base)?;
    call.memory.write_u32(end.into(), text.address_of(parsed.end) as u32)?;
    Ok(parsed)
}

fn nanos() -> u64 {
    now(Clock::Monotonic).unwrap_or(0)
}

/// Seconds in 64 bits, nanoseconds in 32; the monotonic clock, for any clock that is asked for.
pub(super) fn clock_gettime(call: &LibcCall<'_>, _clock: u32, to: u32) -> Answer {
    call.bytes(to, 16)?;
    let nanos = nanos() / 1000 * 1000;
    call.memory.write_u64(to.into(), nanos / 1_000_000_000)?;
    call.memory.write_u32(to as u64 + 8, (nanos % 1_000_000_000) as u32)?;
    Ok(0)
}

/// Nanoseconds.
pub(super) fn clock(_call: &LibcCall<'_>) -> Answer {
    Ok(nanos() / 1000 * 1000)
}
