//! Callbacks around forks.

/// Has the system call `before` in every thread that forks, and then `in_parent` and `in_child`
/// on either side. False if it has no memory for that.
pub fn watch(
    before: extern "C" fn(),
    in_parent: extern "C" fn(),
    in_child: extern "C" fn(),
) -> bool {
    // SAFETY: the functions are callable at any time, on any thread, and need nothing.
    unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) == 0 }
}
