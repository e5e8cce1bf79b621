//! What instances ask of the parts above them.

use super::{GrowFailure, Instance};
use std::any::Any;
use std::ptr::NonNull;

/// What a host has prepared for a thread; the host alone knows what that is.
pub type Seat = Box<dyn Any + Send>;

/// What a write to standard output waits for.
#[derive(Clone, Copy, Debug)]
pub enum OutputWait {
    /// That this descriptor takes more.
    Descriptor(i32),
    /// That another thread is done with C's `stdout`.
    Writer,
}

/// What an instance needs from above. It is kept as long as the instance, so whatever else must
/// live as long (code, natives, the context) hangs off it.
pub trait Host: Any + Send + Sync {
    /// A memory did not grow. The guest only sees -1.
    fn memory_grow_failed(&self, failure: &GrowFailure);

    /// The word of an externref to `object`, which becomes `instance`'s if it is nobody's yet.
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

    /// Writes what the guest prints to its context's standard output. Where that would have to
    /// wait, it calls `wait` before it tries again; if that returns false, the rest is not written.
    fn print(&self, bytes: &[u8], wait: &mut dyn FnMut(OutputWait) -> bool) {
        let _ = (bytes, wait);
    }

    /// Allocates guest memory for the guest, from the app heap or with the guest's own `malloc`;
    /// its address.
    fn guest_malloc(&self, instance: &Instance, len: u64) -> Option<u64> {
        let _ = (instance, len);
        None
    }

    /// Frees what `guest_malloc` has returned. Other addresses are ignored.
    fn guest_free(&self, instance: &Instance, address: u64) {
        let _ = (instance, address);
    }

    /// How many threads a program may have beside its first.
    fn max_threads(&self) -> u32 {
        0
    }

    /// What a thread that is to be started for a guest needs, so that it cannot fail when it runs;
    /// `None` without memory for it.
    fn thread_seat(&self) -> Option<Seat> {
        Some(Box::new(()))
    }

    /// Runs `body` on a thread that was started for a guest, telling it where the thread's
    /// native stack ends.
    fn run_thread(&self, seat: Seat, body: &mut dyn FnMut(usize)) {
        drop(seat);
        body(0);
    }
}
