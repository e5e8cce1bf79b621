use super::helpers::{Buffer, Random, fill, intact};
use crate::alloc::config::Leak;
use crate::alloc::*;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;

fn system(quota: Option<u64>) -> HeapRef {
    Heap::new(HeapConfig::System, quota).unwrap()
}

fn pool(buffer: &mut Buffer, quota: Option<u64>) -> HeapRef {
    Heap::new(HeapConfig::Pool(buffer.lend()), quota).unwrap()
}

/// Frees a block that the test knows to be live.
fn free(block: *mut u8) -> bool {
    // SAFETY: the tests pass live blocks, once.
    unsafe { Heap::free(block) }
}

#[test]
fn what_is_allocated_is_counted() {
    let mut buffer = Buffer::new(64 * 1024);
    for heap in [system(None), pool(&mut buffer, None)] {
        let (a, b) = (heap.alloc(100, 8), heap.alloc_zeroed(50, 64));
        assert!((b as usize).is_multiple_of(64));
        // SAFETY: 50 bytes are live.
        assert!(unsafe { std::slice::from_raw_parts(b, 50) }.iter().all(|&byte| byte == 0));
        let stats = heap.stats();
        assert_eq!((stats.live_bytes, stats.peak_bytes, stats.live_blocks), (150, 150, 2));
        // SAFETY: live.
        let a = unsafe { Heap::realloc(a, 30) };
        assert_eq!(heap.stats().live_bytes, 80);
        assert!(free(b));
        // Zero bytes are one.
        let c = heap.alloc(0, 1);
        assert_eq!(heap.stats().live_bytes, 31);
        assert!(free(a) && free(c));
        let stats = heap.stats();
        assert_eq!((stats.live_bytes, stats.peak_bytes, stats.live_blocks), (0, 150, 0));
    }
}

#[test]
fn a_quota_is_kept_to_the_byte() {
    let mut buffer = Buffer::new(64 * 1024);
    for heap in [system(Some(1000)), pool(&mut buffer, Some(1000))] {
        assert_eq!(heap.quota_bytes(), Some(1000));
        assert!(heap.alloc(1001, 8).is_null());
        let block = heap.alloc(600, 8);
        assert!(heap.alloc(401, 8).is_null());
        assert!(heap.charge(300));
        assert!(!heap.charge(101));
        // SAFETY: live; a failing call leaves it so.
        unsafe {
            fill(block, 600);
            assert!(Heap::realloc(block, 701).is_null());
            assert!(intact(block, 600));
            let block = Heap::realloc(block, 700);
            assert!(intact(block, 600));
            assert!(heap.alloc(1, 8).is_null());
            heap.discharge(300);
            let other = heap.alloc(300, 8);
            assert!(!other.is_null());
            assert!(free(block) && free(other));
        }
        assert_eq!(heap.stats().live_bytes, 0);
        assert_eq!(heap.stats().over_limit, 0, "explicit allocations never are");
    }
}

#[test]
fn a_heap_lives_until_its_last_block() {
    let mut buffer = Buffer::new(4096);
    for heap in [system(None), pool(&mut buffer, None)] {
        let copy = heap.clone();
        let (a, b) = (heap.alloc(10, 8), heap.alloc(10, 8));
        drop(copy);
        drop(heap);
        // Under valgrind and miri this would be a use after free if the blocks did not count.
        assert!(free(a));
        thread::scope(|scope| {
            let b = b as usize;
            scope.spawn(move || assert!(free(b as *mut u8)));
        });
    }
}

