//! Signature strings: `(i*~$F)r`, one letter for each parameter, at most one for the result.
//!
//! | letter | parameter |
//! |---|---|
//! | `i` `I` `f` `F` | i32, i64, f32, f64 |
//! | `r` | a reference |
//! | `*` | an address: the native gets a pointer to at least one byte |
//! | `*~` | an address and, as the next parameter, how many bytes must be there |
//! | `$` | the address of a NUL-terminated string |
//!
//! The accepted language is WAMR's, corner cases included: a result letter is demanded when the
//! function has results, and then speaks of the first only.

use crate::abi::error::bounded;
use crate::abi::types::{FuncType, ValType};

/// How wide the addresses of the importing module's first memory are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressWidth {
    #[default]
    Bits32,
    Bits64,
}

impl AddressWidth {
    /// Of addresses that are passed as values of this type.
    pub fn of(ty: ValType) -> Self {
        if ty == ValType::I64 { Self::Bits64 } else { Self::Bits32 }
    }

    fn fits(self, ty: ValType) -> bool {
        match self {
            Self::Bits32 => ty == ValType::I32,
            Self::Bits64 => ty == ValType::I64 || ty == ValType::I32,
        }
    }
}

/// A signature that fits a function type.
#[derive(Clone, Copy)]
pub(super) struct Signature<'a> {
    /// One letter for each parameter of the type it was checked against.
    params: &'a [u8],
}

/// The conversion of a parameter, by its letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Param {
    /// The value as it is.
    Value,
    /// An address of one byte or more.
    Pointer,
    /// An address whose length is the next parameter.
    SizedPointer,
    /// The address of a string.
    Text,
}

impl<'a> Signature<'a> {
    /// Reads `text` as the signature of a function of type `ty`; `None` if it does not fit.
    pub(super) fn check(text: &'a [u8], ty: &FuncType, width: AddressWidth) -> Option<Self> {
        let count = ty.params().len();
        let rest = text.strip_prefix(b"(")?;
        let (params, tail) = rest.split_at_checked(count)?;
        let tail = tail.strip_prefix(b")")?;
        let mut after_pointer = false;
        for (&letter, &param) in params.iter().zip(ty.params()) {
            let fits = match letter {
                b'*' | b'$' => width.fits(param),
                b'~' => after_pointer && width.fits(param),
                letter => letter_fits(letter, param),
            };
            if !fits {
                return None;
            }
            after_pointer = letter == b'*';
        }
        let fits = match (ty.results().first(), tail) {
            (None, []) => true,
            (Some(&result), &[letter]) => letter_fits(letter, result),
            _ => false,
        };
        fits.then_some(Self { params })
    }

    /// The conversion of parameter `index`.
    pub(super) fn param(&self, index: usize) -> Param {
        match self.params.get(index) {
            Some(b'*') if self.params.get(index + 1) == Some(&b'~') => Param::SizedPointer,
            Some(b'*') => Param::Pointer,
            Some(b'$') => Param::Text,
            _ => Param::Value,
        }
    }
}

fn letter_fits(letter: u8, ty: ValType) -> bool {
    let number = match letter {
        b'i' => ValType::I32,
        b'I' => ValType::I64,
        b'f' => ValType::F32,
        b'F' => ValType::F64,
        b'r' => return ty.is_ref(),
        _ => return false,
    };
    ty == number
}

/// The signature of a function of type `ty`, for messages; types without a letter get `?`.
pub(super) fn text_of(ty: &FuncType) -> String {
    let letter = |&ty: &ValType| match ty {
        ValType::I32 => 'i',
        ValType::I64 => 'I',
        ValType::F32 => 'f',
        ValType::F64 => 'F',
        ValType::Ref(_) => 'r',
        ValType::V128 => '?',
    };
    let params: String = ty.params().iter().map(letter).collect();
    let results: String = ty.results().iter().map(letter).collect();
    bounded(format_args!("({params}){results}"))
}

