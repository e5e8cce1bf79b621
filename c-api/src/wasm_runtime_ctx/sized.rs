//! Structs that begin with their size, so that they can grow: of a caller's struct no more is
//! read and written than the caller has, and fields that it lacks keep their defaults.

/// A struct whose first field is the size that its caller gave it. It may be copied as bytes.
///
/// # Safety
/// It is `repr(C)`, begins with a `u32`, and has no padding; any bytes are a value of it.
pub(super) unsafe trait Sized32: Copy {}

/// Bytes that both sides have; `None` if the caller's size has no room for the field itself.
///
/// # Safety
/// `theirs` is not NULL and has a size field.
unsafe fn common<T: Sized32>(theirs: *const T) -> Option<usize> {
    // SAFETY: the caller guarantees that it is not NULL, and the size comes first.
    let size = unsafe { theirs.cast::<u32>().read_unaligned() } as usize;
    (size >= size_of::<u32>()).then_some(size.min(size_of::<T>()))
}

/// The caller's struct, with `defaults` for missing fields.
///
/// # Safety
/// `theirs` is NULL or as large as its size says.
pub(super) unsafe fn read<T: Sized32>(theirs: *const T, defaults: T) -> Option<T> {
    if theirs.is_null() {
        return None;
    }
    let mut ours = defaults;
    // SAFETY: as many bytes as both have; any bytes are a value.
    unsafe {
        let size = common(theirs)?;
        std::ptr::copy_nonoverlapping(theirs.cast::<u8>(), (&raw mut ours).cast::<u8>(), size);
    }
    Some(ours)
}

/// Fills the caller's struct as far as it goes, but for its size; false if it is none.
///
/// # Safety
/// As for [`read`].
pub(super) unsafe fn write<T: Sized32>(theirs: *mut T, ours: &T) -> bool {
    const SIZE: usize = size_of::<u32>();
    if theirs.is_null() {
        return false;
    }
    // SAFETY: as many bytes as both have, behind the size field.
    unsafe {
        let Some(size) = common(theirs) else { return false };
        let from = std::ptr::from_ref(ours).cast::<u8>().add(SIZE);
        std::ptr::copy_nonoverlapping(from, theirs.cast::<u8>().add(SIZE), size - SIZE);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[repr(C)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Grown {
        struct_size: u32,
        first: u32,
        second: u64,
    }

    // SAFETY: integers without padding, the size first.
    unsafe impl Sized32 for Grown {}

    #[test]
    fn sizes_of_both_sides_are_kept() {
        let ours = Grown { struct_size: 16, first: 1, second: 2 };
        for (struct_size, first, second) in [(4, 8, 9), (8, 1, 9), (16, 1, 2), (4000, 1, 2)] {
            let mut theirs = Grown { struct_size, first: 8, second: 9 };
            // SAFETY: the struct is whole, and no more of it is used than that.
            assert!(unsafe { write(&mut theirs, &ours) });
            assert_eq!(theirs, Grown { struct_size, first, second });
        }
        let mut theirs = Grown { struct_size: 3, first: 8, second: 9 };
        // SAFETY: the struct is whole, and no more of it is used than that; NULL is allowed.
        unsafe {
            assert!(!write(&mut theirs, &ours));
            assert_eq!(read(&theirs, ours), None);
            assert_eq!(read(std::ptr::null(), ours), None);
            theirs.struct_size = 8;
            assert_eq!(read(&theirs, ours), Some(Grown { struct_size: 8, first: 8, second: 2 }));
        }
    }
}
