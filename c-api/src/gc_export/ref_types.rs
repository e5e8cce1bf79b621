//! Types of values, fields and elements in C's form.

use super::types::wasm_heap_type_enum as Heap;
use super::types::wasm_ref_type_t;
use super::types::wasm_value_type_enum as Value;
use crate::ffi::{ErrorValue, guard};
use crate::shared::wasm_module_t;
use crate::wasm_export::loaded;
use isothread::{HeapType, Module, RefType, StorageType, ValType};

impl ErrorValue for wasm_ref_type_t {
    const ERROR: Self = Self { value_type: 0, nullable: false, heap_type: 0 };
}

/// Exceptions and the type of null among them; the header has no names for these.
const HEAP_TYPE_EXN: i32 = -0x17;
const HEAP_TYPE_NOEXN: i32 = -0x0c;

/// A nullable reference's one byte in binaries is the heap type in seven bits.
const ONE_BYTE: i32 = 0x80;

/// Heap types that no module defines, and their numbers.
const ABSTRACT: [(HeapType, i32); 12] = [
    (HeapType::NoFunc, Heap::HEAP_TYPE_NOFUNC as i32),
    (HeapType::NoExtern, Heap::HEAP_TYPE_NOEXTERN as i32),
    (HeapType::None, Heap::HEAP_TYPE_NONE as i32),
    (HeapType::Func, Heap::HEAP_TYPE_FUNC as i32),
    (HeapType::Extern, Heap::HEAP_TYPE_EXTERN as i32),
    (HeapType::Any, Heap::HEAP_TYPE_ANY as i32),
    (HeapType::Eq, Heap::HEAP_TYPE_EQ as i32),
    (HeapType::I31, Heap::HEAP_TYPE_I31 as i32),
    (HeapType::Struct, Heap::HEAP_TYPE_STRUCT as i32),
    (HeapType::Array, Heap::HEAP_TYPE_ARRAY as i32),
    (HeapType::Exn, HEAP_TYPE_EXN),
    (HeapType::NoExn, HEAP_TYPE_NOEXN),
];

/// Types of values and fields that are no references, and their numbers.
const NUMERIC: [(StorageType, u8); 7] = [
    (StorageType::Val(ValType::I32), Value::VALUE_TYPE_I32 as u8),
    (StorageType::Val(ValType::I64), Value::VALUE_TYPE_I64 as u8),
    (StorageType::Val(ValType::F32), Value::VALUE_TYPE_F32 as u8),
    (StorageType::Val(ValType::F64), Value::VALUE_TYPE_F64 as u8),
    (StorageType::Val(ValType::V128), Value::VALUE_TYPE_V128 as u8),
    (StorageType::I8, Value::VALUE_TYPE_I8 as u8),
    (StorageType::I16, Value::VALUE_TYPE_I16 as u8),
];

fn abstract_type(number: i32) -> Option<HeapType> {
    ABSTRACT.iter().find(|known| known.1 == number).map(|known| known.0)
}

pub(super) fn to_c(ty: StorageType) -> wasm_ref_type_t {
    let StorageType::Val(ValType::Ref(reference)) = ty else {
        let value_type = NUMERIC.iter().find(|known| known.0 == ty).map_or(0, |known| known.1);
        return wasm_ref_type_t { value_type, ..wasm_ref_type_t::default() };
    };
    let nullable = reference.is_nullable();
    match reference.heap() {
        HeapType::Defined(_, index) => of_heap_type(nullable, index.get() as i32),
        heap => {
            let number = ABSTRACT.iter().find(|known| known.0 == heap).map_or(0, |known| known.1);
            of_heap_type(nullable, number)
        }
    }
}

fn of_heap_type(nullable: bool, heap_type: i32) -> wasm_ref_type_t {
    let value_type = match nullable {
        true if heap_type < 0 => (ONE_BYTE + heap_type) as u8,
        true => Value::VALUE_TYPE_HT_NULLABLE_REF as u8,
        false => Value::VALUE_TYPE_HT_NON_NULLABLE_REF as u8,
    };
    wasm_ref_type_t { value_type, nullable, heap_type }
}

