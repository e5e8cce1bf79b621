//! Values: between the header's and the runtime's.
//!
//! A reference in a value is an object: a function for a funcref, anything for an externref. To
//! guests, an externref holds the address of the object, which the store keeps and looks up.
//! Vectors do not fit, as in `wasm_export.h`: a value of kind WASM_V128 holds an address.

use super::memory_block::{Block, Counted};
use super::object::{FuncBody, RefBody, RefObject, counted};
use super::store::{Item, ObjectStore, object_of};
use crate::ffi::guard;
use crate::shared::{
    anon_val_of, wasm_ref_t, wasm_val_t, wasm_valkind_enum as Kind, wasm_valkind_t,
};
use crate::wasm_export::values::vector_of;
use isothread::{ExternRef, HeapType, Hierarchy, Instance, RefType, Val, ValType};
use std::ptr::{NonNull, null_mut};

const I32: u8 = Kind::WASM_I32 as u8;
const I64: u8 = Kind::WASM_I64 as u8;
const F32: u8 = Kind::WASM_F32 as u8;
const F64: u8 = Kind::WASM_F64 as u8;
const V128: u8 = Kind::WASM_V128 as u8;
const EXTERNREF: u8 = Kind::WASM_EXTERNREF as u8;
const FUNCREF: u8 = Kind::WASM_FUNCREF as u8;

/// Why a value cannot be passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// Its kind is not that of the type.
    Kind,
    /// The header has no kind for the type.
    Type,
    /// A vector without an address.
    Vector,
    /// A reference to what is no function, or of another store.
    Reference,
    OutOfMemory,
}

impl Misfit {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Kind => "a value's kind is not that of the type",
            Self::Type => "the type has no kind of values",
            Self::Vector => "a vector has no address",
            Self::Reference => "the reference is not of the type that is wanted",
            Self::OutOfMemory => "out of memory",
        }
    }
}

pub(super) fn is_vector(kind: wasm_valkind_t) -> bool {
    kind == V128
}

/// The kind of a type's values. Those of references that the header has no kind for are externrefs
/// in the description of a type, and cannot be passed.
#[inline]
pub(super) fn kind_of(ty: ValType) -> wasm_valkind_t {
    match ty {
        ValType::I32 => I32,
        ValType::I64 => I64,
        ValType::F32 => F32,
        ValType::F64 => F64,
        ValType::V128 => V128,
        ValType::Ref(ty) if ty.hierarchy() == Hierarchy::Func => FUNCREF,
        ValType::Ref(_) => EXTERNREF,
    }
}

pub(super) fn type_of(kind: wasm_valkind_t) -> Option<ValType> {
    Some(match kind {
        I32 => ValType::I32,
        I64 => ValType::I64,
        F32 => ValType::F32,
        F64 => ValType::F64,
        V128 => ValType::V128,
        EXTERNREF => ValType::Ref(RefType::new(true, HeapType::Extern)),
        FUNCREF => ValType::Ref(RefType::new(true, HeapType::Func)),
        _ => return None,
    })
}

fn is_passed(ty: ValType) -> bool {
    !matches!(ty.hierarchy(), Some(Hierarchy::Exn | Hierarchy::Any))
}

fn of_kind(kind: wasm_valkind_t, of: anon_val_of) -> wasm_val_t {
    wasm_val_t { kind, _paddings: [0; 7], of }
}

/// A value of this kind that is zero or null.
pub(super) fn zero(kind: wasm_valkind_t) -> wasm_val_t {
    of_kind(kind, anon_val_of { i64: 0 })
}

