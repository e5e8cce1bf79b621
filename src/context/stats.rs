//! A context's counters.

use crate::alloc::HeapStats;
use crate::exec::DescriptorCounts;
use crate::sync::atomic::{AtomicUsize, Ordering};

/// Objects that hold their context and are counted there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    Module,
    Instance,
    ExecEnv,
    SharedHeap,
    Store,
}

const KINDS: usize = ObjectKind::Store as usize + 1;

/// A context's counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContextStats {
    pub modules: usize,
    pub instances: usize,
    pub exec_envs: usize,
    pub shared_heaps: usize,
    pub stores: usize,
    /// Threads that the runtime or a guest started in the context and that have not ended.
    pub threads: usize,
    /// Calls of guest functions by the host.
    pub calls: u64,
    /// Calls that ended in an exception.
    pub traps: u64,
    /// Descriptors that are open for guests: files, directories, sockets, and those by which waits
    /// are ended from outside.
    pub descriptors: DescriptorCounts,
    pub heap: HeapStats,
}

impl ContextStats {
    /// Live objects of all kinds.
    pub fn objects(&self) -> usize {
        self.modules + self.instances + self.exec_envs + self.shared_heaps + self.stores
    }
}

/// Live objects by kind.
#[derive(Default)]
pub(super) struct Counters([AtomicUsize; KINDS]);

impl Counters {
    fn of(&self, kind: ObjectKind) -> &AtomicUsize {
        &self.0[kind as usize]
    }

    pub(super) fn add(&self, kind: ObjectKind) {
        self.of(kind).fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn remove(&self, kind: ObjectKind) {
        self.of(kind).fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn get(&self, kind: ObjectKind) -> usize {
        self.of(kind).load(Ordering::Relaxed)
    }
}
