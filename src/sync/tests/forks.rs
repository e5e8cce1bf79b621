//! Fork locks and biased locks on threads of the system's, mostly where the system has no barrier
//! for all threads.

use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use crate::sync::fork::{Counter, ForkLock};
use crate::sync::{BiasedLock, OWNER_STEP};
use std::thread;
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_millis(if cfg!(miri) { 50 } else { 300 });

fn counter(lock: &ForkLock) -> &'static Counter {
    let counter: &'static Counter = Box::leak(Box::new(Counter::new(false)));
    lock.add(counter);
    counter
}

/// Sections and forks where the system has no barrier for all threads.
#[test]
fn no_section_is_open_while_a_fork_goes_on() {
    let (lock, shared, over) = (ForkLock::fenced(), Counter::new(true), AtomicBool::new(false));
    assert!(!lock.has_barrier());
    let (inside, sections) = (AtomicU32::new(0), AtomicU32::new(0));
    let own = counter(&lock);
    let seen = thread::scope(|scope| {
        scope.spawn(|| {
            let counter = counter(&lock);
            while !over.load(Ordering::Relaxed) {
                lock.enter(counter);
                // No locked instruction, which would make the section known.
                let count = sections.load(Ordering::Relaxed);
                inside.store(1, Ordering::Relaxed);
                sections.store(count + 1, Ordering::Relaxed);
                inside.store(0, Ordering::Relaxed);
                lock.leave(counter);
                (0..count % 64).for_each(|_| std::hint::spin_loop());
            }
        });
        let (start, mut seen) = (Instant::now(), 0);
        while start.elapsed() < TIME {
            lock.close(own, &shared);
            let before = sections.load(Ordering::Relaxed);
            for _ in 0..100 {
                seen += inside.load(Ordering::Relaxed);
            }
            seen += sections.load(Ordering::Relaxed) - before;
            lock.open();
        }
        over.store(true, Ordering::Relaxed);
        seen
    });
    assert_eq!(seen, 0);
    assert!(sections.into_inner() > 0);
    assert!(!lock.has_barrier(), "opening leaves that as it is");
}

/// No lock has a bias that could not be revoked.
#[test]
fn without_the_barrier_owners_take_turns() {
    let lock = BiasedLock::with(false);
    let (inside, turns) = (AtomicUsize::new(0), AtomicU32::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        for owner in [OWNER_STEP, 2 * OWNER_STEP] {
            let (lock, inside, turns) = (&lock, &inside, &turns);
            scope.spawn(move || {
                while start.elapsed() < TIME {
                    if lock.try_lock(owner) {
                        assert_eq!(inside.swap(owner, Ordering::Relaxed), 0);
                        assert!(lock.try_lock(owner));
                        lock.unlock();
                        assert_eq!(inside.swap(0, Ordering::Relaxed), owner);
                        lock.unlock();
                        turns.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(turns.into_inner() > 0);
    assert!(lock.try_lock(OWNER_STEP) && lock.depth() == 1);
}

/// The owner of an earlier epoch does not exist any more, however often it holds the lock.
#[test]
fn a_stale_lock_is_free() {
    for has_barrier in [true, false] {
        let lock = BiasedLock::with(has_barrier);
        assert!(lock.try_lock(OWNER_STEP) && lock.try_lock(OWNER_STEP));
        assert!(!lock.try_lock(2 * OWNER_STEP));
        lock.make_stale();
        assert!(lock.try_lock(2 * OWNER_STEP) && lock.depth() == 1);
        assert!(!lock.try_lock(3 * OWNER_STEP));
    }
}
