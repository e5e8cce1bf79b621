//! Growing lists whose length the binary decides, without an abort when memory runs out.

use super::ReadResult;
use wasmparser::{FromReader, SectionLimited};

/// Appends everything in `section`, converted by `convert`. The section was validated before,
/// so its count is backed by bytes.
pub(super) fn extend<'a, T: FromReader<'a>, U>(
    list: &mut Vec<U>,
    section: SectionLimited<'a, T>,
    mut convert: impl FnMut(T) -> ReadResult<U>,
) -> ReadResult<()> {
    list.try_reserve_exact(section.count() as usize)?;
    for item in section {
        push(list, convert(item?)?)?;
    }
    Ok(())
}

pub(super) fn push<T>(list: &mut Vec<T>, item: T) -> ReadResult<()> {
    list.try_reserve(1)?;
    list.push(item);
    Ok(())
}

/// A copy of `text` of its own.
pub(super) fn boxed_str(text: &str) -> ReadResult<Box<str>> {
    let mut copy = String::new();
    copy.try_reserve_exact(text.len())?;
    copy.push_str(text);
    Ok(copy.into_boxed_str())
}
