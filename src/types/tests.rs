//! Canonical numbers: equality, subtypes, and the memory that remains after their release.

use super::{TypeRegistry, TypeView, is_subtype};
use crate::abi::definitions::{CompositeType, FieldType, StorageType, SubType};
use crate::abi::heap_types::{HeapType, RefType, TypeIndex, TypeKind};
use crate::abi::types::{FuncType, ValType};
use crate::alloc::{self, FailRule, Heap, HeapConfig};
use std::time::{Duration, Instant};

fn index(number: u32) -> TypeIndex {
    TypeIndex::new(number).unwrap()
}

fn reference(kind: TypeKind, number: u32) -> ValType {
    ValType::Ref(RefType::new(true, HeapType::Defined(kind, index(number))))
}

fn func(params: &[ValType]) -> SubType {
    FuncType::new(params, []).into()
}

fn sub(supertype: Option<u32>, composite: CompositeType) -> SubType {
    SubType { is_final: false, supertype: supertype.map(index), composite }
}

fn plain() -> CompositeType {
    CompositeType::Func(FuncType::default())
}

fn fields(types: &[ValType]) -> CompositeType {
    let field = |&ty| FieldType { storage: StorageType::Val(ty), mutable: false };
    CompositeType::Struct(types.iter().map(field).collect())
}

/// Numbers of a module with these groups.
fn intern(registry: &TypeRegistry, groups: &[Vec<SubType>]) -> Vec<u32> {
    let mut ids = Vec::with_capacity(groups.iter().map(Vec::len).sum());
    for group in groups {
        registry.intern(group, &mut ids, &mut Vec::new()).unwrap();
    }
    ids
}

/// Whether `below` is `above` or a subtype of it. Both are in use.
fn is_below(registry: &TypeRegistry, below: u32, above: u32) -> bool {
    // SAFETY: the tests ask for types that they have not given up.
    unsafe { is_subtype(registry.types(), below, above) }
}

#[test]
fn equal_groups_are_the_same_wherever_they_stand() {
    let registry = TypeRegistry::default();
    // A type that refers to itself, after others in one module and first in the other.
    let own = |at| vec![func(&[reference(TypeKind::Func, at)])];
    let first = intern(&registry, &[vec![func(&[])], vec![func(&[ValType::I32])], own(2)]);
    let second = intern(&registry, &[own(0), vec![func(&[ValType::I32])], vec![func(&[])]]);
    assert_eq!([first[0], first[1], first[2]], [second[2], second[1], second[0]]);
    assert_eq!(registry.live(), 3);
    // A reference to a type is no reference to an equal one's place.
    let third = intern(&registry, &[own(0), vec![func(&[reference(TypeKind::Func, 0)])]]);
    assert_eq!(third[0], first[2]);
    assert_ne!(third[1], third[0]);
    for ids in [&first, &second, &third] {
        registry.release(ids);
    }
    assert_eq!(registry.live(), 0);
}

#[test]
fn all_of_a_definition_counts() {
    let registry = TypeRegistry::default();
    let field = |storage, mutable| FieldType { storage, mutable };
    let array = |field| sub(Option::None, CompositeType::Array(field));
    let groups = [
        vec![func(&[])],
        vec![sub(Option::None, plain())],
        vec![sub(Some(1), plain())],
        vec![SubType { is_final: true, ..sub(Some(1), plain()) }],
        vec![func(&[]), func(&[])],
        vec![FuncType::new([], [ValType::I32]).into()],
        vec![func(&[ValType::I32])],
        vec![func(&[ValType::FUNCREF])],
        vec![func(&[ValType::Ref(RefType::new(false, HeapType::Func))])],
        vec![func(&[ValType::EXTERNREF])],
        vec![func(&[reference(TypeKind::Func, 0)])],
        vec![func(&[reference(TypeKind::Func, 1)])],
        vec![sub(Option::None, fields(&[]))],
        vec![sub(Option::None, fields(&[ValType::I32]))],
        vec![array(field(StorageType::Val(ValType::I32), false))],
        vec![array(field(StorageType::Val(ValType::I32), true))],
        vec![array(field(StorageType::I8, false))],
        vec![array(field(StorageType::I16, false))],
    ];
    let ids = intern(&registry, &groups);
    let mut distinct = ids.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len());
    assert_eq!(intern(&registry, &groups), ids);
}

