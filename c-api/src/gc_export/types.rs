//! The structs, enumerations and handles that only `gc_export.h` declares.

use crate::wasm_export::types::wasm_func_type_t;
use std::ffi::c_void;

/// The type of a value, a field or an element: one of `wasm_value_type_enum`.
pub type wasm_value_type_t = u8;

/// Those of references that may be null and lead to no defined type are those from
/// VALUE_TYPE_NULLFUNCREF to VALUE_TYPE_ARRAYREF; all other references are one of the two
/// VALUE_TYPE_HT types, with a heap type. No type of this runtime's is one of the last four.
#[repr(C)]
pub enum wasm_value_type_enum {
    VALUE_TYPE_I32 = 0x7F,
    VALUE_TYPE_I64 = 0x7E,
    VALUE_TYPE_F32 = 0x7D,
    VALUE_TYPE_F64 = 0x7C,
    VALUE_TYPE_V128 = 0x7B,
    VALUE_TYPE_I8 = 0x78,
    VALUE_TYPE_I16 = 0x77,
    VALUE_TYPE_NULLFUNCREF = 0x73,
    VALUE_TYPE_NULLEXTERNREF = 0x72,
    VALUE_TYPE_NULLREF = 0x71,
    VALUE_TYPE_FUNCREF = 0x70,
    VALUE_TYPE_EXTERNREF = 0x6F,
    VALUE_TYPE_ANYREF = 0x6E,
    VALUE_TYPE_EQREF = 0x6D,
    VALUE_TYPE_I31REF = 0x6C,
    VALUE_TYPE_STRUCTREF = 0x6B,
    VALUE_TYPE_ARRAYREF = 0x6A,
    VALUE_TYPE_HT_NON_NULLABLE_REF = 0x64,
    VALUE_TYPE_HT_NULLABLE_REF = 0x63,
    VALUE_TYPE_STRINGREF = 0x67,
    VALUE_TYPE_STRINGVIEWWTF8 = 0x66,
    VALUE_TYPE_STRINGVIEWWTF16 = 0x62,
    VALUE_TYPE_STRINGVIEWITER = 0x61,
}

/// What a reference leads to: one of `wasm_heap_type_enum`, or the index of a defined type.
pub type wasm_heap_type_t = i32;

/// No type of this runtime's is one of the last four.
#[repr(C)]
pub enum wasm_heap_type_enum {
    HEAP_TYPE_NOFUNC = -0x0D,
    HEAP_TYPE_NOEXTERN = -0x0E,
    HEAP_TYPE_NONE = -0x0F,
    HEAP_TYPE_FUNC = -0x10,
    HEAP_TYPE_EXTERN = -0x11,
    HEAP_TYPE_ANY = -0x12,
    HEAP_TYPE_EQ = -0x13,
    HEAP_TYPE_I31 = -0x14,
    HEAP_TYPE_STRUCT = -0x15,
    HEAP_TYPE_ARRAY = -0x16,
    HEAP_TYPE_STRINGREF = -0x19,
    HEAP_TYPE_STRINGVIEWWTF8 = -0x1A,
    HEAP_TYPE_STRINGVIEWWTF16 = -0x1E,
    HEAP_TYPE_STRINGVIEWITER = -0x1F,
}

pub struct WASMObject {
    _opaque: (),
}

/// A reference to an object. It is a word that the runtime looks up and never follows, and no
/// address.
pub type wasm_obj_t = *mut WASMObject;

/// A vector of 128 bits.
#[repr(C)]
#[derive(Clone, Copy)]
pub union V128 {
    pub i8x16: [i8; 16],
    pub i16x8: [i16; 8],
    pub i32x4: [i32; 4],
    pub i64x2: [i64; 2],
    pub f32x4: [f32; 4],
    pub f64x2: [f64; 2],
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct anon_array_new_default {
    pub type_index: u32,
    pub length: u32,
}

/// A value of a field, an element. Its type says which member is read and written: `i32` for i8,
/// i16 and i32, `gc_obj` for all references; the last three members are unused.
#[repr(C)]
#[derive(Clone, Copy)]
pub union WASMValue {
    pub i32: i32,
    pub u32: u32,
    pub global_index: u32,
    pub ref_index: u32,
    pub i64: i64,
    pub u64: u64,
    pub f32: f32,
    pub f64: f64,
    pub v128: V128,
    pub gc_obj: wasm_obj_t,
    pub type_index: u32,
    pub array_new_default: anon_array_new_default,
    pub data: *mut c_void,
}

pub type wasm_value_t = WASMValue;

/// The type of a value, a field or an element.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct wasm_ref_type_t {
    pub value_type: wasm_value_type_t,
    /// Of a reference: whether it may be null.
    pub nullable: bool,
    /// Of a reference: one of `wasm_heap_type_enum`, or the index of a type in its module.
    pub heap_type: i32,
}

/// A reference that native code holds, as a link of the list of an execution environment's. Owner:
/// the native code, in whose frame it lies.
#[repr(C)]
pub struct WASMLocalObjectRef {
    /// The one that was pushed before; the runtime's.
    pub prev: *mut WASMLocalObjectRef,
    /// What it refers to.
    pub val: wasm_obj_t,
}

pub type wasm_local_obj_ref_t = WASMLocalObjectRef;

pub struct WASMType {
    _opaque: (),
}

pub struct WASMStructType {
    _opaque: (),
}

pub struct WASMArrayType {
    _opaque: (),
}

/// A type that a module defines; lives as long as the module. A function's, a struct's and an
/// array's type are the same pointer as the defined type.
pub type wasm_defined_type_t = *mut WASMType;

pub type wasm_struct_type_t = *mut WASMStructType;

pub type wasm_array_type_t = *mut WASMArrayType;

pub struct WASMExternrefObject {
    _opaque: (),
}

pub struct WASMAnyrefObject {
    _opaque: (),
}

pub struct WASMStructObject {
    _opaque: (),
}

pub struct WASMArrayObject {
    _opaque: (),
}

pub struct WASMFuncObject {
    _opaque: (),
}

pub struct WASMStringrefObject {
    _opaque: (),
}

/// An object of the host's, or one of a guest's, as an externref.
pub type wasm_externref_obj_t = *mut WASMExternrefObject;

/// An object of the host's, as an anyref.
pub type wasm_anyref_obj_t = *mut WASMAnyrefObject;

pub type wasm_struct_obj_t = *mut WASMStructObject;

pub type wasm_array_obj_t = *mut WASMArrayObject;

/// A function.
pub type wasm_func_obj_t = *mut WASMFuncObject;

/// No function takes or returns one.
pub type wasm_stringref_obj_t = *mut WASMStringrefObject;

/// A small integer of 31 bits, as a reference.
pub type wasm_i31_obj_t = usize;

/// Called with an object that is reachable no longer, and the embedder's pointer.
pub type wasm_obj_finalizer_t = Option<unsafe extern "C" fn(obj: wasm_obj_t, data: *mut c_void)>;

const _: () = assert!(size_of::<wasm_func_type_t>() == size_of::<wasm_defined_type_t>());
