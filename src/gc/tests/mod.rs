//! Tests of the heap by itself: it needs no guests. What is allocated is compared with models that
//! keep objects in maps; nothing enters here.

mod access;
mod collections;
mod direct;
mod exceptions;
mod forged;
mod graphs;
mod memory;

use super::*;
use crate::abi::trap::Trap;

fn layout(kinds: &[StorageKind]) -> StructLayout {
    StructLayout::new(kinds.iter().copied()).expect("memory")
}

/// Collects with these words as roots.
fn collect(heap: &mut GcHeap, roots: &[u64]) {
    let mut shown =
        |marker: &mut GcMarker<'_, '_, '_>| roots.iter().try_for_each(|root| marker.mark(*root));
    assert_eq!(heap.collect(&mut shown, &mut || Ok(())), Ok(()));
}

/// Collects until the look with this number, which says to stop; tells how many there were.
fn collect_until(heap: &mut GcHeap, roots: &[u64], stop_at: usize) -> Result<usize, usize> {
    let mut looks = 0;
    let mut shown =
        |marker: &mut GcMarker<'_, '_, '_>| roots.iter().try_for_each(|root| marker.mark(*root));
    let collected = heap.collect(&mut shown, &mut stopping_at(stop_at, &mut looks));
    match collected {
        Ok(()) => Ok(looks),
        Err(trap) => {
            assert_eq!((trap, looks), (Trap::DeadlineExceeded, stop_at));
            Err(looks)
        }
    }
}

impl GcHeap {
    /// Makes an array, however long that takes.
    fn new_array(&mut self, kind: StorageKind, type_id: u32, len: u32) -> Result<GcRef, HeapFull> {
        self.alloc_array(kind, type_id, len, &mut || Ok(()))
    }
}

/// A look that says to stop when it is asked for the time with that number, and counts.
fn stopping_at(stop_at: usize, looks: &mut usize) -> impl FnMut() -> Result<(), Trap> {
    move || {
        *looks += 1;
        if *looks == stop_at { Err(Trap::DeadlineExceeded) } else { Ok(()) }
    }
}

/// Makes an object, with a collection if that is due.
fn made(
    heap: &mut GcHeap,
    roots: &[u64],
    mut make: impl FnMut(&mut GcHeap) -> Result<GcRef, HeapFull>,
) -> Option<GcRef> {
    match make(heap) {
        Ok(object) => Some(object),
        Err(HeapFull::Exhausted | HeapFull::Stopped(_)) => None,
        Err(HeapFull::Collect) => {
            collect(heap, roots);
            make(heap).ok()
        }
    }
}

/// A small generator, so that failures can be repeated.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn word(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        ((self.word() >> 11) % end as u64) as usize
    }

    /// Mostly small, up to `max`.
    fn size(&mut self, max: usize) -> usize {
        let bits = self.below(max.ilog2() as usize + 1);
        1 + self.below(1 << bits)
    }
}