/// Whether references of the type may be null, and the number of the heap type; `None` for other
/// types.
pub(super) fn heap_type_of(ty: &wasm_ref_type_t) -> Option<(bool, i32)> {
    const NULLABLE: u8 = Value::VALUE_TYPE_HT_NULLABLE_REF as u8;
    const NON_NULLABLE: u8 = Value::VALUE_TYPE_HT_NON_NULLABLE_REF as u8;
    match ty.value_type {
        NULLABLE => Some((true, ty.heap_type)),
        NON_NULLABLE => Some((false, ty.heap_type)),
        short => {
            let heap_type = i32::from(short) - ONE_BYTE;
            abstract_type(heap_type).map(|_| (true, heap_type))
        }
    }
}

/// The type of a module that C describes; `None` if it describes none.
fn from_c(ty: &wasm_ref_type_t, module: &Module) -> Option<StorageType> {
    if let Some(known) = NUMERIC.iter().find(|known| known.1 == ty.value_type) {
        return Some(known.0);
    }
    let (nullable, heap_type) = heap_type_of(ty)?;
    let reference = match u32::try_from(heap_type) {
        Ok(index) => module.reference_to(index, nullable)?,
        Err(_) => RefType::new(nullable, abstract_type(heap_type)?),
    };
    Some(StorageType::Val(ValType::Ref(reference)))
}

/// Describes references to the type with an index of a module's. A negative index changes nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_ref_type_set_type_idx(
    ref_type: *mut wasm_ref_type_t,
    nullable: bool,
    type_idx: i32,
) {
    guard(|| {
        if !ref_type.is_null() && type_idx >= 0 {
            // SAFETY: not NULL; the caller gives room.
            unsafe { ref_type.write(of_heap_type(nullable, type_idx)) };
        }
    })
}

/// Describes references to what one of `wasm_heap_type_enum` is. Other numbers, those of strings
/// among them, change nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_ref_type_set_heap_type(
    ref_type: *mut wasm_ref_type_t,
    nullable: bool,
    heap_type: i32,
) {
    guard(|| {
        if !ref_type.is_null() && abstract_type(heap_type).is_some() {
            // SAFETY: not NULL; the caller gives room.
            unsafe { ref_type.write(of_heap_type(nullable, heap_type)) };
        }
    })
}

/// Whether both describe the same type. Indices in them are `module`'s; a description that is none,
/// or of an index that the module does not have, equals nothing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_ref_type_equal(
    ref_type1: *const wasm_ref_type_t,
    ref_type2: *const wasm_ref_type_t,
    module: wasm_module_t,
) -> bool {
    // SAFETY: the C contract of handles and of the descriptions.
    guard(|| unsafe { compare(ref_type1, ref_type2, module, Module::is_same_type) })
}

/// Whether all values of the first type are of the second. Otherwise as `wasm_ref_type_equal`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_ref_type_is_subtype_of(
    ref_type1: *const wasm_ref_type_t,
    ref_type2: *const wasm_ref_type_t,
    module: wasm_module_t,
) -> bool {
    // SAFETY: the C contract of handles and of the descriptions.
    guard(|| unsafe { compare(ref_type1, ref_type2, module, Module::is_subtype) })
}

/// # Safety
/// All are NULL or live.
unsafe fn compare(
    first: *const wasm_ref_type_t,
    second: *const wasm_ref_type_t,
    module: wasm_module_t,
    how: fn(&Module, ValType, ValType) -> bool,
) -> bool {
    // SAFETY: the caller guarantees that all are NULL or live.
    let parts = unsafe { (first.as_ref(), second.as_ref(), loaded::module(module)) };
    let (Some(first), Some(second), Some(loaded)) = parts else { return false };
    match (from_c(first, &loaded.module), from_c(second, &loaded.module)) {
        (Some(StorageType::Val(first)), Some(StorageType::Val(second))) => {
            how(&loaded.module, first, second)
        }
        (Some(first), Some(second)) => first == second,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_to_abstract_types_keep_their_numbers() {
        for (heap, number) in ABSTRACT {
            for nullable in [false, true] {
                let ty = to_c(StorageType::Val(ValType::Ref(RefType::new(nullable, heap))));
                assert_eq!(heap_type_of(&ty), Some((nullable, number)), "{heap}");
            }
        }
        let funcref = to_c(StorageType::Val(ValType::FUNCREF));
        assert_eq!(funcref.value_type, Value::VALUE_TYPE_FUNCREF as u8);
    }

    #[test]
    fn numbers_are_no_references() {
        for (storage, number) in NUMERIC {
            let ty = to_c(storage);
            assert_eq!((ty.value_type, heap_type_of(&ty)), (number, None));
        }
    }
}
