//! Guest memory as the host allocates and checks it: [`Instance`]'s part for `module_malloc` and
//! the address functions.
//!
//! Everything is about memory 0 and the shared heap that is attached. Addresses are the guest's;
//! others are refused.

use super::{Instance, Trap, ValType};
use crate::instance::{AppHeapError, Memory, address_space, link_set};
use std::ffi::c_void;
use std::ptr::{self, NonNull};

impl Instance {
    fn memory0(&self) -> Option<&Memory> {
        self.parts().memory(0)
    }

    /// Allocates guest memory from the instance's heap, else with the guest's own `malloc`.
    /// Returns its address, and where that is now.
    ///
    /// A heap that the guest has corrupted sets the exception "app heap corrupted".
    pub fn malloc(&self, size: u64) -> Option<(u64, NonNull<u8>)> {
        if self.memory0().is_none() {
            self.set_exception(b"uninitialized memory");
            return None;
        }
        let address = if self.parts().has_app_heap() {
            match self.parts().app_heap_alloc(size) {
                Ok(address) => Some(address),
                Err(AppHeapError::Corrupt) => {
                    self.set_exception(b"app heap corrupted");
                    log::error!("Error: app heap is corrupted by the guest");
                    return None;
                }
                Err(AppHeapError::Exhausted) => None,
            }
        } else {
            self.guest_malloc(size)?
        };
        let place = address.and_then(|address| {
            let native = self.memory0()?.range(address, size)?;
            Some((address, NonNull::new(native)?))
        });
        if place.is_none() {
            log::warn!("warning: allocate {size} bytes memory failed");
        }
        place
    }

    /// Calls the guest's `malloc`. `None` if it trapped, `Some(None)` if it gave nothing.
    fn guest_malloc(&self, size: u64) -> Option<Option<u64>> {
        let Some(allocator) = self.surroundings().module.allocator else { return Some(None) };
        let wide = self.parts().module().address_type() == ValType::I64;
        let cut = |word: u64| if wide { word } else { word as u32 as u64 };
        if cut(size) != size {
            return Some(None);
        }
        // The second parameter is AssemblyScript's: the class of plain buffers.
        let params: &[u64] = if allocator.retain.is_some() { &[0, 0] } else { &[0] };
        let mut slots = [0; 2];
        slots[0] = size;
        self.call_guest(allocator.malloc, &mut slots[..params.len()])?;
        let mut address = cut(slots[0]);
        if let (Some(retain), true) = (allocator.retain, address != 0) {
            let mut slots = [address];
            self.call_guest(retain, &mut slots)?;
            address = cut(slots[0]);
        }
        Some((address != 0).then_some(address))
    }

    fn call_guest(&self, index: u32, slots: &mut [u64]) -> Option<()> {
        let func = self.parts().func(index)?;
        // SAFETY: the function is this instance's; `GuestAllocator` has checked the type.
        unsafe { self.call_for_host(func, slots) }.ok()?.ok()
    }

    /// Frees a block of [`Instance::malloc`]. Other addresses are ignored. The guest's own `free`
    /// runs even if an exception is pending, which stays: so blocks that were allocated for a call
    /// that trapped can be freed.
    pub fn free(&self, address: u64) {
        if address == 0 || self.parts().app_heap_free(address) {
            return;
        }
        let inside = self.memory0().is_some_and(|memory| address < memory.len_bytes() as u64);
        if let (Some(allocator), true) = (self.surroundings().module.allocator, inside)
            && !self.parts().has_app_heap()
        {
            // SAFETY: the handle keeps the link set alive.
            let Some(_used) = (unsafe { link_set::Use::begin(self.ptr()) }) else { return };
            self.parts().without_exception(|| self.call_guest(allocator.free, &mut [address]));
        }
    }

    /// Copies `bytes` into new guest memory and returns its address.
    pub fn dup_data(&self, bytes: &[u8]) -> Option<u64> {
        let (address, native) = self.malloc(bytes.len() as u64)?;
        // SAFETY: `malloc` has found room for the bytes at `native`.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), native.as_ptr(), bytes.len()) };
        Some(address)
    }

    /// Sets the exception if `valid` is false, and returns it.
    fn checked(&self, valid: bool) -> bool {
        if !valid {
            self.set_exception(Trap::MemoryOutOfBounds.text().as_bytes());
        }
        valid
    }

    /// Whether the guest reaches `len` bytes at `address`; sets the exception if not.
    pub fn validate_app_addr(&self, address: u64, len: u64) -> bool {
        // SAFETY: this handle keeps the instance alive.
        let found = unsafe { address_space::locate(self.parts().vm(), address, len) };
        self.checked(self.memory0().is_some() && found.is_some())
    }

    /// Whether the guest reaches a NUL-terminated string at `address`; sets the exception if not.
    pub fn validate_app_str_addr(&self, address: u64) -> bool {
        // SAFETY: this handle keeps the instance alive.
        let found = unsafe { address_space::text(self.parts().vm(), address) };
        self.checked(found.is_some())
    }

    /// Whether the guest reaches `len` bytes at `native`; sets the exception if not.
    pub fn validate_native_addr(&self, native: *const c_void, len: u64) -> bool {
        // SAFETY: this handle keeps the instance alive.
        let found = unsafe { address_space::address_of(self.parts().vm(), native as usize, len) };
        self.checked(self.memory0().is_some() && found.is_some())
    }

    /// Where `address` is now, or null.
    pub fn addr_app_to_native(&self, address: u64) -> *mut c_void {
        // SAFETY: this handle keeps the instance alive.
        let native = unsafe { address_space::locate(self.parts().vm(), address, 1) };
        native.map_or(ptr::null_mut(), <*mut u8>::cast)
    }

    /// The guest's address of `native`, or 0 outside the guest's address space.
    pub fn addr_native_to_app(&self, native: *const c_void) -> u64 {
        // SAFETY: this handle keeps the instance alive.
        unsafe { address_space::address_of(self.parts().vm(), native as usize, 1) }.unwrap_or(0)
    }

    /// Adds pages to memory 0; false when it cannot grow so far, which the callback of failed
    /// growth hears of. So it is while another thread runs the instance, unless the memory is
    /// shared.
    pub fn enlarge_memory(&self, pages: u64) -> bool {
        let Some(memory) = self.memory0() else { return false };
        // SAFETY: the handle keeps the link set alive.
        let used = unsafe { link_set::Use::begin(self.ptr()) };
        if used.is_none() && memory.shared().is_none() {
            return false;
        }
        self.context_ref().run(|| memory.grow_for(ptr::null_mut(), pages, &mut || Ok(()))).is_ok()
    }
}
