//! A process of its own for each test: its own list of contexts, its own primary. Tests run at
//! the same time, and other modules' tests make contexts too.

use crate::context::process::Process;
use std::cell::Cell;
use std::thread;

thread_local! {
    /// Owner: the thread of a test. The test's stand-in for the process.
    static PROCESS: Cell<Option<&'static Process>> = const { Cell::new(None) };
}

/// The world of the calling thread, if a test gave it one.
pub(in crate::context) fn of_thread() -> Option<&'static Process> {
    PROCESS.get()
}

/// A world, for handing it to more threads.
#[derive(Clone, Copy)]
pub(in crate::context) struct World(&'static Process);

impl World {
    /// Runs `f` on a fresh thread of a fresh world.
    pub(super) fn run<R: Send + 'static>(f: impl FnOnce(World) -> R + Send + 'static) -> R {
        Self::run_in(Process::with_shared_init(false), f)
    }

    /// As [`World::run`], in a process that is ready made.
    pub(super) fn run_in<R: Send + 'static>(
        process: Process,
        f: impl FnOnce(World) -> R + Send + 'static,
    ) -> R {
        // Leaked: threads' exit hooks may look at it later than any test does.
        let world = Self(Box::leak(Box::new(process)));
        world.spawn(move || f(world)).join().unwrap_or_else(|e| std::panic::resume_unwind(e))
    }

    /// Starts a thread of this world.
    pub(super) fn spawn<R: Send + 'static>(
        self,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> thread::JoinHandle<R> {
        thread::spawn(move || {
            PROCESS.set(Some(self.0));
            f()
        })
    }

    /// Runs `f` on a fresh thread of this world, to its end, exit hook included.
    pub(super) fn on_thread<R: Send + 'static>(self, f: impl FnOnce() -> R + Send + 'static) -> R {
        self.spawn(f).join().unwrap_or_else(|e| std::panic::resume_unwind(e))
    }

    pub(super) fn process(self) -> &'static Process {
        self.0
    }
}
