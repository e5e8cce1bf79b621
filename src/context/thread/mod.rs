//! A thread's state, which the thread word points to, and its contexts.
//!
//! - The thread's *own* context is the one that `init` made on it, or that it adopted.
//! - The *inherited* context is its parent's, for threads that the runtime or a guest spawned.
//! - *Entered* contexts form a stack (`entered.rs`), innermost first.
//! - `resolve.rs` turns that into the context of a call without a handle, `lifecycle.rs` is
//!   init, destroy and the thread environment.
//!
//! All of it is one block in the system's memory, made when first needed and taken down by the
//! exit hook. A thread that runs several stacks of its own (fibres) gives each its state with
//! [`state_swap`], and moves a state to another thread the same way.
//!
//! Settings made while no context is there (`wasm_runtime_set_log_level` before init, say) lie
//! here too: they wait for the context that `init` makes on this thread, and are kept after it,
//! as upstream's process-wide variables are. Another thread's `init` does not see them.

mod entered;
mod error;
mod lifecycle;
mod resolve;
mod unwinding;

pub use entered::Ended;
pub use entered::Entered;
pub(super) use entered::{enter, operate, operate_guest, pop, push, run, run_guest, run_outside};
pub use error::{last_error_ptr, set_last_error, with_last_error};
pub use lifecycle::{
    Destroyed, Inherited, adopt, destroy, destroy_of, destroy_thread_env, inherit, init,
    init_by_default, init_only_counts, init_thread_env, native_stack_low, number, release_own,
    thread_env_inited,
};
pub(super) use resolve::{current, quiet, remembered_log_level};
pub use resolve::{set_log_level, set_max_thread_num, set_running_mode, with_current};
pub(crate) use unwinding::keep_unwinding;
pub use unwinding::{call_last, go_on_unwinding, without_cancellation};

use super::Context;
use super::config::ThreadSettings;
use super::process::{self, Process};
use super::runtime::Runtime;
use super::shared::Weak;
use crate::abi::error::{Error, Result};
use crate::alloc::{self, HeadKind, Reserve, ThreadHead};
use crate::platform::stack::{self, StackBounds};
use crate::sync;
use crate::sync::atomic::Ordering;
use entered::Node;
use error::LastError;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::c_void;
use std::mem::ManuallyDrop;
use std::ptr::{NonNull, null, null_mut};

/// The thread's own context, and how many of its init counts the thread added.
struct Own {
    context: Weak<Runtime>,
    inits: u64,
}

/// The primary, as the thread last saw it.
struct Primary {
    generation: u64,
    context: Weak<Runtime>,
}

/// The target of the thread word. Owner: the thread.
#[repr(C)]
struct ThreadState {
    head: ThreadHead,
    /// The node of the innermost entered context, or null.
    top: Cell<*const Node>,
    process: &'static Process,
    /// Number of this state; no two of a process have the same.
    id: u64,
    own: OptionCell<Own>,
    inherited: OptionCell<Context>,
    primary: OptionCell<Primary>,
    settings: Cell<ThreadSettings>,
    /// How many `init_thread_env` are open.
    env_count: Cell<u32>,
    /// The thread has been made ready for guest code.
    prepared: Cell<bool>,
    /// The native stack that guest code was last called on; empty if the thread is not prepared.
    stack: Cell<StackBounds>,
    /// Whether the thread has been warned that it falls back to the primary.
    warned: Cell<bool>,
    /// A context's log callback is running.
    in_callback: Cell<bool>,
    error: Cell<Option<NonNull<LastError>>>,
    /// The host's words: settings made before there was a context.
    host_words: Cell<Option<[usize; HOST_WORDS]>>,
    /// The unwinding that was caught behind a native and has to go on, or null.
    unwinding: Cell<*mut c_void>,
}

/// Words of a thread that are the host's.
pub const HOST_WORDS: usize = 20;

const NO_STACK: StackBounds = StackBounds { low: 0, high: 0 };

/// Bytes of a thread's state.
#[cfg(test)]
pub(super) const STATE_SIZE: usize = size_of::<ThreadState>();

/// A value that is taken out to be looked at, so that no borrow can be in the way of code that
/// comes back here.
struct OptionCell<T>(Cell<Option<T>>);

impl<T> OptionCell<T> {
    const fn new() -> Self {
        Self(Cell::new(None))
    }

    /// Runs `f` on the value. `f` must not come back to this slot: it would find it empty.
    fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> Option<R> {
        let mut value = self.0.take()?;
        let result = f(&mut value);
        self.0.set(Some(value));
        Some(result)
    }

    fn take(&self) -> Option<T> {
        self.0.take()
    }

    fn set(&self, value: T) {
        drop(self.0.replace(Some(value)));
    }
}

