//! The calling thread.

/// A number for the calling thread, unique among those that live: what the system's thread
/// functions call it, so it fits what embedders and debuggers print.
pub fn id() -> usize {
    // SAFETY: no arguments that could be wrong.
    unsafe { libc::pthread_self() as usize }
}
