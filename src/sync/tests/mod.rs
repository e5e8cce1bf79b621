//! What the parts promise each other, with threads that really run and in models.

mod making;

#[cfg(not(loom))]
mod gates;

#[cfg(not(loom))]
mod threads {
    use crate::sync::Lock;
    use std::panic::catch_unwind;
    use std::sync::Arc;
    use std::thread;

    #[test]
    fn one_thread_at_a_time() {
        let rounds = if cfg!(miri) { 50 } else { 20_000 };
        let lock = Arc::new(Lock::new((0u64, 0u64)));
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let lock = Arc::clone(&lock);
                thread::spawn(move || {
                    for round in 0..rounds {
                        let mut pair = lock.lock();
                        assert_eq!(pair.0, pair.1);
                        pair.0 += 1;
                        if round % 64 == 0 {
                            // Makes the others sleep, not just spin.
                            thread::yield_now();
                        }
                        pair.1 += 1;
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(*lock.lock(), (4 * rounds, 4 * rounds));
    }

    #[test]
    fn a_panic_releases_it() {
        let lock = Lock::new(1);
        let caught = catch_unwind(|| {
            let _guard = lock.lock();
            panic!("expected by this test");
        });
        assert!(caught.is_err());
        *lock.lock() += 1;
        assert_eq!(*lock.lock(), 2);
    }
}

#[cfg(not(loom))]
mod parking {
    use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use crate::sync::{Parked, Parker, Parking, Patience};
    use std::thread;
    use std::time::{Duration, Instant};

    struct Until<'a> {
        stop: &'a AtomicBool,
        end: Option<Instant>,
    }

    impl Patience for Until<'_> {
        fn should_stop(&self) -> bool {
            self.stop.load(Ordering::Acquire)
        }

        fn left(&self) -> Option<u64> {
            let end = self.end?;
            Some(end.saturating_duration_since(Instant::now()).as_nanos() as u64)
        }
    }

    #[test]
    fn waiters_come_and_go() {
        let (parking, parker) = (Parking::new(), Parker::new());
        let stop = AtomicBool::new(false);
        let mut patience = Until { stop: &stop, end: None };
        assert_eq!(parking.wait(0, &parker, &patience, || false), Parked::Refused);
        patience.end = Some(Instant::now() + Duration::from_millis(1));
        assert_eq!(parking.wait(0, &parker, &patience, || true), Parked::TimedOut);
        patience.end = None;
        stop.store(true, Ordering::Release);
        assert_eq!(parking.wait(0, &parker, &patience, || true), Parked::Stopped);
        assert!(parking.is_empty());
    }

    /// Threads pass a turn on by notifying each other; a lost wake-up hangs.
    #[test]
    fn no_wake_up_is_lost() {
        let rounds = if cfg!(miri) { 20 } else { 5_000 };
        let (parking, turn, stop) = (Parking::new(), AtomicU32::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            for me in 0..2 {
                let (parking, turn, stop) = (&parking, &turn, &stop);
                scope.spawn(move || {
                    let parker = Parker::new();
                    let patience = Until { stop, end: None };
                    for _ in 0..rounds {
                        while turn.load(Ordering::SeqCst) != me {
                            let theirs = || turn.load(Ordering::SeqCst) != me;
                            parking.wait(8, &parker, &patience, theirs);
                        }
                        turn.store(1 - me, Ordering::SeqCst);
                        parking.notify(8, 1);
                    }
                });
            }
        });
        assert!(parking.is_empty());
    }
}

/// Every interleaving of a few threads. Run with `RUSTFLAGS="--cfg loom"`.
#[cfg(loom)]
mod model {
    use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use crate::sync::gate::{Gate, Place};
    use crate::sync::{Lock, Parked, Parker, Parking, Patience, USER_STEP, Usage};
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::thread;

    #[test]
    fn no_two_threads_have_the_value() {
        // Unbounded, three threads take hours; two forced switches find every known mistake.
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(|| {
            let lock = Arc::new(Lock::new(UnsafeCell::new(0)));
            let add = |lock: &Lock<UnsafeCell<i32>>| {
                let value = lock.lock();
                // SAFETY: the lock is held; loom fails the test if two accesses can overlap.
                value.with_mut(|value| unsafe { *value += 1 });
            };
            let threads: Vec<_> = (0..2)
                .map(|_| {
                    let lock = Arc::clone(&lock);
                    thread::spawn(move || add(&lock))
                })
                .collect();
            add(&lock);
            for thread in threads {
                thread.join().unwrap();
            }
            // SAFETY: all threads have ended.
            lock.lock().with(|value| assert_eq!(unsafe { *value }, 3));
        });
    }

