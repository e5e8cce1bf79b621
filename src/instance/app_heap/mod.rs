//! The app heap: a part of linear memory that the host allocates from on the guest's behalf.
//!
//! Its blocks lie in linear memory, headers and all, where the guest can overwrite them. So nothing
//! that is read there is trusted: a header carries a check word made from its own contents and
//! place, every offset is compared with the heap's bounds before it is used, and any mismatch makes
//! the heap corrupt for good. All that a malicious guest gains is strange addresses within its own
//! memory.
//!
//! Blocks follow each other without gaps; a header holds its block's size, whether the block is
//! free and whether the one before is. A free block also carries its neighbours in a list and, in
//! its last word, its size, so that freeing merges with both sides. Lists are by size class, powers
//! of two; the heads stand here, out of the guest's reach.

/// Header: the size with flags, and the check word.
const HEADER: u32 = 8;
/// Header, links, and the size at the end.
const BLOCK_MIN: u32 = 24;
/// A heap smaller than this cannot be made; WAMR's limit.
const HEAP_BYTES_MIN: u32 = 256;

const FREE: u32 = 1;
const PREV_FREE: u32 = 2;
const FLAGS: u32 = 7;

/// Mixed into check words, so that a guest's own numbers are rarely mistaken for one.
const CHECK_SALT: u32 = 0x9e37_79b1;

/// Ends a list.
const NONE: u32 = u32::MAX;

const CLASSES: usize = 32;

/// The heap's state outside linear memory. Owner: the instance.
pub struct AppHeap {
    /// Where the heap starts in linear memory.
    start: u64,
    len: u32,
    heads: [u32; CLASSES],
    corrupt: bool,
}

/// The reason for a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppHeapError {
    Exhausted,
    Corrupt,
}

type HeapResult<T> = std::result::Result<T, AppHeapError>;

/// The heap's bytes during one operation.
struct Bytes<'a> {
    base: *mut u8,
    len: u32,
    of: std::marker::PhantomData<&'a mut [u8]>,
}

/// A header that has passed its check.
#[derive(Clone, Copy)]
struct AppBlockHeader {
    size: u32,
    flags: u32,
}

impl Bytes<'_> {
    fn read(&self, offset: u32) -> HeapResult<u32> {
        let inside = offset.checked_add(4).is_some_and(|end| end <= self.len);
        if !inside || !offset.is_multiple_of(4) {
            return Err(AppHeapError::Corrupt);
        }
        // SAFETY: four bytes at `offset` lie in the heap, which lies in linear memory.
        Ok(unsafe { self.base.add(offset as usize).cast::<u32>().read_unaligned() })
    }

    fn write(&mut self, offset: u32, value: u32) -> HeapResult<()> {
        self.read(offset)?;
        // SAFETY: `read` has just found four bytes at `offset`.
        unsafe { self.base.add(offset as usize).cast::<u32>().write_unaligned(value) };
        Ok(())
    }

    /// The header at `offset`, checked: its block lies in the heap.
    fn header(&self, offset: u32) -> HeapResult<AppBlockHeader> {
        let (word, check) = (self.read(offset)?, self.read(offset.wrapping_add(4))?);
        let header = AppBlockHeader { size: word & !FLAGS, flags: word & FLAGS };
        let fits = header.size >= BLOCK_MIN && header.size <= self.len - offset;
        if check != check_word(offset, word) || !fits || !offset.is_multiple_of(HEADER) {
            return Err(AppHeapError::Corrupt);
        }
        Ok(header)
    }

    fn set_header(&mut self, offset: u32, size: u32, flags: u32) -> HeapResult<()> {
        let word = size | flags;
        self.write(offset, word)?;
        self.write(offset + 4, check_word(offset, word))
    }

    /// Notes in the block at `offset + size` whether the one before it is free.
    fn set_prev_free(&mut self, next: u32, free: bool) -> HeapResult<()> {
        if next == self.len {
            return Ok(());
        }
        let header = self.header(next)?;
        let flags = if free { header.flags | PREV_FREE } else { header.flags & !PREV_FREE };
        self.set_header(next, header.size, flags)
    }
}

const fn check_word(offset: u32, word: u32) -> u32 {
    (word ^ CHECK_SALT).wrapping_mul(0x85eb_ca6b).rotate_left(13) ^ offset
}

