//! What files and the code that runs them agree on.

use super::super::translate::thunks::ThunkKind;
use crate::ahead::{CodeTarget, Host, Processor};

/// This build, on this machine.
pub fn host() -> Host {
    Host { target: TARGET, contract: CONTRACT, processor: Processor::host() }
}

const TARGET: CodeTarget = *b"x86_64-unix\0\0\0\0\0";

/// A hash of the sources that say what code relies on, made by the build script.
const CONTRACT: u64 = number(env!("ISOTHREAD_CONTRACT"));

/// The number that the digits are.
const fn number(digits: &str) -> u64 {
    let (bytes, mut at, mut number) = (digits.as_bytes(), 0, 0_u64);
    while at < bytes.len() {
        number = number.wrapping_mul(10).wrapping_add((bytes[at] - b'0') as u64);
        at += 1;
    }
    number
}

/// Where the thunk of a kind for functions of a type stands among the thunks.
pub(super) fn thunk_place(kind: ThunkKind, type_index: u32) -> usize {
    2 * type_index as usize + usize::from(kind == ThunkKind::Exit)
}
