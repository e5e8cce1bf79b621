//! Sets of addresses that grow, shrink and are gone through in small pieces.
//!
//! A set is a list of small hash tables; bits of an address say which one it is in. When they are
//! full on the average, one of them is split in two, each in its turn (linear hashing):
//!
//! ```text
//! tables  0 1 2 3   4 5        the next one split is 2, and its new half becomes 6
//!         `-----'   `-'
//!          half     halves of 0 and 1
//! ```
//!
//! So adding an address never moves more than one table's. Knows nothing of what lies at the
//! addresses.

use crate::abi::error::Error;
use crate::alloc::fallible;
use std::collections::{HashSet, TryReserveError};
use std::hash::{BuildHasherDefault, Hasher};

/// Addresses that each table has on the average when one is split. One that is to be split next
/// has twice as many, which fit into 2,048 places like those of a new one into 1,024.
const LOAD: usize = 768;

/// Scatters addresses, which no guest chooses.
#[derive(Default)]
struct Scatter(u64);

impl Hasher for Scatter {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_usize(byte.into()));
    }

    fn write_usize(&mut self, word: usize) {
        let mixed = (self.0 ^ word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

type Bucket = HashSet<usize, BuildHasherDefault<Scatter>>;

/// The bits that choose the table, apart from those that choose places in it.
fn spread(address: usize) -> usize {
    ((address as u64).wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32) as usize
}

/// A set of addresses. Owner: what it is a part of.
#[derive(Default)]
pub struct AddressSet {
    tables: Vec<Bucket>,
    len: usize,
}

impl AddressSet {
    /// Where the address is, if it is in the set. Without tables there is none with the number.
    fn number_of(&self, address: usize) -> usize {
        let all = self.tables.len().next_power_of_two();
        let number = spread(address) & (all - 1);
        if number < self.tables.len() { number } else { number & ((all / 2).max(1) - 1) }
    }

    pub fn contains(&self, address: usize) -> bool {
        let table = self.tables.get(self.number_of(address));
        table.is_some_and(|table| table.contains(&address))
    }

    /// Makes room for one more address, so that it can be inserted.
    pub fn reserve(&mut self, address: usize) -> Result<(), Error> {
        fallible(|| {
            if self.len >= self.tables.len() * LOAD {
                self.split()?;
            }
            let number = self.number_of(address);
            self.tables.get_mut(number).map_or(Ok(()), |table| table.try_reserve(1))
        })
        .map_err(|_| Error::out_of_memory())
    }

    /// Adds an address, if there is memory for that.
    pub fn insert(&mut self, address: usize) -> Result<(), Error> {
        self.reserve(address)?;
        let number = self.number_of(address);
        if let Some(table) = self.tables.get_mut(number) {
            self.len += usize::from(table.insert(address));
        }
        Ok(())
    }

    /// Adds a table, with half of what is in the one whose turn it is.
    fn split(&mut self) -> Result<(), TryReserveError> {
        let new = self.tables.len();
        self.tables.try_reserve(1)?;
        let half = (new + 1).next_power_of_two() / 2;
        let mut table = Bucket::default();
        if let Some(source) = self.tables.get_mut(new - half) {
            let goes = |address: &usize| spread(*address) & (2 * half - 1) == new;
            table.try_reserve(source.iter().filter(|address| goes(address)).count())?;
            table.extend(source.extract_if(goes));
        }
        self.tables.push(table);
        Ok(())
    }

    /// Takes out what `keep` does not want. Before each table `step` gets how much there is to
    /// look at, and may end it.
    pub fn retain<E>(
        &mut self,
        step: &mut dyn FnMut(usize) -> Result<(), E>,
        keep: &mut dyn FnMut(usize) -> bool,
    ) -> Result<(), E> {
        for table in &mut self.tables {
            let before = table.len();
            step(before + 1)?;
            table.retain(|&address| keep(address));
            self.len -= before - table.len();
        }
        Ok(())
    }

    /// Undoes splits as long as the tables are less than half as full as they may get, and there is
    /// memory for that. Before each `step` gets how much there is to move, and may end it.
    pub fn shrink<E>(&mut self, step: &mut dyn FnMut(usize) -> Result<(), E>) -> Result<(), E> {
        while self.len * 2 < self.tables.len().saturating_sub(1) * LOAD {
            let Some(mut table) = self.tables.pop() else { break };
            let half = (self.tables.len() + 1).next_power_of_two() / 2;
            let source = self.tables.len() - half;
            let moved = step(table.len() + 1).map(|()| {
                let source = self.tables.get_mut(source)?;
                fallible(|| source.try_reserve(table.len())).ok()?;
                source.extend(table.drain());
                Some(())
            });
            if !matches!(moved, Ok(Some(()))) {
                // There is room where it was.
                self.tables.push(table);
                return moved.map(|_| ());
            }
        }
        Ok(())
    }

    /// Moves what is here to `other`, as far as there is memory for that. Before each table `step`
    /// gets how much there is to move, and may end it.
    pub fn move_to<E>(
        &mut self,
        other: &mut Self,
        step: &mut dyn FnMut(usize) -> Result<(), E>,
    ) -> Result<(), E> {
        // From the end: a set without its last table is one that was not split so often.
        while let Some(table) = self.tables.last_mut() {
            let before = table.len();
            step(before + 1)?;
            table.retain(|&address| other.insert(address).is_err());
            self.len -= before - table.len();
            if !table.is_empty() {
                break;
            }
            self.tables.pop();
        }
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Everything, in no order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.tables.iter().flatten().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// Addresses as allocators give them.
    fn address(number: usize) -> usize {
        0x7f00_0000_0000 + number * 64
    }

    fn filled(count: usize) -> AddressSet {
        let mut set = AddressSet::default();
        (0..count).for_each(|number| set.insert(address(number)).expect("memory"));
        set
    }

    const COUNT: usize = if cfg!(miri) { 5_000 } else { 200_000 };

    #[test]
    fn what_was_added_is_found() {
        for count in [0, 1, LOAD, LOAD + 1, COUNT] {
            let set = filled(count);
            assert!((0..count).all(|number| set.contains(address(number))));
            assert!(!set.contains(address(count)) && !set.contains(0));
            assert_eq!((set.len, set.iter().count(), set.is_empty()), (count, count, count == 0));
        }
    }

    /// No table is ever so large that splitting or growing it takes long.
    #[test]
    fn tables_stay_small() {
        let mut set = AddressSet::default();
        for number in 0..COUNT {
            set.insert(address(number)).expect("memory");
            let changed = set.number_of(address(number));
            assert!(set.tables[changed].len() <= 3 * LOAD);
        }
        assert!(set.tables.len() >= COUNT / LOAD);
    }

    #[test]
    fn what_is_not_kept_goes_piece_by_piece() {
        let mut set = filled(COUNT);
        let mut pieces = 0;
        let mut count = |steps: usize| {
            assert!(steps <= 3 * LOAD);
            pieces += 1;
            if pieces == 4 { Err(()) } else { Ok(()) }
        };
        let mut keep = |address: usize| address.is_multiple_of(128);
        assert_eq!(set.retain(&mut count, &mut keep), Err(()));
        let some = set.iter().count();
        assert!(some < COUNT && some == set.len);
        assert!((0..COUNT).step_by(2).all(|number| set.contains(address(number))));
        set.retain::<Infallible>(&mut |_| Ok(()), &mut keep).expect("never ended");
        assert_eq!((set.iter().count(), set.len), (COUNT / 2, COUNT / 2));
        assert!((0..COUNT).all(|number| set.contains(address(number)) == (number % 2 == 0)));
    }

    #[test]
    fn sets_get_smaller_piece_by_piece() {
        let mut set = filled(COUNT);
        let most = set.tables.len();
        let mut keep = |address: usize| address.is_multiple_of(1024);
        set.retain::<Infallible>(&mut |_| Ok(()), &mut keep).expect("never ended");
        let all_found = |set: &AddressSet| (0..COUNT).step_by(16).all(|n| set.contains(address(n)));
        let mut pieces = 0;
        let mut end = |_| {
            pieces += 1;
            if pieces == 3 { Err(()) } else { Ok(()) }
        };
        assert_eq!(set.shrink(&mut end), Err(()));
        assert_eq!((set.tables.len(), all_found(&set)), (most - 2, true));
        set.shrink::<Infallible>(&mut |_| Ok(())).expect("never ended");
        assert!(all_found(&set) && set.tables.len() <= most / 4);
        assert_eq!(set.iter().count(), COUNT.div_ceil(16));
        (0..COUNT).for_each(|number| set.insert(address(number)).expect("memory"));
        assert_eq!((set.len, set.tables.len()), (COUNT, most));
    }

    #[test]
    fn one_set_becomes_a_part_of_another() {
        let (mut from, mut to) = (filled(COUNT), AddressSet::default());
        let mut pieces = 0;
        let mut end = |_| {
            pieces += 1;
            if pieces == 4 { Err(()) } else { Ok(()) }
        };
        assert_eq!(from.move_to(&mut to, &mut end), Err(()));
        assert!((1..COUNT).contains(&to.len) && from.len + to.len == COUNT);
        // Everything is in one of them, also after some tables have gone.
        let place = |from: &AddressSet, to: &AddressSet, number| {
            (from.contains(address(number)), to.contains(address(number)))
        };
        assert!((0..COUNT).all(|n| matches!(place(&from, &to, n), (true, false) | (false, true))));
        from.move_to::<Infallible>(&mut to, &mut |_| Ok(())).expect("never ended");
        assert!(from.is_empty() && from.tables.is_empty());
        assert!((0..COUNT).all(|number| to.contains(address(number))));
    }
}
