//! Contexts: everything that the embedder configures and registers, and which one a thread is in.
//!
//! - [`Context`] (`runtime.rs` is what it points to) holds a heap, natives, limits, types,
//!   statistics. Objects hold a counted handle to theirs, so a context dies with its last object.
//! - `registry.rs` lists the open contexts of the process and knows the primary.
//! - `thread/` is what hangs off the one thread word: the thread's own context, what it has
//!   entered, how a call without a handle finds its context, what init and destroy count.
//! - `log/` filters by the calling context's level and owns the process's default sink.
//!
//! It owns modules' and instances' surroundings but must not know modules, instances or the C
//! API: higher parts keep what they need in a context through [`ContextData`]. Control enters
//! through [`Context::with`], through [`Context::run`], which every operation on an object goes
//! through, and through the functions of [`thread`], which are the handle-free API.
//!
//! A call that has a handle runs in the handle's context; the thread is asked only by calls that
//! have none. That, in order: the innermost entered context, the thread's own, the one inherited
//! when it was spawned, the primary.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_macros))]

mod config;
mod data;
mod externrefs;
mod hold;
mod limits;
mod live;
pub mod log;
mod make;
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
    /// A handle that does, unless the context is gone.
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

    /// What this context was made from. Of its heap it says no more than which one it is.
    fn config(&self) -> &ContextConfig {
        &self.0.config
    }

    /// The context of a call without a handle on this thread: the innermost entered one, the
    /// thread's own, the inherited one, the primary. An error if there is none of them, or if
    /// the primary refuses strays.
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
        self.0.place().id()
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

    /// Gives the handle to a pointer, for code that keeps bare pointers.
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
        // SAFETY: as promised.
        Some(Self(unsafe { Shared::from_raw(block) }))
    }
}

/// What lies behind a [`Context`], for code that keeps bare pointers.
#[repr(C)]
pub struct RawContext {
    _opaque: [u8; 0],
}

/// Running inside.
impl Context {
    /// Runs `f` inside this context: its heap is current, and calls without a handle that `f`
    /// makes on this thread find this context. What was so before is so again afterwards.
    ///
    /// This is on the path of every guest call: one read of the thread word, no lock, no atomic
    /// operation, no system call.
    #[inline]
    pub fn run<R>(&self, f: impl FnOnce() -> R) -> R {
        thread::run(self, f)
    }

    /// As [`Context::run`], for calls into guests: `f` is told where the native stack ends, as
    /// [`thread::native_stack_low`] says, and the thread is prepared if it was not.
    #[inline]
    pub fn run_guest<R>(&self, f: impl FnOnce(usize) -> R) -> R {
        thread::run_guest(self, f)
    }

    /// As [`Context::run`], as an operation that says whether memory ran out meanwhile, even where
    /// `f` could not say so. It is exact: what other threads of this context do is not looked at,
    /// nor are the failures that operations inside `f` have answered for.
    #[inline]
    pub fn operate<R>(&self, f: impl FnOnce() -> R) -> Ended<R> {
        thread::operate(self, f)
    }

    /// As [`Context::operate`], for calls into guests, with the end of the native stack as for
    /// [`Context::run_guest`].
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

    /// What modules of this context can import.
    pub fn natives(&self) -> &Natives {
        &self.0.parts.natives
    }

    /// Lets externrefs that C functions see from now on stand for objects of the host's, and
    /// externrefs in guests for their numbers. Without it both are the same word.
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

    /// Whether code that is loaded now measures what its functions cost.
    pub fn perf_profiling(&self) -> bool {
        self.0.perf_profiling.load(Ordering::Relaxed)
    }

    /// Decides whether modules that are loaded from now on measure what their functions cost.
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

    /// False, and nothing changes, if this build cannot run code so.
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

    /// Whether linear memories come from the heap ([`ContextConfig::memories_in_heap`]).
    pub fn memories_in_heap(&self) -> bool {
        self.config().memories_in_heap || self.0.heap.wants_memories()
    }

    /// Limit on the sum of the context's live blocks and mapped pages.
    pub fn quota_bytes(&self) -> Option<u64> {
        self.0.heap.quota_bytes()
    }

    /// Changes the limit. What is live already stays, even beyond it.
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

    /// Stops the running code of every instance of this context, as terminating each would: it
    /// ends with "terminated by user". So do the start functions of what is being instantiated,
    /// which fails. Instances whose making begins later are not concerned.
    pub fn terminate_all(&self) {
        self.0.terminate_all();
    }

    /// How often [`Context::terminate_all`] was called.
    pub(crate) fn terminations(&self) -> u64 {
        self.0.live.terminations()
    }

    /// What exec_envs of this context share.
    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Lists an instance.
    ///
    /// # Safety
    /// Link and object live, where they are, until [`Context::remove_live`].
    pub(crate) unsafe fn add_live(&self, link: &LiveLink, object: NonNull<dyn LiveObject>) {
        // SAFETY: passed on to the caller.
        unsafe { self.0.live.add(link, object) };
    }

    /// Takes an instance off the list, if it is on it.
    ///
    /// # Safety
    /// The link is this context's.
    pub(crate) unsafe fn remove_live(&self, link: &LiveLink) {
        // SAFETY: passed on to the caller.
        unsafe { self.0.live.remove(link) };
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

    /// What a higher part keeps in this context, made at first use.
    pub fn data_or_init<T: ContextData>(&self, make: impl FnOnce() -> T) -> Result<Arc<T>> {
        self.guarded(|| self.0.parts.data.get_or_init(make))
    }

    pub fn data<T: ContextData>(&self) -> Option<Arc<T>> {
        self.0.parts.data.get()
    }

    /// Whether calls without a handle may still find this context.
    pub fn is_open(&self) -> bool {
        self.0.place().is_open()
    }

    /// Takes the context away from calls without a handle and ends what it registered. Handles
    /// and objects stay usable.
    pub fn close(&self) {
        let token = self.0.process.registry.close(&self.0);
        self.end_data();
        drop(token);
    }

    /// Ends what higher parts keep in the context, newest first.
    fn end_data(&self) {
        self.run(|| self.0.parts.data.end());
    }

    /// Whether the embedder took the pool away while objects lived: none of them may be touched.
    pub fn is_poisoned(&self) -> bool {
        self.0.is_poisoned()
    }

    /// Tells a closed context that the embedder is about to take its pool's buffer away. The
    /// context lets go of the buffer; if objects live in it, it is poisoned instead, and they
    /// must not be used or dropped any more. Nothing happens to a context without a pool.
    ///
    /// # Safety
    /// No other thread is running inside this context.
    pub unsafe fn retire_pool(&self) {
        // SAFETY: as promised.
        unsafe { self.0.retire_pool() };
    }
}

#[cfg(test)]
mod tests;
