//! Tables of frames as words of 32 bits, as they lie in files.
//!
//! Each function that has tables is a list: its number among those that the module defines, and the
//! fields of its tables. A list begins with its length.

use super::super::frame_tables::{Clause, FrameTables, Try};
use crate::abi::error::Result;
use crate::ahead::{NONE, damaged};
use crate::alloc;
use crate::exec::throw::ReferencePlace;
use std::collections::TryReserveError;
use std::sync::Arc;

const REFERENCE_PLACES: [ReferencePlace; 4] =
    [ReferencePlace::Nowhere, ReferencePlace::Above, ReferencePlace::Below, ReferencePlace::Unused];

/// Adds a function's tables to a section.
pub fn write(
    section: &mut Vec<u8>,
    defined: u32,
    tables: &FrameTables,
) -> std::result::Result<(), TryReserveError> {
    let mut words = Words { section, failed: None };
    words.put(&[defined, tables.guest_frame, tables.stack_pointer]);
    words.list(&tables.locals, |words, &slot| words.put(&[slot.into()]));
    words.list(&tables.sites, |words, (position, slots)| {
        words.put(&[*position]);
        words.list(slots, |words, &slot| words.put(&[slot.into()]));
    });
    words.list(&tables.tries, |words, it| words.put(&[it.outer, it.first, it.count]));
    words.list(&tables.clauses, |words, clause| {
        let Clause { tag, reference, base } = *clause;
        let reference = REFERENCE_PLACES.iter().position(|place| *place == reference);
        words.put(&[tag.unwrap_or(NONE), reference.unwrap_or_default() as u32, base.into()]);
    });
    words.list(&tables.throwing, |words, &(position, number)| words.put(&[position, number]));
    words.list(&tables.landings, |words, &(after, clause, to)| words.put(&[after, clause, to]));
    words.failed.map_or(Ok(()), Err)
}

/// Writes words. After a failure nothing is written.
struct Words<'a> {
    section: &'a mut Vec<u8>,
    failed: Option<TryReserveError>,
}

impl Words<'_> {
    fn put(&mut self, words: &[u32]) {
        if self.failed.is_some() {
            return;
        }
        match alloc::fallible(|| self.section.try_reserve(4 * words.len())) {
            Ok(()) => words.iter().for_each(|word| self.section.extend(word.to_le_bytes())),
            Err(error) => self.failed = Some(error),
        }
    }

    fn list<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) {
        self.put(&[items.len() as u32]);
        items.iter().for_each(|it| item(self, it));
    }
}

/// Reads a section: the tables of functions, by their numbers among those that the module defines.
pub fn read(section: &[u8]) -> Result<Vec<(u32, Arc<FrameTables>)>> {
    let (words, rest) = section.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(damaged());
    }
    let mut reader = Reader { words };
    let mut all: Vec<(u32, Arc<FrameTables>)> = Vec::new();
    while !reader.words.is_empty() {
        let defined = reader.word()?;
        if all.last().is_some_and(|last| last.0 >= defined) {
            return Err(damaged());
        }
        let tables = FrameTables {
            guest_frame: reader.word()?,
            stack_pointer: reader.word()?,
            locals: reader.list(Reader::slot)?,
            sites: reader.list(|it| {
                let position = it.word()?;
                Ok((position, it.list(Reader::slot)?.into_boxed_slice()))
            })?,
            tries: reader
                .list(|it| Ok(Try { outer: it.word()?, first: it.word()?, count: it.word()? }))?,
            clauses: reader.list(Reader::clause)?,
            throwing: reader.list(|it| Ok((it.word()?, it.word()?)))?,
            landings: reader.list(|it| Ok((it.word()?, it.word()?, it.word()?)))?,
        };
        alloc::fallible(|| all.try_reserve(1))?;
        all.push((defined, Arc::new(tables)));
    }
    Ok(all)
}

struct Reader<'a> {
    words: &'a [[u8; 4]],
}

impl Reader<'_> {
    fn word(&mut self) -> Result<u32> {
        let (first, rest) = self.words.split_first().ok_or_else(damaged)?;
        self.words = rest;
        Ok(u32::from_le_bytes(*first))
    }

    fn slot(&mut self) -> Result<u16> {
        u16::try_from(self.word()?).map_err(|_| damaged())
    }

    fn clause(&mut self) -> Result<Clause> {
        let tag = Some(self.word()?).filter(|&tag| tag != NONE);
        let reference = REFERENCE_PLACES.get(self.word()? as usize);
        Ok(Clause { tag, reference: *reference.ok_or_else(damaged)?, base: self.slot()? })
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let len = self.word()? as usize;
        // An item is a word at least.
        if len > self.words.len() {
            return Err(damaged());
        }
        let mut items = alloc::try_vec(len)?;
        for _ in 0..len {
            items.push(item(self)?);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> FrameTables {
        let clause = |tag, reference, base| Clause { tag, reference, base };
        FrameTables {
            guest_frame: 16,
            stack_pointer: 48,
            locals: vec![1, 2],
            sites: vec![(7, Box::new([3, 4])), (9, Box::new([]))],
            tries: vec![Try { outer: u32::MAX, first: 0, count: 2 }],
            clauses: vec![
                clause(Some(5), ReferencePlace::Unused, 6),
                clause(None, ReferencePlace::Nowhere, 0),
            ],
            throwing: vec![(7, 0)],
            landings: vec![(20, 0, 40), (20, 1, 60)],
        }
    }

    #[test]
    fn tables_come_back() {
        let mut section = Vec::new();
        write(&mut section, 3, &sample()).expect("memory");
        write(&mut section, 8, &FrameTables::default()).expect("memory");
        let all = read(&section).expect("tables");
        assert_eq!(all.iter().map(|one| one.0).collect::<Vec<_>>(), [3, 8]);
        assert_eq!(format!("{:?}", all[0].1), format!("{:?}", sample()));
        assert_eq!(format!("{:?}", all[1].1), format!("{:?}", FrameTables::default()));
    }

    #[test]
    fn tables_that_end_early_are_refused() {
        let mut section = Vec::new();
        write(&mut section, 3, &sample()).expect("memory");
        for len in 1..section.len() {
            assert!(read(&section[..len]).is_err(), "{len} bytes");
        }
        // Lists that are longer than the section, and functions in another order.
        let mut long = section.clone();
        long[12..16].fill(0xff);
        assert!(read(&long).is_err());
        assert!(read(&[section.as_slice(), &section].concat()).is_err());
        assert!(read(&[]).expect("no tables").is_empty());
    }
}
