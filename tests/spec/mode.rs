//! The modes in which the whole suite is run.

use std::thread::{Builder, Scope, ScopedJoinHandle};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// In contexts with the usual configuration.
    Plain,
    /// With a limit on instructions that no script reaches.
    Metered,
    /// On threads with a native stack of 64 KiB, loading and instantiating included.
    SmallStack,
    /// In contexts that measure what functions cost.
    Profiled,
    /// In contexts whose functions are compiled before their first call, and that look for objects
    /// to be freed whenever one is made.
    Compiled,
    /// From files compiled ahead, with a limit on instructions, for
    /// [`Twins`](crate::twins::Twins).
    Ahead,
    /// In contexts that look for objects to be freed whenever one is made.
    Collecting,
}

/// Of the small stack, in bytes.
pub(crate) const SMALL_STACK_BYTES: usize = 64 << 10;
/// Of everything else.
const STACK_BYTES: usize = 8 << 20;

impl Mode {
    /// Starts a thread that scripts run on, with the native stack of this mode.
    pub(crate) fn spawn<'s, T: Send + 's>(
        self,
        scope: &'s Scope<'s, '_>,
        work: impl FnOnce() -> T + Send + 's,
    ) -> ScopedJoinHandle<'s, T> {
        let bytes = if self == Self::SmallStack { SMALL_STACK_BYTES } else { STACK_BYTES };
        Builder::new().stack_size(bytes).spawn_scoped(scope, work).expect("a thread can be made")
    }
}

/// Runs work of the harness on a native stack of its own, a large one: the encoding of texts, and
/// the second opinion about a module.
pub(crate) fn roomy<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = Mode::Plain.spawn(scope, work);
        thread.join().expect("the harness does not panic")
    })
}
