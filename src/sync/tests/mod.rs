//! The guarantees of each part, with threads that really run and in models.

mod making;

#[cfg(not(loom))]
mod forks;

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
mod queues {
    use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use crate::sync::{Parker, WaitLimit, WaitOutcome, WaitQueue};
    use std::thread;
    use std::time::{Duration, Instant};

    struct Until<'a> {
        stop: &'a AtomicBool,
        end: Option<Instant>,
    }

    impl WaitLimit for Until<'_> {
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
        let (queue, parker) = (WaitQueue::new(), Parker::new());
        let stop = AtomicBool::new(false);
        let mut limit = Until { stop: &stop, end: None };
        assert_eq!(queue.wait(0, &parker, &limit, || false), WaitOutcome::Refused);
        limit.end = Some(Instant::now() + Duration::from_millis(1));
        assert_eq!(queue.wait(0, &parker, &limit, || true), WaitOutcome::TimedOut);
        limit.end = None;
        stop.store(true, Ordering::Release);
        assert_eq!(queue.wait(0, &parker, &limit, || true), WaitOutcome::Stopped);
        assert!(queue.is_empty());
    }

    /// Threads pass a turn on by notifying each other; a lost wake-up hangs.
    #[test]
    fn no_wake_up_is_lost() {
        let rounds = if cfg!(miri) { 20 } else { 5_000 };
        let (queue, turn, stop) = (WaitQueue::new(), AtomicU32::new(0), AtomicBool::new(false));
        thread::scope(|scope| {
            for me in 0..2 {
                let (queue, turn, stop) = (&queue, &turn, &stop);
                scope.spawn(move || {
                    let parker = Parker::new();
                    let limit = Until { stop, end: None };
                    for _ in 0..rounds {
                        while turn.load(Ordering::SeqCst) != me {
                            let theirs = || turn.load(Ordering::SeqCst) != me;
                            queue.wait(8, &parker, &limit, theirs);
                        }
                        turn.store(1 - me, Ordering::SeqCst);
                        queue.notify(8, 1);
                    }
                });
            }
        });
        assert!(queue.is_empty());
    }
}

/// Every interleaving of a few threads. Run with `RUSTFLAGS="--cfg loom"`.
#[cfg(loom)]
mod model {
    use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
    use crate::sync::fork::{Counter, ForkLock};
    use crate::sync::{BiasedLock, Lock, OWNER_STEP, Parker, WaitLimit, WaitOutcome, WaitQueue};
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
            lock: ForkLock,
            shared_counter: Counter,
            counts: [UnsafeCell<i32>; 2],
        }
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(3);
        model.check(move || {
            let counts = [UnsafeCell::new(0), UnsafeCell::new(0)];
            let shared_counter = Counter::new(true);
            let shared =
                Arc::new(Shared { lock: ForkLock::new(has_barrier), shared_counter, counts });
            let counter = |shared: &Shared| {
                // Counters live as long as their process; a model's is an execution.
                let counter: &'static Counter = Box::leak(Box::new(Counter::new(false)));
                shared.lock.add(counter);
                counter
            };
            let threads: Vec<_> = (0..2)
                .map(|number| {
                    let (shared, counter) = (Arc::clone(&shared), counter(&shared));
                    thread::spawn(move || {
                        shared.lock.enter(counter);
                        shared.lock.enter(counter);
                        // SAFETY: only the forking thread looks too; loom fails the test if
                        // the two can overlap.
                        shared.counts[number].with_mut(|count| unsafe { *count += 1 });
                        shared.lock.leave(counter);
                        // SAFETY: in a section, where the forking thread cannot look.
                        shared.counts[number].with_mut(|count| unsafe { *count += 1 });
                        shared.lock.leave(counter);
                    })
                })
                .collect();
            let own = counter(&shared);
            shared.lock.close(own, &shared.shared_counter);
            for count in &shared.counts {
                // The thread that forks may open sections itself.
                shared.lock.enter(own);
                // SAFETY: the lock is closed: no other thread is in a section.
                let count = count.with(|count| unsafe { *count });
                assert!(count == 0 || count == 2);
                shared.lock.leave(own);
            }
            shared.lock.open();
            for thread in threads {
                thread.join().unwrap();
            }
        });
    }

    type Locked = (BiasedLock, UnsafeCell<i32>);

    const OWNERS: [usize; 3] = [OWNER_STEP, 2 * OWNER_STEP, 3 * OWNER_STEP];

    /// Takes the lock that number of times; returns how often that succeeded.
    fn take(shared: &Locked, owner: usize, times: usize) -> i32 {
        let (lock, value) = shared;
        let mut taken = 0;
        for _ in 0..times {
            if lock.try_lock(owner) {
                // An owner always gets the lock again.
                assert!(lock.try_lock(owner));
                lock.unlock();
                // SAFETY: the lock is held; loom fails the test if two accesses can overlap.
                value.with_mut(|value| unsafe { *value += 1 });
                lock.unlock();
                taken += 1;
            }
        }
        taken
    }

    /// The owners take one lock, each of them several times; each is alone with it.
    fn compete(
        make: impl Fn() -> BiasedLock + Send + Sync + 'static,
        owners: &'static [usize],
        times: usize,
    ) {
        let mut model = loom::model::Builder::new();
        model.preemption_bound = Some(2);
        model.check(move || {
            let shared = Arc::new((make(), UnsafeCell::new(0)));
            let threads: Vec<_> = (owners[1..].iter())
                .map(|&owner| {
                    let shared = Arc::clone(&shared);
                    thread::spawn(move || take(&shared, owner, times))
                })
                .collect();
            let mut taken = take(&shared, owners[0], times);
            for thread in threads {
                taken += thread.join().unwrap();
            }
            assert!(taken > 0);
            // Nobody holds it any more.
            assert!(shared.0.try_lock(owners[0]) && shared.0.depth() == 1);
            // SAFETY: all threads have ended.
            shared.1.with(|value| assert_eq!(unsafe { *value }, taken));
        });
    }

    #[test]
    fn owners_are_alone() {
        for has_barrier in [true, false] {
            compete(move || BiasedLock::with(has_barrier), &OWNERS[..2], 2);
            compete(move || BiasedLock::with(has_barrier), &OWNERS, 1);
        }
    }

    /// A lock whose owner is a thread of an earlier epoch and holds it, or does not.
    fn stale(has_barrier: bool, owner: usize, is_held: bool) -> BiasedLock {
        let lock = BiasedLock::with(has_barrier);
        assert!(lock.try_lock(owner));
        if !is_held {
            lock.unlock();
        }
        lock.make_stale();
        lock
    }

    #[test]
    fn owners_of_a_stale_lock_are_alone() {
        let lost = 9 * OWNER_STEP;
        for has_barrier in [true, false] {
            let unowned = move || {
                let lock = BiasedLock::with(has_barrier);
                lock.make_stale();
                lock
            };
            compete(unowned, &OWNERS[..2], 1);
            compete(move || stale(has_barrier, lost, true), &OWNERS[..2], 1);
            // The model's survivor is the first one, and comes to its lock no more.
            compete(move || stale(has_barrier, OWNERS[0], false), &OWNERS[1..], 1);
        }
    }

    struct Stop<'a>(&'a AtomicBool);

    impl WaitLimit for Stop<'_> {
        fn should_stop(&self) -> bool {
            self.0.load(Ordering::Acquire)
        }

        fn left(&self) -> Option<u64> {
            None
        }
    }

    struct Shared {
        queue: WaitQueue,
        parker: Parker,
        word: AtomicU32,
        stop: AtomicBool,
    }

    fn shared() -> Arc<Shared> {
        Arc::new(Shared {
            queue: WaitQueue::new(),
            parker: Parker::new(),
            word: AtomicU32::new(0),
            stop: AtomicBool::new(false),
        })
    }

    fn wait(shared: &Shared) -> WaitOutcome {
        let is_time = || shared.word.load(Ordering::SeqCst) == 0;
        shared.queue.wait(0, &shared.parker, &Stop(&shared.stop), is_time)
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
            let woken = shared.queue.notify(0, 1);
            let outcome = waiter.join().unwrap();
            assert_eq!(woken == 1, outcome == WaitOutcome::Notified);
            assert!(woken == 1 || outcome == WaitOutcome::Refused);
        });
    }

    /// As terminating does it: first the flag, then a wake. No thread sleeps on, and a notification
    /// that comes at the same time counts for a waiter or not at all.
    #[test]
    fn a_waiter_stops_on_request() {
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
            let woken = shared.queue.notify(0, 1);
            let outcome = waiter.join().unwrap();
            stopper.join().unwrap();
            let expected = if woken == 1 { WaitOutcome::Notified } else { WaitOutcome::Stopped };
            assert_eq!(outcome, expected);
            assert!(shared.queue.is_empty());
        });
    }
}

