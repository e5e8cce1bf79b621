//! What contexts share because they share a process: the list of them, and the mode of `init`.

use super::registry::Registry;
use super::runtime::Runtime;
use crate::alloc;
use crate::platform;
use crate::sync::atomic::AtomicU64;
use crate::sync::{alarm, gate};
use std::ffi::OsString;
use std::sync::{LazyLock, Once, OnceLock};

/// The environment variable that makes `init` count one context for the whole process.
const SHARED_INIT: &str = "WAMR_COMPAT_SHARED_INIT";

/// Process-wide state. Contexts and threads keep a reference to theirs, so that a test can have
/// one of its own.
pub(super) struct Process {
    pub(super) registry: Registry<Runtime>,
    /// Whether the environment asks for the shared `init`; read once, so that a program that
    /// changes its environment later cannot race with us.
    shared_init: OnceLock<bool>,
    /// Done once this library has tried to install its logger.
    pub(super) logger: Once,
    /// How standard output is written to, as the first `install` said.
    pub(super) output: OnceLock<super::log::Output>,
    /// How many lines of the log were dropped since that was last said.
    pub(super) lost_lines: AtomicU64,
    /// Done once the system was asked to tell of forks.
    forks_watched: Once,
    /// The next thread state's number.
    pub(super) thread_ids: AtomicU64,
}

/// The process's contexts. Owner: the process.
static PROCESS: LazyLock<Process> = LazyLock::new(Process::new);

impl Process {
    pub(super) fn new() -> Self {
        Self {
            registry: Registry::new(),
            shared_init: OnceLock::new(),
            logger: Once::new(),
            output: OnceLock::new(),
            lost_lines: AtomicU64::new(0),
            forks_watched: Once::new(),
            thread_ids: AtomicU64::new(1),
        }
    }

    pub(super) fn shared_init(&self) -> bool {
        *self.shared_init.get_or_init(|| alloc::outside(|| asks(std::env::var_os(SHARED_INIT))))
    }

    /// Sees to it that forks find contexts whole. Without memory for that they are not told of.
    pub(super) fn watch_forks(&self) {
        self.forks_watched.call_once(|| {
            if std::ptr::eq(self, &*PROCESS) {
                platform::fork::watch(before_fork, after_fork_in_parent, after_fork_in_child);
                // As long as there is one thread, which is likely now, the answer costs nothing.
                gate::has_barrier();
            }
        });
    }
}

/// Chooses the signal that interrupts what host functions block in: SIGUSR1 unless this says
/// otherwise. It is the process's, as signals are. Refused while a host function is between
/// `begin_blocking` and `end_blocking` of [`ExecEnv`](crate::ExecEnv), for signals that report
/// faults or cannot be caught, and on systems other than Linux.
pub fn set_blocking_signal(number: i32) -> bool {
    alarm::set_signal(number)
}

/// Called by the system in a thread that is about to fork.
extern "C" fn before_fork() {
    gate::before_fork();
}

extern "C" fn after_fork_in_parent() {
    gate::after_fork_in_parent();
}

extern "C" fn after_fork_in_child() {
    gate::after_fork_in_child(alloc::user());
    alarm::after_fork_in_child();
    PROCESS.registry.after_fork_in_child();
}

/// Whether a variable of the environment is set to anything but nothing and 0.
fn asks(value: Option<OsString>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "0")
}

/// The process as new threads see it.
pub(super) fn of_new_thread() -> &'static Process {
    #[cfg(test)]
    if let Some(process) = super::tests::world::of_thread() {
        return process;
    }
    &PROCESS
}

/// The process as the calling thread sees it.
pub(super) fn of_thread() -> &'static Process {
    super::thread::process().unwrap_or_else(of_new_thread)
}

#[cfg(test)]
mod tests {
    use super::{Process, asks};

    #[test]
    fn the_environment_asks_by_a_value() {
        let values = [None, Some(""), Some("0"), Some("1"), Some("yes")];
        assert_eq!(values.map(|v| asks(v.map(Into::into))), [false, false, false, true, true]);
    }

    impl Process {
        /// A process whose environment asks for the shared init, or does not.
        pub(in crate::context) fn with_shared_init(shared: bool) -> Self {
            let process = Self::new();
            process.shared_init.get_or_init(|| shared);
            process
        }
    }
}
