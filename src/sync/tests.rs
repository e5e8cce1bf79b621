use super::Lock;
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
