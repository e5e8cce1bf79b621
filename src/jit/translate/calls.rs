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
        let index = self.pop()?;
        let args = self.arguments(self.type_of(type_index)?)?;
        let outside = self.cold_block();
        let func = self.indirect_callee((type_index, table), index, outside)?;
        self.call_func(type_index, (func, outside), &args)
    }

    /// The function that an element of a table refers to, if it has the type; leads to `outside`
    /// unless it is guest code.
    pub(super) fn indirect_callee(
        &mut self,
        (type_index, table): (u32, u32),
        index: Value,
        outside: Block,
    ) -> Result<Value, Refusal> {
        let place = self.element(table, index, Trap::UndefinedElement)?;
        let flags = self.regions.tables();
        let func = self.builder.ins().load(types::I64, flags, place, 0);
        self.trap_if_null(func, Trap::UninitializedElement);
        // The number of the type, and above it the kind, which is zero for guest code.
        let head = self.builder.ins().load(types::I64, flags, func, at::FUNC_TYPE_ID);
        let instance = self.instance;
        let ids = self.load_constant(types::I64, instance, at::INSTANCE_TYPE_IDS);
        let offset = i32::try_from(u64::from(type_index) * 4).map_err(|_| Refusal::TooLarge)?;
        let wanted = self.load_constant(types::I32, ids, offset);
        let wanted = self.builder.ins().uextend(types::I64, wanted);
        let differs = self.compare(IntCC::NotEqual, head, wanted);
        let (cold, next) = self.leave_if(differs);
        self.builder.switch_to_block(cold);
        let ty = self.int(types::I32, type_index.into());
        self.call_fallible(builtin!(check_subtype), &[func, ty]);
        let is_other = self.is_no_guest_code(func);
        self.builder.ins().brif(is_other, outside, &[], next, &[]);
        self.builder.switch_to_block(next);
        Ok(func)
    }

    fn is_no_guest_code(&mut self, func: Value) -> Value {
        let flags = self.regions.tables();
        let kind = self.builder.ins().load(types::I32, flags, func, at::FUNC_KIND);
        let wasm = self.int(types::I32, VmFuncKind::Wasm as i64);
        self.compare(IntCC::NotEqual, kind, wasm)
    }

    pub(super) fn call_ref(&mut self, type_index: u32) -> Result<(), Refusal> {
        let func = self.pop()?;
        let args = self.arguments(self.type_of(type_index)?)?;
        let outside = self.cold_block();
        self.check_callee(func, outside);
        self.call_func(type_index, (func, outside), &args)
    }

    /// Traps if a reference is null; leads to `outside` unless its function is guest code.
    pub(super) fn check_callee(&mut self, func: Value, outside: Block) {
        self.trap_if_null(func, Trap::NullFunction);
        let is_other = self.is_no_guest_code(func);
        self.go_on_unless(is_other, outside);
    }

    /// Calls a function by its reference, guest code: one of this instance's that has native code
    /// from here. Any other, and those in the block `outside`, are called through the runtime.
    fn call_func(
        &mut self,
        type_index: u32,
        (func, outside): (Value, Block),
        args: &[Value],
    ) -> Result<(), Refusal> {
        let ty = self.type_of(type_index)?;
        let signature = self.signature(type_index)?;
        let joined = self.block_of_results(ty)?;
        let (record, native) = self.own_native(func, outside);
        let results = self.call_native(signature, (record, native), args);
        self.jump(joined, &results);
        self.or_call_out((outside, joined), func, ty, args)
    }

    /// The record and the native code of a function of this instance; leads to `outside` if it is
    /// another's, or has none. It is guest code.
    pub(super) fn own_native(&mut self, func: Value, outside: Block) -> (Value, Value) {
        let flags = self.regions.tables();
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