    /// Two threads change something in sections while a third one forks.
    #[test]
    fn no_fork_falls_into_a_section() {
        sections_and_a_fork(true);
    }

    /// The same where the system has no barrier for all threads.
    #[test]
    fn no_fork_falls_into_a_section_with_fences() {
        sections_and_a_fork(false);
    }

    fn sections_and_a_fork(has_barrier: bool) {
        struct Shared {
            gate: Gate,
            shared_place: Place,
            counts: [UnsafeCell<i32>; 2],
        }
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let counts = [UnsafeCell::new(0), UnsafeCell::new(0)];
            let shared_place = Place::new(true);
            let shared = Arc::new(Shared { gate: Gate::new(has_barrier), shared_place, counts });
            let place = |shared: &Shared| {
                // Places live as long as their process; a model's is an execution.
                let place: &'static Place = Box::leak(Box::new(Place::new(false)));
                shared.gate.add(place);
                place
            };
            let threads: Vec<_> = (0..2)
                .map(|number| {
                    let (shared, place) = (Arc::clone(&shared), place(&shared));
                    thread::spawn(move || {
                        shared.gate.enter(place);
                        shared.gate.enter(place);
                        // SAFETY: only the forking thread looks too; loom fails the test if
                        // the two can overlap.
                        shared.counts[number].with_mut(|count| unsafe { *count += 1 });
                        shared.gate.leave(place);
                        // SAFETY: as above.
                        shared.counts[number].with_mut(|count| unsafe { *count += 1 });
                        shared.gate.leave(place);
                    })
                })
                .collect();
            let own = place(&shared);
            shared.gate.close(own, &shared.shared_place);
            for count in &shared.counts {
                // The thread that forks may open sections itself.
                shared.gate.enter(own);
                // SAFETY: as above.
                let count = count.with(|count| unsafe { *count });
                assert!(count == 0 || count == 2);
                shared.gate.leave(own);
            }
            shared.gate.open();
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }

    /// Several users come to one thing, each of them so many times; whoever is let in is alone.
    fn users(has_barrier: bool, count: usize, times: usize, bound: usize) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(bound);
        model.check(move || {
            let shared = Arc::new((Usage::with(has_barrier), UnsafeCell::new(0)));
            let uses = move |shared: &(Usage, UnsafeCell<i32>), user: usize| {
                let (usage, value) = shared;
                let mut let_in = 0;
                for _ in 0..times {
                    if usage.enter(user) {
                        // A use inside the use is always let in.
                        assert!(usage.enter(user));
                        usage.leave();
                        // SAFETY: in use; loom fails the test if two accesses can overlap.
                        value.with_mut(|value| unsafe { *value += 1 });
                        usage.leave();
                        let_in += 1;
                    }
                }
                let_in
            };
            let threads: Vec<_> = (1..count)
                .map(|number| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || uses(&shared, USER_STEP * (number + 1)))
                })
                .collect();
            let mut let_in = uses(&shared, USER_STEP);
            for thread in threads {
                let_in += thread.join().unwrap();
            }
            assert!(let_in > 0);
            // Nobody is in it any more.
            assert!(shared.0.enter(USER_STEP) && shared.0.uses() == 1);
            // SAFETY: all threads have ended.
            shared.1.with(|value| assert_eq!(unsafe { *value }, let_in));
        });
    }

    #[test]
    fn users_are_alone() {
        for has_barrier in [true, false] {
            users(has_barrier, 2, 2, 2);
            users(has_barrier, 3, 1, 2);
        }
    }

    struct Stop<'a>(&'a AtomicBool);

    impl Patience for Stop<'_> {
        fn should_stop(&self) -> bool {
            self.0.load(Ordering::Acquire)
        }

        fn left(&self) -> Option<u64> {
            None
        }
    }

    struct Shared {
        parking: Parking,
        parker: Parker,
        word: AtomicU32,
        stop: AtomicBool,
    }

    fn shared() -> Arc<Shared> {
        Arc::new(Shared {
            parking: Parking::new(),
            parker: Parker::new(),
            word: AtomicU32::new(0),
            stop: AtomicBool::new(false),
        })
    }

    fn wait(shared: &Shared) -> Parked {
        let is_time = || shared.word.load(Ordering::SeqCst) == 0;
        shared.parking.wait(0, &shared.parker, &Stop(&shared.stop), is_time)
    }

    fn check(model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(model);
    }

    /// A store and a notification behind it: the waiter sees the one or is woken by the other.
    #[test]
    fn a_notification_is_never_lost() {
        check(|| {
            let shared = shared();
            let waiter = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || wait(&shared))
            };
            shared.word.store(1, Ordering::SeqCst);
            let woken = shared.parking.notify(0, 1);
            let parked = waiter.join().unwrap();
            assert_eq!(woken == 1, parked == Parked::Notified);
            assert!(woken == 1 || parked == Parked::Refused);
        });
    }

    /// As terminating does it: first the flag, then a wake. Nobody sleeps on, and a notification
    /// that comes at the same time counts for a waiter or not at all.
    #[test]
    fn whoever_is_told_to_stop_stops() {
        check(|| {
            let shared = shared();
            let waiter = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || wait(&shared))
            };
            let stopper = {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    shared.stop.store(true, Ordering::Release);
                    shared.parker.wake();
                })
            };
            let woken = shared.parking.notify(0, 1);
            let parked = waiter.join().unwrap();
            stopper.join().unwrap();
            let expected = if woken == 1 { Parked::Notified } else { Parked::Stopped };
            assert_eq!(parked, expected);
            assert!(shared.parking.is_empty());
        });
    }
}

