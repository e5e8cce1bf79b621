//! The progress of a thing that one thread makes and all threads need.
//!
//! A [`Making`] is one word. A thread that needs the thing while no thread makes it gets the
//! [`Turn`] to do so; others may wait in a [`WaitQueue`], where the end of the turn is notified.
//! When the thing is made, a check takes one load and no lock.
//!
//! A turn is no section: it may take long, and forks do not wait for it. A turn of an earlier
//! [`Epoch`] is stale: the next thread makes the thing anew, and a turn that was taken over
//! changes nothing when it ends.

use super::atomic::{AtomicU32, Ordering};
use super::{Epoch, WaitQueue};

/// No thread makes it.
const NOBODY: u32 = 0;
/// It is made.
const MADE: u32 = 1;
/// It cannot be made; the reason stands in the upper bits.
const FAILED: u32 = 2;
/// A thread makes it, in the epoch whose number stands in the upper bits.
const BUSY: u32 = 3;
const KIND: u32 = 3;
/// Beside `BUSY`: a thread waits for the end of the turn.
const AWAITED: u32 = 4;
const SHIFT: u32 = 3;

/// See the module. Owner: the owner of the thing.
pub struct Making {
    word: AtomicU32,
}

/// The progress of the thing.
pub enum Found<'a> {
    Made,
    /// A turn has failed for good, for this reason.
    Failed(u32),
    /// Another thread makes it.
    Busy,
    /// The caller is to make it.
    Turn(Turn<'a>),
}

/// The right to make the thing, of one thread. If it is dropped, no thread makes the thing any
/// more, and the next one may try.
#[must_use = "nobody else makes the thing while the turn lives"]
pub struct Turn<'a> {
    making: &'a Making,
    /// The queue in which others wait for the thing, and their key.
    queue: &'a WaitQueue,
    key: u64,
    /// The word while the turn lasts, without `AWAITED`.
    word: u32,
}

/// The word of a turn that begins now.
fn busy() -> u32 {
    BUSY | Epoch::now().number() << SHIFT
}

impl Making {
    pub fn new() -> Self {
        Self { word: AtomicU32::new(NOBODY) }
    }

    /// Asks for the thing. Threads wait for it in `queue`, by `key`.
    pub fn find<'a>(&'a self, queue: &'a WaitQueue, key: u64) -> Found<'a> {
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
                Ok(_) => return Found::Turn(Turn { making: self, queue, key, word: mine }),
                Err(now) => seen = now,
            }
        }
    }

    /// Whether another thread makes the thing and will notify the caller. To be asked by
    /// [`WaitQueue::wait`], before the wait begins.
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
    /// Whether the caller is still the one to make the thing. It is not after a thread of a later
    /// epoch has taken the turn over.
    pub fn is_valid(&self) -> bool {
        self.making.word.load(Ordering::Relaxed) & !AWAITED == self.word
    }

    /// The thing is made: threads that find it see all that was written before.
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
            self.queue.notify(self.key, u32::MAX);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        // Nothing, after `made` and `failed`.
        self.end(NOBODY);
    }
}