#[cfg(test)]
mod tests {
    use super::{AddressWidth, Param, Signature};
    use crate::abi::types::{FuncType, ValType};
    use ValType::{F32, F64, I32, I64, V128};

    const FUNCREF: ValType = ValType::FUNCREF;
    const EXTERNREF: ValType = ValType::EXTERNREF;

    fn fits(text: &str, params: &[ValType], results: &[ValType]) -> bool {
        let ty = FuncType::new(params, results);
        Signature::check(text.as_bytes(), &ty, AddressWidth::Bits32).is_some()
    }

    #[test]
    fn every_letter_matches_its_types_only() {
        let references = &[EXTERNREF, FUNCREF, ValType::ANYREF][..];
        let letters =
            [("i", &[I32][..]), ("I", &[I64]), ("f", &[F32]), ("F", &[F64]), ("r", references)];
        for (letter, types) in letters {
            for other in [I32, I64, F32, F64, EXTERNREF, FUNCREF, ValType::ANYREF, V128] {
                let is_one = types.contains(&other);
                assert_eq!(fits(&format!("({letter})"), &[other], &[]), is_one);
                assert_eq!(fits(&format!("(){letter}"), &[], &[other]), is_one);
            }
        }
    }

    #[test]
    fn addresses_are_i32() {
        for text in ["(*)", "($)"] {
            assert!(fits(text, &[I32], &[]));
            for other in [I64, F32, F64, EXTERNREF, FUNCREF, V128] {
                assert!(!fits(text, &[other], &[]), "{text} {other}");
            }
        }
        assert!(!fits("()*", &[], &[I32]));
        assert!(!fits("()$", &[], &[I32]));
    }

    #[test]
    fn wide_addresses_need_a_wide_memory() {
        let ty = FuncType::new([I64, I64, I64], []);
        let text = b"(*~$)";
        assert!(Signature::check(text, &ty, AddressWidth::Bits32).is_none());
        assert!(Signature::check(text, &ty, AddressWidth::Bits64).is_some());
    }

    #[test]
    fn a_length_follows_a_pointer() {
        assert!(fits("(*~)", &[I32, I32], &[]));
        assert!(fits("(*~i*~)", &[I32, I32, I32, I32, I32], &[]));
        assert!(!fits("(~)", &[I32], &[]));
        assert!(!fits("(i~)", &[I32, I32], &[]));
        assert!(!fits("($~)", &[I32, I32], &[]));
        assert!(!fits("(*~~)", &[I32, I32, I32], &[]));
        assert!(!fits("(*~)", &[I32, I64], &[]));
    }

    #[test]
    fn the_form_is_checked() {
        assert!(fits("()", &[], &[]));
        assert!(fits("(iI)F", &[I32, I64], &[F64]));
        for text in ["", "(", ")", "i", "(i", "i)", "(i)i", "(i))", "(i) ", " (i)", "(ii)", "()"] {
            assert!(!fits(text, &[I32], &[]), "{text}");
        }
        assert!(!fits("()", &[], &[I32]));
        assert!(!fits("()i", &[], &[]));
    }

    #[test]
    fn only_the_first_result_has_a_letter() {
        assert!(fits("()i", &[], &[I32, I64]));
        assert!(!fits("()iI", &[], &[I32, I64]));
        assert!(!fits("()I", &[], &[I32, I64]));
    }

    #[test]
    fn parameters_are_told_apart() {
        let ty = FuncType::new([I32, I32, I32, I32, I32, F64], [I32]);
        let text = b"(**~$iF)i";
        let signature = Signature::check(text, &ty, AddressWidth::Bits32);
        let params: Vec<_> = signature.iter().flat_map(|s| (0..6).map(|i| s.param(i))).collect();
        let expected = [
            Param::Pointer,
            Param::SizedPointer,
            Param::Value,
            Param::Text,
            Param::Value,
            Param::Value,
        ];
        assert_eq!(params, expected);
    }
}
