//! Vectors: the standard's, with the fields that WAMR adds.
//!
//! `size` is the capacity and `num_elems` the number of elements. A vector that was made without
//! elements is filled by hand, and the standard knows no `num_elems`: so a vector with a capacity
//! and no elements counts as full, where vectors are read, and gives up what is not NULL in it when
//! it is deleted. Elements lie in C's heap (`memory_block`).

use super::handles::wasm_extern_t;
use super::memory_block::{free, zeroed};
use super::types::*;
use crate::shared::wasm_val_t;
use crate::wasm_export::types::wasm_frame_t;
use std::ffi::{c_char, c_void};
use std::ptr::{NonNull, null_mut};

/// The common layout of all vectors.
#[repr(C)]
pub(super) struct Vector<T> {
    pub(super) size: usize,
    pub(super) data: *mut T,
    pub(super) num_elems: usize,
    pub(super) size_of_elem: usize,
    pub(super) lock: *mut c_void,
}

/// An element of a vector.
pub(super) trait Element: Copy {
    /// A copy that the vector owns; `None` if there is no memory.
    ///
    /// # Safety
    /// The element is valid.
    unsafe fn copied(self) -> Option<Self>;

    /// # Safety
    /// The element is valid, and not used afterwards.
    unsafe fn end(self);
}

impl<T: Element> Vector<T> {
    pub(super) const EMPTY: Self =
        Self { size: 0, data: null_mut(), num_elems: 0, size_of_elem: 0, lock: null_mut() };

    /// A vector with room for `size` elements, all bytes zero; `None` if there is no memory.
    pub(super) fn with_room(size: usize) -> Option<Self> {
        if size == 0 {
            return Some(Self::EMPTY);
        }
        let data = zeroed::<T>(size)?.as_ptr();
        Some(Self { size, data, size_of_elem: size_of::<T>(), ..Self::EMPTY })
    }

    /// The number of elements that count.
    pub(super) fn len(&self) -> usize {
        match (self.data.is_null(), self.num_elems) {
            (true, _) => 0,
            (false, 0) => self.size,
            (false, used) => used.min(self.size),
        }
    }

    /// # Safety
    /// `data` is NULL or has as many elements as `size` says, during `'a`.
    pub(super) unsafe fn elements<'a>(&self) -> &'a [T] {
        match self.len() {
            0 => &[],
            // SAFETY: not NULL, and there are as many elements as the caller says.
            len => unsafe { std::slice::from_raw_parts(self.data, len) },
        }
    }

    /// Puts an element behind the others; there must be room.
    pub(super) fn push(&mut self, element: T) {
        if self.num_elems < self.size {
            // SAFETY: `data` has `size` elements.
            unsafe { self.data.add(self.num_elems).write(element) };
            self.num_elems += 1;
        }
    }

    /// The vector without the room that was not needed: the standard's loops go by `size`.
    pub(super) fn fitted(mut self) -> Self {
        self.size = self.num_elems;
        if self.size == 0 {
            // SAFETY: NULL or the vector's block, which nobody has seen yet.
            unsafe { free(self.data) };
            return Self::EMPTY;
        }
        self
    }

    /// A copy of elements that are copied one by one.
    ///
    /// # Safety
    /// The elements are valid.
    pub(super) unsafe fn copy_of(elements: &[T]) -> Option<Self> {
        let mut copy = Self::with_room(elements.len())?;
        for element in elements {
            // SAFETY: the caller's elements.
            match unsafe { element.copied() } {
                Some(element) => copy.push(element),
                None => {
                    // SAFETY: these copies are the vector's.
                    unsafe { copy.end() };
                    return None;
                }
            }
        }
        Some(copy)
    }

    /// Takes over elements as they are.
    pub(super) fn of(elements: &[T]) -> Option<Self> {
        let mut vector = Self::with_room(elements.len())?;
        elements.iter().for_each(|element| vector.push(*element));
        Some(vector)
    }

    /// Deletes the elements and their room, and leaves an empty vector.
    ///
    /// # Safety
    /// `data` is NULL or a block of this API's with `size` elements, which are the vector's.
    pub(super) unsafe fn end(&mut self) {
        let vector = std::mem::replace(self, Self::EMPTY);
        // SAFETY: the caller gives up a block of this API's with its elements; each is ended once.
        unsafe {
            vector.elements().iter().for_each(|element| element.end());
            free(vector.data);
        }
    }
}

