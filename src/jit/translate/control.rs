//! A function's entry, blocks and branches, and what both take from the budget.

use super::open_block::{BlockKind, Checks, Later, OpenBlock};
use super::signatures::{clif_type, slots_of};
use super::{Refusal, Translator, malformed};
use crate::abi::types::ValType;
use crate::exec::work;
use crate::jit::layout::{self as at, builtin};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, InstBuilder, JumpTableData, Type, Value, types,
};
use cranelift_frontend::Variable;
use wasmparser::{BlockType, BrTable};

/// Native stack that has to be left to the functions that compiled code calls: with less than this
/// above the limit of host functions, a function is interpreted.
const NATIVE_RESERVE: i64 = 24 << 10;

impl Translator<'_, '_> {
    /// Checks that there is room for the frame, native stack, and budget for the body.
    pub(super) fn check_room(&mut self, params: &[Value]) -> Result<Checks, Refusal> {
        let (env, frame) = (self.env, self.frame);
        let (bytes, frame_bytes) = self.later();
        let end = self.builder.ins().iadd(frame, bytes);
        let limit = self.load_state(types::I64, env, at::ENV_STACK_LIMIT);
        let is_over = self.compare(IntCC::UnsignedGreaterThan, end, limit);
        let (cold, next) = self.leave_if(is_over);
        self.builder.switch_to_block(cold);
        self.trap_in_caller();
        self.builder.switch_to_block(next);

        let here = self.builder.ins().get_stack_pointer(types::I64);
        let here = self.builder.ins().iadd_imm_s(here, -NATIVE_RESERVE);
        let limit = self.load_state(types::I64, env, at::ENV_NATIVE_LIMIT);
        let is_low = self.compare(IntCC::UnsignedLessThan, here, limit);
        let (cold, next) = self.leave_if(is_low);
        self.builder.switch_to_block(cold);
        self.interpret_instead(params)?;
        self.builder.switch_to_block(next);

        let cost = self.charge();
        Ok(Checks { frame_bytes, cost })
    }

    /// The function has its results from the interpreter, which needs no native stack.
    fn interpret_instead(&mut self, params: &[Value]) -> Result<(), Refusal> {
        let frame = self.frame;
        let record = self.load_slot(types::I64, frame, 0);
        self.store_values(params, frame);
        let native_frame = self.builder.ins().get_frame_pointer(types::I64);
        // It keeps all registers, so that functions which call nothing else have none to save.
        self.call_preserving(builtin!(interpret_here), &[record, frame, native_frame]);
        let code = self.load_scratch(types::I32);
        self.return_from_frame(code)
    }

    /// Has the function of a record run by the interpreter, with its parameters in the frame, and
    /// returns its results.
    pub(super) fn interpret(&mut self, record: Value) -> Result<(), Refusal> {
        let frame = self.frame;
        let native_frame = self.builder.ins().get_frame_pointer(types::I64);
        let args = [record, frame, native_frame];
        let code = self.call_builtin(builtin!(interpret), &args, types::I32);
        self.return_from_frame(code)
    }

    /// Ends the run if a function of the runtime has returned a code for that; else returns the
    /// results that it has left in the frame.
    pub(super) fn return_from_frame(&mut self, code: Value) -> Result<(), Refusal> {
        let (cold, next) = self.leave_if(code);
        self.builder.switch_to_block(cold);
        self.pass_on(code);
        self.builder.switch_to_block(next);
        let (ty, frame) = (self.ty, self.frame);
        let results = self.load_values(ty.results(), frame)?;
        self.builder.ins().return_(&results);
        Ok(())
    }

    /// Takes a number that is filled in later from the budget.
    fn charge(&mut self) -> Later {
        let (cost, later) = self.later();
        self.charge_value(cost);
        later
    }

    /// Takes a number of units from the budget.
    pub(super) fn charge_units(&mut self, units: u64) {
        let cost = self.word(units);
        self.charge_value(cost);
    }

    /// As [`charge_units`](Self::charge_units), if there are any.
    pub(super) fn charge_some(&mut self, units: u64) {
        if units > 0 {
            self.charge_units(units);
        }
    }

    fn charge_value(&mut self, cost: Value) {
        let budget = self.builder.ins().get_pinned_reg(types::I64);
        let left = self.builder.ins().isub(budget, cost);
        self.builder.ins().set_pinned_reg(left);
        let zero = self.int(types::I64, 0);
        let is_used_up = self.compare(IntCC::SignedLessThan, left, zero);
        let (cold, next) = self.leave_if(is_used_up);
        self.builder.switch_to_block(cold);
        self.call_preserving(builtin!(refill), &[]);
        self.builder.ins().jump(next, &[]);
        self.builder.switch_to_block(next);
    }