impl ThreadState {
    fn new(process: &'static Process, reserve: Reserve) -> Self {
        Self {
            head: ThreadHead::full(reserve),
            top: Cell::new(null()),
            process,
            id: process.thread_ids.fetch_add(1, Ordering::Relaxed),
            own: OptionCell::new(),
            inherited: OptionCell::new(),
            primary: OptionCell::new(),
            settings: Cell::new(ThreadSettings::default()),
            env_count: Cell::new(0),
            prepared: Cell::new(false),
            stack: Cell::new(NO_STACK),
            warned: Cell::new(false),
            in_callback: Cell::new(false),
            error: Cell::new(None),
            host_words: Cell::new(None),
            unwinding: Cell::new(null_mut()),
        }
    }

    /// The end of the native stack that runs now, or 0 if unknown. The last result is kept, and
    /// checked, because a state moves between stacks.
    #[inline]
    fn stack_low(&self) -> usize {
        let known = self.stack.get();
        if known.contains(stack::pointer()) { known.low } else { self.find_stack() }
    }

    /// Prepares the thread for guest code.
    #[cold]
    fn find_stack(&self) -> usize {
        self.prepared.set(true);
        let found = stack::bounds().unwrap_or(NO_STACK);
        self.stack.set(found);
        found.low
    }

    /// Takes a preparation back; the next call into a guest finds the thread unprepared.
    fn unprepare(&self) {
        self.prepared.set(false);
        self.stack.set(NO_STACK);
    }

    /// Takes everything down but the block itself.
    fn end(&self) {
        self.release_entered();
        lifecycle::end_own(self);
        drop(self.inherited.take());
        drop(self.primary.take());
        error::free(self.error.take());
    }
}

/// The calling thread's state, if it has one.
#[inline(always)]
fn existing() -> Option<NonNull<ThreadState>> {
    let head = alloc::head_ptr();
    // SAFETY: null or this thread's live head; `alloc` keeps it so.
    let is_full = unsafe { head.as_ref() }.is_some_and(|head| head.kind() == HeadKind::Full);
    // A full head is the first field of a `ThreadState`: only this module installs full heads.
    if is_full { NonNull::new(head.cast_mut().cast()) } else { None }
}

/// Runs `f` with the calling thread's state, if it has one.
#[inline]
fn with_existing<R>(f: impl FnOnce(&ThreadState) -> R) -> Option<R> {
    let state = existing()?;
    // SAFETY: this thread's state lives until its exit hook or until `state_destroy`, whose
    // callers promise that nothing runs on it.
    Some(f(unsafe { state.as_ref() }))
}

/// Runs `f` with the calling thread's state, which is made if there is none; `None` if there is
/// no memory for one.
#[inline]
fn with<R>(f: impl FnOnce(&ThreadState) -> R) -> Option<R> {
    let state = existing().or_else(create)?;
    // SAFETY: this thread's state lives until its exit hook or until `state_destroy`, whose callers
    // promise that nothing runs on it.
    Some(f(unsafe { state.as_ref() }))
}

#[cold]
fn create() -> Option<NonNull<ThreadState>> {
    PreparedState::new().map(PreparedState::install)
}

/// Memory for the state of a thread that is to be started. The starting thread takes it, so that
/// the new one cannot fail for want of it.
pub struct PreparedState {
    place: NonNull<ThreadState>,
    reserve: Reserve,
}

// SAFETY: memory that nobody else knows, and a reserve that nobody uses.
unsafe impl Send for PreparedState {}

impl PreparedState {
    /// `None` without memory.
    pub fn new() -> Option<Self> {
        let reserve = Reserve::full()?;
        // SAFETY: the layout's size is not zero. The system is asked directly: the state belongs
        // to the thread, not to any heap.
        let place = unsafe { System.alloc(Layout::new::<ThreadState>()) };
        NonNull::new(place.cast()).map(|place| Self { place, reserve })
    }

    /// Makes the state of the calling thread, which has none.
    fn install(self) -> NonNull<ThreadState> {
        let (place, mut prepared) = (self.place, ManuallyDrop::new(self));
        let reserve = std::mem::replace(&mut prepared.reserve, Reserve::empty());
        // SAFETY: memory of the right layout, which stays valid until `on_exit` or `remove`. On a
        // thread past its exit hook it is never freed, because no later hook runs.
        unsafe {
            place.write(ThreadState::new(process::of_new_thread(), reserve));
            alloc::install(&raw const (*place.as_ptr()).head, on_exit);
        }
        place
    }

    /// Runs `f` with this as the calling thread's state, unless it has one, and takes that down
    /// afterwards, however `f` is left: the thread's end is near and need not see to it.
    pub fn run<R>(self, f: impl FnOnce() -> R) -> R {
        struct Leave(NonNull<ThreadState>);
        impl Drop for Leave {
            fn drop(&mut self) {
                if existing() == Some(self.0) {
                    // SAFETY: this thread's state, as its exit hook expects it.
                    unsafe { on_exit(self.0.as_ptr().cast()) };
                }
            }
        }
        let _leave = match existing() {
            Some(_) => None,
            None => Some(Leave(self.install())),
        };
        f()
    }
}

