//! The heaps of guests' objects in a context, by the numbers that stand in references.
//!
//! C's functions on objects are given a reference and nothing else: here they find whose it is.

use super::Context;
use crate::alloc::fallible;
use crate::gc::GcRef;
use crate::instance::{HEAP_NUMBERS, Instance, ObjectLimits, heap_number};
use crate::sync::Lock;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::ptr::NonNull;

/// Heaps by number. Owner: a context.
#[derive(Default)]
pub(super) struct ObjectHeaps(Lock<Table>);

#[derive(Default)]
struct Table {
    /// Instances whose link sets have the heaps. None of these numbers is a guest's choice.
    homes: HashMap<u32, NonNull<Instance>, BuildHasherDefault<DefaultHasher>>,
    /// The number to try next, once there was one.
    next: Option<u32>,
}

// SAFETY: the instances are only used under the lock that the table lies behind, by the thread
// that uses their link set, and leave the table before they end.
unsafe impl Send for Table {}

impl ObjectHeaps {
    /// A number for a heap of `home`'s link set, until [`ObjectHeaps::remove`]. `None` if memory or
    /// numbers run out. Contexts with different `seed`s begin with different numbers, so that a
    /// reference of another context leads nowhere while both have made few heaps.
    fn add(&self, home: NonNull<Instance>, seed: u64) -> Option<u32> {
        let mut table = self.0.lock();
        let Table { homes, next } = &mut *table;
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
    fn remove(&self, home: NonNull<Instance>) {
        self.0.lock().homes.retain(|_, other| *other != home);
    }

    /// Frees the table's memory. The context ends, with all its instances.
    pub(super) fn clear(&self) {
        let homes = std::mem::take(&mut self.0.lock().homes);
        drop(homes);
    }
}

impl Context {
    fn object_heaps(&self) -> &ObjectHeaps {
        &self.0.parts.object_heaps
    }

    /// What a new heap of guests' objects is to be, and its number, which it has until the instance
    /// ends. `None` if memory or numbers run out.
    pub(crate) fn add_object_heap(&self, home: NonNull<Instance>) -> Option<(ObjectLimits, u32)> {
        let number = self.run(|| self.object_heaps().add(home, self.id()))?;
        Some((self.object_limits(), number))
    }

    /// The instance is about to end.
    pub(crate) fn remove_object_heaps(&self, home: NonNull<Instance>) {
        self.run(|| self.object_heaps().remove(home));
    }

    /// Calls `act` with an instance of the link set whose heap has made the object, which must not
    /// end meanwhile; `None` if there is none. `act` must not call the host, nor take a handle.
    pub(crate) fn with_object_home<R>(
        &self,
        object: GcRef,
        act: impl FnOnce(NonNull<Instance>) -> R,
    ) -> Option<R> {
        let table = self.object_heaps().0.lock();
        table.homes.get(&heap_number(object)).map(|&home| act(home))
    }
}
