//! Fields and elements: a read gives the value that was set, and nothing else changes.

use super::StorageKind::*;
use super::*;

const KINDS: [StorageKind; 9] = [I8, I16, I32, I64, F32, F64, V128, Ref, Opaque];

/// What remains of a value in a field.
fn kept(kind: StorageKind, value: [u64; 2]) -> [u64; 2] {
    match kind.bytes() {
        16 => value,
        8 => [value[0], 0],
        bytes => [value[0] & ((1 << (bytes * 8)) - 1), 0],
    }
}

fn value(random: &mut Random) -> [u64; 2] {
    [random.word(), random.word()]
}

#[test]
fn fields_do_not_overlap_and_holes_are_filled() {
    let small = layout(&[I8, I64, I8, I16, I32]);
    assert_eq!((small.data_words(), small.refs()), (2, 0));
    assert_eq!(layout(&[I8, V128, Ref, I32, Opaque, I8]).data_words(), 4);
    assert!(StructLayout::new(std::iter::repeat_n(Ref, 10_001)).is_none());
    let mut random = Random::new(3);
    for _ in 0..300 {
        let kinds: Vec<_> = (0..random.below(40)).map(|_| KINDS[random.below(9)]).collect();
        let (whole, mut heap) = (layout(&kinds), GcHeap::new(1 << 20, 1));
        // A subtype has the fields of its supertype where that has them.
        let prefix = layout(&kinds[..random.below(kinds.len() + 1)]);
        assert_eq!(prefix.fields(), &whole.fields()[..prefix.fields().len()]);
        let objects = [0, 1, 2].map(|id| heap.alloc_struct(&whole, id).unwrap());
        let mut model = vec![[[0; 2]; 40]; 3];
        for _ in 0..kinds.len() * 6 {
            let (which, field) = (random.below(3), random.below(kinds.len()));
            let new = value(&mut random);
            heap.set(objects[which], whole.fields()[field], new).unwrap();
            model[which][field] = kept(kinds[field], new);
        }
        for (which, object) in objects.into_iter().enumerate() {
            assert_eq!(heap.type_of(object), Some(which as u32));
            assert_eq!((heap.len(object), heap.array_get(object, 0)), (None, None));
            for (at, field) in whole.fields().iter().enumerate() {
                assert_eq!(heap.get(object, *field), Some(model[which][at]));
            }
        }
    }
}

#[test]
fn packed_values_have_a_sign_if_asked() {
    let mut heap = GcHeap::new(1 << 20, 1);
    let packed = layout(&[I8, I16, I32]);
    let object = heap.alloc_struct(&packed, 0).unwrap();
    let bytes = heap.new_array(I8, 0, 3).unwrap();
    let pairs = heap.new_array(I16, 0, 3).unwrap();
    for field in packed.fields() {
        heap.set(object, *field, [u64::MAX, 0]).unwrap();
        assert_eq!(heap.get_signed(object, *field), Some([0xffff_ffff, 0]));
    }
    assert_eq!(heap.get(object, packed.fields()[0]), Some([0xff, 0]));
    assert_eq!(heap.get(object, packed.fields()[1]), Some([0xffff, 0]));
    heap.array_set(bytes, 1, [0x80, 0]).unwrap();
    heap.array_set(pairs, 1, [0x8000, 0]).unwrap();
    assert_eq!(heap.array_get(bytes, 1), Some([0x80, 0]));
    assert_eq!(heap.array_get_signed(bytes, 1), Some([0xffff_ff80, 0]));
    assert_eq!(heap.array_get_signed(pairs, 1), Some([0xffff_8000, 0]));
    assert_eq!(heap.array_get_signed(pairs, 2), Some([0, 0]));
}

#[test]
fn fields_of_other_types_are_within_the_object() {
    let mut heap = GcHeap::new(1 << 20, 1);
    let (none, large) = (layout(&[]), layout(&[Ref, Ref, I8, V128, I64]));
    heap.alloc_struct(&large, 0).unwrap();
    let object = heap.alloc_struct(&none, 0).unwrap();
    let array = heap.new_array(I64, 0, 10).unwrap();
    for field in large.fields() {
        for other in [object, array] {
            assert_eq!(heap.get(other, *field), None);
            assert_eq!(heap.set(other, *field, [1; 2]), None);
        }
    }
}

