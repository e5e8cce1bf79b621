//! Blocks of C's heap: for objects that are made before there is an engine, or freed on any thread
//! after it. None belongs to a context, and an exhausted heap is `None`.

use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering, fence};

/// Room for `count` values, all bytes zero; `None` if there is no memory, or none is needed.
pub(super) fn zeroed<T>(count: usize) -> Option<NonNull<T>> {
    const { assert!(align_of::<T>() <= 16) };
    if count.checked_mul(size_of::<T>())? == 0 {
        return None;
    }
    // SAFETY: any numbers may be passed, and the block is not used if there is none.
    NonNull::new(unsafe { libc::calloc(count, size_of::<T>()) }.cast())
}

/// Frees what [`zeroed`] or [`own`] gave. The values in it are forgotten.
///
/// # Safety
/// `block` is NULL or comes from here, and is not used afterwards.
pub(super) unsafe fn free<T>(block: *mut T) {
    // SAFETY: the caller guarantees NULL or a block of C's heap that it gives up.
    unsafe { libc::free(block.cast()) };
}

/// Moves a value into a block; NULL, with the value dropped, if there is no memory.
pub(super) fn own<T>(value: T) -> *mut T {
    let Some(block) = zeroed::<T>(1) else { return std::ptr::null_mut() };
    // SAFETY: the block has room for one value, and nothing in it needs to be dropped.
    unsafe { block.write(value) };
    block.as_ptr()
}

/// Takes a value out of its block, which is freed; `None` for NULL.
///
/// # Safety
/// `block` is NULL or from [`own`], and is not used afterwards.
pub(super) unsafe fn disown<T>(block: *mut T) -> Option<T> {
    let block = NonNull::new(block)?;
    // SAFETY: the caller gives up a block that holds a value.
    unsafe {
        let value = block.read();
        free(block.as_ptr());
        Some(value)
    }
}

/// Frees a block with the value in it; NULL is nothing.
///
/// # Safety
/// As for [`disown`].
pub(super) unsafe fn end<T>(block: *mut T) {
    // SAFETY: the caller gives up a block that holds a value, or NULL.
    let _ = unsafe { disown(block) };
}

/// A value with a count of its owners, any of which may be on another thread than the last.
#[repr(C)]
pub(super) struct Block<T> {
    count: AtomicUsize,
    value: T,
}

/// One owner of a counted value.
pub(super) struct Counted<T>(NonNull<Block<T>>);

impl<T> Counted<T> {
    /// `None`, with the value dropped, if there is no memory.
    pub(super) fn new(value: T) -> Option<Self> {
        NonNull::new(own(Block { count: AtomicUsize::new(1), value })).map(Self)
    }

    /// Gives the count away, to [`Counted::from_raw`].
    pub(super) fn into_raw(self) -> *mut Block<T> {
        let block = self.as_raw();
        std::mem::forget(self);
        block
    }

    pub(super) fn as_raw(&self) -> *mut Block<T> {
        self.0.as_ptr()
    }

    /// Takes a count back.
    ///
    /// # Safety
    /// `block` comes from [`Counted::into_raw`], once.
    pub(super) unsafe fn from_raw(block: NonNull<Block<T>>) -> Self {
        Self(block)
    }

    /// One more owner of a value that lives.
    ///
    /// # Safety
    /// `block` is live: some owner keeps it.
    pub(super) unsafe fn retained(block: NonNull<Block<T>>) -> Self {
        // SAFETY: the caller guarantees a live block.
        unsafe { block.as_ref() }.count.fetch_add(1, Ordering::Relaxed);
        Self(block)
    }

    /// One more owner, unless the last is on its way out.
    ///
    /// # Safety
    /// `block` is not freed yet.
    pub(super) unsafe fn upgraded(block: NonNull<Block<T>>) -> Option<Self> {
        // SAFETY: the caller guarantees a block that is not freed.
        let count = &unsafe { block.as_ref() }.count;
        let more = |count: usize| (count > 0).then(|| count + 1);
        count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Self(block))
    }

    /// The value, if this is its last owner.
    pub(super) fn into_inner(self) -> Option<T> {
        let block = self.into_raw();
        // SAFETY: this owner's count keeps the block alive until it is given up here.
        unsafe {
            if (*block).count.fetch_sub(1, Ordering::Release) != 1 {
                return None;
            }
            fence(Ordering::Acquire);
            disown(block).map(|block| block.value)
        }
    }
}

impl<T> Clone for Counted<T> {
    fn clone(&self) -> Self {
        // SAFETY: this owner keeps the block alive.
        unsafe { Self::retained(self.0) }
    }
}

impl<T> Drop for Counted<T> {
    fn drop(&mut self) {
        // SAFETY: this owner's count keeps the block alive until it is given up here, and is not
        // used again.
        unsafe {
            if self.0.as_ref().count.fetch_sub(1, Ordering::Release) == 1 {
                fence(Ordering::Acquire);
                std::ptr::drop_in_place(&raw mut (*self.0.as_ptr()).value);
                free(self.0.as_ptr());
            }
        }
    }
}

impl<T> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: this owner keeps the block alive.
        &unsafe { self.0.as_ref() }.value
    }
}

/// The value behind a bare pointer.
///
/// # Safety
/// `block` is NULL, or live during `'a`.
pub(super) unsafe fn value<'a, T>(block: *const Block<T>) -> Option<&'a T> {
    // SAFETY: the caller guarantees that it is NULL or live.
    unsafe { block.as_ref() }.map(|block| &block.value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    struct Noted<'a>(&'a Cell<u32>);

    impl Drop for Noted<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn the_last_owner_drops_the_value() {
        let drops = Cell::new(0);
        let first = Counted::new(Noted(&drops)).unwrap();
        let second = first.clone();
        assert!(first.into_inner().is_none());
        assert_eq!(drops.get(), 0);
        drop(second.into_inner().unwrap());
        assert_eq!(drops.get(), 1);
        drop(Counted::new(Noted(&drops)).unwrap().clone());
        assert_eq!(drops.get(), 2);
    }

    #[test]
    fn values_move_in_and_out() {
        let block = own(String::from("text"));
        // SAFETY: from `own`, once; NULL.
        unsafe {
            assert_eq!(disown(block).as_deref(), Some("text"));
            assert_eq!(disown(std::ptr::null_mut::<u8>()), None);
        }
        // The compiler takes an allocation that nobody sees for granted.
        assert!(std::hint::black_box(zeroed::<u64>(usize::MAX / 4)).is_none());
        assert!(std::hint::black_box(zeroed::<u8>(usize::MAX / 4)).is_none());
    }
}
