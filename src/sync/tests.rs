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

/// Every interleaving of a few threads. Run with `RUSTFLAGS="--cfg loom"`.
#[cfg(loom)]
mod model {
    use crate::sync::Lock;
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
}
