//! Arguments from text, read with C's own number parsers so that every spelling they take works.

use crate::abi::heap_types::Hierarchy;
use crate::abi::types::ValType;
use std::ffi::{CStr, c_char};
use std::ptr;

/// Why an argument could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// It is empty.
    Empty,
    /// Something is left over after the number.
    Tail,
}

/// Reads one argument of type `ty` and appends its cells, which the caller has made room for.
pub(super) fn argument(text: &CStr, ty: ValType, cells: &mut Vec<u32>) -> Result<(), Unread> {
    if text.is_empty() {
        return Err(Unread::Empty);
    }
    let mut reader = Reader { rest: text };
    match ty {
        ValType::I32 => cells.push(reader.unsigned_long() as u32),
        ValType::I64 => push64(cells, reader.unsigned_long_long()),
        ValType::F32 => cells.push(reader.float().to_bits()),
        ValType::F64 => push64(cells, reader.double().to_bits()),
        ValType::V128 => {
            push64(cells, reader.unsigned_long_long());
            reader.skip_one();
            push64(cells, reader.unsigned_long_long());
        }
        ValType::Ref(ty) => match (ty.hierarchy(), reader.null()) {
            (Hierarchy::Func, true) => cells.push(u32::MAX),
            (Hierarchy::Func, false) => cells.push(reader.unsigned_long() as u32),
            (Hierarchy::Extern, true) => push64(cells, u64::MAX),
            (Hierarchy::Extern, false) => push64(cells, reader.unsigned_long_long()),
            (Hierarchy::Exn | Hierarchy::Any, true) => push64(cells, 0),
            // There are none that could be named.
            (Hierarchy::Exn | Hierarchy::Any, false) => return Err(Unread::Tail),
        },
    }
    match reader.rest.to_bytes().first() {
        // A suffix such as "_i32" is tolerated.
        None | Some(b'_') => Ok(()),
        Some(_) => Err(Unread::Tail),
    }
}

fn push64(cells: &mut Vec<u32>, value: u64) {
    cells.extend([value as u32, (value >> 32) as u32]);
}

struct Reader<'a> {
    rest: &'a CStr,
}

impl Reader<'_> {
    /// Runs one of C's parsers and goes on where it stopped.
    fn with<T>(&mut self, parse: impl FnOnce(*const c_char, *mut *mut c_char) -> T) -> T {
        let mut end = ptr::null_mut();
        let value = parse(self.rest.as_ptr(), &mut end);
        // SAFETY: the parsers set `end` into the string they were given, or to its terminator.
        self.rest = unsafe { CStr::from_ptr(end) };
        value
    }

    fn unsigned_long(&mut self) -> libc::c_ulong {
        // SAFETY: a terminated string and a place for the end.
        self.with(|text, end| unsafe { libc::strtoul(text, end, 0) })
    }

    fn unsigned_long_long(&mut self) -> u64 {
        // SAFETY: a terminated string and a place for the end.
        self.with(|text, end| unsafe { libc::strtoull(text, end, 0) })
    }

    fn float(&mut self) -> f32 {
        let negative = self.rest.to_bytes().first() == Some(&b'-');
        // SAFETY: a terminated string and a place for the end.
        let value = self.with(|text, end| unsafe { libc::strtof(text, end) });
        if !value.is_nan() {
            return value;
        }
        const PAYLOAD: u32 = 0x7F_FFFF;
        let mut bits = value.to_bits() & !(1 << 31) | u32::from(negative) << 31;
        if self.colon() {
            bits = bits & !PAYLOAD | self.unsigned_long() as u32 & PAYLOAD;
        }
        f32::from_bits(bits)
    }

    fn double(&mut self) -> f64 {
        let negative = self.rest.to_bytes().first() == Some(&b'-');
        // SAFETY: a terminated string and a place for the end.
        let value = self.with(|text, end| unsafe { libc::strtod(text, end) });
        if !value.is_nan() {
            return value;
        }
        const PAYLOAD: u64 = 0xF_FFFF_FFFF_FFFF;
        let mut bits = value.to_bits() & !(1 << 63) | u64::from(negative) << 63;
        if self.colon() {
            bits = bits & !PAYLOAD | self.unsigned_long_long() & PAYLOAD;
        }
        f64::from_bits(bits)
    }

    /// Whether the text is `null`; takes all of it then.
    fn null(&mut self) -> bool {
        let bytes = self.rest.to_bytes();
        let null = bytes.get(..4).is_some_and(|start| start.eq_ignore_ascii_case(b"null"));
        if null {
            self.rest = c"";
        }
        null
    }

    /// Skips a colon, if one is next.
    fn colon(&mut self) -> bool {
        let found = self.rest.to_bytes().first() == Some(&b':');
        if found {
            self.skip_one();
        }
        found
    }

    /// Skips a byte, if one is left.
    fn skip_one(&mut self) {
        if let Some(rest) = self.rest.to_bytes_with_nul().get(1..) {
            self.rest = CStr::from_bytes_with_nul(rest).unwrap_or(c"");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &CStr, ty: ValType) -> Result<Vec<u32>, Unread> {
        let mut cells = Vec::new();
        argument(text, ty, &mut cells).map(|()| cells)
    }

    #[test]
    fn numbers_in_any_base() {
        assert_eq!(read(c"42", ValType::I32), Ok(vec![42]));
        assert_eq!(read(c"-1", ValType::I32), Ok(vec![u32::MAX]));
        assert_eq!(read(c"0x10", ValType::I64), Ok(vec![16, 0]));
        assert_eq!(read(c"010", ValType::I32), Ok(vec![8]));
        assert_eq!(read(c"1.5", ValType::F32), Ok(vec![1.5f32.to_bits()]));
        assert_eq!(read(c"0x1\\2", ValType::V128), Ok(vec![1, 0, 2, 0]));
    }

    #[test]
    fn nans_have_sign_and_payload() {
        assert_eq!(read(c"nan", ValType::F32), Ok(vec![0x7FC0_0000]));
        assert_eq!(read(c"-nan:0x200000", ValType::F32), Ok(vec![0xFFA0_0000]));
        let cells = read(c"nan:0x4000000000000", ValType::F64);
        assert_eq!(cells, Ok(vec![0, 0x7FF4_0000]));
    }

    #[test]
    fn references() {
        assert_eq!(read(c"null", ValType::FUNCREF), Ok(vec![u32::MAX]));
        assert_eq!(read(c"NULL", ValType::EXTERNREF), Ok(vec![u32::MAX, u32::MAX]));
        assert_eq!(read(c"0x1234", ValType::EXTERNREF), Ok(vec![0x1234, 0]));
    }

    #[test]
    fn what_cannot_be_read() {
        assert_eq!(read(c"", ValType::I32), Err(Unread::Empty));
        assert_eq!(read(c"x", ValType::I32), Err(Unread::Tail));
        assert_eq!(read(c"1 2", ValType::I32), Err(Unread::Tail));
        assert_eq!(read(c"1_i32", ValType::I32), Ok(vec![1]));
    }
}
