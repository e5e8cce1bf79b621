//! Sections that no fork falls into.
//!
//! The child of a fork has one thread. What another thread was changing at that moment stays half
//! changed there for good, and a lock that it held stays held. So whoever changes something that
//! other threads can see does that inside a [`Section`], every [`Lock`](super::Lock) included, and
//! a thread that forks first closes the [`Gate`]: it waits until all other threads are outside,
//! and those that come meanwhile wait in front until the fork is done.
//!
//! Entering costs no locked instruction and touches no line that other threads write: each thread
//! counts its sections in a [`Place`] of its own. The thread that forks pays instead, with a
//! barrier in all threads (`platform::barrier`) and a look at every place. Places are never freed:
//! when their thread ends, the next new thread takes them over.
//!
//! A section must not wait for anything but other sections, and must not call what an embedder
//! gave, its allocator excepted: forks wait for it.

use super::Sleepers;
use super::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::ptr;

/// One thread's count of open sections. Owner: the process, on loan to a thread.
// A line for each, so that threads do not slow each other.
#[repr(align(64))]
pub struct Place {
    depth: AtomicU32,
    /// Some thread has it.
    taken: AtomicBool,
    /// Threads that have no place share it.
    is_shared: bool,
    /// Several stacks take turns on the thread.
    has_fibres: AtomicBool,
    /// The next one of the list. Set before the place is listed.
    next: AtomicPtr<Place>,
}

impl Place {
    #[cfg(not(loom))]
    const fn new(is_shared: bool) -> Self {
        Self {
            depth: AtomicU32::new(0),
            taken: AtomicBool::new(true),
            is_shared,
            has_fibres: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }

    #[cfg(loom)]
    pub fn new(is_shared: bool) -> Self {
        Self {
            depth: AtomicU32::new(0),
            taken: AtomicBool::new(true),
            is_shared,
            has_fibres: AtomicBool::new(false),
            next: AtomicPtr::new(ptr::null_mut()),
        }
    }
}

const OPEN: u32 = 0;
const CLOSED: u32 = 1;

/// What keeps forks and sections apart. Owner: the process.
pub struct Gate {
    state: AtomicU32,
    sleepers: Sleepers,
    /// The place of the thread that forks, which passes.
    forking: AtomicPtr<Place>,
    /// All places but shared ones.
    places: AtomicPtr<Place>,
    /// How many forks lie between this process and the first one.
    forks: AtomicU32,
    /// Who forked last, of the users of a [`Usage`](super::Usage).
    survivor: AtomicUsize,
}

impl Gate {
    #[cfg(not(loom))]
    const fn new() -> Self {
        Self {
            state: AtomicU32::new(OPEN),
            sleepers: Sleepers::new(),
            forking: AtomicPtr::new(ptr::null_mut()),
            places: AtomicPtr::new(ptr::null_mut()),
            forks: AtomicU32::new(0),
            survivor: AtomicUsize::new(0),
        }
    }

    #[cfg(loom)]
    pub fn new() -> Self {
        Self {
            state: AtomicU32::new(OPEN),
            sleepers: Sleepers::new(),
            forking: AtomicPtr::new(ptr::null_mut()),
            places: AtomicPtr::new(ptr::null_mut()),
            forks: AtomicU32::new(0),
            survivor: AtomicUsize::new(0),
        }
    }

    /// Opens a section of the thread whose place it is.
    #[inline]
    pub fn enter(&self, place: &Place) {
        if place.is_shared {
            // How deep one of the sharers is, nobody knows, so they never wait in front.
            place.depth.fetch_add(1, Ordering::SeqCst);
            return;
        }
        let depth = place.depth.load(Ordering::Relaxed);
        place.depth.store(depth + 1, Ordering::Relaxed);
        light();
        if depth == 0 && self.state.load(Ordering::Acquire) != OPEN {
            self.wait_in_front(place);
        }
    }

    /// Ends a section.
    #[inline]
    pub fn leave(&self, place: &Place) {
        if place.is_shared {
            place.depth.fetch_sub(1, Ordering::Release);
            return;
        }
        let depth = place.depth.load(Ordering::Relaxed);
        place.depth.store(depth.wrapping_sub(1), Ordering::Release);
    }

