//! Fibres: swapping a thread's whole state.

use super::*;
use std::ffi::c_void;
use std::ptr::null_mut;

/// A state on its way to another thread.
struct Parcel(*mut c_void);

// SAFETY: a state that was swapped out is in place nowhere; `state_swap` lets it go anywhere.
unsafe impl Send for Parcel {}

#[test]
fn a_fibre_has_its_own_context_and_stack_of_contexts() {
    World::run(|_| {
        let mine = init();
        let pushed = Context::new().unwrap();
        // SAFETY: both states stay on this thread, and each is swapped out only from here.
        unsafe {
            let threads = thread::state_swap(null_mut());
            assert_eq!(Context::current().unwrap(), mine, "by way of the primary");
            let fibres_own = init();
            assert_ne!(fibres_own, mine);
            pushed.push().unwrap();
            let fibre = thread::state_swap(threads);
            assert_eq!(Context::current().unwrap(), mine);
            assert!(pushed.pop().is_err());
            let threads = thread::state_swap(fibre);
            assert_eq!(Context::current().unwrap(), pushed);
            pushed.pop().unwrap();
            assert_eq!(Context::current().unwrap(), fibres_own);
            let fibre = thread::state_swap(threads);
            assert!(thread::state_destroy(fibre));
            assert!(!fibres_own.is_open());
        }
        assert_eq!(destroys(), "closed");
    });
}

#[test]
fn a_state_moves_to_another_thread() {
    World::run(|world| {
        let _primary = init();
        let (context, parcel) = world.on_thread(|| {
            let own = init();
            own.push().unwrap();
            // SAFETY: the state is put in place on one other thread below.
            (own, Parcel(unsafe { thread::state_swap(null_mut()) }))
        });
        assert!(context.is_open(), "its thread ended without it");
        let there = context.clone();
        world.on_thread(move || {
            let parcel = parcel;
            // SAFETY: the state is in place nowhere else.
            unsafe { thread::state_swap(parcel.0) };
            assert_eq!(Context::current().unwrap(), there);
            there.pop().unwrap();
            assert_eq!(init(), there);
        });
        assert!(!context.is_open(), "it ended with the thread it was on");
    });
}

#[test]
fn a_running_state_cannot_be_destroyed() {
    World::run(|_| {
        let context = Context::new().unwrap();
        context.run(|| {
            // SAFETY: the state is swapped back before the call returns to it.
            unsafe {
                let running = thread::state_swap(null_mut());
                assert!(!thread::state_destroy(running));
                let empty = thread::state_swap(running);
                assert!(thread::state_destroy(empty));
            }
            assert_eq!(Context::current().unwrap(), context);
        });
        // SAFETY: null is accepted.
        assert!(unsafe { thread::state_destroy(null_mut()) });
    });
}

#[test]
fn swapping_keeps_heaps_apart() {
    World::run(|_| {
        let context = Context::new().unwrap();
        context.run(|| {
            let blocks = || context.heap().stats().live_blocks;
            // SAFETY: the state is swapped back before the call returns to it.
            unsafe {
                let running = thread::state_swap(null_mut());
                let before = blocks();
                let block = std::hint::black_box(Box::new(1));
                assert_eq!(blocks(), before);
                drop(block);
                crate::alloc::with_heap(context.heap(), || {
                    let block = std::hint::black_box(Box::new(1));
                    assert_eq!(blocks(), before + 1);
                    drop(block);
                });
                let bare = thread::state_swap(running);
                assert!(!bare.is_null(), "what hung off the word came along");
                assert!(thread::state_destroy(bare));
            }
            let before = blocks();
            let block = std::hint::black_box(Box::new(1));
            assert_eq!(blocks(), before + 1);
            drop(block);
        });
    });
}

#[test]
fn the_last_error_is_the_threads() {
    World::run(|world| {
        let text = || thread::with_last_error(|error| error.to_str().unwrap().to_owned());
        assert_eq!(text(), "");
        thread::set_last_error("bad arch");
        assert_eq!(text(), "bad arch");
        let place = thread::last_error_ptr();
        world.on_thread(move || assert_eq!(text(), ""));
        thread::set_last_error(&"é".repeat(100));
        assert_eq!(text(), "é".repeat(63), "cut between characters");
        assert_eq!(thread::last_error_ptr(), place);
        thread::set_last_error("a\0b");
        assert_eq!(text(), "a");
        thread::set_last_error("");
        assert_eq!(text(), "");
    });
}
