//! The fork lock of this process.

use super::{Counter, ForkLock, Ordering};
use crate::platform::{self, tls};
use crate::sync::once;
use std::alloc::{GlobalAlloc, Layout, System};
use std::marker::PhantomData;

/// The lock that forks take. Owner: the process.
static FORK_LOCK: ForkLock = ForkLock::new();

/// The counter of threads that have none of their own: at their very end, or without memory for
/// one. Owner: the process.
static SHARED_COUNTER: Counter = Counter::new(true);

/// No other thread forks while it lives. It stays on its thread.
#[must_use = "the section ends when it is dropped"]
pub struct Section {
    counter: &'static Counter,
    on_this_thread: PhantomData<*const ()>,
}

/// Opens a section; waits for a fork that is under way.
#[inline]
pub fn section() -> Section {
    let counter = counter();
    FORK_LOCK.enter(counter);
    Section { counter, on_this_thread: PhantomData }
}

impl Drop for Section {
    #[inline]
    fn drop(&mut self) {
        FORK_LOCK.leave(self.counter);
    }
}

/// Opens a section of the calling thread's that [`release`] ends.
pub fn hold() {
    std::mem::forget(section());
}

/// Ends the section that [`hold`] has opened.
pub fn release() {
    FORK_LOCK.leave(counter());
}

#[inline]
fn counter() -> &'static Counter {
    // SAFETY: null or a counter, which is never freed: only this module sets the word.
    match unsafe { tls::place().cast::<Counter>().as_ref() } {
        Some(counter) => counter,
        None => find_counter(),
    }
}

#[cold]
fn find_counter() -> &'static Counter {
    set_counter(&SHARED_COUNTER);
    // SAFETY: `give_back` accepts any second word of the thread's.
    let has_end = unsafe { tls::arm_last(give_back) };
    // Without an end of its own to come, the thread would keep a counter for ever.
    let counter = if has_end { take_counter() } else { None };
    counter.inspect(|counter| set_counter(counter)).unwrap_or(&SHARED_COUNTER)
}

fn set_counter(counter: &'static Counter) {
    tls::set_place((&raw const *counter).cast_mut().cast());
}

/// A counter that no thread has, or a new one.
fn take_counter() -> Option<&'static Counter> {
    let mut next = FORK_LOCK.counters.load(Ordering::Acquire);
    // SAFETY: listed counters are never freed.
    while let Some(counter) = unsafe { next.as_ref() } {
        let is_free = !counter.taken.load(Ordering::Relaxed);
        if is_free && !counter.taken.swap(true, Ordering::Acquire) {
            return Some(counter);
        }
        next = counter.next.load(Ordering::Relaxed);
    }
    // SAFETY: the layout's size is not zero. The system is asked directly: counters belong to
    // the process, not to any heap.
    let counter = unsafe { System.alloc(Layout::new::<Counter>()) }.cast::<Counter>();
    if counter.is_null() {
        return None;
    }
    // SAFETY: fresh memory of the right layout, which is never freed.
    let counter: &'static Counter = unsafe {
        counter.write(Counter::new(false));
        &*counter
    };
    FORK_LOCK.add(counter);
    Some(counter)
}

/// # Safety
/// `word` is the calling thread's second word.
unsafe fn give_back(word: *mut u8) {
    // Destructors of other thread-locals may still take locks.
    set_counter(&SHARED_COUNTER);
    // SAFETY: only this module sets the word, to null or a counter, which is never freed.
    if let Some(counter) = unsafe { word.cast::<Counter>().as_ref() }
        && !counter.is_shared
    {
        counter.has_fibres.store(false, Ordering::Relaxed);
        counter.taken.store(false, Ordering::Release);
    }
}

/// Notes that several stacks take turns on the calling thread.
pub fn set_fibres() {
    let counter = counter();
    // The shared one would say it of all threads.
    if !counter.is_shared {
        counter.has_fibres.store(true, Ordering::Relaxed);
    }
}

/// Whether several stacks take turns on the calling thread.
pub fn has_fibres() -> bool {
    counter().has_fibres.load(Ordering::Relaxed)
}

/// Whether a hot side can do without a fence, because the cold one has a barrier in all
/// threads. The first thread that asks decides that for the process.
pub fn has_barrier() -> bool {
    FORK_LOCK.has_barrier()
}

/// The cold side of a hot one that has done without.
pub fn heavy() {
    FORK_LOCK.heavy();
}

/// The number of the current [`Epoch`](super::Epoch).
#[inline]
pub fn epoch() -> u32 {
    FORK_LOCK.epoch.load(Ordering::Relaxed)
}

/// The thread that made this process by forking, as the owner of biased locks; 0 in the first
/// process.
pub fn survivor() -> usize {
    FORK_LOCK.survivor.load(Ordering::Relaxed)
}

/// The part of other modules in a fork: they are called in the child, by its only thread.
pub trait Child {
    /// The calling thread as the owner of biased locks.
    fn survivor() -> usize;

    /// Drops stale records that keep no [`Epoch`](super::Epoch). Sections are open.
    fn drop_stale();
}

/// Makes forks of this process take the fork lock from now on. The system has to keep three
/// functions for that; without memory for them, forks stay unnoticed.
pub fn watch<C: Child>() {
    // Another thread may fork as soon as the system has the functions; by the section that this
    // takes, its child finds the cell set.
    once(&FORK_LOCK.watched, || {
        platform::fork::watch(before_fork, in_parent, in_child::<C>);
    });
    // As long as there is one thread, which is likely now, the answer costs nothing.
    has_barrier();
}

/// Called by the system in a thread that is about to fork.
extern "C" fn before_fork() {
    FORK_LOCK.close(counter(), &SHARED_COUNTER);
}

/// Called in the thread that has forked.
extern "C" fn in_parent() {
    FORK_LOCK.open();
}

/// Called in the only thread of the child.
extern "C" fn in_child<C: Child>() {
    FORK_LOCK.survivor.store(C::survivor(), Ordering::Relaxed);
    FORK_LOCK.open_in_child(counter(), &SHARED_COUNTER);
    C::drop_stale();
}
