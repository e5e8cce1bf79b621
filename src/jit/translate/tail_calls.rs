//! Tail calls: the called function takes over the frame of the one that ends, on both stacks.
//!
//! Code that begins at a loop has another signature than its function, and so no tail calls.

use super::{Refusal, Translator};
use crate::abi::types::FuncType;
use crate::exec::work;
use crate::jit::layout::{self as at, builtin};
use cranelift_codegen::ir::{Block, InstBuilder, SigRef, Value, types};

impl Translator<'_, '_> {
    pub(super) fn return_call(&mut self, func_index: u32) -> Result<(), Refusal> {
        let type_index = *self.module.funcs.get(func_index as usize).ok_or(Refusal::Malformed)?;
        let ty = self.type_of(type_index)?;
        let args = self.last_arguments(ty)?;
        match func_index.checked_sub(self.module.imported.funcs) {
            Some(defined) => {
                self.callees.push(func_index);
                let signature = self.signature(type_index)?;
                let callee = self.defined_native(defined);
                self.take_over(signature, callee, ty, &args);
            }
            None => {
                let instance = self.instance;
                let refs = self.load_constant(types::I64, instance, at::INSTANCE_FUNC_REFS);
                let offset = i64::from(func_index) * at::FUNC_BYTES;
                let func = self.builder.ins().iadd_imm_s(refs, offset);
                self.end_outside(func, &args)?;
            }
        }
        self.end_reachable();
        Ok(())
    }

    pub(super) fn return_call_indirect(
        &mut self,
        type_index: u32,
        table: u32,
    ) -> Result<(), Refusal> {
        let index = self.pop()?;
        let args = self.last_arguments(self.type_of(type_index)?)?;
        let outside = self.cold_block();
        let func = self.indirect_callee((type_index, table), index, outside)?;
        self.end_with(type_index, (func, outside), &args)
    }

    pub(super) fn return_call_ref(&mut self, type_index: u32) -> Result<(), Refusal> {
        let func = self.pop()?;
        let args = self.last_arguments(self.type_of(type_index)?)?;
        let outside = self.cold_block();
        self.check_callee(func, outside);
        self.end_with(type_index, (func, outside), &args)
    }

    /// Ends with a call of a function by its reference, guest code; or of any in `outside`.
    fn end_with(
        &mut self,
        type_index: u32,
        (func, outside): (Value, Block),
        args: &[Value],
    ) -> Result<(), Refusal> {
        let ty = self.type_of(type_index)?;
        let signature = self.signature(type_index)?;
        let callee = self.own_native(func, outside);
        self.take_over(signature, callee, ty, args);
        self.builder.switch_to_block(outside);
        self.end_outside(func, args)?;
        self.end_reachable();
        Ok(())
    }

    fn last_arguments(&mut self, ty: &FuncType) -> Result<Vec<Value>, Refusal> {
        if self.start.is_some() {
            return Err(Refusal::Unsupported);
        }
        self.pop_many(ty.params().len())
    }

    /// Ends with a call of compiled code of this instance.
    fn take_over(
        &mut self,
        signature: SigRef,
        (record, native): (Value, Value),
        ty: &FuncType,
        args: &[Value],
    ) {
        self.charge_some(work::of_slots(ty.param_slots() as usize));
        let frame = self.frame;
        let flags = self.regions.slots();
        self.builder.ins().store(flags, record, frame, 0);
        let all: Vec<Value> = [self.env, frame].iter().chain(args).copied().collect();
        self.builder.ins().return_call_indirect(signature, native, &all);
    }

    /// Ends with a call through the runtime.
    fn end_outside(&mut self, func: Value, args: &[Value]) -> Result<(), Refusal> {
        let frame = self.frame;
        self.store_values(args, frame);
        let native_frame = self.builder.ins().get_frame_pointer(types::I64);
        let mark = self.word(self.point_mark());
        let args = [func, frame, native_frame, mark];
        let code = self.call_builtin(builtin!(end_with), &args, types::I32);
        self.return_from_frame(code)
    }
}
