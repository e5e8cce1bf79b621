//! Contexts, which own all that the embedder configures and registers, and the rules by which a
//! thread finds its context.
//!
//! - [`Context`] (`runtime.rs` has its target) holds a heap, natives, limits, types, statistics.
//!   Objects hold a counted handle to theirs, so a context dies with its last object.
//! - `registry.rs` lists the open contexts of the process and knows the primary.
//! - `thread/` is the state behind the thread word: the thread's own context, the contexts that it
//!   has entered, the search of a call without a handle, the counts of init and destroy.
//! - `log/` filters by the calling context's level and owns the process's default sink.
//!
//! It owns the surroundings of modules and instances but must not know them, nor the C API: higher
//! parts keep their own data in a context through [`ContextData`]. Control enters through
//! [`Context::with`], through [`Context::run`], which every operation on an object goes through,
//! and through the functions of [`thread`], which are the handle-free API.
//!
//! A call that has a handle runs in the handle's context. A call without one takes the first of
//! these: the innermost entered context, the thread's own, the one inherited when the thread was
//! spawned, the primary.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

mod config;
mod data;
mod externrefs;
mod hold;
mod limits;
mod live;
pub mod log;
mod make;
mod object_heaps;
mod objects;
mod per_thread;
mod process;
mod record;
mod registry;
mod runtime;
mod shared;
mod stats;
pub mod thread;
mod type_ids;

pub use config::{
    ContextConfig, ContextError, GC_HEAP_SIZE_DEFAULT, JitOptions, MAX_THREAD_NUM_DEFAULT,
    RunningMode,
};
pub use data::ContextData;
pub use externrefs::{ExternObjects, ObjectCleanup};
pub use hold::ContextHold;
pub(crate) use live::{LiveLink, LiveObject};
pub use log::{LogCallback, LogLevel};
pub use per_thread::ThreadContexts;
pub use process::set_blocking_signal;
pub use record::ThreadInfo;
pub use stats::{ContextStats, ObjectKind};
pub use thread::{Ended, Entered};
pub(crate) use type_ids::TypeIds;

use crate::abi::error::{Error, Result};
use crate::alloc::{self, HeapRef};
use crate::exec::Limits;
use crate::native::Registry as Natives;
use crate::sync::atomic::Ordering;
use config::ThreadSettings;
use registry::{Member, Origin};
use runtime::Runtime;
use shared::{Shared, Weak};
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;

/// A runtime context. Handles are counted, and can be used from any thread.
#[derive(Clone)]
#[repr(transparent)]
pub struct Context(Shared<Runtime>);

/// A handle that does not keep its context alive.
#[derive(Clone)]
pub struct WeakContext(Weak<Runtime>);

impl WeakContext {
    /// A handle that keeps the context alive, unless the context is gone.
    pub fn upgrade(&self) -> Option<Context> {
        self.0.upgrade().map(Context)
    }
}

impl PartialEq for Context {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_ptr() == other.0.as_ptr()
    }
}

impl Eq for Context {}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("id", &self.id()).finish_non_exhaustive()
    }
}

/// Finding and naming.
impl Context {
    /// A context that lives as long as its handles and objects do.
    pub fn with(config: ContextConfig) -> Result<Self, ContextError> {
        make::make(config, process::of_thread(), ThreadSettings::default(), Origin::Handle)
    }

    /// This context's configuration. Its heap can be compared, and not used for another context.
    fn config(&self) -> &ContextConfig {
        &self.0.config
    }

    /// The context of a call without a handle on this thread: the innermost entered one, the
    /// thread's own, the inherited one, the primary. An error if there is none of them, or if only
    /// the primary is left and refuses to be fallen back to ([`ContextConfig::accepts_strays`]).
    pub fn current() -> Result<Self> {
        thread::current()
    }

    /// The first context that was opened when none was, while it is open.
    pub fn primary() -> Option<Self> {
        process::of_thread().registry.primary().map(Self)
    }

    /// Every open context, oldest first.
    pub fn all() -> Result<Vec<Self>> {
        let all = process::of_thread().registry.all().ok_or_else(Error::out_of_memory)?;
        Ok(all.into_iter().map(Self).collect())
    }

