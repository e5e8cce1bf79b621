//! Sweeps that are given up at every look lose nothing, and the next one frees what is left.

use super::*;
use crate::instance::exceptions::{self, Sweep};

const WAT: &str = r#"(module (type (func (param i64 exnref)))
    (tag (type 0)) (global (mut exnref) (ref.null exn)) (table 100 exnref))"#;

/// Enough for several looks in each part of a sweep.
const KEPT: u64 = if cfg!(miri) { 6_000 } else { 20_000 };

fn no_stacks(_: &mut Sweep<'_, '_, '_>) -> Result<Option<usize>, Trap> {
    Ok(Some(0))
}

/// Makes an exception with this payload, and shares it; nothing is swept meanwhile.
fn thrown(instance: &Instance, number: u64, other: u64) -> u64 {
    let payload = [number, other];
    // SAFETY: there is one tag, with such a payload; a link set of a test is used by its thread.
    unsafe {
        let tag = *instance.vm.tags;
        let made = instance.make_exception(tag, payload.as_ptr()).expect("memory");
        // Where not all stacks can be seen, nothing is freed.
        exceptions::share(instance.ptr(), made, &mut |_| Ok(None), &mut || Ok(())).expect("room");
        made.as_ptr().expose_provenance() as u64
    }
}

/// Sweeps until the look with this number, which says to stop; tells how many there were.
fn swept(instance: &Instance, stop_at: usize) -> Result<usize, usize> {
    let mut looks = 0;
    let mut look = || {
        looks += 1;
        if looks == stop_at { Err(Trap::DeadlineExceeded) } else { Ok(()) }
    };
    // SAFETY: a link set of a test is used by its thread.
    match unsafe { exceptions::collect(instance.ptr(), None, &mut no_stacks, &mut look) } {
        Ok(()) => Ok(looks),
        Err(trap) => {
            assert_eq!((trap, looks), (Trap::DeadlineExceeded, stop_at));
            Err(looks)
        }
    }
}

/// The number that the exception carries to which a reference leads.
fn number_of(instance: &Instance, word: u64) -> Option<u64> {
    // SAFETY: a link set of a test is used by its thread; what is found there is live.
    unsafe { exceptions::find(instance.ptr(), word).map(|at| *exceptions::payload(at)) }
}

/// A list of exceptions, each with a reference to the one before; the last stands in the global.
fn listed(instance: &Instance) -> Vec<u64> {
    let mut words = Vec::new();
    for number in 0..KEPT {
        words.push(thrown(instance, number, words.last().copied().unwrap_or(0)));
        // What nothing leads to, in between.
        thrown(instance, number, words[0]);
    }
    // SAFETY: the instance has a global, which nobody else uses.
    unsafe { (*instance.global(0).expect("global").as_ptr()).slots[0] = words[words.len() - 1] };
    words
}

#[test]
fn sweeps_that_are_given_up_lose_nothing() {
    let world = World::new(false);
    let instance = world.plain(WAT);
    let bytes = || world.source.heap.stats().live_bytes;
    let words = listed(&instance);
    let all = bytes();
    let all_found = || (0..KEPT).all(|n| number_of(&instance, words[n as usize]) == Some(n));
    let mut last = 0;
    for stop_at in 1.. {
        let outcome = swept(&instance, stop_at);
        assert!(all_found(), "after {stop_at} looks");
        last = stop_at;
        if outcome.is_ok() {
            break;
        }
    }
    assert!(last as u64 > 4 * KEPT / 4096, "{last} looks");
    let half = bytes();
    assert!(half < all - all / 4, "{all} bytes became {half}");
    // SAFETY: the instance has a global, which nobody else uses.
    unsafe { (*instance.global(0).expect("global").as_ptr()).slots[0] = 0 };
    assert!(swept(&instance, 4).is_err());
    assert!(swept(&instance, usize::MAX).is_ok());
    assert!(words.iter().all(|&word| number_of(&instance, word).is_none()));
    assert!(bytes() < half / 2, "{half} bytes became {}", bytes());
}

#[test]
fn sweeps_of_link_sets_that_became_one_lose_nothing() {
    let world = World::new(false);
    let (a, b) = (world.plain(WAT), world.plain(WAT));
    let words = [&a, &b].map(|instance| listed(instance));
    assert!(swept(&a, 3).is_err() && swept(&b, 5).is_err(), "both have marks");
    // SAFETY: both are alive, and used by this thread.
    unsafe { link_set::merge(a.0, b.0).expect("memory") };
    let all_found = || {
        let found = |n: u64| words.iter().all(|w| number_of(&b, w[n as usize]) == Some(n));
        (0..KEPT).all(found)
    };
    assert!(all_found());
    let mut stop_at = 1;
    while swept(&a, stop_at).is_err() {
        assert!(all_found(), "after {stop_at} looks");
        stop_at += 3;
    }
    assert!(all_found());
    // SAFETY: each has a global, which nobody else uses.
    unsafe { (*a.global(0).expect("global").as_ptr()).slots[0] = 0 };
    assert!(swept(&b, usize::MAX).is_ok());
    let found = |words: &[u64]| words.iter().filter(|&&w| number_of(&a, w).is_some()).count();
    assert_eq!([found(&words[0]), found(&words[1])], [0, KEPT as usize]);
}

#[test]
fn sweeps_look_while_they_go_through_tables_and_globals() {
    const COUNT: usize = 100_000;
    let world = World::new(false);
    let globals = "(global i32 (i32.const 0))".repeat(COUNT);
    for wat in [format!("(module (table {COUNT} exnref))"), format!("(module {globals})")] {
        let instance = world.plain(&wat);
        let looks = swept(&instance, usize::MAX).expect("a whole sweep");
        assert!(looks >= COUNT / 4096, "{looks} looks");
        assert_eq!(swept(&instance, looks), Err(looks));
    }
}
