//! References that nobody was given, and ones that were kept too long.

use super::StorageKind::*;
use super::*;
use std::collections::HashSet;

fn nothing_there(heap: &mut GcHeap, object: GcRef) {
    let field = layout(&[Ref, I64]).fields()[1];
    assert!(!heap.is_live(object));
    // SAFETY: the heap is alive and this thread's.
    unsafe {
        assert_eq!(crate::gc::direct::find(heap.view(), object.word()), None);
        assert_eq!(crate::gc::direct::find(heap.view(), object.word() + 1), None);
    }
    assert_eq!(heap.type_of(object), None);
    assert_eq!(heap.exception(object), None);
    assert_eq!(heap.len(object), None);
    assert_eq!(heap.get(object, field), None);
    assert_eq!(heap.set(object, field, [1; 2]), None);
    assert_eq!(heap.array_get(object, 0), None);
    assert_eq!(heap.array_set(object, 0, [1; 2]), None);
    assert_eq!(heap.array_copy(object, 0, object, 0, 0), None);
    assert_eq!(heap.copy_in(object, 0, &[]), None);
    assert_eq!(heap.pin(object), None);
    assert!(!heap.set_finalizer(object, GcFinalizer { callback: 1, data: 1 }));
    assert_eq!(heap.unset_finalizer(object), None);
}

#[test]
fn words_that_are_no_references() {
    assert_eq!(GcRef::from_word(0), None);
    for low in 1..8 {
        assert_eq!(GcRef::from_word(0x1234_5678 << 3 | low), None);
    }
    let mut heap = GcHeap::new(1 << 20, 1);
    for word in [8, !7, 1 << 39, 1 << 63] {
        nothing_there(&mut heap, GcRef::from_word(word).unwrap());
    }
}

#[test]
fn every_word_but_an_objects_is_refused() {
    let mut heap = GcHeap::new(1 << 20, 5);
    let (pair, large) = (layout(&[Ref, I64, Ref]), layout(&[Ref; 5000]));
    let mut known = HashSet::new();
    // Contents that look like heads and like references.
    for _ in 0..300 {
        let object = heap.alloc_struct(&pair, 1).unwrap();
        heap.set(object, pair.fields()[1], [object.word() | 1 << 32, 0]).unwrap();
        heap.set(object, pair.fields()[0], [object.word(), 0]).unwrap();
        known.insert(object.word());
        let array = heap.new_array(I32, 1, 5).unwrap();
        heap.array_fill(array, 0, [u64::MAX, 0], 5).unwrap();
        known.insert(array.word());
        known.insert(heap.alloc_exception(object.word(), &[object.word(), 0]).unwrap().word());
    }
    let whole = heap.alloc_struct(&large, 3).unwrap();
    heap.set(whole, large.fields()[4999], [whole.word(), 0]).unwrap();
    assert_eq!(heap.get(whole, large.fields()[4999]), Some([whole.word(), 0]));
    known.insert(whole.word());
    known.insert(heap.new_array(Ref, 1, 20_000).unwrap().word());
    let first = known.iter().min().unwrap() >> 39 << 39;
    let mut live = 0;
    for word in (first..first + (12 << 15)).step_by(8) {
        let object = GcRef::from_word(word).unwrap();
        if known.contains(&word) {
            assert!(heap.is_live(object));
            live += 1;
        } else {
            nothing_there(&mut heap, object);
        }
    }
    assert_eq!(live, known.len());
    let mut random = Random::new(8);
    for _ in 0..20_000 {
        if let Some(object) = GcRef::from_word(random.word() & !7)
            && !known.contains(&object.word())
        {
            nothing_there(&mut heap, object);
        }
    }
    // Roots may be any words.
    let mut roots: Vec<u64> = (0..20_000).map(|_| random.word()).collect();
    roots.extend(first..first + 5000);
    collect(&mut heap, &roots);
    // References in fields as well: whatever the guest's words are.
    let array = heap.new_array(Ref, 1, 1000).unwrap();
    for at in 0..1000 {
        // Into the array itself, where the words look like references and not like heads.
        heap.array_set(array, at, [array.word() + 8 * (u64::from(at) + 1), 0]).unwrap();
    }
    collect(&mut heap, &[array.word()]);
    assert_eq!(heap.stats().bytes_in_use, 1002 * 8);
}

#[test]
fn references_that_were_kept_too_long() {
    let mut heap = GcHeap::new(1 << 20, 5);
    let pair = layout(&[Ref, I64]);
    let objects: Vec<_> = (0..1000).map(|_| heap.alloc_struct(&pair, 1).unwrap()).collect();
    let large = heap.new_array(Ref, 1, 20_000).unwrap();
    let exception = heap.alloc_exception(1, &[0; 5]).unwrap();
    collect(&mut heap, &[objects[500].word()]);
    for object in objects.iter().chain([&large, &exception]) {
        if *object == objects[500] {
            assert!(heap.is_live(*object));
        } else {
            nothing_there(&mut heap, *object);
        }
    }
    // Their places are used again.
    let bytes = heap.stats().bytes_reserved;
    for _ in 0..100 {
        heap.alloc_struct(&pair, 1).unwrap();
    }
    assert_eq!(heap.stats().bytes_reserved, bytes);
}

#[test]
fn handles_that_were_given_back() {
    let mut heap = GcHeap::new(1 << 20, 5);
    let pair = layout(&[Ref, I64]);
    let object = heap.alloc_struct(&pair, 1).unwrap();
    let handles = [(); 3].map(|()| heap.pin(object).unwrap());
    collect(&mut heap, &[]);
    assert_eq!(heap.unpin(handles[1]), Some(object));
    assert_eq!((heap.pinned(handles[1]), heap.unpin(handles[1])), (None, None));
    // The slot is somebody else's now.
    let other = heap.alloc_struct(&pair, 2).unwrap();
    let again = heap.pin(other).unwrap();
    assert_eq!((heap.pinned(handles[1]), heap.unpin(handles[1])), (None, None));
    assert_eq!(heap.pinned(again), Some(other));
    assert_eq!(GcHeap::new(1, 5).pinned(again), None);
    heap.unpin(handles[0]).unwrap();
    collect(&mut heap, &[]);
    assert!(heap.is_live(object) && heap.is_live(other));
    heap.unpin(handles[2]).unwrap();
    collect(&mut heap, &[]);
    assert!(!heap.is_live(object) && heap.is_live(other));
}
