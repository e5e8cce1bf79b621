//! The counted pointer behind a context.
//!
//! The standard library's `Arc` would do, but for three things: making one aborts when memory is
//! out, a raw pointer cannot be turned into a borrow of the handle, and loom has no weak
//! references. The protocol is `Arc`'s: strong handles keep the value, all of them together hold
//! one weak count, and weak counts keep the block. The block always comes from the system, never
//! from a heap: a context must be there to say that its pool is gone.

use crate::sync::atomic::{AtomicUsize, Ordering};
use std::alloc::{GlobalAlloc, Layout, System};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::NonNull;

/// The target of handles.
pub(crate) struct Block<T> {
    strong: AtomicUsize,
    /// Weak handles, plus one for all strong ones together.
    weak: AtomicUsize,
    value: ManuallyDrop<T>,
}

/// The counts of a block, without a borrow of the value: weak handles have no right to that.
struct Counts<'a> {
    strong: &'a AtomicUsize,
    weak: &'a AtomicUsize,
}

impl Counts<'_> {
    /// # Safety
    /// The block lives as long as the result.
    unsafe fn of<T>(block: NonNull<Block<T>>) -> Self {
        let block = block.as_ptr();
        // SAFETY: the caller guarantees that the block lives; the counts are only ever borrowed
        // shared.
        unsafe { Self { strong: &(*block).strong, weak: &(*block).weak } }
    }
}

/// A counted handle that keeps the value alive.
#[repr(transparent)]
pub(crate) struct Shared<T>(NonNull<Block<T>>, PhantomData<T>);

/// A counted handle that keeps only the block.
pub(crate) struct Weak<T>(NonNull<Block<T>>, PhantomData<T>);

// SAFETY: a handle is a pointer to a block whose counts are atomic; the thread that drops the last
// one drops the value, so `T` must be `Send`, and all threads reach it, so it must be `Sync`.
unsafe impl<T: Send + Sync> Send for Shared<T> {}
// SAFETY: `&Shared` gives no more than `&T` and new handles, for which `T` is `Sync` and `Send`.
unsafe impl<T: Send + Sync> Sync for Shared<T> {}
// SAFETY: a weak handle can be turned into a strong one, so it needs the same of `T`.
unsafe impl<T: Send + Sync> Send for Weak<T> {}
// SAFETY: `&Weak` gives new weak handles, which can be turned into strong ones.
unsafe impl<T: Send + Sync> Sync for Weak<T> {}

impl<T> Shared<T> {
    /// `None`, and `value` is dropped, if the system has no memory for the block.
    pub(crate) fn new(value: T) -> Option<Self> {
        let layout = Layout::new::<Block<T>>();
        // SAFETY: the layout has room for two counts, so its size is not zero.
        let block = NonNull::new(unsafe { System.alloc(layout) }.cast::<Block<T>>())?;
        let fresh = Block {
            strong: AtomicUsize::new(1),
            weak: AtomicUsize::new(1),
            value: ManuallyDrop::new(value),
        };
        // SAFETY: fresh memory of the right layout.
        unsafe { block.write(fresh) };
        Some(Self(block, PhantomData))
    }

    fn counts(&self) -> Counts<'_> {
        // SAFETY: this handle holds a strong count, so the block lives as long as the borrow.
        unsafe { Counts::of(self.0) }
    }

    pub(crate) fn downgrade(&self) -> Weak<T> {
        self.counts().weak.fetch_add(1, Ordering::Relaxed);
        Weak(self.0, PhantomData)
    }

    pub(crate) fn as_ptr(&self) -> NonNull<Block<T>> {
        self.0
    }

    /// Gives the count to the pointer.
    pub(crate) fn into_raw(self) -> NonNull<Block<T>> {
        ManuallyDrop::new(self).0
    }

    /// # Safety
    /// `block` comes from [`Shared::into_raw`], whose count the new handle takes over. To borrow
    /// instead, wrap it in `ManuallyDrop` while some other handle lives.
    pub(crate) unsafe fn from_raw(block: NonNull<Block<T>>) -> Self {
        Self(block, PhantomData)
    }

    #[cfg(test)]
    pub(crate) fn strong_count(&self) -> usize {
        self.counts().strong.load(Ordering::Relaxed)
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        // Nothing can be freed while this handle is held, so no ordering is needed. The count
        // cannot wrap: each count is a pointer kept somewhere, and memory ends before numbers do.
        self.counts().strong.fetch_add(1, Ordering::Relaxed);
        Self(self.0, PhantomData)
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: this handle holds a strong count, so the value lives as long as the borrow, and
        // it is only ever borrowed shared before its end.
        unsafe { &(*self.0.as_ptr()).value }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        // Release: this owner's accesses to the value happen before its end.
        if self.counts().strong.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // So that every other owner's accesses happen before the end. A load and no fence, because
        // race detectors understand it.
        self.counts().strong.load(Ordering::Acquire);
        // SAFETY: the strong count has just become zero, and it never leaves zero again
        // (`Weak::upgrade` refuses it), so this runs once and nobody else reaches the value.
        unsafe { ManuallyDrop::drop(&mut (*self.0.as_ptr()).value) };
        // The weak count that all strong handles held together.
        drop(Weak(self.0, PhantomData));
    }
}

impl<T> Weak<T> {
    fn counts(&self) -> Counts<'_> {
        // SAFETY: this handle holds a weak count, so the block lives as long as the borrow.
        unsafe { Counts::of(self.0) }
    }

    /// A strong handle, unless the last one is gone.
    pub(crate) fn upgrade(&self) -> Option<Shared<T>> {
        let strong = &self.counts().strong;
        let mut count = strong.load(Ordering::Relaxed);
        while count != 0 {
            // Acquire: pairs with the release that made the value reachable.
            match strong.compare_exchange_weak(
                count,
                count + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(Shared(self.0, PhantomData)),
                Err(now) => count = now,
            }
        }
        None
    }

    /// Whether the last strong handle is gone.
    pub(crate) fn is_dead(&self) -> bool {
        self.counts().strong.load(Ordering::Relaxed) == 0
    }

    /// Whether this is a handle to `other`'s value.
    pub(crate) fn points_to(&self, other: &Shared<T>) -> bool {
        self.0 == other.0
    }
}

impl<T> Clone for Weak<T> {
    fn clone(&self) -> Self {
        self.counts().weak.fetch_add(1, Ordering::Relaxed);
        Self(self.0, PhantomData)
    }
}

impl<T> Drop for Weak<T> {
    fn drop(&mut self) {
        if self.counts().weak.fetch_sub(1, Ordering::Release) != 1 {
            return;
        }
        // As for a strong handle.
        self.counts().weak.load(Ordering::Acquire);
        // SAFETY: the weak count has just become zero, so no handle of either kind is left: the
        // strong ones held one weak count. The value was dropped when they ended, and loom's
        // counts are dropped here, before the memory goes.
        unsafe {
            self.0.drop_in_place();
            System.dealloc(self.0.as_ptr().cast(), Layout::new::<Block<T>>());
        }
    }
}
