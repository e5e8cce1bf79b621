//! Every interleaving of a few threads at the lock. Run with `RUSTFLAGS="--cfg loom"`.

use super::Lock;
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::thread;

#[test]
fn no_two_threads_have_the_value() {
    loom::model(|| {
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
