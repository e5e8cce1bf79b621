//! The cost of contexts. Times are printed (`cargo test --release cost -- --nocapture`) and only
//! held to bounds that an interpreted or instrumented build can keep.

use super::*;
use crate::alloc::{Heap, HeapConfig, PoolBuffer};
use crate::context::runtime::Runtime;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// Shortest time of one of `rounds` runs of `f`, over several tries.
fn time(rounds: u32, mut f: impl FnMut()) -> Duration {
    (0..5)
        .map(|_| {
            let start = Instant::now();
            (0..rounds).for_each(|_| f());
            start.elapsed() / rounds
        })
        .min()
        .unwrap()
}

#[test]
fn an_idle_context_is_small() {
    let bytes = size_of::<Runtime>() + size_of::<Heap>() + thread::STATE_SIZE;
    println!(
        "context: {} bytes, of which runtime {}, heap {}; thread state {}",
        bytes,
        size_of::<Runtime>(),
        size_of::<Heap>(),
        thread::STATE_SIZE
    );
    assert!(bytes < 4096 - 64, "{bytes}, and the list keeps some more");
    World::run(|_| {
        let context = init();
        assert_eq!(context.heap().stats().live_bytes, 0);
        assert_eq!(context.heap().stats().peak_bytes, 0, "idle means nothing was allocated");
    });
}

#[test]
fn entering_and_leaving() {
    World::run(|_| {
        let context = Context::new().unwrap();
        let rounds = if cfg!(miri) { 10 } else { 1_000_000 };
        let entered = time(rounds, || {
            black_box(&context).run(|| black_box(()));
        });
        let called = time(rounds, || {
            black_box(&context).run_guest(black_box);
        });
        let current = context.run(|| {
            time(rounds, || {
                assert!(black_box(thread::with_current(|context| context.id())).is_ok());
            })
        });
        let resolved = time(rounds, || {
            assert!(black_box(Context::current()).is_ok());
        });
        println!("run: {entered:?}, run_guest: {called:?}");
        println!("with_current: {current:?}, current: {resolved:?}");
        for cost in [entered, called, current, resolved] {
            assert!(cost < Duration::from_millis(1), "{cost:?}");
        }
    });
}

#[test]
fn init_and_destroy() {
    World::run(|_| {
        let rounds = if cfg!(miri) { 10 } else { 10_000 };
        let cost = time(rounds, || {
            init();
            thread::destroy();
        });
        println!("init + destroy: {cost:?}");
        for kib in [64, 1024, 65536] {
            let mut buffer = vec![0u64; kib * 128];
            let bytes = size_of_val(&*buffer);
            let cost = time(rounds / 10, || {
                // SAFETY: the context is gone before the buffer is used again.
                let pool = unsafe { PoolBuffer::new(buffer.as_mut_ptr().cast(), bytes) };
                let heap = HeapConfig::Pool(pool.unwrap());
                init_with(on_heap(heap));
                thread::destroy();
            });
            println!("init + destroy over {kib} KiB: {cost:?}");
            let touched = buffer.iter().filter(|&&word| word != 0).count();
            assert!(touched < 512, "{touched} words of the pool were written");
        }
    });
}
