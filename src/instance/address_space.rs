//! From an address of a guest to the bytes it names.
//!
//! Running code compares an address with the length of memory 0 that it has at hand and needs
//! nothing else when the bytes lie there. All other accesses come here: slow paths of engines, host
//! functions, the address functions of the API. So this is the one place that knows a guest's whole
//! address space: memory 0 and the attached shared heaps.

use super::{Instance, Memory, SharedHeap};
use crate::abi::types::MemoryType;
use crate::abi::vm_layout::VmInstance;
use std::convert::Infallible;
use std::sync::atomic::Ordering;

/// Accessible bytes in one piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The guest's address of the first byte.
    pub start: u64,
    /// Where that is now.
    pub base: *mut u8,
    pub len_bytes: u64,
}

impl Span {
    pub fn contains(&self, address: u64) -> bool {
        address.checked_sub(self.start).is_some_and(|offset| offset < self.len_bytes)
    }

    /// Where `len` bytes at `address` are, if they are all in this piece.
    fn locate(&self, address: u64, len: u64) -> Option<*mut u8> {
        let offset = address.checked_sub(self.start)?;
        let end = offset.checked_add(len)?;
        (end <= self.len_bytes).then(|| self.base.wrapping_add(offset as usize))
    }
}

/// Memory 0 of the instance.
///
/// # Safety
/// `vm` is a live instance's.
unsafe fn memory0(vm: *const VmInstance) -> Span {
    // SAFETY: the caller guarantees that `vm` is a live instance's; an instance's `memory0` is
    // never null, and its owner, if it has one, lives as long.
    unsafe {
        let memory = (*vm).memory0;
        if let Some(owner) = (*memory).owner.cast::<Memory>().as_ref() {
            owner.refresh();
        }
        Span { start: 0, base: (*memory).base, len_bytes: (*memory).len_bytes as u64 }
    }
}

/// The piece of the instance's address space that `address` lies in.
///
/// # Safety
/// `vm` is a live instance's.
pub unsafe fn span(vm: *const VmInstance, address: u64) -> Option<Span> {
    // SAFETY: the caller guarantees that `vm` is a live instance's.
    let memory = unsafe { memory0(vm) };
    if memory.contains(address) {
        return Some(memory);
    }
    // SAFETY: the caller guarantees that `vm` is a live instance's.
    let (heap, ty) = unsafe { attached(vm) }?;
    heap.span(ty, address)
}

/// The shared heap that is attached, and the type of memory 0.
///
/// # Safety
/// `vm` is a live instance's.
unsafe fn attached<'a>(vm: *const VmInstance) -> Option<(&'a SharedHeap, MemoryType)> {
    // SAFETY: the caller guarantees that `vm` is a live instance's; one with a shared heap lies in
    // an `Instance`.
    unsafe {
        if (*vm).shared_heap.load(Ordering::Relaxed).is_null() {
            return None;
        }
        let instance = Instance::of_vm(vm);
        Some((instance.shared_heap()?, instance.memory(0)?.ty()))
    }
}

/// The guest's address of `len` bytes at `native`, if they are all in one piece.
///
/// # Safety
/// `vm` is a live instance's.
pub unsafe fn address_of(vm: *const VmInstance, native: usize, len: u64) -> Option<u64> {
    // SAFETY: the caller guarantees that `vm` is a live instance's.
    let memory = unsafe { memory0(vm) };
    let offset = native.checked_sub(memory.base as usize).map(|offset| offset as u64);
    if let Some(offset) = offset.filter(|&offset| memory.locate(offset, len).is_some()) {
        return Some(offset);
    }
    // SAFETY: the caller guarantees that `vm` is a live instance's.
    let (heap, ty) = unsafe { attached(vm) }?;
    heap.address_of(ty, native, len)
}

/// Where `len` bytes at `address` of any memory of the instance's are now.
///
/// # Safety
/// `vm` is a live instance's.
pub unsafe fn locate_in(
    vm: *const VmInstance,
    memory: u32,
    address: u64,
    len: u64,
) -> Option<*mut u8> {
    if memory == 0 {
        // SAFETY: the caller's contract.
        return unsafe { locate(vm, address, len) };
    }
    // SAFETY: the caller's contract; what has other memories lies in an `Instance`.
    let memory = unsafe { Instance::of_vm(vm) }.memory(memory)?;
    memory.refresh();
    memory.range(address, len)
}

/// Where `len` bytes at `address` are now, if they are all in one piece. No bytes are also found
/// at the very end of memory 0.
///
/// # Safety
/// `vm` is a live instance's.
pub unsafe fn locate(vm: *const VmInstance, address: u64, len: u64) -> Option<*mut u8> {
    // SAFETY: the caller guarantees that `vm` is a live instance's.
    unsafe { span(vm, address).unwrap_or_else(|| memory0(vm)) }.locate(address, len)
}

/// Bytes of a text that are searched between two looks.
const PIECE_BYTES: usize = 1 << 16;

/// Where the string at `address` is now and its length, if the piece it starts in has its NUL.
/// Threads of the guest may take the NUL away; the bytes up to there stay accessible.
///
/// # Safety
/// `vm` is a live instance's.
pub unsafe fn text(vm: *const VmInstance, address: u64) -> Option<(*mut u8, usize)> {
    // SAFETY: the caller guarantees that `vm` is a live instance's.
    let found = unsafe { text_with(vm, address, |_| Ok::<_, Infallible>(())) };
    found.unwrap_or_else(|never| match never {})
}

/// As [`text`], but calls `look` after each piece without a NUL, and fails with it.
///
/// # Safety
/// `vm` is a live instance's.
pub unsafe fn text_with<E>(
    vm: *const VmInstance,
    address: u64,
    mut look: impl FnMut(u64) -> Result<(), E>,
) -> Result<Option<(*mut u8, usize)>, E> {
    // SAFETY: the caller guarantees that `vm` is a live instance's.
    let Some(span) = (unsafe { span(vm, address) }) else { return Ok(None) };
    let room = span.len_bytes - (address - span.start);
    let Some(text) = span.locate(address, room) else { return Ok(None) };
    let room = room as usize;
    let mut done = 0;
    while done < room {
        let piece = PIECE_BYTES.min(room - done);
        // SAFETY: `text` has `room` accessible bytes behind it, of which the piece is a part.
        let end = unsafe { libc::memchr(text.add(done).cast(), 0, piece) };
        if !end.is_null() {
            return Ok(Some((text, end.addr() - text.addr())));
        }
        done += piece;
        look(piece as u64)?;
    }
    Ok(None)
}
