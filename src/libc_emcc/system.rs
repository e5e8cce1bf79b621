//! System functions: the system's name, the current directory, random bytes, sleeping.

use super::call::{Answer, EmccCall, FAILED};
use crate::platform::random;
use std::time::Duration;

/// Bytes of each of the names in Emscripten's `struct utsname`. WAMR takes them for one less.
const NAME_BYTES: usize = 65;

/// The answers of Emscripten's own library, the same on every host: system, node, release, version,
/// machine, domain.
const NAMES: [&[u8]; 6] = [b"Emscripten", b"emscripten", b"1.0", b"#1", b"wasm32", b"(none)"];

/// Bytes fetched at once: they pass through the host's stack, since no reference may cover
/// the guest's memory.
const CHUNK_BYTES: usize = 256;

pub(super) fn uname(call: &EmccCall<'_>, names: u32) -> Answer {
    let mut bytes = [0; NAMES.len() * NAME_BYTES];
    for (place, name) in bytes.chunks_exact_mut(NAME_BYTES).zip(NAMES) {
        place[..name.len()].copy_from_slice(name);
    }
    call.memory.write(names.into(), &bytes)?;
    Ok(0)
}

/// The root, from which all paths go. 0 if there is no room for it.
pub(super) fn getcwd(call: &EmccCall<'_>, buffer: u32, len: u32) -> Answer {
    const ROOT: &[u8] = b"/\0";
    call.check(buffer, len.into())?;
    if (len as usize) < ROOT.len() {
        return Ok(0);
    }
    call.memory.write(buffer.into(), ROOT)?;
    Ok(buffer.into())
}

/// 0, as C has it; WAMR's answer is how many bytes it were, which programs take for a failure.
pub(super) fn getentropy(call: &EmccCall<'_>, buffer: u32, len: u32) -> Answer {
    call.check(buffer, len.into())?;
    let mut chunk = [0; CHUNK_BYTES];
    let mut done = 0;
    while done < len {
        let bytes = &mut chunk[..((len - done) as usize).min(CHUNK_BYTES)];
        if random::fill(bytes).is_err() {
            return Ok(FAILED);
        }
        call.memory.write(u64::from(buffer) + u64::from(done), bytes)?;
        done += bytes.len() as u32;
        call.caller.work(bytes.len() as u64)?;
    }
    Ok(0)
}

pub(super) fn sleep(call: &EmccCall<'_>, milliseconds: u32) -> Answer {
    let milliseconds = u64::try_from(milliseconds as i32).unwrap_or(0);
    pause(call, Duration::from_millis(milliseconds))
}

/// The parameter is the word of an f64; a number that is no time counts as zero.
pub(super) fn thread_sleep(call: &EmccCall<'_>, milliseconds: u64) -> Answer {
    pause(call, Duration::from_millis(f64::from_bits(milliseconds) as u64))
}

fn pause(call: &EmccCall<'_>, time: Duration) -> Answer {
    if !time.is_zero() {
        call.caller.sleep(time)?;
    }
    Ok(0)
}
