//! Canonical type numbers.

use super::*;
use crate::abi::types::{FuncType, ValType};
use crate::module::TypeList;

fn list(types: &[FuncType]) -> TypeList {
    TypeList::of_funcs(types.iter().cloned())
}

fn ty(params: usize) -> FuncType {
    FuncType::new(vec![ValType::I64; params], [])
}

#[test]
fn equal_types_have_one_number_in_a_context() {
    World::run(|_| {
        let context = Context::new().unwrap();
        let types = [ty(0), ty(3), ty(0)];
        let first = context.intern_types(&list(&types)).unwrap();
        assert_eq!(first[0], first[2]);
        assert_ne!(first[0], first[1]);
        assert!(!first.contains(&0));
        let second = context.intern_types(&list(&[ty(3), ty(4)])).unwrap();
        assert_eq!(second[0], first[1]);
        assert!(!first.contains(&second[1]));
    });
}

#[test]
fn numbers_are_counted_and_used_again() {
    World::run(|_| {
        let context = Context::new().unwrap();
        let kept = context.intern_types(&list(&[ty(1)])).unwrap();
        let mut highest = 0;
        for round in 0..1000 {
            let types = [ty(1), ty(round + 2), ty(round + 3)];
            let ids = context.intern_types(&list(&types)).unwrap();
            assert_eq!(ids[0], kept[0]);
            highest = ids.iter().copied().max().unwrap().max(highest);
        }
        assert_eq!(context.0.parts.types.live(), 1);
        assert_eq!(highest, 3, "reloading forever does not grow the table");
    });
}

#[test]
fn numbers_live_in_the_contexts_heap() {
    World::run(|_| {
        let context = Context::new().unwrap();
        let before = context.heap().stats().live_blocks;
        let ids = context.intern_types(&list(&[ty(1), ty(2)])).unwrap();
        assert!(context.heap().stats().live_blocks > before);
        drop(ids);
        assert_eq!(context.heap().stats().live_blocks, before);
    });
}

#[test]
fn threads_agree_on_numbers() {
    World::run(|world| {
        let context = Context::new().unwrap();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let context = context.clone();
                world.spawn(move || {
                    for round in 0..200 {
                        let types = [ty(round % 7), ty(round % 5)];
                        let ids = context.intern_types(&list(&types)).unwrap();
                        let again = context.intern_types(&list(&types)).unwrap();
                        assert_eq!(*ids, *again);
                        assert_eq!(ids[0] == ids[1], types[0] == types[1]);
                    }
                })
            })
            .collect();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(context.0.parts.types.live(), 0);
    });
}
