//! Arguments and environment: lists of strings, and the functions that hand them to the guest.

use super::abi::Addr;
use super::call::{Call, Outcome};
use super::errno::Errno;
use std::collections::TryReserveError;

/// Strings one behind the other, each with its NUL, as the guest gets them.
pub(super) struct Strings {
    bytes: Vec<u8>,
    /// Where each string starts.
    starts: Vec<u32>,
}

impl Strings {
    pub(super) fn copy(list: &[Vec<u8>]) -> Result<Self, TryReserveError> {
        let total = list.iter().map(|s| s.len() + 1).sum();
        let (mut bytes, mut starts) = (Vec::new(), Vec::new());
        if !list.is_empty() {
            bytes = crate::alloc::try_vec(total)?;
            starts = crate::alloc::try_vec(list.len())?;
        }
        for string in list {
            starts.push(bytes.len() as u32);
            bytes.extend_from_slice(string);
            bytes.push(0);
        }
        Ok(Self { bytes, starts })
    }

    /// Writes the strings to `buffer` and their addresses to `pointers`.
    fn get(&self, call: &Call<'_>, pointers: Addr, buffer: Addr) -> Outcome {
        call.check(pointers, self.starts.len() as u64 * 4)?;
        call.write(buffer, &self.bytes)?;
        for (index, start) in self.starts.iter().enumerate() {
            // Within the memory, by the check above and since the buffer was written.
            call.write_u32(pointers.wrapping_add(index as u32 * 4), buffer.wrapping_add(*start))?;
        }
        Ok(())
    }

    /// Writes how many strings there are and how many bytes they take.
    fn sizes_get(&self, call: &Call<'_>, count: Addr, bytes: Addr) -> Outcome {
        call.check(count, 4)?;
        call.check(bytes, 4)?;
        let total = u32::try_from(self.bytes.len()).map_err(|_| Errno::Overflow)?;
        call.write_u32(count, self.starts.len() as u32)?;
        call.write_u32(bytes, total)
    }
}

pub(super) fn args_get(call: &Call<'_>, pointers: Addr, buffer: Addr) -> Outcome {
    call.ctx.args.get(call, pointers, buffer)
}

pub(super) fn args_sizes_get(call: &Call<'_>, count: Addr, bytes: Addr) -> Outcome {
    call.ctx.args.sizes_get(call, count, bytes)
}

pub(super) fn environ_get(call: &Call<'_>, pointers: Addr, buffer: Addr) -> Outcome {
    call.ctx.env.get(call, pointers, buffer)
}

pub(super) fn environ_sizes_get(call: &Call<'_>, count: Addr, bytes: Addr) -> Outcome {
    call.ctx.env.sizes_get(call, count, bytes)
}
