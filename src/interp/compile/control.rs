//! Blocks and branches.
//!
//! At a label the values that a branch carries lie in the slots right above the label's base,
//! which is where they are anyway when nothing lies between; only otherwise does a branch move
//! them. On entry to a block everything below goes to its slots, so that all paths to a label
//! agree where values are; compilers leave next to nothing there.

use super::stack::{Operand, Place};
use super::{Condition, Translator, mode};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::handlers::control::{BRANCH_A, BRANCH_B, BRANCH_IMM, COST, DISTANCE};
use crate::interp::instr::Instr;
use crate::interp::op::CompareOp;
use wasmparser::{BlockType, BrTable};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LabelKind {
    Function,
    Block,
    Loop,
    If,
    Try,
}

/// A forward branch whose target is not known yet.
#[derive(Clone, Copy)]
pub enum Fixup {
    Branch {
        at: usize,
    },
    Table {
        at: usize,
        entry: usize,
    },
    /// A clause of a `try_table`.
    Catch {
        index: usize,
    },
}

/// A structured instruction that is open.
pub struct Label<'m> {
    kind: LabelKind,
    /// Whether the code being translated can be reached.
    pub reachable: bool,
    /// Entries below the parameters.
    height: usize,
    params: &'m [ValType],
    results: &'m [ValType],
    /// First instruction, for loops.
    start: usize,
    /// Operators before the label, to tell what a turn of the loop costs.
    operators: u32,
    fixups: Vec<Fixup>,
    /// The branch of an `if` over its first arm.
    else_fixup: Option<Fixup>,
    /// Backward branches, which get their cost when the loop ends.
    back: Vec<Fixup>,
}

impl<'m> Label<'m> {
    /// Types of the values that a branch to the label carries.
    fn branch_types(&self) -> &'m [ValType] {
        if self.kind == LabelKind::Loop { self.params } else { self.results }
    }
}

/// Every value type as a list of one, for blocks with one result. Constant.
static ONE_TYPE: [[ValType; 1]; 8] = [
    [ValType::I32],
    [ValType::I64],
    [ValType::F32],
    [ValType::F64],
    [ValType::V128],
    [ValType::FuncRef],
    [ValType::ExternRef],
    [ValType::ExnRef],
];

impl<'m> Translator<'m> {
    fn block_type(&self, ty: BlockType) -> Result<(&'m [ValType], &'m [ValType]), Trap> {
        Ok(match ty {
            BlockType::Empty => (&[], &[]),
            BlockType::Type(ty) => (&[], &ONE_TYPE[super::opcodes::val_type(ty)? as usize]),
            BlockType::FuncType(index) => {
                let ty = self.module.types.get(index as usize).ok_or(Trap::Internal)?;
                (ty.params(), ty.results())
            }
        })
    }

    fn push_label(
        &mut self,
        kind: LabelKind,
        params: &'m [ValType],
        results: &'m [ValType],
    ) -> Result<(), Trap> {
        let height = self.stack.entries.len().checked_sub(params.len()).ok_or(Trap::Internal)?;
        self.labels.push(Label {
            kind,
            reachable: true,
            height,
            params,
            results,
            start: self.code.label(),
            operators: self.operators,
            fixups: Vec::new(),
            else_fixup: None,
            back: Vec::new(),
        });
        Ok(())
    }

    pub(super) fn push_function_label(&mut self) {
        let results = self.ty.results();
        // The stack is empty, so that this cannot fail.
        let _ = self.push_label(LabelKind::Function, &[], results);
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
        self.push_label(LabelKind::Loop, params, results)
    }

    pub(super) fn if_(&mut self, ty: BlockType) -> Result<(), Trap> {
        let (params, results) = self.block_type(ty)?;
        let condition = self.pop_condition()?;
        self.stack.settle_all(&mut self.code);
        let at = self.branch_on(condition, false, None)?;
        self.push_label(LabelKind::If, params, results)?;
        if let Some(label) = self.labels.last_mut() {
            label.else_fixup = Some(Fixup::Branch { at });
        }
        Ok(())
    }

    /// Back to what the stack is at the label's start or end: `types` above its height.
    fn reset_stack(&mut self, height: usize, types: &[ValType]) {
        self.stack.truncate(height);
        for &ty in types {
            self.stack.push(ty, Place::Temp);
        }
        self.stack.forget_accs();
        self.last = None;
    }

