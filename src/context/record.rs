//! What a context knows of each of its threads: state of the pair (context, thread).
//!
//! It is kept by `thread_local::ThreadLocal`, so that a context can visit its threads. That
//! crate numbers threads and keeps a slot for every number up to the highest it has met in the
//! context, so `init`, entering and calls leave it alone: a context that is used by threads of
//! the embedder's costs no slots. Records are made when a thread is spawned inside a context.

use crate::alloc;
use crate::platform;
use crate::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use thread_local::ThreadLocal;

/// One thread's record. Numbers of ended threads are used again, so it says whose it is.
#[derive(Default)]
struct Record {
    /// Number of the thread state it belongs to.
    thread: AtomicU64,
    native_id: AtomicUsize,
    /// How many inheritances of the thread are open.
    inherited: AtomicUsize,
}

/// A thread that was spawned in a context and is still in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThreadInfo {
    /// Number of the thread's state; no two states of a process have the same.
    pub thread: u64,
    /// What the system calls the thread.
    pub native_id: usize,
}

/// The threads of a context.
#[derive(Default)]
pub(super) struct Threads(ThreadLocal<Record>);

impl Threads {
    /// Notes that the calling thread, whose state is `thread`, inherits the context. To be called
    /// at a thread's start: the crate's own destructors must be yet to come.
    pub(super) fn add(&self, thread: u64) {
        // The slots are made for other threads too and cannot be refused, so no heap pays.
        let record = alloc::outside(|| self.0.get_or_default());
        // Only the calling thread writes its record; others read.
        if record.thread.load(Ordering::Relaxed) != thread {
            record.native_id.store(platform::thread::id(), Ordering::Relaxed);
            record.inherited.store(0, Ordering::Relaxed);
            record.thread.store(thread, Ordering::Relaxed);
        }
        let open = record.inherited.load(Ordering::Relaxed);
        record.inherited.store(open + 1, Ordering::Release);
    }

    /// Takes back a [`Threads::add`]. A thread whose end has begun may have lost its number; the
    /// record is then found by the state's.
    pub(super) fn remove(&self, thread: u64) {
        let is_own = |record: &&Record| record.thread.load(Ordering::Relaxed) == thread;
        let own = self.0.get().filter(is_own);
        let Some(record) = own.or_else(|| self.0.iter().find(is_own)) else { return };
        let open = record.inherited.load(Ordering::Relaxed);
        record.inherited.store(open.saturating_sub(1), Ordering::Release);
    }

    /// How many threads there are at this moment.
    pub(super) fn count(&self) -> usize {
        self.0.iter().filter(|record| record.inherited.load(Ordering::Acquire) > 0).count()
    }

    /// The threads as they are at this moment.
    pub(super) fn infos(&self) -> Vec<ThreadInfo> {
        let live = self.0.iter().filter(|record| record.inherited.load(Ordering::Acquire) > 0);
        live.map(|record| ThreadInfo {
            thread: record.thread.load(Ordering::Relaxed),
            native_id: record.native_id.load(Ordering::Relaxed),
        })
        .collect()
    }
}
