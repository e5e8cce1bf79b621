//! Conversion of parameters between the guest's slots and the host's function: addresses become
//! pointers, references become C's numbers and objects.
//!
//! Conversions work in place: the slots of a call's arguments are the callee's to overwrite.

use super::guest::GuestMemory;
use super::signature::{AddressWidth, Param, Signature};
use crate::abi::guest_word;
use crate::abi::raw_ref::RawRef;
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::abi::vm_layout::{VmEnv, VmFuncRef, VmInstance};
use crate::exec;
use std::ffi::c_void;

/// The embedder's view of externrefs, where it differs from the word the guest carries.
///
/// Owner: a context, which hands it to its registry. Without one, the word is the object.
pub trait ExternRefMap: Send + Sync {
    /// The host object behind the word of a non-null reference.
    fn to_host(&self, word: u64) -> Option<*mut c_void>;

    /// The word for a host object that a native returned to `instance`.
    #[expect(clippy::wrong_self_convention, reason = "the map converts, it is not converted")]
    fn from_host(&self, instance: *mut VmInstance, object: *mut c_void) -> Option<u64>;
}

/// The object that stands for a null externref; 0 is an object like any other.
const NULL_OBJECT: u64 = u64::MAX;

/// The index that stands for a null reference.
const NULL_INDEX: u32 = u32::MAX;

/// One parameter that does not travel as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Conversion {
    slot: u32,
    kind: ConversionKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConversionKind {
    /// An i32 or f32 whose upper half must be clear.
    Low32,
    Pointer(Width),
    /// The length is in the next slot.
    SizedPointer(Width, Width),
    Text(Width),
    ExternRef,
    /// As C knows it without a signature: the guest's own number.
    ExternIndex,
    AnyRef,
    /// As C knows it without a signature: the function's index.
    FuncRef,
    /// With a signature.
    FuncObject,
}

/// How much of a slot counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Low32,
    Whole,
}

impl Width {
    fn of(ty: Option<&ValType>) -> Self {
        if ty == Some(&ValType::I64) { Self::Whole } else { Self::Low32 }
    }

    fn read(self, slot: u64) -> u64 {
        match self {
            Self::Low32 => slot as u32 as u64,
            Self::Whole => slot,
        }
    }
}

/// Whom the converted slots are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Receiver {
    /// Registers, whose upper halves are never read.
    Registers,
    /// An array of words that the native reads at any width.
    Words,
}

/// Lists the conversions that a C function of type `ty` needs.
pub(super) fn plan(
    ty: &FuncType,
    signature: Option<Signature<'_>>,
    receiver: Receiver,
) -> Box<[Conversion]> {
    let mut list = Vec::new();
    let mut slot = 0;
    for (index, param) in ty.params().iter().enumerate() {
        let width = Width::of(Some(param));
        let asked = signature.map_or(Param::Value, |s| s.param(index));
        let kind = match (asked, param) {
            (Param::Pointer, _) => Some(ConversionKind::Pointer(width)),
            (Param::SizedPointer, _) => {
                Some(ConversionKind::SizedPointer(width, Width::of(ty.params().get(index + 1))))
            }
            (Param::Text, _) => Some(ConversionKind::Text(width)),
            (Param::Value, &ValType::EXTERNREF) => Some(match (signature, receiver) {
                (None, Receiver::Registers) => ConversionKind::ExternIndex,
                _ => ConversionKind::ExternRef,
            }),
            (Param::Value, &ValType::ANYREF) => Some(ConversionKind::AnyRef),
            (Param::Value, &ValType::FUNCREF) => Some(match signature {
                Some(_) => ConversionKind::FuncObject,
                None => ConversionKind::FuncRef,
            }),
            (Param::Value, ValType::I32 | ValType::F32) if receiver == Receiver::Words => {
                Some(ConversionKind::Low32)
            }
            (Param::Value, _) => None,
        };
        if let Some(kind) = kind {
            list.push(Conversion { slot, kind });
        }
        slot += param.slots();
    }
    list.into_boxed_slice()
}