    pub(super) fn push_function_label(&mut self, checks: Option<Checks>) -> Result<(), Refusal> {
        let results = self.ty.results();
        let mut label = self.label(BlockKind::Function, &[], results)?;
        label.turns = checks.into_iter().flat_map(|it| [it.frame_bytes, it.cost]).collect();
        self.labels.push(label);
        Ok(())
    }

    fn label(
        &mut self,
        kind: BlockKind,
        params: &[ValType],
        results: &[ValType],
    ) -> Result<OpenBlock, Refusal> {
        let target = self.builder.create_block();
        let carried = if kind == BlockKind::Loop { params } else { results };
        for &ty in carried {
            let clif = clif_type(ty).ok_or(Refusal::Unsupported)?;
            let value = self.builder.append_block_param(target, clif);
            self.mark(value, ty);
        }
        let list = |types: &[ValType]| -> Option<Vec<Type>> {
            types.iter().map(|&ty| clif_type(ty)).collect()
        };
        let params = list(params).ok_or(Refusal::Unsupported)?;
        let results = list(results).ok_or(Refusal::Unsupported)?;
        let below: u32 = params.iter().map(|&ty| slots_of(ty)).sum();
        let depth = self.stack.len().checked_sub(params.len()).ok_or(Refusal::Malformed)?;
        Ok(OpenBlock {
            kind,
            target,
            depth,
            below: self.variables_below(depth),
            height: self.height - below,
            params,
            results,
            else_block: None,
            else_params: Vec::new(),
            operators: self.operators,
            turns: Vec::new(),
            is_joined: false,
            outer_try: self.innermost_try,
            around: self.innermost_try,
            landings: Vec::new(),
            next_clause: 0,
        })
    }

    fn block_type(&self, ty: BlockType) -> Result<(Vec<ValType>, Vec<ValType>), Refusal> {
        Ok(match ty {
            BlockType::Empty => (Vec::new(), Vec::new()),
            BlockType::Type(ty) => {
                let ty = self.module.val_type(ty).ok_or(Refusal::Unsupported)?;
                (Vec::new(), vec![ty])
            }
            BlockType::FuncType(index) => {
                let ty = self.module.types.func(index).ok_or(Refusal::Malformed)?;
                (ty.params().to_vec(), ty.results().to_vec())
            }
        })
    }

    /// Opens a block that emits nothing.
    pub(super) fn block_of_kind(&mut self, kind: BlockKind, ty: BlockType) -> Result<(), Refusal> {
        let (params, results) = self.block_type(ty)?;
        let label = self.label(kind, &params, &results)?;
        self.labels.push(label);
        Ok(())
    }

    pub(super) fn loop_(&mut self, ty: BlockType) -> Result<(), Refusal> {
        let (params, results) = self.block_type(ty)?;
        let label = self.label(BlockKind::Loop, &params, &results)?;
        let carried = self.stack.split_off(label.depth);
        self.start_loop(label.target, &carried)?;
        // Further parameters are those of variables.
        let params = &self.builder.block_params(label.target)[..label.params.len()];
        self.stack.extend(params);
        self.labels.push(label);
        Ok(())
    }

    pub(super) fn if_(&mut self, ty: BlockType) -> Result<(), Refusal> {
        let (params, results) = self.block_type(ty)?;
        let condition = self.pop()?;
        let mut label = self.label(BlockKind::If, &params, &results)?;
        let hint = self.module.is_usually_taken(self.position);
        let (then, otherwise) = self.hinted_blocks(hint);
        // The parameters are the values themselves in either branch.
        self.builder.ins().brif(condition, then, &[], otherwise, &[]);
        self.builder.switch_to_block(then);
        label.else_block = Some(otherwise);
        label.else_params = self.stack[label.depth..].to_vec();
        self.labels.push(label);
        Ok(())
    }

    /// Blocks for a condition that is not zero and for one that is. Hints of the module say of
    /// either that it is out of the way of the other.
    fn hinted_blocks(&mut self, hint: Option<bool>) -> (Block, Block) {
        let blocks = (self.builder.create_block(), self.builder.create_block());
        match hint {
            Some(true) => self.builder.set_cold_block(blocks.1),
            Some(false) => self.builder.set_cold_block(blocks.0),
            None => {}
        }
        blocks
    }

    /// Makes the stack that of a label's start or end: `depth` values with this height, which are
    /// in the variables `below` if there are any, and the `values`.
    pub(super) fn reset_stack(
        &mut self,
        (depth, height): (usize, u32),
        below: &[Variable],
        values: &[Value],
    ) {
        self.stack.truncate(depth);
        self.height = height;
        self.read_below(below);
        for &value in values {
            self.push(value);
        }
    }

