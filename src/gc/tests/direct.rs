//! What running code does without asking the heap, compared with what the heap does.

use super::StorageKind::*;
use super::*;
use crate::gc::direct;

/// A struct made as running code makes it.
fn direct_struct(heap: &GcHeap, layout: &StructLayout, type_id: u32) -> Option<GcRef> {
    let (refs, words) = direct::parts_of(layout);
    let head = direct::head_of(layout, type_id);
    // SAFETY: the heap is alive and this thread's; the numbers are the layout's.
    let (_, word) = unsafe { direct::allocate(heap.view(), refs, words, head)? };
    GcRef::from_word(word)
}

#[test]
fn fields_are_the_same() {
    let kinds = [Ref, I8, I64, Ref, I16, V128, F64, I32, Ref, I8];
    let (mut heap, layout) = (GcHeap::new(1 << 20, 7), layout(&kinds));
    heap.alloc_struct(&layout, 1).unwrap();
    for object in [heap.alloc_struct(&layout, 5), Ok(direct_struct(&heap, &layout, 5).unwrap())] {
        let object = object.unwrap();
        assert_eq!(heap.type_of(object), Some(5));
        for (number, field) in layout.fields().iter().enumerate() {
            let value = [0x1122_3344_5566_7700 + number as u64, 0];
            heap.set(object, *field, value).unwrap();
        }
        // SAFETY: the heap is alive and this thread's.
        unsafe {
            let head = direct::find(heap.view(), object.word()).unwrap();
            assert_eq!((direct::type_of(head), direct::len(head)), (5, None));
            for field in layout.fields() {
                let expected = heap.get(object, *field).unwrap()[0];
                let at = field.at();
                let found = match field.kind() {
                    Ref => *direct::ref_field(head, at).unwrap(),
                    I8 => u64::from(*direct::data_field::<u8>(head, at).unwrap()),
                    I16 => u64::from(*direct::data_field::<u16>(head, at).unwrap()),
                    I32 => u64::from(*direct::data_field::<u32>(head, at).unwrap()),
                    _ => *direct::data_field::<u64>(head, at).unwrap(),
                };
                assert_eq!(found, expected);
            }
            // Behind the last ones.
            let (refs, words) = direct::parts_of(&layout);
            let bytes = (words - refs - 1) * 8;
            assert_eq!(direct::ref_field(head, refs), None);
            assert_eq!(direct::ref_field(head, u32::MAX), None);
            assert_eq!(direct::data_field::<u8>(head, bytes), None);
            assert!(direct::data_field::<u8>(head, bytes - 1).is_some());
            assert_eq!(direct::data_field::<[u64; 2]>(head, bytes - 8), None);
            assert_eq!(direct::data_field::<u64>(head, u32::MAX), None);
            for len in [0, 1, u32::MAX] {
                assert_eq!(direct::element::<u8>(head, len), None);
            }
        }
    }
}

#[test]
fn elements_are_the_same() {
    let mut heap = GcHeap::new(1 << 22, 7);
    // In a chunk with others, and in one of its own.
    for len in [0, 1, 9, 5000] {
        for (kind, bytes) in [(I8, 1), (I16, 2), (F32, 4), (Opaque, 8), (Ref, 8), (V128, 16)] {
            let array = heap.new_array(kind, 3, len).unwrap();
            // SAFETY: the heap is alive and this thread's.
            unsafe {
                let head = direct::find(heap.view(), array.word()).unwrap();
                assert_eq!((direct::type_of(head), direct::len(head)), (3, Some(len)));
                let first = direct::element::<u8>(head, 0).is_some();
                assert_eq!(first, bytes == 1 && len > 0);
                for at in [0, 1, len.saturating_sub(1), len, u32::MAX] {
                    let found = [
                        direct::element::<u8>(head, at).is_some(),
                        direct::element::<u16>(head, at).is_some(),
                        direct::element::<u32>(head, at).is_some(),
                        direct::element::<u64>(head, at).is_some(),
                        direct::element::<[u64; 2]>(head, at).is_some(),
                    ];
                    let own = (bytes as u32).trailing_zeros() as usize;
                    for (size, found) in found.into_iter().enumerate() {
                        assert_eq!(found, size == own && at < len);
                    }
                }
                // No array has fields.
                assert_eq!(direct::ref_field(head, 0), None);
                assert_eq!(direct::data_field::<u8>(head, 0), None);
            }
        }
    }
}

