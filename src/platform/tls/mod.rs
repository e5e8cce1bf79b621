//! The thread word: one pointer per thread, from which all of a thread's state hangs.
//!
//! It does not know the word's target: [`crate::alloc`] and the context module agree on that.
//! Control enters at [`get`], [`set`] and [`arm_exit`]. Beside it lies a second word for
//! `sync::fork`, which stays with the thread on any stack.
//!
//! Reading the word is on the path of every allocation and every API call, so it has to be cheap
//! in a shared library that may be loaded with `dlopen`. `thread_local!` compiles to the general
//! dynamic model there, a call of `__tls_get_addr`; initial-exec would be faster but makes
//! `dlopen` fail once glibc's small static surplus is used up. On the Linux targets that have
//! TLS descriptors the word is therefore reached through one (`desc.rs`): a call that preserves
//! almost every register, and that the linker turns into a constant offset in executables. Other
//! targets and miri use `thread_local!` (`local.rs`).
//!
//! The exit callbacks hang off a key of the system's threads (`exit_key.rs`), which takes no memory
//! when there are few keys, and otherwise reports that there is none. A destructor of a
//! `thread_local!` would end the process where glibc finds no memory for its registration; miri and
//! systems without such keys have that (`exit_local.rs`). The key's callback must stay loaded, so
//! the C library is linked with `-z nodelete`. Nothing is called when the process ends while the
//! thread runs, its first one included.

#[cfg(all(
    target_os = "linux",
    target_env = "gnu",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(miri),
))]
#[path = "desc.rs"]
mod word;

#[cfg(not(all(
    target_os = "linux",
    target_env = "gnu",
    target_pointer_width = "64",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(miri),
)))]
#[path = "local.rs"]
mod word;

#[cfg(all(unix, not(miri)))]
#[path = "exit_key.rs"]
mod exit;

#[cfg(not(all(unix, not(miri))))]
#[path = "exit_local.rs"]
mod exit;

mod around;
mod hooks;

pub use around::{Around, around};

pub use hooks::ExitCallback;

/// The calling thread's word; null until [`set`].
#[inline(always)]
pub fn get() -> *mut u8 {
    word::get()
}

/// Replaces the calling thread's word. That has no effect until code follows the pointer.
#[inline(always)]
pub fn set(value: *mut u8) {
    word::set(value);
}

/// Has `callback` run with this thread's word when the thread ends, unless the word is null
/// then. A thread has one callback: arming again replaces it.
///
/// Returns false when it never will: without memory, or at the very end of the thread.
///
/// # Safety
/// `callback` must accept any word that this thread has at its end.
pub unsafe fn arm_exit(callback: ExitCallback) -> bool {
    exit::arm(|hooks| hooks.exit.set(Some(callback)))
}

/// The calling thread's second word; null until [`set_place`].
#[inline(always)]
pub fn place() -> *mut u8 {
    word::place()
}

/// Replaces the calling thread's second word.
#[inline(always)]
pub fn set_place(value: *mut u8) {
    word::set_place(value);
}

/// As [`arm_exit`], for the second word, and called with any value of it, after the callback of
/// `arm_exit`.
///
/// # Safety
/// `callback` must accept any second word that this thread has at its end.
pub unsafe fn arm_last(callback: ExitCallback) -> bool {
    exit::arm(|hooks| hooks.last.set(Some(callback)))
}

#[cfg(test)]
mod tests;
