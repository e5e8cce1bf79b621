//! Instructions: an operation in one combination of operand modes.
//!
//! The translator emits [`Instr`]s and the listing prints them. The handler follows from each, and
//! from that the shape of its operands (`shape`), so that encoder, disassembler and handlers
//! cannot disagree about an instruction without a test noticing.

use super::op::{AtomicOp, BinaryOp, CompareOp, FieldOp, LoadOp, RefKind, StoreOp, UnaryOp};
#[cfg(feature = "simd")]
use super::vector_op::{
    ExtractOp, ReplaceOp, ShiftOp, VectorBinaryOp, VectorTernaryOp, VectorUnaryOp,
};
use crate::abi::types::ValType;
use crate::exec::objects::ObjectOp;
use crate::gc::StorageKind;

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

/// The class of a value: values of each class have an accumulator of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Int,
    F32,
    F64,
    V128,
}

impl Class {
    pub const ALL: [Self; 4] = [Self::Int, Self::F32, Self::F64, Self::V128];

    /// The class of a type.
    pub fn of(ty: ValType) -> Self {
        match ty {
            ValType::I32 | ValType::I64 | ValType::Ref(_) => Self::Int,
            ValType::F32 => Self::F32,
            ValType::F64 => Self::F64,
            ValType::V128 => Self::V128,
        }
    }

    /// Slots that values of this class take.
    pub fn slots(self) -> u16 {
        if self == Self::V128 { 2 } else { 1 }
    }
}

/// A memory that is not memory 0 with addresses of 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryKind {
    /// Memory 0, with addresses of 64 bits.
    First64,
    Other32,
    Other64,
}

/// An instruction without its operands' values. Those that end in `Any` name their memory; unless
/// they have a kind of memory, their addresses and counts have 64 bits.
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
    /// `a` and `b` are slots or constants of 16 bits.
    Select {
        class: Class,
        condition: Mode,
        a: Mode,
        b: Mode,
    },
    /// `second` of the result of `first` and of a slot, or the other way round. Of the operands of
    /// `first` the right one is a slot or a constant of 16 bits.
    Fused {
        first: BinaryOp,
        left: Mode,
        right: Mode,
        second: BinaryOp,
        exchanged: bool,
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
    LoadAny {
        op: LoadOp,
        memory: MemoryKind,
        address: Mode,
    },
    StoreAny {
        op: StoreOp,
        memory: MemoryKind,
        address: Mode,
        value: Mode,
    },
    AtomicAny {
        op: AtomicOp,
    },
    AtomicNotifyAny,
    AtomicWaitAny {
        wide: bool,
    },
    AtomicNotify,
    /// `wide`: the expected value has 64 bits.
    AtomicWait {
        wide: bool,
    },
    AtomicFence,
    /// 128-bit results, in two slots.
    AddWide,
    SubWide,
    MulWide {
        signed: bool,
    },
    /// Of memory 0, in pages of 64 KiB.
    MemorySize,
    /// Of a memory that other threads may grow, too.
    MemorySizeAny,
    MemoryGrow,
    MemoryGrowAny,
    MemoryCopy,
    MemoryCopyAny,
    MemoryFill,
    MemoryFillAny,
    MemoryInit,
    MemoryInitAny,
    DataDrop,
    Copy,
    /// The 32-bit sum of a slot and another operand to a slot; accumulators stay.
    CopySum {
        right: Mode,
    },
    /// Adds constants to two slots, one after the other.
    StepTwo,
    CopyVector,
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
    /// Adds a constant to a slot and branches back if a comparison with the sum holds, which is
    /// the operand in the accumulator.
    BranchStep {
        op: CompareOp,
        left: Mode,
        right: Mode,
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
    /// Calls that take over the frame; `slots` are those of the parameters.
    TailCall {
        slots: u32,
    },
    TailCallImport,
    TailCallIndirect {
        index: Mode,
        slots: u32,
    },
    TailCallRef {
        slots: u32,
    },
    CallRef,
    /// In profiled functions, the first instruction and the last before each return.
    ProfileEnter,
    ProfileEnd,
    /// `header` is the slot of the header.
    ReturnNone {
        header: u16,
    },
    ReturnOne {
        class: Class,
        source: Mode,
        header: u16,
    },
    ReturnMany,
    Throw,
    ThrowRef,
    /// What makes objects or looks into them. Without the operation, which is among the operands.
    Object,
    /// A struct that is made of its operands, without a vector among them, or of zeros.
    StructNew,
    /// An array, if it is small of a free run.
    ArrayNew {
        op: ObjectOp,
        elements: StorageKind,
    },
    StructGet {
        op: FieldOp,
        object: Mode,
    },
    StructSet {
        op: FieldOp,
        object: Mode,
        value: Mode,
    },
    /// The array is in a slot.
    ArrayGet {
        op: FieldOp,
        index: Mode,
    },
    /// Array and index are in slots.
    ArraySet {
        op: FieldOp,
        value: Mode,
    },
    ArrayLen {
        array: Mode,
    },
    RefTest,
    RefCast,
    /// As the former two, of a kind.
    KindTest {
        kind: RefKind,
        source: Mode,
    },
    KindCast {
        kind: RefKind,
    },
    /// As the former, of a type that the module defines, not of functions.
    TypeTest {
        source: Mode,
    },
    TypeCast,
    /// A small integer from an i32.
    RefI31,
    I31Get {
        signed: bool,
    },
    #[cfg(feature = "simd")]
    Vector(VectorInstr),
}

#[cfg(feature = "simd")]
/// An instruction on vectors that is no load, store, copy or `select`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VectorInstr {
    Binary {
        op: VectorBinaryOp,
        left: Mode,
        right: Mode,
    },
    Unary {
        op: VectorUnaryOp,
        source: Mode,
    },
    /// `bits` are a slot or a constant.
    Shift {
        op: ShiftOp,
        a: Mode,
        bits: Mode,
    },
    /// The other operands are in slots.
    Ternary {
        op: VectorTernaryOp,
        c: Mode,
    },
    /// At most one is the accumulator.
    Shuffle {
        a: Mode,
        b: Mode,
    },
    /// A shuffle of one vector.
    Permute {
        a: Mode,
    },
    Const,
    Extract {
        op: ExtractOp,
        a: Mode,
        lane: u8,
    },
    Replace {
        op: ReplaceOp,
        a: Mode,
        value: Mode,
        lane: u8,
    },
}

