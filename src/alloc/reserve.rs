//! A thread's reserve: a piece of the system's memory, taken in good time, from which infallible
//! code is served when its heap and the system are exhausted.
//!
//! Owner: the thread, through its head. A block from it belongs to the heap that was current, and
//! may outlive the thread. The size is [`RESERVE_BYTES`], or more if code that allocates in
//! proportion to its input has asked for it ([`Reserve::ensure`]). An operation begins with a full
//! reserve or not at all, so it has only to look whether memory has run out before a step could
//! take more than the reserve.
//!
//! A block is never used again while others of its piece are live: there is no list of free ones.
//! The counter is the standard library's, not one of `sync`: it lies in raw memory without a
//! constructor call, which loom's types need.

use super::header::MIN_ALIGN;
use super::source::{Fill, Source};
use crate::platform::pages;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A reserve that had to be larger stays so, up to this: the next call of its kind needs it again.
pub const KEPT_BYTES: usize = 1 << 20;

/// Bytes of a thread's reserve.
pub const RESERVE_BYTES: usize = 64 << 10;

/// A piece of the system's memory: whole pages, untouched before they are needed.
struct Piece {
    /// The thread while it keeps the piece, and every live block.
    refs: AtomicUsize,
    start: NonNull<u8>,
    len: usize,
    /// How many bytes were given out. Only the thread that keeps the piece looks at it.
    used: Cell<usize>,
}

/// In front of each block: where its piece's head is.
const LINK_BYTES: usize = MIN_ALIGN;

impl Piece {
    /// One with at least `len` bytes; null without memory for it.
    fn new(len: usize) -> *mut Self {
        let Some(len) = len.checked_next_multiple_of(pages::page_size()) else {
            return null_mut();
        };
        // SAFETY: the layout's size is not zero. The system is asked directly: the reserve belongs
        // to the thread, not to any heap.
        let piece = unsafe { System.alloc(Layout::new::<Self>()) }.cast::<Self>();
        if piece.is_null() {
            return null_mut();
        }
        let Some(start) = map(len) else {
            // SAFETY: just made, with this layout.
            unsafe { System.dealloc(piece.cast(), Layout::new::<Self>()) };
            return null_mut();
        };
        let (refs, used) = (AtomicUsize::new(1), Cell::new(0));
        // SAFETY: fresh memory of this layout.
        unsafe { piece.write(Self { refs, start, len, used }) };
        piece
    }

    /// Gives up one reference; the last one frees the piece.
    ///
    /// # Safety
    /// The caller owns it and does not use the piece afterwards.
    unsafe fn release(piece: *mut Self) {
        // SAFETY: the caller's reference keeps the piece alive up to here; with the last one gone
        // nobody can reach it or its pages. Both were made in `new`.
        unsafe {
            if (*piece).refs.fetch_sub(1, Ordering::AcqRel) == 1 {
                let _ = pages::release((*piece).start.as_ptr(), (*piece).len);
                System.dealloc(piece.cast(), Layout::new::<Self>());
            }
        }
    }

    /// How many bytes are left. All of them are, once no block of it lives.
    fn room(&self) -> usize {
        // Acquire: threads that gave blocks back are done with the bytes.
        if self.refs.load(Ordering::Acquire) == 1 {
            self.used.set(0);
        }
        self.len - self.used.get()
    }
}

/// Pages of the system's, readable and writable.
fn map(len: usize) -> Option<NonNull<u8>> {
    let start = pages::reserve(len).ok()?;
    // SAFETY: pages that were just reserved, of this length.
    if unsafe { pages::commit(start.as_ptr(), len) }.is_err() {
        // SAFETY: the same pages, not used.
        let _ = unsafe { pages::release(start.as_ptr(), len) };
        return None;
    }
    Some(start)
}

/// A thread's reserve. Owner: the thread's head.
pub struct Reserve(Cell<*mut Piece>);

// SAFETY: the owner of a reserve is the only keeper of its piece; blocks on other
// threads touch nothing but the counter.
unsafe impl Send for Reserve {}

impl Reserve {
    /// One that has nothing yet.
    pub const fn empty() -> Self {
        Self(Cell::new(null_mut()))
    }

    /// A full one; `None` without memory for it.
    pub fn full() -> Option<Self> {
        let reserve = Self::empty();
        reserve.ensure(RESERVE_BYTES).then_some(reserve)
    }

    fn room(&self) -> usize {
        // SAFETY: null, or the piece that this keeps alive.
        unsafe { self.0.get().as_ref() }.map_or(0, Piece::room)
    }

    /// Makes sure that there are `bytes`; false without memory for them.
    pub fn ensure(&self, bytes: usize) -> bool {
        self.room() >= bytes || self.replace(bytes.max(RESERVE_BYTES))
    }

    /// Makes sure that an operation can begin; false if it cannot. The reserve counts as full while
    /// half of it is left, because an operation around this one may have taken some.
    pub fn refill(&self) -> bool {
        self.room() >= RESERVE_BYTES
            || self.replace(RESERVE_BYTES)
            || self.room() >= RESERVE_BYTES / 2
    }

