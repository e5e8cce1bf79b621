//! Blocks over a plain allocator: the system's, or an embedder's callbacks.
//!
//! A block is a header followed by the bytes. Where the underlying allocator gives the wanted
//! alignment, the header stands at the start of its memory; otherwise the block is *shifted*
//! within a larger piece, whose start and length are noted before the header.

use super::header::{
    self, HEADER_SIZE, MIN_ALIGN, Owner, SHIFTED, SHIFTED_ROOM, SIZE_MAX, Span, Tagged,
};
use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr::{self, null_mut};

/// Whether a new block's bytes matter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    Any,
    Zero,
}

/// An allocator underneath. All lengths are at least one.
pub trait Source {
    /// Allocates a piece of `len` bytes; null without memory.
    fn take(&self, len: usize, fill: Fill, flags: u64) -> *mut u8;

    /// Like C's `realloc`; null also when the allocator cannot do it.
    ///
    /// # Safety
    /// `piece` came from this source with these flags and length, and is live.
    unsafe fn resize(&self, piece: *mut u8, old: usize, new: usize, flags: u64) -> *mut u8;

    /// # Safety
    /// As for [`Source::resize`].
    unsafe fn give_back(&self, piece: *mut u8, len: usize, flags: u64);

    /// The source has been seen to return pieces that are not aligned to [`MIN_ALIGN`].
    fn is_unaligned(&self) -> bool {
        false
    }

    /// A piece was not aligned to [`MIN_ALIGN`].
    fn note_unaligned(&self) {}

    /// Extra room to ask for when resizing: if the piece moves to an unaligned address, the block
    /// can be shifted within it.
    fn resize_slack(&self) -> usize {
        0
    }
}

/// The process's allocator, asked through the standard library so that this works anywhere.
pub struct SystemSource;

fn piece_layout(len: usize) -> Layout {
    // SAFETY: the alignment is a power of two, and every caller has checked its length against
    // `SIZE_MAX` plus room, which is below `isize::MAX` even when rounded up.
    unsafe { Layout::from_size_align_unchecked(len, MIN_ALIGN) }
}

impl Source for SystemSource {
    fn take(&self, len: usize, fill: Fill, _flags: u64) -> *mut u8 {
        // SAFETY: the layout's size is not zero.
        unsafe {
            match fill {
                Fill::Any => System.alloc(piece_layout(len)),
                Fill::Zero => System.alloc_zeroed(piece_layout(len)),
            }
        }
    }

    unsafe fn resize(&self, piece: *mut u8, old: usize, new: usize, _flags: u64) -> *mut u8 {
        // SAFETY: the piece is live and was taken with this layout.
        unsafe { System.realloc(piece, piece_layout(old), new) }
    }

    unsafe fn give_back(&self, piece: *mut u8, len: usize, _flags: u64) {
        // SAFETY: the piece is live and was taken with this layout.
        unsafe { System.dealloc(piece, piece_layout(len)) }
    }
}

/// Makes a block; null when the source has no memory or the request is absurd. `align` is a
/// power of two.
pub fn place(
    source: &impl Source,
    owner: Owner,
    size: usize,
    align: usize,
    fill: Fill,
    flags: u64,
) -> *mut u8 {
    if size > SIZE_MAX - HEADER_SIZE {
        return null_mut();
    }
    if align <= MIN_ALIGN && !source.is_unaligned() {
        let piece = source.take(size + HEADER_SIZE, fill, flags);
        if piece.is_null() {
            return null_mut();
        }
        if (piece as usize).is_multiple_of(MIN_ALIGN) {
            let block = piece.wrapping_add(HEADER_SIZE);
            // SAFETY: the piece starts with 16 aligned bytes that are ours until given back.
            unsafe { header::write(block, owner, size, flags) };
            return block;
        }
        source.note_unaligned();
        // SAFETY: just taken, and not used.
        unsafe { source.give_back(piece, size + HEADER_SIZE, flags) };
    }
    place_shifted(source, owner, size, align.max(MIN_ALIGN), fill, flags)
}