impl Drop for PreparedState {
    fn drop(&mut self) {
        // SAFETY: made by `new` with this layout, and no state was installed in it.
        unsafe { System.dealloc(self.place.as_ptr().cast(), Layout::new::<ThreadState>()) };
    }
}

/// Runs `f`, which needs no context, as an operation of this thread's: an error if memory runs out
/// meanwhile, even if `f` cannot report it (`alloc::operation`).
pub fn operation<R>(f: impl FnOnce() -> R) -> Result<R> {
    existing().or_else(create).ok_or_else(Error::out_of_memory)?;
    alloc::operation(f).map_err(|_| Error::out_of_memory())
}

/// Takes a thread's state down when the thread ends.
///
/// # Safety
/// `word` is this thread's word and leads to a state of this module.
unsafe fn on_exit(word: *mut u8) {
    let state = word.cast::<ThreadState>();
    // SAFETY: the caller guarantees a live state. It stays installed while it is taken down,
    // because the ends of contexts log and free.
    unsafe { (*state).end() };
    alloc::remove();
    // SAFETY: nothing leads to the state any more, and it was made by `create`.
    unsafe { free(state) };
}

/// # Safety
/// `state` was made by [`create`], has been taken down, and nothing leads to it.
unsafe fn free(state: *mut ThreadState) {
    // SAFETY: the caller guarantees that nothing leads to the state, which `create` made with this
    // layout.
    unsafe {
        state.drop_in_place();
        System.dealloc(state.cast(), Layout::new::<ThreadState>());
    }
}

/// Whether a call into a guest is under way on the calling thread's stack.
pub(super) fn is_in_guest() -> bool {
    with_existing(ThreadState::is_in_guest).unwrap_or(false)
}

/// Runs a log callback, unless one is running on this thread already; returns whether it did.
pub(super) fn without_reentry(callback: impl FnOnce()) -> bool {
    struct End<'a>(&'a Cell<bool>);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.set(false);
        }
    }
    with(|state| {
        if state.in_callback.replace(true) {
            return false;
        }
        let _end = End(&state.in_callback);
        callback();
        true
    })
    .unwrap_or(false)
}

/// The host's words of the calling thread, if something was kept there. For settings that come
/// before the context that they are for.
pub fn host_words() -> Option<[usize; HOST_WORDS]> {
    with_existing(|state| state.host_words.get()).flatten()
}

/// Keeps the host's words of the calling thread; false without memory for its state.
pub fn set_host_words(words: [usize; HOST_WORDS]) -> bool {
    with(|state| state.host_words.set(Some(words))).is_some()
}

/// Whether a setting also applies to contexts that the calling thread makes later: its current
/// context is its own, or there is none.
pub fn is_to_remember() -> bool {
    with_existing(|state| {
        let own = state.own();
        match quiet() {
            None => true,
            current => current == own,
        }
    })
    .unwrap_or_else(|| quiet().is_none())
}

/// The process as the calling thread's state knows it.
pub(super) fn process() -> Option<&'static Process> {
    with_existing(|state| state.process)
}

/// Replaces the calling thread's whole state by `new` and returns the old one: for schedulers that
/// run several stacks on a thread, or one stack on several threads. Null stands for a thread
/// without state; a new one is made when it is needed.
///
/// The state that is in place when a thread ends goes with it. States that are swapped out at
/// that time are kept until they are swapped in again, or ended with [`state_destroy`].
///
/// # Safety
/// `new` is null or was returned by this function, and is in place on no thread. A state may be
/// swapped out only while the stack that it belongs to does not run.
pub unsafe fn state_swap(new: *mut c_void) -> *mut c_void {
    sync::set_fibres();
    // A bare head cannot travel: it is turned into a state of ours first.
    let has_head = !alloc::head_ptr().is_null();
    let old = if has_head && with(|_| ()).is_some() { alloc::remove() } else { null() };
    if let Some(new) = NonNull::new(new.cast::<ThreadState>()) {
        // SAFETY: the caller guarantees a live state; `on_exit` accepts any state that is in place.
        unsafe { alloc::install(&raw const (*new.as_ptr()).head, on_exit) };
    }
    old.cast_mut().cast()
}

/// Ends a state that [`state_swap`] returned, as its thread's end would; null is accepted. Returns
/// false and does nothing if code is still running on it.
///
/// # Safety
/// `state` is null or was returned by [`state_swap`], is in place on no thread, and is not used
/// any more.
pub unsafe fn state_destroy(state: *mut c_void) -> bool {
    let Some(state) = NonNull::new(state.cast::<ThreadState>()) else { return true };
    // SAFETY: the caller guarantees a live state.
    if unsafe { state.as_ref() }.is_running() {
        return false;
    }
    // SAFETY: the caller guarantees that it is in place on no thread, so it may be in place here
    // for its end. The present state comes back afterwards.
    unsafe {
        let before = state_swap(state.as_ptr().cast());
        state.as_ref().end();
        state_swap(before);
        free(state.as_ptr());
    }
    true
}
