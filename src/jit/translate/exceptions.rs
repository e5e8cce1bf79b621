//! Throwing, and the clauses that catch.
//!
//! A `try_table` emits nothing where it begins. Calls inside of it name, for each clause around
//! them, a block to go on in: it takes the values that the clause carries from the frame's slots,
//! where `unwind` has left them, and goes to the label.

use super::open_block::{BlockKind, Landing};
use super::{Refusal, Translator};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::exec::throw::ReferencePlace;
use crate::exec::work;
use crate::interp::clause_parts;
use crate::jit::frame_tables::{Clause, NO_TRY, Try};
use crate::jit::layout::builtin;
use cranelift_codegen::ir::{
    BlockArg, BlockCall, ExceptionTableData, ExceptionTableItem, ExceptionTag, InstBuilder, SigRef,
    Value, types,
};
use wasmparser::{Catch, Operator, TryTable};

impl Translator<'_, '_> {
    /// Exceptions, then all others.
    pub(super) fn exception_operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        match *operator {
            Operator::TryTable { ref try_table } => self.try_table(try_table),
            Operator::Throw { tag_index } => self.throw(tag_index),
            Operator::ThrowRef => self.throw_ref(),
            _ => self.legacy_operator(operator),
        }
    }

    /// The types of a tag's payload.
    pub(super) fn payload(&self, tag: u32) -> Result<&[ValType], Refusal> {
        let index = *self.module.tags.get(tag as usize).ok_or(Refusal::Malformed)?;
        Ok(self.module.types.func(index).ok_or(Refusal::Malformed)?.params())
    }

    fn try_table(&mut self, try_table: &TryTable) -> Result<(), Refusal> {
        let first = self.tables.clauses.len() as u32;
        let mut landings = Vec::new();
        for catch in &try_table.catches {
            landings.push(self.clause(*catch)?);
        }
        self.block_of_kind(BlockKind::Try, try_table.ty)?;
        let outer = self.innermost_try;
        let count = landings.len() as u32;
        if count > 0 {
            self.innermost_try = self.tables.tries.len() as u32;
            self.tables.tries.push(Try { outer, first, count });
        }
        let around = self.innermost_try;
        let label = self.labels.last_mut().ok_or(Refusal::Malformed)?;
        (label.around, label.landings) = (around, landings);
        Ok(())
    }

    /// Notes a clause; its block is filled when the `try_table` ends.
    fn clause(&mut self, catch: Catch) -> Result<Landing, Refusal> {
        let (tag, reference, depth) = clause_parts(catch);
        let (base, carried) = self.carried_slots(depth)?;
        self.frame_slots = self.frame_slots.max(base + carried);
        let base = u16::try_from(base).map_err(|_| Refusal::TooLarge)?;
        let clause = Clause { tag, reference, base };
        self.tables.clauses.push(clause);
        let block = self.cold_block();
        self.landing_blocks.push(block);
        Ok(Landing { block, clause, depth })
    }

    /// Fills the blocks of the innermost `try_table`'s clauses.
    pub(super) fn fill_landings(&mut self, landings: Vec<Landing>) -> Result<(), Refusal> {
        for Landing { block, clause, depth } in landings {
            self.builder.switch_to_block(block);
            self.read_memory0();
            self.charge_units(work::SLOW);
            let slots = self.slot_address(clause.base.into());
            let payload = match clause.tag {
                Some(tag) => self.payload(tag)?.to_vec(),
                None => Vec::new(),
            };
            let reference = (clause.reference == ReferencePlace::Above).then_some(ValType::EXNREF);
            let tys: Vec<ValType> = payload.into_iter().chain(reference).collect();
            let values = self.load_values(&tys, slots)?;
            // The label of the `try_table` itself is not counted.
            self.land(depth + 1, &values)?;
        }
        Ok(())
    }

    fn throw(&mut self, tag: u32) -> Result<(), Refusal> {
        let count = self.payload(tag)?.len();
        self.show_references();
        let values = self.pop_many(count)?;
        let slots = self.slot_address(self.height);
        self.store_values(&values, slots);
        let tag = self.int(types::I32, tag.into());
        self.throw_by(builtin!(throw), &[tag, slots]);
        Ok(())
    }

    fn throw_ref(&mut self) -> Result<(), Refusal> {
        let word = self.pop()?;
        self.trap_if_null(word, Trap::NullReference);
        self.show_references();
        self.throw_by(builtin!(throw_ref), &[word]);
        Ok(())
    }

    pub(super) fn throw_by(&mut self, offset: i32, args: &[Value]) {
        self.call_without_return(offset, args);
        self.end_reachable();
    }

    /// Calls a function out of which exceptions may come, and returns its results.
    pub(super) fn call_throwing(
        &mut self,
        signature: SigRef,
        callee: Value,
        args: &[Value],
    ) -> Vec<Value> {
        if self.innermost_try == NO_TRY {
            let call = self.builder.ins().call_indirect(signature, callee, args);
            return self.builder.inst_results(call).to_vec();
        }
        if self.tables.throwing.last().is_none_or(|last| last.0 != self.position) {
            self.tables.throwing.push((self.position, self.innermost_try));
        }
        let normal = self.builder.create_block();
        let results = self.builder.func.dfg.signatures[signature].returns.clone();
        let mut returned = Vec::with_capacity(results.len());
        for (index, result) in results.iter().enumerate() {
            self.builder.append_block_param(normal, result.value_type);
            returned.push(BlockArg::TryCallRet(index as u32));
        }
        let pool = &mut self.builder.func.dfg.value_lists;
        let mut items = Vec::new();
        let mut around = self.tables.tries.get(self.innermost_try as usize);
        while let Some(&Try { outer, first, count }) = around {
            for clause in first..first + count {
                let block = self.landing_blocks[clause as usize];
                let call = BlockCall::new(block, [], pool);
                items.push(ExceptionTableItem::Tag(ExceptionTag::from_u32(clause), call));
            }
            around = self.tables.tries.get(outer as usize);
        }
        let normal_call = BlockCall::new(normal, returned, pool);
        let table = ExceptionTableData::new(signature, normal_call, items);
        let table = self.builder.func.dfg.exception_tables.push(table);
        self.builder.ins().try_call_indirect(callee, args, table);
        self.builder.switch_to_block(normal);
        self.builder.block_params(normal).to_vec()
    }
}
