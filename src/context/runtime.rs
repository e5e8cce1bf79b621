//! The parts of a context.

use super::config::{ContextConfig, MAX_THREAD_NUM_DEFAULT, RunningMode, ThreadSettings};
use super::data::DataSlots;
use super::externrefs::ExternObjects;
use super::live::{Live, LiveObject};
use super::log::{LogCallback, LogLevel};
use super::object_heaps::ObjectHeaps;
use super::process::Process;
use super::record::Threads;
use super::registry::{ListPosition, Member};
use super::stats::{ContextStats, Counters, ObjectKind};
use crate::alloc::{self, HeapRef};
use crate::exec::{CallCounts, Limits};
use crate::native::{BuiltinTable, Registry as Natives};
use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::types::TypeRegistry;
use std::mem::ManuallyDrop;
use std::sync::Arc;

/// A context, behind its handles. It lies in the system's memory; `parts` allocate from `heap`.
pub(super) struct Runtime {
    pub(super) heap: HeapRef,
    /// Its configuration. Settings that can change have fields of their own as well.
    pub(super) config: ContextConfig,
    pub(super) process: &'static Process,
    position: ListPosition,
    log_level: AtomicU32,
    running_mode: AtomicU32,
    max_thread_num: AtomicU32,
    pub(super) perf_profiling: AtomicBool,
    init_conflicts: AtomicU32,
    accepts_strays: AtomicBool,
    poisoned: AtomicBool,
    /// Where log lines go; without one, to the process's logger.
    sink: Lock<Option<LogCallback>>,
    pub(super) counters: Counters,
    pub(super) limits: Limits,
    pub(super) live: Live,
    pub(super) threads: Threads,
    pub(super) parts: ManuallyDrop<Parts>,
}

/// The parts that allocate from the context's heap. Left alone if the heap's memory is gone.
pub(super) struct Parts {
    pub(super) data: DataSlots,
    pub(super) natives: Natives,
    pub(super) types: TypeRegistry,
    /// In no heap, as `Runtime` itself; only the values lie in the heap.
    pub(super) extern_objects: Arc<ExternObjects>,
    pub(super) uses_extern_objects: AtomicBool,
    pub(super) object_heaps: ObjectHeaps,
    name: Lock<Option<Box<str>>>,
}

impl Member for Runtime {
    fn position(&self) -> &ListPosition {
        &self.position
    }

    fn drop_stale(&self) {
        self.threads.keep_only(super::thread::number());
    }
}

impl Runtime {
    /// `settings` stand in for fields that `config` leaves open.
    pub(super) fn new(
        config: ContextConfig,
        heap: HeapRef,
        process: &'static Process,
        settings: ThreadSettings,
    ) -> Self {
        let level = config.log_level.or(settings.log_level).unwrap_or_default();
        let mode = config.running_mode.or(settings.running_mode).unwrap_or_default();
        let max_thread_num = match config.max_thread_num {
            0 => settings.max_thread_num.unwrap_or(MAX_THREAD_NUM_DEFAULT),
            num => num,
        };
        Self {
            heap,
            process,
            position: ListPosition::new(),
            log_level: AtomicU32::new(level as u32),
            running_mode: AtomicU32::new(mode as u32),
            max_thread_num: AtomicU32::new(max_thread_num),
            perf_profiling: AtomicBool::new(config.perf_profiling),
            init_conflicts: AtomicU32::new(0),
            accepts_strays: AtomicBool::new(config.accepts_strays),
            poisoned: AtomicBool::new(false),
            sink: Lock::new(None),
            counters: Counters::default(),
            limits: alloc::outside(|| Limits::new(config.max_descriptors)),
            live: Live::default(),
            threads: Threads::default(),
            parts: ManuallyDrop::new(alloc::outside(|| Parts::new(config.builtins))),
            config,
        }
    }

    pub(super) fn log_level(&self) -> LogLevel {
        LogLevel::from_raw(self.log_level.load(Ordering::Relaxed))
    }

    pub(super) fn set_log_level(&self, level: LogLevel) {
        self.log_level.store(level as u32, Ordering::Relaxed);
    }

    pub(super) fn sink(&self) -> Option<LogCallback> {
        self.sink.lock().clone()
    }

    pub(super) fn set_sink(&self, sink: Option<LogCallback>) {
        let old = std::mem::replace(&mut *self.sink.lock(), sink);
        // Dropped without the lock: it may hold anything of the embedder's.
        drop(old);
    }

    pub(super) fn running_mode(&self) -> RunningMode {
        RunningMode::from_raw(self.running_mode.load(Ordering::Relaxed)).unwrap_or_default()
    }

    pub(super) fn set_running_mode(&self, mode: RunningMode) {
        self.running_mode.store(mode as u32, Ordering::Relaxed);
    }

