//! Two arithmetic instructions that become one: the second takes the result of the first from the
//! accumulator, and nothing else does.

use super::stack::{AccState, Operand, Place};
use super::{Condition, Last, LastKind, Translator, mode, slot};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::instr::{Class, Instr, Mode, is_exchanged, is_fused};
use crate::interp::op::{BinaryOp, CompareOp};
use crate::interp::shape::{SlotNo, Ternary};

impl Translator<'_> {
    /// Writes `op` on the two topmost entries, of type `ty`, together with the last instruction,
    /// if there is an instruction for both.
    pub(super) fn fuse(&mut self, op: BinaryOp, ty: ValType) -> Result<bool, Trap> {
        let Some(Last { at, kind }) = self.last else { return Ok(false) };
        let (first, left, right, before) = match kind {
            LastKind::First { op, left, right, acc } => (op, left, right, acc),
            LastKind::Condition {
                condition: Condition::Compare { op: CompareOp::I32AndNz, left, right, .. },
                int,
            } => (BinaryOp::I32And, left, right, int),
            _ => return Ok(false),
        };
        let class = Class::of(ty);
        let [.., below, top] = self.stack.entries[..] else { return Ok(false) };
        let AccState::Pending { index, at: producer, .. } = self.stack.acc(class) else {
            return Ok(false);
        };
        let exchanged = index + 1 == self.stack.entries.len();
        let (result, other) = if exchanged { (top, below) } else { (below, top) };
        let is_result = result.place == Place::Acc && producer.offset() == at;
        let is_in_slot = matches!(other.place, Place::Local(_) | Place::Temp);
        let right = match right {
            // Both operands were in the accumulator.
            Operand::Acc => match before {
                AccState::Mirror(slot) => (SlotNo(slot), Mode::Slot),
                _ => return Ok(false),
            },
            Operand::Imm(value) => match i16::try_from(value as u32 as i32) {
                Ok(value) => (SlotNo(value as u16), mode(right)),
                Err(_) => return Ok(false),
            },
            _ => (slot(right), mode(right)),
        };
        if !is_result
            || !is_in_slot
            || is_exchanged(mode(left), right.1)
            || !is_fused(first, right.1, op, exchanged)
        {
            return Ok(false);
        }
        self.pop()?;
        self.pop()?;
        let c = match other.place {
            Place::Local(slot) => SlotNo(slot),
            _ => SlotNo(other.slot),
        };
        self.code.truncate(at);
        self.stack.set_acc(class, before);
        let (left, right) = ((mode(left), slot(left)), right);
        let instr = Instr::Fused { first, left: left.0, right: right.1, second: op, exchanged };
        self.produce(ty, instr, Ternary { dst: SlotNo::NONE, a: left.1, b: right.0, c })?;
        Ok(true)
    }
}