    /// Whether any context of the process is open.
    pub fn any() -> bool {
        process::of_thread().registry.open_count() > 0
    }

    /// The context's number, which no other context of the process ever has.
    pub fn id(&self) -> u64 {
        self.0.position().id()
    }

    pub fn name(&self) -> Option<Box<str>> {
        self.0.name()
    }

    /// Gives the context a name for logs and lists; `None` takes it away.
    pub fn set_name(&self, name: Option<&str>) -> Result<()> {
        let name = self.guarded(|| name.map(alloc::try_str).transpose())??;
        self.0.set_name(name);
        Ok(())
    }

    pub fn downgrade(&self) -> WeakContext {
        WeakContext(self.0.downgrade())
    }

    /// Turns the handle into a pointer, for code that keeps bare pointers.
    pub fn into_raw(self) -> *const RawContext {
        self.0.into_raw().as_ptr().cast_const().cast()
    }

    /// The handle's address, which stays the same as long as the context lives.
    pub fn as_raw(&self) -> *const RawContext {
        self.0.as_ptr().as_ptr().cast_const().cast()
    }

    /// # Safety
    /// `raw` comes from [`Context::into_raw`], whose handle is taken back here. To borrow
    /// instead, wrap the result in `ManuallyDrop` while some handle lives.
    pub unsafe fn from_raw(raw: *const RawContext) -> Option<Self> {
        let block = NonNull::new(raw.cast_mut())?.cast();
        // SAFETY: the caller guarantees that `raw` comes from `into_raw` and gives that handle up.
        Some(Self(unsafe { Shared::from_raw(block) }))
    }
}

/// The target of a [`Context`], for code that keeps bare pointers.
#[repr(C)]
pub struct RawContext {
    _opaque: [u8; 0],
}

/// Running inside.
impl Context {
    /// Runs `f` inside this context: its heap is current, and calls without a handle that `f` makes
    /// on this thread find this context. Both are restored afterwards.
    ///
    /// This is on the path of every guest call: one read of the thread word, no lock, no atomic
    /// operation, no system call.
    #[inline]
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        thread::run(self, f)
    }

    /// As [`Context::run`], for calls into guests: `f` gets the lowest address of the native stack
    /// ([`thread::native_stack_low`]), and the thread is prepared if it was not.
    #[inline]
    pub fn run_guest<R>(&self, f: impl FnOnce(usize) -> R) -> R {
        thread::run_guest(self, f)
    }

    /// As [`Context::run`], as an operation that reports whether memory ran out meanwhile, even if
    /// `f` cannot. The report is exact: it leaves out other threads, and operations inside `f` that
    /// have failed for it.
    #[inline]
    pub fn operate<R>(&self, f: impl FnOnce() -> R) -> Ended<R> {
        thread::operate(self, f)
    }

    /// As [`Context::operate`], for calls into guests, with the lowest address of the native stack
    /// as for [`Context::run_guest`].
    #[inline(always)]
    pub fn operate_guest<R>(&self, f: impl FnOnce(usize) -> R) -> Ended<R> {
        thread::operate_guest(self, f)
    }

    /// As [`Context::operate`], with an error for everything but success.
    pub fn guarded<R>(&self, f: impl FnOnce() -> R) -> Result<R> {
        match self.operate(f) {
            Ended::Returned(result) => Ok(result),
            Ended::RanOut(result) => {
                self.run(|| drop(result));
                Err(Error::out_of_memory())
            }
            Ended::Refused => Err(Error::out_of_memory()),
        }
    }

    /// Enters this context until the guard is dropped; for code whose shape does not allow
    /// [`Context::run`]. Fails only without memory for the guard.
    pub fn enter(&self) -> Result<Entered> {
        thread::enter(self)
    }

    /// Enters this context until [`Context::pop`].
    pub fn push(&self) -> Result<()> {
        thread::push(self)
    }

    /// Leaves this context, if it is the last one that was pushed on this thread and not popped.
    /// Otherwise an error, and nothing changes.
    pub fn pop(&self) -> Result<()> {
        thread::pop(self)
    }

    /// Counts an object that keeps the context alive by other means than [`ContextHold`].
    pub(crate) fn count_object(&self, kind: ObjectKind) {
        self.0.counters.add(kind);
    }

    /// Takes back one [`Context::count_object`].
    pub(crate) fn uncount_object(&self, kind: ObjectKind) {
        self.0.counters.remove(kind);
    }
}

