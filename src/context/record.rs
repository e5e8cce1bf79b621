//! Which threads were spawned in a context and are still in it, so that it can visit them.
//!
//! Only starts and ends of threads change it; entering a context and calling do not.

use crate::alloc;
use crate::platform;
use crate::sync::Lock;

/// A thread that was spawned in a context and is still in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadInfo {
    /// Number of the thread's state; no two states of a process have the same.
    pub thread: u64,
    /// The system's number of the thread.
    pub native_id: usize,
}

struct Record {
    info: ThreadInfo,
    /// How many inheritances of the thread are open.
    inherited: usize,
}

/// The threads of a context, in the order in which they came. Owner: the context.
#[derive(Default)]
pub(super) struct Threads(Lock<Vec<Record>>);

impl Threads {
    /// Notes that the calling thread, whose state is `thread`, inherits the context. Without
    /// memory for it the thread runs all the same and is not listed.
    pub(super) fn add(&self, thread: u64) {
        let mut records = self.0.lock();
        if let Some(record) = records.iter_mut().find(|record| record.info.thread == thread) {
            record.inherited += 1;
            return;
        }
        // It may outlive the context's heap, so it belongs to no heap.
        if alloc::outside(|| records.try_reserve(1)).is_ok() {
            let info = ThreadInfo { thread, native_id: platform::thread::id() };
            records.push(Record { info, inherited: 1 });
        }
    }

    /// Takes back a [`Threads::add`].
    pub(super) fn remove(&self, thread: u64) {
        let mut records = self.0.lock();
        let Some(at) = records.iter().position(|record| record.info.thread == thread) else {
            return;
        };
        records[at].inherited -= 1;
        if records[at].inherited == 0 {
            records.remove(at);
        }
    }

    /// Forgets all threads but the one whose state is `thread`.
    pub(super) fn keep_only(&self, thread: u64) {
        self.0.lock().retain(|record| record.info.thread == thread);
    }

    /// How many threads there are at this moment.
    pub(super) fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// The threads as they are at this moment; some are missing if memory runs out.
    pub(super) fn infos(&self) -> Vec<ThreadInfo> {
        let records = self.0.lock();
        let mut infos = Vec::new();
        if infos.try_reserve_exact(records.len()).is_ok() {
            infos.extend(records.iter().map(|record| record.info));
        }
        infos
    }
}