/// Objects that running code makes are counted and kept like all others, and there are no more of
/// them before a collection than of those.
#[test]
fn objects_made_directly_are_the_heaps() {
    let (mut heap, pair) = (GcHeap::new(1 << 22, 9), layout(&[Ref, I64]));
    let mut last: Option<GcRef> = None;
    let (mut direct, mut asked, mut turns) = (0u64, 0u64, 0);
    let most = heap.stats().bytes_in_use + (3 << 20);
    while heap.stats().collections < 5 {
        turns += 1;
        assert!(turns < 1_000_000);
        let object = match direct_struct(&heap, &pair, 4) {
            Some(object) => {
                direct += 1;
                object
            }
            None => {
                asked += 1;
                let roots: Vec<u64> = last.iter().map(|object| object.word()).collect();
                made(&mut heap, &roots, |heap| heap.alloc_struct(&pair, 4)).unwrap()
            }
        };
        assert!(heap.is_live(object));
        assert_eq!(heap.get(object, pair.fields()[1]), Some([0, 0]));
        heap.set(object, pair.fields()[1], [turns, 0]).unwrap();
        // A list that is dropped now and then.
        if turns % 1000 != 0 {
            let before = last.map_or(0, GcRef::word);
            heap.set(object, pair.fields()[0], [before, 0]).unwrap();
        }
        last = Some(object);
        assert!(heap.stats().bytes_in_use < most);
        assert_eq!(heap.stats().bytes_allocated, turns * 24);
    }
    assert!(direct > 20 * asked, "{direct} directly, {asked} not");
    collect(&mut heap, &[last.unwrap().word()]);
    let (mut at, mut length, mut expected) = (last, 0, turns);
    while let Some(object) = at {
        assert_eq!(heap.get(object, pair.fields()[1]), Some([expected, 0]));
        (length, expected) = (length + 1, expected.wrapping_sub(1));
        at = GcRef::from_word(heap.get(object, pair.fields()[0]).unwrap()[0]);
    }
    assert_eq!(heap.stats().bytes_in_use, length * 24);
}

#[test]
fn a_heap_under_stress_makes_every_object_itself() {
    let (mut heap, pair) = (GcHeap::new(1 << 22, 9), layout(&[Ref, I64]));
    assert!(direct_struct(&heap, &pair, 4).is_none());
    heap.alloc_struct(&pair, 4).unwrap();
    assert!(direct_struct(&heap, &pair, 4).is_some());
    heap.set_stress(true);
    assert!(direct_struct(&heap, &pair, 4).is_none());
    assert_eq!(heap.alloc_struct(&pair, 4), Err(HeapFull::Collect));
    collect(&mut heap, &[]);
    heap.alloc_struct(&pair, 4).unwrap();
    assert!(direct_struct(&heap, &pair, 4).is_none());
}

#[test]
fn views_outlive_absorption() {
    let pair = layout(&[Ref, I64]);
    let (mut heap, mut other) = (GcHeap::new(1 << 20, 1), GcHeap::new(1 << 20, 2));
    let ours = heap.alloc_struct(&pair, 1).unwrap();
    let theirs = other.alloc_struct(&pair, 2).unwrap();
    let (own_view, view) = (heap.view(), other.view());
    let more = direct_struct(&other, &pair, 2).unwrap();
    assert!(heap.absorb(&mut other));
    drop(other);
    // SAFETY: the heap has absorbed the other one, and is alive and this thread's.
    unsafe {
        for object in [theirs, more] {
            assert!(direct::find(view, object.word()).is_some());
            assert!(direct::find(own_view, object.word()).is_none());
            assert_eq!(heap.type_of(object), Some(2));
        }
        assert!(direct::find(own_view, ours.word()).is_some());
        let (refs, words) = direct::parts_of(&pair);
        assert!(direct::allocate(view, refs, words, direct::head_of(&pair, 1)).is_none());
    }
    assert_eq!(heap.stats().bytes_in_use, 3 * 24);
    collect(&mut heap, &[]);
    // SAFETY: the heap is alive and this thread's.
    assert!(unsafe { direct::find(view, theirs.word()) }.is_none());
}
