//! Blocks and branches. `opcodes` calls the method for each; `labels` holds the open blocks and the
//! branches to them.
//!
//! The *base* of a label is the operand stack below the block's parameters. At a label the values
//! that a branch carries lie in the slots right above the base. They are there anyway if no other
//! values lie between; only otherwise does a branch move them. All entries are settled on entry to
//! a block, so that all paths to a label agree where values are; compilers leave hardly any there.

use super::labels::{From, LabelKind};
use super::numeric::in_order;
use super::stack::{Entry, Operand, Place};
use super::writer::{Position, TableEntry};
use super::{Condition, Translator, imm32, make_room, mode, slot};
use crate::abi::heap_types::Hierarchy;
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::exec::work;
use crate::interp::instr::{Instr, is_exchanged};
use crate::interp::machine::Offset;
use crate::interp::op::CompareOp;
use crate::interp::shape::{Back, BranchCompare, BranchIf, BranchTable, Forward, Jump};
use wasmparser::{BlockType, BrTable};

/// As many values in a row are moved by one instruction.
const COPIES_MIN: usize = 3;

/// Value types as lists of one, for blocks with one result. Constant.
static ONE_TYPE: [[ValType; 1]; 9] = [
    [ValType::I32],
    [ValType::I64],
    [ValType::F32],
    [ValType::F64],
    [ValType::V128],
    [ValType::FUNCREF],
    [ValType::EXTERNREF],
    [ValType::EXNREF],
    [ValType::ANYREF],
];

/// `ty` as a list of one. References are listed by hierarchy, which is all that translation needs.
fn list_of_one(ty: ValType) -> &'static [ValType] {
    let place = match ty {
        ValType::I32 => 0,
        ValType::I64 => 1,
        ValType::F32 => 2,
        ValType::F64 => 3,
        ValType::V128 => 4,
        ValType::Ref(ty) => match ty.hierarchy() {
            Hierarchy::Func => 5,
            Hierarchy::Extern => 6,
            Hierarchy::Exn => 7,
            Hierarchy::Any => 8,
        },
    };
    &ONE_TYPE[place]
}

impl<'m> Translator<'m> {
    fn block_type(&self, ty: BlockType) -> Result<(&'m [ValType], &'m [ValType]), Trap> {
        Ok(match ty {
            BlockType::Empty => (&[], &[]),
            BlockType::Type(ty) => (&[], list_of_one(super::opcodes::val_type(ty, self.module)?)),
            BlockType::FuncType(index) => {
                let ty = self.module.types.func(index).ok_or(Trap::Internal)?;
                (ty.params(), ty.results())
            }
        })
    }

    pub(super) fn push_function_label(&mut self) -> Result<(), Trap> {
        self.push_label(LabelKind::Function, &[], self.ty.results())
    }

    pub(super) fn block(&mut self, ty: BlockType) -> Result<(), Trap> {
        self.block_of_kind(LabelKind::Block, ty)
    }

    pub(super) fn block_of_kind(&mut self, kind: LabelKind, ty: BlockType) -> Result<(), Trap> {
        let (params, results) = self.block_type(ty)?;
        self.stack.settle_all(&mut self.code);
        self.last = None;
        self.push_label(kind, params, results)
    }

    pub(super) fn loop_(&mut self, ty: BlockType) -> Result<(), Trap> {
        let (params, results) = self.block_type(ty)?;
        self.stack.settle_all(&mut self.code);
        self.stack.forget_accs();
        self.last = None;
        self.push_label(LabelKind::Loop, params, results)?;
        if let (Some(loops), Some(label)) = (&mut self.loops, self.labels.last()) {
            make_room(loops, 1)?;
            loops.push((label.start, self.position));
        }
        Ok(())
    }

    pub(super) fn if_(&mut self, ty: BlockType) -> Result<(), Trap> {
        let (params, results) = self.block_type(ty)?;
        let condition = self.pop_condition()?;
        self.stack.settle_all(&mut self.code);
        let branch = self.branch_on::<Forward>(condition, false)?;
        self.push_label(LabelKind::If, params, results)?;
        if let Some(label) = self.labels.last_mut() {
            label.else_branch = Some(branch);
        }
        Ok(())
    }

