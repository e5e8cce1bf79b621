//! Code that begins at a loop, for functions that have become hot in there.
//!
//! The interpreter has every local and every value of the operand stack in its slot at the start of
//! a loop. The code is that of the whole function, and what leads to the loop from the function's
//! own start is never reached: Cranelift leaves it out unless a loop around this one leads there.

use super::open_block::LoopStart;
use super::signatures::{clif_type, slots_of};
use super::{Refusal, Translator};
use crate::interp::Header;
use cranelift_codegen::ir::{Block, InstBuilder, SourceLoc, Value};
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
        for (value, &ty) in values.into_iter().zip(ty.params()) {
            self.declare_local(clif_type(ty).ok_or(Refusal::Unsupported)?, value);
        }
        self.declare_locals(body, |this, ty, slot| this.load_slot(ty, frame, slot))?;
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
    pub(super) fn start_loop(&mut self, target: Block, params: &[Value]) {
        let here = self.start.filter(|start| start.position == self.position);
        let Some(LoopStart { block, .. }) = here else {
            self.jump(target, params);
            self.builder.switch_to_block(target);
            return;
        };
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
        let mut slot = self.first_operand_slot();
        let frame = self.frame;
        for (&value, &variable) in below.iter().zip(&variables) {
            let ty = self.builder.func.dfg.value_type(value);
            let loaded = self.load_slot(ty, frame, slot);
            self.builder.def_var(variable, loaded);
            slot += slots_of(ty);
        }
        let mut loaded = Vec::with_capacity(params.len());
        for &param in params {
            let ty = self.builder.func.dfg.value_type(param);
            loaded.push(self.load_slot(ty, frame, slot));
            slot += slots_of(ty);
        }
        self.jump(target, &loaded);

        self.builder.switch_to_block(target);
        self.stack = variables.into_iter().map(|it| self.builder.use_var(it)).collect();
    }

    /// The slot behind the locals.
    fn first_operand_slot(&self) -> u32 {
        let locals = self.local_types.iter().skip(self.ty.params().len());
        let slots: u32 = locals.map(|&ty| slots_of(ty)).sum();
        self.ty.param_slots() + Header::SLOTS + slots
    }
}
