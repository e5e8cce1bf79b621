use super::{arm_exit, get, set};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
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

/// Destructors run in some order, which nothing promises; where they run in the reverse of the
/// order of registration, or in that order, one of the two threads arms after its hook.
#[test]
fn arming_after_the_hook_ran_is_refused() {
    struct Late(mpsc::Sender<(bool, bool)>);
    impl Drop for Late {
        fn drop(&mut self) {
            // SAFETY: the callback ignores its argument.
            let armed = unsafe { arm_exit(|_| ()) };
            // The receiver waits.
            let _ = self.0.send((armed, get().is_null()));
        }
    }
    thread_local! {
        /// Owner: the thread of this test.
        static LATE: std::cell::RefCell<Option<Late>> = const { std::cell::RefCell::new(None) };
    }
    let target = Target::default();
    let word = target.word() as usize;
    let found = [true, false].map(|late_first| {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let late = || LATE.with(|late| *late.borrow_mut() = Some(Late(sender)));
            // SAFETY: the callback ignores its argument.
            let arm = || assert!(unsafe { arm_exit(|_| ()) });
            if late_first {
                late();
                arm();
            } else {
                arm();
                late();
            }
            set(word as *mut u8);
        })
        .join()
        .unwrap();
        receiver.recv().unwrap()
    });
    // Refused, and the word is gone; or armed, and the word still there.
    assert!(found.iter().all(|&(armed, cleared)| armed != cleared), "{found:?}");
    assert!(found.contains(&(false, true)), "{found:?}");
}