#[test]
fn types_of_one_group_are_told_apart_by_their_place() {
    let registry = TypeRegistry::default();
    let pair = vec![func(&[]), func(&[])];
    let ids = intern(&registry, &[pair.clone(), pair]);
    assert_eq!(ids[..2], ids[2..]);
    assert_ne!(ids[0], ids[1]);
}

#[test]
fn supertypes_are_found_at_any_depth() {
    let registry = TypeRegistry::default();
    // Half of the chain is one group, the other half are groups of one type.
    let chain = |at: u32| sub(at.checked_sub(1), plain());
    let mut groups = vec![(0..32).map(chain).collect::<Vec<_>>()];
    groups.extend((32..64).map(|at| vec![chain(at)]));
    groups.push(vec![sub(Some(3), fields(&[]))]);
    let ids = intern(&registry, &groups);
    let (chain, side) = ids.split_at(64);
    for (at, &below) in chain.iter().enumerate() {
        for (above_at, &above) in chain.iter().enumerate() {
            assert_eq!(is_below(&registry, below, above), above_at <= at, "{at} {above_at}");
        }
        assert_eq!(is_below(&registry, side[0], below), at <= 3);
        assert!(!is_below(&registry, below, side[0]));
    }
    registry.release(&ids);
    assert_eq!(registry.live(), 0);
}

#[test]
fn references_match_by_the_lattice() {
    let registry = TypeRegistry::default();
    let groups = [
        vec![sub(Option::None, plain())],
        vec![sub(Some(0), plain())],
        vec![sub(Option::None, fields(&[]))],
        vec![sub(
            Option::None,
            CompositeType::Array(FieldType { storage: StorageType::I8, mutable: true }),
        )],
    ];
    let ids = intern(&registry, &groups);
    // SAFETY: the numbers are in use until the test ends.
    let view = unsafe { TypeView::new(&ids, registry.types()) };
    let to = |kind, at: u32| HeapType::Defined(kind, index(at));
    let (upper, lower) = (to(TypeKind::Func, 0), to(TypeKind::Func, 1));
    let (structure, array) = (to(TypeKind::Struct, 2), to(TypeKind::Array, 3));
    use HeapType::*;
    let matches = |below: HeapType, above: HeapType| {
        let of = |heap| view.value(ValType::Ref(RefType::new(true, heap)));
        // SAFETY: the numbers are in use until the test ends.
        unsafe { view.matches(of(below), of(above)) }
    };
    let holds = [
        (lower, upper),
        (upper, Func),
        (NoFunc, lower),
        (NoExtern, Extern),
        (structure, Struct),
        (structure, Eq),
        (array, Array),
        (array, Any),
        (I31, Eq),
        (None, array),
        (Struct, Any),
        (lower, lower),
    ];
    let fails = [
        (upper, lower),
        (Func, upper),
        (lower, NoFunc),
        (NoFunc, Extern),
        (structure, Array),
        (Eq, structure),
        (Any, Eq),
        (structure, array),
        (upper, structure),
        (I31, Struct),
    ];
    assert!(holds.iter().all(|&(below, above)| matches(below, above)));
    assert!(fails.iter().all(|&(below, above)| !matches(below, above)));
    let not_null = ValType::Ref(RefType::new(false, Func));
    // SAFETY: neither has a number.
    unsafe {
        assert!(view.matches(not_null, ValType::FUNCREF));
        assert!(!view.matches(ValType::FUNCREF, not_null));
        assert!(view.matches(ValType::I32, ValType::I32));
        assert!(!view.matches(ValType::I32, ValType::FUNCREF));
    }
}

#[test]
fn nothing_is_left_of_types_that_are_given_up() {
    let heap = Heap::new(HeapConfig::System, Option::None).unwrap();
    let before = heap.stats();
    alloc::with_heap(&heap, || {
        let registry = TypeRegistry::default();
        let many = |first: usize| -> Vec<_> {
            (first..first + 3000)
                .map(|n| vec![func(&vec![ValType::I64; n % 70]), func(&[])])
                .collect()
        };
        let mut highest = 0;
        for round in 0..20 {
            let kept = intern(&registry, &[vec![func(&[ValType::F32])]]);
            let ids = intern(&registry, &many(round));
            highest = highest.max(*ids.iter().max().unwrap());
            registry.release(&ids);
            assert_eq!(registry.live(), 1);
            registry.release(&kept);
        }
        assert!(highest < 200, "numbers are used again: {highest}");
        assert_eq!(heap.stats().live_blocks, before.live_blocks);
    });
}