#[test]
fn blocks_are_freed_on_any_thread() {
    let rounds = if cfg!(miri) { 40 } else { 20_000 };
    let mut buffer = Buffer::new(256 * 1024);
    let info = {
        let heap = pool(&mut buffer, None);
        let other = system(None);
        let (sender, receiver) = mpsc::sync_channel::<(usize, usize)>(64);
        thread::scope(|scope| {
            for seed in 0..3 {
                let (heap, other, sender) = (heap.clone(), other.clone(), sender.clone());
                scope.spawn(move || {
                    let mut random = Random::new(seed + 10);
                    for round in 0..rounds {
                        let heap = if round % 3 == 0 { &other } else { &heap };
                        let size = random.size(2000);
                        let block = heap.alloc(size, 1 << random.below(8));
                        if block.is_null() {
                            thread::yield_now();
                            continue;
                        }
                        // SAFETY: fresh.
                        unsafe { fill(block, size) };
                        sender.send((block as usize, size)).unwrap();
                    }
                });
            }
            drop(sender);
            for (block, size) in receiver {
                // SAFETY: sent once, live.
                assert!(unsafe { intact(block as *mut u8, size) });
                assert!(free(block as *mut u8));
            }
        });
        for heap in [&heap, &other] {
            assert_eq!((heap.stats().live_bytes, heap.stats().live_blocks), (0, 0));
        }
        heap.pool_info().unwrap()
    };
    assert_eq!(info.free, info.total);
}

#[test]
fn retiring_a_pool_tells_what_leaked() {
    let mut buffer = Buffer::new(4096);
    let heap = pool(&mut buffer, None);
    let blocks: Vec<_> = (1..=3).map(|size| heap.alloc(size, 16)).collect();
    assert!(free(blocks[1]));
    // SAFETY: nobody uses the blocks any more.
    let leak = unsafe { heap.retire() };
    assert_eq!(leak, Leak { live_bytes: 4, live_blocks: 2 });
    assert_eq!((heap.stats().live_bytes, heap.stats().live_blocks), (0, 0));
    assert!(heap.alloc(1, 1).is_null());
    drop(heap);
    // The buffer can still be read; the heap is gone.
    assert!(!free(blocks[0]) && !free(blocks[2]));
    drop(buffer);
}

#[test]
fn the_system_keeps_its_blocks_when_retired() {
    let heap = system(None);
    let block = heap.alloc(10, 8);
    // SAFETY: a heap without a buffer only reports, and its blocks stay.
    assert_eq!(unsafe { heap.retire() }, Leak { live_bytes: 10, live_blocks: 1 });
    drop(heap);
    assert!(free(block));
}

#[test]
fn current_heaps_nest_and_stay_on_their_thread() {
    let (a, b) = (system(None), system(None));
    let current = || current::current().0;
    thread::spawn(move || {
        assert!(head_ptr().is_null());
        assert_eq!(outside(current), null());
        assert!(head_ptr().is_null(), "looking prepares nothing");
        with_heap(&a, || {
            assert_eq!(current(), a.as_ptr());
            with_heap(&b, || {
                assert_eq!(current(), b.as_ptr());
                assert_eq!(outside(current), null());
                assert_eq!(current(), b.as_ptr());
            });
            assert_eq!(current(), a.as_ptr());
            thread::scope(|scope| {
                scope.spawn(|| assert_eq!(current::current().0, null()));
            });
            let caught = std::panic::catch_unwind(|| {
                let _guard = enter(&b);
                panic!("expected by this test");
            });
            assert!(caught.is_err());
            assert_eq!(current(), a.as_ptr());
        });
        assert_eq!(current(), null());
    })
    .join()
    .unwrap();
}

#[test]
fn a_full_head_takes_over_from_a_bare_one() {
    /// How many full heads ended with their thread.
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    unsafe fn ended(word: *mut u8) {
        // SAFETY: the word that this test installed.
        assert_eq!(unsafe { &*word.cast::<ThreadHead>() }.kind(), HeadKind::Full);
        ENDED.fetch_add(1, Ordering::SeqCst);
    }
    // Longer than the threads.
    let heads = [(); 2].map(|()| ThreadHead::full(Reserve::empty()));
    let [first, second] = [&raw const heads[0] as usize, &raw const heads[1] as usize];
    let heap = system(None);
    thread::spawn(move || {
        let (first, second) = (first as *const ThreadHead, second as *const ThreadHead);
        assert_eq!(remove(), null());
        with_heap(&heap, || {
            // SAFETY: the heads outlive the thread.
            unsafe {
                assert!(install(first, ended));
                assert!(!install(second, ended));
            }
            assert_eq!(head_ptr(), first);
            assert_eq!(current::current().0, heap.as_ptr());
        });
        // SAFETY: the heads outlive the thread.
        unsafe {
            assert_eq!((*first).heap(), null());
            assert_eq!(remove(), first);
            assert!(head_ptr().is_null());
            assert!(install(second, ended));
        }
    })
    .join()
    .unwrap();
    assert_eq!(ENDED.load(Ordering::SeqCst), 1);
}

