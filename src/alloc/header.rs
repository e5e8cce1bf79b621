//! The 16 bytes before every block: its owner, its length, and a mark by which a block of ours
//! differs from any other pointer.
//!
//! ```text
//! owner word   63..6 address of the Heap (aligned to 64), 0 = the system   5..0 flags
//! tag word     63..48 mark, never zero    47..0 size that was asked for
//! ```
//!
//! The mark depends on the block's address, owner and size. A pointer from elsewhere, a pointer
//! into a block or a block that was freed is therefore refused with near certainty: `malloc`
//! of glibc keeps a small number where our tag would be, which never carries a mark.
//!
//! Both words are atomic because a pool changes the `PREV_FREE` flag of a block that another thread
//! may be about to free. They are the standard library's atomics, not those of `sync`: headers lie
//! in raw memory without a constructor call, which loom's types need.

use std::ptr::{null, with_exposed_provenance};
use std::sync::atomic::{AtomicU64, Ordering};

/// Distance from a block's header to its first byte.
pub const HEADER_SIZE: usize = 16;
/// Blocks and headers are aligned to this at least.
pub const MIN_ALIGN: usize = 16;
/// Largest size that fits the tag word.
pub const SIZE_MAX: usize = if usize::BITS < 64 { isize::MAX as usize } else { (1 << 47) - 1 };

/// Pool: the physically previous block is free.
pub const PREV_FREE: u64 = 1;
/// Pool: the block itself is free (its other words then mean something else).
pub const FREE: u64 = 2;
/// The heap did not have the block, which came from the system or from a thread's reserve.
pub const OVER_LIMIT: u64 = 4;
/// With [`OVER_LIMIT`], on blocks of no pool: the block came from a thread's reserve.
pub const RESERVED: u64 = 16;
/// Allocated for a linear memory, which some user allocators want to know.
pub const LINEAR: u64 = 8;
/// Pool: the block is one unit longer than its size needs.
pub const EXTRA: u64 = 16;
/// The underlying block starts before the header, at the address in the [`Span`].
pub const SHIFTED: u64 = 32;
const FLAGS: u64 = 63;

const SIZE_BITS: u32 = 48;

/// A block's header, in front of the block.
#[repr(C, align(16))]
pub struct Header {
    owner: AtomicU64,
    tag: AtomicU64,
}

const _: () = assert!(size_of::<Header>() == HEADER_SIZE);

/// A block's owner: the address of a heap, which `Heap::of_owner` alone follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner(pub *const ());

impl Owner {
    /// Of blocks that belong to no heap.
    pub const NONE: Self = Self(null());
}

/// The content of a valid header.
#[derive(Clone, Copy)]
pub struct Tagged {
    pub owner: Owner,
    pub size: usize,
    pub flags: u64,
}

fn mark(block: *mut u8, owner: u64, size: u64) -> u64 {
    // Any odd multiplier with well-spread bits does; this is the golden ratio's.
    let mixed = (block as u64 ^ owner.rotate_left(20) ^ size.rotate_left(40))
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // Bit 0 is forced, so the mark is never zero.
    (mixed >> SIZE_BITS) | 1
}

/// Address of the header of `block`.
pub fn header_of(block: *mut u8) -> *mut Header {
    block.wrapping_sub(HEADER_SIZE).cast()
}

/// Writes the header of a new block.
///
/// # Safety
/// The 16 bytes before `block` belong to the caller, and `block` is aligned to 16.
pub unsafe fn write(block: *mut u8, owner: Owner, size: usize, flags: u64) {
    let owner = owner.0.expose_provenance() as u64;
    // SAFETY: the caller owns the aligned 16 bytes before `block`; atomics need no other state.
    let header = unsafe { &*header_of(block) };
    header.tag.store(size as u64 | mark(block, owner, size as u64) << SIZE_BITS, Ordering::Relaxed);
    header.owner.store(owner | flags, Ordering::Relaxed);
}

/// Reads the header of `block`; `None` if `block` is no live block of ours.
///
/// # Safety
/// `block` is null, or the 16 bytes before it are readable.
pub unsafe fn read(block: *mut u8) -> Option<Tagged> {
    if block.is_null() || !(block as usize).is_multiple_of(MIN_ALIGN) {
        return None;
    }
    // SAFETY: not null and aligned, so the header is aligned; by this function's contract it is
    // readable.
    let header = unsafe { &*header_of(block) };
    let tag = header.tag.load(Ordering::Relaxed);
    let word = header.owner.load(Ordering::Relaxed);
    let (owner, flags) = (word & !FLAGS, word & FLAGS);
    let size = tag & ((1 << SIZE_BITS) - 1);
    if tag >> SIZE_BITS != mark(block, owner, size) || flags & FREE != 0 {
        return None;
    }
    let owner = Owner(with_exposed_provenance(owner as usize));
    Some(Tagged { owner, size: size as usize, flags })
}

/// Makes `block`'s header invalid, so that freeing it again is refused.
///
/// # Safety
/// `block` is a live block that the caller is giving up.
pub unsafe fn erase(block: *mut u8) {
    // SAFETY: the header of a live block is valid memory.
    unsafe { &*header_of(block) }.tag.store(0, Ordering::Relaxed);
}

/// Where a [`SHIFTED`] block really starts; lies before its header.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Span {
    pub start: *mut u8,
    pub len: usize,
}

/// Room that a shifted block needs before its first byte.
pub const SHIFTED_ROOM: usize = HEADER_SIZE + 16;
const _: () = assert!(size_of::<Span>() <= 16);

/// Address of the span of a shifted block.
pub fn span_of(block: *mut u8) -> *mut Span {
    block.wrapping_sub(SHIFTED_ROOM).cast()
}
