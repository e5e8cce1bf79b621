//! Limits, quotas and memory that is used again.

use super::StorageKind::*;
use super::*;
use crate::abi::trap::Trap;
use crate::alloc::{Heap, HeapConfig, PoolBuffer, with_heap};

#[test]
fn an_empty_heap_takes_no_memory_and_grows_in_steps() {
    let heap = Heap::new(HeapConfig::System, None).unwrap();
    with_heap(&heap, || {
        let mut objects = GcHeap::new(1 << 20, 1);
        assert_eq!(heap.stats().live_bytes, 0);
        let node = layout(&[Ref, I64]);
        let before = heap.stats().live_bytes;
        objects.alloc_struct(&node, 1).unwrap();
        assert!(heap.stats().live_bytes - before < 6_000);
        for _ in 0..1000 {
            objects.alloc_struct(&node, 1).unwrap();
        }
        let taken = heap.stats().live_bytes - before;
        assert!((24_000..40_000).contains(&taken), "{taken}");
        collect(&mut objects, &[]);
        let left = heap.stats().live_bytes - before;
        assert!(left < 2_000, "{left}");
        drop(objects);
        drop(node);
        assert_eq!(heap.stats().live_bytes, 0);
    });
}

#[test]
fn the_limit_is_one_of_bytes() {
    for limit in [0, 8, 100, 4096, 10_000, 131_072, 1_000_000] {
        let mut heap = GcHeap::new(limit, 1);
        let node = layout(&[Ref, I64]);
        let mut roots = Vec::new();
        for _ in 0..2 {
            roots.clear();
            let mut collections = heap.stats().collections;
            while let Some(object) = made(&mut heap, &roots, |heap| heap.alloc_struct(&node, 1)) {
                roots.push(object.word());
                assert!(heap.stats().bytes_reserved <= limit);
            }
            collections = heap.stats().collections - collections;
            // All of it is used, and soon there is no room whatever is collected.
            let used = roots.len() as u64 * 24;
            assert!(used <= limit && used + 24 + limit / 300 >= limit, "{used} of {limit}");
            assert!(collections < 5, "{collections} collections");
            // It stays so, and what is there stays.
            for _ in 0..3 {
                assert_eq!(made(&mut heap, &roots, |heap| heap.alloc_struct(&node, 1)), None);
            }
            assert!(roots.iter().all(|root| heap.is_live(GcRef::from_word(*root).unwrap())));
        }
    }
}

#[test]
fn what_cannot_ever_fit_needs_no_collection() {
    let mut heap = GcHeap::new(100_000, 1);
    assert_eq!(heap.new_array(I64, 1, 12_499), Err(HeapFull::Exhausted));
    assert_eq!(heap.new_array(V128, 1, u32::MAX), Err(HeapFull::Exhausted));
    let array = heap.new_array(I64, 1, 12_498).unwrap();
    assert_eq!(heap.alloc_struct(&layout(&[]), 1), Err(HeapFull::Collect));
    collect(&mut heap, &[array.word()]);
    assert_eq!(heap.alloc_struct(&layout(&[]), 1), Err(HeapFull::Exhausted));
    // Roots may have changed by now.
    assert_eq!(heap.alloc_struct(&layout(&[]), 1), Err(HeapFull::Collect));
    collect(&mut heap, &[]);
    assert!(heap.alloc_struct(&layout(&[]), 1).is_ok());
}

#[test]
fn objects_of_other_sizes_use_the_same_memory() {
    let mut heap = GcHeap::new(256 << 10, 1);
    let small = layout(&[I64]);
    for round in 0..20 {
        let mut roots = Vec::new();
        let bytes = heap.stats().bytes_allocated;
        loop {
            let len = [1, 30, 900, 2_000, 9_000][round % 5];
            let found = match round % 2 {
                0 => made(&mut heap, &roots, |heap| heap.alloc_struct(&small, 1)),
                _ => made(&mut heap, &roots, |heap| heap.new_array(I64, 1, len)),
            };
            let Some(object) = found else { break };
            roots.push(object.word());
        }
        let used = heap.stats().bytes_allocated - bytes;
        assert!(used > 180 << 10, "{used} bytes in round {round}");
    }
}

#[test]
fn gaps_between_live_objects_are_used() {
    let mut heap = GcHeap::new(128 << 10, 1);
    let (small, large) = (layout(&[I64]), layout(&[I64; 7]));
    let mut roots = Vec::new();
    for at in 0.. {
        let object = match at % 2 {
            0 => heap.alloc_struct(&small, 1),
            _ => heap.alloc_struct(&large, 1),
        };
        let Ok(object) = object else { break };
        if at % 2 == 0 {
            roots.push(object.word());
        }
    }
    collect(&mut heap, &roots);
    let (free, mut count) = (roots.len() as u64, 0);
    while let Some(object) = made(&mut heap, &roots, |heap| heap.alloc_struct(&large, 2)) {
        roots.push(object.word());
        count += 1;
    }
    assert!(count + 2 >= free, "{count} of {free}");
    assert_eq!(heap.stats().collections, 2);
}