    pub(super) fn else_(&mut self) -> Result<(), Trap> {
        let label = self.labels.last().ok_or(Trap::Internal)?;
        let (height, params, results) = (label.height, label.params, label.results);
        if label.reachable {
            self.stack.settle_top(&mut self.code, results.len());
            let at = self.op(Instr::Branch);
            if let Some(label) = self.labels.last_mut() {
                label.fixups.push(Fixup::Branch { at });
            }
        }
        let here = self.code.label();
        let label = self.labels.last_mut().ok_or(Trap::Internal)?;
        label.reachable = true;
        let fixup = label.else_fixup.take();
        if let Some(fixup) = fixup {
            self.resolve(fixup, here);
        }
        self.reset_stack(height, params);
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), Trap> {
        let mut label = self.labels.pop().ok_or(Trap::Internal)?;
        let joined = !label.fixups.is_empty() || label.else_fixup.is_some();
        if label.kind == LabelKind::Function && !joined {
            if label.reachable {
                self.return_()?;
            }
            return Ok(());
        }
        if label.reachable {
            self.stack.settle_top(&mut self.code, label.results.len());
        }
        let here = self.code.label();
        for fixup in label.fixups.drain(..).chain(label.else_fixup.take()) {
            self.resolve(fixup, here);
        }
        let cost = self.operators.saturating_sub(label.operators).max(1);
        for &back in &label.back {
            match back {
                Fixup::Catch { index } => self.handlers.clauses[index].cost = cost,
                Fixup::Branch { at } | Fixup::Table { at, .. } => self.code.put_u32(at, COST, cost),
            }
        }
        if label.kind == LabelKind::Try {
            self.end_try(label.start..here);
        }
        if joined || !label.reachable {
            self.reset_stack(label.height, label.results);
        }
        self.last = None;
        // What follows a block that nothing leaves is as unreachable as its end.
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

    fn resolve(&mut self, fixup: Fixup, target: usize) {
        match fixup {
            Fixup::Branch { at } => {
                self.code.put_u32(at, DISTANCE, (target as i64 - at as i64) as i32 as u32);
            }
            Fixup::Table { at, entry } => {
                self.code.put_u64(at, entry, (target as i64 - at as i64) as u64);
            }
            Fixup::Catch { index } => self.handlers.clauses[index].target = target as u32,
        }
    }

    /// Ends the reachable part of the innermost block.
    pub(super) fn unreachable_from_here(&mut self) {
        if let Some(label) = self.labels.last_mut() {
            label.reachable = false;
            let height = label.height;
            self.stack.truncate(height);
        }
        self.last = None;
    }

    pub(super) fn label_index(&self, depth: u32) -> Result<usize, Trap> {
        self.labels.len().checked_sub(1 + depth as usize).ok_or(Trap::Internal)
    }

    /// The slot right above the base of the label.
    pub(super) fn base_slot(&self, label: usize) -> u16 {
        match self.stack.entries.get(self.labels[label].height) {
            Some(entry) => entry.slot,
            None => self.stack.top_slot() as u16,
        }
    }

    pub(super) fn branch_types(&self, label: usize) -> &'m [ValType] {
        self.labels[label].branch_types()
    }

    /// Whether the values for a branch to `label` already have the slots they must end up in.
    fn in_place(&self, label: usize) -> bool {
        let count = self.labels[label].branch_types().len();
        self.stack.entries.len() == self.labels[label].height + count
    }

    /// Moves the topmost values to where a branch to `label` carries them, without changing
    /// what is known of the stack: another path may go on with it.
    fn move_values(&mut self, label: usize) {
        let types = self.labels[label].branch_types();
        let mut to = self.base_slot(label);
        let first = self.stack.entries.len() - types.len();
        for index in first..self.stack.entries.len() {
            let entry = self.stack.entries[index];
            let from = match entry.place {
                Place::Temp => Operand::Slot(entry.slot),
                Place::Local(slot) => Operand::Slot(slot),
                Place::Const(value) => Operand::Imm(value),
                Place::Acc => Operand::Acc,
            };
            self.stack.copy(&mut self.code, entry.ty, to, from);
            to += entry.ty.slots() as u16;
        }
    }

    /// Emits the jump to `label`.
    fn jump(&mut self, label: usize) {
        if self.labels[label].kind == LabelKind::Loop {
            let at = self.op(Instr::BranchBack);
            self.branch_to(label, Fixup::Branch { at });
        } else {
            let at = self.op(Instr::Branch);
            self.branch_to(label, Fixup::Branch { at });
        }
    }

    /// Has something lead to `label`, now or when it is known where that is.
    pub(super) fn branch_to(&mut self, label: usize, from: Fixup) {
        if self.labels[label].kind == LabelKind::Loop {
            let start = self.labels[label].start;
            self.resolve(from, start);
            self.labels[label].back.push(from);
        } else {
            self.labels[label].fixups.push(from);
        }
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
        let count = self.labels[label].branch_types().len();
        if count > 0 && !self.in_place(label) {
            // The values go where the label wants them on the way there only.
            let skip = self.branch_on(condition, false, None)?;
            let accs = self.stack.accs();
            self.move_values(label);
            self.stack.set_accs(accs);
            self.jump(label);
            let here = self.code.label();
            self.resolve(Fixup::Branch { at: skip }, here);
        } else {
            self.stack.settle_top(&mut self.code, count);
            self.branch_on(condition, true, Some(label))?;
        }
        self.last = None;
        Ok(())
    }

