//! Where the app heap goes: the part of linear memory that the host allocates from.
//!
//! The rules are WAMR's, because guests can see the outcome: the size of their memory, and the
//! value of `__heap_base`, which moves up when the heap is put in front of the guest's own.

use super::guest_alloc::{GuestAllocator, heap_base};
use super::memory::MemorySize;
use crate::abi::error::{Error, Result};
use crate::abi::types::{MemoryType, PAGE_SIZE};
use crate::module::Module;

/// The largest heap that can be asked for.
const HEAP_BYTES_MAX: u64 = 1 << 30;

/// Bytes left free behind a heap that was put before the guest's own.
const GAP_BYTES: u64 = 1 << 10;

/// Memory 0 with a heap in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapPlan {
    pub size: MemorySize,
    /// Start of the heap in linear memory.
    pub offset: u64,
    /// Bytes of the heap; zero for none.
    pub bytes: u64,
    /// Defined global that gets a new value: its index, and the value.
    pub heap_base: Option<(u32, u64)>,
}

impl HeapPlan {
    /// Puts a heap of `heap_bytes` into a memory of type `ty` that would be of `size` without it.
    pub fn new(module: &Module, ty: MemoryType, size: MemorySize, heap_bytes: u32) -> Result<Self> {
        let bytes = (heap_bytes as u64).next_multiple_of(8).min(HEAP_BYTES_MAX);
        let none = Self { size, offset: 0, bytes: 0, heap_base: None };
        if bytes == 0 || GuestAllocator::of(module).is_some() {
            return Ok(none);
        }
        let (page, most) = (size.page_bytes, ty.pages_max());
        if size.pages >= most {
            return Err(does_not_fit());
        }
        // Pages of one byte do not become larger; there are more of them.
        let may_widen = page == PAGE_SIZE as u64;
        match (size.pages, size.max_pages) {
            (1, 1) if may_widen => {
                let size = MemorySize { page_bytes: page + bytes, ..size };
                Ok(Self { size, offset: page, bytes, heap_base: None })
            }
            (0, 0) if may_widen => {
                let size = MemorySize { page_bytes: bytes, pages: 1, max_pages: 1 };
                Ok(Self { size, offset: 0, bytes, heap_base: None })
            }
            _ => match heap_base(module).filter(|&(_, base)| base < size.pages * page) {
                Some(base) => before_guest_heap(size, most, bytes, base),
                None => behind_memory(size, most, bytes),
            },
        }
    }
}

/// Puts the heap between the guest's data and the guest's own heap.
fn before_guest_heap(
    size: MemorySize,
    most: u64,
    bytes: u64,
    (global, base): (u32, u64),
) -> Result<HeapPlan> {
    let page = size.page_bytes;
    let to_page_end = |address: u64| address.next_multiple_of(page) - address;
    // The rounded-up size of the part that does not fit into the rest of the page; none if all
    // fits.
    let mut more = bytes.saturating_sub(to_page_end(base)).div_ceil(page);
    let mut new_base = base + bytes;
    if to_page_end(new_base) < GAP_BYTES {
        new_base += GAP_BYTES;
        more += GAP_BYTES.div_ceil(page);
    }
    let size = add_pages(size, most, more)?;
    Ok(HeapPlan { size, offset: base, bytes, heap_base: Some((global, new_base)) })
}

/// Puts the heap into new pages at the end.
fn behind_memory(size: MemorySize, most: u64, bytes: u64) -> Result<HeapPlan> {
    let page = size.page_bytes;
    // Pages that are shorter than the gap do not have room for it.
    let gap_pages = if page > GAP_BYTES { 0 } else { GAP_BYTES.div_ceil(page) };
    let more = bytes.div_ceil(page) + gap_pages;
    let offset = size.pages * page;
    let size = add_pages(size, most, more)?;
    Ok(HeapPlan { size, offset, bytes: more * page - GAP_BYTES, heap_base: None })
}

/// More pages, of which there can be `most`.
fn add_pages(size: MemorySize, most: u64, more: u64) -> Result<MemorySize> {
    let pages = size.pages + more;
    if pages > most {
        return Err(does_not_fit());
    }
    Ok(MemorySize { pages, max_pages: (size.max_pages + more).min(most), ..size })
}

#[cold]
fn does_not_fit() -> Error {
    Error::instantiate(
        "failed to insert app heap into linear memory, try using `--heap-size=0` option",
    )
}
