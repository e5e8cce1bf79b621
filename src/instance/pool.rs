//! Address space for linear memories, kept for the next instance.
//!
//! A reservation is as large as a 32-bit memory can get, with a guard region behind it, so a
//! memory never moves and what runs off its end hits no other memory. One with 64-bit addresses
//! gets as much of what it may grow to as a single memory should take of the process's addresses,
//! or less where there are fewer, and does not grow beyond. Mapping and unmapping are
//! slow and take turns on a lock of the whole process; therefore a context keeps what its
//! instances return. A returned reservation is zeroed at once: by hand where it is small, because
//! that is faster than the system call and the page faults that would follow it.
//!
//! Threads of one context meet at the pool's lock for a few instructions, twice in an instance's
//! life. A place for each thread in `thread_local` would spare them that, but a thread's first use
//! of it registers a destructor, which ends the process where there is no memory for that.

use super::clear::clear;
use crate::platform::pages;
use crate::sync::Lock;
use std::mem;
use std::ptr::NonNull;

/// The largest size of a 32-bit memory.
const MEMORY32_BYTES: usize = 1 << 32;

/// What is reserved at most for a memory with 64-bit addresses that is not larger from the start.
const MEMORY64_BYTES: usize = 1 << 36;

/// Inaccessible bytes behind what a memory can grow to.
const GUARD_BYTES: usize = 1 << 20;

/// Reservations a pool keeps. More than one thread's worth of nested instances gains nothing.
const KEPT_MAX: usize = 16;

/// Up to here returned memory is zeroed by hand; the measured break-even is around this size.
const ZEROED_BY_HAND_MAX: usize = 256 << 10;

/// Kept reservations for linear memories. Owner: a context.
pub struct MemoryPool {
    kept: Lock<Kept>,
}

/// A stack, so that the reservation that is reused is still in the processor's caches.
struct Kept {
    items: [Option<Reservation>; KEPT_MAX],
    len: usize,
}

/// Reserved addresses, of which the first part is accessible and the rest is a guard.
pub struct Reservation {
    base: NonNull<u8>,
    reserved: usize,
    committed: usize,
}

// SAFETY: a reservation is addresses and their length; mapping calls work on any thread.
unsafe impl Send for Reservation {}

impl MemoryPool {
    pub fn new() -> Self {
        let items = [const { None }; KEPT_MAX];
        Self { kept: Lock::new(Kept { items, len: 0 }) }
    }

    /// Zeroed memory of `len` bytes that can grow to `max` bytes, or `None` where addresses or
    /// pages cannot be had.
    pub fn take(&self, len: usize, max: usize) -> Option<Reservation> {
        let room = max.max(len).max(MEMORY32_BYTES);
        if room > MEMORY32_BYTES {
            return Self::take_large(len, room.min(MEMORY64_BYTES));
        }
        let mut reservation = match self.pop(round_up(len)?) {
            Some(reservation) => reservation,
            None => return Reservation::new(len, room),
        };
        reservation.resize(len).then_some(reservation)
    }

    /// As [`MemoryPool::take`], with as much room as there are addresses for, up to `wanted` bytes.
    fn take_large(len: usize, wanted: usize) -> Option<Reservation> {
        let enough = len.max(MEMORY32_BYTES);
        let mut room = wanted.max(enough);
        while room > enough {
            if let Some(reservation) = Reservation::new(len, room) {
                return Some(reservation);
            }
            room /= 2;
        }
        Reservation::new(len, enough)
    }

    /// Takes a reservation back.
    pub fn put(&self, reservation: Reservation) {
        if reservation.reserved != MEMORY32_BYTES + GUARD_BYTES || !reservation.clear() {
            return;
        }
        let mut kept = self.kept.lock();
        let len = kept.len;
        if let Some(place) = kept.items.get_mut(len) {
            *place = Some(reservation);
            kept.len += 1;
        } else {
            drop(kept);
            // Dropping unmaps, which takes long: without the lock.
            drop(reservation);
        }
    }

    /// Unmaps everything that is kept.
    pub fn trim(&self) {
        let mut kept = self.kept.lock();
        let items = mem::replace(&mut kept.items, [const { None }; KEPT_MAX]);
        kept.len = 0;
        drop(kept);
        drop(items);
    }

    /// The latest reservation, or better the latest that needs no change to fit.
    fn pop(&self, committed: usize) -> Option<Reservation> {
        let mut kept = self.kept.lock();
        let last = kept.len.checked_sub(1)?;
        let fits = |item: &Option<Reservation>| {
            item.as_ref().is_some_and(|reservation| reservation.committed == committed)
        };
        let at = kept.items[..=last].iter().rposition(fits).unwrap_or(last);
        kept.items.swap(at, last);
        kept.len = last;
        kept.items[last].take()
    }
}

impl Default for MemoryPool {
    fn default() -> Self {
        Self::new()
    }
}

/// `len` in whole pages of the system.
fn round_up(len: usize) -> Option<usize> {
    len.checked_next_multiple_of(pages::page_size())
}