#[test]
fn rust_code_allocates_from_the_current_heap() {
    let mut buffer = Buffer::new(64 * 1024);
    for heap in [system(None), pool(&mut buffer, None)] {
        let vec = with_heap(&heap, || vec![1u32, 2, 3]);
        assert_eq!(heap.stats().live_bytes, 12);
        // Grown elsewhere, it stays with its owner.
        let mut vec = vec;
        outside(|| vec.extend(0..1000));
        assert!(heap.stats().live_bytes >= 4012);
        assert_eq!(heap.stats().live_blocks, 1);
        thread::scope(|scope| {
            scope.spawn(move || drop(vec));
        });
        assert_eq!(heap.stats().live_bytes, 0);
        let zeroed = with_heap(&heap, || vec![0u8; 5000]);
        assert!(zeroed.iter().all(|&byte| byte == 0));
        drop(zeroed);
        #[repr(align(256))]
        struct Wide([u8; 300]);
        let mut wide = with_heap(&heap, || vec![Wide([7; 300])]);
        wide.extend((0..9).map(|_| Wide([7; 300])));
        assert!((wide.as_ptr() as usize).is_multiple_of(256));
        assert!(wide.iter().all(|wide| wide.0.iter().all(|&byte| byte == 7)));
        drop(wide);
        let stats = heap.stats();
        assert_eq!((stats.live_bytes, stats.live_blocks, stats.over_limit), (0, 0, 0));
    }
}

#[test]
fn infallible_code_is_served_and_it_shows() {
    let mut buffer = Buffer::new(1024);
    for heap in [system(Some(1000)), pool(&mut buffer, None)] {
        let mut vec: Vec<u8> = Vec::new();
        let pushed = operation(|| with_heap(&heap, || (0..5000).for_each(|at| vec.push(at as u8))));
        assert_eq!(pushed, Err(OutOfMemory));
        assert!(vec.iter().enumerate().all(|(at, &byte)| byte == at as u8));
        assert!(heap.stats().over_limit > 0);
        assert!(heap.stats().live_bytes >= 5000);
        assert_eq!(operation(|| ()), Ok(()), "one has failed by it, and that is all");
        drop(vec);
        assert_eq!((heap.stats().live_bytes, heap.stats().live_blocks), (0, 0));
        // A block over the limit also keeps its heap alive.
        let boxed = with_heap(&heap, || vec![1u8; 3000]);
        drop(heap);
        drop(boxed);
    }
}

#[test]
fn an_operation_answers_for_its_own() {
    let heap = system(Some(100));
    let spend = || drop(with_heap(&heap, || vec![0u8; 2000]));
    // One inside another that has failed is no failure of the outer one.
    let outer = operation(|| operation(spend));
    assert_eq!(outer, Ok(Err(OutOfMemory)));
    // Nor does a success inside hide an earlier failure.
    let outer = operation(|| {
        spend();
        operation(|| ())
    });
    assert_eq!(outer, Err(OutOfMemory));
    // Other threads' allocations do not count.
    let outer =
        operation(|| thread::scope(|scope| scope.spawn(|| operation(spend)).join().unwrap()));
    assert_eq!(outer, Ok(Err(OutOfMemory)));
    // Allocations outside any operation are forgotten.
    spend();
    assert_eq!(operation(|| ()), Ok(()));
}

