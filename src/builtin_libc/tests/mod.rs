//! The functions on a make-believe instance: memory and an environment, no code.

mod formats;
mod texts;

use super::call::{Answer, LibcCall};
use crate::native::Caller;
use crate::native::tests::Rig;

/// A guest with a little memory.
struct Guest {
    rig: Rig,
}

const MEMORY_BYTES: usize = 4096;

impl Guest {
    fn new() -> Self {
        Self { rig: Rig::new(MEMORY_BYTES) }
    }

    fn call(&mut self, function: impl FnOnce(&LibcCall<'_>) -> Answer) -> Answer {
        let env = self.rig.env();
        // SAFETY: the rig's environment and memory live and stay put during the call.
        let caller = unsafe { Caller::new(env) };
        function(&LibcCall { caller: &caller, memory: caller.memory() })
    }

    fn write(&mut self, address: u32, bytes: &[u8]) {
        self.rig.bytes[address as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    /// A string with its NUL.
    fn text(&mut self, address: u32, text: &str) {
        self.write(address, text.as_bytes());
        self.write(address + text.len() as u32, &[0]);
    }

    fn read(&self, address: u32, len: usize) -> &[u8] {
        &self.rig.bytes[address as usize..][..len]
    }
}