#[cfg(all(unix, not(miri), not(loom)))]
mod alarms {
    use crate::sync::Alarm;
    use std::time::{Duration, Instant};

    /// Whether the descriptor becomes readable within so many milliseconds.
    fn is_readable(fd: i32, timeout_ms: i32) -> bool {
        let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // SAFETY: a list of one descriptor.
        unsafe { libc::poll(&raw mut poll, 1, timeout_ms) == 1 }
    }

    #[test]
    fn a_bell_rings_once_until_it_is_cleared() {
        let alarm = Alarm::new();
        // Nobody waits, nothing is kept.
        alarm.ring();
        let bell = alarm.bell().unwrap();
        assert!(alarm.bell().is_none());
        assert!(!is_readable(bell.fd(), 0));
        bell.clear();
        for _ in 0..3 {
            alarm.ring();
            alarm.limit(None);
            assert!(is_readable(bell.fd(), 0));
            bell.clear();
            assert!(!is_readable(bell.fd(), 0));
        }
        drop(bell);
        assert!(alarm.bell().is_some());
    }

    #[test]
    fn a_bell_wakes_another_thread() {
        let alarm = Alarm::new();
        let bell = alarm.bell().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                alarm.ring();
            });
            let start = Instant::now();
            assert!(is_readable(bell.fd(), 60_000));
            assert!(start.elapsed() >= Duration::from_millis(19));
        });
    }

    #[cfg(target_os = "linux")]
    fn sleep_in_the_system(time: Duration) -> bool {
        let time =
            libc::timespec { tv_sec: time.as_secs() as _, tv_nsec: time.subsec_nanos() as _ };
        // SAFETY: the call reads the time, and writes nothing for null.
        unsafe { libc::nanosleep(&time, std::ptr::null_mut()) == 0 }
    }

    /// Rings that come before the call still interrupt it, as often as it is made.
    #[cfg(target_os = "linux")]
    #[test]
    fn operations_are_interrupted_until_they_end() {
        let alarm = Alarm::new();
        for _ in 0..20 {
            alarm.begin(None);
            alarm.ring();
            // More time is no reason to go on.
            alarm.limit(Some(Duration::from_secs(3600)));
            assert!(!sleep_in_the_system(Duration::from_secs(60)));
            assert!(!sleep_in_the_system(Duration::from_secs(60)));
            alarm.end();
            assert!(sleep_in_the_system(Duration::from_millis(12)));
        }
        alarm.end();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn operations_have_a_time_limit() {
        let alarm = Alarm::new();
        let start = Instant::now();
        alarm.begin(Some(Duration::from_millis(20)));
        alarm.begin(None);
        assert!(!sleep_in_the_system(Duration::from_secs(60)));
        assert!(start.elapsed() >= Duration::from_millis(20));
        alarm.limit(None);
        assert!(sleep_in_the_system(Duration::from_millis(12)));
        alarm.limit(Some(Duration::from_millis(5)));
        alarm.end();
        assert!(!sleep_in_the_system(Duration::from_secs(60)));
        alarm.end();
        assert!(sleep_in_the_system(Duration::from_millis(12)));
    }
}
