//! The fork lock: forks wait for sections, and records of threads know when they are stale.
//!
//! The child of a fork has one thread. A value that another thread was changing at that moment
//! stays half changed there, and a lock that it held stays held. So changes that other threads can
//! see are made inside a [`Section`], every [`Lock`](super::Lock) included. A thread that forks
//! closes the [`ForkLock`] first: it waits until all other threads are outside of sections, and
//! new sections wait until the fork is done.
//!
//! Threads also leave records behind that no section can cover, because they last as long as the
//! threads: lists of running threads, waiters, owners. Such a record keeps the [`Epoch`] in which
//! it was made, and is stale in the child.
//!
//! Beginning a section costs no locked instruction and writes no line that other threads write:
//! each thread counts its sections in a [`Counter`] of its own. The thread that forks pays
//! instead, with a barrier in all threads (`platform::barrier`) and a look at every counter.
//! Counters are never freed: when their thread ends, the next new thread takes them over.
//!
//! Not every system lets a process have such a barrier. The first section asks, once for the
//! process. Without the barrier the lock is never simply open: each section then begins on the
//! slow way, with a fence of its own. So the other processes do not even pay for the question.
//!
//! A section must not wait for anything but other sections, and must not call functions of the
//! embedder's, its allocator excepted: forks wait for it.

use super::Sleepers;
use super::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicUsize, Ordering, fence};
#[cfg(not(loom))]
use crate::platform::barrier;
use std::ptr;
use std::sync::OnceLock;

/// One thread's count of open sections. Owner: the process, on loan to a thread.
// A cache line for each, so that threads do not slow each other.
#[repr(align(64))]
pub struct Counter {
    depth: AtomicU32,
    /// A thread has it.
    taken: AtomicBool,
    /// Threads that have no counter of their own share it.
    is_shared: bool,
    /// Several stacks take turns on the thread. It stands here because the thread's state changes
    /// with the stack.
    has_fibres: AtomicBool,
    /// The next one of the list. Set before the counter is listed.
    next: AtomicPtr<Counter>,
}

impl Counter {
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

/// Sections begin at once.
const OPEN: u32 = 0;
/// A thread forks: sections wait.
const CLOSED: u32 = 1;
/// There is no barrier for all threads: sections begin with a fence.
const FENCED: u32 = 2;
/// The process has not asked for the barrier yet.
const UNASKED: u32 = 4;

/// See the module. Owner: the process.
pub struct ForkLock {
    /// `OPEN`, or some of the others together.
    state: AtomicU32,
    sleepers: Sleepers,
    /// The counter of the thread that forks, whose sections do not wait.
    forking: AtomicPtr<Counter>,
    /// All counters but the shared one.
    counters: AtomicPtr<Counter>,
    /// The number of the current [`Epoch`].
    epoch: AtomicU32,
    /// The thread that made this process by forking, as the owner of a
    /// [`BiasedLock`](super::BiasedLock); 0 in the first process.
    survivor: AtomicUsize,
    /// Set once forks take the lock.
    watched: OnceLock<()>,
    /// Whether the system of the model has the barrier.
    #[cfg(loom)]
    has_barrier: bool,
}

impl ForkLock {
    #[cfg(not(loom))]
    const fn new() -> Self {
        Self {
            state: AtomicU32::new(UNASKED),
            sleepers: Sleepers::new(),
            forking: AtomicPtr::new(ptr::null_mut()),
            counters: AtomicPtr::new(ptr::null_mut()),
            epoch: AtomicU32::new(0),
            survivor: AtomicUsize::new(0),
            watched: OnceLock::new(),
        }
    }

    #[cfg(loom)]
    pub fn new(has_barrier: bool) -> Self {
        Self {
            state: AtomicU32::new(UNASKED),
            sleepers: Sleepers::new(),
            forking: AtomicPtr::new(ptr::null_mut()),
            counters: AtomicPtr::new(ptr::null_mut()),
            epoch: AtomicU32::new(0),
            survivor: AtomicUsize::new(0),
            watched: OnceLock::new(),
            has_barrier,
        }
    }

