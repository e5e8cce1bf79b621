//! A thread's end by a destructor of a `thread_local!`.

use super::hooks::Hooks;

struct Exit(Hooks);

thread_local! {
    /// Owner: the thread. Its destructor runs the hooks; only [`arm`] touches it.
    static EXIT: Exit = const { Exit(Hooks::new()) };
}

impl Drop for Exit {
    fn drop(&mut self) {
        self.0.run();
    }
}

/// Sets hooks and has them run; false if they never will.
pub fn arm(set: impl FnOnce(&Hooks)) -> bool {
    EXIT.try_with(|exit| set(&exit.0)).is_ok()
}
