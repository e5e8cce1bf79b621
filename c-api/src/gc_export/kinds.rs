//! What an object is.

use super::defined_types::defined;
use super::objects::{host_address, in_context, on_object, read};
use super::ref_types::heap_type_of;
use super::types::wasm_heap_type_enum as Heap;
use super::types::{wasm_defined_type_t, wasm_obj_t, wasm_ref_type_t};
use crate::ffi::guard;
use crate::shared::wasm_module_t;
use crate::wasm_export::loaded;
use isothread::{RawRef, TypeKind};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Struct,
    Array,
    Func,
    I31,
    /// An object of the host's, as an anyref.
    Host,
    Extern,
}

/// `None` for NULL, and for what is found out not to be there.
fn kind(obj: wasm_obj_t) -> Option<Kind> {
    let reference = read(obj);
    match reference {
        RawRef::Null => None,
        RawRef::Func(address) => {
            in_context(|context| context.with_func_at(address, |_, _| Kind::Func))
        }
        RawRef::Plain(_) => Some(Kind::Extern),
        RawRef::Extern(_) => {
            let word = reference.internalized().word() as usize;
            kind(std::ptr::with_exposed_provenance_mut(word)).map(|_| Kind::Extern)
        }
        RawRef::Any(any) if any.to_i31().is_some() => Some(Kind::I31),
        RawRef::Any(any) if any.to_extern().is_some() => {
            host_address(reference).map(|_| Kind::Host)
        }
        RawRef::Any(_) => on_object(obj, |instance, object| {
            instance.with_object_type(object, |ty| match ty.kind() {
                TypeKind::Struct => Some(Kind::Struct),
                TypeKind::Array => Some(Kind::Array),
                TypeKind::Func => None,
            })?
        }),
    }
}

/// Whether it is a live struct.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_struct_obj(obj: wasm_obj_t) -> bool {
    guard(|| kind(obj) == Some(Kind::Struct))
}

/// Whether it is a live array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_array_obj(obj: wasm_obj_t) -> bool {
    guard(|| kind(obj) == Some(Kind::Array))
}

/// Whether it is a function of a live instance.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_func_obj(obj: wasm_obj_t) -> bool {
    guard(|| kind(obj) == Some(Kind::Func))
}

/// Whether it is a small integer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_i31_obj(obj: wasm_obj_t) -> bool {
    guard(|| kind(obj) == Some(Kind::I31))
}

/// Whether it is an externref. A pointer that this runtime has not made is one, because calls hand
/// objects of the host's out as they are; it is not followed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_externref_obj(obj: wasm_obj_t) -> bool {
    guard(|| kind(obj) == Some(Kind::Extern))
}

/// Whether it is an object of the host's, as an anyref.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_anyref_obj(obj: wasm_obj_t) -> bool {
    guard(|| kind(obj) == Some(Kind::Host))
}

/// Whether it is an anyref of any kind: a struct, an array, a small integer, an object of the
/// host's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_internal_obj(obj: wasm_obj_t) -> bool {
    guard(|| is_of_heap_type(obj, Heap::HEAP_TYPE_ANY as i32))
}

/// Whether it is something that guests can compare: a struct, an array, a small integer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_eq_obj(obj: wasm_obj_t) -> bool {
    guard(|| is_of_heap_type(obj, Heap::HEAP_TYPE_EQ as i32))
}

/// Whether it is a struct, an array or a function of a type of `module`, or of a subtype of it. The
/// module is one of the calling thread's context.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_instance_of_defined_type(
    obj: wasm_obj_t,
    defined_type: wasm_defined_type_t,
    module: wasm_module_t,
) -> bool {
    guard(|| {
        // SAFETY: the C contracts of handles and types.
        let (loaded, ty) = unsafe { (loaded::module(module), defined(defined_type)) };
        let index = loaded.zip(ty).and_then(|(loaded, ty)| loaded.module.index_of_type(ty));
        // SAFETY: the same contracts.
        index.is_some_and(|index| unsafe { wasm_obj_is_instance_of_type_idx(obj, index, module) })
    })
}

/// As `wasm_obj_is_instance_of_defined_type`, with the index of the type in the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_instance_of_type_idx(
    obj: wasm_obj_t,
    type_idx: u32,
    module: wasm_module_t,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(loaded) = (unsafe { loaded::module(module) }) else { return false };
        let module = &loaded.module;
        let is_of = match read(obj) {
            RawRef::Func(address) => {
                in_context(|context| Some(context.func_is_of(address, module, type_idx)))
            }
            _ => on_object(obj, |instance, object| {
                Some(instance.object_is_of(object, module, type_idx))
            }),
        };
        is_of.unwrap_or(false)
    })
}

/// Whether it is of the heap type of a reference type, if that is one of `wasm_heap_type_enum`;
/// false for the index of a type, since nothing says of which module it is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_obj_is_instance_of_ref_type(
    obj: wasm_obj_t,
    ref_type: *const wasm_ref_type_t,
) -> bool {
    guard(|| {
        // SAFETY: NULL, or the caller's description.
        let heap_type = unsafe { ref_type.as_ref() }.and_then(heap_type_of);
        heap_type.is_some_and(|(_, heap_type)| is_of_heap_type(obj, heap_type))
    })
}

fn is_of_heap_type(obj: wasm_obj_t, heap_type: i32) -> bool {
    const FUNC: i32 = Heap::HEAP_TYPE_FUNC as i32;
    const EXTERN: i32 = Heap::HEAP_TYPE_EXTERN as i32;
    const ANY: i32 = Heap::HEAP_TYPE_ANY as i32;
    const EQ: i32 = Heap::HEAP_TYPE_EQ as i32;
    const I31: i32 = Heap::HEAP_TYPE_I31 as i32;
    const STRUCT: i32 = Heap::HEAP_TYPE_STRUCT as i32;
    const ARRAY: i32 = Heap::HEAP_TYPE_ARRAY as i32;
    let Some(kind) = kind(obj) else { return false };
    let is_eq = matches!(kind, Kind::Struct | Kind::Array | Kind::I31);
    match heap_type {
        FUNC => kind == Kind::Func,
        EXTERN => kind == Kind::Extern,
        ANY => is_eq || kind == Kind::Host,
        EQ => is_eq,
        I31 => kind == Kind::I31,
        STRUCT => kind == Kind::Struct,
        ARRAY => kind == Kind::Array,
        _ => false,
    }
}
