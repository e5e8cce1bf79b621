//! Collections that are abandoned, deep, due and finalized.

use super::StorageKind::*;
use super::*;

/// A list, from its last element on, with something in between that nothing leads to.
fn list(heap: &mut GcHeap, node: &StructLayout, len: u32) -> Vec<GcRef> {
    let mut made = Vec::new();
    for number in 0..len {
        heap.postpone_collection();
        let object = heap.alloc_struct(node, number).unwrap();
        let next = made.last().map_or(0, |next: &GcRef| next.word());
        heap.set(object, node.fields()[0], [next, 0]).unwrap();
        made.push(object);
        heap.postpone_collection();
        heap.alloc_struct(node, u32::MAX).unwrap();
    }
    made
}

#[test]
fn a_collection_may_end_at_every_look() {
    const LEN: u32 = if cfg!(miri) { 3_000 } else { 20_000 };
    let mut heap = GcHeap::new(64 << 20, 1);
    let node = layout(&[Ref, I64]);
    let made = list(&mut heap, &node, LEN);
    let array = heap.new_array(Ref, 7, 10_000).unwrap();
    let last = made[LEN as usize - 1].word();
    heap.array_set(array, 9_999, [last, 0]).unwrap();
    let finalizer = GcFinalizer { callback: 1, data: 2 };
    let dead = heap.alloc_struct(&node, 3).unwrap();
    assert!(heap.set_finalizer(dead, finalizer));
    let (mut stop_at, mut run) = (1, 0);
    let looks = loop {
        match collect_until(&mut heap, &[array.word()], stop_at) {
            Ok(looks) => break looks,
            Err(_) => stop_at += 1,
        }
        // Reachable objects are unchanged, and new objects are made.
        assert_eq!(heap.array_get(array, 9_999), Some([last, 0]));
        for (number, object) in made.iter().enumerate().step_by(7) {
            assert_eq!(heap.type_of(*object), Some(number as u32));
        }
        assert!(heap.is_live(dead));
        run += usize::from(heap.take_finalizer().is_some());
        heap.postpone_collection();
        heap.alloc_struct(&node, u32::MAX).unwrap();
        assert_eq!(heap.stats().collections, 0);
    };
    assert!(looks >= if cfg!(miri) { 4 } else { 10 }, "{looks} looks");
    run += usize::from(heap.take_finalizer().is_some());
    assert_eq!(run, 1);
    collect(&mut heap, &[array.word()]);
    assert!(!heap.is_live(dead));
    for (number, object) in made.iter().enumerate() {
        assert_eq!(heap.type_of(*object), Some(number as u32));
    }
    assert_eq!(heap.stats().bytes_in_use, u64::from(LEN) * 24 + 10_002 * 8);
    assert_eq!(heap.stats().collections, 2);
}

#[test]
fn roots_may_end_a_collection() {
    let mut heap = GcHeap::new(1 << 20, 1);
    let object = heap.alloc_struct(&layout(&[]), 1).unwrap();
    let ended = heap.collect(&mut |_| Err(Trap::Terminated), &mut || Ok(()));
    assert_eq!(ended, Err(Trap::Terminated));
    assert!(heap.is_live(object));
    // A look comes also if the roots alone take long.
    let mut looks = 0;
    let mut look = || {
        looks += 1;
        Ok(())
    };
    heap.collect(&mut |marker| (0..9).try_for_each(|_| marker.step(2_000)), &mut look).unwrap();
    assert!(looks >= 3);
}

#[test]
fn lists_may_be_long() {
    const LEN: u32 = if cfg!(miri) { 2_000 } else { 1_000_000 };
    let mut heap = GcHeap::new(1 << 30, 1);
    let node = layout(&[Ref, I32, Ref]);
    let made = list(&mut heap, &node, LEN);
    // The other way round, too.
    for pair in made.windows(2) {
        heap.set(pair[0], node.fields()[2], [pair[1].word(), 0]).unwrap();
    }
    collect(&mut heap, &[made[0].word()]);
    assert_eq!(heap.stats().bytes_in_use, u64::from(LEN) * 32);
    collect(&mut heap, &[made[LEN as usize - 1].word()]);
    assert_eq!(heap.stats().bytes_in_use, u64::from(LEN) * 32);
    assert!(heap.stats().longest_pause_ns > 0 || cfg!(miri));
    let mut at = made[LEN as usize - 1];
    let mut found = 1;
    while let Some(next) = GcRef::from_word(heap.get(at, node.fields()[0]).unwrap()[0]) {
        (at, found) = (next, found + 1);
    }
    assert_eq!((found, at), (LEN, made[0]));
    collect(&mut heap, &[]);
    assert_eq!(heap.stats().bytes_reserved, 0);
}