/// Settings and parts.
impl Context {
    pub fn heap(&self) -> &HeapRef {
        &self.0.heap
    }

    /// The natives that modules of this context can import.
    pub fn natives(&self) -> &Natives {
        &self.0.parts.natives
    }

    /// Makes externrefs stand for host objects in C functions and for the objects' numbers in
    /// guests, from now on. Otherwise both are the same word.
    pub fn use_extern_objects(&self) -> Result<()> {
        let parts = &self.0.parts;
        parts.uses_extern_objects.store(true, Ordering::Relaxed);
        self.guarded(|| self.natives().set_externrefs(Some(parts.extern_objects.clone())))
    }

    /// The objects behind externrefs, if [`Context::use_extern_objects`] asked for them.
    #[inline]
    pub fn extern_objects(&self) -> Option<&ExternObjects> {
        let parts = &self.0.parts;
        parts.uses_extern_objects.load(Ordering::Relaxed).then(|| &*parts.extern_objects)
    }

    pub fn log_level(&self) -> LogLevel {
        self.0.log_level()
    }

    pub fn set_log_level(&self, level: LogLevel) {
        self.0.set_log_level(level);
    }

    /// Whether code that is loaded now measures the cost of its functions.
    pub fn perf_profiling(&self) -> bool {
        self.0.perf_profiling.load(Ordering::Relaxed)
    }

    /// Decides whether modules that are loaded from now on measure the cost of their functions.
    /// That slows them down; code that does not measure is not affected.
    pub fn set_perf_profiling(&self, measure: bool) {
        self.0.perf_profiling.store(measure, Ordering::Relaxed);
    }

    /// Sends this context's messages to `callback` instead of the process's logger.
    pub fn set_log_callback(&self, callback: Option<LogCallback>) {
        self.0.set_sink(callback);
    }

    /// The mode of instances that ask for none.
    pub fn running_mode(&self) -> RunningMode {
        self.0.running_mode()
    }

    /// Sets that mode. Returns false and changes nothing if this build does not have it.
    pub fn set_running_mode(&self, mode: RunningMode) -> bool {
        mode.is_supported() && {
            self.0.set_running_mode(mode);
            true
        }
    }

    /// Size of an instance's garbage-collected heap, in bytes.
    pub fn gc_heap_size(&self) -> u32 {
        match self.config().gc_heap_size {
            0 => GC_HEAP_SIZE_DEFAULT,
            bytes => bytes,
        }
    }

    /// Whether each new object of a guest's comes after a collection
    /// ([`ContextConfig::collects_always`]).
    pub fn collects_always(&self) -> bool {
        self.config().collects_always
    }

    /// Whether linear memories come from the heap ([`ContextConfig::memories_in_heap`]).
    pub fn memories_in_heap(&self) -> bool {
        self.config().memories_in_heap || self.0.heap.wants_memories()
    }

    /// Limit on the sum of the context's live blocks and mapped pages.
    pub fn quota_bytes(&self) -> Option<u64> {
        self.0.heap.quota_bytes()
    }

    /// Changes the limit. Live blocks and pages stay, even beyond it.
    pub fn set_quota_bytes(&self, bytes: Option<u64>) {
        self.0.heap.set_quota_bytes(bytes);
    }

    /// How many threads a cluster may have beside its main thread.
    pub fn max_thread_num(&self) -> u32 {
        self.0.max_thread_num()
    }

    /// Sets the cap; 0 changes nothing.
    pub fn set_max_thread_num(&self, num: u32) {
        self.0.set_max_thread_num(num);
    }

