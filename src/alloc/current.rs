//! Which heap is current: the head of the per-thread state that the thread word points to.
//!
//! The word (`platform::tls`) is null on a thread that nothing has prepared: then no heap is
//! current, and allocations come from the system. It points to a *bare* head once a heap was made
//! current there, and to a *full* head, the first field of the context module's thread state, once
//! that module has installed one. The caller that sets a heap puts the previous one back.

use super::heap::Heap;
use super::reserve::Reserve;
use crate::platform::tls;
use crate::sync::{self, OWNER_STEP};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr::{null, null_mut};

/// Whether a [`ThreadHead`] is part of a larger state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum HeadKind {
    /// It stands alone, made by this module.
    Bare = 0,
    /// It is the first field of the state that [`install`] was given.
    Full = 1,
}

/// First part of a thread's state. Owner: the thread, through its thread word.
#[repr(C)]
pub struct ThreadHead {
    /// The current heap, or null. The caller that made it current keeps it alive.
    heap: Cell<*const Heap>,
    /// How many [`fallible`] scopes are open.
    fallible: Cell<u32>,
    kind: HeadKind,
    /// It belongs to one of several fibres that take turns on a thread.
    is_fibre: bool,
    /// How many over-limit allocations the thread has made that no [`Operation`] has answered for,
    /// times [`COUNT_STEP`]; and [`SHORT`] when something was taken from the reserve.
    over_limit: Cell<u64>,
    reserve: Reserve,
}

const COUNT_STEP: u64 = 2;
const SHORT: u64 = 1;

impl ThreadHead {
    /// A head to embed as the first field of a larger state, which must be `repr(C)`.
    pub fn full(reserve: Reserve) -> Self {
        Self::new(HeadKind::Full, sync::has_fibres(), reserve)
    }

    fn new(kind: HeadKind, is_fibre: bool, reserve: Reserve) -> Self {
        Self {
            heap: Cell::new(null()),
            fallible: Cell::new(0),
            kind,
            is_fibre,
            over_limit: Cell::new(SHORT),
            reserve,
        }
    }

    /// Begins an operation; `None` if memory has run out before it, and then it must not run.
    #[inline]
    pub fn begin(&self) -> Option<u64> {
        if self.over_limit.get() & SHORT != 0 && !self.refill() {
            return None;
        }
        Some(self.over_limit.get() & !SHORT)
    }

    /// Whether memory has run out since `begun`, which [`ThreadHead::begin`] returned. The caller
    /// answers for that: an operation around this one does not fail by it.
    #[inline]
    pub fn ran_out_since(&self, begun: u64) -> bool {
        let now = self.over_limit.get();
        if now & !SHORT == begun {
            return false;
        }
        self.over_limit.set(begun | now & SHORT);
        true
    }

    #[cold]
    fn refill(&self) -> bool {
        let is_full = self.reserve.refill();
        if is_full {
            self.over_limit.set(self.over_limit.get() & !SHORT);
        }
        is_full
    }

    #[inline]
    pub fn kind(&self) -> HeadKind {
        self.kind
    }

    /// The current heap, or null.
    #[cfg(test)]
    pub fn heap(&self) -> *const Heap {
        self.heap.get()
    }

    /// Makes `heap` current (null: none) and returns the one before.
    ///
    /// # Safety
    /// `heap` is null or stays alive until it is replaced again.
    #[inline]
    pub unsafe fn replace_heap(&self, heap: *const Heap) -> *const Heap {
        self.heap.replace(heap)
    }
}

/// The calling thread's head; null on a thread that nothing has prepared. It is valid on this
/// thread until [`install`], [`remove`] or a change of the thread word.
#[inline(always)]
pub fn head_ptr() -> *const ThreadHead {
    tls::get().cast()
}

/// The calling thread as the owner of a [`BiasedLock`](crate::sync::BiasedLock): its head. All
/// fibres are one owner, because they take turns. Threads without a head are one, too; they run no
/// guests but in tests.
#[inline]
pub fn lock_owner() -> usize {
    let head = head_ptr();
    // SAFETY: null or this thread's live head, see `with_head`.
    match unsafe { head.as_ref() } {
        None => OWNER_STEP,
        Some(head) if head.is_fibre => 2 * OWNER_STEP,
        Some(_) => head.addr(),
    }
}

/// Runs `f` with the calling thread's head, if it has one.
#[inline(always)]
pub(super) fn with_head<R>(f: impl FnOnce(Option<&ThreadHead>) -> R) -> R {
    // SAFETY: the thread word is null or points to a live head of this thread: `prepare` and
    // `install` see to it. The closures in this folder touch cells only and cannot end it.
    f(unsafe { head_ptr().as_ref() })
}