fn class_of(size: u32) -> usize {
    size.ilog2() as usize
}

impl AppHeap {
    /// A heap over `bytes` bytes at `start` of a memory whose first byte is at `memory`, or
    /// `None` if that is too little.
    ///
    /// # Safety
    /// The bytes lie in that memory, here and in every later call.
    pub unsafe fn new(memory: *mut u8, start: u64, bytes: u64) -> Option<Self> {
        let end = start.checked_add(bytes)?;
        let start = start.next_multiple_of(HEADER as u64);
        let len = u32::try_from(end.checked_sub(start)?).ok()? & !FLAGS;
        if len < HEAP_BYTES_MIN {
            return None;
        }
        let mut heap = Self { start, len, heads: [NONE; CLASSES], corrupt: false };
        // SAFETY: the caller guarantees that the bytes lie in that memory, here and in every later
        // call.
        let mut bytes = unsafe { heap.bytes(memory) };
        heap.insert(&mut bytes, 0, len, 0).ok()?;
        Some(heap)
    }

    /// # Safety
    /// As for [`AppHeap::new`].
    unsafe fn bytes<'a>(&self, memory: *mut u8) -> Bytes<'a> {
        let base = memory.wrapping_add(self.start as usize);
        Bytes { base, len: self.len, of: std::marker::PhantomData }
    }

    #[cfg(test)]
    fn is_corrupt(&self) -> bool {
        self.corrupt
    }

    /// Whether `address` of linear memory is the heap's.
    pub fn contains(&self, address: u64) -> bool {
        address.checked_sub(self.start).is_some_and(|offset| offset < self.len as u64)
    }

    /// Allocates `size` bytes and returns their address in linear memory.
    ///
    /// # Safety
    /// As for [`AppHeap::new`].
    pub unsafe fn alloc(&mut self, memory: *mut u8, size: u64) -> HeapResult<u64> {
        if self.corrupt {
            return Err(AppHeapError::Corrupt);
        }
        let size = size.checked_add(HEADER as u64 + 7).filter(|&size| size <= self.len as u64 + 7);
        let size = (size.ok_or(AppHeapError::Exhausted)? as u32 & !FLAGS).max(BLOCK_MIN);
        // SAFETY: the caller guarantees that the bytes lie in that memory, here and in every later
        // call.
        let mut bytes = unsafe { self.bytes(memory) };
        let taken = self.take(&mut bytes, size);
        self.note(taken).map(|offset| self.start + (offset + HEADER) as u64)
    }

    /// Frees a block of `alloc`. Addresses that are no live block's are ignored.
    ///
    /// # Safety
    /// As for [`AppHeap::new`].
    pub unsafe fn free(&mut self, memory: *mut u8, address: u64) {
        let offset = address.checked_sub(self.start + HEADER as u64);
        let Some(offset) = offset.filter(|&offset| offset < self.len as u64) else { return };
        if self.corrupt {
            return;
        }
        let offset = offset as u32;
        // SAFETY: the caller guarantees that the bytes lie in that memory, here and in every later
        // call.
        let mut bytes = unsafe { self.bytes(memory) };
        match bytes.header(offset) {
            Ok(header) if header.flags & FREE == 0 => {
                let freed = self.give_back(&mut bytes, offset, header);
                // Corruption shows at the next allocation.
                let _ = self.note(freed);
            }
            _ => {}
        }
    }

    /// Bytes that can be used of the block that `alloc` returned; `None` for other addresses.
    ///
    /// # Safety
    /// As for [`AppHeap::new`].
    pub unsafe fn block_len(&mut self, memory: *mut u8, address: u64) -> Option<u64> {
        let offset = address.checked_sub(self.start + HEADER as u64)?;
        if offset >= self.len as u64 || self.corrupt {
            return None;
        }
        // SAFETY: the caller guarantees that the bytes lie in that memory, here and in every later
        // call.
        let bytes = unsafe { self.bytes(memory) };
        let header = bytes.header(offset as u32).ok().filter(|h| h.flags & FREE == 0)?;
        Some((header.size - HEADER) as u64)
    }

    fn note<T>(&mut self, outcome: HeapResult<T>) -> HeapResult<T> {
        self.corrupt |= matches!(outcome, Err(AppHeapError::Corrupt));
        outcome
    }

