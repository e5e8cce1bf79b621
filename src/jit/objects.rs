//! The functions of the table that work on objects of guests, and how their operands are packed.

use super::frames::{self, NativeFrame};
use super::table::code;
use crate::abi::heap_types::RefType;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmEnv;
use crate::exec::objects::{self, ObjectOp};
use crate::exec::{fields, work};
use crate::gc::{StorageKind, StructField};

/// An instruction on objects, in a word.
#[derive(Clone, Copy)]
pub struct ObjectCode {
    pub op: ObjectOp,
    /// Whether it is charged for, beside the operator.
    pub is_charged: bool,
    /// The index of the type.
    pub ty: u32,
}

impl ObjectCode {
    pub fn bits(self) -> u64 {
        self.op as u64 | u64::from(self.is_charged) << 8 | u64::from(self.ty) << 32
    }

    fn of(bits: u64) -> Option<Self> {
        let op = *ObjectOp::ALL.get((bits & 0xff) as usize)?;
        Some(Self { op, is_charged: bits >> 8 & 1 != 0, ty: (bits >> 32) as u32 })
    }
}

/// A field of a struct, in a word.
#[derive(Clone, Copy)]
pub struct FieldCode {
    pub kind: StorageKind,
    /// Whether a packed one is read with its sign.
    pub signed: bool,
    pub at: u32,
}

impl FieldCode {
    pub fn bits(self) -> u64 {
        u64::from(self.kind.code()) | u64::from(self.signed) << 8 | u64::from(self.at) << 32
    }

    fn of(bits: u64) -> Option<Self> {
        let kind = StorageKind::from_code((bits & 0xff) as u32)?;
        Some(Self { kind, signed: bits >> 8 & 1 != 0, at: (bits >> 32) as u32 })
    }

    fn field(self) -> StructField {
        StructField::new(self.kind, self.at)
    }
}

/// Executes an instruction ([`ObjectCode`]) with the operands from `slots` on. `mark` says where
/// compiled code is, `native` is its native frame.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the operands are validated.
pub unsafe extern "C" fn object(
    env: *mut VmEnv,
    of: u64,
    index: u32,
    slots: *mut u64,
    native: *const NativeFrame,
    mark: u64,
) -> u32 {
    let Some(ObjectCode { op, is_charged, ty }) = ObjectCode::of(of) else {
        return Trap::Internal as u32;
    };
    let at = frames::point_at(mark, native);
    let units = if is_charged { work::SLOW } else { 0 };
    // SAFETY: compiled code keeps the contract of this function, and is at the point.
    unsafe {
        let charged = work::charge(env, units);
        code(charged.and_then(|()| objects::execute(env, at, op, slots, (ty, index))))
    }
}

/// Whether the reference in `word` is of the type that has these bits.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, and the word of the type's hierarchy.
pub unsafe extern "C" fn is_of(env: *mut VmEnv, ty: u32, word: u64) -> u32 {
    let Some(ty) = RefType::from_bits(ty) else { return 0 };
    // SAFETY: compiled code keeps the contract of this function.
    u32::from(unsafe { objects::is_of(env, ty, word) })
}

/// Leaves the field ([`FieldCode`]) of a struct from `to` on.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, with room for a value at `to`.
pub unsafe extern "C" fn get_field(env: *mut VmEnv, word: u64, of: u64, to: *mut u64) -> u32 {
    let Some(of) = FieldCode::of(of) else { return Trap::Internal as u32 };
    // SAFETY: compiled code keeps the contract of this function; no value takes more than two
    // slots.
    unsafe {
        let found = fields::get_field(env, word, of.field(), of.signed);
        code(found.map(|value| to.copy_from(value.as_ptr(), value.len())))
    }
}

/// Sets the field ([`FieldCode`]) of a struct to the value from `from` on.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, with a value at `from`.
pub unsafe extern "C" fn set_field(env: *mut VmEnv, word: u64, of: u64, from: *const u64) -> u32 {
    let Some(of) = FieldCode::of(of) else { return Trap::Internal as u32 };
    // SAFETY: compiled code keeps the contract of this function, with two slots from there on.
    unsafe { code(fields::set_field(env, word, of.field(), [*from, *from.add(1)])) }
}

/// Leaves an element of an array from `to` on.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, with room for a value at `to`.
pub unsafe extern "C" fn get_element(
    env: *mut VmEnv,
    word: u64,
    at: u32,
    signed: u32,
    to: *mut u64,
) -> u32 {
    // SAFETY: compiled code keeps the contract of this function; no value takes more than two
    // slots.
    unsafe {
        let found = fields::get_element(env, word, at, signed != 0);
        code(found.map(|value| to.copy_from(value.as_ptr(), value.len())))
    }
}

/// Sets an element of an array to the value from `from` on.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, with a value at `from`.
pub unsafe extern "C" fn set_element(env: *mut VmEnv, word: u64, at: u32, from: *const u64) -> u32 {
    // SAFETY: compiled code keeps the contract of this function, with two slots from there on.
    unsafe { code(fields::set_element(env, word, at, [*from, *from.add(1)])) }
}

/// Leaves the length of an array in the environment.
///
/// # Safety
/// Called by compiled code: `env` is the running environment.
pub unsafe extern "C" fn array_len(env: *mut VmEnv, word: u64) -> u32 {
    // SAFETY: compiled code keeps the contract of this function.
    unsafe {
        let found = fields::array_len(env, word);
        code(found.map(|len| (*env).scratch[0] = len.into()))
    }
}
