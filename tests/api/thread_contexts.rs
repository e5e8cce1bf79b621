//! Contexts of their own for each thread that asks.

use isothread::{Context, Result, ThreadContexts};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread::{scope, spawn};

fn ids(contexts: &ThreadContexts) -> Vec<u64> {
    let mut ids = Vec::new();
    contexts.visit(|context| ids.push(context.id()));
    ids.sort_unstable();
    ids
}

#[test]
fn each_thread_has_one_and_all_can_be_visited() {
    let contexts = ThreadContexts::new(Context::new);
    let barrier = Barrier::new(5);
    scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let context = contexts.get().expect("context");
                    assert_eq!(context, contexts.get().expect("context"));
                    barrier.wait();
                    barrier.wait();
                    context.id()
                })
            })
            .collect();
        barrier.wait();
        let seen = ids(&contexts);
        contexts.visit(|context| assert!(context.is_open()));
        barrier.wait();
        let mut theirs: Vec<_> = threads.into_iter().map(|t| t.join().expect("thread")).collect();
        theirs.sort_unstable();
        theirs.dedup();
        assert_eq!(theirs.len(), 4);
        assert_eq!(seen, theirs);
        assert_eq!(ids(&contexts), theirs, "they stay and are visited");
    });
}

#[test]
fn a_new_thread_never_gets_an_ended_ones() {
    let contexts = Arc::new(ThreadContexts::new(Context::new));
    let mut made = Vec::new();
    for _ in 0..100 {
        let theirs = contexts.clone();
        made.push(spawn(move || theirs.get().expect("context")).join().expect("thread"));
    }
    let mut numbers: Vec<_> = made.iter().map(Context::id).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), 100);
    let kept = ids(&contexts);
    // Threads of other tests take numbers meanwhile, but not that many.
    assert!(kept.len() < 50, "{}", kept.len());
    for context in &made {
        assert_eq!(context.is_open(), kept.contains(&context.id()));
    }
    let all = made.clone();
    contexts.clear();
    assert!(all.iter().all(|context| !context.is_open()) && ids(&contexts).is_empty());
}

#[test]
fn what_was_closed_or_not_made_is_made_again() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let make = || -> Result<Context> {
        match CALLS.fetch_add(1, Ordering::Relaxed) {
            0 => Err(isothread::Error::out_of_memory()),
            _ => Context::new(),
        }
    };
    let contexts = ThreadContexts::new(make);
    assert!(contexts.get().is_err());
    assert!(ids(&contexts).is_empty());
    let first = contexts.get().expect("context");
    first.close();
    let second = contexts.get().expect("context");
    assert_ne!(first, second);
    drop(contexts);
    assert!(!second.is_open());
    assert_eq!(CALLS.load(Ordering::Relaxed), 3);
}

/// Threads that end hold a lock of the process's for a moment. No child of a fork may find it held.
#[cfg(target_os = "linux")]
#[test]
fn threads_of_children_have_contexts() {
    use std::sync::atomic::AtomicBool;

    let contexts = ThreadContexts::new(Context::new);
    contexts.get().expect("context");
    let over = AtomicBool::new(false);
    scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    scope.spawn(|| drop(contexts.get())).join().expect("thread");
                }
            });
        }
        for _ in 0..100 {
            // SAFETY: the child starts threads and allocates, which glibc's children may do, and
            // ends without this process's exit handlers.
            let child = unsafe { libc::fork() };
            if child == 0 {
                // SAFETY: plain numbers; nothing else in the child counts time.
                unsafe { libc::alarm(20) };
                let made = std::thread::scope(|scope| {
                    let ask = || contexts.get().is_ok();
                    scope.spawn(ask).join().is_ok_and(|made| made) && contexts.get().is_ok()
                });
                // SAFETY: a plain number.
                unsafe { libc::_exit(i32::from(!made)) };
            }
            let mut status = 0;
            // SAFETY: `status` is writable, and the child is this process's own.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "the child hung or failed");
        }
        over.store(true, Ordering::Relaxed);
    });
}
