//! Labels, and what leads to them.

use super::writer::{Chain, Position, TableEntry};
use super::{Translator, make_room};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::machine::Offset;
use crate::interp::shape::{Back, Forward};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LabelKind {
    Function,
    Block,
    Loop,
    If,
    Try,
    /// A `try` before its first `catch`.
    LegacyTry,
    /// A `try` from there on.
    LegacyCatch,
}

/// Something that leads to a label.
#[derive(Clone, Copy)]
pub enum From {
    Forward(Position<Forward>),
    /// To a loop.
    Back(Position<Back>),
    /// A clause of a `try_table`.
    Catch {
        index: usize,
    },
}

/// The end of a chain of clauses, and stands for what is not known yet.
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
    start: Offset,
    /// Operators before the label, to tell what a turn of the loop costs.
    operators: u32,
    /// Branches to where the label will be.
    branches: Chain<Forward>,
    /// Branches back to the loop.
    turns: Chain<Back>,
    /// Entries of `br_table`s.
    pub entries: Chain<TableEntry>,
    /// The chain of clauses, by their indices.
    catches: u32,
    /// The branch of an `if` over its first arm.
    pub else_branch: Option<Position<Forward>>,
    /// Slots of the values that a branch carries, once somebody has asked.
    carried: u32,
    /// Code on the way to the label that entries of a `br_table` share, and the `br_table`.
    pub stub: Option<(Offset, Offset)>,
    /// Whose clauses apply right in the block, as `Tables::tries` numbers them.
    pub around: u32,
    /// The last one of those of a `try`, and the clause whose body is being translated.
    pub last_try: u32,
    pub clause: u32,
}

impl<'m> Label<'m> {
    /// Types of the values that a branch to the label carries.
    pub fn branch_types(&self) -> &'m [ValType] {
        if self.kind == LabelKind::Loop { self.params } else { self.results }
    }

    /// Whether something leads to the end of the block.
    pub fn is_joined(&self) -> bool {
        let has_branch = !self.branches.is_empty() || self.else_branch.is_some();
        let is_led_to = has_branch || !self.entries.is_empty() || self.catches != NONE;
        is_led_to && self.kind != LabelKind::Loop
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
            start: self.code.label(),
            operators: self.operators,
            branches: Chain::EMPTY,
            turns: Chain::EMPTY,
            entries: Chain::EMPTY,
            catches: NONE,
            else_branch: None,
            carried: NONE,
            stub: None,
            around: self.handlers.innermost,
            last_try: NONE,
            clause: NONE,
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

    /// Fills in where the label is: here.
    pub(super) fn place_label(&mut self, label: &mut Label<'_>, here: Offset) -> Result<(), Trap> {
        while let Some(branch) = self.code.unchain(&mut label.branches) {
            self.spend(1)?;
            self.code.set_distance(branch, here);
        }
        if let Some(branch) = label.else_branch {
            self.code.set_distance(branch, here);
        }
        while let Some((entry, start)) = self.code.unchain_entry(&mut label.entries) {
            self.spend(1)?;
            self.code.set_entry(entry, start, here);
        }
        let mut catch = label.catches;
        while let Some(clause) = self.handlers.clauses.get_mut(catch as usize) {
            catch = std::mem::replace(&mut clause.target, here).bytes();
            self.spend(1)?;
        }
        Ok(())
    }

    /// Fills in what one more turn of a loop costs.
    pub(super) fn set_costs(&mut self, label: &mut Label<'_>) -> Result<(), Trap> {
        let cost = self.operators.saturating_sub(label.operators).max(1);
        while let Some(branch) = self.code.unchain(&mut label.turns) {
            self.spend(1)?;
            if let Some(branch) = self.code.operands(branch) {
                branch.cost = cost;
            }
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
        match from {
            From::Forward(at) => self.code.chain(at, &mut label.branches),
            From::Back(at) => {
                self.code.chain(at, &mut label.turns);
                self.code.set_distance(at.begin(), label.start);
            }
            From::Catch { index } => {
                let before = std::mem::replace(&mut label.catches, index as u32);
                if let Some(clause) = self.handlers.clauses.get_mut(index) {
                    // The chain goes through what is not known yet.
                    (clause.target, clause.cost) = match label.kind {
                        LabelKind::Loop => (label.start, before),
                        _ => (Offset::from_bytes(before), 0),
                    };
                }
            }
        }
    }

    /// Has the clause at `index` lead to `label`.
    pub(super) fn catch_to(&mut self, label: usize, index: usize) {
        self.lead_to(label, From::Catch { index });
    }
}
