//! The heaps of guests' objects in a context, by the numbers that stand in references.

use crate::alloc::fallible;
use crate::instance::{HEAP_NUMBERS, Instance};
use crate::sync::Lock;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::ptr::NonNull;

/// Heaps by number. Owner: a context.
#[derive(Default)]
pub(super) struct ObjectHeaps(Lock<HeapTable>);

#[derive(Default)]
struct HeapTable {
    /// Instances whose link sets have the heaps. None of these numbers is a guest's choice.
    homes: HashMap<u32, NonNull<Instance>, BuildHasherDefault<DefaultHasher>>,
    /// The number to try next, once there was one.
    next: Option<u32>,
}

// SAFETY: the instances are only used under the lock that the table lies behind, by the thread
// that uses their link set, and leave the table before they end.
unsafe impl Send for HeapTable {}

impl ObjectHeaps {
    /// A number for a heap of `home`'s link set, until [`ObjectHeaps::remove`]. `None` if memory or
    /// numbers run out. Contexts with different `seed`s begin with different numbers, so that a
    /// reference of another context leads nowhere while both have made few heaps.
    pub(super) fn add(&self, home: NonNull<Instance>, seed: u64) -> Option<u32> {
        let mut table = self.0.lock();
        let HeapTable { homes, next } = &mut *table;
        // The golden ratio spreads successive seeds.
        let first = (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as u32;
        let next = next.get_or_insert(first);
        fallible(|| homes.try_reserve(1)).ok()?;
        if homes.len() >= HEAP_NUMBERS as usize {
            return None;
        }
        while homes.contains_key(&(*next % HEAP_NUMBERS)) {
            *next = next.wrapping_add(1);
        }
        let number = *next % HEAP_NUMBERS;
        *next = next.wrapping_add(1);
        homes.insert(number, home);
        Some(number)
    }

    /// Takes out the heaps that an instance has made.
    pub(super) fn remove(&self, home: NonNull<Instance>) {
        self.0.lock().homes.retain(|_, other| *other != home);
    }

    /// Calls `act` with the instance that has made the heap with a number.
    pub(super) fn with_home<R>(
        &self,
        number: u32,
        act: impl FnOnce(NonNull<Instance>) -> R,
    ) -> Option<R> {
        let table = self.0.lock();
        table.homes.get(&number).map(|&home| act(home))
    }

    /// Frees the table's memory. The context ends, with all its instances.
    pub(super) fn clear(&self) {
        let homes = std::mem::take(&mut self.0.lock().homes);
        drop(homes);
    }
}