    /// Makes the stack that of a label's start or end: `types`, settled, above its `height`.
    pub(super) fn reset_stack(&mut self, height: u32, types: &[ValType]) -> Result<(), Trap> {
        self.stack.truncate(height as usize);
        self.stack.push_settled(types)?;
        self.stack.forget_accs();
        self.last = None;
        Ok(())
    }

    pub(super) fn else_(&mut self) -> Result<(), Trap> {
        let label = self.labels.last().ok_or(Trap::Internal)?;
        let (height, params, results) = (label.height, label.params, label.results);
        if label.reachable {
            self.stack.settle_top(&mut self.code, results.len());
            let at = self.op(Instr::Branch, Forward::OPEN);
            self.lead_to(self.labels.len() - 1, From::Forward(at));
        }
        let here = self.code.label();
        let label = self.labels.last_mut().ok_or(Trap::Internal)?;
        label.reachable = true;
        if let Some(branch) = label.else_branch.take() {
            self.code.set_distance(branch, here);
        }
        self.reset_stack(height, params)
    }

    pub(super) fn end(&mut self) -> Result<(), Trap> {
        let is_catch = self.labels.last().is_some_and(|last| last.kind == LabelKind::LegacyCatch);
        if is_catch && self.labels.last().is_some_and(|last| last.reachable) {
            self.move_to_end(self.labels.len() - 1);
        }
        let mut label = self.labels.pop().ok_or(Trap::Internal)?;
        let joined = label.is_joined() || (is_catch && label.reachable);
        if label.kind == LabelKind::Function && !joined {
            if label.reachable {
                self.return_()?;
            }
            return Ok(());
        }
        if label.reachable && !is_catch {
            self.stack.settle_top(&mut self.code, label.results.len());
        }
        let here = self.code.label();
        if label.kind == LabelKind::Loop {
            self.set_costs(&mut label)?;
        } else {
            self.place_label(&mut label, here)?;
        }
        if matches!(label.kind, LabelKind::Try | LabelKind::LegacyTry | LabelKind::LegacyCatch) {
            self.end_try(here)?;
        }
        if joined || !label.reachable {
            let len = label.height as usize + label.results.len();
            if label.reachable && self.stack.is_settled(len) {
                self.stack.forget_accs();
            } else {
                self.reset_stack(label.height, label.results)?;
            }
        }
        self.last = None;
        // The code behind a block is unreachable if the block's end is.
        if !joined
            && !label.reachable
            && let Some(outer) = self.labels.last_mut()
        {
            outer.reachable = false;
        }
        if label.kind == LabelKind::Function {
            self.return_()?;
        }
        Ok(())
    }

    /// Ends the reachable part of the innermost block.
    pub(super) fn unreachable_from_here(&mut self) {
        if let Some(label) = self.labels.last_mut() {
            label.reachable = false;
            let height = label.height as usize;
            self.stack.truncate(height);
        }
        self.last = None;
    }

    /// Whether the own slots of the values for a branch to `label` are those at the label.
    pub(super) fn in_place(&self, label: usize) -> bool {
        let label = &self.labels[label];
        self.stack.entries.len() == label.height as usize + label.branch_types().len()
    }

