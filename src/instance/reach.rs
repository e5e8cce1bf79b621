//! From an address of a guest to the bytes it names.
//!
//! Running code compares an address with the length of memory 0 that it has at hand and needs
//! nothing else when the bytes lie there. Everyone else comes here: slow paths of engines, host
//! functions, the address functions of the API. So this is the one place that knows what a
//! guest can reach.

use super::Memory;
use crate::abi::vm_layout::VmInstance;

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
    // SAFETY: the caller's contract; an instance's `memory0` is never null, and its owner, if it
    // has one, lives as long.
    unsafe {
        let memory = (*vm).memory0;
        if let Some(owner) = (*memory).owner.cast::<Memory>().as_ref() {
            owner.refresh();
        }
        Span { start: 0, base: (*memory).base, len_bytes: (*memory).len_bytes as u64 }
    }
}

/// The piece of what the instance can reach that `address` lies in.
///
/// # Safety
/// `vm` is a live instance's.
pub unsafe fn span(vm: *const VmInstance, address: u64) -> Option<Span> {
    // SAFETY: the caller's contract.
    let memory = unsafe { memory0(vm) };
    (address < memory.len_bytes).then_some(memory)
}

/// Where `len` bytes at `address` are now, if they are all in one piece. No bytes are also found
/// at the very end of memory 0.
///
/// # Safety
/// `vm` is a live instance's.
pub unsafe fn locate(vm: *const VmInstance, address: u64, len: u64) -> Option<*mut u8> {
    // SAFETY: the caller's contract.
    unsafe { span(vm, address).unwrap_or_else(|| memory0(vm)) }.locate(address, len)
}

/// Where the string at `address` is now, if the piece it starts in has its NUL.
///
/// # Safety
/// `vm` is a live instance's.
pub unsafe fn text(vm: *const VmInstance, address: u64) -> Option<*mut u8> {
    // SAFETY: the caller's contract.
    let span = unsafe { span(vm, address) }?;
    let room = span.start + span.len_bytes - address;
    let text = span.locate(address, room)?;
    // SAFETY: `text` has `room` accessible bytes behind it.
    let end = unsafe { libc::memchr(text.cast(), 0, room as usize) };
    (!end.is_null()).then_some(text)
}
