//! Labels, and the branches, table entries and clauses that lead to them.
//!
//! `control` and `exceptions` push a label for each block that they open, and add each way to a
//! label with [`Translator::lead_to`]. At the end of the block `control` pops the label and calls
//! [`Translator::place_label`] or, for a loop, [`Translator::set_costs`].

use super::writer::{Chain, Position, TableEntry};
use super::{Translator, make_room};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::machine::Offset;
use crate::interp::shape::{Back, Forward};

/// The instruction that has opened a block. A label of any kind but `Loop` is at the block's end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LabelKind {
    /// The body of the function, which is a block, too.
    Function,
    Block,
    Loop,
    /// An `if`, also after its `else`.
    If,
    /// A `try_table`.
    Try,
    /// A `try` before its first `catch`.
    LegacyTry,
    /// A `try` from its first `catch` on.
    LegacyCatch,
}

/// A way to a label, besides the entries of a `br_table`.
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

/// The end of a chain of clauses, and the value of fields that are not known yet.
pub const NONE: u32 = u32::MAX;

/// A structured instruction that is open.
///
/// Each kind of way to the label is a chain: the label has the last one, and each has the offset of
/// the one before it in the field that will be filled in at the block's end. For a loop this field
/// is the cost of a turn, since the loop's start is known at once; for any other label it is the
/// distance to the label.
pub struct Label<'m> {
    pub kind: LabelKind,
    /// Whether the code being translated can be reached.
    pub reachable: bool,
    /// Entries below the parameters.
    pub height: u32,
    pub params: &'m [ValType],
    pub results: &'m [ValType],
    /// First instruction, for loops.
    pub start: Offset,
    /// Operators before the label, from which the cost of a turn of the loop follows.
    operators: u32,
    /// Branches forward to the label.
    branches: Chain<Forward>,
    /// Branches back to the loop.
    turns: Chain<Back>,
    /// Entries of `br_table`s.
    pub entries: Chain<TableEntry>,
    /// The chain of clauses, by their indices.
    catches: u32,
    /// The branch of an `if` over its first arm.
    pub else_branch: Option<Position<Forward>>,
    /// Slots of the values that a branch carries; [`NONE`] before `carried_slots` has counted them.
    carried: u32,
    /// Code on the way to the label that entries of a `br_table` share, and the `br_table`.
    pub stub: Option<(Offset, Offset)>,
    /// The number in `Tables::tries` of the innermost one around code directly in the block.
    pub around: u32,
    /// For a `try`: the number of the last `Try` that was made of it (`legacy`).
    pub last_try: u32,
    /// For a `try` from its first `catch` on: the clause whose body is being translated.
    pub clause: u32,
}

impl<'m> Label<'m> {
    /// Types of the values that a branch to the label carries.
    pub fn branch_types(&self) -> &'m [ValType] {
        if self.kind == LabelKind::Loop { self.params } else { self.results }
    }

    /// Whether any branch, table entry or clause leads to the end of the block.
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

    /// The first slot above the label's base, which is the `height` entries below the parameters.
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

    /// Fills in the distances of all ways to the label, which is at `here`.
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

    /// Fills in the cost of one more turn of a loop.
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

    /// Adds a way to `label`. Its distance is filled in now if the label is a loop, else at the end
    /// of the block.
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
                    // The chain goes through the field that is not known yet.
                    (clause.target, clause.cost) = match label.kind {
                        LabelKind::Loop => (label.start, before),
                        _ => (Offset::from_bytes(before), 0),
                    };
                }
            }
        }
    }

    /// Adds the clause at `index` to the ways to `label`.
    pub(super) fn catch_to(&mut self, label: usize, index: usize) {
        self.lead_to(label, From::Catch { index });
    }
}