    /// Moves the topmost values to the slots where the label has them. The entries stay as they
    /// are: another path may go on with them.
    pub(super) fn move_values(&mut self, label: usize) {
        let count = self.labels[label].branch_types().len();
        // One instruction moves as many as are charged for, so that the charge depends on the types
        // alone. Where another path goes on, they are settled already.
        if work::of_slots(self.carried_slots(label) as usize) > 0 {
            self.stack.settle_top(&mut self.code, count);
        }
        let mut to = self.base_slot(label);
        let mut index = self.stack.entries.len() - count;
        while let Some(&Entry { ty, slot, place }) = self.stack.entries.get(index) {
            let run = self.stack.settled_run(index);
            if run >= COPIES_MIN {
                index += run;
                let next = self.stack.entries.get(index).map(|entry| entry.slot);
                let slots = next.unwrap_or(self.stack.top_slot() as u16).wrapping_sub(slot);
                self.stack.copy_slots(&mut self.code, to, slot, slots);
                to = to.wrapping_add(slots);
                continue;
            }
            let from = match place {
                Place::Temp => Operand::Slot(slot),
                Place::Local(slot) => Operand::Slot(slot),
                Place::Const(value) => Operand::Imm(value),
                Place::Acc => Operand::Acc,
                Place::Sum(base, addend) => {
                    self.stack.copy_sum(&mut self.code, to, base, addend);
                    Operand::Slot(to)
                }
            };
            self.stack.steps += 1;
            // Nothing is left to move of a sum.
            self.stack.copy(&mut self.code, ty, to, from);
            to = to.wrapping_add(ty.slots() as u16);
            index += 1;
        }
    }

    /// Emits the jump to `label`.
    fn jump(&mut self, label: usize) {
        let from = if self.labels[label].kind == LabelKind::Loop {
            From::Back(self.op(Instr::BranchBack, Back::OPEN))
        } else {
            From::Forward(self.op(Instr::Branch, Forward::OPEN))
        };
        self.lead_to(label, from);
    }

    pub(super) fn br(&mut self, depth: u32) -> Result<(), Trap> {
        let label = self.label_index(depth)?;
        if self.labels[label].kind == LabelKind::Function {
            self.return_()?;
        } else {
            if self.in_place(label) {
                let count = self.labels[label].branch_types().len();
                self.stack.settle_top(&mut self.code, count);
            } else {
                self.move_values(label);
            }
            self.jump(label);
        }
        self.unreachable_from_here();
        Ok(())
    }

    pub(super) fn br_if(&mut self, depth: u32) -> Result<(), Trap> {
        let label = self.label_index(depth)?;
        let condition = self.pop_condition()?;
        self.branch_when(label, condition)
    }

    /// Emits the branch to `label` where `condition` holds, with the topmost values.
    pub(super) fn branch_when(&mut self, label: usize, condition: Condition) -> Result<(), Trap> {
        let count = self.labels[label].branch_types().len();
        if count > 0 && !self.in_place(label) {
            // Many values are settled, once for all branches: one instruction then moves them all.
            if count >= COPIES_MIN {
                self.stack.settle_all(&mut self.code);
            }
            // The values are moved only if the branch is taken.
            let skip = self.branch_on::<Forward>(condition, false)?;
            let accs = self.stack.accs();
            self.move_values(label);
            self.stack.set_accs(accs);
            self.jump(label);
            let here = self.code.label();
            self.code.set_distance(skip, here);
        } else {
            self.stack.settle_top(&mut self.code, count);
            let from = if self.labels[label].kind == LabelKind::Loop {
                let back = match self.branch_step(condition) {
                    Some(back) => back,
                    None => self.branch_on(condition, true)?,
                };
                From::Back(back)
            } else {
                From::Forward(self.branch_on(condition, true)?)
            };
            self.lead_to(label, from);
        }
        self.last = None;
        Ok(())
    }

    pub(super) fn br_table(&mut self, targets: &BrTable) -> Result<(), Trap> {
        let index = self.pop_acc_or_slot()?;
        let default = self.label_index(targets.default())?;
        let count = self.labels[default].branch_types().len();
        self.stack.settle_top(&mut self.code, count);
        let operands = BranchTable { last: targets.len(), index: slot(index) };
        let at = self.op(Instr::BranchTable { index: mode(index) }, operands).offset();
        let mut entry = self.code.table(targets.len() as usize + 1);
        self.code.check()?;
        for target in targets.targets() {
            let label = self.label_index(target.map_err(super::unexpected)?)?;
            self.table_entry(at, entry, label)?;
            entry = entry.next();
        }
        self.table_entry(at, entry, default)?;
        self.unreachable_from_here();
        Ok(())
    }

