//! A guest's memory as host functions reach it.
//!
//! A guest's address is a claim. The only way from an address to a pointer leads through
//! [`GuestMemory::range`], which traps when the bytes are not all there. Where the bytes lie
//! and how many there are is looked up each time, since a guest that is called back may grow
//! its memory.

use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, VmInstance};
use crate::instance::address_space;
use std::marker::PhantomData;
use std::ptr;

/// The calling instance's address space, for the time of one host call.
#[derive(Clone, Copy)]
pub struct GuestMemory<'a> {
    instance: *const VmInstance,
    call: PhantomData<&'a VmInstance>,
}

impl<'a> GuestMemory<'a> {
    /// The address space of `env`'s instance; empty when it has no memory.
    ///
    /// # Safety
    /// `env` and its instance are live during `'a`.
    pub unsafe fn of_env(env: *const VmEnv) -> Self {
        // SAFETY: the caller vouches for `env`.
        unsafe { Self::of((*env).instance) }
    }

    /// # Safety
    /// `instance` is live during `'a`, and the bytes of its memory 0 are accessible.
    pub unsafe fn of(instance: *const VmInstance) -> Self {
        Self { instance, call: PhantomData }
    }

    /// A pointer to `len` bytes at `address`, good until guest code runs. At the very end of the
    /// memory only `len` zero fits, and the pointer must not be read from.
    pub fn range(&self, address: u64, len: u64) -> Result<*mut u8, Trap> {
        // SAFETY: `of` asked for a live instance.
        unsafe { address_space::locate(self.instance, address, len) }.ok_or(Trap::MemoryOutOfBounds)
    }

    /// Whether there is a byte at `address`.
    pub fn contains(&self, address: u64) -> bool {
        self.range(address, 1).is_ok()
    }

    /// A pointer to the string at `address`, whose NUL lies inside the memory, and its length.
    /// Other threads of the guest may overwrite that NUL: so readers count bytes, and do not look
    /// for it.
    pub fn text(&self, address: u64) -> Result<(*mut u8, usize), Trap> {
        self.text_with(address, |_| Ok(()))
    }

    /// As [`GuestMemory::text`], for texts of any length: `look` is called between pieces and may
    /// end the search.
    pub fn text_with(
        &self,
        address: u64,
        look: impl FnMut(u64) -> Result<(), Trap>,
    ) -> Result<(*mut u8, usize), Trap> {
        // SAFETY: `of` asked for a live instance.
        let found = unsafe { address_space::text_with(self.instance, address, look) }?;
        found.ok_or(Trap::MemoryOutOfBounds)
    }

    /// Copies `N` bytes out.
    pub fn read<const N: usize>(&self, address: u64) -> Result<[u8; N], Trap> {
        let from = self.range(address, N as u64)?;
        let mut bytes = [0; N];
        // SAFETY: `range` found `N` accessible bytes; `bytes` is the host's own.
        unsafe { ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), N) };
        Ok(bytes)
    }

    /// Fills `bytes` from the memory.
    pub fn copy_out(&self, address: u64, bytes: &mut [u8]) -> Result<(), Trap> {
        let from = self.range(address, bytes.len() as u64)?;
        // SAFETY: `range` found as many accessible bytes; `bytes` is the host's own.
        unsafe { ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    pub fn read_u32(&self, address: u64) -> Result<u32, Trap> {
        self.read(address).map(u32::from_le_bytes)
    }

    pub fn read_u64(&self, address: u64) -> Result<u64, Trap> {
        self.read(address).map(u64::from_le_bytes)
    }

    /// Copies `bytes` in.
    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<(), Trap> {
        let to = self.range(address, bytes.len() as u64)?;
        // SAFETY: `range` found as many accessible bytes as are copied, and no Rust reference
        // points into a guest's memory, so the two do not overlap.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }

    pub fn write_u32(&self, address: u64, value: u32) -> Result<(), Trap> {
        self.write(address, &value.to_le_bytes())
    }

    pub fn write_u64(&self, address: u64, value: u64) -> Result<(), Trap> {
        self.write(address, &value.to_le_bytes())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::GuestMemory;
    use crate::abi::trap::Trap;
    use crate::abi::vm_layout::VmMemory;
    use crate::native::tests::instance_with;

    /// Runs `test` on a memory over the host's own bytes.
    pub(crate) fn over<T>(bytes: &mut [u8], test: impl FnOnce(GuestMemory<'_>) -> T) -> T {
        let (base, len_bytes) = (bytes.as_mut_ptr(), bytes.len());
        let mut memory = VmMemory { base, len_bytes, owner: std::ptr::null_mut() };
        let instance = instance_with(&raw mut memory);
        // SAFETY: all of it outlives the call.
        test(unsafe { GuestMemory::of(&raw const instance) })
    }

    #[test]
    fn ranges_end_with_the_memory() {
        let mut bytes = [0_u8; 16];
        let start = bytes.as_mut_ptr();
        over(&mut bytes, |memory| {
            assert_eq!(memory.range(0, 16), Ok(start));
            assert_eq!(memory.range(16, 0), Ok(start.wrapping_add(16)));
            for (at, len) in [(16, 1), (17, 0), (0, 17), (u64::MAX, 1), (1, u64::MAX), (8, 9)] {
                assert_eq!(memory.range(at, len), Err(Trap::MemoryOutOfBounds));
            }
        });
    }

    #[test]
    fn values_are_little_endian() {
        let mut bytes = [0_u8; 16];
        over(&mut bytes, |memory| {
            assert_eq!(memory.write_u32(3, 0x0403_0201), Ok(()));
            assert_eq!(memory.write_u64(8, 1), Ok(()));
            assert_eq!(memory.read_u32(3), Ok(0x0403_0201));
            assert_eq!(memory.read_u64(8), Ok(1));
            assert_eq!(memory.write_u64(9, 1), Err(Trap::MemoryOutOfBounds));
        });
        assert_eq!(bytes[3..7], [1, 2, 3, 4]);
    }

    #[test]
    fn a_string_ends_inside() {
        let mut bytes = *b"ab\0cd";
        let start = bytes.as_mut_ptr();
        over(&mut bytes, |memory| {
            assert_eq!(memory.text(0), Ok((start, 2)));
            assert_eq!(memory.text(2), Ok((start.wrapping_add(2), 0)));
            for address in [3, 4, 5, 6, u64::MAX] {
                assert_eq!(memory.text(address), Err(Trap::MemoryOutOfBounds));
            }
        });
    }

    #[test]
    fn a_long_string_is_looked_at_in_pieces() {
        let mut bytes = vec![b'a'; 200_000];
        bytes[199_999] = 0;
        over(&mut bytes, |memory| {
            let mut looked = Vec::new();
            let mut look = |bytes| {
                looked.push(bytes);
                if looked.len() < 3 { Ok(()) } else { Err(Trap::Terminated) }
            };
            assert_eq!(memory.text_with(100_000, &mut look).map(|(_, len)| len), Ok(99_999));
            assert_eq!(memory.text_with(0, &mut look), Err(Trap::Terminated));
            assert_eq!(looked, [1 << 16; 3]);
            assert_eq!(memory.text(0).map(|(_, len)| len), Ok(199_999));
        });
    }
}