#[test]
fn fallible_code_gets_an_error_instead() {
    let mut buffer = Buffer::new(1024);
    for heap in [system(Some(1000)), pool(&mut buffer, None)] {
        let tried = operation(|| {
            with_heap(&heap, || {
                assert!(try_vec::<u64>(1000).is_err());
                assert!(try_filled(2000, 1u8).is_err());
                assert!(try_copy(&[0u64; 200]).is_err());
                let mut vec = try_vec::<u8>(10).unwrap();
                assert!(fallible(|| vec.try_reserve_exact(5000)).is_err());
                assert_eq!(try_filled(3, 9u16).unwrap(), [9; 3]);
                assert_eq!(try_copy(b"abc").unwrap(), b"abc");
            })
        });
        assert_eq!(tried, Ok(()));
        assert_eq!(heap.stats().over_limit, 0);
        // Outside the scope code is served again.
        let served = operation(|| drop(with_heap(&heap, || vec![0u8; 2000])));
        assert_eq!(served, Err(OutOfMemory));
    }
}

#[test]
fn failing_heaps_fail_where_they_are_told() {
    let failing = |rule| {
        let inner = Box::new(HeapConfig::System);
        Heap::new(HeapConfig::Failing { inner, rule }, None).unwrap()
    };
    let outcomes = |heap: &Heap| -> Vec<bool> {
        let blocks: Vec<_> = (0..5).map(|_| heap.alloc(8, 8)).collect();
        let outcomes = blocks.iter().map(|block| !block.is_null()).collect();
        blocks.into_iter().filter(|block| !block.is_null()).for_each(|block| {
            free(block);
        });
        outcomes
    };
    let once = failing(FailRule::Once(3));
    assert_eq!(outcomes(&once), [true, true, false, true, true]);
    let from = failing(FailRule::From(3));
    assert_eq!(outcomes(&from), [true, true, false, false, false]);
    let block = failing(FailRule::Once(2)).alloc(8, 8);
    // SAFETY: live; the block keeps its heap alive.
    unsafe {
        assert!(Heap::realloc(block, 9000).is_null());
        let block = Heap::realloc(block, 9000);
        assert!(!block.is_null());
        assert!(free(block));
    }
    // Infallible code goes on, and the failure shows.
    let heap = failing(FailRule::Once(1));
    let served = operation(|| drop(with_heap(&heap, || vec![1u8; 10])));
    assert_eq!(served, Err(OutOfMemory));
}

#[test]
fn exact_counts_survive_many_threads() {
    let rounds = if cfg!(miri) { 30 } else { 20_000 };
    let heap = Arc::new(system(Some(1 << 20)));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                with_heap(&heap, || {
                    for len in 0..rounds {
                        drop(std::hint::black_box(vec![0u8; len % 300]));
                    }
                });
            });
        }
    });
    let stats = heap.stats();
    assert_eq!((stats.live_bytes, stats.live_blocks, stats.over_limit), (0, 0, 0));
    assert!(stats.peak_bytes <= 4 * 300);
}

#[test]
fn memory_of_no_heap_is_refused_or_freed_as_what_it_is() {
    assert!(!free(null_mut()));
    // Memory of Rust code outside any heap is a block of the system's.
    let block = Box::into_raw(Box::new([1u8; 40])).cast::<u8>();
    assert!(free(block));
    // Memory of another allocator belongs to no heap. These words stand for what such allocators
    // keep before a block: nothing or a neighbour's bytes, then a length.
    for (before, length) in [(0, 0x31), (u64::MAX, 0x31), (0, 0), (block as u64, 40)] {
        let mut words = Box::new([before, length, 0, 0, 0, 0]);
        let mut foreign = words.as_mut_ptr().wrapping_add(2).cast::<u8>();
        if !(foreign as usize).is_multiple_of(16) {
            // The refusal is not to be for the alignment.
            words.rotate_right(1);
            foreign = foreign.wrapping_add(8);
        }
        assert!(!free(foreign));
        // SAFETY: the bytes before the pointer are readable.
        assert!(unsafe { Heap::realloc(foreign, 50) }.is_null());
    }
}