    /// Fills in the entry at `entry` of the `br_table` at `at`, which leads to `label`.
    fn table_entry(&mut self, at: Offset, entry: TableEntry, label: usize) -> Result<(), Trap> {
        self.spend(1)?;
        let in_place = self.in_place(label) || self.labels[label].branch_types().is_empty();
        let target = &mut self.labels[label];
        if target.kind != LabelKind::Loop && in_place {
            self.code.chain_entry(entry, at, &mut target.entries);
            return Ok(());
        }
        // A label that needs code of its own on the way gets it once for each `br_table`.
        let stub = match target.stub {
            Some((stub, table)) if table == at => stub,
            _ => {
                let stub = self.code.label();
                target.stub = Some((stub, at));
                if !in_place {
                    self.move_values(label);
                }
                self.jump(label);
                self.code.check()?;
                stub
            }
        };
        self.code.set_entry(entry, at, stub);
        Ok(())
    }

    /// Pops the condition of a branch. A comparison that was just written is absorbed.
    fn pop_condition(&mut self) -> Result<Condition, Trap> {
        if let Some(condition) = self.absorb_condition()? {
            return Ok(condition);
        }
        Ok(Condition::NonZero(self.pop_acc_or_slot()?))
    }

    /// Emits a branch that is taken when `condition` is `want`: forward or backward, as `J` is.
    fn branch_on<J: Jump>(
        &mut self,
        condition: Condition,
        want: bool,
    ) -> Result<Position<J>, Trap> {
        Ok(match condition {
            Condition::NonZero(operand) => self.branch_if(operand, want),
            Condition::Compare {
                op: op @ (CompareOp::I32Eq | CompareOp::I32Ne),
                left: operand,
                right: Operand::Imm(0),
                ..
            } => self.branch_if(operand, (op == CompareOp::I32Ne) == want),
            Condition::Compare { .. } => self.branch_compare(condition, want)?,
        })
    }

    fn branch_if<J: Jump>(&mut self, operand: Operand, want: bool) -> Position<J> {
        let instr = Instr::BranchIf { condition: mode(operand), want, back: J::BACK };
        self.op(instr, BranchIf { to: J::OPEN, condition: slot(operand) }).begin()
    }

    fn branch_compare<J: Jump>(
        &mut self,
        condition: Condition,
        want: bool,
    ) -> Result<Position<J>, Trap> {
        let Condition::Compare { mut op, mut left, mut right, mut left_slot, mut right_slot } =
            condition
        else {
            return Err(Trap::Internal);
        };
        if !want {
            let (negated, swap) = op.negate();
            op = negated;
            if swap {
                (left, right) = (right, left);
                (left_slot, right_slot) = (right_slot, left_slot);
            }
        }
        let ty = op.operand_type();
        for (operand, slot) in [(&mut left, left_slot), (&mut right, right_slot)] {
            let Operand::Imm(value) = *operand else { continue };
            *operand = match in_32(ty, value) {
                Some(value) => Operand::Imm(value.into()),
                None => {
                    self.stack.copy(&mut self.code, ty, slot, *operand);
                    Operand::Slot(slot)
                }
            };
        }
        if op.commutes() && is_exchanged(mode(left), mode(right)) {
            (left, right) = (right, left);
        }
        let instr =
            Instr::BranchCompare { op, left: mode(left), right: mode(right), back: J::BACK };
        let (first, second) = in_order(left, right);
        let (to, first) = (J::OPEN, slot(first));
        Ok(match second {
            Operand::Imm(second) => {
                self.op(instr, BranchCompare { to, first, second: imm32(second) }).begin()
            }
            second => self.op(instr, BranchCompare { to, first, second: slot(second) }).begin(),
        })
    }
}

/// A constant in the 32 bits that a branch has for it (`Value::from_imm32`), if it fits: an f64 as
/// the f32 of the same value.
fn in_32(ty: ValType, value: u64) -> Option<u32> {
    match ty {
        ValType::F32 => Some(value as u32),
        ValType::F64 => {
            let narrow = f64::from_bits(value) as f32;
            // No NaN, whose payload may get lost.
            (f64::from(narrow).to_bits() == value && !narrow.is_nan()).then(|| narrow.to_bits())
        }
        _ => super::fits_32(value).then(|| imm32(value)),
    }
}
