//! References as C code has them: one word, of which the highest nine bits say what it is.
//!
//! Guests' own words (`guest_word`) stay as they are. Functions and objects of the host's get bits
//! that, like those, no address of a process has, so that no word is taken for another kind. A
//! word is a claim: the function or object that it names is looked up before it is used.

use super::guest_word;
use super::value::{AnyRef, ExternRef, FuncRef, NonZeroWord};

const TAG_SHIFT: u32 = 55;
const PAYLOAD: u64 = (1 << TAG_SHIFT) - 1;

/// The highest nine bits of an anyref to an object of the host's; below is the slot's word.
const HOST: u64 = 0xdc;

/// Those of a function; below is the address of its reference.
const FUNC: u64 = 0xdd;

/// Set in addition if a word of a guest's or of the host's object is an externref.
const AS_EXTERN: u64 = 1 << 63;

/// What a word of C's says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RawRef {
    Null,
    Any(AnyRef),
    /// An externref, to an object of the host's or to what a guest has made one of.
    Extern(ExternRef),
    /// The claim that a function's reference is at this address.
    Func(usize),
    /// A word without such bits, as hosts have for their own objects.
    Plain(u64),
}

impl RawRef {
    pub fn read(word: u64) -> Self {
        let inner = word & !AS_EXTERN;
        let slot = match inner >> TAG_SHIFT {
            guest_word::GUEST_BITS => NonZeroWord::new(inner),
            HOST => NonZeroWord::new(inner & PAYLOAD),
            FUNC if inner == word => return Self::Func((word & PAYLOAD) as usize),
            _ => None,
        };
        match slot {
            Some(slot) if inner == word => Self::Any(AnyRef(slot)),
            Some(slot) => Self::Extern(ExternRef(slot)),
            None if word == 0 => Self::Null,
            None => Self::Plain(word),
        }
    }

    /// The word for C. One of an object of the host's whose slot has bits of its own there is the
    /// slot's.
    pub fn word(self) -> u64 {
        let tagged = |slot: NonZeroWord, bits: u64| match slot.get() {
            slot if guest_word::is_guests(slot) => slot | bits,
            slot if slot > PAYLOAD => slot,
            slot => slot | HOST << TAG_SHIFT | bits,
        };
        match self {
            Self::Null => 0,
            Self::Any(reference) => tagged(reference.0, 0),
            Self::Extern(reference) => tagged(reference.0, AS_EXTERN),
            Self::Func(address) => address as u64 & PAYLOAD | FUNC << TAG_SHIFT,
            Self::Plain(word) => word,
        }
    }

    /// The anyref in a slot.
    pub fn of_anyref(slot: u64) -> Self {
        NonZeroWord::new(slot).map_or(Self::Null, |slot| Self::Any(AnyRef(slot)))
    }

    /// The externref in a slot.
    pub fn of_externref(slot: u64) -> Self {
        Self::of_anyref(slot).externalized()
    }

    /// The slot of an anyref, an externref or null.
    pub fn slot(self) -> Option<u64> {
        match self.internalized() {
            Self::Null => Some(0),
            Self::Any(reference) => Some(reference.0.get()),
            _ => None,
        }
    }

    /// As [`RawRef::slot`]; `None` also for an object of the host's whose word `is_known` refuses.
    pub fn known_slot(self, is_known: impl FnOnce(u64) -> bool) -> Option<u64> {
        if self.host_word().is_some_and(|word| !is_known(word)) { None } else { self.slot() }
    }

    /// The host's word, or number, of an object of the host's that is an anyref or an externref.
    pub fn host_word(self) -> Option<u64> {
        match self.internalized() {
            Self::Any(reference) => reference.to_extern().map(ExternRef::word),
            _ => None,
        }
    }

    /// What may be a struct or an array.
    pub fn heap_object(self) -> Option<AnyRef> {
        match self.internalized() {
            Self::Any(any) if any.to_extern().is_none() && any.to_i31().is_none() => Some(any),
            _ => None,
        }
    }

    /// What is behind the conversions between anyrefs and externrefs.
    pub fn internalized(self) -> Self {
        match self {
            Self::Extern(reference) => Self::Any(AnyRef(reference.0)),
            other => other,
        }
    }

    /// The contrary of [`RawRef::internalized`].
    pub fn externalized(self) -> Self {
        match self {
            Self::Any(reference) => Self::Extern(ExternRef(reference.0)),
            other => other,
        }
    }
}

impl From<Option<AnyRef>> for RawRef {
    fn from(reference: Option<AnyRef>) -> Self {
        reference.map_or(Self::Null, Self::Any)
    }
}

impl From<Option<ExternRef>> for RawRef {
    fn from(reference: Option<ExternRef>) -> Self {
        reference.map_or(Self::Null, Self::Extern)
    }
}

impl From<Option<FuncRef>> for RawRef {
    fn from(reference: Option<FuncRef>) -> Self {
        reference.map_or(Self::Null, |func| Self::Func(func.0.as_ptr().expose_provenance()))
    }
}

#[cfg(test)]
mod tests {
    use super::RawRef;
    use crate::abi::value::{AnyRef, ExternRef};

    #[test]
    fn words_are_read_as_what_they_were() {
        let host = ExternRef::new(6).unwrap();
        let kinds = [
            RawRef::Null,
            RawRef::Any(AnyRef::from_i31(5)),
            RawRef::Any(host.into()),
            RawRef::Extern(host),
            RawRef::Any(AnyRef::from_i31(5)).externalized(),
            RawRef::Func(0x7fff_ffff_fff8),
            RawRef::Plain(7),
            RawRef::Plain(0x7fff_ffff_fff8),
            RawRef::Plain(u64::MAX),
        ];
        for (at, kind) in kinds.iter().enumerate() {
            assert_eq!(RawRef::read(kind.word()), *kind);
            assert!(!kinds[..at].iter().any(|other| other.word() == kind.word()), "{kind:?}");
            assert_eq!(kind.externalized().internalized(), kind.internalized());
        }
    }

    #[test]
    fn bits_that_are_no_kind_are_plain() {
        for word in [0xdc << 55, 0x1dc << 55, 0x1dd << 55 | 8, 0xdf << 55, 1 << 63] {
            assert_eq!(RawRef::read(word), RawRef::Plain(word), "{word:#x}");
        }
    }
}
