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

/// Has a thread of the system's ask for its context; whether it got one. The standard library's
/// threads take a lock of its own when they begin, which the child of a fork may find held.
#[cfg(target_os = "linux")]
fn asks_on_another_thread(contexts: &ThreadContexts) -> bool {
    use std::ffi::c_void;
    use std::ptr::{from_ref, null, null_mut};

    extern "C" fn ask(contexts: *mut c_void) -> *mut c_void {
        // SAFETY: the starter's reference, which it keeps until this thread has ended.
        let contexts = unsafe { &*contexts.cast::<ThreadContexts>() };
        if contexts.get().is_ok() { contexts as *const _ as *mut c_void } else { null_mut() }
    }

    let (mut thread, mut made) = (0, null_mut());
    let data = from_ref(contexts).cast_mut().cast();
    // SAFETY: room for the thread's handle; the function takes this pointer, which is valid until
    // the thread is joined, right here.
    let done = unsafe {
        libc::pthread_create(&raw mut thread, null(), ask, data) == 0
            && libc::pthread_join(thread, &raw mut made) == 0
    };
    done && !made.is_null()
}

/// Threads that end hold a lock of the process's for a moment. No child of a fork may find it held.
#[cfg(target_os = "linux")]
#[test]
fn threads_of_children_have_contexts() {
    use std::sync::atomic::AtomicBool;

    let contexts = ThreadContexts::new(Context::new);
    contexts.get().expect("context");
    let over = AtomicBool::new(false);
    let failed = scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    assert!(asks_on_another_thread(&contexts));
                }
            });
        }
        let failed = (0..100).map(|_| status_of_child(&contexts)).find(|status| *status != 0);
        over.store(true, Ordering::Relaxed);
        failed
    });
    assert_eq!(failed, None, "a child hung or failed");
}

/// Forks a child that asks on two threads, and waits for its end.
#[cfg(target_os = "linux")]
fn status_of_child(contexts: &ThreadContexts) -> i32 {
    // SAFETY: the child starts threads and allocates, which glibc's children may do, and ends
    // without this process's exit handlers.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: plain numbers; nothing else in the child counts time.
        unsafe { libc::alarm(60) };
        let made = asks_on_another_thread(contexts) && contexts.get().is_ok();
        // SAFETY: a plain number.
        unsafe { libc::_exit(i32::from(!made)) };
    }
    let mut status = 0;
    // SAFETY: `status` is writable, and the child is this process's own.
    match unsafe { libc::waitpid(child, &raw mut status, 0) } {
        pid if pid == child => status,
        _ => -1,
    }
}
