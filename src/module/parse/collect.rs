//! Growing lists whose length the binary decides, without an abort when memory runs out.

use super::ReadResult;
use crate::alloc::fallible;
use wasmparser::{FromReader, SectionLimited};

/// Appends everything in `section`, converted by `convert`. The section was validated before,
/// so its count is backed by bytes.
pub(super) fn extend<'a, T: FromReader<'a>, U>(
    list: &mut Vec<U>,
    section: SectionLimited<'a, T>,
    mut convert: impl FnMut(T) -> ReadResult<U>,
) -> ReadResult<()> {
    reserve(list, section.count() as usize)?;
    for item in section {
        push(list, convert(item?)?)?;
    }
    Ok(())
}

/// Makes room for `count` more.
pub(super) fn reserve<T>(list: &mut Vec<T>, count: usize) -> ReadResult<()> {
    Ok(fallible(|| list.try_reserve_exact(count))?)
}

pub(in crate::module) fn push<T>(list: &mut Vec<T>, item: T) -> ReadResult<()> {
    if list.len() == list.capacity() {
        fallible(|| list.try_reserve(1))?;
    }
    list.push(item);
    Ok(())
}

/// A copy of `text` of its own.
pub(super) fn boxed_str(text: &str) -> ReadResult<Box<str>> {
    let mut copy = String::new();
    fallible(|| copy.try_reserve_exact(text.len()))?;
    copy.push_str(text);
    Ok(copy.into_boxed_str())
}