#[test]
fn opaque_references_keep_nothing() {
    let mut heap = GcHeap::new(1 << 20, 1);
    let (node, dead) = (layout(&[Opaque, Ref]), layout(&[]));
    let root = heap.alloc_struct(&node, 1).unwrap();
    let [seen, unseen] = [0, 1].map(|id| heap.alloc_struct(&dead, id).unwrap());
    heap.set(root, node.fields()[0], [unseen.word(), 0]).unwrap();
    heap.set(root, node.fields()[1], [seen.word(), 0]).unwrap();
    collect(&mut heap, &[root.word()]);
    assert!(heap.is_live(seen) && !heap.is_live(unseen));
    assert_eq!(heap.get(root, node.fields()[0]), Some([unseen.word(), 0]));
}

#[test]
fn under_stress_each_allocation_asks_for_a_collection() {
    let mut heap = GcHeap::new(1 << 20, 1);
    let empty = layout(&[]);
    heap.set_stress(true);
    for round in 1..5 {
        assert_eq!(heap.alloc_struct(&empty, 1), Err(HeapFull::Collect));
        assert_eq!(heap.new_array(I8, 1, 50_000), Err(HeapFull::Collect));
        collect(&mut heap, &[]);
        assert!(heap.alloc_struct(&empty, 1).is_ok());
        assert_eq!(heap.stats().collections, round);
    }
    assert_eq!(heap.new_array(I8, 1, 2 << 20), Err(HeapFull::Exhausted));
    heap.set_stress(false);
    assert!(heap.alloc_struct(&empty, 1).is_ok());
}

#[test]
fn collections_come_when_objects_have_doubled() {
    let mut heap = GcHeap::new(1 << 30, 1);
    let node = layout(&[Ref, I64]);
    let mut kept = 0;
    for _ in 0..400_000 {
        let object = made(&mut heap, &[kept], |heap| heap.alloc_struct(&node, 1)).unwrap();
        heap.set(object, node.fields()[0], [kept, 0]).unwrap();
        kept = object.word();
    }
    let collections = heap.stats().collections;
    assert!((2..12).contains(&collections), "{collections} collections");
    assert_eq!(heap.stats().bytes_in_use, 400_000 * 24);
    // Garbage alone takes no more memory than the first collection waits for, and then some.
    let mut heap = GcHeap::new(1 << 30, 1);
    for _ in 0..400_000 {
        made(&mut heap, &[], |heap| heap.alloc_struct(&node, 1)).unwrap();
        assert!(heap.stats().bytes_reserved <= 320 << 10);
    }
    assert_eq!(heap.stats().bytes_allocated, 400_000 * 24);
}

#[test]
fn finalizers_run_once_and_see_their_objects() {
    let mut heap = GcHeap::new(1 << 20, 1);
    let node = layout(&[Ref, I64]);
    let objects = [0, 1, 2, 3, 4].map(|id| heap.alloc_struct(&node, id).unwrap());
    let finalizer = |data| GcFinalizer { callback: 77, data };
    for (at, object) in objects.iter().enumerate() {
        let child = heap.alloc_struct(&node, 100).unwrap();
        heap.set(*object, node.fields()[0], [child.word(), 0]).unwrap();
        assert!(heap.set_finalizer(*object, finalizer(at)));
    }
    assert!(heap.set_finalizer(objects[1], finalizer(11)));
    assert_eq!(heap.unset_finalizer(objects[2]), Some(finalizer(2)));
    assert_eq!(heap.unset_finalizer(objects[2]), None);
    assert_eq!(heap.take_finalizer(), None);
    collect(&mut heap, &[objects[0].word(), objects[4].word()]);
    assert!(!heap.is_live(objects[2]));
    // They wait to be run, however many collections come meanwhile.
    collect(&mut heap, &[objects[0].word(), objects[4].word()]);
    let mut run: Vec<_> = std::iter::from_fn(|| heap.take_finalizer()).collect();
    run.sort_by_key(|(object, _)| *object);
    assert_eq!(run, [(objects[1], finalizer(11)), (objects[3], finalizer(3))]);
    for (object, _) in run {
        let child = GcRef::from_word(heap.get(object, node.fields()[0]).unwrap()[0]);
        assert_eq!(heap.type_of(child.unwrap()), Some(100));
    }
    collect(&mut heap, &[objects[0].word(), objects[4].word()]);
    assert!(!heap.is_live(objects[1]) && !heap.is_live(objects[3]));
    assert_eq!(heap.take_finalizer(), None);
    // Those of another heap go on waiting, and the end runs all.
    let mut other = GcHeap::new(1 << 20, 2);
    let last = other.alloc_struct(&node, 5).unwrap();
    assert!(other.set_finalizer(last, finalizer(5)));
    assert!(heap.absorb(&mut other));
    collect(&mut heap, &[objects[0].word()]);
    heap.end_finalizers();
    let mut run: Vec<_> = std::iter::from_fn(|| heap.take_finalizer()).collect();
    run.sort_by_key(|(_, finalizer)| finalizer.data);
    assert_eq!(run.iter().map(|(_, f)| f.data).collect::<Vec<_>>(), [0, 4, 5]);
    assert!(run.iter().all(|(object, _)| heap.is_live(*object)));
}
