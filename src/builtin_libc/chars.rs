//! Kinds of characters, in the C locale. A number that is no character, such as the end of a file,
//! is of no kind and stays as it is.

use super::call::{Answer, LibcCall};

fn is(value: u32, kind: fn(&u8) -> bool) -> Answer {
    Ok(u8::try_from(value).is_ok_and(|byte| kind(&byte)) as u64)
}

pub(super) fn isupper(_call: &LibcCall<'_>, value: u32) -> Answer {
    is(value, u8::is_ascii_uppercase)
}

pub(super) fn isalpha(_call: &LibcCall<'_>, value: u32) -> Answer {
    is(value, u8::is_ascii_alphabetic)
}

/// Rust leaves the vertical tab out.
pub(super) fn isspace(_call: &LibcCall<'_>, value: u32) -> Answer {
    is(value, |byte| byte.is_ascii_whitespace() || *byte == 0x0b)
}

pub(super) fn isgraph(_call: &LibcCall<'_>, value: u32) -> Answer {
    is(value, u8::is_ascii_graphic)
}

pub(super) fn isprint(_call: &LibcCall<'_>, value: u32) -> Answer {
    is(value, |byte| byte.is_ascii_graphic() || *byte == b' ')
}

pub(super) fn isdigit(_call: &LibcCall<'_>, value: u32) -> Answer {
    is(value, u8::is_ascii_digit)
}

pub(super) fn isxdigit(_call: &LibcCall<'_>, value: u32) -> Answer {
    is(value, u8::is_ascii_hexdigit)
}

pub(super) fn isalnum(_call: &LibcCall<'_>, value: u32) -> Answer {
    is(value, u8::is_ascii_alphanumeric)
}

pub(super) fn tolower(_call: &LibcCall<'_>, value: u32) -> Answer {
    Ok(u8::try_from(value).map_or(value, |byte| byte.to_ascii_lowercase().into()).into())
}

pub(super) fn toupper(_call: &LibcCall<'_>, value: u32) -> Answer {
    Ok(u8::try_from(value).map_or(value, |byte| byte.to_ascii_uppercase().into()).into())
}
