//! Values of passive element segments that make objects or take long to compute: each is made
//! once, when the segment's instance is.

use crate::abi::error::{Error, Result};
use crate::alloc::fallible;
use std::cell::UnsafeCell;

/// Owner: the instance. For the thread that uses its link set.
#[derive(Default)]
pub struct ElemObjects(UnsafeCell<Vec<Segment>>);

/// The values of a segment. They are listed by index.
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

    /// Notes the values of a segment, which stands behind those that were noted before.
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
        // SAFETY: one thread uses a link set, and no part of the list is borrowed: readers are
        // done before they return.
        let segments = unsafe { &mut *self.0.get() };
        if let Ok(place) = segments.binary_search_by_key(&index, |segment| segment.index) {
            segments[place].words = Vec::new();
        }
    }

    /// The values of a segment, if they are here.
    pub fn of_segment(&self, index: u32) -> Option<&[u64]> {
        let segments = self.segments();
        let place = segments.binary_search_by_key(&index, |segment| segment.index).ok()?;
        Some(&segments[place].words)
    }

    /// Calls `each` with all values, until it fails.
    pub fn for_each<E>(
        &self,
        each: &mut dyn FnMut(u64) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        self.segments().iter().flat_map(|segment| &segment.words).try_for_each(|&word| each(word))
    }
}
