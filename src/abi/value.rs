//! Values as the host sees them, and their form in a 64-bit slot of a frame.

use super::guest_word;
use super::heap_types::Hierarchy;
use super::types::ValType;
use super::vm_layout::VmFuncRef;
use std::ptr::NonNull;

/// A reference to a host object: an opaque word that only the host gives meaning to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExternRef(pub(crate) NonZeroWord);

impl ExternRef {
    /// A reference that holds `word`. The word of all ones stands for null and has none, nor have
    /// those whose highest nine bits are 0x0db, which no address in a process has: these are for
    /// objects of guests.
    pub fn new(word: u64) -> Option<Self> {
        let slot = NonZeroWord::new(word.wrapping_add(1))?;
        (!guest_word::is_guests(slot.get())).then_some(Self(slot))
    }

    /// The host's word. A reference that a guest has made of an object of its own has one, too,
    /// for which [`ExternRef::new`] gives nothing.
    pub fn word(self) -> u64 {
        self.0.get() - 1
    }
}

/// What an externref holds: the host's word plus one, so that zero can mean null.
pub type NonZeroWord = std::num::NonZeroU64;

/// A reference to a function; valid while the instance link set it came from lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FuncRef(pub(crate) NonNull<VmFuncRef>);

// SAFETY: a `FuncRef` is an address that is only dereferenced by code that holds the instance
// link set alive; the word itself can travel between threads.
unsafe impl Send for FuncRef {}
// SAFETY: as for `Send`; nothing is mutated through a shared `FuncRef`.
unsafe impl Sync for FuncRef {}

/// A reference to an exception: good for handing back to the instance link set it came from, as
/// long as something there leads to it too. The link set tells; nobody else follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ExnRef(pub(crate) NonZeroWord);

/// A reference to a struct or an array of the guest's, to a small integer, or to an object of the
/// host's. One of a struct or an array is good for handing back to the instance link set it came
/// from, as long as something there leads to it too. The link set tells; nobody else follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnyRef(pub(crate) NonZeroWord);

impl AnyRef {
    /// The small integer that the lowest 31 bits of `value` are.
    pub fn from_i31(value: u32) -> Self {
        Self(NonZeroWord::MIN | guest_word::small_integer(value))
    }

    /// The 31 bits of a small integer, if it is one.
    pub fn to_i31(self) -> Option<u32> {
        guest_word::as_small_integer(self.0.get())
    }

    /// The object of the host's, if it is one.
    pub fn to_extern(self) -> Option<ExternRef> {
        (!guest_word::is_guests(self.0.get())).then_some(ExternRef(self.0))
    }
}

impl From<ExternRef> for AnyRef {
    /// The same object, as guests see it that have taken it for one of their own.
    fn from(object: ExternRef) -> Self {
        Self(object.0)
    }
}

/// A WebAssembly value. Floats are kept as values; NaN bits survive `to_bits`.
#[derive(Clone, Copy, Debug)]
pub enum Val {
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
    V128(u128),
    FuncRef(Option<FuncRef>),
    ExternRef(Option<ExternRef>),
    ExnRef(Option<ExnRef>),
    AnyRef(Option<AnyRef>),
}

impl Val {
    /// The type of the value; of a reference, that of all references of its hierarchy.
    pub fn ty(&self) -> ValType {
        match self {
            Self::I32(_) => ValType::I32,
            Self::I64(_) => ValType::I64,
            Self::F32(_) => ValType::F32,
            Self::F64(_) => ValType::F64,
            Self::V128(_) => ValType::V128,
            Self::FuncRef(_) => ValType::FUNCREF,
            Self::ExternRef(_) => ValType::EXTERNREF,
            Self::ExnRef(_) => ValType::EXNREF,
            Self::AnyRef(_) => ValType::ANYREF,
        }
    }

    /// The value as it lies in a frame: its low slot first, the second slot for `v128` only.
    pub fn to_slots(self) -> [u64; 2] {
        match self {
            Self::I32(v) => [v as u32 as u64, 0],
            Self::I64(v) => [v as u64, 0],
            Self::F32(v) => [v.to_bits() as u64, 0],
            Self::F64(v) => [v.to_bits(), 0],
            Self::V128(v) => [v as u64, (v >> 64) as u64],
            Self::FuncRef(r) => [r.map_or(0, |r| r.0.as_ptr() as usize as u64), 0],
            Self::ExternRef(r) => [r.map_or(0, |r| r.0.get()), 0],
            Self::ExnRef(r) => [r.map_or(0, |r| r.0.get()), 0],
            Self::AnyRef(r) => [r.map_or(0, |r| r.0.get()), 0],
        }
    }

    /// Reads back a value of type `ty`.
    ///
    /// A funcref slot must hold zero or the address of a live `VmFuncRef`, which every slot
    /// that running code filled does.
    pub fn from_slots(ty: ValType, slots: [u64; 2]) -> Self {
        let low = slots[0];
        match ty {
            ValType::I32 => Self::I32(low as i32),
            ValType::I64 => Self::I64(low as i64),
            ValType::F32 => Self::F32(f32::from_bits(low as u32)),
            ValType::F64 => Self::F64(f64::from_bits(low)),
            ValType::V128 => Self::V128(low as u128 | (slots[1] as u128) << 64),
            ValType::Ref(ty) => match ty.hierarchy() {
                Hierarchy::Func => {
                    Self::FuncRef(NonNull::new(low as usize as *mut VmFuncRef).map(FuncRef))
                }
                Hierarchy::Extern => Self::ExternRef(NonZeroWord::new(low).map(ExternRef)),
                Hierarchy::Exn => Self::ExnRef(NonZeroWord::new(low).map(ExnRef)),
                Hierarchy::Any => Self::AnyRef(NonZeroWord::new(low).map(AnyRef)),
            },
        }
    }
}
