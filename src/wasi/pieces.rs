//! Long work of the system's on one file, done in pieces.
//!
//! Writing data through to a device and truncating a file take time in proportion to the data, and
//! no signal ends them. So a guest is stopped between two pieces. The number of pieces has a bound,
//! for the sake of large files with nothing to do: beyond it they grow with the file.

use super::call::{Call, Outcome, os};
use super::descriptor::Descriptor;
use crate::platform::fd::{self, Advice, Kind};

const PIECES_MAX: u64 = 1 << 10;

/// Bytes that are written to the device in one piece, at least.
const FLUSHED_BYTES: u64 = 4 << 20;

/// Bytes that a file is cut by in one piece, at least.
const CUT_BYTES: u64 = 64 << 20;

/// Where pieces of `range` begin, and their lengths.
fn pieces(start: u64, end: u64, least: u64) -> impl Iterator<Item = (u64, u64)> {
    let len = end.saturating_sub(start);
    let piece = least.max(len.div_ceil(PIECES_MAX));
    (0..len.div_ceil(piece)).map(move |index| {
        let done = index * piece;
        (start + done, piece.min(len - done))
    })
}

/// The size of a regular file.
fn size(descriptor: &Descriptor) -> Outcome<Option<u64>> {
    let found = os(fd::stat(descriptor.as_fd()))?;
    Ok((found.kind == Kind::RegularFile).then_some(found.size))
}

/// Before a file is synchronised, which then has little left to write.
pub(super) fn flush(call: &Call<'_>, descriptor: &Descriptor) -> Outcome {
    let size = size(descriptor)?.unwrap_or(0);
    if size <= FLUSHED_BYTES {
        return Ok(());
    }
    for (offset, len) in pieces(0, size, FLUSHED_BYTES) {
        call.look()?;
        match fd::flush(descriptor.as_fd(), offset, len) {
            // Not every file, nor every system, can.
            Err(libc::ENOSYS | libc::EINVAL | libc::ESPIPE) => break,
            // The system reports an error once: synchronising would not fail any more.
            flushed => os(flushed)?,
        }
    }
    call.look()
}

/// Cuts or extends a file. A guest that is stopped meanwhile leaves it cut in part.
pub(super) fn set_size(call: &Call<'_>, descriptor: &Descriptor, size: u64) -> Outcome {
    let mut piece = None;
    // Looked at each time, since others may change the file, too, and it must not grow here.
    while let Some(now) = self::size(descriptor)? {
        let too_much = now.saturating_sub(size);
        let piece = *piece.get_or_insert(CUT_BYTES.max(too_much.div_ceil(PIECES_MAX)));
        if too_much <= piece {
            break;
        }
        call.look()?;
        os(fd::set_size(descriptor.as_fd(), now - piece))?;
    }
    os(fd::set_size(descriptor.as_fd(), size))
}

/// Advises the system about the use of a range of a file. Advice that it will not be used is much
/// work: the system writes the range out and drops it from its cache.
pub(super) fn advise(
    call: &Call<'_>,
    descriptor: &Descriptor,
    offset: u64,
    len: u64,
    advice: Advice,
) -> Outcome {
    let advise = |offset, len| os(fd::advise(descriptor.as_fd(), offset, len, advice));
    let are_numbers = i64::try_from(offset).is_ok() && i64::try_from(len).is_ok();
    let end = match advice {
        Advice::DontNeed if are_numbers => size(descriptor)?.unwrap_or(0),
        _ => 0,
    };
    // A length of nothing stands for all that there is.
    let end = if len == 0 { end } else { end.min(offset.saturating_add(len)) };
    if end.saturating_sub(offset) <= FLUSHED_BYTES {
        return advise(offset, len);
    }
    for (offset, len) in pieces(offset, end, FLUSHED_BYTES) {
        call.look()?;
        advise(offset, len)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{PIECES_MAX, pieces};

    #[test]
    fn pieces_are_all_of_a_range() {
        for (start, end, least, count) in [
            (0, 0, 4, 0),
            (5, 5, 4, 0),
            (5, 3, 4, 0),
            (0, 4, 4, 1),
            (3, 12, 4, 3),
            (0, 1 << 63, 4, PIECES_MAX),
            (1, u64::MAX, 1 << 20, PIECES_MAX),
        ] {
            let mut at = start;
            for (from, len) in pieces(start, end, least) {
                assert_eq!(from, at);
                assert!(len > 0);
                at += len;
            }
            assert_eq!(at, end.max(start), "{start} {end}");
            assert_eq!(pieces(start, end, least).count() as u64, count, "{start} {end}");
        }
    }
}