    /// Stops the running code of every instance of this context, as terminating each would: it ends
    /// with "terminated by user". So do start functions that run, whose instantiation fails.
    /// Instantiations that begin later are not affected.
    pub fn terminate_all(&self) {
        self.0.terminate_all();
    }

    /// Calls `act` if there is a live function reference at the address, which lives meanwhile.
    pub(crate) fn with_func<R>(&self, address: usize, act: impl FnOnce() -> R) -> Option<R> {
        let (mut act, mut found) = (Some(act), None);
        self.0.visit(|instance| {
            if instance.owns_func(address)
                && let Some(act) = act.take()
            {
                found = Some(act());
            }
        });
        found
    }

    /// How often [`Context::terminate_all`] was called.
    pub(crate) fn terminations(&self) -> u64 {
        self.0.live.terminations()
    }

    /// The limits that exec_envs of this context share.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Lists an instance.
    ///
    /// # Safety
    /// Link and object live, where they are, until [`Context::remove_live`].
    pub(crate) unsafe fn add_live(&self, link: &LiveLink, object: NonNull<dyn LiveObject>) {
        // SAFETY: the caller guarantees that link and object live, where they are, until
        // `remove_live`.
        unsafe { self.0.live.add(link, object) };
    }

    /// Takes an instance off the list, if it is on it.
    ///
    /// # Safety
    /// The link is this context's.
    pub(crate) unsafe fn remove_live(&self, link: &LiveLink) {
        // SAFETY: the caller guarantees that the link is this context's.
        unsafe { self.0.live.remove(link) };
    }

    /// Whether the context's memory is a pool of the embedder's.
    pub fn has_pool(&self) -> bool {
        self.0.heap.pool_info().is_some()
    }

    pub fn jit_options(&self) -> JitOptions {
        self.config().jit
    }

    /// Whether threads without a context may fall back to this one while it is the primary.
    pub fn accepts_strays(&self) -> bool {
        self.0.accepts_strays()
    }

    pub fn set_accepts_strays(&self, accepts: bool) {
        self.0.set_accepts_strays(accepts);
    }

    /// How many times `init` counted a reference with a configuration other than this context's.
    pub fn init_conflicts(&self) -> u32 {
        self.0.init_conflicts()
    }

    pub fn stats(&self) -> ContextStats {
        self.0.stats()
    }

    /// The threads that are or were in this context under a name of their own: those that it
    /// spawned and those that entered it with [`Context::enter`] or [`Context::push`].
    pub fn threads(&self) -> Vec<ThreadInfo> {
        self.0.threads.infos()
    }

    /// A higher part's value in this context, made at first use.
    pub fn data_or_init<T: ContextData>(&self, make: impl FnOnce() -> T) -> Result<Arc<T>> {
        self.guarded(|| self.0.parts.data.get_or_init(make))
    }

    pub fn data<T: ContextData>(&self) -> Option<Arc<T>> {
        self.0.parts.data.get()
    }

    /// Whether calls without a handle may still find this context.
    pub fn is_open(&self) -> bool {
        self.0.position().is_open()
    }

    /// Hides the context from calls without a handle and ends the data of higher parts in it
    /// ([`ContextData::end`]). Handles and objects stay usable.
    pub fn close(&self) {
        let token = self.0.process.registry.close(&self.0);
        self.end_data();
        drop(token);
    }

    /// Ends the data that higher parts keep in the context, newest first.
    fn end_data(&self) {
        self.run(|| self.0.parts.data.end());
    }

    /// Whether the embedder took the pool away while objects lived: none of them may be touched.
    pub fn is_poisoned(&self) -> bool {
        self.0.is_poisoned()
    }

    /// Takes the pool's buffer away from a closed context, because the embedder wants it back. If
    /// objects live in it, the context is poisoned instead, and they must not be used or dropped
    /// any more. Nothing happens to a context without a pool.
    ///
    /// # Safety
    /// No other thread is running inside this context.
    pub unsafe fn retire_pool(&self) {
        // SAFETY: the caller guarantees that no other thread runs inside this context.
        unsafe { self.0.retire_pool() };
    }
}

#[cfg(test)]
mod tests;