#[test]
fn arrays_are_as_vectors() {
    let mut random = Random::new(5);
    let mut heap = GcHeap::new(64 << 20, 1);
    for kind in KINDS {
        // In one chunk, in others, in chunks of their own.
        let lens = [0, 1, 7, 100, 400, 3000, 20_000];
        let mut arrays = Vec::new();
        for len in lens {
            heap.postpone_collection();
            arrays.push((heap.new_array(kind, 7, len).unwrap(), vec![[0; 2]; len as usize]));
        }
        for _ in 0..400 {
            let (to, from) = (random.below(7), random.below(7));
            let (at, from_at) = (random.below(110), random.below(110));
            let count = random.size(500);
            let new = kept(kind, value(&mut random));
            let (to_ref, from_ref) = (arrays[to].0, arrays[from].0);
            let fits = at + count <= arrays[to].1.len();
            if random.below(2) == 0 {
                let filled = heap.array_fill(to_ref, at as u32, new, count as u32);
                assert_eq!(filled.is_some(), fits);
                if fits {
                    arrays[to].1[at..at + count].fill(new);
                }
                continue;
            }
            let (to_at, count_u32) = (at as u32, count as u32);
            let copied = heap.array_copy(to_ref, to_at, from_ref, from_at as u32, count_u32);
            let source = arrays[from].1.get(from_at..from_at + count).map(<[_]>::to_vec);
            assert_eq!(copied.is_some(), fits && source.is_some());
            if copied.is_some() {
                arrays[to].1[at..at + count].copy_from_slice(&source.unwrap());
            }
        }
        for (array, model) in &arrays {
            assert_eq!(heap.len(*array), Some(model.len() as u32));
            assert_eq!(heap.element_kind(*array), Some(kind));
            for (at, value) in model.iter().enumerate() {
                assert_eq!(heap.array_get(*array, at as u32), Some(*value));
            }
            for at in [model.len() as u32, u32::MAX] {
                assert_eq!(heap.array_get(*array, at), None);
                assert_eq!(heap.array_set(*array, at, [0; 2]), None);
                assert_eq!(heap.array_fill(*array, at, [0; 2], 2), None);
            }
        }
    }
}

#[test]
fn arrays_of_other_elements_are_not_copied() {
    let mut heap = GcHeap::new(1 << 20, 1);
    let [small, refs, opaque, long] =
        [I32, Ref, Opaque, I64].map(|kind| heap.new_array(kind, 0, 4).unwrap());
    assert_eq!(heap.array_copy(small, 0, long, 0, 1), None);
    assert_eq!(heap.array_copy(refs, 0, long, 0, 1), None);
    assert_eq!(heap.array_copy(opaque, 0, refs, 0, 1), None);
    assert_eq!(heap.array_copy(opaque, 4, opaque, 0, 0), Some(()));
    assert_eq!(heap.array_copy(opaque, 5, opaque, 0, 0), None);
}

#[test]
fn bytes_become_elements() {
    let mut heap = GcHeap::new(1 << 20, 1);
    let words = heap.new_array(I16, 0, 4).unwrap();
    assert_eq!(heap.copy_in(words, 1, &[1, 2, 3, 4]), Some(()));
    let values: Vec<u64> = (0..4).map(|at| heap.array_get(words, at).unwrap()[0]).collect();
    assert_eq!(values, [0, 0x0201, 0x0403, 0]);
    assert_eq!(heap.element_bytes(words, 1, 2).unwrap(), [1, 2, 3, 4]);
    assert_eq!(heap.copy_in(words, 1, &[1, 2, 3]), None);
    assert_eq!(heap.copy_in(words, 3, &[1, 2, 3, 4]), None);
    for kind in [Ref, Opaque] {
        let refs = heap.new_array(kind, 0, 4).unwrap();
        assert_eq!(heap.copy_in(refs, 0, &[1; 8]), None);
    }
}
