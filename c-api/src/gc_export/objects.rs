//! From C's words to objects.

use crate::ffi::context::with_current;
use isothread::{AnyRef, Context, Instance, RawRef};
use std::ptr::with_exposed_provenance_mut;

/// What a pointer of C's is the word of.
pub(super) fn read<T>(obj: *mut T) -> RawRef {
    RawRef::read(obj.expose_provenance() as u64)
}

/// The pointer for C.
pub(super) fn to_c<T>(reference: impl Into<RawRef>) -> *mut T {
    with_exposed_provenance_mut(reference.into().word() as usize)
}

/// The struct or array that a pointer may be about; an externref is none.
pub(super) fn heap_object<T>(obj: *mut T) -> Option<AnyRef> {
    match read(obj) {
        any @ RawRef::Any(_) => any.heap_object(),
        _ => None,
    }
}

/// Calls `act` with an object of the calling thread's context, and an instance of its link set.
pub(super) fn on_object<T, R>(
    obj: *mut T,
    act: impl FnOnce(&Instance, AnyRef) -> Option<R>,
) -> Option<R> {
    let object = heap_object(obj)?;
    in_context(|context| context.with_object(object, |instance| act(instance, object))?)
}

/// Calls `act` with the calling thread's context.
pub(super) fn in_context<R>(act: impl FnOnce(&Context) -> Option<R>) -> Option<R> {
    with_current(act).ok()?
}

/// The address of the host's object, if there is one that is known in the calling thread's context.
pub(super) fn host_address(reference: RawRef) -> Option<usize> {
    let number = u32::try_from(reference.host_word()?).ok()?;
    in_context(|context| context.extern_objects()?.address(number))
}
