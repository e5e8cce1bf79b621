//! Vectors: opcodes to operations, and their translation.
//!
//! Where `lanes::is_fast` holds (on x86-64: with AVX), handlers use the accumulator for vectors: an
//! operand may be in it and a result stays there, as with numbers. Elsewhere vectors are in slots.
//! Control enters at `vector_operator`, from `opcodes`.

use super::numeric::in_order;
use super::stack::{Entry, Operand, Place};
use super::{Translator, imm32, mode, slot};
use crate::abi::lanes::{self, V128};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::handlers::lane::has_leaves;
use crate::interp::instr::{Instr, VectorInstr};
use crate::interp::op::{LoadOp, StoreOp};
use crate::interp::shape::{self, Begins, Binary, Dst, SlotNo};
use crate::interp::vector_op::{
    ExtractOp, ReplaceOp, ShiftOp, VectorBinaryOp, VectorTernaryOp, VectorUnaryOp,
};
use wasmparser::{MemArg, Operator};

/// Expands the table of opcodes into a function that handles those and gives back any other.
macro_rules! vector_opcodes {
    (
        binary { $($bin:ident,)* }
        binary_swapped { $($swap:ident => $swap_op:ident,)* }
        binary_as { $($same:ident => $same_op:ident,)* }
        unary { $($un:ident $from:ident $to:ident,)* }
        unary_as { $($un_same:ident => $un_op:ident,)* }
        shift { $($shift:ident,)* }
        ternary { $($ter:ident,)* }
        ternary_as { $($ter_same:ident => $ter_op:ident,)* }
        extract { $($ext:ident $ext_ty:ident $ext_lanes:literal,)* }
        replace { $($rep:ident $rep_lanes:literal,)* }
        load { $($load:ident,)* }
        load_lane { $($ll:ident => $ll_op:ident $ll_ty:ident $ll_rep:ident $ll_lanes:literal,)* }
        store_lane {
            $($sl:ident => $sl_op:ident $sl_ty:ident $sl_ext:ident $sl_lanes:literal,)*
        }
    ) => {
        impl Translator<'_> {
            pub(super) fn vector_operator(
                &mut self,
                operator: &Operator<'_>,
            ) -> Option<Result<(), Trap>> {
                Some(match *operator {
                    $(Operator::$bin => self.vector_binary(VectorBinaryOp::$bin, false),)*
                    $(Operator::$swap => self.vector_binary(VectorBinaryOp::$swap_op, true),)*
                    $(Operator::$same => self.vector_binary(VectorBinaryOp::$same_op, false),)*
                    $(Operator::$un => self.vector_unary(VectorUnaryOp::$un, ValType::$to),)*
                    $(Operator::$un_same => {
                        self.vector_unary(VectorUnaryOp::$un_op, ValType::V128)
                    })*
                    $(Operator::$shift => self.shift(ShiftOp::$shift),)*
                    $(Operator::$ter => self.ternary(VectorTernaryOp::$ter),)*
                    $(Operator::$ter_same => self.ternary(VectorTernaryOp::$ter_op),)*
                    $(Operator::$ext { lane } => {
                        self.extract(ExtractOp::$ext, ValType::$ext_ty, lane, $ext_lanes)
                    })*
                    $(Operator::$rep { lane } => self.replace(ReplaceOp::$rep, lane, $rep_lanes),)*
                    $(Operator::$load { memarg } => {
                        self.load(LoadOp::$load, ValType::V128, memarg)
                    })*
                    Operator::V128Store { memarg } => {
                        self.store(StoreOp::V128Store, ValType::V128, memarg)
                    }
                    $(Operator::$ll { memarg, lane } => {
                        let load = (LoadOp::$ll_op, ValType::$ll_ty);
                        self.load_lane(load, ReplaceOp::$ll_rep, memarg, (lane, $ll_lanes))
                    })*
                    $(Operator::$sl { memarg, lane } => {
                        let store = (StoreOp::$sl_op, ValType::$sl_ty);
                        self.store_lane(store, ExtractOp::$sl_ext, memarg, (lane, $sl_lanes))
                    })*
                    Operator::V128Const { value } => self.vector_const(*value.bytes()),
                    Operator::I8x16Shuffle { lanes } => self.shuffle(&lanes),
                    _ => return None,
                })
            }
        }
    };
}