    pub(super) fn br_table(&mut self, targets: &BrTable) -> Result<(), Trap> {
        let index = self.pop_acc_or_slot()?;
        let default = self.label_index(targets.default())?;
        let count = self.labels[default].branch_types().len();
        self.stack.settle_top(&mut self.code, count);
        let at = self.op(Instr::BranchTable { index: mode(index) });
        self.put_operand(at, BRANCH_A, index);
        self.code.put_u32(at, DISTANCE, targets.len());
        let mut labels = Vec::new();
        labels.try_reserve(targets.len() as usize + 1).map_err(|_| Trap::OutOfMemory)?;
        for target in targets.targets() {
            labels.push(self.label_index(target.map_err(super::unexpected)?)?);
        }
        labels.push(default);
        for _ in &labels {
            self.code.word();
        }
        // Labels that need code of their own on the way get it once.
        let mut stubs: Vec<Option<usize>> = Vec::new();
        stubs.try_reserve(self.labels.len()).map_err(|_| Trap::OutOfMemory)?;
        stubs.resize(self.labels.len(), None);
        for (i, &label) in labels.iter().enumerate() {
            let fixup = Fixup::Table { at, entry: 16 + i * 8 };
            let is_loop = self.labels[label].kind == LabelKind::Loop;
            if !is_loop && (count == 0 || self.in_place(label)) {
                self.labels[label].fixups.push(fixup);
                continue;
            }
            let stub = match stubs[label] {
                Some(stub) => stub,
                None => {
                    let stub = self.code.label();
                    if !self.in_place(label) {
                        self.move_values(label);
                    }
                    self.jump(label);
                    stubs[label] = Some(stub);
                    stub
                }
            };
            self.resolve(fixup, stub);
        }
        self.unreachable_from_here();
        Ok(())
    }

    /// Pops the condition of a branch; a comparison just made becomes part of the branch.
    fn pop_condition(&mut self) -> Result<Condition, Trap> {
        if let Some(condition) = self.absorb_condition()? {
            return Ok(condition);
        }
        Ok(Condition::NonZero(self.pop_acc_or_slot()?))
    }

    /// Emits a branch taken when `condition` is `want`: backward or forward to `label`, or
    /// forward to wherever the caller resolves the returned position to.
    fn branch_on(
        &mut self,
        condition: Condition,
        want: bool,
        label: Option<usize>,
    ) -> Result<usize, Trap> {
        let back = label.is_some_and(|label| self.labels[label].kind == LabelKind::Loop);
        let at = match condition {
            Condition::NonZero(operand) => self.branch_if(operand, want, back),
            Condition::Compare {
                op: op @ (CompareOp::I32Eq | CompareOp::I32Ne),
                left: operand,
                right: Operand::Imm(0),
                ..
            } => self.branch_if(operand, (op == CompareOp::I32Ne) == want, back),
            Condition::Compare { .. } => self.branch_compare(condition, want, back),
        };
        if let Some(label) = label {
            self.branch_to(label, Fixup::Branch { at });
        }
        Ok(at)
    }

    fn branch_if(&mut self, operand: Operand, want: bool, back: bool) -> usize {
        let at = self.op(Instr::BranchIf { condition: mode(operand), want, back });
        self.put_operand(at, BRANCH_A, operand);
        at
    }

    fn branch_compare(&mut self, condition: Condition, want: bool, back: bool) -> usize {
        let Condition::Compare { mut op, mut left, mut right, mut left_slot, mut right_slot } =
            condition
        else {
            return self.op(Instr::Unreachable);
        };
        if !want {
            let (negated, swap) = op.negate();
            op = negated;
            if swap {
                (left, right) = (right, left);
                (left_slot, right_slot) = (right_slot, left_slot);
            }
        }
        // The immediate field of a branch has 32 bits.
        let ty = super::numeric::compared_type(op);
        for (operand, slot) in [(&mut left, left_slot), (&mut right, right_slot)] {
            match *operand {
                Operand::Imm(value) if ty == ValType::F64 || !super::fits_32(value) => {
                    self.stack.copy(&mut self.code, ty, slot, *operand);
                    *operand = Operand::Slot(slot);
                }
                _ => {}
            }
        }
        if op.commutes()
            && matches!((left, right), (Operand::Slot(_), Operand::Acc) | (Operand::Imm(_), _))
        {
            (left, right) = (right, left);
        }
        let (l, r) = (mode(left), mode(right));
        let at = self.op(Instr::BranchCompare { op, left: l, right: r, back });
        self.put_operand(at, BRANCH_A, left);
        let right_field = if matches!(left, Operand::Imm(_)) { BRANCH_A } else { BRANCH_B };
        self.put_operand(at, right_field, right);
        for operand in [left, right] {
            if let Operand::Imm(value) = operand {
                self.code.put_u32(at, BRANCH_IMM, value as u32);
            }
        }
        at
    }
}
