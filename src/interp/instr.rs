//! Instructions: an operation in one combination of operand modes.
//!
//! [`Instr`] is what the translator emits and the listing prints. Its handler follows from it, and
//! from that the shape of its operands (`shape`), so that encoder, disassembler and handlers
//! cannot disagree about an instruction without a test noticing.

use super::op::{AtomicOp, BinaryOp, CompareOp, LoadOp, StoreOp, UnaryOp};
use crate::abi::types::ValType;

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

impl Class {
    /// The class of a type; `None` where values live in slots only.
    pub fn of(ty: ValType) -> Option<Self> {
        match ty {
            ValType::I32 | ValType::I64 | ValType::Ref(_) => Some(Self::Int),
            ValType::F32 => Some(Self::F32),
            ValType::F64 => Some(Self::F64),
            ValType::V128 => None,
        }
    }
}

/// An instruction, but for its operands' values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instr {
    Binary {
        op: BinaryOp,
        left: Mode,
        right: Mode,
    },
    Compare {
        op: CompareOp,
        left: Mode,
        right: Mode,
    },
    Unary {
        op: UnaryOp,
        source: Mode,
    },
    Select {
        class: Class,
        condition: Mode,
    },
    Load {
        op: LoadOp,
        address: Mode,
    },
    Store {
        op: StoreOp,
        address: Mode,
        value: Mode,
    },
    /// A load at the sum of two operands.
    LoadSum {
        op: LoadOp,
        left: Mode,
        right: Mode,
    },
    /// A store at the sum of two operands.
    StoreSum {
        op: StoreOp,
        left: Mode,
        right: Mode,
        value: Mode,
    },
    Atomic {
        op: AtomicOp,
    },
    AtomicNotify,
    /// `wide`: the expected value has 64 bits.
    AtomicWait {
        wide: bool,
    },
    AtomicFence,
    MemorySize,
    /// The size of a memory that other threads may grow.
    SharedMemorySize,
    MemoryGrow,
    MemoryCopy,
    MemoryFill,
    MemoryInit,
    DataDrop,
    Copy,
    /// Two copies, one after the other.
    CopyTwo,
    CopyMany,
    CopyImm32,
    CopyImm64,
    CopyAcc {
        class: Class,
    },
    /// Clears a few slots: locals on entry.
    Clear {
        count: u8,
    },
    ClearMany,
    GlobalGet {
        class: Class,
        imported: bool,
    },
    GlobalSet {
        class: Class,
        imported: bool,
        source: Mode,
    },
    RefFunc,
    /// Traps if a reference is null.
    AssertNonNull,
    TableGet,
    TableSet,
    TableSize,
    TableGrow,
    TableFill,
    TableCopy,
    TableInit,
    ElemDrop,
    Unreachable,
    OutOfBounds,
    Branch,
    BranchBack,
    BranchIf {
        condition: Mode,
        want: bool,
        back: bool,
    },
    BranchCompare {
        op: CompareOp,
        left: Mode,
        right: Mode,
        back: bool,
    },
    BranchTable {
        index: Mode,
    },
    Call,
    CallImport {
        profiled: bool,
    },
    CallIndirect {
        index: Mode,
    },
    CallRef,
    /// In profiled functions, the first instruction and the last before each return.
    ProfileEnter,
    ProfileEnd,
    ReturnNone,
    ReturnOne {
        class: Class,
        source: Mode,
    },
    ReturnMany,
    Throw,
    ThrowRef,
}

impl Instr {
    /// More slots than this are cleared by `ClearMany`.
    pub const CLEAR_MAX: u32 = 8;
}

/// Whether two operands stand in an instruction the other way round: its constant is always the
/// second, and its accumulator the first.
pub fn is_exchanged(left: Mode, right: Mode) -> bool {
    matches!((left, right), (Mode::Imm, _) | (Mode::Slot, Mode::Acc))
}
