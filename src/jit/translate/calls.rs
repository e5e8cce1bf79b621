//! Calls within the instance, and calls by references.

use super::{Refusal, Translator, signatures};
use crate::abi::trap::Trap;
use crate::abi::types::FuncType;
use crate::abi::vm_layout::VmFuncKind;
use crate::interp::Header;
use crate::jit::layout::{self as at, builtin};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, SigRef, Value, types};

impl<'m> Translator<'_, 'm> {
    pub(super) fn signature(&mut self, type_index: u32) -> Result<SigRef, Refusal> {
        let known = self.signatures.get(type_index as usize).copied();
        if let Some(known) = known.ok_or(Refusal::Malformed)? {
            return Ok(known);
        }
        let ty = self.module.types.func(type_index).ok_or(Refusal::Malformed)?;
        let signature = signatures::of_function(ty).ok_or(Refusal::Unsupported)?;
        let new = self.builder.import_signature(signature);
        self.signatures[type_index as usize] = Some(new);
        Ok(new)
    }

    pub(super) fn type_of(&self, type_index: u32) -> Result<&'m FuncType, Refusal> {
        self.module.types.func(type_index).ok_or(Refusal::Malformed)
    }

    pub(super) fn call(&mut self, func_index: u32) -> Result<(), Refusal> {
        let type_index = *self.module.funcs.get(func_index as usize).ok_or(Refusal::Malformed)?;
        let ty = self.type_of(type_index)?;
        let Some(defined) = func_index.checked_sub(self.module.imported.funcs) else {
            return self.call_import(func_index, ty);
        };
        self.callees.push(func_index);
        let signature = self.signature(type_index)?;
        let args = self.arguments(ty)?;
        let (record, native) = self.defined_native(defined);
        let results = self.call_native(signature, (record, native), &args);
        self.push_results(ty.results(), &results);
        Ok(())
    }

    /// The record and the native code of a function that this module defines.
    pub(super) fn defined_native(&mut self, defined: u32) -> (Value, Value) {
        let instance = self.instance;
        let codes = self.load_constant(types::I64, instance, at::INSTANCE_CODES);
        let record = self.builder.ins().iadd_imm_s(codes, i64::from(defined) * at::CODE_BYTES);
        // Never null: something is provided for the functions in `callees` before this code runs.
        (record, self.load_state(types::I64, record, at::CODE_NATIVE))
    }

    /// Takes the arguments of a call of type `ty` off the stack. The frame has room for them or the
    /// results, and for the header that the interpreter writes.
    pub(super) fn arguments(&mut self, ty: &FuncType) -> Result<Vec<Value>, Refusal> {
        let args = self.pop_many(ty.params().len())?;
        self.reserve(ty.param_slots().max(ty.result_slots()) + Header::SLOTS);
        self.show_references();
        Ok(args)
    }

    pub(super) fn push_all(&mut self, values: &[Value]) {
        for &value in values {
            self.push(value);
        }
    }

    /// Calls compiled code of this instance.
    fn call_native(
        &mut self,
        signature: SigRef,
        (record, native): (Value, Value),
        args: &[Value],
    ) -> Vec<Value> {
        let frame = self.slot_address(self.height);
        let flags = self.regions.slots();
        self.builder.ins().store(flags, record, frame, 0);
        let all: Vec<Value> = [self.env, frame].iter().chain(args).copied().collect();
        let results = self.call_throwing(signature, native, &all);
        self.reload_memory0();
        results
    }

    pub(super) fn call_indirect(&mut self, type_index: u32, table: u32) -> Result<(), Refusal> {
        let func = self.indirect_callee(type_index, table)?;
        self.call_func(type_index, func)
    }

    /// The function that the element of a table refers to whose index is on the stack, if it has
    /// the type.
    pub(super) fn indirect_callee(
        &mut self,
        type_index: u32,
        table: u32,
    ) -> Result<Value, Refusal> {
        let index = self.pop()?;
        let place = self.element(table, index, Trap::UndefinedElement)?;
        let flags = self.regions.tables();
        let func = self.builder.ins().load(types::I64, flags, place, 0);
        self.trap_if_null(func, Trap::UninitializedElement);
        let id = self.builder.ins().load(types::I32, flags, func, at::FUNC_TYPE_ID);
        let instance = self.instance;
        let ids = self.load_constant(types::I64, instance, at::INSTANCE_TYPE_IDS);
        let offset = i32::try_from(u64::from(type_index) * 4).map_err(|_| Refusal::TooLarge)?;
        let wanted = self.load_constant(types::I32, ids, offset);
        let differs = self.compare(IntCC::NotEqual, id, wanted);
        let (cold, next) = self.leave_if(differs);
        self.builder.switch_to_block(cold);
        let ty = self.int(types::I32, type_index.into());
        self.call_fallible(builtin!(check_subtype), &[func, ty]);
        self.builder.ins().jump(next, &[]);
        self.builder.switch_to_block(next);
        Ok(func)
    }

    pub(super) fn call_ref(&mut self, type_index: u32) -> Result<(), Refusal> {
        let func = self.referred_callee()?;
        self.call_func(type_index, func)
    }

    /// The function to which the reference on the stack leads.
    pub(super) fn referred_callee(&mut self) -> Result<Value, Refusal> {
        let func = self.pop()?;
        self.trap_if_null(func, Trap::NullFunction);
        Ok(func)
    }

    /// Calls a function by its reference: one of this instance's that has native code from here,
    /// any other through the runtime.
    fn call_func(&mut self, type_index: u32, func: Value) -> Result<(), Refusal> {
        let ty = self.type_of(type_index)?;
        let signature = self.signature(type_index)?;
        let args = self.arguments(ty)?;
        let (outside, joined) = (self.cold_block(), self.block_of_results(ty)?);
        let (record, native) = self.own_native(func, outside);
        let results = self.call_native(signature, (record, native), &args);
        self.jump(joined, &results);
        self.or_call_out((outside, joined), func, ty, &args)
    }

    /// The record and the native code of a function of this instance; leads to `outside` if it is
    /// another's, or has none.
    pub(super) fn own_native(&mut self, func: Value, outside: Block) -> (Value, Value) {
        let flags = self.regions.tables();
        let kind = self.builder.ins().load(types::I32, flags, func, at::FUNC_KIND);
        let wasm = self.int(types::I32, VmFuncKind::Wasm as i64);
        let is_other = self.compare(IntCC::NotEqual, kind, wasm);
        self.go_on_unless(is_other, outside);
        let owner = self.builder.ins().load(types::I64, flags, func, at::FUNC_INSTANCE);
        let instance = self.instance;
        let is_other = self.compare(IntCC::NotEqual, owner, instance);
        self.go_on_unless(is_other, outside);
        let record = self.builder.ins().load(types::I64, flags, func, at::FUNC_BODY);
        let native = self.load_state(types::I64, record, at::CODE_NATIVE);
        let zero = self.word(0);
        let is_none = self.compare(IntCC::Equal, native, zero);
        self.go_on_unless(is_none, outside);
        (record, native)
    }

    pub(super) fn go_on_unless(&mut self, condition: Value, elsewhere: Block) {
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, elsewhere, &[], next, &[]);
        self.builder.switch_to_block(next);
    }
}