/// Makes sure that this thread has a head, if there is memory for one.
fn prepare() -> Prepared {
    if !head_ptr().is_null() {
        return Prepared::Lasting;
    }
    let Some(reserve) = Reserve::full() else { return Prepared::Not };
    let layout = Layout::new::<ThreadHead>();
    // SAFETY: the layout's size is not zero. The system is asked directly: the head belongs to
    // the thread, not to any heap.
    let head = unsafe { System.alloc(layout) }.cast::<ThreadHead>();
    if head.is_null() {
        return Prepared::Not;
    }
    // SAFETY: fresh memory of the right layout.
    unsafe { head.write(ThreadHead::new(HeadKind::Bare, false, reserve)) };
    tls::set(head.cast());
    // SAFETY: the word is null or a live head, which `end_bare` frees only if it is a bare one.
    if unsafe { tls::arm_exit(end_bare) } { Prepared::Lasting } else { Prepared::Briefly }
}

/// The result of [`prepare`].
#[derive(PartialEq, Eq)]
enum Prepared {
    /// Until the thread ends.
    Lasting,
    /// The thread is past its exit hook: the head must go with the scope that made it.
    Briefly,
    /// No memory: the scope runs without a current heap.
    Not,
}

/// Frees the word's head if it is a bare one.
///
/// # Safety
/// `word` is this thread's word: null or a live head.
unsafe fn end_bare(word: *mut u8) {
    let head = word.cast::<ThreadHead>();
    // SAFETY: null or a live head, as promised.
    let is_bare = unsafe { head.as_ref() }.is_some_and(|head| head.kind == HeadKind::Bare);
    if is_bare {
        tls::set(null_mut());
        // SAFETY: bare heads come from `prepare`, with this layout; the word no longer leads
        // here.
        unsafe {
            head.drop_in_place();
            System.dealloc(word, Layout::new::<ThreadHead>());
        }
    }
}

/// Makes `state` this thread's head, taking over a bare head's contents. Returns false and changes
/// nothing if a full head is installed already. `on_exit` runs with the word when the thread ends,
/// unless [`remove`] was called; a thread that is past its exit hook never runs it.
///
/// # Safety
/// `state` is the full head of a state that stays valid until it is removed or `on_exit` ran.
pub unsafe fn install(state: *const ThreadHead, on_exit: tls::ExitCallback) -> bool {
    let old = head_ptr();
    // SAFETY: `state` is valid as promised; `old` is null or live (see `with_head`).
    unsafe {
        if let Some(old) = old.as_ref() {
            if old.kind == HeadKind::Full {
                return false;
            }
            (*state).heap.set(old.heap.get());
            (*state).fallible.set(old.fallible.get());
            (*state).over_limit.set(old.over_limit.get() | SHORT);
            end_bare(old as *const ThreadHead as *mut u8);
        }
        tls::set(state as *mut u8);
        // A refusal is fine: the state then lasts until it is removed.
        let _ = tls::arm_exit(on_exit);
    }
    true
}

/// Takes the full head off this thread and returns it; null if there is none. The thread then has
/// no current heap.
pub fn remove() -> *const ThreadHead {
    let head = head_ptr();
    // SAFETY: null or live, see `with_head`.
    if unsafe { head.as_ref() }.is_some_and(|head| head.kind == HeadKind::Full) {
        tls::set(null_mut());
        return head;
    }
    null()
}

/// A heap is current until this is dropped; then the one before is current again.
#[must_use = "the heap is current only while the guard lives"]
pub struct HeapGuard<'a> {
    before: *const Heap,
    prepared: Prepared,
    /// Borrows the heap and stays on its thread.
    scope: PhantomData<(&'a Heap, *const ())>,
}

impl Drop for HeapGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // The head may have been replaced by a full one meanwhile, so it is looked up again.
        with_head(|head| {
            if let Some(head) = head {
                head.heap.set(self.before);
            }
        });
        if self.prepared == Prepared::Briefly {
            // SAFETY: this thread's word.
            unsafe { end_bare(tls::get()) };
        }
    }
}

/// Makes `heap` current on this thread while the guard lives. Contexts do more than that when
/// they are entered, so this is for heaps that are no context's.
pub fn enter(heap: &Heap) -> HeapGuard<'_> {
    enter_ptr(heap)
}

