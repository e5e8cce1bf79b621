//! Results as text, the floats as C's `%.7g` has them.

use crate::abi::guest_word;
use crate::abi::heap_types::Hierarchy;
use crate::abi::types::ValType;
use std::fmt::Write;

/// The results joined by commas.
pub(super) fn results(types: &[ValType], cells: &[u32]) -> String {
    let mut text = String::new();
    let mut at = 0;
    for (i, ty) in types.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        let cell = |i: usize| u64::from(cells.get(at + i).copied().unwrap_or(0));
        // Writing to a string does not fail.
        let _ = result(&mut text, *ty, cell(0) | cell(1) << 32, cell(2) | cell(3) << 32);
        at += ty.cells() as usize;
    }
    text
}

/// One result: `low` begins with its first cell, `high` is a vector's upper half.
fn result(text: &mut String, ty: ValType, low: u64, high: u64) -> std::fmt::Result {
    let word = low as u32;
    match ty {
        ValType::I32 => write!(text, "{word:#x}:i32"),
        ValType::I64 => write!(text, "{low:#x}:i64"),
        ValType::F32 => write!(text, "{}:f32", Short::of(f64::from(f32::from_bits(word)))),
        ValType::F64 => write!(text, "{}:f64", Short::of(f64::from_bits(low))),
        ValType::V128 => write!(text, "<{low:#018x} {high:#018x}>:v128"),
        ValType::Ref(ty) => match ty.hierarchy() {
            Hierarchy::Func if word == u32::MAX => text.write_str("func:ref.null"),
            Hierarchy::Func => write!(text, "{word}:ref.func"),
            Hierarchy::Extern if low == 0 || low == u64::MAX => text.write_str("extern:ref.null"),
            Hierarchy::Extern => write!(text, "{low:#x}:ref.extern"),
            Hierarchy::Exn if low == 0 => text.write_str("exn:ref.null"),
            Hierarchy::Exn => text.write_str("ref.exn"),
            Hierarchy::Any if low == 0 => text.write_str("any:ref.null"),
            Hierarchy::Any if !guest_word::is_guests(low) => {
                write!(text, "{:#x}:ref.host", low - 1)
            }
            Hierarchy::Any if guest_word::as_small_integer(low).is_some() => {
                text.write_str("ref.i31")
            }
            // A struct or an array, which the word does not say.
            Hierarchy::Any => text.write_str("ref.eq"),
        },
    }
}

/// A number with seven digits.
struct Short([u8; 32]);

impl Short {
    fn of(value: f64) -> Self {
        let mut bytes = [0u8; 32];
        // SAFETY: the format takes one double, and writes no more than fits into the array,
        // terminated.
        unsafe {
            libc::snprintf(bytes.as_mut_ptr().cast(), bytes.len(), c"%.7g".as_ptr(), value);
        }
        Self(bytes)
    }
}

impl std::fmt::Display for Short {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for &byte in self.0.iter().take_while(|byte| **byte != 0) {
            f.write_char(char::from(byte))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_form() {
        let (f32, f64) = ((-0.5392354f32).to_bits(), 0.1f64.to_bits());
        let types = [ValType::I32, ValType::I64, ValType::F32, ValType::F64, ValType::V128];
        let cells = [0, u32::MAX, u32::MAX, f32, f64 as u32, (f64 >> 32) as u32, 1, 0, 2, 0];
        assert_eq!(
            results(&types, &cells),
            "0x0:i32,0xffffffffffffffff:i64,-0.5392354:f32,0.1:f64,\
             <0x0000000000000001 0x0000000000000002>:v128"
        );
        let types = [ValType::FUNCREF, ValType::EXTERNREF, ValType::FUNCREF, ValType::EXTERNREF];
        let text = "func:ref.null,extern:ref.null,3:ref.func,0x5:ref.extern";
        assert_eq!(results(&types, &[u32::MAX, 0, 0, 3, 5, 0]), text);
        assert_eq!(results(&[], &[]), "");
    }

    #[test]
    fn floats_are_short() {
        let f64s = |value: f64| {
            let bits = value.to_bits();
            results(&[ValType::F64], &[bits as u32, (bits >> 32) as u32])
        };
        assert_eq!(f64s(1e300), "1e+300:f64");
        assert_eq!(f64s(f64::NEG_INFINITY), "-inf:f64");
        assert_eq!(f64s(f64::NAN), "nan:f64");
        assert_eq!(f64s(3.0), "3:f64");
    }
}
