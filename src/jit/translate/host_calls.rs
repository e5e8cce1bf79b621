//! Calls that leave the instance: of imports, and of functions of other instances.
//!
//! Before it leaves, compiled code notes the position of its call in the activation, with its
//! native frame; afterwards it takes the note back.

use super::signatures::{self, clif_type};
use super::{Refusal, Translator};
use crate::abi::types::FuncType;
use crate::abi::vm_layout::VmFuncKind;
use crate::exec::work;
use crate::jit::frames::position_mark;
use crate::jit::layout::{self as at, builtin};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, Value, types};

impl Translator<'_, '_> {
    /// Notes that guest code leaves from here, for `host` or another instance.
    pub(super) fn leave_point(&mut self, host: Option<Value>) {
        let env = self.env;
        let activation = self.load_state(types::I64, env, at::ENV_ACTIVATION);
        let mark = self.word(self.point_mark());
        let frame = self.builder.ins().get_frame_pointer(types::I64);
        let host = match host {
            Some(host) => host,
            None => self.word(0),
        };
        self.store_state(mark, activation, at::ACTIVATION_IP);
        self.store_state(frame, activation, at::ACTIVATION_SP);
        self.store_state(host, activation, at::ACTIVATION_HOST);
    }

    /// This operator in a point's mark.
    pub(super) fn point_mark(&self) -> u64 {
        position_mark(self.position, self.start.map(|start| start.position - self.body_start))
    }

    /// Notes that guest code runs again.
    pub(super) fn resume_point(&mut self) {
        let env = self.env;
        let activation = self.load_state(types::I64, env, at::ENV_ACTIVATION);
        let zero = self.word(0);
        self.store_state(zero, activation, at::ACTIVATION_IP);
    }

    /// Calls an import: a host function from here, with its arguments in the frame's topmost slots.
    pub(super) fn call_import(&mut self, import: u32, ty: &FuncType) -> Result<(), Refusal> {
        let args = self.arguments(ty)?;
        let instance = self.instance;
        let refs = self.load_constant(types::I64, instance, at::INSTANCE_FUNC_REFS);
        let func = self.builder.ins().iadd_imm_s(refs, i64::from(import) * at::FUNC_BYTES);
        let kind = self.load_constant(types::I32, func, at::FUNC_KIND);
        let host = self.int(types::I32, VmFuncKind::Host as i64);
        let is_other = self.compare(IntCC::NotEqual, kind, host);
        let (outside, near) = self.leave_if(is_other);
        let joined = self.block_of_results(ty)?;
        self.builder.switch_to_block(near);
        let results = self.call_host(func, ty, &args)?;
        self.jump(joined, &results);
        self.or_call_out((outside, joined), func, ty, &args)
    }

    /// A block whose parameters are the results of a call.
    pub(super) fn block_of_results(&mut self, ty: &FuncType) -> Result<Block, Refusal> {
        let block = self.builder.create_block();
        for &result in ty.results() {
            let result = clif_type(result).ok_or(Refusal::Unsupported)?;
            self.builder.append_block_param(block, result);
        }
        Ok(block)
    }

    /// The other way of a call: through the runtime, in the block `outside`. Goes on in `joined`,
    /// with the results of either way.
    pub(super) fn or_call_out(
        &mut self,
        (outside, joined): (Block, Block),
        func: Value,
        ty: &FuncType,
        args: &[Value],
    ) -> Result<(), Refusal> {
        self.builder.switch_to_block(outside);
        let results = self.call_out(func, ty, args)?;
        self.jump(joined, &results);
        self.builder.switch_to_block(joined);
        self.reload_memory0();
        let results = self.builder.block_params(joined).to_vec();
        self.push_results(ty.results(), &results);
        Ok(())
    }

    /// Where arguments and results of a call lie, and their end. The running frame has room.
    fn call_slots(&mut self, ty: &FuncType) -> (Value, Value) {
        let slots = ty.param_slots().max(ty.result_slots());
        (self.slot_address(self.height), self.slot_address(self.height + slots))
    }

    /// Calls a host function that was imported by this instance.
    fn call_host(
        &mut self,
        func: Value,
        ty: &FuncType,
        args: &[Value],
    ) -> Result<Vec<Value>, Refusal> {
        self.charge_units(work::HOST_CALL);
        let (frame, top) = self.call_slots(ty);
        let env = self.env;
        self.store_values(args, frame);
        self.store_state(top, env, at::ENV_STACK_TOP);
        self.leave_point(Some(func));
        self.store_budget();
        let host = self.load_constant(types::I64, func, at::FUNC_BODY);
        let call = self.load_constant(types::I64, host, at::HOST_CALL);
        let signature = signatures::of_c(&[types::I64; 3], Some(types::I32));
        let signature = self.builtin_signature(signature);
        let call = self.builder.ins().call_indirect(signature, call, &[host, env, frame]);
        let code = self.builder.inst_results(call).first().copied().unwrap_or(env);
        self.load_budget();
        self.resume_point();
        self.check_code(code);
        self.load_values(ty.results(), frame)
    }

    /// Calls a function through the runtime.
    fn call_out(
        &mut self,
        func: Value,
        ty: &FuncType,
        args: &[Value],
    ) -> Result<Vec<Value>, Refusal> {
        let slots = ty.param_slots().max(ty.result_slots());
        let frame = self.slot_address(self.height);
        self.store_values(args, frame);
        let native_frame = self.builder.ins().get_frame_pointer(types::I64);
        // Room is looked for by the runtime.
        let (mark, slots) = (self.word(self.point_mark()), self.int(types::I32, slots.into()));
        self.call_fallible(builtin!(call_out), &[func, frame, native_frame, mark, slots]);
        self.load_values(ty.results(), frame)
    }
}
