//! Labels, and what leads to them.

use super::{Translator, make_room};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::handlers::control::{COST, DISTANCE};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LabelKind {
    Function,
    Block,
    Loop,
    If,
    Try,
}

/// Something that leads to a label.
#[derive(Clone, Copy)]
pub enum From {
    Branch {
        at: usize,
    },
    /// A clause of a `try_table`.
    Catch {
        index: usize,
    },
}

/// The end of a chain, and stands for no position.
pub const NONE: u32 = u32::MAX;

/// A structured instruction that is open.
///
/// What leads to the label while something about it is not known yet is chained up: the label has
/// the last one of each kind, and each has the one before it in the very field that will be filled
/// in. For a loop that is what a turn costs; its start is known at once. For any other label it is
/// where that is.
pub struct Label<'m> {
    pub kind: LabelKind,
    /// Whether the code being translated can be reached.
    pub reachable: bool,
    /// Entries below the parameters.
    pub height: u32,
    pub params: &'m [ValType],
    pub results: &'m [ValType],
    /// First instruction, for loops.
    start: u32,
    /// Operators before the label, to tell what a turn of the loop costs.
    operators: u32,
    /// The chain of branches, by their positions.
    branches: u32,
    /// The chain of entries of `br_table`s, by the positions of the entries.
    pub entries: u32,
    /// The chain of clauses, by their indices.
    catches: u32,
    /// The branch of an `if` over its first arm.
    pub else_branch: u32,
    /// Slots of the values that a branch carries, once somebody has asked.
    carried: u32,
    /// Code on the way to the label that entries of a `br_table` share, and the `br_table`.
    pub stub: (u32, u32),
}

impl<'m> Label<'m> {
    /// Types of the values that a branch to the label carries.
    pub fn branch_types(&self) -> &'m [ValType] {
        if self.kind == LabelKind::Loop { self.params } else { self.results }
    }

    /// Whether something leads to the end of the block.
    pub fn is_joined(&self) -> bool {
        let forward = self.branches & self.entries & self.catches & self.else_branch;
        forward != NONE && self.kind != LabelKind::Loop
    }
}

impl<'m> Translator<'m> {
    pub(super) fn push_label(
        &mut self,
        kind: LabelKind,
        params: &'m [ValType],
        results: &'m [ValType],
    ) -> Result<(), Trap> {
        let height = self.stack.entries.len().checked_sub(params.len()).ok_or(Trap::Internal)?;
        make_room(&mut self.labels, 1)?;
        self.labels.push(Label {
            kind,
            reachable: true,
            height: height as u32,
            params,
            results,
            start: self.code.label() as u32,
            operators: self.operators,
            branches: NONE,
            entries: NONE,
            catches: NONE,
            else_branch: NONE,
            carried: NONE,
            stub: (NONE, NONE),
        });
        Ok(())
    }

    pub(super) fn label_index(&self, depth: u32) -> Result<usize, Trap> {
        self.labels.len().checked_sub(1 + depth as usize).ok_or(Trap::Internal)
    }

    /// The slot right above the base of the label.
    pub(super) fn base_slot(&self, label: usize) -> u16 {
        match self.stack.entries.get(self.labels[label].height as usize) {
            Some(entry) => entry.slot,
            None => self.stack.top_slot() as u16,
        }
    }

    /// Slots of the values that a branch to the label carries.
    pub(super) fn carried_slots(&mut self, label: usize) -> u32 {
        let label = &mut self.labels[label];
        if label.carried == NONE {
            label.carried = label.branch_types().iter().map(|ty| ty.slots()).sum();
        }
        label.carried
    }

    /// Has the branch at `at` lead to `target`.
    pub(super) fn set_distance(&mut self, at: usize, target: usize) {
        self.code.put_u32(at, DISTANCE, (target as i64 - at as i64) as i32 as u32);
    }

    /// Fills in where the label is: here.
    pub(super) fn place_label(&mut self, label: &Label<'_>, here: usize) -> Result<(), Trap> {
        let mut branch = label.branches;
        while branch != NONE {
            self.spend(1)?;
            let before = self.code.field_u32(branch as usize, DISTANCE);
            self.set_distance(branch as usize, here);
            branch = before;
        }
        if label.else_branch != NONE {
            self.set_distance(label.else_branch as usize, here);
        }
        let mut entry = label.entries;
        while entry != NONE {
            self.spend(1)?;
            let link = self.code.field_u64(entry as usize, 0);
            // The upper half is where the entry is in its instruction.
            let at = u64::from(entry) - (link >> 32);
            self.code.put_u64(entry as usize, 0, (here as u64).wrapping_sub(at));
            entry = link as u32;
        }
        let mut catch = label.catches;
        while let Some(clause) = self.handlers.clauses.get_mut(catch as usize) {
            catch = std::mem::replace(&mut clause.target, here as u32);
            self.spend(1)?;
        }
        Ok(())
    }

    /// Fills in what one more turn of a loop costs.
    pub(super) fn set_costs(&mut self, label: &Label<'_>) -> Result<(), Trap> {
        let cost = self.operators.saturating_sub(label.operators).max(1);
        let mut branch = label.branches;
        while branch != NONE {
            self.spend(1)?;
            let before = self.code.field_u32(branch as usize, COST);
            self.code.put_u32(branch as usize, COST, cost);
            branch = before;
        }
        let mut catch = label.catches;
        while let Some(clause) = self.handlers.clauses.get_mut(catch as usize) {
            catch = std::mem::replace(&mut clause.cost, cost);
            self.spend(1)?;
        }
        Ok(())
    }

    /// Has something lead to `label`: now if it is known where that is, else when it is.
    pub(super) fn lead_to(&mut self, label: usize, from: From) {
        let label = &mut self.labels[label];
        let (is_loop, start) = (label.kind == LabelKind::Loop, label.start);
        match from {
            From::Branch { at } => {
                let before = std::mem::replace(&mut label.branches, at as u32);
                self.code.put_u32(at, if is_loop { COST } else { DISTANCE }, before);
                if is_loop {
                    self.set_distance(at, start as usize);
                }
            }
            From::Catch { index } => {
                let before = std::mem::replace(&mut label.catches, index as u32);
                if let Some(clause) = self.handlers.clauses.get_mut(index) {
                    let (target, cost) = if is_loop { (start, before) } else { (before, 0) };
                    (clause.target, clause.cost) = (target, cost);
                }
            }
        }
    }

    /// Has the clause at `index` lead to `label`.
    pub(super) fn catch_to(&mut self, label: usize, index: usize) {
        self.lead_to(label, From::Catch { index });
    }
}