    /// Gives back the part beyond [`KEPT_BYTES`], if the piece is not in use and can be replaced.
    pub fn trim(&self) {
        // SAFETY: null, or the piece that this keeps alive.
        let len = unsafe { self.0.get().as_ref() }.map_or(0, |piece| piece.len);
        if len > KEPT_BYTES && self.room() == len {
            self.replace(RESERVE_BYTES);
        }
    }

    /// Keeps another piece instead; the old one goes with its last block.
    fn replace(&self, len: usize) -> bool {
        let new = Piece::new(len);
        if new.is_null() {
            return false;
        }
        let old = self.0.replace(new);
        if !old.is_null() {
            // SAFETY: the reference that the reserve had until now.
            unsafe { Piece::release(old) };
        }
        true
    }
}

impl Drop for Reserve {
    fn drop(&mut self) {
        let piece = self.0.replace(null_mut());
        if !piece.is_null() {
            // SAFETY: the reserve's own reference.
            unsafe { Piece::release(piece) };
        }
    }
}

impl Source for Reserve {
    fn take(&self, len: usize, fill: Fill, _flags: u64) -> *mut u8 {
        let piece = self.0.get();
        let wanted = len.checked_next_multiple_of(MIN_ALIGN);
        let Some(wanted) = wanted.and_then(|len| len.checked_add(LINK_BYTES)) else {
            return null_mut();
        };
        if self.room() < wanted {
            return null_mut();
        }
        // SAFETY: there is room, so there is a piece, which the reserve keeps alive; the bytes
        // behind those given out are within it and belong to no block.
        unsafe {
            let used = (*piece).used.get();
            (*piece).used.set(used + wanted);
            (*piece).refs.fetch_add(1, Ordering::Relaxed);
            let link = (*piece).start.as_ptr().add(used);
            link.cast::<*mut Piece>().write(piece);
            let block = link.add(LINK_BYTES);
            if fill == Fill::Zero {
                block.write_bytes(0, len);
            }
            block
        }
    }

    unsafe fn resize(&self, _piece: *mut u8, _old: usize, _new: usize, _flags: u64) -> *mut u8 {
        null_mut()
    }

    unsafe fn give_back(&self, block: *mut u8, _len: usize, _flags: u64) {
        // SAFETY: `take` has put the link in front of the block, and the block's reference keeps
        // the piece alive until it is given up here.
        unsafe { Piece::release(block.sub(LINK_BYTES).cast::<*mut Piece>().read()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alloc::header::{self, Owner};
    use crate::alloc::source::{self, Fill};

    fn take(reserve: &Reserve, size: usize, align: usize) -> *mut u8 {
        source::place(reserve, Owner::NONE, size, align, Fill::Zero, 0)
    }

    fn give_back(block: *mut u8) {
        // SAFETY: a live block of a reserve, which any reserve returns.
        unsafe {
            let tagged = header::read(block).unwrap();
            source::release(&Reserve::empty(), block, &tagged);
        }
    }

    #[test]
    fn blocks_outlive_the_reserve_and_fill_it_again() {
        let reserve = Reserve::full().unwrap();
        assert_eq!(reserve.room(), RESERVE_BYTES);
        let blocks = [(1, 8), (100, 16), (3000, 256)].map(|(size, align)| {
            let block = take(&reserve, size, align);
            assert!(block.addr().is_multiple_of(align));
            // SAFETY: just made, with room for that number of bytes.
            unsafe {
                assert!((0..size).all(|at| block.add(at).read() == 0));
                block.write_bytes(0xa5, size);
            }
            block
        });
        assert!(take(&reserve, RESERVE_BYTES, 16).is_null());
        assert!(reserve.room() < RESERVE_BYTES - 3101);
        blocks.into_iter().for_each(give_back);
        assert_eq!(reserve.room(), RESERVE_BYTES);
        let last = take(&reserve, 10, 8);
        drop(reserve);
        std::thread::scope(|scope| {
            let last = last.expose_provenance();
            scope.spawn(move || give_back(std::ptr::with_exposed_provenance_mut(last)));
        });
    }

    #[test]
    fn more_is_there_while_it_is_asked_for() {
        let reserve = Reserve::empty();
        assert!(take(&reserve, 1, 8).is_null());
        assert!(reserve.ensure(30 * RESERVE_BYTES));
        let block = take(&reserve, 29 * RESERVE_BYTES, 16);
        assert!(!block.is_null());
        reserve.trim();
        assert!(reserve.room() < 2 * RESERVE_BYTES, "it is in use");
        // An operation that begins meanwhile gets a piece of its own.
        assert!(reserve.refill() && reserve.room() >= RESERVE_BYTES);
        give_back(block);
        assert!(reserve.ensure(30 * RESERVE_BYTES));
        reserve.trim();
        assert_eq!(reserve.room(), RESERVE_BYTES);
        assert!(reserve.ensure(10 * RESERVE_BYTES));
        reserve.trim();
        assert!(reserve.room() >= 10 * RESERVE_BYTES);
        assert!(!reserve.ensure(usize::MAX) && !reserve.ensure(usize::MAX / 2));
    }
}