#[test]
fn large_arrays_come_and_go() {
    let mut heap = GcHeap::new(64 << 20, 1);
    for round in 0..50 {
        let array =
            made(&mut heap, &[], |heap| heap.new_array(I8, round, 40_000_000)).expect("room");
        assert_eq!(heap.len(array), Some(40_000_000));
        assert_eq!(heap.array_get(array, 39_999_999), Some([0, 0]));
        heap.array_set(array, 39_999_999, [0xff, 0]).unwrap();
        if cfg!(miri) {
            return;
        }
    }
    assert!(heap.stats().collections >= 49);
}

#[test]
fn large_objects_are_cleared_in_pieces() {
    let mut buffer = vec![u64::MAX; 1 << 18];
    // SAFETY: the buffer outlives the heap, which alone uses it.
    let pool = unsafe { PoolBuffer::new(buffer.as_mut_ptr().cast(), buffer.len() * 8) }.unwrap();
    let heap = Heap::new(HeapConfig::Pool(pool), None).unwrap();
    with_heap(&heap, || {
        let mut objects = GcHeap::new(1 << 30, 1);
        objects.new_array(I8, 1, 1).unwrap();
        collect(&mut objects, &[]);
        let before = heap.stats().live_bytes;
        let mut array = |stop_at: usize, looks: &mut usize| {
            let mut look = stopping_at(stop_at, looks);
            let made = objects.alloc_array(I8, 1, 1 << 20, &mut look)?;
            assert_eq!(objects.array_get(made, (1 << 20) - 1), Some([0; 2]));
            objects.array_fill(made, 0, [7, 0], 1 << 20).unwrap();
            Ok(made)
        };
        for stop_at in 1..=4 {
            let mut looks = 0;
            let stopped = array(stop_at, &mut looks);
            assert_eq!((stopped, looks), (Err(HeapFull::Stopped(Trap::DeadlineExceeded)), stop_at));
            assert_eq!(heap.stats().live_bytes, before);
        }
        let mut looks = 0;
        array(0, &mut looks).unwrap();
        assert_eq!(looks, 4, "a look between pieces");
    });
}

#[test]
fn large_objects_are_freed_in_pieces() {
    // 128 MiB, which nobody touches.
    const BYTES: u32 = if cfg!(miri) { 64 << 20 } else { 128 << 20 };
    let system = Heap::new(HeapConfig::System, None).unwrap();
    with_heap(&system, || {
        let mut heap = GcHeap::new(1 << 30, 1);
        let kept = heap.new_array(I64, 1, 5_000).unwrap();
        heap.array_set(kept, 4_999, [5, 0]).unwrap();
        let roots = [kept.word()];
        collect(&mut heap, &roots);
        let (left, live) = (heap.stats().bytes_reserved, system.stats().live_bytes);
        let dead = heap.new_array(I8, 2, BYTES).unwrap();
        let mut stops = 0;
        // The first looks are those of a collection without it; each later one stops further on.
        for stop_at in 2.. {
            let before = heap.stats().bytes_reserved;
            let Err(_) = collect_until(&mut heap, &roots, stop_at) else { break };
            assert!(heap.array_get(dead, 0).is_none(), "it is gone at once");
            let freed = before - heap.stats().bytes_reserved;
            assert_eq!(freed, (stop_at as u64 - 1) << 24, "a look after each piece");
            assert_eq!(heap.array_get(kept, 4_999), Some([5, 0]));
            stops += 1;
        }
        assert!(stops >= 3, "{stops}");
        assert_eq!(heap.stats().bytes_reserved, left);
        assert_eq!(system.stats().live_bytes, live);
        assert_eq!(heap.array_get(kept, 4_999), Some([5, 0]));
    });
}

#[test]
fn a_quota_is_a_limit_too() {
    let heap = Heap::new(HeapConfig::System, Some(100 << 10)).unwrap();
    let (mut roots, mut handles) = (Vec::with_capacity(5_000), Vec::with_capacity(9_000));
    with_heap(&heap, || {
        let mut objects = GcHeap::new(1 << 30, 1);
        let node = layout(&[Ref, I64]);
        assert_eq!(objects.new_array(I8, 1, 1 << 20), Err(HeapFull::Collect));
        for _ in 0..3 {
            roots.clear();
            while let Some(object) = made(&mut objects, &roots, |heap| heap.alloc_struct(&node, 1))
            {
                roots.push(object.word());
            }
            assert!(roots.len() > 500, "{}", roots.len());
            collect(&mut objects, &roots);
            assert_eq!(objects.new_array(I8, 1, 1 << 20), Err(HeapFull::Exhausted));
            assert!(roots.iter().all(|root| objects.is_live(GcRef::from_word(*root).unwrap())));
            assert!(heap.stats().live_bytes <= 100 << 10);
            // Handles and finalizers fail as well.
            let object = GcRef::from_word(roots[0]).unwrap();
            handles.extend((0..9_000).map_while(|_| objects.pin(object)));
            assert!(handles.len() < 9_000);
            for handle in handles.drain(..) {
                objects.unpin(handle).unwrap();
            }
            collect(&mut objects, &[]);
            assert_eq!(objects.stats().bytes_in_use, 0);
        }
        assert_eq!(heap.stats().over_limit, 0);
    });
}
