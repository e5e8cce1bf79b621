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
//! Not every system lets a process have such a barrier. The first section asks, once for the
//! process, and where there is none the gate is never simply open: each section then begins on the
//! slow way, with a fence of its own. So the other processes do not even pay for the question.
//!
//! A section must not wait for anything but other sections, and must not call what an embedder
//! gave, its allocator excepted: forks wait for it.

use super::Sleepers;
use super::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence};
#[cfg(not(loom))]
use crate::platform::barrier;
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
    pub const fn new(is_shared: bool) -> Self {
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

/// Sections just begin.
const OPEN: u32 = 0;
/// A thread forks.
const CLOSED: u32 = 1;
/// There is no barrier for all threads: sections begin with a fence.
const FENCED: u32 = 2;
/// Nobody has asked for the barrier yet.
const UNASKED: u32 = 4;

/// What keeps forks and sections apart. Owner: the process.
pub struct Gate {
    /// `OPEN`, or some of the others together.
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
    /// Whether the system of the model has the barrier.
    #[cfg(loom)]
    has_barrier: bool,
}

impl Gate {
    #[cfg(not(loom))]
    const fn new() -> Self {
        Self {
            state: AtomicU32::new(UNASKED),
            sleepers: Sleepers::new(),
            forking: AtomicPtr::new(ptr::null_mut()),
            places: AtomicPtr::new(ptr::null_mut()),
            forks: AtomicU32::new(0),
            survivor: AtomicUsize::new(0),
        }
    }

    #[cfg(loom)]
    pub fn new(has_barrier: bool) -> Self {
        Self {
            state: AtomicU32::new(UNASKED),
            sleepers: Sleepers::new(),
            forking: AtomicPtr::new(ptr::null_mut()),
            places: AtomicPtr::new(ptr::null_mut()),
            forks: AtomicU32::new(0),
            survivor: AtomicUsize::new(0),
            has_barrier,
        }
    }

    /// A gate in a system without the barrier.
    #[cfg(all(test, not(loom)))]
    pub fn fenced() -> Self {
        let gate = Self::new();
        gate.state.store(FENCED, Ordering::Relaxed);
        gate
    }

    /// Whether the system has a barrier for all threads, so that a hot side needs none.
    pub fn has_barrier(&self) -> bool {
        self.asked() & FENCED == 0
    }

    /// The state, after the system was asked.
    fn asked(&self) -> u32 {
        if self.state.load(Ordering::Acquire) == UNASKED {
            #[cfg(loom)]
            let has_barrier = self.has_barrier;
            #[cfg(not(loom))]
            let has_barrier = barrier::prepare();
            let state = if has_barrier { OPEN } else { FENCED };
            // Threads that ask at the same time go by one answer.
            let _ =
                self.state.compare_exchange(UNASKED, state, Ordering::SeqCst, Ordering::Relaxed);
        }
        self.state.load(Ordering::Acquire)
    }

    /// The hot side of the barrier. Where there is none, it does nothing, and the state says so.
    #[inline(always)]
    fn light(&self) {
        #[cfg(loom)]
        if self.has_barrier {
            fence(Ordering::SeqCst);
        }
        #[cfg(not(loom))]
        barrier::light();
    }

    /// The cold side, for what has a hot side without fences.
    fn heavy(&self) {
        #[cfg(loom)]
        fence(Ordering::SeqCst);
        #[cfg(not(loom))]
        if !barrier::heavy() {
            // The barrier was taken from the process. What begins from here on has fences.
            self.state.fetch_or(FENCED, Ordering::SeqCst);
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
        self.light();
        if depth == 0 && self.state.load(Ordering::Acquire) != OPEN {
            self.enter_slowly(place);
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
    fn enter_slowly(&self, place: &Place) {
        loop {
            let mut state = self.asked();
            if state & FENCED != 0 {
                // The thread that forks has one too, between closing and looking at the places.
                fence(Ordering::SeqCst);
                state = self.state.load(Ordering::Acquire);
            }
            if state & CLOSED == 0 || self.is_forking(place) {
                return;
            }
            place.depth.store(0, Ordering::Release);
            self.sleepers.sleep_while(&self.state, state);
            place.depth.store(1, Ordering::Relaxed);
            self.light();
        }
    }

    fn is_forking(&self, place: &Place) -> bool {
        ptr::eq(self.forking.load(Ordering::Relaxed), place)
    }

    /// Returns when no thread but the caller's is in a section, and keeps them out. `shared` is
    /// where threads without a place count.
    pub fn close(&self, own: &Place, shared: &Place) {
        loop {
            let open = self.asked() & !CLOSED;
            let closed = open | CLOSED;
            let change =
                self.state.compare_exchange(open, closed, Ordering::SeqCst, Ordering::Relaxed);
            if change.is_ok() {
                break;
            }
            self.sleepers.sleep_while(&self.state, closed);
        }
        self.forking.store(ptr::from_ref(own).cast_mut(), Ordering::Relaxed);
        if self.has_barrier() {
            self.heavy();
        } else {
            fence(Ordering::SeqCst);
        }
        self.for_each(shared, |place| {
            while !ptr::eq(place, own) && place.depth.load(Ordering::Acquire) != 0 {
                pause();
            }
        });
    }

    /// Lets sections begin again.
    pub fn open(&self) {
        self.forking.store(ptr::null_mut(), Ordering::Relaxed);
        self.state.fetch_and(!CLOSED, Ordering::Release);
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

/// What is waited for takes microseconds, and forks are rare.
fn pause() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::sleep(std::time::Duration::from_micros(20));
}

#[cfg(not(loom))]
pub use process::{
    Section, after_fork_in_child, after_fork_in_parent, before_fork, forks, has_barrier,
    has_fibres, heavy, hold, release, section, set_fibres, survivor,
};

#[cfg(not(loom))]
mod process;

#[cfg(loom)]
pub use model::{
    Section, after_fork_in_child, after_fork_in_parent, before_fork, forks, has_barrier,
    has_fibres, heavy, hold, release, section, set_fibres, survivor,
};

#[cfg(loom)]
mod model;
