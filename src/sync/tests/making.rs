//! Something that is made once, by one thread for all.

#[cfg(not(loom))]
mod threads {
    use crate::sync::{Found, Making, WaitQueue};

    #[test]
    fn a_turn_ends_as_it_says() {
        let (making, queue) = (Making::new(), WaitQueue::new());
        let Found::Turn(turn) = making.find(&queue, 1) else { panic!("nobody makes it") };
        assert!(matches!(making.find(&queue, 1), Found::Busy));
        assert!(turn.is_valid() && making.is_awaited());
        drop(turn);
        assert!(!making.is_awaited());
        let Found::Turn(turn) = making.find(&queue, 1) else { panic!("it can be tried again") };
        turn.failed(77);
        assert!(matches!(making.find(&queue, 1), Found::Failed(77)));
        let making = Making::new();
        let Found::Turn(turn) = making.find(&queue, 1) else { panic!("nobody makes it") };
        turn.made();
        assert!(matches!(making.find(&queue, 1), Found::Made));
        assert!(!making.is_awaited());
    }
}

/// Every interleaving of a few threads. Run with `RUSTFLAGS="--cfg loom"`.
#[cfg(loom)]
mod model {
    use crate::sync::{Found, Making, Parker, WaitLimit, WaitOutcome, WaitQueue};
    use loom::cell::UnsafeCell;
    use loom::sync::Arc;
    use loom::sync::atomic::{AtomicBool, Ordering};
    use loom::thread;

    struct Thing {
        making: Making,
        queue: WaitQueue,
        value: UnsafeCell<u32>,
        /// A request to stop.
        stop: AtomicBool,
        parkers: [Parker; 2],
    }

    impl Thing {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                making: Making::new(),
                queue: WaitQueue::new(),
                value: UnsafeCell::new(0),
                stop: AtomicBool::new(false),
                parkers: [Parker::new(), Parker::new()],
            })
        }

        /// Needs the thing, as running code does; with `gives_up`, the first turn makes nothing.
        /// Whether the value was seen.
        fn need(&self, me: usize, gives_up: bool) -> bool {
            let mut gives_up = gives_up;
            loop {
                match self.making.find(&self.queue, 9) {
                    Found::Made => {
                        // SAFETY: it is made, and changes no more; loom fails the test if not.
                        self.value.with(|value| assert_eq!(unsafe { *value }, 1));
                        return true;
                    }
                    Found::Failed(_) => return false,
                    Found::Turn(turn) if gives_up => {
                        gives_up = false;
                        drop(turn);
                        return false;
                    }
                    Found::Turn(turn) => {
                        // SAFETY: the turn is this thread's; loom fails the test if two
                        // threads can have one.
                        self.value.with_mut(|value| unsafe { *value += 1 });
                        turn.made();
                    }
                    Found::Busy => {
                        let is_time = || self.making.is_awaited();
                        let limit = Stop(&self.stop);
                        let outcome = self.queue.wait(9, &self.parkers[me], &limit, is_time);
                        if outcome == WaitOutcome::Stopped {
                            return false;
                        }
                    }
                }
            }
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

    fn check(model: impl Fn() + Send + Sync + 'static) {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(model);
    }

    /// A lost wake-up is a deadlock, which loom reports.
    #[test]
    fn it_is_made_once_and_waiters_get_it() {
        check(|| {
            let thing = Thing::new();
            let other = Arc::clone(&thing);
            let other = thread::spawn(move || other.need(1, false));
            assert!(thing.need(0, false));
            assert!(other.join().unwrap());
            assert!(thing.queue.is_empty());
        });
    }

    #[test]
    fn a_turn_that_is_given_up_passes_on() {
        check(|| {
            let thing = Thing::new();
            let other = Arc::clone(&thing);
            let other = thread::spawn(move || other.need(1, true));
            assert!(thing.need(0, false));
            // The thread that gives up may also have found it made.
            let _ = other.join().unwrap();
            assert!(thing.queue.is_empty());
        });
    }

    #[test]
    fn a_waiter_stops_on_request() {
        check(|| {
            let thing = Thing::new();
            let Found::Turn(turn) = thing.making.find(&thing.queue, 9) else {
                panic!("nobody makes it")
            };
            let other = Arc::clone(&thing);
            let other = thread::spawn(move || other.need(1, false));
            thing.stop.store(true, Ordering::Release);
            thing.parkers[1].wake();
            // It stops although the thing is not made.
            assert!(!other.join().unwrap());
            assert!(turn.is_valid());
            drop(turn);
            assert!(thing.queue.is_empty());
        });
    }
}
