//! The handlers: what each instruction does.
//!
//! Handlers know operands, the numeric semantics and the layout of running state, and call
//! `exec::builtins` for whatever is not worth inlining. They know nothing of translation: the
//! selection functions here (`binary`, `load`, ...) are all that `compile` sees, and give the
//! handler for an operation in given modes.

pub mod control;
pub mod data;
pub mod host;
pub mod memory;
pub mod numeric;
pub mod table;

use super::dispatch::{Handler, Regs, Ret, handler, stop};
use crate::abi::trap::Trap;

/// How an instruction finds an input; see `operand`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Acc,
    Slot,
    Imm,
}

/// Where an instruction leaves its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Acc,
    Slot,
}

/// The class of accumulator that values of a type live in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Int,
    F32,
    F64,
}

/// Leaves guest code with `trap`.
#[inline(always)]
fn trap(r: Regs, trap: Trap) -> Ret {
    stop(r, trap as u32)
}

handler!(
    /// Stands where the translator asked for a combination of modes that has no handler. It
    /// never does; if it did, the guest would see an error and the host would go on.
    missing [] |r| { trap(r, Trap::Internal) }
);

/// The handler of no instruction.
#[cold]
fn none() -> Handler {
    missing
}
