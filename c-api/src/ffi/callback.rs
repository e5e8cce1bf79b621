//! Functions of the embedder's that arrive as `void *`.

use crate::shared::anon_allocator_option;
use isothread::{HeapError, PlainFunctions, UsageFunctions, UsageUserDataFunctions};
use isothread::{UserDataFunctions, UserFunctions};
use std::ffi::c_void;
use std::mem::transmute_copy;

/// The embedder's allocator functions, in the shape this library was built for, as with WAMR's
/// build options of the same names. An error without `malloc` or `free`.
///
/// # Safety
/// Pointers that are not NULL are functions of that shape.
pub(crate) unsafe fn allocator(
    functions: &anon_allocator_option,
) -> Result<UserFunctions, HeapError> {
    let anon_allocator_option { malloc_func, realloc_func, free_func, .. } = *functions;
    if malloc_func.is_null() || free_func.is_null() {
        let [malloc, realloc, free] = [malloc_func, realloc_func, free_func].map(<*mut _>::addr);
        return Err(HeapError::AllocatorIncomplete { malloc, realloc, free });
    }
    // Each shape has its own function types, so the pointers are given them one by one.
    macro_rules! shape {
        ($variant:ident, $functions:ident) => {
            // SAFETY: the caller guarantees functions of this shape; `malloc` and `free` are
            // not NULL, and NULL is `None` for `realloc`.
            UserFunctions::$variant(unsafe {
                $functions {
                    malloc: function(malloc_func),
                    realloc: function(realloc_func),
                    free: function(free_func),
                }
            })
        };
    }
    let shaped = match (cfg!(feature = "alloc-with-usage"), cfg!(feature = "alloc-with-user-data"))
    {
        (false, false) => shape!(Plain, PlainFunctions),
        (false, true) => shape!(UserData, UserDataFunctions),
        (true, false) => shape!(Usage, UsageFunctions),
        (true, true) => shape!(UsageUserData, UsageUserDataFunctions),
    };
    Ok(shaped)
}

/// A pointer as the function it is: `F` is a function pointer, or an `Option` of one.
///
/// # Safety
/// `pointer` is a function of that type, or NULL if `F` is an `Option`.
unsafe fn function<F: Copy>(pointer: *mut c_void) -> F {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: both are one pointer wide, and the caller promises that it is a value of `F`.
    unsafe { transmute_copy(&pointer) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::null_mut;

    #[test]
    fn both_ends_are_needed() {
        let some = both_ends_are_needed as *mut c_void;
        for (malloc_func, free_func, ok) in
            [(some, some, true), (some, null_mut(), false), (null_mut(), some, false)]
        {
            let functions = anon_allocator_option {
                malloc_func,
                realloc_func: null_mut(),
                free_func,
                user_data: null_mut(),
            };
            // SAFETY: the functions are never called.
            assert_eq!(unsafe { allocator(&functions) }.is_ok(), ok);
        }
    }
}
