//! Arithmetic, comparisons, conversions and `select`.

use super::stack::{AccState, Entry, Operand, Place};
use super::{Condition, Last, LastKind, Translator, imm32, mode, slot};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::instr::{Class, Instr, Mode, is_exchanged, takes_acc_twice};
use crate::interp::machine::Offset;
use crate::interp::op::{BinaryOp, CompareOp, UnaryOp};
use crate::interp::shape::{self, Begins, Binary, Dst, SlotNo, WideBinary};

impl Translator<'_> {
    /// Pops two operands of type `ty`, at most one of them immediate. Both are in the accumulator
    /// only if the instruction takes them from there (`acc_twice`), and if that mirrors a slot.
    fn pop_pair(&mut self, ty: ValType, commutes: bool, acc_twice: bool) -> Result<Pair, Trap> {
        self.unfold(1);
        self.unfold(0);
        let right_entry = self.pop()?;
        let left_entry = self.pop()?;
        let mut right = self.stack.operand(&mut self.code, &right_entry, true);
        let mut left = self.stack.operand(&mut self.code, &left_entry, true);
        match (left, right) {
            (Operand::Imm(_), Operand::Imm(_)) => {
                self.stack.copy(&mut self.code, ty, left_entry.slot, left);
                left = Operand::Slot(left_entry.slot);
            }
            (Operand::Acc, Operand::Acc) if !acc_twice => {
                // Both read the slot that the accumulator mirrors.
                let class = Class::of(ty);
                if let AccState::Mirror(slot) = self.stack.acc(class) {
                    right = Operand::Slot(slot);
                }
            }
            _ => {}
        }
        if commutes && is_exchanged(mode(left), mode(right)) {
            (left, right) = (right, left);
        }
        Ok(Pair { left, right, left_slot: left_entry.slot, right_slot: right_entry.slot })
    }

    /// Writes an instruction with two operands of the type `of` and a result of the type `ty`.
    fn produce_of_pair(
        &mut self,
        ty: ValType,
        instr: Instr,
        of: ValType,
        pair: &Pair,
    ) -> Result<Offset, Trap> {
        let (first, second) = in_order(pair.left, pair.right);
        let (dst, first) = (SlotNo::NONE, slot(first));
        let Operand::Imm(value) = second else {
            return self.produce(ty, instr, Binary { dst, first, second: slot(second) });
        };
        match of {
            ValType::I32 => self.produce(ty, instr, Binary { dst, first, second: imm32(value) }),
            ValType::F32 => {
                let second = f32::from_bits(imm32(value));
                self.produce(ty, instr, Binary { dst, first, second })
            }
            ValType::F64 => {
                let second = f64::from_bits(value);
                self.produce(ty, instr, Binary { dst, first, second })
            }
            _ => self.produce(ty, instr, Binary { dst, first, second: value }),
        }
    }

    pub(super) fn binary(&mut self, op: BinaryOp, ty: ValType) -> Result<(), Trap> {
        if self.fold_sum(op)? || self.fuse(op, ty)? {
            return Ok(());
        }
        let pair = self.pop_pair(ty, op.commutes(), takes_acc_twice(op))?;
        let (left, right) = (mode(pair.left), mode(pair.right));
        let class = Class::of(ty);
        self.stack.spill(&mut self.code, class);
        let before = self.stack.acc(class);
        let at = self.produce_of_pair(ty, Instr::Binary { op, left, right }, ty, &pair)?;
        let (left, right, acc) = (pair.left, pair.right, before);
        self.last = Some(Last { at, kind: LastKind::First { op, left, right, acc } });
        if op == BinaryOp::I32Add {
            let kind = LastKind::Sum { left: pair.left, right: pair.right, int: before };
            self.last = Some(Last { at, kind });
        }
        if op == BinaryOp::I32And {
            let condition = pair.condition(CompareOp::I32AndNz);
            let kind = LastKind::Condition { condition, int: before };
            self.last = Some(Last { at, kind });
        }
        Ok(())
    }

    pub(super) fn compare(&mut self, op: CompareOp, ty: ValType) -> Result<(), Trap> {
        let pair = self.pop_pair(ty, op.commutes(), false)?;
        self.emit_compare(op, pair)
    }

    /// A comparison with its operands exchanged: "greater" in terms of "less".
    pub(super) fn compare_swapped(&mut self, op: CompareOp, ty: ValType) -> Result<(), Trap> {
        let pair = self.pop_pair(ty, false, false)?;
        self.emit_compare(op, pair.swapped())
    }

    fn emit_compare(&mut self, op: CompareOp, pair: Pair) -> Result<(), Trap> {
        self.stack.spill(&mut self.code, Class::Int);
        let before = self.stack.acc(Class::Int);
        let (left, right) = (mode(pair.left), mode(pair.right));
        let instr = Instr::Compare { op, left, right };
        let at = self.produce_of_pair(ValType::I32, instr, op.operand_type(), &pair)?;
        let condition = pair.condition(op);
        let kind = LastKind::Condition { condition, int: before };
        self.last = Some(Last { at, kind });
        Ok(())
    }

    /// `eqz`: negates a comparison that was just made, else compares with zero.
    pub(super) fn eqz(&mut self, ty: ValType) -> Result<(), Trap> {
        if ty == ValType::I32
            && let Some(Condition::Compare { op, left, right, left_slot, right_slot }) =
                self.absorb_condition()?
        {
            let (op, swap) = op.negate();
            let pair = Pair { left, right, left_slot, right_slot };
            let pair = if swap { pair.swapped() } else { pair };
            return self.emit_compare(op, pair);
        }
        self.unfold(0);
        let entry = self.pop()?;
        let left = self.acc_or_slot(&entry);
        let op = if ty == ValType::I32 { CompareOp::I32Eq } else { CompareOp::I64Eq };
        let slots = (entry.slot, entry.slot);
        let right = Operand::Imm(0);
        self.emit_compare(op, Pair { left, right, left_slot: slots.0, right_slot: slots.1 })
    }

    /// If the top entry is the result of a comparison that was just emitted, absorbs it: takes the
    /// instruction back and pops the entry.
    pub(super) fn absorb_condition(&mut self) -> Result<Option<Condition>, Trap> {
        let Some(Last { kind: LastKind::Condition { condition, int }, .. }) = self.last else {
            return Ok(None);
        };
        Ok(self.absorb(int)?.then_some(condition))
    }

    /// If the top entry is the result of an `i32.add` that was just emitted, absorbs it.
    pub(super) fn absorb_sum(&mut self) -> Result<Option<(Operand, Operand)>, Trap> {
        let Some(Last { kind: LastKind::Sum { left, right, int }, .. }) = self.last else {
            return Ok(None);
        };
        Ok(self.absorb(int)?.then_some((left, right)))
    }

    /// Takes the last instruction back and pops the top entry, if that is the instruction's result
    /// and pending. The integer accumulator's state becomes `int` again.
    fn absorb(&mut self, int: AccState) -> Result<bool, Trap> {
        let Some(Last { at, .. }) = self.last else { return Ok(false) };
        let top = self.stack.entries.len().wrapping_sub(1);
        match self.stack.acc(Class::Int) {
            AccState::Pending { index, at: producer, .. }
                if index == top && producer.offset() == at => {}
            _ => return Ok(false),
        }
        self.pop()?;
        self.code.truncate(at);
        self.stack.set_acc(Class::Int, int);
        self.last = None;
        Ok(true)
    }

    pub(super) fn unary(&mut self, op: UnaryOp, _from: ValType, to: ValType) -> Result<(), Trap> {
        let source = self.pop_acc_or_slot()?;
        let operands = shape::Unary { dst: SlotNo::NONE, a: slot(source) };
        self.produce(to, Instr::Unary { op, source: mode(source) }, operands)?;
        Ok(())
    }

    /// `i32.wrap_i64`: readers of an i32 ignore the upper half of its slot.
    pub(super) fn wrap(&mut self) -> Result<(), Trap> {
        let top = self.stack.entries.last_mut().ok_or(Trap::Internal)?;
        top.ty = ValType::I32;
        if let Place::Const(value) = top.place {
            top.place = Place::Const(value as i32 as i64 as u64);
        }
        Ok(())
    }

    /// An instruction on two numbers of two entries each, with a result of two entries.
    pub(super) fn wide_binary(&mut self, instr: Instr) -> Result<(), Trap> {
        let (b_high, b_low) = (self.pop_slot()?, self.pop_slot()?);
        let (a_high, a_low) = (self.pop_slot()?, self.pop_slot()?);
        self.produce_wide(instr, |dst| WideBinary { dst, a_low, a_high, b_low, b_high })
    }

    /// A multiplication with a result of two entries.
    pub(super) fn mul_wide(&mut self, signed: bool) -> Result<(), Trap> {
        let (second, first) = (self.pop_slot()?, self.pop_slot()?);
        self.produce_wide(Instr::MulWide { signed }, |dst| Binary { dst, first, second })
    }

    /// Writes an instruction whose result goes to the slots of two new entries, and the upper half
    /// to the integer accumulator as well.
    fn produce_wide<S: Begins<Dst>>(
        &mut self,
        instr: Instr,
        operands: impl FnOnce(SlotNo) -> S,
    ) -> Result<(), Trap> {
        self.stack.spill(&mut self.code, Class::Int);
        let low = self.stack.top_slot() as u16;
        self.op(instr, operands(SlotNo(low)));
        self.stack.push_settled(&[ValType::I64, ValType::I64])?;
        let high = low.wrapping_add(1);
        self.stack.value_written(ValType::I64, low);
        self.stack.value_written(ValType::I64, high);
        self.stack.set_acc(Class::Int, AccState::Mirror(high));
        Ok(())
    }

    /// A value of a `select`: a slot, or an integer constant of 16 bits in its place.
    fn select_value(&mut self, entry: &Entry) -> (Mode, SlotNo) {
        if let Place::Const(value) = entry.place
            && Class::of(entry.ty) == Class::Int
            && let Ok(value) = i16::try_from(value as i64)
        {
            return (Mode::Imm, SlotNo(value as u16));
        }
        (Mode::Slot, SlotNo(self.stack.slot_operand(&mut self.code, entry)))
    }

    pub(super) fn select(&mut self) -> Result<(), Trap> {
        let condition = self.pop_acc_or_slot()?;
        let b = self.pop()?;
        let (b_mode, b) = self.select_value(&b);
        let entry = self.pop()?;
        let (a_mode, a) = self.select_value(&entry);
        let class = Class::of(entry.ty);
        let instr = Instr::Select { class, condition: mode(condition), a: a_mode, b: b_mode };
        let (dst, condition) = (SlotNo::NONE, slot(condition));
        let operands = shape::Select { dst, a, b, condition };
        self.produce(entry.ty, instr, operands)?;
        Ok(())
    }
}

/// Two operands, with the entries' own slots, to which either can be moved.
pub(super) struct Pair {
    left: Operand,
    right: Operand,
    left_slot: u16,
    right_slot: u16,
}

impl Pair {
    fn swapped(self) -> Self {
        Self {
            left: self.right,
            right: self.left,
            left_slot: self.right_slot,
            right_slot: self.left_slot,
        }
    }

    fn condition(&self, op: CompareOp) -> Condition {
        let &Self { left, right, left_slot, right_slot } = self;
        Condition::Compare { op, left, right, left_slot, right_slot }
    }
}

/// Two operands as they stand in an instruction.
pub(super) fn in_order(left: Operand, right: Operand) -> (Operand, Operand) {
    if is_exchanged(mode(left), mode(right)) { (right, left) } else { (left, right) }
}