#[test]
fn memory_that_runs_out_leaves_what_was_there() {
    let above = |at: u32| at.checked_sub(1).filter(|at| *at < 60);
    let groups = [vec![func(&[])], (0..200).map(|at| sub(above(at), plain())).collect()];
    let mut failures = 0;
    for at in 0..40 {
        let inner = Box::new(HeapConfig::System);
        let config = HeapConfig::Failing { inner, rule: FailRule::Once(at) };
        let heap = Heap::new(config, Option::None).unwrap();
        let registry = TypeRegistry::default();
        alloc::with_heap(&heap, || {
            let (mut ids, mut room) = (Vec::with_capacity(300), Vec::new());
            for group in &groups {
                let (live, len) = (registry.live(), ids.len());
                if registry.intern(group, &mut ids, &mut room).is_err() {
                    failures += 1;
                    assert_eq!((registry.live(), ids.len()), (live, len));
                    registry.intern(group, &mut ids, &mut room).unwrap();
                }
                assert_eq!(registry.live(), live + 1);
            }
            assert!(is_below(&registry, ids[61], ids[1]) && !is_below(&registry, ids[62], ids[1]));
            registry.release(&ids);
        });
        assert_eq!(heap.stats().live_blocks, 0, "{at}");
    }
    assert!(failures > 10, "{failures}");
}

/// A limit that only more than linear work reaches.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_million_types_take_linear_time() {
    let start = Instant::now();
    let registry = TypeRegistry::default();
    let million = if cfg!(miri) { 1000 } else { 1_000_000 };
    // Types of their own: each refers to the one before it.
    let groups: Vec<_> = (0..million)
        .map(|at: u32| match at.checked_sub(1) {
            Some(before) => vec![func(&[reference(TypeKind::Func, before)])],
            Option::None => vec![func(&[])],
        })
        .collect();
    let ids = intern(&registry, &groups);
    assert_eq!(registry.live(), million as usize);
    assert_eq!(intern(&registry, &groups), ids);
    registry.release(&ids);
    registry.release(&ids);
    assert_eq!(registry.live(), 0);
    // One group, in which each refers to the last one and has as many supertypes as there may be.
    let group: Vec<_> = (0..million)
        .map(|at: u32| {
            let above = at.checked_sub(1).filter(|_| !at.is_multiple_of(64));
            let ty = FuncType::new([reference(TypeKind::Func, million - 1)], []);
            sub(above, CompositeType::Func(ty))
        })
        .collect();
    let ids = intern(&registry, &[group]);
    assert!(is_below(&registry, ids[63], ids[0]) && !is_below(&registry, ids[64], ids[0]));
    registry.release(&ids);
    assert!(start.elapsed() < LONG, "{:?}", start.elapsed());
}

#[test]
fn clearing_leaves_nothing_though_types_are_in_use() {
    let heap = Heap::new(HeapConfig::System, Option::None).unwrap();
    alloc::with_heap(&heap, || {
        let registry = TypeRegistry::default();
        let groups: Vec<_> = (0..900).map(|n| vec![func(&vec![ValType::F64; n])]).collect();
        drop(intern(&registry, &groups));
        drop(groups);
        registry.clear();
        assert_eq!((registry.live(), heap.stats().live_blocks), (0, 0));
    });
}

#[test]
fn threads_agree_on_numbers() {
    let registry = TypeRegistry::default();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for round in 0..300 {
                    let groups = [
                        vec![sub(Option::None, plain())],
                        vec![sub(Some(0), plain()), func(&vec![ValType::I64; round % 7])],
                    ];
                    let ids = intern(&registry, &groups);
                    assert!(is_below(&registry, ids[1], ids[0]));
                    assert_eq!(intern(&registry, &groups), ids);
                    registry.release(&ids);
                    registry.release(&ids);
                }
            });
        }
    });
    assert_eq!(registry.live(), 0);
}
