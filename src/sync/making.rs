//! How far something is that one thread makes and all threads need.
//!
//! A [`Making`] is one word. Who needs the thing while nobody makes it gets the [`Turn`] to do so;
//! who comes meanwhile may wait at a [`Parking`], where the end of the turn is notified. When the
//! thing is there, everybody passes with one load and no lock.
//!
//! A turn is no section: it may take long, and forks do not wait for it. In the child of a fork,
//! the turns of threads that did not come along are void. Who comes next makes the thing anew, and
//! a turn that was taken over changes nothing when it ends.

use super::atomic::{AtomicU32, Ordering};
use super::{Parking, forks};

/// Nobody makes it.
const NOBODY: u32 = 0;
/// It is there.
const MADE: u32 = 1;
/// It will never be there; why stands in the upper bits.
const FAILED: u32 = 2;
/// Somebody makes it, in the process that the upper bits number.
const BUSY: u32 = 3;
const KIND: u32 = 3;
/// Beside `BUSY`: somebody waits for the end of the turn.
const AWAITED: u32 = 4;
const SHIFT: u32 = 3;

/// See the module. Owner: what keeps the thing.
pub struct Making {
    word: AtomicU32,
}

/// How far the thing is.
pub enum Found<'a> {
    Made,
    /// What the turn said that failed for good.
    Failed(u32),
    /// Another thread makes it.
    Busy,
    /// The caller is to make it.
    Turn(Turn<'a>),
}

/// The right to make the thing, of one thread. If it is dropped, nobody makes it any more, and
/// the next one may try.
#[must_use = "nobody else makes the thing while the turn lives"]
pub struct Turn<'a> {
    making: &'a Making,
    /// Where those wait that need the thing, and at which place.
    parking: &'a Parking,
    place: u64,
    /// The word while the turn lasts, but for `AWAITED`.
    word: u32,
}

/// The word of a turn that begins now.
fn busy() -> u32 {
    BUSY | forks() << SHIFT
}

impl Making {
    pub fn new() -> Self {
        Self { word: AtomicU32::new(NOBODY) }
    }

    /// Asks for the thing. Those who wait for it do so at `place` of `parking`.
    pub fn find<'a>(&'a self, parking: &'a Parking, place: u64) -> Found<'a> {
        let mine = busy();
        let mut seen = self.word.load(Ordering::Acquire);
        loop {
            match seen & KIND {
                MADE => return Found::Made,
                FAILED => return Found::Failed(seen >> SHIFT),
                BUSY if seen & !AWAITED == mine => return Found::Busy,
                _ => {}
            }
            let taken =
                self.word.compare_exchange(seen, mine, Ordering::Acquire, Ordering::Acquire);
            match taken {
                Ok(_) => return Found::Turn(Turn { making: self, parking, place, word: mine }),
                Err(now) => seen = now,
            }
        }
    }

    /// Whether somebody makes the thing who will notify the caller, which is to be asked when
    /// that may begin to wait: by [`Parking::wait`].
    pub fn is_awaited(&self) -> bool {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & !AWAITED == busy() {
            let awaited = seen | AWAITED;
            let noted =
                self.word.compare_exchange(seen, awaited, Ordering::Relaxed, Ordering::Relaxed);
            match noted {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }
}

impl Turn<'_> {
    /// Whether the thing is still the caller's to make. It is not, once somebody in the child of
    /// a fork has taken the turn over.
    pub fn is_valid(&self) -> bool {
        self.making.word.load(Ordering::Relaxed) & !AWAITED == self.word
    }

    /// The thing is there: whoever finds it sees all that was written before.
    pub fn made(self) {
        self.end(MADE);
    }

    /// The thing cannot be made, for a reason of 29 bits.
    pub fn failed(self, reason: u32) {
        self.end(FAILED | reason << SHIFT);
    }

    fn end(&self, word: u32) {
        let word_now = |seen: u32| (seen & !AWAITED == self.word).then_some(word);
        let making = &self.making.word;
        let ended = making.fetch_update(Ordering::Release, Ordering::Relaxed, word_now);
        if ended.is_ok_and(|seen| seen & AWAITED != 0) {
            self.parking.notify(self.place, u32::MAX);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Nothing, after `made` and `failed`.
        self.end(NOBODY);
    }
}