vector_opcodes! {
    binary {
        I8x16Swizzle, I8x16Eq, I8x16Ne, I8x16LtS, I8x16LtU, I8x16LeS, I8x16LeU, I16x8Eq, I16x8Ne,
        I16x8LtS, I16x8LtU, I16x8LeS, I16x8LeU, I32x4Eq, I32x4Ne, I32x4LtS, I32x4LtU, I32x4LeS,
        I32x4LeU, I64x2Eq, I64x2Ne, I64x2LtS, I64x2LeS, F32x4Eq, F32x4Ne, F32x4Lt, F32x4Le, F64x2Eq,
        F64x2Ne, F64x2Lt, F64x2Le, V128And, V128AndNot, V128Or, V128Xor, I8x16NarrowI16x8S,
        I8x16NarrowI16x8U, I16x8NarrowI32x4S, I16x8NarrowI32x4U, I8x16Add, I8x16Sub, I8x16AddSatS,
        I8x16SubSatS, I8x16AddSatU, I8x16SubSatU, I8x16AvgrU, I8x16MinS, I8x16MaxS, I8x16MinU,
        I8x16MaxU, I16x8Add, I16x8Sub, I16x8AddSatS, I16x8SubSatS, I16x8AddSatU, I16x8SubSatU,
        I16x8AvgrU, I16x8Mul, I16x8MinS, I16x8MaxS, I16x8MinU, I16x8MaxU, I32x4Add, I32x4Sub,
        I32x4Mul, I32x4MinS, I32x4MaxS, I32x4MinU, I32x4MaxU, I64x2Add, I64x2Sub, I64x2Mul,
        I16x8Q15MulrSatS, I32x4DotI16x8S, I16x8ExtMulLowI8x16S, I16x8ExtMulLowI8x16U,
        I16x8ExtMulHighI8x16S, I16x8ExtMulHighI8x16U, I32x4ExtMulLowI16x8S, I32x4ExtMulLowI16x8U,
        I32x4ExtMulHighI16x8S, I32x4ExtMulHighI16x8U, I64x2ExtMulLowI32x4S, I64x2ExtMulLowI32x4U,
        I64x2ExtMulHighI32x4S, I64x2ExtMulHighI32x4U, F32x4Add, F32x4Sub, F32x4Mul, F32x4Div,
        F32x4Min, F32x4Max, F32x4PMin, F32x4PMax, F64x2Add, F64x2Sub, F64x2Mul, F64x2Div, F64x2Min,
        F64x2Max, F64x2PMin, F64x2PMax, I16x8RelaxedDotI8x16I7x16S,
    }
    binary_swapped {
        I8x16GtS => I8x16LtS, I8x16GtU => I8x16LtU, I8x16GeS => I8x16LeS, I8x16GeU => I8x16LeU,
        I16x8GtS => I16x8LtS, I16x8GtU => I16x8LtU, I16x8GeS => I16x8LeS, I16x8GeU => I16x8LeU,
        I32x4GtS => I32x4LtS, I32x4GtU => I32x4LtU, I32x4GeS => I32x4LeS, I32x4GeU => I32x4LeU,
        I64x2GtS => I64x2LtS, I64x2GeS => I64x2LeS, F32x4Gt => F32x4Lt, F32x4Ge => F32x4Le,
        F64x2Gt => F64x2Lt, F64x2Ge => F64x2Le,
    }
    binary_as {
        I8x16RelaxedSwizzle => I8x16Swizzle, F32x4RelaxedMin => F32x4Min,
        F32x4RelaxedMax => F32x4Max, F64x2RelaxedMin => F64x2Min, F64x2RelaxedMax => F64x2Max,
        I16x8RelaxedQ15mulrS => I16x8Q15MulrSatS,
    }
    unary {
        I8x16Splat I32 V128, I16x8Splat I32 V128, I32x4Splat I32 V128, I64x2Splat I64 V128,
        F32x4Splat F32 V128, F64x2Splat F64 V128, V128Not V128 V128, V128AnyTrue V128 I32,
        I8x16Abs V128 V128, I8x16Neg V128 V128, I8x16AllTrue V128 I32, I8x16Bitmask V128 I32,
        I16x8Abs V128 V128, I16x8Neg V128 V128, I16x8AllTrue V128 I32, I16x8Bitmask V128 I32,
        I32x4Abs V128 V128, I32x4Neg V128 V128, I32x4AllTrue V128 I32, I32x4Bitmask V128 I32,
        I64x2Abs V128 V128, I64x2Neg V128 V128, I64x2AllTrue V128 I32, I64x2Bitmask V128 I32,
        I8x16Popcnt V128 V128, I16x8ExtendLowI8x16S V128 V128, I16x8ExtendLowI8x16U V128 V128,
        I16x8ExtendHighI8x16S V128 V128, I16x8ExtendHighI8x16U V128 V128,
        I16x8ExtAddPairwiseI8x16S V128 V128, I16x8ExtAddPairwiseI8x16U V128 V128,
        I32x4ExtendLowI16x8S V128 V128, I32x4ExtendLowI16x8U V128 V128,
        I32x4ExtendHighI16x8S V128 V128, I32x4ExtendHighI16x8U V128 V128,
        I32x4ExtAddPairwiseI16x8S V128 V128, I32x4ExtAddPairwiseI16x8U V128 V128,
        I64x2ExtendLowI32x4S V128 V128, I64x2ExtendLowI32x4U V128 V128,
        I64x2ExtendHighI32x4S V128 V128, I64x2ExtendHighI32x4U V128 V128, F32x4Ceil V128 V128,
        F32x4Floor V128 V128, F32x4Trunc V128 V128, F32x4Nearest V128 V128, F32x4Abs V128 V128,
        F32x4Neg V128 V128, F32x4Sqrt V128 V128, F64x2Ceil V128 V128, F64x2Floor V128 V128,
        F64x2Trunc V128 V128, F64x2Nearest V128 V128, F64x2Abs V128 V128, F64x2Neg V128 V128,
        F64x2Sqrt V128 V128, I32x4TruncSatF32x4S V128 V128, I32x4TruncSatF32x4U V128 V128,
        I32x4TruncSatF64x2SZero V128 V128, I32x4TruncSatF64x2UZero V128 V128,
        F32x4ConvertI32x4S V128 V128, F32x4ConvertI32x4U V128 V128,
        F64x2ConvertLowI32x4S V128 V128, F64x2ConvertLowI32x4U V128 V128,
        F32x4DemoteF64x2Zero V128 V128, F64x2PromoteLowF32x4 V128 V128,
    }
    unary_as {
        I32x4RelaxedTruncF32x4S => I32x4TruncSatF32x4S,
        I32x4RelaxedTruncF32x4U => I32x4TruncSatF32x4U,
        I32x4RelaxedTruncF64x2SZero => I32x4TruncSatF64x2SZero,
        I32x4RelaxedTruncF64x2UZero => I32x4TruncSatF64x2UZero,
    }
    shift {
        I8x16Shl, I8x16ShrS, I8x16ShrU, I16x8Shl, I16x8ShrS, I16x8ShrU, I32x4Shl, I32x4ShrS,
        I32x4ShrU, I64x2Shl, I64x2ShrS, I64x2ShrU,
    }
    ternary {
        V128Bitselect, F32x4RelaxedMadd, F32x4RelaxedNmadd, F64x2RelaxedMadd, F64x2RelaxedNmadd,
        I32x4RelaxedDotI8x16I7x16AddS,
    }
    ternary_as {
        I8x16RelaxedLaneselect => V128Bitselect, I16x8RelaxedLaneselect => V128Bitselect,
        I32x4RelaxedLaneselect => V128Bitselect, I64x2RelaxedLaneselect => V128Bitselect,
    }
    extract {
        I8x16ExtractLaneS I32 16, I8x16ExtractLaneU I32 16, I16x8ExtractLaneS I32 8,
        I16x8ExtractLaneU I32 8, I32x4ExtractLane I32 4, I64x2ExtractLane I64 2,
        F32x4ExtractLane F32 4, F64x2ExtractLane F64 2,
    }
    replace {
        I8x16ReplaceLane 16, I16x8ReplaceLane 8, I32x4ReplaceLane 4, I64x2ReplaceLane 2,
        F32x4ReplaceLane 4, F64x2ReplaceLane 2,
    }
    load {
        V128Load, V128Load8x8S, V128Load8x8U, V128Load16x4S, V128Load16x4U, V128Load32x2S,
        V128Load32x2U, V128Load8Splat, V128Load16Splat, V128Load32Splat, V128Load64Splat,
        V128Load32Zero, V128Load64Zero,
    }
    load_lane {
        V128Load8Lane => I32Load8U I32 I8x16ReplaceLane 16,
        V128Load16Lane => I32Load16U I32 I16x8ReplaceLane 8,
        V128Load32Lane => I32Load I32 I32x4ReplaceLane 4,
        V128Load64Lane => I64Load I64 I64x2ReplaceLane 2,
    }
    store_lane {
        V128Store8Lane => I32Store8 I32 I8x16ExtractLaneU 16,
        V128Store16Lane => I32Store16 I32 I16x8ExtractLaneU 8,
        V128Store32Lane => I32Store I32 I32x4ExtractLane 4,
        V128Store64Lane => I64Store I64 I64x2ExtractLane 2,
    }
}

