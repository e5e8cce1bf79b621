//! Exceptions: what they hold, and that they are neither structs nor arrays.

use super::StorageKind::*;
use super::*;
use crate::gc::direct;

/// Payloads up to those that have a chunk of their own.
const SIZES: [u64; 6] = [0, 1, 2, 60, 1020, 3000];

#[test]
fn exceptions_hold_what_they_were_made_with() {
    let mut heap = GcHeap::new(1 << 20, 3);
    let payload = |size: u64| (0..size).map(|slot| slot << 40 | size).collect::<Vec<_>>();
    let mut made = Vec::new();
    for size in SIZES {
        let object = heap.alloc_exception(!size, &payload(size)).unwrap();
        heap.alloc_exception(size, &payload(size)).unwrap();
        made.push((object, size));
    }
    let roots: Vec<_> = made.iter().map(|(object, _)| object.word()).collect();
    for _ in 0..2 {
        for &(object, size) in &made {
            assert_eq!(heap.exception(object), Some((!size, &payload(size)[..])));
        }
        collect(&mut heap, &roots);
    }
    let bytes = SIZES.iter().map(|size| (size + 3) * 8).sum::<u64>();
    assert_eq!(heap.stats().bytes_in_use, bytes);
    collect(&mut heap, &roots[1..]);
    assert_eq!(heap.exception(made[0].0), None);
}

/// Neither the heap nor running code finds a type, fields or elements in an exception, so that
/// nobody reads or changes its word; and what is no exception has none.
#[test]
fn no_other_object_is_taken_for_an_exception_nor_the_reverse() {
    let mut heap = GcHeap::new(1 << 20, 3);
    let pair = layout(&[Ref, I64, I8]);
    let other = heap.alloc_struct(&pair, 0x00ff_ffff).unwrap();
    let mut others = vec![other];
    for kind in [I8, I16, I32, I64, F32, F64, V128, Ref, Opaque] {
        others.push(heap.new_array(kind, 0x00ff_ffff, 9).unwrap());
    }
    for size in SIZES {
        let object = heap.alloc_exception(7, &vec![8; size as usize]).unwrap();
        assert!(heap.is_live(object));
        assert_eq!((heap.type_of(object), heap.len(object)), (None, None));
        for field in pair.fields() {
            assert_eq!(heap.get(object, *field), None);
            assert_eq!(heap.set(object, *field, [9; 2]), None);
        }
        assert_eq!((heap.element_kind(object), heap.array_get(object, 0)), (None, None));
        assert_eq!(heap.array_set(object, 0, [9; 2]), None);
        assert_eq!(heap.array_fill(object, 0, [9; 2], 1), None);
        assert_eq!(heap.array_copy(object, 0, others[1], 0, 0), None);
        assert_eq!(heap.array_copy(others[1], 0, object, 0, 0), None);
        assert_eq!(heap.copy_in(object, 0, &[9; 8]), None);
        assert_eq!(heap.element_bytes(object, 0, 0), None);
        // SAFETY: the heap is alive and this thread's, and the object was just made.
        unsafe {
            let head = direct::find(heap.view(), object.word()).expect("it begins there");
            assert_eq!((direct::ref_field(head, 0), direct::len(head)), (None, None));
            assert_eq!(direct::data_field::<u8>(head, 0), None);
            assert_eq!(direct::element::<u8>(head, 0), None);
            assert_eq!(direct::element::<u64>(head, 0), None);
            assert_eq!(direct::element::<u128>(head, 0), None);
        }
        // Also while it has a finalizer, which its head says.
        assert!(heap.set_finalizer(object, GcFinalizer { callback: 1, data: 1 }));
        assert_eq!(heap.exception(object).map(|(word, slots)| (word, slots.len())), {
            Some((7, size as usize))
        });
        assert_eq!(heap.type_of(object), None);
        heap.unset_finalizer(object).unwrap();
    }
    for object in others {
        assert_eq!(heap.exception(object), None);
    }
}

/// Exceptions and structs that lead to each other are kept and go together.
#[test]
fn circles_through_exceptions_and_other_objects_are_freed() {
    let mut heap = GcHeap::new(1 << 20, 3);
    let node = layout(&[Ref]);
    let mut made = Vec::new();
    for number in 0..1000_u64 {
        let object = heap.alloc_struct(&node, 1).unwrap();
        // Numbers that lead nowhere are among the slots.
        let payload = [number, object.word(), u64::MAX];
        let exception = heap.alloc_exception(number, &payload).unwrap();
        heap.set(object, node.fields()[0], [exception.word(), 0]).unwrap();
        made.push((object, exception));
    }
    collect(&mut heap, &[made[3].0.word(), made[5].1.word()]);
    for (number, &(object, exception)) in made.iter().enumerate() {
        let kept = number == 3 || number == 5;
        assert_eq!((heap.is_live(object), heap.exception(exception).is_some()), (kept, kept));
    }
    let found = |heap: &GcHeap| {
        let mut found = Vec::new();
        let each = &mut |word| {
            found.push(word);
            Ok(())
        };
        assert_eq!(heap.for_each_reference(each), Ok(()));
        found
    };
    let words = [made[3].0.word(), made[3].1.word(), made[5].0.word(), made[5].1.word()];
    assert!(words.iter().all(|word| found(&heap).contains(word)));
    assert_eq!(found(&heap).len(), 2 + 2 * 3);
    collect(&mut heap, &[]);
    assert_eq!((heap.stats().bytes_in_use, found(&heap).len()), (0, 0));
}

#[test]
fn exceptions_have_the_limits_of_all_objects() {
    let mut heap = GcHeap::new(64 << 10, 3);
    let payload = [1; 60];
    let mut last = heap.alloc_exception(1, &payload).unwrap();
    let full = loop {
        match heap.alloc_exception(1, &payload) {
            Ok(object) => last = object,
            Err(full) => break full,
        }
    };
    assert_eq!(full, HeapFull::Collect);
    collect(&mut heap, &[last.word()]);
    heap.alloc_exception(1, &payload).unwrap();
    assert_eq!(heap.alloc_exception(1, &[0; 10_000]), Err(HeapFull::Exhausted));
    heap.set_stress(true);
    assert_eq!(heap.alloc_exception(1, &[]), Err(HeapFull::Collect));
    collect(&mut heap, &[last.word()]);
    heap.alloc_exception(1, &[]).unwrap();
    assert_eq!(heap.exception(last), Some((1, &payload[..])));
}
