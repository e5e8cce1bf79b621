//! Values of passive element segments that make objects: each is made once, when the segment's
//! instance is.

use crate::abi::error::{Error, Result};
use crate::alloc::fallible;
use std::cell::UnsafeCell;

/// Owner: the instance. For the thread that uses its link set.
#[derive(Default)]
pub struct ElemObjects(UnsafeCell<Vec<Segment>>);

struct Segment {
    index: u32,
    words: Vec<u64>,
}

impl ElemObjects {
    fn segments(&self) -> &[Segment] {
        // SAFETY: one thread uses a link set; what changes the list below calls nothing that
        // reads it, and no reader changes it.
        unsafe { &*self.0.get() }
    }

    /// Notes the values of a segment.
    pub fn add(&self, index: u32, words: Vec<u64>) -> Result<()> {
        // SAFETY: one thread uses a link set, and no part of the list is borrowed: readers are
        // done before they return.
        let segments = unsafe { &mut *self.0.get() };
        fallible(|| segments.try_reserve(1)).map_err(|_| Error::out_of_memory())?;
        segments.push(Segment { index, words });
        Ok(())
    }

    /// Forgets the values of a segment, if it has any here.
    pub fn drop_segment(&self, index: u32) {
        // SAFETY: as for `add`.
        unsafe { &mut *self.0.get() }.retain(|segment| segment.index != index);
    }

    /// A value of a segment, if its values are here.
    pub fn get(&self, segment: u32, at: usize) -> Option<u64> {
        let found = self.segments().iter().find(|found| found.index == segment)?;
        found.words.get(at).copied()
    }

    /// Calls `each` with all values, until it fails.
    pub fn for_each<E>(
        &self,
        each: &mut dyn FnMut(u64) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.segments().iter().flat_map(|segment| &segment.words).try_for_each(|&word| each(word))
    }
}
