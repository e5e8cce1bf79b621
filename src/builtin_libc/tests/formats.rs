//! `snprintf`, which formats as `printf` does.

use super::Guest;
use crate::abi::trap::Trap;
use crate::builtin_libc::format;

const TO: u32 = 100;
const FORMAT: u32 = 1000;
const ARGS: u32 = 1504;
const TEXT: u32 = 2000;

enum Arg {
    Word(u32),
    Long(u64),
    Double(f64),
}
use Arg::{Double, Long, Word};

/// The output, and the count that is returned.
fn formatted(text: &str, args: &[Arg]) -> (String, u64) {
    let mut guest = Guest::new();
    guest.text(FORMAT, text);
    guest.text(TEXT, "text");
    let mut at = ARGS;
    for arg in args {
        match arg {
            Word(value) => {
                guest.write(at, &value.to_le_bytes());
                at += 4;
            }
            Long(value) => {
                at = at.next_multiple_of(8);
                guest.write(at, &value.to_le_bytes());
                at += 8;
            }
            Double(value) => {
                at = at.next_multiple_of(8);
                guest.write(at, &value.to_bits().to_le_bytes());
                at += 8;
            }
        }
    }
    let count = guest.call(|c| format::snprintf(c, TO, 800, FORMAT, ARGS));
    let len = guest.read(TO, 800).iter().position(|&b| b == 0);
    let written = guest.read(TO, len.unwrap_or(800)).to_vec();
    (String::from_utf8_lossy(&written).into_owned(), count.unwrap_or(u64::MAX))
}

#[test]
fn conversions_mean_what_they_mean_in_c() {
    for (text, args, expected) in [
        ("plain", vec![], "plain"),
        ("%d|%5d|%-5d|%05d", vec![Word(1), Word(2), Word(3), Word(4)], "1|    2|3    |00004"),
        ("%i %u", vec![Word(-1_i32 as u32), Word(u32::MAX)], "-1 4294967295"),
        ("%x %X %#x %o", vec![Word(255), Word(255), Word(255), Word(8)], "ff FF 0xff 10"),
        ("%+d % d", vec![Word(5), Word(5)], "+5  5"),
        ("%ld %zu %td", vec![Word(7), Word(8), Word(9)], "7 8 9"),
        ("%lld", vec![Long(1 << 40)], "1099511627776"),
        ("%d %lld %d", vec![Word(1), Long(u64::MAX), Word(2)], "1 -1 2"),
        ("%jd", vec![Long(1 << 33)], "8589934592"),
        ("%hd %hhd", vec![Word(0x1_0001), Word(0x101)], "1 1"),
        ("%c%c", vec![Word(b'o'.into()), Word(b'k'.into())], "ok"),
        ("%s|%6s|%-6s|%.2s", vec![Word(TEXT); 4], "text|  text|text  |te"),
        ("%f %.2f %g", vec![Double(1.5), Double(2.345), Double(1e20)], "1.500000 2.35 1e+20"),
        ("%e", vec![Double(12345.678)], "1.234568e+04"),
        ("100%% %n%k", vec![], "100% %k"),
        ("%s", vec![Word(0)], "(null)"),
        ("%p", vec![Word(0xabc)], "0xabc"),
    ] {
        let (got, count) = formatted(text, &args);
        assert_eq!((got.as_str(), count), (expected, expected.len() as u64), "{text}");
    }
}

impl Clone for Arg {
    fn clone(&self) -> Self {
        match *self {
            Word(value) => Word(value),
            Long(value) => Long(value),
            Double(value) => Double(value),
        }
    }
}

#[test]
fn widths_are_kept_within_reason() {
    let (text, count) = formatted("%700d", &[Word(1)]);
    assert_eq!((text.len(), count), (700, 700));
    let (_, count) = formatted("%99999999d", &[Word(1)]);
    assert_eq!(count, 4095);
}

#[test]
fn what_does_not_fit_is_counted() {
    let mut guest = Guest::new();
    guest.text(FORMAT, "0123456789");
    guest.write(TO, b"################");
    assert_eq!(guest.call(|c| format::snprintf(c, TO, 4, FORMAT, ARGS)), Ok(10));
    assert_eq!(guest.read(TO, 6), b"012\0##");
    assert_eq!(guest.call(|c| format::snprintf(c, TO, 0, FORMAT, ARGS)), Ok(10));
    assert_eq!(guest.call(|c| format::sprintf(c, TO, FORMAT, ARGS)), Ok(10));
    assert_eq!(guest.read(TO, 11), b"0123456789\0");
}

#[test]
fn arguments_must_be_the_guests() {
    let mut guest = Guest::new();
    let last = super::MEMORY_BYTES as u32 - 4;
    guest.text(FORMAT, "%d%d");
    let outside = Err(Trap::MemoryOutOfBounds);
    assert_eq!(guest.call(|c| format::snprintf(c, TO, 9, FORMAT, last)), outside);
    assert_eq!(guest.call(|c| format::snprintf(c, TO, 9, FORMAT, u32::MAX)), outside);
    guest.text(FORMAT, "%s");
    guest.write(ARGS, &u32::MAX.to_le_bytes());
    assert_eq!(guest.call(|c| format::snprintf(c, TO, 9, FORMAT, ARGS)), outside);
    assert_eq!(guest.call(|c| format::sprintf(c, u32::MAX, FORMAT, ARGS)), outside);
}
