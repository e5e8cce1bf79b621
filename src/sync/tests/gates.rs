//! Gates and uses where the system has no barrier for all threads, on threads of the system's.

use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use crate::sync::gate::{Gate, Place};
use crate::sync::{USER_STEP, Usage};
use std::thread;
use std::time::{Duration, Instant};

const TIME: Duration = Duration::from_millis(if cfg!(miri) { 50 } else { 300 });

fn place(gate: &Gate) -> &'static Place {
    let place: &'static Place = Box::leak(Box::new(Place::new(false)));
    gate.add(place);
    place
}

/// Sections and forks where the system has no barrier for all threads.
#[test]
fn no_section_is_open_while_a_fork_goes_on() {
    let (gate, shared, over) = (Gate::fenced(), Place::new(true), AtomicBool::new(false));
    assert!(!gate.has_barrier());
    let (inside, sections) = (AtomicU32::new(0), AtomicU32::new(0));
    let own = place(&gate);
    let seen = thread::scope(|scope| {
        scope.spawn(|| {
            let place = place(&gate);
            while !over.load(Ordering::Relaxed) {
                gate.enter(place);
                // No locked instruction, which would make the section known.
                let count = sections.load(Ordering::Relaxed);
                inside.store(1, Ordering::Relaxed);
                sections.store(count + 1, Ordering::Relaxed);
                inside.store(0, Ordering::Relaxed);
                gate.leave(place);
                (0..count % 64).for_each(|_| std::hint::spin_loop());
            }
        });
        let (start, mut seen) = (Instant::now(), 0);
        while start.elapsed() < TIME {
            gate.close(own, &shared);
            let before = sections.load(Ordering::Relaxed);
            for _ in 0..100 {
                seen += inside.load(Ordering::Relaxed);
            }
            seen += sections.load(Ordering::Relaxed) - before;
            gate.open();
        }
        over.store(true, Ordering::Relaxed);
        seen
    });
    assert_eq!(seen, 0);
    assert!(sections.into_inner() > 0);
    assert!(!gate.has_barrier(), "opening leaves it as it is");
}

/// Nobody gets for good a thing that could not be taken back.
#[test]
fn without_the_barrier_users_take_turns() {
    let usage = Usage::with(false);
    let (inside, turns) = (AtomicUsize::new(0), AtomicU32::new(0));
    let start = Instant::now();
    thread::scope(|scope| {
        for user in [USER_STEP, 2 * USER_STEP] {
            let (usage, inside, turns) = (&usage, &inside, &turns);
            scope.spawn(move || {
                while start.elapsed() < TIME {
                    if usage.enter(user) {
                        assert_eq!(inside.swap(user, Ordering::Relaxed), 0);
                        assert!(usage.enter(user));
                        usage.leave();
                        assert_eq!(inside.swap(0, Ordering::Relaxed), user);
                        usage.leave();
                        turns.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(turns.into_inner() > 0);
    assert!(usage.enter(USER_STEP) && usage.uses() == 1);
}