#[inline]
fn enter_ptr<'a>(heap: *const Heap) -> HeapGuard<'a> {
    let prepared =
        if head_ptr().is_null() && !heap.is_null() { prepare() } else { Prepared::Lasting };
    let before = with_head(|head| head.map_or(null(), |head| head.heap.replace(heap)));
    HeapGuard { before, prepared, scope: PhantomData }
}

/// Runs `f` with `heap` current: allocations of Rust code in it come from there.
pub fn with_heap<R>(heap: &Heap, f: impl FnOnce() -> R) -> R {
    let _guard = enter(heap);
    f()
}

/// Runs `f` with no current heap: for allocations that outlive every heap, such as a log sink's
/// buffers, thread-local caches and process-wide lazies.
#[inline]
pub fn outside<R>(f: impl FnOnce() -> R) -> R {
    let _guard = enter_ptr(null());
    f()
}

/// Leaves the thread without a current heap, even if scopes are open: the thread is ending, and
/// later allocations of Rust code belong to no heap.
pub fn leave() {
    with_head(|head| {
        if let Some(head) = head {
            head.heap.set(null());
        }
    });
}

/// Puts the count of open fallible scopes back.
struct FallibleGuard;

impl Drop for FallibleGuard {
    fn drop(&mut self) {
        with_head(|head| {
            if let Some(head) = head {
                head.fallible.set(head.fallible.get().saturating_sub(1));
            }
        });
    }
}

/// Runs `f`, in which an exhausted heap returns null: no allocation goes over the limit. Only code
/// that handles failing allocations (`try_reserve` and the like) may run inside: anything else
/// would end the process.
pub fn fallible<R>(f: impl FnOnce() -> R) -> R {
    // Without a head no heap is current and there is no reserve.
    let counted = with_head(|head| {
        head.map(|head| head.fallible.set(head.fallible.get().saturating_add(1))).is_some()
    });
    let _guard = counted.then_some(FallibleGuard);
    f()
}

/// Runs `f` as an operation that fails if memory runs out meanwhile, even where `f` cannot say so:
/// infallible code was then given memory that its heap does not have. It fails without running
/// where the thread's reserve is used up and cannot be filled.
///
/// Allocations on other threads do not count, nor do those for which an operation inside `f` has
/// failed.
pub fn operation<R>(f: impl FnOnce() -> R) -> Result<R, OutOfMemory> {
    let prepared = if head_ptr().is_null() { prepare() } else { Prepared::Lasting };
    // For a thread past its exit hook, whose head goes with the scope that made it.
    let _scope = HeapGuard { before: current().0, prepared, scope: PhantomData };
    let begun = with_head(|head| head.and_then(ThreadHead::begin)).ok_or(OutOfMemory)?;
    let result = f();
    match with_head(|head| head.is_some_and(|head| head.ran_out_since(begun))) {
        false => Ok(result),
        true => Err(OutOfMemory),
    }
}

/// An operation ran out of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfMemory;

/// Makes sure, until [`trim_reserve`], that infallible code can get this many bytes even when heap
/// and system are exhausted; each block costs 64 bytes on top of its own. An error if there is no
/// memory for that. For code that allocates in proportion to its input: call it before that code.
pub fn ensure_reserve(bytes: usize) -> Result<(), OutOfMemory> {
    with_head(|head| match head {
        Some(head) if !head.reserve.ensure(bytes) => Err(OutOfMemory),
        _ => Ok(()),
    })
}

/// Gives back the reserve that [`ensure_reserve`] took beyond the usual size.
pub fn trim_reserve() {
    with_head(|head| {
        if let Some(head) = head {
            head.reserve.trim();
        }
    });
}

/// Counts an over-limit allocation of this thread.
pub(super) fn note_over_limit() {
    with_head(|head| {
        if let Some(head) = head {
            head.over_limit.set(head.over_limit.get().wrapping_add(COUNT_STEP));
        }
    });
}

/// Takes a block from the thread's reserve with `take`; null if it has none.
pub(super) fn from_reserve(take: impl FnOnce(&Reserve) -> *mut u8) -> *mut u8 {
    with_head(|head| {
        let Some(head) = head else { return null_mut() };
        head.over_limit.set(head.over_limit.get() | SHORT);
        take(&head.reserve)
    })
}

/// The current heap, if any, and whether an allocation may return null now.
#[inline(always)]
pub(super) fn current() -> (*const Heap, bool) {
    with_head(|head| match head {
        Some(head) => (head.heap.get(), head.fallible.get() != 0),
        None => (null(), false),
    })
}
