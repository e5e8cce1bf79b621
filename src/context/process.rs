//! State that the contexts of a process share: the list of them, and the mode of `init`.

use super::registry::Registry;
use super::runtime::Runtime;
use crate::alloc;
use crate::sync::atomic::AtomicU64;
use crate::sync::{fork, interrupt, once};
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
    /// The way to standard output, set by the first `install`.
    pub(super) output: OnceLock<super::log::Output>,
    /// Lines of the log dropped since the last message about it. The process's, as standard output
    /// is; contexts with a log callback lose none.
    pub(super) lost_lines: AtomicU64,
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
            thread_ids: AtomicU64::new(1),
        }
    }

    pub(super) fn shared_init(&self) -> bool {
        *once(&self.shared_init, || alloc::outside(|| asks(std::env::var_os(SHARED_INIT))))
    }

    /// Makes forks take the fork lock, and has stale records dropped in the child.
    pub(super) fn watch(&self) {
        if std::ptr::eq(self, &*PROCESS) {
            fork::watch::<Contexts>();
        }
    }
}

/// The contexts' part in a fork.
enum Contexts {}

impl fork::Child for Contexts {
    fn survivor() -> usize {
        alloc::lock_owner()
    }

    fn drop_stale() {
        interrupt::drop_stale();
        PROCESS.registry.drop_stale();
    }
}

/// Chooses the signal that interrupts blocking calls of host functions; SIGUSR1 by default. It is
/// the process's, as signals are. Refused while a host function is between `begin_blocking` and
/// `end_blocking` of [`ExecEnv`](crate::ExecEnv), for signals that report faults or cannot be
/// caught, and on systems other than Linux.
pub fn set_blocking_signal(number: i32) -> bool {
    interrupt::set_signal(number)
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
        /// A process; `shared` stands for its environment's request for the shared init.
        pub(in crate::context) fn with_shared_init(shared: bool) -> Self {
            let process = Self::new();
            process.shared_init.get_or_init(|| shared);
            process
        }
    }
}
