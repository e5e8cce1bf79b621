//! WASI functions on a make-believe instance: memory, environment and WASI state, no code.

mod descriptors;
mod endings;
mod escapes;
mod guests;
mod long;
mod polling;
mod small;
mod sockets;
mod table;
mod unstable;
mod waits;

use super::abi::Addr;
use super::call::{Call, Outcome, Stop};
use super::errno::Errno;
use super::{WasiArgs, WasiCtx};
use crate::abi::trap::Trap;
use crate::native::Caller;
use crate::native::tests::Rig;
use crate::platform::unwind::Held;
use std::fs;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

/// A guest with a page of memory.
struct Guest {
    rig: Rig,
    ctx: WasiCtx,
}

const MEMORY_BYTES: usize = 0x1_0000;

impl Guest {
    fn new(args: &WasiArgs) -> Self {
        let ctx = WasiCtx::new(args);
        let ctx = ctx.unwrap_or_else(|error| panic!("no WASI state: {error}"));
        Self { rig: Rig::new(MEMORY_BYTES), ctx }
    }

    /// A guest whose standard streams are one end of a socket, whose other end comes with it.
    fn with_stream() -> (Self, UnixStream, OwnedFd) {
        let Ok((inside, outside)) = UnixStream::pair() else { panic!("no sockets") };
        let fd = inside.as_raw_fd();
        let args = WasiArgs { stdin: fd, stdout: fd, stderr: fd, ..WasiArgs::default() };
        (Self::new(&args), outside, inside.into())
    }

    fn call<T>(&mut self, function: impl FnOnce(&Call<'_>) -> T) -> T {
        let env = self.rig.env();
        // SAFETY: the rig's environment and memory live and stay put during the call.
        let caller = unsafe { Caller::new(env) };
        let (memory, held) = (caller.memory(), Held::new());
        function(&Call { ctx: &self.ctx, memory, caller: &caller, held })
    }

    fn write(&mut self, address: Addr, bytes: &[u8]) {
        self.rig.bytes[address as usize..][..bytes.len()].copy_from_slice(bytes);
    }

    fn write_u32(&mut self, address: Addr, value: u32) {
        self.write(address, &value.to_le_bytes());
    }

    fn read(&self, address: Addr, len: usize) -> &[u8] {
        &self.rig.bytes[address as usize..][..len]
    }

    fn read_u32(&self, address: Addr) -> u32 {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.read(address, 4));
        u32::from_le_bytes(bytes)
    }

    fn read_u64(&self, address: Addr) -> u64 {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.read(address, 8));
        u64::from_le_bytes(bytes)
    }

    /// Puts iovecs at `address`.
    fn iovecs(&mut self, address: Addr, list: &[(Addr, u32)]) {
        for (index, &(start, len)) in list.iter().enumerate() {
            self.write_u32(address + index as u32 * 8, start);
            self.write_u32(address + index as u32 * 8 + 4, len);
        }
    }
}

fn fails(errno: Errno) -> Outcome {
    Err(Stop::Errno(errno))
}

const OUT_OF_BOUNDS: Outcome = Err(Stop::Trap(Trap::MemoryOutOfBounds));

/// All that lies in `folder` beside `except`, with everything that a guest could change of it.
pub(crate) fn snapshot(folder: &Path, except: &Path) -> Vec<String> {
    let mut seen = Vec::new();
    describe(folder, except, &mut seen);
    seen.sort();
    seen
}

fn describe(folder: &Path, except: &Path, seen: &mut Vec<String>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{error}"));
    for entry in entries.flatten() {
        let path = entry.path();
        if path == except {
            continue;
        }
        let Ok(found) = fs::symlink_metadata(&path) else { panic!("{} is gone", path.display()) };
        let text = fs::read_to_string(&path).unwrap_or_default();
        let (mode, links, modified) = (found.mode(), found.nlink(), found.modified().ok());
        seen.push(format!("{} {mode:o} {links} {modified:?} {text}", path.display()));
        if found.is_dir() {
            describe(&path, except, seen);
        }
    }
}
