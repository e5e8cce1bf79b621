//! Bytes, strings, numbers and characters.

use super::Guest;
use crate::abi::trap::Trap;
use crate::builtin_libc::call::{Answer, LibcCall};
use crate::builtin_libc::{chars, memory, numbers, strings};

const A: u32 = 100;
const B: u32 = 300;
const END: u32 = 500;

fn guest(a: &str, b: &str) -> Guest {
    let mut guest = Guest::new();
    guest.text(A, a);
    guest.text(B, b);
    guest
}

fn signed(answer: Result<u64, Trap>) -> Result<i32, Trap> {
    answer.map(|value| (value as i32).signum())
}

#[test]
fn texts_are_compared() {
    for (a, b, order) in [("abc", "abc", 0), ("abc", "abd", -1), ("b", "abc", 1), ("", "a", -1)] {
        let mut guest = guest(a, b);
        assert_eq!(signed(guest.call(|c| strings::strcmp(c, A, B))), Ok(order), "{a} {b}");
    }
    let mut guest = guest("abXY", "ABxz");
    assert_eq!(signed(guest.call(|c| strings::strncasecmp(c, A, B, 3))), Ok(0));
    assert_eq!(signed(guest.call(|c| strings::strncasecmp(c, A, B, 4))), Ok(-1));
    assert_eq!(signed(guest.call(|c| strings::strncmp(c, A, B, 0))), Ok(0));
    assert_eq!(signed(guest.call(|c| memory::memcmp(c, A, B, 2))), Ok(1));
}

#[test]
fn texts_are_searched() {
    let mut guest = guest("hello, world", "lo");
    assert_eq!(guest.call(|c| strings::strlen(c, A)), Ok(12));
    assert_eq!(guest.call(|c| strings::strchr(c, A, b'o'.into())), Ok(104));
    assert_eq!(guest.call(|c| strings::strchr(c, A, 0)), Ok(112));
    assert_eq!(guest.call(|c| strings::strchr(c, A, b'z'.into())), Ok(0));
    assert_eq!(guest.call(|c| strings::strstr(c, A, B)), Ok(103));
    assert_eq!(guest.call(|c| strings::strstr(c, B, A)), Ok(0));
    assert_eq!(guest.call(|c| strings::strspn(c, A, B)), Ok(0));
    assert_eq!(guest.call(|c| strings::strcspn(c, A, B)), Ok(2));
    assert_eq!(guest.call(|c| memory::memchr(c, A, b'w'.into(), 12)), Ok(107));
    assert_eq!(guest.call(|c| memory::memchr(c, A, b'w'.into(), 3)), Ok(0));
}

#[test]
fn texts_are_copied() {
    let mut guest = guest("abc", "zzzzzz");
    assert_eq!(guest.call(|c| strings::strcpy(c, B, A)), Ok(B.into()));
    assert_eq!(guest.read(B, 6), b"abc\0zz");
    assert_eq!(guest.call(|c| strings::strncpy(c, B, A, 6)), Ok(B.into()));
    assert_eq!(guest.read(B, 6), b"abc\0\0\0");
    assert_eq!(guest.call(|c| strings::strncpy(c, B, A, 2)), Ok(B.into()));
    assert_eq!(guest.read(B, 4), b"abc\0");
    assert_eq!(guest.call(|c| memory::memmove(c, A + 1, A, 3)), Ok((A + 1).into()));
    assert_eq!(guest.read(A, 4), b"aabc");
    assert_eq!(guest.call(|c| memory::memset(c, A, 0x141, 2)), Ok(A.into()));
    assert_eq!(guest.read(A, 4), b"AAbc");
}

#[test]
fn what_is_not_the_guests_traps() {
    let last = super::MEMORY_BYTES as u32 - 1;
    let mut guest = guest("abc", "");
    guest.write(last, b"x");
    let outside = Err(Trap::MemoryOutOfBounds);
    assert_eq!(guest.call(|c| strings::strlen(c, last)), outside, "no NUL inside");
    assert_eq!(guest.call(|c| strings::strlen(c, u32::MAX)), outside);
    assert_eq!(guest.call(|c| strings::strcpy(c, last, A)), outside);
    assert_eq!(guest.call(|c| memory::memmove(c, last, A, 2)), outside);
    assert_eq!(guest.call(|c| memory::memset(c, 1, 0, u32::MAX)), outside);
    assert_eq!(guest.call(|c| memory::memcmp(c, A, u32::MAX, 2)), outside);
    assert_eq!(guest.call(|c| numbers::strtol(c, A, last, 10)), outside);
}

#[test]
fn numbers_are_read() {
    for (text, base, value, end) in [
        ("42rest", 10, 42, 2),
        ("  -17", 10, -17, 5),
        ("+0x1F", 0, 31, 5),
        ("0x", 16, 0, 1),
        ("077", 0, 63, 3),
        ("zz", 36, 1295, 2),
        ("none", 10, 0, 0),
        ("99999999999", 10, i32::MAX, 11),
        ("-99999999999", 10, i32::MIN, 12),
        ("12", 1, 0, 0),
    ] {
        let mut guest = guest(text, "");
        let got = guest.call(|c| numbers::strtol(c, A, END, base));
        assert_eq!(got.map(|value| value as i32), Ok(value), "{text}");
        assert_eq!(guest.read(END, 4), (A + end).to_le_bytes(), "{text}");
    }
    let mut guest = guest("4294967295", "-1");
    assert_eq!(guest.call(|c| numbers::strtoul(c, A, END, 10)), Ok(u32::MAX.into()));
    assert_eq!(guest.call(|c| numbers::strtoul(c, B, END, 10)), Ok(u32::MAX.into()));
    assert_eq!(guest.call(|c| numbers::atoi(c, B)), Ok(u32::MAX.into()));
}

#[test]
fn characters_have_kinds() {
    let mut guest = Guest::new();
    let mut is =
        |kind: fn(&LibcCall<'_>, u32) -> Answer, value: u32| guest.call(|c| kind(c, value));
    assert_eq!(is(chars::isspace, 0x0b), Ok(1));
    assert_eq!(is(chars::isprint, b' '.into()), Ok(1));
    assert_eq!(is(chars::isgraph, b' '.into()), Ok(0));
    assert_eq!(is(chars::isalpha, u32::MAX), Ok(0));
    assert_eq!(is(chars::toupper, b'q'.into()), Ok(b'Q'.into()));
    assert_eq!(is(chars::tolower, 0xffff_ffff), Ok(0xffff_ffff));
}
