//! The gate of this process.

use super::{Gate, Ordering, Place};
use crate::platform::tls;
use std::alloc::{GlobalAlloc, Layout, System};
use std::marker::PhantomData;

/// Owner: the process.
static GATE: Gate = Gate::new();

/// Where threads count that have no place: those at their very end, and those that found no
/// memory for one. Owner: the process.
static SHARED_PLACE: Place = Place::new(true);

/// No fork happens while it lives. It stays on its thread.
#[must_use = "the section ends when it is dropped"]
pub struct Section {
    place: &'static Place,
    on_this_thread: PhantomData<*const ()>,
}

/// Opens a section; waits for a fork that is under way.
#[inline]
pub fn section() -> Section {
    let place = place();
    GATE.enter(place);
    Section { place, on_this_thread: PhantomData }
}

impl Drop for Section {
    #[inline]
    fn drop(&mut self) {
        GATE.leave(self.place);
    }
}

/// Opens a section of the calling thread's that [`release`] ends.
pub fn hold() {
    std::mem::forget(section());
}

/// Ends what [`hold`] has begun.
pub fn release() {
    GATE.leave(place());
}

#[inline]
fn place() -> &'static Place {
    // SAFETY: null or a place, which is never freed: only this module sets the word.
    match unsafe { tls::place().cast::<Place>().as_ref() } {
        Some(place) => place,
        None => find_place(),
    }
}

#[cold]
fn find_place() -> &'static Place {
    set_place(&SHARED_PLACE);
    // SAFETY: `give_back` accepts whatever the word is.
    let has_end = unsafe { tls::arm_last(give_back) };
    // Without an end of its own to come, the thread would keep a place for ever.
    let place = if has_end { take_place() } else { None };
    place.inspect(|place| set_place(place)).unwrap_or(&SHARED_PLACE)
}

fn set_place(place: &'static Place) {
    tls::set_place((&raw const *place).cast_mut().cast());
}

/// One that nobody has, or a new one.
fn take_place() -> Option<&'static Place> {
    let mut next = GATE.places.load(Ordering::Acquire);
    // SAFETY: listed places are never freed.
    while let Some(place) = unsafe { next.as_ref() } {
        let is_free = !place.taken.load(Ordering::Relaxed);
        if is_free && !place.taken.swap(true, Ordering::Acquire) {
            return Some(place);
        }
        next = place.next.load(Ordering::Relaxed);
    }
    // SAFETY: the layout's size is not zero. The system is asked directly: places belong to
    // the process, not to any heap.
    let place = unsafe { System.alloc(Layout::new::<Place>()) }.cast::<Place>();
    if place.is_null() {
        return None;
    }
    // SAFETY: fresh memory of the right layout, which is never freed.
    let place: &'static Place = unsafe {
        place.write(Place::new(false));
        &*place
    };
    GATE.add(place);
    Some(place)
}

/// # Safety
/// `word` is the calling thread's second word.
unsafe fn give_back(word: *mut u8) {
    // Destructors of other thread-locals may still come and lock something.
    set_place(&SHARED_PLACE);
    // SAFETY: null or a place, as in `place`.
    if let Some(place) = unsafe { word.cast::<Place>().as_ref() }
        && !place.is_shared
    {
        place.has_fibres.store(false, Ordering::Relaxed);
        place.taken.store(false, Ordering::Release);
    }
}

/// Notes that several stacks take turns on the calling thread.
pub fn set_fibres() {
    let place = place();
    // What all threads have in common would speak for all of them.
    if !place.is_shared {
        place.has_fibres.store(true, Ordering::Relaxed);
    }
}

/// Whether several stacks take turns on the calling thread.
pub fn has_fibres() -> bool {
    place().has_fibres.load(Ordering::Relaxed)
}

/// Whether a hot side can do without a fence, because the cold one has a barrier in all
/// threads. The first who asks decides that for the process.
pub fn has_barrier() -> bool {
    GATE.has_barrier()
}

/// The cold side of a hot one that has done without.
pub fn heavy() {
    GATE.heavy();
}

/// A number for the process: how many forks lie between it and the one that first watched
/// them. What notes it can tell later whether threads that it knows are left behind.
#[inline]
pub fn forks() -> u32 {
    GATE.forks.load(Ordering::Relaxed)
}

/// To be called by a thread that is about to fork.
pub fn before_fork() {
    GATE.close(place(), &SHARED_PLACE);
}

/// To be called in the process that has forked, by the thread that called [`before_fork`].
pub fn after_fork_in_parent() {
    GATE.open();
}

/// Who forked, of the users of a [`Usage`](crate::sync::Usage); 0 in the first process.
pub fn survivor() -> usize {
    GATE.survivor.load(Ordering::Relaxed)
}

/// To be called in the child, with the user that the thread is.
pub fn after_fork_in_child(user: usize) {
    GATE.survivor.store(user, Ordering::Relaxed);
    GATE.open_in_child(place(), &SHARED_PLACE);
}
