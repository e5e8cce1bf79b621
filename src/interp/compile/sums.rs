//! Sums of a local and another number, which are computed as late as they can be, and steps: sums
//! that go back to their local.

use super::numeric::in_order;
use super::stack::{AccState, Addend, Operand, Place};
use super::writer::Position;
use super::{Condition, Last, LastKind, LocalStep, Translator, imm32, mode, slot};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::instr::{Class, Instr, Target};
use crate::interp::op::{BinaryOp, CompareOp};
use crate::interp::shape::{Back, Binary, BranchStep, Dst, Jump, SlotNo, StepTwo};

impl Translator<'_> {
    /// If the two topmost entries make a sum by `op`, an addition or a subtraction of 32 bits, it
    /// takes their place.
    pub(super) fn fold_sum(&mut self, op: BinaryOp) -> Result<bool, Trap> {
        let [.., left, right] = self.stack.entries[..] else { return Ok(false) };
        let place = match (op, left.place, right.place) {
            (BinaryOp::I32Add, Place::Local(base), Place::Local(other)) => {
                Place::Sum(base, Addend::Local(other))
            }
            (BinaryOp::I32Add, place, Place::Const(by))
            | (BinaryOp::I32Add, Place::Const(by), place) => match with_more(place, by as u32) {
                Some(place) => place,
                None => return Ok(false),
            },
            (BinaryOp::I32Sub, place, Place::Const(by)) => {
                match with_more(place, (by as u32).wrapping_neg()) {
                    Some(place) => place,
                    None => return Ok(false),
                }
            }
            _ => return Ok(false),
        };
        self.pop()?;
        self.pop()?;
        self.stack.push(ValType::I32, place);
        Ok(true)
    }

    /// Computes the entry `depth` below the top into the accumulator, if it is a sum. It stays one
    /// if another entry has the accumulator.
    pub(super) fn unfold(&mut self, depth: usize) {
        let Some(index) = self.stack.entries.len().checked_sub(depth + 1) else { return };
        let Place::Sum(base, addend) = self.stack.entries[index].place else { return };
        if let AccState::Pending { .. } = self.stack.acc(Class::Int) {
            return;
        }
        let (at, instr) = self.sum(Target::Acc, SlotNo::NONE, base, addend);
        self.stack.unfolded(index);
        self.stack.set_acc(Class::Int, AccState::Pending { index, at, instr });
        if depth == 0 {
            self.last = Some(Last { at: at.offset(), kind: LastKind::Other });
        } else {
            self.last = None;
        }
    }

    /// Writes the addition of the local in slot `base` and `addend`.
    fn sum(
        &mut self,
        target: Target,
        dst: SlotNo,
        base: u16,
        addend: Addend,
    ) -> (Position<Dst>, Instr) {
        let (left, addend) = self.with_mirror(base, addend);
        let right = addend.operand();
        let instr = Instr::Binary { op: BinaryOp::I32Add, left: mode(left), right: mode(right) };
        let first = slot(left);
        let at = match addend {
            Addend::Local(second) => {
                self.op_to(target, instr, Binary { dst, first, second: SlotNo(second) }).begin()
            }
            Addend::Const(second) => {
                self.op_to(target, instr, Binary { dst, first, second }).begin()
            }
        };
        (at, instr)
    }

    /// The operands of a sum, the first in the accumulator if that mirrors one of them.
    fn with_mirror(&self, base: u16, addend: Addend) -> (Operand, Addend) {
        match (self.stack.acc(Class::Int), addend) {
            (AccState::Mirror(slot), addend) if slot == base => (Operand::Acc, addend),
            (AccState::Mirror(slot), Addend::Local(other)) if slot == other => {
                (Operand::Acc, Addend::Local(base))
            }
            _ => (Operand::Slot(base), addend),
        }
    }

    /// Writes a sum to the local in slot `to`.
    pub(super) fn write_sum(&mut self, to: u16, base: u16, addend: Addend) {
        if let AccState::Pending { .. } = self.stack.acc(Class::Int) {
            self.stack.copy_sum(&mut self.code, to, base, addend);
            return;
        }
        let step = match addend {
            Addend::Const(by) if to == base => Some(by),
            _ => None,
        };
        if let (Some(by), Some(before)) = (step, self.last_step()) {
            self.code.truncate(before.at);
            let (first, second) = (SlotNo(before.slot), SlotNo(to));
            let (first_step, second_step) = (before.by, by);
            let operands = StepTwo { first, second, first_step, second_step };
            self.op_to(Target::Slot, Instr::StepTwo, operands);
            self.step = None;
            self.stack.value_written(ValType::I32, before.slot);
        } else {
            let (at, _) = self.sum(Target::Slot, SlotNo(to), base, addend);
            self.step = step.map(|by| LocalStep { at: at.offset(), slot: to, by });
        }
        self.stack.value_written(ValType::I32, to);
        self.stack.set_acc(Class::Int, AccState::Mirror(to));
    }

    /// The last instruction if it is a step that may be taken back.
    fn last_step(&self) -> Option<LocalStep> {
        self.step.filter(|step| self.code.is_last::<Binary<u32>>(step.at))
    }

    /// If the top entry is an address that is a sum, pops it. That takes the addition back if it
    /// was just written.
    pub(super) fn take_sum(&mut self) -> Result<Option<(Operand, Operand)>, Trap> {
        let Some(top) = self.stack.entries.last() else { return Ok(None) };
        let Place::Sum(base, addend) = top.place else { return self.absorb_sum() };
        self.pop()?;
        let (base, addend) = self.with_mirror(base, addend);
        Ok(Some((base, addend.operand())))
    }

    /// Writes a branch back together with the step before it, if there is one and the condition is
    /// a comparison with its sum.
    pub(super) fn branch_step(&mut self, condition: Condition) -> Option<Position<Back>> {
        let step = self.last_step()?;
        let is_sum = |operand| match operand {
            Operand::Acc => true,
            Operand::Slot(slot) => slot == step.slot,
            Operand::Imm(_) => false,
        };
        let (op, left, right) = match condition {
            Condition::NonZero(operand) => (CompareOp::I32Ne, operand, Operand::Imm(0)),
            Condition::Compare { op, left, right, .. } => (op, left, right),
        };
        let (left, right) = match (is_sum(left), is_sum(right)) {
            (true, false) => (Operand::Acc, right),
            (false, true) => (left, Operand::Acc),
            _ => return None,
        };
        let (left, right) = match (op.commutes(), right) {
            (true, Operand::Acc) => (right, left),
            _ => (left, right),
        };
        use CompareOp::{I32Eq, I32LeS, I32LeU, I32LtS, I32LtU, I32Ne};
        let has_handler = matches!(op, I32Eq | I32Ne | I32LtS | I32LtU | I32LeS | I32LeU);
        if !has_handler {
            return None;
        }
        self.code.truncate(step.at);
        self.step = None;
        let instr = Instr::BranchStep { op, left: mode(left), right: mode(right) };
        let (_, second) = in_order(left, right);
        let (to, slot_no, step_by) = (Back::OPEN, SlotNo(step.slot), step.by);
        Some(match second {
            Operand::Imm(value) => {
                let second = imm32(value);
                let operands = BranchStep { to, slot: slot_no, second, step: step_by };
                self.op(instr, operands).begin()
            }
            other => {
                let second = slot(other);
                let operands = BranchStep { to, slot: slot_no, second, step: step_by };
                self.op(instr, operands).begin()
            }
        })
    }
}

/// The place of a value in `place` and `by` together, if that is one.
fn with_more(place: Place, by: u32) -> Option<Place> {
    let (base, sum) = match place {
        Place::Local(base) => (base, by),
        Place::Sum(base, Addend::Const(before)) => (base, before.wrapping_add(by)),
        _ => return None,
    };
    Some(if sum == 0 { Place::Local(base) } else { Place::Sum(base, Addend::Const(sum)) })
}
