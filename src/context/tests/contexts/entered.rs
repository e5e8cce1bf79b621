//! Entering and leaving, in order and out of it.

use super::*;
use crate::alloc;

fn current_heap_is(context: &Context) -> bool {
    let block = std::hint::black_box(Box::new(7u64));
    let before = context.heap().stats().live_blocks;
    drop(block);
    context.heap().stats().live_blocks + 1 == before
}

#[test]
fn a_pop_that_does_not_fit_changes_nothing() {
    World::run(|_| {
        let (a, b) = (Context::new().unwrap(), Context::new().unwrap());
        assert!(a.pop().is_err());
        a.push().unwrap();
        b.push().unwrap();
        assert!(a.pop().is_err());
        assert_eq!(Context::current().unwrap(), b);
        b.pop().unwrap();
        assert!(b.pop().is_err());
        assert_eq!(Context::current().unwrap(), a);
        a.run(|| assert!(a.pop().is_err(), "a guest call cannot be popped from inside"));
        a.pop().unwrap();
        assert!(a.pop().is_err());
        assert_eq!((a.0.strong_count(), b.0.strong_count()), (1, 1));
    });
}

#[test]
fn a_context_can_be_pushed_twice() {
    World::run(|_| {
        let a = Context::new().unwrap();
        a.push().unwrap();
        a.push().unwrap();
        a.pop().unwrap();
        assert_eq!(Context::current().unwrap(), a);
        a.pop().unwrap();
        assert!(a.pop().is_err());
    });
}

#[test]
fn what_is_pushed_keeps_its_context_alive() {
    World::run(|world| {
        let weak = world.on_thread(|| {
            let context = Context::new().unwrap();
            context.push().unwrap();
            let weak = context.downgrade();
            drop(context);
            assert_eq!(Context::current().unwrap(), weak.upgrade().unwrap());
            weak
        });
        assert!(weak.upgrade().is_none(), "the thread's end pops what is left");
    });
}

#[test]
fn guards_leave_in_any_order() {
    World::run(|_| {
        let (a, b) = (Context::new().unwrap(), Context::new().unwrap());
        let outer = a.enter().unwrap();
        let inner = b.enter().unwrap();
        let outer = outer.exit().unwrap_err();
        assert_eq!(Context::current().unwrap(), b, "nothing changed");
        drop(outer);
        assert_eq!(Context::current().unwrap(), b);
        assert!(current_heap_is(&b));
        assert_eq!(a.0.strong_count(), 1);
        assert!(inner.exit().is_ok());
        assert!(!current_heap_is(&a) && !current_heap_is(&b));
        assert_eq!(b.0.strong_count(), 1);
    });
}

#[test]
fn a_guard_that_escapes_its_run_is_empty() {
    World::run(|_| {
        let (a, b) = (Context::new().unwrap(), Context::new().unwrap());
        let escaped = a.run(|| b.enter().unwrap());
        assert_eq!(b.0.strong_count(), 1);
        let _around = a.enter().unwrap();
        assert!(escaped.exit().is_ok());
        assert_eq!(Context::current().unwrap(), a);
        a.run(|| std::mem::forget(b.enter().unwrap()));
        assert_eq!(b.0.strong_count(), 1, "a forgotten guard holds nothing after its run");
    });
}

#[test]
fn a_guard_outlives_its_state() {
    World::run(|_| {
        let a = Context::new().unwrap();
        // SAFETY: states are swapped on this thread only, and no code runs on the old one.
        let guard = unsafe {
            let before = thread::state_swap(std::ptr::null_mut());
            let guard = a.enter().unwrap();
            let with_guard = thread::state_swap(before);
            assert!(thread::state_destroy(with_guard));
            guard
        };
        assert_eq!(a.0.strong_count(), 1);
        assert!(guard.exit().is_ok());
    });
}

#[test]
fn the_current_heap_is_kept_in_step() {
    World::run(|_| {
        let (a, b) = (Context::new().unwrap(), Context::new().unwrap());
        assert!(!current_heap_is(&a));
        a.run(|| {
            assert!(current_heap_is(&a));
            b.push().unwrap();
            assert!(current_heap_is(&b));
            alloc::outside(|| {
                assert!(!current_heap_is(&b));
                a.run(|| assert!(current_heap_is(&a)));
                assert!(!current_heap_is(&a) && !current_heap_is(&b));
            });
            assert!(current_heap_is(&b));
            b.pop().unwrap();
            assert!(current_heap_is(&a));
        });
        assert!(!current_heap_is(&a));
    });
}

#[test]
fn stacks_that_take_turns_leave_out_of_order() {
    // Two stacks of one thread, without swapping states: the first to enter leaves first.
    World::run(|_| {
        let (a, b) = (Context::new().unwrap(), Context::new().unwrap());
        let first = a.enter().unwrap();
        let second = b.enter().unwrap();
        b.run(|| {
            drop(first);
            assert_eq!(Context::current().unwrap(), b);
            assert!(current_heap_is(&b));
        });
        drop(second);
        assert!(Context::current().is_ok(), "the primary again");
        assert!(!current_heap_is(&a) && !current_heap_is(&b));
    });
}

#[test]
fn borrowing_the_current_context_inside_a_call_takes_no_count() {
    World::run(|_| {
        let a = Context::new().unwrap();
        a.run(|| {
            let count = thread::with_current(|current| {
                assert_eq!(*current, a);
                current.0.strong_count()
            });
            assert_eq!(count.unwrap(), 1);
        });
        let count = thread::with_current(|current| current.0.strong_count());
        assert_eq!(count.unwrap(), 2);
    });
}

/// Contexts that are entered and never left cost the same, however many there are.
#[test]
fn leaving_many_takes_time_for_each_and_no_more() {
    let count = if cfg!(miri) { 20 } else { 100_000 };
    World::run(move |_| {
        let (a, b) = (Context::new().unwrap(), Context::new().unwrap());
        let start = std::time::Instant::now();
        a.run(|| (0..count).for_each(|_| b.push().unwrap()));
        assert_eq!(b.0.strong_count(), 1);
        // The first to come is the first to go.
        let guards: Vec<_> = (0..count).map(|_| b.enter().unwrap()).collect();
        drop(guards);
        assert_eq!(b.0.strong_count(), 1);
        // From under a run of another stack.
        let first = a.enter().unwrap();
        let guards: Vec<_> = (0..count).map(|_| b.enter().unwrap()).collect();
        a.run(|| {
            drop(first);
            drop(guards);
            assert!(current_heap_is(&a));
        });
        assert_eq!((a.0.strong_count(), b.0.strong_count()), (1, 1));
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
    });
}