    #[cold]
    fn wait_in_front(&self, place: &Place) {
        while self.state.load(Ordering::Acquire) != OPEN && !self.is_forking(place) {
            place.depth.store(0, Ordering::Release);
            self.sleepers.sleep_while(&self.state, CLOSED);
            place.depth.store(1, Ordering::Relaxed);
            light();
        }
    }

    fn is_forking(&self, place: &Place) -> bool {
        ptr::eq(self.forking.load(Ordering::Relaxed), place)
    }

    /// Returns when no thread but the caller's is in a section, and keeps them out. `shared` is
    /// where threads without a place count.
    pub fn close(&self, own: &Place, shared: &Place) {
        while self
            .state
            .compare_exchange(OPEN, CLOSED, Ordering::SeqCst, Ordering::Relaxed)
            .is_err()
        {
            self.sleepers.sleep_while(&self.state, CLOSED);
        }
        self.forking.store(ptr::from_ref(own).cast_mut(), Ordering::Relaxed);
        heavy();
        self.for_each(shared, |place| {
            while !ptr::eq(place, own) && place.depth.load(Ordering::Acquire) != 0 {
                pause();
            }
        });
    }

    /// Lets sections begin again.
    pub fn open(&self) {
        self.forking.store(ptr::null_mut(), Ordering::Relaxed);
        self.state.store(OPEN, Ordering::Release);
        self.sleepers.wake_all(&self.state);
    }

    /// As [`Gate::open`], in the child of the fork: the other threads' places are free.
    pub fn open_in_child(&self, own: &Place, shared: &Place) {
        self.forks.fetch_add(1, Ordering::Relaxed);
        self.for_each(shared, |place| {
            if !ptr::eq(place, own) {
                place.depth.store(0, Ordering::Relaxed);
                place.taken.store(place.is_shared, Ordering::Relaxed);
            }
        });
        self.open();
    }

    fn for_each(&self, shared: &Place, act: impl Fn(&Place)) {
        act(shared);
        let mut next = self.places.load(Ordering::Acquire);
        // SAFETY: listed places are never freed.
        while let Some(place) = unsafe { next.as_ref() } {
            act(place);
            next = place.next.load(Ordering::Relaxed);
        }
    }

    /// Lists a place for good.
    pub fn add(&self, place: &'static Place) {
        let place_ptr = ptr::from_ref(place).cast_mut();
        let mut first = self.places.load(Ordering::Relaxed);
        loop {
            place.next.store(first, Ordering::Relaxed);
            match self.places.compare_exchange_weak(
                first,
                place_ptr,
                Ordering::SeqCst,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(other) => first = other,
            }
        }
    }
}

#[cfg(not(loom))]
use crate::platform::barrier::{heavy, light};

#[cfg(loom)]
pub fn light() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}

#[cfg(loom)]
pub fn heavy() {
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// What is waited for takes microseconds, and forks are rare.
fn pause() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::sleep(std::time::Duration::from_micros(20));
}

#[cfg(not(loom))]
pub use process::{
    Section, after_fork_in_child, after_fork_in_parent, before_fork, forks, has_fibres, section,
    set_fibres, survivor,
};

/// The gate of this process.
#[cfg(not(loom))]
mod process {
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
}

#[cfg(loom)]
pub use model::{
    Section, after_fork_in_child, after_fork_in_parent, before_fork, forks, has_fibres, section,
    set_fibres, survivor,
};

/// Models have gates of their own, and do not fork.
#[cfg(loom)]
mod model {
    pub struct Section;

    pub fn section() -> Section {
        Section
    }

    pub fn set_fibres() {}

    pub fn has_fibres() -> bool {
        false
    }

    pub fn forks() -> u32 {
        0
    }

    pub fn before_fork() {}

    pub fn after_fork_in_parent() {}

    pub fn survivor() -> usize {
        0
    }

    pub fn after_fork_in_child(_user: usize) {}
}