fn place_shifted(
    source: &impl Source,
    owner: Owner,
    size: usize,
    align: usize,
    fill: Fill,
    flags: u64,
) -> *mut u8 {
    let Some(len) = size.checked_add(SHIFTED_ROOM).and_then(|len| len.checked_add(align)) else {
        return null_mut();
    };
    if len > SIZE_MAX {
        return null_mut();
    }
    let piece = source.take(len, fill, flags);
    if piece.is_null() {
        return null_mut();
    }
    let block = shifted_block(piece, align);
    // SAFETY: `shifted_block` leaves room for span and header between `piece` and `block`, and
    // `block + size` is within `len` because it is at most `SHIFTED_ROOM + align - 1` further.
    unsafe {
        header::span_of(block).write(Span { start: piece, len });
        header::write(block, owner, size, flags | SHIFTED);
    }
    block
}

/// First address in `piece` that is aligned and leaves room for span and header.
fn shifted_block(piece: *mut u8, align: usize) -> *mut u8 {
    let least = piece as usize + SHIFTED_ROOM;
    piece.wrapping_add(SHIFTED_ROOM + (least.next_multiple_of(align) - least))
}

/// Start and length of the piece under a block.
///
/// # Safety
/// `block` is live and `tagged` is the content of its header.
unsafe fn span(block: *mut u8, tagged: &Tagged) -> Span {
    if tagged.flags & SHIFTED != 0 {
        // SAFETY: a shifted block has a span before its header.
        unsafe { header::span_of(block).read() }
    } else {
        Span { start: block.wrapping_sub(HEADER_SIZE), len: tagged.size + HEADER_SIZE }
    }
}

/// Gives a block back to its source.
///
/// # Safety
/// `block` is live, came from [`place`] with this source, and `tagged` is the content of its
/// header.
pub unsafe fn release(source: &impl Source, block: *mut u8, tagged: &Tagged) {
    // SAFETY: the block is live; nobody uses it after this call.
    unsafe {
        let span = span(block, tagged);
        header::erase(block);
        source.give_back(span.start, span.len, tagged.flags);
    }
}

/// Resizes a block where the source can; null leaves the block as it was.
///
/// # Safety
/// As for [`release`]; `align` is the alignment that the block was made with, or less.
pub unsafe fn resize(
    source: &impl Source,
    block: *mut u8,
    tagged: &Tagged,
    size: usize,
    align: usize,
) -> *mut u8 {
    if tagged.flags & SHIFTED != 0 || align > MIN_ALIGN {
        // SAFETY: the block is live and came from `place` with this source, by this function's
        // contract.
        return unsafe { replace(source, block, tagged, size, align) };
    }
    let slack = source.resize_slack();
    if size > SIZE_MAX - HEADER_SIZE - slack {
        return null_mut();
    }
    let (old, new) = (tagged.size + HEADER_SIZE, size + HEADER_SIZE + slack);
    // SAFETY: an unshifted block's piece starts at its header.
    let piece = unsafe { source.resize(block.wrapping_sub(HEADER_SIZE), old, new, tagged.flags) };
    if piece.is_null() {
        return null_mut();
    }
    if (piece as usize).is_multiple_of(MIN_ALIGN) {
        let block = piece.wrapping_add(HEADER_SIZE);
        // SAFETY: the piece is ours and aligned.
        unsafe { header::write(block, tagged.owner, size, tagged.flags) };
        return block;
    }
    source.note_unaligned();
    let block = shifted_block(piece, MIN_ALIGN);
    // SAFETY: the slack that such a source asks for covers the distance by which the bytes move
    // (`SHIFTED_ROOM - HEADER_SIZE` plus less than `MIN_ALIGN`), so all of this is within `new`.
    unsafe {
        ptr::copy(piece.wrapping_add(HEADER_SIZE), block, size.min(tagged.size));
        header::span_of(block).write(Span { start: piece, len: new });
        header::write(block, tagged.owner, size, tagged.flags | SHIFTED);
    }
    block
}

/// Resizes by making a new block; null leaves the block as it was.
///
/// # Safety
/// As for [`resize`].
pub unsafe fn replace(
    source: &impl Source,
    block: *mut u8,
    tagged: &Tagged,
    size: usize,
    align: usize,
) -> *mut u8 {
    let flags = tagged.flags & !SHIFTED;
    let new = place(source, tagged.owner, size, align, Fill::Any, flags);
    if !new.is_null() {
        // SAFETY: both blocks are live, distinct and at least as long as the copy.
        unsafe {
            ptr::copy_nonoverlapping(block, new, size.min(tagged.size));
            release(source, block, tagged);
        }
    }
    new
}