impl Translator<'_> {
    /// Writes an instruction with a result that handlers leave in the accumulator where vectors
    /// have one, and in a slot elsewhere.
    fn produce_vector<S: Begins<Dst>>(
        &mut self,
        ty: ValType,
        instr: VectorInstr,
        operands: impl FnOnce(SlotNo) -> S,
    ) -> Result<(), Trap> {
        let instr = Instr::Vector(instr);
        if lanes::is_fast() {
            self.produce(ty, instr, operands(SlotNo::NONE))?;
        } else {
            self.produce_in_slot(ty, instr, operands);
        }
        Ok(())
    }

    /// The operand for reading an entry that was just popped: a vector, or the number of a splat.
    fn vector_operand(&mut self, entry: &Entry) -> Operand {
        if lanes::is_fast() {
            return self.acc_or_slot(entry);
        }
        Operand::Slot(self.stack.slot_operand(&mut self.code, entry))
    }

    fn pop_vector(&mut self) -> Result<Operand, Trap> {
        let entry = self.pop()?;
        Ok(self.vector_operand(&entry))
    }

    /// As [`Translator::vector_operand`], beside an operand that may be the accumulator. If both
    /// are in it, this one is read from the slot that it mirrors.
    fn beside(&mut self, other: Operand, entry: &Entry) -> Operand {
        match other {
            Operand::Acc => Operand::Slot(self.stack.slot_operand(&mut self.code, entry)),
            _ => self.vector_operand(entry),
        }
    }

    fn vector_binary(&mut self, op: VectorBinaryOp, swapped: bool) -> Result<(), Trap> {
        let right = self.pop_vector()?;
        let left = self.pop()?;
        let left = self.beside(right, &left);
        let (mut left, mut right) = if swapped { (right, left) } else { (left, right) };
        if op.commutes() && right == Operand::Acc {
            (left, right) = (right, left);
        }
        let (first, second) = in_order(left, right);
        let (first, second) = (slot(first), slot(second));
        let instr = VectorInstr::Binary { op, left: mode(left), right: mode(right) };
        self.produce_vector(ValType::V128, instr, |dst| Binary { dst, first, second })
    }

    fn vector_unary(&mut self, op: VectorUnaryOp, to: ValType) -> Result<(), Trap> {
        let source = self.pop_vector()?;
        let (instr, a) = (VectorInstr::Unary { op, source: mode(source) }, slot(source));
        self.produce_vector(to, instr, |dst| shape::Unary { dst, a })
    }

    fn shift(&mut self, op: ShiftOp) -> Result<(), Trap> {
        let entry = self.pop()?;
        let mut bits = self.stack.operand(&mut self.code, &entry, false);
        if !lanes::is_fast() {
            bits = Operand::Slot(self.stack.slot_operand(&mut self.code, &entry));
        }
        let a = self.pop_vector()?;
        let (instr, first) = (VectorInstr::Shift { op, a: mode(a), bits: mode(bits) }, slot(a));
        match bits {
            Operand::Imm(bits) => {
                let second = imm32(bits);
                self.produce_vector(ValType::V128, instr, |dst| Binary { dst, first, second })
            }
            bits => {
                let second = slot(bits);
                self.produce_vector(ValType::V128, instr, |dst| Binary { dst, first, second })
            }
        }
    }

    fn ternary(&mut self, op: VectorTernaryOp) -> Result<(), Trap> {
        let c = self.pop_vector()?;
        let (b, a) = (self.pop_slot()?, self.pop_slot()?);
        let (instr, c) = (VectorInstr::Ternary { op, c: mode(c) }, slot(c));
        self.produce_vector(ValType::V128, instr, |dst| shape::Ternary { dst, a, b, c })
    }

    fn vector_const(&mut self, bytes: [u8; 16]) -> Result<(), Trap> {
        let value = V128::from_bytes(bytes).to_u64x2();
        self.produce_vector(ValType::V128, VectorInstr::Const, |dst| shape::VectorConst {
            dst,
            value,
        })
    }

    /// Bytes of two vectors by their numbers, the second one's from 16 on.
    fn shuffle(&mut self, lanes: &[u8; 16]) -> Result<(), Trap> {
        let b_entry = self.pop()?;
        let a_entry = self.pop()?;
        // One vector is enough if all bytes are its own, or if both are the same local.
        let same = matches!(a_entry.place, Place::Local(_)) && a_entry.place == b_entry.place;
        if same || lanes.iter().all(|&lane| lane < 16) {
            self.stack.consumed(&b_entry);
            return self.permute(&a_entry, lanes.map(|lane| lane % 16));
        }
        if lanes.iter().all(|&lane| lane >= 16) {
            self.stack.consumed(&a_entry);
            return self.permute(&b_entry, lanes.map(|lane| lane % 16));
        }
        let b = self.vector_operand(&b_entry);
        let a = self.beside(b, &a_entry);
        let instr = VectorInstr::Shuffle { a: mode(a), b: mode(b) };
        let (a, b) = (slot(a), slot(b));
        let (from_a, from_b) = (bytes_from(lanes, 0), bytes_from(lanes, 16));
        self.produce_vector(ValType::V128, instr, |dst| shape::Shuffle {
            dst,
            a,
            b,
            from_a,
            from_b,
        })
    }

    fn permute(&mut self, a: &Entry, lanes: [u8; 16]) -> Result<(), Trap> {
        let a = self.vector_operand(a);
        let (instr, a) = (VectorInstr::Permute { a: mode(a) }, slot(a));
        let from = bytes_from(&lanes, 0);
        self.produce_vector(ValType::V128, instr, |dst| shape::Permute { dst, a, from })
    }

    /// Reads a lane of a vector that has `count` lanes.
    fn extract(&mut self, op: ExtractOp, ty: ValType, lane: u8, count: usize) -> Result<(), Trap> {
        let entry = self.pop()?;
        let acc = has_leaves(count);
        let a = self.stack.operand(&mut self.code, &entry, acc);
        let instr = VectorInstr::Extract { op, a: mode(a), lane };
        let operands = shape::Extract { dst: SlotNo::NONE, a: slot(a), lane };
        self.produce(ty, Instr::Vector(instr), operands)?;
        Ok(())
    }

    fn replace(&mut self, op: ReplaceOp, lane: u8, count: usize) -> Result<(), Trap> {
        let value = self.pop_acc_or_slot()?;
        let entry = self.pop()?;
        let a = self.stack.operand(&mut self.code, &entry, has_leaves(count));
        self.replace_lane(op, a, value, (lane, count))
    }

    /// Writes the lane with the number `lane` of a vector that has `count` lanes.
    fn replace_lane(
        &mut self,
        op: ReplaceOp,
        a: Operand,
        value: Operand,
        (lane, count): (u8, usize),
    ) -> Result<(), Trap> {
        let instr = VectorInstr::Replace { op, a: mode(a), value: mode(value), lane };
        let (a, value) = (slot(a), slot(value));
        let operands = |dst| shape::Replace { dst, a, value, lane };
        if has_leaves(count) {
            self.produce(ValType::V128, Instr::Vector(instr), operands(SlotNo::NONE))?;
        } else {
            self.produce_in_slot(ValType::V128, Instr::Vector(instr), operands);
        }
        Ok(())
    }

    /// A load of a number, then the write of a lane. The vector stays in its slots meanwhile: they
    /// are above the one that the number may take.
    fn load_lane(
        &mut self,
        (load, ty): (LoadOp, ValType),
        op: ReplaceOp,
        memarg: MemArg,
        lane: (u8, usize),
    ) -> Result<(), Trap> {
        let a = Operand::Slot(self.pop_slot()?.0);
        self.load(load, ty, memarg)?;
        let value = self.pop_acc_or_slot()?;
        self.replace_lane(op, a, value, lane)
    }

    /// The read of a lane, then a store of the number.
    fn store_lane(
        &mut self,
        (store, ty): (StoreOp, ValType),
        op: ExtractOp,
        memarg: MemArg,
        (lane, count): (u8, usize),
    ) -> Result<(), Trap> {
        self.extract(op, ty, lane, count)?;
        self.store(store, ty, memarg)
    }
}

/// The numbers of the bytes that come from the vector whose first byte has the number `first`, as
/// a shape has them.
fn bytes_from(lanes: &[u8; 16], first: u8) -> [u64; 2] {
    let bytes = lanes.map(|lane| match lane.wrapping_sub(first) {
        index @ 0..16 => index,
        _ => 0x80,
    });
    V128::from_bytes(bytes).to_u64x2()
}