/// # Safety
/// `out` is NULL or has room for a vector.
pub(super) unsafe fn write<T>(out: *mut Vector<T>, vector: Vector<T>) {
    if let Some(out) = NonNull::new(out) {
        // SAFETY: not NULL, and the caller gives room.
        unsafe { out.write(vector) };
    }
}

/// # Safety
/// `out` is NULL or has room; `data` is NULL or has `size` elements, which the vector takes over.
pub(super) unsafe fn new<T: Element>(out: *mut Vector<T>, size: usize, data: *const T) {
    let elements = match (size, data.is_null()) {
        (0, _) | (_, true) => &[][..],
        // SAFETY: not NULL, and there are as many as the caller says.
        _ => unsafe { std::slice::from_raw_parts(data, size) },
    };
    let made = if data.is_null() { Vector::with_room(size) } else { Vector::of(elements) };
    if made.is_none() || out.is_null() {
        // SAFETY: the elements were given away, and nobody has them.
        elements.iter().for_each(|element| unsafe { element.end() });
        if let Some(made) = &made {
            // SAFETY: a block of ours, whose elements are ended.
            unsafe { free(made.data) };
        }
        // SAFETY: the caller guarantees that `out` is NULL or has room.
        unsafe { write(out, Vector::EMPTY) };
        return;
    }
    // SAFETY: the caller guarantees that `out` is NULL or has room.
    unsafe { write(out, made.unwrap_or(Vector::EMPTY)) };
}

/// # Safety
/// `out` is NULL or has room; `from` is NULL or a vector.
pub(super) unsafe fn copy<T: Element>(out: *mut Vector<T>, from: *const Vector<T>) {
    if out.is_null() {
        return;
    }
    // SAFETY: the caller guarantees that `from` is NULL or a vector.
    let copy = unsafe { from.as_ref() }.and_then(|from| unsafe {
        let mut copy = Vector::copy_of(from.elements())?;
        if from.num_elems == 0 {
            // Filled by hand, and the standard's copy is, too.
            copy.num_elems = 0;
        }
        Some(copy)
    });
    // SAFETY: the caller guarantees that `out` is NULL or has room.
    unsafe { write(out, copy.unwrap_or(Vector::EMPTY)) };
}

macro_rules! layouts {
    ($($vector:ident of $element:ty;)*) => { $(
        const _: () = {
            assert!(size_of::<$vector>() == size_of::<Vector<$element>>());
        };

        impl $vector {
            #[allow(dead_code, reason = "not every vector is read")]
            pub(super) fn inner(&self) -> &Vector<$element> {
                // SAFETY: one layout, by the fields' order and types, and nothing but plain data.
                unsafe { &*std::ptr::from_ref(self).cast() }
            }

            pub(super) fn inner_mut(&mut self) -> &mut Vector<$element> {
                // SAFETY: one layout, by the fields' order and types, and nothing but plain data.
                unsafe { &mut *std::ptr::from_mut(self).cast() }
            }
        }

        impl From<Vector<$element>> for $vector {
            fn from(v: Vector<$element>) -> Self {
                let Vector { size, data, num_elems, size_of_elem, lock } = v;
                Self { size, data, num_elems, size_of_elem, lock }
            }
        }
    )* };
}

layouts! {
    wasm_byte_vec_t of c_char;
    wasm_valtype_vec_t of *mut wasm_valtype_t;
    wasm_functype_vec_t of *mut wasm_functype_t;
    wasm_globaltype_vec_t of *mut wasm_globaltype_t;
    wasm_tabletype_vec_t of *mut wasm_tabletype_t;
    wasm_memorytype_vec_t of *mut wasm_memorytype_t;
    wasm_externtype_vec_t of *mut wasm_externtype_t;
    wasm_importtype_vec_t of *mut wasm_importtype_t;
    wasm_exporttype_vec_t of *mut wasm_exporttype_t;
    wasm_val_vec_t of wasm_val_t;
    wasm_frame_vec_t of *mut wasm_frame_t;
    wasm_extern_vec_t of *mut wasm_extern_t;
}
