//! The exception instructions that came before `try_table`: `try` with `catch`, `catch_all` and
//! `delegate`, and `rethrow`.
//!
//! The bodies of `catch` are the blocks that calls inside of the `try` name. So these have to be
//! known before there is a call: the function's operators are read once more for that, at the first
//! `try`. While a `catch` runs, the stack has the exception's reference below the payload, for
//! `rethrow`, as in the interpreter.

use super::open_block::BlockKind;
use super::tries::{ClauseInfo, scan};
use super::{Refusal, Translator};
use crate::abi::types::ValType;
use crate::exec::throw::ReferencePlace;
use crate::exec::work;
use crate::jit::frame_tables::{Clause, Try};
use crate::jit::layout::builtin;
use wasmparser::{BlockType, Operator};

impl Translator<'_, '_> {
    /// The instructions of this file; all others are not supported.
    pub(super) fn legacy_operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        match *operator {
            Operator::Try { blockty } => self.try_(blockty),
            Operator::Catch { tag_index } => self.catch(Some(tag_index)),
            Operator::CatchAll => self.catch(None),
            Operator::Delegate { .. } => self.end(),
            Operator::Rethrow { relative_depth } => self.rethrow(relative_depth),
            _ => Err(Refusal::Unsupported),
        }
    }

    fn try_(&mut self, ty: BlockType) -> Result<(), Refusal> {
        if self.legacy.is_empty() {
            let found = scan(self.body_bytes, self.body_start);
            self.legacy = found.ok_or(Refusal::Malformed)?;
        }
        let place = self.legacy.binary_search_by_key(&self.position, |info| info.position);
        let place = place.map_err(|_| Refusal::Malformed)?;
        let info = &mut self.legacy[place];
        let clauses = std::mem::take(&mut info.clauses);
        let outer = match info.delegate {
            Some(depth) => self.label_at(depth)?.around,
            None => self.innermost_try,
        };
        self.block_of_kind(BlockKind::LegacyTry, ty)?;
        let label = self.labels.last().ok_or(Refusal::Malformed)?;
        let base = u16::try_from(label.height).map_err(|_| Refusal::TooLarge)?;
        let (first, count) = (self.tables.clauses.len() as u32, clauses.len() as u32);
        for ClauseInfo { tag, is_rethrown } in clauses {
            let reference =
                if is_rethrown { ReferencePlace::Below } else { ReferencePlace::Unused };
            self.tables.clauses.push(Clause { tag, reference, base });
            let block = self.cold_block();
            self.landing_blocks.push(block);
        }
        self.innermost_try = self.tables.tries.len() as u32;
        self.tables.tries.push(Try { outer, first, count });
        let around = self.innermost_try;
        let label = self.labels.last_mut().ok_or(Refusal::Malformed)?;
        (label.around, label.next_clause) = (around, first);
        Ok(())
    }

    /// A `catch`, or a `catch_all` without a tag.
    fn catch(&mut self, tag: Option<u32>) -> Result<(), Refusal> {
        if self.reachable {
            self.branch(0)?;
        }
        let label = self.labels.last_mut().ok_or(Refusal::Malformed)?;
        label.kind = BlockKind::LegacyCatch;
        label.around = label.outer_try;
        self.innermost_try = label.outer_try;
        let (number, depth, height) = (label.next_clause, label.depth, label.height);
        let below = label.below.clone();
        label.next_clause += 1;
        let block = *self.landing_blocks.get(number as usize).ok_or(Refusal::Malformed)?;
        self.builder.switch_to_block(block);
        self.reset_stack((depth, height), &below, &[]);
        self.read_memory0();
        self.charge_units(work::SLOW);
        let payload = match tag {
            Some(tag) => self.payload(tag)?.to_vec(),
            None => Vec::new(),
        };
        let slots = self.slot_address(height);
        let tys: Vec<ValType> = [ValType::EXNREF].into_iter().chain(payload).collect();
        let values = self.load_values(&tys, slots)?;
        self.push_results(&tys, &values);
        self.reachable = true;
        Ok(())
    }

    fn rethrow(&mut self, depth: u32) -> Result<(), Refusal> {
        let place = self.label_at(depth)?.depth;
        let word = *self.stack.get(place).ok_or(Refusal::Malformed)?;
        self.show_references();
        self.throw_by(builtin!(throw_ref), &[word]);
        Ok(())
    }
}