#[cfg(all(unix, not(miri), not(loom)))]
mod interrupts {
    use crate::sync::Interrupt;
    use std::time::{Duration, Instant};

    /// Whether the descriptor becomes readable within so many milliseconds.
    fn is_readable(fd: i32, timeout_ms: i32) -> bool {
        let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // SAFETY: a list of one descriptor.
        unsafe { libc::poll(&raw mut poll, 1, timeout_ms) == 1 }
    }

    #[test]
    fn a_wake_descriptor_is_readable_until_it_is_cleared() {
        let interrupt = Interrupt::new();
        // Nobody waits, nothing is kept.
        interrupt.wake();
        let wake = interrupt.wake_descriptor().unwrap();
        assert!(interrupt.wake_descriptor().is_none());
        assert!(!is_readable(wake.fd(), 0));
        wake.clear();
        for _ in 0..3 {
            interrupt.wake();
            interrupt.limit(None);
            assert!(is_readable(wake.fd(), 0));
            wake.clear();
            assert!(!is_readable(wake.fd(), 0));
        }
        drop(wake);
        assert!(interrupt.wake_descriptor().is_some());
    }

    #[test]
    fn a_wake_descriptor_wakes_another_thread() {
        let interrupt = Interrupt::new();
        let wake = interrupt.wake_descriptor().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(20));
                interrupt.wake();
            });
            let start = Instant::now();
            assert!(is_readable(wake.fd(), 60_000));
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
        let interrupt = Interrupt::new();
        for _ in 0..20 {
            interrupt.begin(None);
            interrupt.wake();
            // More time is no reason to go on.
            interrupt.limit(Some(Duration::from_secs(3600)));
            assert!(!sleep_in_the_system(Duration::from_secs(60)));
            assert!(!sleep_in_the_system(Duration::from_secs(60)));
            interrupt.end();
            assert!(sleep_in_the_system(Duration::from_millis(12)));
        }
        interrupt.end();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn operations_have_a_time_limit() {
        let interrupt = Interrupt::new();
        let start = Instant::now();
        interrupt.begin(Some(Duration::from_millis(20)));
        interrupt.begin(None);
        assert!(!sleep_in_the_system(Duration::from_secs(60)));
        assert!(start.elapsed() >= Duration::from_millis(20));
        interrupt.limit(None);
        assert!(sleep_in_the_system(Duration::from_millis(12)));
        interrupt.limit(Some(Duration::from_millis(5)));
        interrupt.end();
        assert!(!sleep_in_the_system(Duration::from_secs(60)));
        interrupt.end();
        assert!(sleep_in_the_system(Duration::from_millis(12)));
    }
}