    /// A lock in a system without the barrier.
    #[cfg(all(test, not(loom)))]
    pub fn fenced() -> Self {
        let lock = Self::new();
        lock.state.store(FENCED, Ordering::Relaxed);
        lock
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

    /// The cold side of a hot one without fences.
    fn heavy(&self) {
        #[cfg(loom)]
        fence(Ordering::SeqCst);
        #[cfg(not(loom))]
        if !barrier::heavy() {
            // The process has lost the barrier. Sections have fences from here on.
            self.state.fetch_or(FENCED, Ordering::SeqCst);
        }
    }

    /// Opens a section of the thread whose counter it is.
    #[inline]
    pub fn enter(&self, counter: &Counter) {
        if counter.is_shared {
            // The depth of each sharer is unknown, so none of them waits for a fork.
            counter.depth.fetch_add(1, Ordering::SeqCst);
            return;
        }
        let depth = counter.depth.load(Ordering::Relaxed);
        counter.depth.store(depth + 1, Ordering::Relaxed);
        self.light();
        if depth == 0 && self.state.load(Ordering::Acquire) != OPEN {
            self.enter_slowly(counter);
        }
    }

    /// Ends a section.
    #[inline]
    pub fn leave(&self, counter: &Counter) {
        if counter.is_shared {
            counter.depth.fetch_sub(1, Ordering::Release);
            return;
        }
        let depth = counter.depth.load(Ordering::Relaxed);
        counter.depth.store(depth.wrapping_sub(1), Ordering::Release);
    }

    #[cold]
    fn enter_slowly(&self, counter: &Counter) {
        loop {
            let mut state = self.asked();
            if state & FENCED != 0 {
                // The thread that forks has one too, between closing and looking at the counters.
                fence(Ordering::SeqCst);
                state = self.state.load(Ordering::Acquire);
            }
            if state & CLOSED == 0 || self.is_forking(counter) {
                return;
            }
            counter.depth.store(0, Ordering::Release);
            self.sleepers.sleep_while(&self.state, state);
            counter.depth.store(1, Ordering::Relaxed);
            self.light();
        }
    }

    fn is_forking(&self, counter: &Counter) -> bool {
        ptr::eq(self.forking.load(Ordering::Relaxed), counter)
    }

    /// Returns when no other thread is in a section, and keeps them out. Threads without a
    /// counter of their own count in `shared`.
    pub fn close(&self, own: &Counter, shared: &Counter) {
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
        self.for_each(shared, |counter| {
            while !ptr::eq(counter, own) && counter.depth.load(Ordering::Acquire) != 0 {
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

    /// As [`ForkLock::open`], in the child of the fork: a new epoch begins, and the other threads'
    /// counters are free.
    pub fn open_in_child(&self, own: &Counter, shared: &Counter) {
        self.epoch.fetch_add(1, Ordering::Relaxed);
        self.for_each(shared, |counter| {
            if !ptr::eq(counter, own) {
                counter.depth.store(0, Ordering::Relaxed);
                counter.taken.store(counter.is_shared, Ordering::Relaxed);
            }
        });
        self.open();
    }

    fn for_each(&self, shared: &Counter, act: impl Fn(&Counter)) {
        act(shared);
        let mut next = self.counters.load(Ordering::Acquire);
        // SAFETY: listed counters are never freed.
        while let Some(counter) = unsafe { next.as_ref() } {
            act(counter);
            next = counter.next.load(Ordering::Relaxed);
        }
    }

    /// Lists a counter for good.
    pub fn add(&self, counter: &'static Counter) {
        let counter_ptr = ptr::from_ref(counter).cast_mut();
        let mut first = self.counters.load(Ordering::Relaxed);
        loop {
            counter.next.store(first, Ordering::Relaxed);
            match self.counters.compare_exchange_weak(
                first,
                counter_ptr,
                Ordering::SeqCst,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(other) => first = other,
            }
        }
    }
}

/// Sections take microseconds, and forks are rare.
fn pause() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::thread::sleep(std::time::Duration::from_micros(20));
}

mod epoch;
#[cfg(loom)]
mod model;
#[cfg(not(loom))]
mod process;

pub use epoch::{AtomicEpoch, Epoch};
#[cfg(loom)]
pub use model::{
    Child, Section, has_barrier, has_fibres, heavy, hold, release, section, set_fibres, watch,
};
#[cfg(loom)]
use model::{epoch as current, survivor};
#[cfg(not(loom))]
pub use process::{
    Child, Section, has_barrier, has_fibres, heavy, hold, release, section, set_fibres, watch,
};
#[cfg(not(loom))]
use process::{epoch as current, survivor};
