//! The bodies that a module's code has translated.

use super::shape::Word;
use super::unwind::Tables;

/// Translated bodies: the first `sorted` by address, the others in the order in which they were
/// first called. They are sorted anew when the others have become many, so that each takes part
/// in few sorts.
#[derive(Default)]
pub(super) struct Bodies {
    pub(super) list: Vec<Body>,
    sorted: usize,
    /// The size of all bodies with their tables.
    pub(super) bytes: usize,
}

/// More unsorted bodies than this part of the sorted ones are sorted.
const UNSORTED_PART: usize = 8;
const UNSORTED_MIN: usize = 16;

pub(super) struct Body {
    pub(super) words: Box<[Word]>,
    pub(super) func_index: u32,
    pub(super) tables: Option<Box<Tables>>,
}

impl Body {
    fn start(&self) -> usize {
        self.words.as_ptr().addr()
    }

    fn contains(&self, at: usize) -> bool {
        at.wrapping_sub(self.start()) < size_of_val(&*self.words)
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.words) + self.tables.as_ref().map_or(0, |tables| tables.bytes())
    }
}

impl Bodies {
    pub(super) fn add(&mut self, body: Body) {
        self.bytes += body.bytes();
        self.list.push(body);
    }

    /// The body that the address is in. Nothing is allocated.
    pub(super) fn find(&mut self, at: usize) -> Option<&Body> {
        let unsorted = self.list.len() - self.sorted;
        if unsorted > UNSORTED_MIN.max(self.sorted / UNSORTED_PART) {
            self.list.sort_unstable_by_key(Body::start);
            self.sorted = self.list.len();
        }
        let (sorted, unsorted) = self.list.split_at(self.sorted);
        let after = sorted.partition_point(|body| body.start() <= at);
        let before = after.checked_sub(1).and_then(|index| sorted.get(index));
        before.into_iter().chain(unsorted).find(|body| body.contains(at))
    }
}