/// # Safety
/// The value's reference, if it is one, is NULL or live.
pub(super) unsafe fn copied(from: &wasm_val_t) -> wasm_val_t {
    match from.kind {
        EXTERNREF | FUNCREF => {
            // SAFETY: the kind says which member it is, and the caller that it is NULL or live.
            let object = unsafe { counted::<wasm_ref_t>(from.of.r#ref) };
            let r#ref = object.map_or(null_mut(), |object| object.into_raw().cast());
            of_kind(from.kind, anon_val_of { r#ref })
        }
        _ => *from,
    }
}

/// # Safety
/// The value's reference, if it is one, is NULL or the caller's.
pub(super) unsafe fn end(value: &wasm_val_t) {
    if matches!(value.kind, EXTERNREF | FUNCREF) {
        // SAFETY: the kind says which member it is, and the caller gives it up.
        unsafe { super::object::delete::<wasm_ref_t>(value.of.r#ref) };
    }
}

/// Gives a value's reference up, and leaves a null one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_val_delete(value: *mut wasm_val_t) {
    guard(|| {
        // SAFETY: NULL or the caller's, by the C contract.
        if let Some(value) = unsafe { value.as_mut() } {
            // SAFETY: the caller's.
            unsafe { end(value) };
            if matches!(value.kind, EXTERNREF | FUNCREF) {
                value.of = anon_val_of { r#ref: null_mut() };
            }
        }
    })
}

/// Copies a value to `out`, with a reference of its own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_val_copy(out: *mut wasm_val_t, from: *const wasm_val_t) {
    guard(|| {
        // SAFETY: NULL or a value of the caller's, by the C contract.
        if let (Some(out), Some(from)) = (NonNull::new(out), unsafe { from.as_ref() }) {
            // SAFETY: the caller gives room, and a valid value.
            unsafe { out.write(copied(from)) };
        }
    })
}

/// The runtime's form of a reference.
///
/// # Safety
/// `reference` is NULL or live.
pub(super) unsafe fn reference_in(
    reference: *const wasm_ref_t,
    ty: ValType,
    near: &Instance,
    store: &Counted<ObjectStore>,
) -> Result<Val, Misfit> {
    let hierarchy = ty.hierarchy().filter(|_| is_passed(ty)).ok_or(Misfit::Type)?;
    // SAFETY: the caller guarantees that the reference is NULL or live.
    let object = unsafe { counted(reference) };
    match (hierarchy, object) {
        (Hierarchy::Func, None) => Ok(Val::FuncRef(None)),
        (Hierarchy::Func, Some(object)) => func_in(&object, near),
        (_, None) => Ok(Val::ExternRef(None)),
        (_, Some(object)) => {
            let address = store.hold(&object).ok_or(Misfit::OutOfMemory)?;
            let reference = ExternRef::new(address as u64).ok_or(Misfit::Reference)?;
            Ok(Val::ExternRef(Some(reference)))
        }
    }
}

fn func_in(object: &RefObject, near: &Instance) -> Result<Val, Misfit> {
    let RefBody::Func(FuncBody { func, .. }) = &object.body else { return Err(Misfit::Reference) };
    near.link_with(&func.instance()).map_err(|_| Misfit::Reference)?;
    Ok(func.to_val())
}

/// The header's form of a reference, which is the caller's; NULL for null, and for what leads
/// nowhere any more.
pub(super) fn reference_out(
    val: Val,
    near: &Instance,
    store: &Counted<ObjectStore>,
) -> Result<*mut wasm_ref_t, Misfit> {
    let object = match val {
        Val::FuncRef(Some(func)) => match near.func_of(func) {
            Some(func) => object_of(Item::Func(func), store).ok_or(Misfit::OutOfMemory)?,
            None => return Ok(null_mut()),
        },
        Val::ExternRef(Some(reference)) => match store.held(reference.word() as usize) {
            Some(object) => object,
            None => return Ok(null_mut()),
        },
        Val::FuncRef(None) | Val::ExternRef(None) => return Ok(null_mut()),
        _ => return Err(Misfit::Type),
    };
    Ok(object.into_raw().cast::<Block<RefObject>>().cast())
}

/// The runtime's form of a value for a place of type `ty`.
///
/// # Safety
/// The value is valid: its reference is NULL or live, its vector's address that of 16 bytes.
pub(super) unsafe fn value_in(
    value: &wasm_val_t,
    ty: ValType,
    near: &Instance,
    store: &Counted<ObjectStore>,
) -> Result<Val, Misfit> {
    // SAFETY: the kind says which member it is. The caller guarantees that a reference is NULL
    // or live, and that there are 16 bytes at a vector's address.
    unsafe {
        match (ty, value.kind) {
            (ValType::I32, I32) => Ok(Val::I32(value.of.i32)),
            (ValType::I64, I64) => Ok(Val::I64(value.of.i64)),
            (ValType::F32, F32) => Ok(Val::F32(value.of.f32)),
            (ValType::F64, F64) => Ok(Val::F64(value.of.f64)),
            (ValType::V128, V128) => {
                let cells = vector_of(value).ok_or(Misfit::Vector)?.read_unaligned();
                let halves = cells.iter().rev().fold(0, |all, cell| all << 32 | u128::from(*cell));
                Ok(Val::V128(halves))
            }
            (ValType::Ref(_), EXTERNREF | FUNCREF) => reference_in(value.of.r#ref, ty, near, store),
            _ => Err(Misfit::Kind),
        }
    }
}

/// The header's form of a value. Its reference is the caller's; a vector goes to the address that
/// `place` has.
///
/// # Safety
/// `place` is a value; if it is a vector's, its address is NULL or that of 16 bytes.
pub(super) unsafe fn value_out(
    val: Val,
    place: &wasm_val_t,
    near: &Instance,
    store: &Counted<ObjectStore>,
) -> Result<wasm_val_t, Misfit> {
    let kind = kind_of(val.ty());
    let of = match val {
        Val::I32(i32) => anon_val_of { i64: i64::from(i32 as u32) },
        Val::I64(i64) => anon_val_of { i64 },
        Val::F32(f32) => anon_val_of { i64: i64::from(f32.to_bits()) },
        Val::F64(f64) => anon_val_of { f64 },
        Val::V128(bits) => {
            let address = vector_of(place).ok_or(Misfit::Vector)?;
            let cells = [0, 32, 64, 96].map(|shift| (bits >> shift) as u32);
            // SAFETY: the caller guarantees 16 bytes at the address, which C does not align.
            unsafe { address.write_unaligned(cells) };
            place.of
        }
        other => anon_val_of { r#ref: reference_out(other, near, store)? },
    };
    Ok(of_kind(kind, of))
}

/// Why a value cannot be passed as a number or vector of a kind, if it cannot.
#[inline(always)]
pub(super) fn number_misfit(val: &wasm_val_t, kind: wasm_valkind_t) -> Option<Misfit> {
    if val.kind != kind {
        return Some(Misfit::Kind);
    }
    (kind == V128 && vector_of(val).is_none()).then_some(Misfit::Vector)
}

/// Writes a number or vector of a kind, for which [`number_misfit`] has found nothing, to its
/// slots; returns the next slot.
///
/// # Safety
/// `slot` has room for a value of that kind; a vector's address is that of 16 bytes.
#[inline(always)]
pub(super) unsafe fn number_in(val: &wasm_val_t, kind: wasm_valkind_t, slot: *mut u64) -> *mut u64 {
    // SAFETY: every member of the union is plain bits, and all eight bytes are there.
    let bits = unsafe { val.of.i64 } as u64;
    // SAFETY: the caller guarantees room for the kind, and 16 bytes behind a vector's address,
    // which C does not align; they are in the order of memory, which is the slots'.
    unsafe {
        match kind {
            I32 | F32 => *slot = u64::from(bits as u32),
            V128 => {
                let Some(vector) = vector_of(val) else { return slot.add(2) };
                let cells = vector.read_unaligned().map(u64::from);
                *slot = cells[0] | cells[1] << 32;
                *slot.add(1) = cells[2] | cells[3] << 32;
                return slot.add(2);
            }
            _ => *slot = bits,
        }
        slot.add(1)
    }
}

/// Reads a number or vector of a kind from its slots; returns the next slot. A vector goes to the
/// address that `place` has.
///
/// # Safety
/// `slot` has a value of that kind. `place` has room for a value; if it is a vector's, it is a
/// value already, and its address NULL or that of 16 bytes.
#[inline(always)]
pub(super) unsafe fn number_out(
    slot: *const u64,
    kind: wasm_valkind_t,
    place: *mut wasm_val_t,
) -> *const u64 {
    // SAFETY: the caller guarantees the slots of the kind, room at `place`, and 16 bytes behind a
    // vector's address, which C does not align.
    unsafe {
        let bits = match kind {
            I32 | F32 => u64::from(*slot as u32),
            V128 => {
                let cells = [*slot, *slot >> 32, *slot.add(1), *slot.add(1) >> 32];
                if let Some(vector) = vector_of(&*place) {
                    vector.write_unaligned(cells.map(|cell| cell as u32));
                }
                return slot.add(2);
            }
            _ => *slot,
        };
        place.write(of_kind(kind, anon_val_of { i64: bits as i64 }));
        slot.add(1)
    }
}

/// Makes a value one of a kind that is zero or null, with the address for a vector.
#[inline(always)]
pub(super) fn prepare(val: &mut wasm_val_t, kind: wasm_valkind_t, address: Option<NonNull<u128>>) {
    *val = zero(kind);
    if let (V128, Some(address)) = (kind, address) {
        val.of = anon_val_of { foreign: address.as_ptr().expose_provenance() };
    }
}
