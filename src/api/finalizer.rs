//! Calls of finalizers.

use super::Context;
use crate::gc::{GcFinalizer, GcRef};
use std::ffi::c_void;
use std::mem::transmute;
use std::ptr::{self, with_exposed_provenance, with_exposed_provenance_mut};

/// An embedder's function for the end of an object: its word, as [`RawRef`](super::RawRef) has it,
/// and the embedder's pointer. It returns; it does not unwind.
pub type ObjectFinalizer = unsafe extern "C" fn(object: *mut c_void, data: *mut c_void);

/// The two words that a heap keeps of a finalizer.
pub(super) fn words(callback: ObjectFinalizer, data: *mut c_void) -> GcFinalizer {
    let callback = ptr::from_ref(&callback).cast::<*const c_void>();
    // SAFETY: a function pointer is a pointer's bits.
    let callback = unsafe { *callback }.expose_provenance();
    GcFinalizer { callback, data: data.expose_provenance() }
}

/// Calls a finalizer of [`words`] inside the context.
pub(super) fn run(context: &Context, object: GcRef, finalizer: GcFinalizer) {
    let callback = with_exposed_provenance::<c_void>(finalizer.callback);
    // SAFETY: `words` made the finalizer of such a function.
    let callback = unsafe { transmute::<*const c_void, ObjectFinalizer>(callback) };
    let object = with_exposed_provenance_mut(object.word() as usize);
    // SAFETY: the embedder allows the call, with the object and its pointer.
    context.run(|| unsafe { callback(object, with_exposed_provenance_mut(finalizer.data)) });
}
