//! A thread's end by a key of the system's threads.

use super::hooks::Hooks;
use std::ffi::c_void;
use std::ptr::without_provenance_mut;
use std::sync::OnceLock;

/// The key, if the system has one for us. Owner: the process.
static KEY: OnceLock<Option<libc::pthread_key_t>> = OnceLock::new();

thread_local! {
    /// Owner: the thread.
    static HOOKS: Hooks = const { Hooks::new() };
}

/// Called by the system at the end of a thread that has a value for the key, and again if it gets
/// one meanwhile, a few times over.
extern "C" fn at_end(_: *mut c_void) {
    HOOKS.with(Hooks::run);
}

fn key() -> Option<libc::pthread_key_t> {
    *KEY.get_or_init(|| {
        let mut key = 0;
        // SAFETY: room for the key; the function accepts any value that it is called with.
        let failed = unsafe { libc::pthread_key_create(&mut key, Some(at_end)) };
        (failed == 0).then_some(key)
    })
}

/// Sets hooks and has them run; false if they never will.
pub fn arm(set: impl FnOnce(&Hooks)) -> bool {
    let Some(key) = key() else { return false };
    // SAFETY: a live key; the value is a mark and never followed.
    let armed = unsafe { libc::pthread_setspecific(key, without_provenance_mut(1)) } == 0;
    if armed {
        HOOKS.with(set);
    }
    armed
}