    /// Takes a block of `size` bytes, header included, off the lists.
    fn take(&mut self, bytes: &mut Bytes<'_>, size: u32) -> HeapResult<u32> {
        let (offset, header) = self.find(bytes, size)?;
        self.remove(bytes, offset, header.size)?;
        let rest = header.size - size;
        if rest >= BLOCK_MIN {
            bytes.set_header(offset, size, header.flags & PREV_FREE)?;
            self.insert(bytes, offset + size, rest, 0)?;
        } else {
            bytes.set_header(offset, header.size, header.flags & PREV_FREE)?;
            bytes.set_prev_free(offset + header.size, false)?;
        }
        Ok(offset)
    }

    /// A free block of at least `size` bytes: the first that fits in its own class, else any of
    /// a class where all do.
    fn find(&self, bytes: &Bytes<'_>, size: u32) -> HeapResult<(u32, AppBlockHeader)> {
        let own = class_of(size);
        // A list that a guest has bent into a ring must not be followed for ever.
        let mut steps = self.len / BLOCK_MIN;
        for class in own..CLASSES {
            let mut offset = self.heads[class];
            while offset != NONE {
                let header = bytes.header(offset)?;
                steps = steps.checked_sub(1).ok_or(AppHeapError::Corrupt)?;
                if header.flags & FREE == 0 || class_of(header.size) != class {
                    return Err(AppHeapError::Corrupt);
                }
                if header.size >= size {
                    return Ok((offset, header));
                }
                offset = bytes.read(offset + HEADER)?;
            }
        }
        Err(AppHeapError::Exhausted)
    }

    /// Makes a free block and notes that in the one behind it.
    fn insert(
        &mut self,
        bytes: &mut Bytes<'_>,
        offset: u32,
        size: u32,
        flags: u32,
    ) -> HeapResult<()> {
        let head = &mut self.heads[class_of(size)];
        bytes.set_header(offset, size, flags | FREE)?;
        bytes.write(offset + HEADER, *head)?;
        bytes.write(offset + HEADER + 4, NONE)?;
        bytes.write(offset + size - 4, size)?;
        if *head != NONE {
            bytes.header(*head)?;
            bytes.write(*head + HEADER + 4, offset)?;
        }
        *head = offset;
        bytes.set_prev_free(offset + size, true)
    }

    /// Takes a free block off its list.
    fn remove(&mut self, bytes: &mut Bytes<'_>, offset: u32, size: u32) -> HeapResult<()> {
        let next = bytes.read(offset + HEADER)?;
        let prev = bytes.read(offset + HEADER + 4)?;
        if prev == NONE {
            let head = &mut self.heads[class_of(size)];
            if *head != offset {
                return Err(AppHeapError::Corrupt);
            }
            *head = next;
        } else {
            bytes.header(prev)?;
            bytes.write(prev + HEADER, next)?;
        }
        if next != NONE {
            bytes.header(next)?;
            bytes.write(next + HEADER + 4, prev)?;
        }
        Ok(())
    }

    /// Merges a block with its free neighbours and puts the whole on a list.
    fn give_back(
        &mut self,
        bytes: &mut Bytes<'_>,
        offset: u32,
        header: AppBlockHeader,
    ) -> HeapResult<()> {
        let (mut offset, mut size, mut flags) = (offset, header.size, header.flags);
        let next = offset + size;
        if next < bytes.len {
            let behind = bytes.header(next)?;
            if behind.flags & FREE != 0 {
                self.remove(bytes, next, behind.size)?;
                size += behind.size;
            }
        }
        if flags & PREV_FREE != 0 {
            let back = offset.checked_sub(4).ok_or(AppHeapError::Corrupt)?;
            let before = offset.checked_sub(bytes.read(back)?).ok_or(AppHeapError::Corrupt)?;
            let ahead = bytes.header(before)?;
            if ahead.flags & FREE == 0 || before + ahead.size != offset {
                return Err(AppHeapError::Corrupt);
            }
            self.remove(bytes, before, ahead.size)?;
            (offset, size, flags) = (before, size + ahead.size, ahead.flags);
        }
        self.insert(bytes, offset, size, flags & PREV_FREE)
    }
}

#[cfg(test)]
mod tests;
