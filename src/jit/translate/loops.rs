//! Code that begins at a loop, for functions that have become hot in there.
//!
//! The interpreter has every local and every value of the operand stack in its slot at the start of
//! a loop. The code is that of the whole function, and what leads to the loop from the function's
//! own start is never reached: Cranelift leaves it out unless a loop around this one leads there.

use super::open_block::LoopStart;
use super::signatures::slots_of;
use super::{Refusal, Translator};
use crate::interp::Header;
use crate::jit::frame_tables::NO_TRY;
use cranelift_codegen::ir::{Block, InstBuilder, SourceLoc, Value};
use cranelift_frontend::Variable;
use wasmparser::FunctionBody;

impl Translator<'_, '_> {
    /// Makes the code's entry: locals from their slots, memory 0, and a jump to the loop.
    pub(super) fn begin_at_loop(
        &mut self,
        body: &FunctionBody<'_>,
        position: u32,
    ) -> Result<(), Refusal> {
        let entry = self.builder.create_block();
        self.builder.append_block_params_for_function_params(entry);
        self.builder.switch_to_block(entry);
        self.builder.set_srcloc(SourceLoc::new(position));
        let params = self.builder.block_params(entry).to_vec();
        let [env, frame, _record] = params[..] else { return Err(Refusal::Malformed) };
        (self.env, self.frame) = (env, frame);
        self.load_instance();
        let ty = self.ty;
        let values = self.load_values(ty.params(), frame)?;
        self.declare_params(&values)?;
        self.declare_locals(body, |this, ty, slot| this.load_slot(ty, frame, slot))?;
        self.tables.locals = self.local_slots.iter().flatten().map(|&slot| slot as u16).collect();
        self.begin_memory0();
        let block = self.builder.create_block();
        self.start = Some(LoopStart { position, block });
        self.builder.ins().jump(block, &[]);
        // The function's own start, which nothing leads to.
        let own = self.builder.create_block();
        self.builder.switch_to_block(own);
        self.push_function_label(None)
    }

    /// Goes on at `target`, the start of a loop with these parameters. If the code begins at this
    /// loop, it gets there from the slots as well.
    pub(super) fn start_loop(&mut self, target: Block, params: &[Value]) -> Result<(), Refusal> {
        let here = self.start.filter(|start| start.position == self.position);
        let Some(LoopStart { block, .. }) = here else {
            self.jump(target, params);
            self.builder.switch_to_block(target);
            return Ok(());
        };
        if self.innermost_try != NO_TRY {
            // Clauses would find other values below than the loop.
            return Err(Refusal::Unsupported);
        }
        // Values below the loop's come from either side.
        let below = std::mem::take(&mut self.stack);
        let mut variables = Vec::with_capacity(below.len());
        for &value in &below {
            let variable = self.builder.declare_var(self.builder.func.dfg.value_type(value));
            self.builder.def_var(variable, value);
            variables.push(variable);
        }
        self.jump(target, params);

        self.builder.switch_to_block(block);
        let values: Vec<Value> = below.iter().chain(params).copied().collect();
        let loaded = self.load_operands(&values);
        for (&variable, &value) in variables.iter().zip(&loaded) {
            self.builder.def_var(variable, value);
        }
        for label in &self.labels {
            for (&variable, &value) in label.below.iter().zip(&loaded) {
                self.builder.def_var(variable, value);
            }
        }
        self.jump(target, &loaded[below.len()..]);

        self.builder.switch_to_block(target);
        self.stack = below;
        self.read_below(&variables);
        Ok(())
    }

    /// The operand stack as it lies in the frame, with values like these.
    fn load_operands(&mut self, like: &[Value]) -> Vec<Value> {
        let mut slot = self.first_operand_slot();
        let frame = self.frame;
        let mut loaded = Vec::with_capacity(like.len());
        for &value in like {
            let ty = self.builder.func.dfg.value_type(value);
            loaded.push(self.load_slot(ty, frame, slot));
            slot += slots_of(ty);
        }
        loaded
    }

    /// In code that begins at a loop: variables that have the values on the stack up to `depth`,
    /// for the blocks in which paths around that loop and from it join.
    pub(super) fn variables_below(&mut self, depth: usize) -> Vec<Variable> {
        if self.start.is_none() {
            return Vec::new();
        }
        let mut variables = Vec::with_capacity(depth);
        for index in 0..depth.min(self.stack.len()) {
            let value = self.stack[index];
            let variable = self.builder.declare_var(self.builder.func.dfg.value_type(value));
            self.builder.def_var(variable, value);
            variables.push(variable);
        }
        variables
    }

    /// Has the lowest values of the stack be those of variables.
    pub(super) fn read_below(&mut self, variables: &[Variable]) {
        for (index, &variable) in variables.iter().enumerate().take(self.stack.len()) {
            let value = self.builder.use_var(variable);
            if self.collected.contains(self.stack[index]) {
                self.collected.insert(value);
            }
            self.stack[index] = value;
        }
    }

    /// The slot behind the locals.
    pub(super) fn first_operand_slot(&self) -> u32 {
        let locals = self.local_types.iter().skip(self.ty.params().len());
        let slots: u32 = locals.map(|&ty| slots_of(ty)).sum();
        self.ty.param_slots() + Header::SLOTS + slots
    }
}