/// Converts the parameters of one call in place.
///
/// # Safety
/// `env` and its instance are live and `args` holds the parameters that `list` was made for.
pub(super) unsafe fn apply(
    list: &[Conversion],
    externrefs: Option<&dyn ExternRefMap>,
    env: *mut VmEnv,
    args: *mut u64,
) -> Result<(), Trap> {
    // SAFETY: the caller vouches for `env`; no guest code runs before the native does.
    let memory = unsafe { GuestMemory::of_env(env) };
    for conversion in list {
        // SAFETY: the list names slots of the parameters only.
        let slot = unsafe { &mut *args.add(conversion.slot as usize) };
        *slot = match conversion.kind {
            ConversionKind::Low32 => *slot as u32 as u64,
            ConversionKind::Pointer(width) => {
                memory.range(width.read(*slot), 1)?.expose_provenance() as u64
            }
            ConversionKind::SizedPointer(width, len_width) => {
                // SAFETY: a sized pointer's length is the parameter in the next slot, which
                // the loop has not reached yet.
                let len = len_width.read(unsafe { *args.add(conversion.slot as usize + 1) });
                sized_pointer(&memory, width.read(*slot), len)?
            }
            ConversionKind::Text(width) => {
                // SAFETY: the caller guarantees that `env` and its instance are live and `args`
                // holds the parameters that `list` was made for.
                let look = |bytes| unsafe { exec::work::charge_bytes(env, bytes) };
                memory.text_with(width.read(*slot), look)?.0.expose_provenance() as u64
            }
            ConversionKind::ExternRef => externref_to_host(externrefs, *slot)?,
            ConversionKind::ExternIndex if guest_word::is_guests(*slot) => {
                RawRef::of_externref(*slot).word()
            }
            ConversionKind::ExternIndex => slot.checked_sub(1).unwrap_or(NULL_INDEX as u64),
            ConversionKind::AnyRef => RawRef::of_anyref(*slot).word(),
            ConversionKind::FuncObject if *slot == 0 => 0,
            ConversionKind::FuncObject => RawRef::Func(*slot as usize).word(),
            ConversionKind::FuncRef => {
                let func = *slot as usize as *const VmFuncRef;
                // SAFETY: a non-null funcref slot holds the address of a live `VmFuncRef`.
                unsafe { func.as_ref() }.map_or(NULL_INDEX, |f| f.func_index) as u64
            }
        };
    }
    Ok(())
}

/// At the end of the memory an empty range is allowed, but there is nothing to point at.
fn sized_pointer(memory: &GuestMemory<'_>, address: u64, len: u64) -> Result<u64, Trap> {
    let pointer = memory.range(address, len)?;
    Ok(if memory.contains(address) { pointer.expose_provenance() as u64 } else { 0 })
}

/// An externref's slot is its word plus one; zero is null, which C sees as a null pointer.
fn externref_to_host(map: Option<&dyn ExternRefMap>, slot: u64) -> Result<u64, Trap> {
    if slot == 0 {
        return Ok(0);
    }
    if guest_word::is_guests(slot) {
        return Ok(RawRef::of_externref(slot).word());
    }
    let word = slot - 1;
    match map {
        None => Ok(word),
        Some(map) => map.to_host(word).map(|p| p.expose_provenance() as u64).ok_or(Trap::Internal),
    }
}

/// The slot for an externref that a native returned.
pub(super) fn externref_from_host(
    map: Option<&dyn ExternRefMap>,
    instance: *mut VmInstance,
    object: u64,
) -> Result<u64, Trap> {
    let reference = RawRef::read(object);
    match reference {
        _ if object == NULL_OBJECT => return Ok(0),
        RawRef::Extern(_) => return known_slot(map, reference),
        RawRef::Any(_) | RawRef::Func(_) => return Err(Trap::Host),
        RawRef::Null | RawRef::Plain(_) => {}
    }
    let word = match map {
        None => object,
        Some(map) => {
            let object = std::ptr::with_exposed_provenance_mut(object as usize);
            map.from_host(instance, object).ok_or(Trap::OutOfMemory)?
        }
    };
    // The word that would wrap is the one that stands for null.
    Ok(word.wrapping_add(1))
}

/// The slot for an externref that a native without a signature returned.
pub(super) fn externref_from_index(index: u64) -> u64 {
    match RawRef::read(index) {
        reference @ RawRef::Extern(_) => reference.slot().unwrap_or(0),
        _ if index as u32 == NULL_INDEX => 0,
        _ => index.wrapping_add(1),
    }
}

/// The slot for an anyref that a native returned.
pub(super) fn anyref_from_host(map: Option<&dyn ExternRefMap>, word: u64) -> Result<u64, Trap> {
    match RawRef::read(word) {
        RawRef::Null => Ok(0),
        reference @ RawRef::Any(_) => known_slot(map, reference),
        // A word that says nothing of itself may be an object of the host's.
        RawRef::Plain(word) if map.is_none_or(|map| map.to_host(word - 1).is_some()) => Ok(word),
        _ => Err(Trap::Host),
    }
}

/// The slot for a function that a native with a signature returned. `check_refs` finds out whether
/// there is such a function.
pub(super) fn func_from_host(word: u64) -> Result<u64, Trap> {
    match RawRef::read(word) {
        RawRef::Null => Ok(0),
        RawRef::Func(address) => Ok(address as u64),
        _ => Err(Trap::Host),
    }
}

/// The slot of an anyref or externref; a trap if it is an object of the host's that has gone.
fn known_slot(map: Option<&dyn ExternRefMap>, reference: RawRef) -> Result<u64, Trap> {
    let is_known = |word| map.is_none_or(|map| map.to_host(word).is_some());
    reference.known_slot(is_known).ok_or(Trap::Host)
}

/// Whether addresses of `width` can appear in a signature of `ty`'s importing module.
pub(super) fn signature_of<'a>(
    text: Option<&'a [u8]>,
    ty: &FuncType,
    width: AddressWidth,
) -> Result<Option<Signature<'a>>, Mismatch> {
    match text {
        // An empty signature is as good as none: nothing is checked and nothing converted.
        None | Some([]) => Ok(None),
        Some(text) => Signature::check(text, ty, width).map(Some).ok_or(Mismatch),
    }
}

/// A signature that does not fit its import's type.
#[derive(Debug)]
pub(super) struct Mismatch;
