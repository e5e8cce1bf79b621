//! Accesses that compiled code does not find where it looks, as it hands them to the runtime.

use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmEnv;
use crate::exec::{builtins, work};

/// The places that an access may be at. In a word it has the bytes of the access in the lowest
/// byte, the index of the memory above, and the two highest bits.
#[derive(Clone, Copy)]
pub enum AccessKind {
    Anywhere,
    /// At a multiple of its bytes.
    Aligned,
}

impl AccessKind {
    /// The number of the bit that says that the sum of address and offset has more than 64 bits.
    pub const WRAPS_BIT: i64 = 63;
    const WRAPS: u64 = 1 << Self::WRAPS_BIT;
    const ALIGNED: u64 = 1 << 62;

    /// The word for an access to `bytes` bytes of a memory.
    pub fn of(self, memory: u32, bytes: u32) -> u64 {
        let flag = if let Self::Aligned = self { Self::ALIGNED } else { 0 };
        flag | u64::from(memory) << 8 | u64::from(bytes)
    }

    /// As [`AccessKind::locate`], at the sum of an address and an offset.
    ///
    /// # Safety
    /// `env` is the running environment.
    pub unsafe fn locate_sum(
        env: *mut VmEnv,
        (address, offset): (u64, u64),
        word: u64,
    ) -> Result<(*mut u8, u32), Trap> {
        let (sum, wraps) = address.overflowing_add(offset);
        // SAFETY: the caller guarantees the running environment.
        unsafe { Self::locate(env, sum, if wraps { word | Self::WRAPS } else { word }) }
    }

    /// The native address of an access that is described by a word, and the index of the memory.
    ///
    /// # Safety
    /// `env` is the running environment.
    pub unsafe fn locate(env: *mut VmEnv, address: u64, word: u64) -> Result<(*mut u8, u32), Trap> {
        let (memory, bytes) = ((word >> 8) as u32, word & 0xff);
        // SAFETY: the caller guarantees the running environment, whose instance is live.
        unsafe {
            work::charge(env, work::SLOW)?;
            if word & Self::WRAPS != 0 {
                return Err(Trap::MemoryOutOfBounds);
            }
            let found = builtins::slow_address((*env).instance, (memory, address), bytes);
            let found = found.ok_or(Trap::MemoryOutOfBounds)?;
            if word & Self::ALIGNED != 0 && !found.addr().is_multiple_of(bytes as usize) {
                return Err(Trap::UnalignedAtomic);
            }
            Ok((found, memory))
        }
    }
}