    pub(super) fn max_thread_num(&self) -> u32 {
        self.max_thread_num.load(Ordering::Relaxed)
    }

    pub(super) fn set_max_thread_num(&self, num: u32) {
        if num > 0 {
            self.max_thread_num.store(num, Ordering::Relaxed);
        }
    }

    pub(super) fn accepts_strays(&self) -> bool {
        self.accepts_strays.load(Ordering::Relaxed)
    }

    pub(super) fn set_accepts_strays(&self, accepts: bool) {
        self.accepts_strays.store(accepts, Ordering::Relaxed);
    }

    pub(super) fn init_conflicts(&self) -> u32 {
        self.init_conflicts.load(Ordering::Relaxed)
    }

    /// Compares the configuration of a further `init` with the context's; true if they agree.
    pub(super) fn check_config(&self, config: &ContextConfig) -> bool {
        let agree = self.config == *config;
        if !agree {
            self.init_conflicts.fetch_add(1, Ordering::Relaxed);
        }
        agree
    }

    pub(super) fn name(&self) -> Option<Box<str>> {
        self.parts.name.lock().clone()
    }

    pub(super) fn set_name(&self, name: Option<Box<str>>) {
        let old = std::mem::replace(&mut *self.parts.name.lock(), name);
        drop(old);
    }

    pub(super) fn stats(&self) -> ContextStats {
        let counts = self.call_counts();
        ContextStats {
            threads: self.threads.count(),
            calls: counts.calls,
            traps: counts.traps,
            modules: self.counters.get(ObjectKind::Module),
            instances: self.counters.get(ObjectKind::Instance),
            exec_envs: self.counters.get(ObjectKind::ExecEnv),
            shared_heaps: self.counters.get(ObjectKind::SharedHeap),
            stores: self.counters.get(ObjectKind::Store),
            descriptors: self.limits.descriptor_counts(),
            heap: self.heap.stats(),
        }
    }

    fn call_counts(&self) -> CallCounts {
        let mut sum = self.limits.kept();
        self.visit(|instance| sum += instance.counts());
        sum
    }

    /// Visits the live instances; none if they lie in memory that was taken away.
    pub(super) fn visit(&self, each: impl FnMut(&dyn LiveObject)) {
        if !self.is_poisoned() {
            self.live.visit(each);
        }
    }

    /// Terminates the live instances, as [`Runtime::visit`] would visit them.
    pub(super) fn terminate_all(&self) {
        if !self.is_poisoned() {
            self.live.terminate();
        }
    }

    pub(super) fn is_poisoned(&self) -> bool {
        self.poisoned.load(Ordering::Acquire)
    }

    /// See [`super::Context::retire_pool`].
    ///
    /// # Safety
    /// No other thread is running inside this context.
    pub(super) unsafe fn retire_pool(&self) {
        if self.heap.pool_info().is_none() || self.is_poisoned() {
            return;
        }
        let objects = self.stats().objects();
        if objects > 0 {
            self.poisoned.store(true, Ordering::Release);
            log::error!("the pool of a runtime was taken away while {objects} objects lived in it");
            return;
        }
        self.parts.clear();
        // SAFETY: the parts keep nothing in the buffer any more, no objects are left, and the
        // caller guarantees that nobody is making new ones. Blocks that the embedder allocated are
        // lost with its buffer.
        let leak = unsafe { self.heap.retire() };
        report(leak.live_blocks, leak.live_bytes);
    }
}

impl Parts {
    fn new(builtins: &'static [BuiltinTable]) -> Self {
        Self {
            data: DataSlots::default(),
            natives: Natives::new(builtins),
            types: TypeRegistry::default(),
            extern_objects: Arc::default(),
            uses_extern_objects: AtomicBool::new(false),
            object_heaps: ObjectHeaps::default(),
            name: Lock::new(None),
        }
    }

    /// Drops everything, down to the last block.
    fn clear(&self) {
        self.data.end();
        self.natives.clear();
        self.types.clear();
        self.extern_objects.clear();
        self.object_heaps.clear();
        drop(self.name.lock().take());
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        // A context of `init` was closed before its token went, so this finds no token.
        drop(self.process.registry.close(self));
        if self.is_poisoned() {
            // The parts lie in memory that is not ours any more.
            return;
        }
        // SAFETY: dropped here only, and never touched again.
        unsafe { ManuallyDrop::drop(&mut self.parts) };
        let rest = self.heap.stats();
        report(rest.live_blocks, rest.live_bytes);
    }
}

/// Logs the blocks that were still allocated at a context's end. At the debug level, because WAMR
/// logs nothing here and embedders compare its output.
fn report(blocks: u64, bytes: u64) {
    if blocks > 0 {
        log::info!("a runtime ended while {blocks} blocks ({bytes} bytes) of it were in use");
    }
}