    pub(super) fn else_(&mut self) -> Result<(), Refusal> {
        if self.reachable {
            self.branch(0)?;
        }
        let label = self.labels.last_mut().ok_or(Refusal::Malformed)?;
        let otherwise = label.else_block.take().ok_or(Refusal::Malformed)?;
        let (depth, height, below) = (label.depth, label.height, label.below.clone());
        let params = std::mem::take(&mut label.else_params);
        self.builder.switch_to_block(otherwise);
        self.reset_stack((depth, height), &below, &params);
        self.reachable = true;
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<(), Refusal> {
        let top = self.labels.last().ok_or(Refusal::Malformed)?;
        let (kind, has_else) = (top.kind, top.else_block.is_some());
        if kind == BlockKind::If && has_else {
            // Without `else`, parameters are results.
            self.else_()?;
        }
        if kind == BlockKind::Loop {
            return self.end_loop();
        }
        if self.reachable {
            self.branch(0)?;
        }
        let label = self.labels.last_mut().ok_or(Refusal::Malformed)?;
        self.innermost_try = label.outer_try;
        let landings = std::mem::take(&mut label.landings);
        self.fill_landings(landings)?;
        let label = self.labels.pop().ok_or(Refusal::Malformed)?;
        self.builder.switch_to_block(label.target);
        self.reachable = label.is_joined;
        let values = self.builder.block_params(label.target).to_vec();
        if kind == BlockKind::Function {
            self.return_values(&values);
            return self.end_function(&label);
        }
        self.reset_stack((label.depth, label.height), &label.below, &values);
        if !label.is_joined {
            self.stop_here();
        }
        Ok(())
    }

    /// Units for moving the function's results to their slots, which the interpreter does.
    fn result_units(&self) -> u64 {
        work::of_slots(self.ty.result_slots() as usize)
    }

    fn return_values(&mut self, values: &[Value]) {
        self.charge_some(self.result_units());
        match self.start {
            None => self.builder.ins().return_(values),
            Some(_) => {
                let frame = self.frame;
                self.store_values(values, frame);
                self.builder.ins().return_(&[])
            }
        };
    }

    fn end_loop(&mut self) -> Result<(), Refusal> {
        let label = self.labels.pop().ok_or(Refusal::Malformed)?;
        let cost = self.operators.saturating_sub(label.operators).max(1);
        for turn in label.turns {
            self.fill_in(turn, cost.into());
        }
        // The interpreter has a place for the results even if the end is not reached.
        let results: u32 = label.results.iter().map(|&ty| slots_of(ty)).sum();
        self.frame_slots = self.frame_slots.max(label.height + results);
        Ok(())
    }

    fn end_function(&mut self, label: &OpenBlock) -> Result<(), Refusal> {
        if self.frame_slots > u16::MAX.into() {
            return Err(Refusal::TooLarge);
        }
        // Code that begins at a loop has a frame, and has been charged for.
        let [frame_bytes, cost] = label.turns[..] else { return Ok(()) };
        self.fill_in(frame_bytes, i64::from(self.frame_slots) * 8);
        self.fill_in(cost, i64::from(self.operators) + self.entry_units as i64);
        Ok(())
    }

    /// The block that is current has no way in.
    fn stop_here(&mut self) {
        self.builder.ins().trap(super::state::unreachable_code());
        self.reachable = false;
    }

    /// What follows is not reached before the end of the block, or `else`.
    pub(super) fn end_reachable(&mut self) {
        self.reachable = false;
        self.is_memory0_stale = false;
    }

    pub(super) fn label_at(&mut self, depth: u32) -> Result<&mut OpenBlock, Refusal> {
        let index = self.labels.len().checked_sub(1 + depth as usize);
        index.and_then(|index| self.labels.get_mut(index)).ok_or(Refusal::Malformed)
    }

    /// Whether the label is a loop, its target, and the number of values that branches carry.
    fn target(&mut self, depth: u32) -> Result<(bool, Block, usize), Refusal> {
        debug_assert!(!self.is_memory0_stale, "what follows a label has start and length");
        let label = self.label_at(depth)?;
        label.is_joined = true;
        let is_loop = label.kind == BlockKind::Loop;
        let carried = if is_loop { &label.params } else { &label.results };
        Ok((is_loop, label.target, carried.len()))
    }

    /// Units for moving the values that a branch carries, which the interpreter does unless they
    /// are in their places.
    fn move_units(&mut self, depth: u32) -> Result<u64, Refusal> {
        let len = self.stack.len();
        let label = self.label_at(depth)?;
        let carried = if label.kind == BlockKind::Loop { &label.params } else { &label.results };
        if len == label.depth + carried.len() {
            return Ok(0);
        }
        let slots: u32 = carried.iter().map(|&ty| slots_of(ty)).sum();
        Ok(work::of_slots(slots as usize))
    }

    /// The slot at which the values lie that a branch carries, and how many slots they take.
    pub(super) fn carried_slots(&mut self, depth: u32) -> Result<(u32, u32), Refusal> {
        let label = self.label_at(depth)?;
        let carried = if label.kind == BlockKind::Loop { &label.params } else { &label.results };
        Ok((label.height, carried.iter().map(|&ty| slots_of(ty)).sum()))
    }

    /// Goes to the label with values that a clause carries.
    pub(super) fn land(&mut self, depth: u32, values: &[Value]) -> Result<(), Refusal> {
        let (is_loop, target, _) = self.target(depth)?;
        if is_loop {
            self.charge_turn(depth)?;
        }
        self.jump(target, values);
        Ok(())
    }

    fn carried(&self, count: usize) -> Result<Vec<Value>, Refusal> {
        let first = self.stack.len().checked_sub(count).ok_or(Refusal::Malformed)?;
        Ok(self.stack[first..].to_vec())
    }

    /// Takes the cost of a turn of the loop at `depth`.
    fn charge_turn(&mut self, depth: u32) -> Result<(), Refusal> {
        let cost = self.charge();
        self.label_at(depth)?.turns.push(cost);
        Ok(())
    }

    /// A branch to the label, from here.
    pub(super) fn branch(&mut self, depth: u32) -> Result<(), Refusal> {
        let (is_loop, target, count) = self.target(depth)?;
        let values = self.carried(count)?;
        let units = self.move_units(depth)?;
        self.charge_some(units);
        if is_loop {
            self.charge_turn(depth)?;
        }
        self.jump(target, &values);
        Ok(())
    }

    pub(super) fn br(&mut self, depth: u32) -> Result<(), Refusal> {
        if depth as usize + 1 == self.labels.len() && self.result_units() > 0 {
            // The charge for the results is this operator's.
            let values = self.carried(self.ty.results().len())?;
            self.return_values(&values);
        } else {
            self.branch(depth)?;
        }
        self.end_reachable();
        Ok(())
    }

    pub(super) fn return_(&mut self) -> Result<(), Refusal> {
        let outermost = self.labels.len() - 1;
        self.br(outermost as u32)
    }

    pub(super) fn br_if(&mut self, depth: u32) -> Result<(), Refusal> {
        let condition = self.pop()?;
        self.branch_when(condition, depth)
    }

    /// A branch to the label where the condition is not zero.
    pub(super) fn branch_when(&mut self, condition: Value, depth: u32) -> Result<(), Refusal> {
        let (is_loop, target, count) = self.target(depth)?;
        let hint = self.module.is_usually_taken(self.position);
        let (taken, next) = self.hinted_blocks(hint);
        if is_loop || hint == Some(false) || self.move_units(depth)? > 0 {
            self.builder.ins().brif(condition, taken, &[], next, &[]);
            self.builder.switch_to_block(taken);
            self.branch(depth)?;
        } else {
            let values = self.carried(count)?;
            let args: Vec<BlockArg> = values.iter().map(|&value| value.into()).collect();
            self.builder.ins().brif(condition, target, &args, next, &[]);
        }
        self.builder.switch_to_block(next);
        Ok(())
    }

    pub(super) fn br_table(&mut self, table: &BrTable<'_>) -> Result<(), Refusal> {
        let index = self.pop()?;
        // Each label that branches are charged for has one block that takes the cost.
        let mut turns: Vec<(u32, Block)> = Vec::new();
        let mut calls = Vec::with_capacity(table.len() as usize);
        for depth in table.targets() {
            let depth = depth.map_err(malformed)?;
            calls.push(self.table_target(depth, &mut turns)?);
        }
        let default = self.table_target(table.default(), &mut turns)?;
        let data = JumpTableData::new(default, &calls);
        let jump_table = self.builder.create_jump_table(data);
        self.builder.ins().br_table(index, jump_table);
        for (depth, block) in turns {
            self.builder.switch_to_block(block);
            self.branch(depth)?;
        }
        self.end_reachable();
        Ok(())
    }

    fn table_target(
        &mut self,
        depth: u32,
        turns: &mut Vec<(u32, Block)>,
    ) -> Result<BlockCall, Refusal> {
        let (is_loop, target, count) = self.target(depth)?;
        let is_charged = is_loop || self.move_units(depth)? > 0;
        let values = if is_charged { Vec::new() } else { self.carried(count)? };
        let target = match turns.iter().find(|turn| turn.0 == depth) {
            Some(&(_, block)) => block,
            None if is_charged => {
                let block = self.builder.create_block();
                turns.push((depth, block));
                block
            }
            None => target,
        };
        let args: Vec<BlockArg> = values.iter().map(|&value| value.into()).collect();
        let pool = &mut self.builder.func.dfg.value_lists;
        Ok(BlockCall::new(target, args, pool))
    }
}
