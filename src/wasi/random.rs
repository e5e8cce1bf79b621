//! Random bytes from the system.

use super::abi::Addr;
use super::call::{Call, Outcome};
use super::errno::Errno;
use crate::platform::random;

/// Bytes fetched at once: they pass through the host's stack, since no reference may cover
/// the guest's memory.
const CHUNK_BYTES: usize = 256;

/// Bytes fetched between two looks whether to stop; a multiple of the above.
const LOOK_BYTES: u32 = 1 << 14;

pub(super) fn random_get(call: &Call<'_>, buffer: Addr, len: u32) -> Outcome {
    call.check(buffer, len.into())?;
    let mut chunk = [0; CHUNK_BYTES];
    let mut done = 0;
    while done < len {
        if done % LOOK_BYTES == 0 {
            call.look()?;
        }
        let part = ((len - done) as usize).min(CHUNK_BYTES);
        let bytes = &mut chunk[..part];
        random::fill(bytes).map_err(|_| Errno::Io)?;
        call.write(buffer + done, bytes)?;
        done += part as u32;
    }
    Ok(())
}