impl Reservation {
    fn new(len: usize, room: usize) -> Option<Self> {
        let reserved = round_up(room)?.checked_add(GUARD_BYTES)?;
        let base = pages::reserve(reserved).ok()?;
        let mut reservation = Self { base, reserved, committed: 0 };
        reservation.resize(len).then_some(reservation)
    }

    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Makes the first `len` bytes accessible and the others not. New bytes are zero; false
    /// leaves the accessible bytes as they were.
    pub fn resize(&mut self, len: usize) -> bool {
        let Some(wanted) = round_up(len) else { return false };
        if wanted > self.reserved - GUARD_BYTES {
            return false;
        }
        let base = self.base.as_ptr();
        let done = match wanted.checked_sub(self.committed) {
            Some(0) => true,
            // SAFETY: the range lies in this reservation, before its guard.
            Some(more) => unsafe { pages::commit(base.wrapping_add(self.committed), more).is_ok() },
            None => {
                let less = self.committed - wanted;
                // SAFETY: the range lies in this reservation; nobody uses bytes behind `len` from
                // here on.
                unsafe { pages::decommit(base.wrapping_add(wanted), less).is_ok() }
            }
        };
        if done {
            self.committed = wanted;
        }
        done
    }

    /// Zeroes the accessible bytes.
    pub fn clear(&self) -> bool {
        let base = self.base.as_ptr();
        // SAFETY: `committed` bytes are accessible, and their user has given them back.
        unsafe {
            if self.committed <= ZEROED_BY_HAND_MAX {
                clear(base, self.committed);
                true
            } else {
                pages::zero(base, self.committed).is_ok()
            }
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        // SAFETY: the reservation owns these addresses, and its user is gone.
        let _ = unsafe { pages::release(self.base.as_ptr(), self.reserved) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(reservation: &Reservation, len: usize) -> &[u8] {
        // SAFETY: the tests ask for bytes that they committed.
        unsafe { std::slice::from_raw_parts(reservation.base.as_ptr(), len) }
    }

    fn dirty(reservation: &Reservation, len: usize) {
        // SAFETY: the tests ask for bytes that they committed.
        unsafe { std::ptr::write_bytes(reservation.base.as_ptr(), 0xa5, len) };
    }

    #[test]
    fn what_comes_back_is_reused_and_zero() {
        let pool = MemoryPool::new();
        for len in [65536, ZEROED_BY_HAND_MAX + 65536] {
            let first = pool.take(len, len).expect("memory");
            let base = first.base;
            dirty(&first, len);
            pool.put(first);
            let second = pool.take(len, len).expect("memory");
            assert_eq!(second.base, base);
            assert!(bytes(&second, len).iter().all(|&byte| byte == 0));
            pool.trim();
        }
    }

    #[test]
    fn the_best_fit_is_preferred_and_others_are_resized() {
        let pool = MemoryPool::new();
        let small = pool.take(65536, 65536).expect("memory");
        let large = pool.take(2 * 65536, 65536).expect("memory");
        let bases = (small.base, large.base);
        dirty(&large, 2 * 65536);
        pool.put(small);
        pool.put(large);
        let small = pool.take(65536, 65536).expect("memory");
        assert_eq!(small.base, bases.0);
        let resized = pool.take(3 * 65536, 3 * 65536).expect("memory");
        assert_eq!(resized.base, bases.1);
        assert!(bytes(&resized, 3 * 65536).iter().all(|&byte| byte == 0));
        let mut resized = resized;
        assert!(resized.resize(65536) && resized.resize(4 * 65536));
        assert!(bytes(&resized, 4 * 65536).iter().all(|&byte| byte == 0));
        assert!(!resized.resize(MEMORY32_BYTES + 1));
        assert!(!resized.resize(usize::MAX));
    }

    #[test]
    fn large_memories_get_some_of_what_they_may_grow_to() {
        let pool = MemoryPool::new();
        let mut large = pool.take(1, usize::MAX >> 16).expect("memory");
        assert!((MEMORY32_BYTES..=MEMORY64_BYTES).contains(&(large.reserved - GUARD_BYTES)));
        assert!(large.resize(MEMORY32_BYTES) && !large.resize(MEMORY64_BYTES + 1));
        pool.put(large);
        assert_eq!(pool.kept.lock().len, 0);
        let exact = pool.take(MEMORY64_BYTES + 1, usize::MAX >> 16);
        assert!(exact.is_none_or(|exact| exact.reserved > MEMORY64_BYTES + GUARD_BYTES));
        assert!(pool.take(usize::MAX >> 1, usize::MAX).is_none());
    }

    #[test]
    fn no_more_than_a_few_are_kept() {
        let pool = MemoryPool::new();
        let taken: Vec<_> = (0..KEPT_MAX + 3).filter_map(|_| pool.take(0, 0)).collect();
        assert_eq!(taken.len(), KEPT_MAX + 3);
        taken.into_iter().for_each(|reservation| pool.put(reservation));
        assert_eq!(pool.kept.lock().len, KEPT_MAX);
    }
}
