//! The interface by which instances call the parts above them.

use super::{GrowFailure, Instance, ObjectLimits};
use crate::gc::{GcFinalizer, GcRef};
use std::any::Any;
use std::ptr::NonNull;

/// A host's preparation for a thread, opaque to instances.
pub type PreparedThread = Box<dyn Any + Send>;

/// The cause of a blocked write to standard output.
#[derive(Clone, Copy, Debug)]
pub enum OutputWait {
    /// That this descriptor takes more.
    Descriptor(i32),
    /// That another thread is done with C's `stdout`.
    Writer,
}

/// The services that an instance gets from above. It is kept as long as the instance, so it also
/// holds the code, natives and context, which must live as long.
pub trait Host: Any + Send + Sync {
    /// A memory did not grow. The guest only sees -1.
    fn memory_grow_failed(&self, failure: &GrowFailure);

    /// The word of an externref to `object`, which becomes `instance`'s if it has no owner yet.
    fn externref_word(&self, instance: NonNull<Instance>, object: u64) -> Option<u64> {
        let _ = instance;
        Some(object)
    }

    /// The object behind an externref's word.
    fn externref_object(&self, word: u64) -> Option<u64> {
        Some(word)
    }

    /// The instance is about to be torn down.
    fn instance_ends(&self, instance: NonNull<Instance>) {
        let _ = instance;
    }

    /// Writes the guest's output to its context's standard output. When the write would block, it
    /// calls `wait` before the next try; if that returns false, the rest is not written.
    fn print(&self, bytes: &[u8], wait: &mut dyn FnMut(OutputWait) -> bool) {
        let _ = (bytes, wait);
    }

    /// Allocates guest memory for the guest, from the app heap or with the guest's own `malloc`;
    /// its address.
    fn guest_malloc(&self, instance: &Instance, len: u64) -> Option<u64> {
        let _ = (instance, len);
        None
    }

    /// Frees a block of `guest_malloc`. Other addresses are ignored.
    fn guest_free(&self, instance: &Instance, address: u64) {
        let _ = (instance, address);
    }

    /// What a new heap of guests' objects is to be, for the link set of `instance`, and its number,
    /// below [`HEAP_NUMBERS`](super::HEAP_NUMBERS), which no other heap of the context has while
    /// the instance lives. `None` if memory or numbers run out.
    fn object_heap(&self, instance: NonNull<Instance>) -> Option<(ObjectLimits, u32)> {
        let _ = instance;
        Some((ObjectLimits::default(), 0))
    }

    /// Runs a finalizer of the host's with its object. The link set is live, and used by this
    /// thread or by none.
    fn run_finalizer(&self, object: GcRef, finalizer: GcFinalizer) {
        let _ = (object, finalizer);
    }

    /// How many threads a program may have beside its first.
    fn max_threads(&self) -> u32 {
        0
    }

    /// Prepares a thread that is to be started for a guest, so that it cannot fail when it runs;
    /// `None` without memory for that.
    fn prepare_thread(&self) -> Option<PreparedThread> {
        Some(Box::new(()))
    }

    /// Runs `body` on a thread that was started for a guest, with the lowest address of the
    /// thread's native stack.
    fn run_thread(&self, prepared: PreparedThread, body: &mut dyn FnMut(usize)) {
        drop(prepared);
        body(0);
    }
}
