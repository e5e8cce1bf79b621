use super::{arm_exit, get, set};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Something a word may point to while these tests run: the test program's allocator follows
/// the word, and takes zeros for a thread's head on which nothing is current.
#[derive(Default)]
struct Target([u64; 8]);

impl Target {
    fn word(&self) -> *mut u8 {
        self.0.as_ptr() as *mut u8
    }
}

#[test]
fn each_thread_has_its_own_word() {
    thread::spawn(|| {
        assert!(get().is_null());
        let here = Target::default();
        set(here.word());
        let seen = thread::spawn(|| get() as usize).join().unwrap();
        assert_eq!(seen, 0);
        assert_eq!(get(), here.word());
        set(null_mut());
        assert!(get().is_null());
    })
    .join()
    .unwrap();
}

#[test]
fn the_exit_callback_runs_once_with_the_word() {
    /// Sum of the words that the callback got.
    static HITS: AtomicUsize = AtomicUsize::new(0);
    unsafe fn replaced(_: *mut u8) {
        HITS.fetch_add(1, Ordering::SeqCst);
    }
    unsafe fn last(word: *mut u8) {
        HITS.fetch_add(word as usize, Ordering::SeqCst);
    }
    let run = |word: usize| {
        thread::spawn(move || {
            // SAFETY: both callbacks take the word as a number and follow nothing.
            unsafe {
                assert!(arm_exit(replaced));
                assert!(arm_exit(last));
            }
            set(word as *mut u8);
        })
        .join()
        .unwrap();
    };
    let target = Target::default();
    let word = target.word() as usize;
    run(word);
    assert_eq!(HITS.load(Ordering::SeqCst), word);
    run(0);
    assert_eq!(HITS.load(Ordering::SeqCst), word);
}

/// The system calls destructors of keys in the order of the keys, and again while there is
/// something to destroy: one that arms after the hook has run has it run once more.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu", not(miri)))]
fn arming_after_the_hook_ran_runs_it_again() {
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    static RUNS_WHEN_LATE: AtomicUsize = AtomicUsize::new(usize::MAX);
    static WORD: AtomicUsize = AtomicUsize::new(0);
    unsafe fn count(_: *mut u8) {
        RUNS.fetch_add(1, Ordering::SeqCst);
    }
    extern "C" fn late(_: *mut std::ffi::c_void) {
        RUNS_WHEN_LATE.store(RUNS.load(Ordering::SeqCst), Ordering::SeqCst);
        assert!(get().is_null(), "the word is gone with the hook");
        set(WORD.load(Ordering::SeqCst) as *mut u8);
        // SAFETY: the callback ignores its argument.
        assert!(unsafe { arm_exit(count) });
    }
    let target = Target::default();
    WORD.store(target.word() as usize, Ordering::SeqCst);
    thread::spawn(|| {
        // SAFETY: the callback ignores its argument; the key is this test's own.
        unsafe {
            assert!(arm_exit(count));
            let mut key = 0;
            assert_eq!(libc::pthread_key_create(&mut key, Some(late)), 0);
            assert_eq!(libc::pthread_setspecific(key, std::ptr::without_provenance(1)), 0);
        }
        set(WORD.load(Ordering::SeqCst) as *mut u8);
    })
    .join()
    .unwrap();
    assert_eq!(RUNS_WHEN_LATE.load(Ordering::SeqCst), 1);
    assert_eq!(RUNS.load(Ordering::SeqCst), 2);
}
