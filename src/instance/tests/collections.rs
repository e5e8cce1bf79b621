//! Collections of exceptions: ones that are given up at every look lose nothing, and the next one
//! frees what is left.

use super::*;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmThrown;
use crate::gc::{GcHeap, GcMarker};

const WAT: &str = r#"(module (type (func (param i64 exnref)))
    (tag (type 0)) (global (mut exnref) (ref.null exn)) (table 100 exnref))"#;

/// Enough for several looks in each part of a collection.
const KEPT: u64 = if cfg!(miri) { 6_000 } else { 20_000 };

/// Makes an exception with this payload; nothing is freed meanwhile.
fn made(instance: &Instance, number: u64, other: u64) -> u64 {
    let payload = [number, other];
    // SAFETY: there is one tag, with such a payload.
    unsafe {
        let tag = *instance.vm.tags;
        let thrown = VmThrown { tag, payload: payload.as_ptr(), slots: 2, ..VmThrown::NONE };
        let make = || instance.make_exception(&thrown);
        instance.make_uncollected(make, Trap::Internal).expect("room").word()
    }
}

/// Collects until the look with this number, which says to stop; tells how many there were.
fn collected(instance: &Instance, stop_at: usize) -> Result<usize, usize> {
    let mut looks = 0;
    let mut look = || {
        looks += 1;
        if looks == stop_at { Err(Trap::DeadlineExceeded) } else { Ok(()) }
    };
    let mut roots = |marker: &mut GcMarker<'_, '_, '_>| {
        let mut own = |member: NonNull<Instance>| {
            // SAFETY: members of a test's link set are alive.
            unsafe { member.as_ref() }.mark_own(marker)
        };
        // SAFETY: a link set of a test is used by its thread.
        unsafe { link_set::try_for_each(instance.ptr(), &mut own) }
    };
    match instance.with_objects(|heap| heap.collect(&mut roots, &mut look)) {
        Ok(()) => Ok(looks),
        Err(trap) => {
            assert_eq!((trap, looks), (Trap::DeadlineExceeded, stop_at));
            Err(looks)
        }
    }
}

/// The number that the exception carries to which a reference leads.
fn number_of(instance: &Instance, word: u64) -> Option<u64> {
    let thrown = instance.exception_of(word)?;
    assert_eq!((thrown.slots, thrown.reference), (2, word));
    // SAFETY: the exception was found, and has two slots.
    Some(unsafe { *thrown.payload })
}

/// A list of exceptions, each with a reference to the one before; the last stands in the global.
fn listed(instance: &Instance) -> Vec<u64> {
    let mut words = Vec::new();
    for number in 0..KEPT {
        words.push(made(instance, number, words.last().copied().unwrap_or(0)));
        // What nothing leads to, in between.
        made(instance, number, words[0]);
    }
    set_global(instance, words[words.len() - 1]);
    words
}

fn set_global(instance: &Instance, word: u64) {
    // SAFETY: the instance has a global, which nobody else uses.
    unsafe { (*instance.global(0).expect("global").as_ptr()).slots[0] = word };
}

/// Bytes of memory that the heap takes.
fn bytes(instance: &Instance) -> u64 {
    instance.with_objects(|heap: &mut GcHeap| heap.stats().bytes_reserved)
}

#[test]
fn collections_that_are_given_up_lose_nothing() {
    let world = World::new(false);
    let instance = world.plain(WAT);
    let words = listed(&instance);
    let all = bytes(&instance);
    let all_found = || (0..KEPT).all(|n| number_of(&instance, words[n as usize]) == Some(n));
    let mut last = 0;
    for stop_at in 1.. {
        let outcome = collected(&instance, stop_at);
        assert!(all_found(), "after {stop_at} looks");
        last = stop_at;
        if outcome.is_ok() {
            break;
        }
    }
    assert!(last as u64 > 3 * KEPT / 4096, "{last} looks");
    // What is left lies between what has gone.
    let live = |instance: &Instance| instance.with_objects(|heap| heap.stats().bytes_in_use);
    assert_eq!(live(&instance), KEPT * 5 * 8);
    set_global(&instance, 0);
    assert!(collected(&instance, 1).is_err());
    assert!(collected(&instance, usize::MAX).is_ok());
    assert!(words.iter().all(|&word| number_of(&instance, word).is_none()));
    assert_eq!(live(&instance), 0);
    assert!(bytes(&instance) < all / 2, "{all} bytes became {}", bytes(&instance));
}

#[test]
fn collections_of_link_sets_that_became_one_lose_nothing() {
    let world = World::new(false);
    let (a, b) = (world.plain(WAT), world.plain(WAT));
    let words = [&a, &b].map(|instance| listed(instance));
    assert!(collected(&a, 3).is_err() && collected(&b, 5).is_err(), "both have marks");
    // SAFETY: both are alive, and used by this thread.
    unsafe { link_set::merge(a.0, b.0).expect("memory") };
    let all_found = || {
        let found = |n: u64| words.iter().all(|w| number_of(&b, w[n as usize]) == Some(n));
        (0..KEPT).all(found)
    };
    assert!(all_found());
    let mut stop_at = 1;
    while collected(&a, stop_at).is_err() {
        assert!(all_found(), "after {stop_at} looks");
        stop_at += 3;
    }
    assert!(all_found());
    set_global(&a, 0);
    assert!(collected(&b, usize::MAX).is_ok());
    let found = |words: &[u64]| words.iter().filter(|&&w| number_of(&a, w).is_some()).count();
    assert_eq!([found(&words[0]), found(&words[1])], [0, KEPT as usize]);
}

#[test]
fn collections_look_while_they_go_through_tables_and_globals() {
    const COUNT: usize = 100_000;
    let world = World::new(false);
    let globals = "(global i32 (i32.const 0))".repeat(COUNT);
    for wat in [format!("(module (table {COUNT} exnref))"), format!("(module {globals})")] {
        let instance = world.plain(&wat);
        let looks = collected(&instance, usize::MAX).expect("a whole collection");
        assert!(looks >= COUNT / 4096, "{looks} looks");
        assert_eq!(collected(&instance, looks), Err(looks));
    }
}