impl Instr {
    /// More slots than this are cleared by `ClearMany`.
    pub const CLEAR_MAX: u32 = 8;
    /// Functions whose header is behind this slot return by handlers that read its number.
    pub const HEADER_MAX: u16 = 5;
}

/// Whether two operands stand in an instruction the other way round: its constant is always the
/// second, and its accumulator the first.
pub fn is_exchanged(left: Mode, right: Mode) -> bool {
    matches!((left, right), (Mode::Imm, _) | (Mode::Slot, Mode::Acc))
}

/// Whether there is an instruction of this operation with both operands in the accumulator. Others
/// read one of them from its slot, and wait until it is there.
pub fn takes_acc_twice(op: BinaryOp) -> bool {
    use BinaryOp::*;
    matches!(op, I32Mul | I64Mul | F32Add | F32Mul | F64Add | F64Mul)
}

/// Whether there is an instruction of these two operations. `right` is the right operand of the
/// first one, and `exchanged` whether the result of that is the right operand of the second.
pub fn is_fused(first: BinaryOp, right: Mode, second: BinaryOp, exchanged: bool) -> bool {
    use BinaryOp::*;
    let is_commuted = !exchanged || second.commutes();
    match first {
        I32Shl | I32ShrU | I32Rotl | I32And => {
            right == Mode::Imm && is_commuted && matches!(second, I32Add | I32And | I32Or | I32Xor)
        }
        F32Add | F32Sub | F32Mul => {
            right == Mode::Slot && matches!(second, F32Add | F32Sub | F32Mul)
        }
        F64Add | F64Sub | F64Mul => {
            right == Mode::Slot && matches!(second, F64Add | F64Sub | F64Mul)
        }
        _ => false,
    }
}
