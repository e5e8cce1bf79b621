//! Calls within the instance, globals, and tables.

use super::signatures::clif_type;
use super::{Refusal, Translator, signatures};
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::abi::vm_layout::{VmFuncKind, VmGlobal};
use crate::jit::layout::{self as at, builtin};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, InstBuilder, SigRef, Value, types};

impl<'m> Translator<'_, 'm> {
    fn signature(&mut self, type_index: u32) -> Result<SigRef, Refusal> {
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
        let args = self.pop_many(ty.params().len())?;
        let instance = self.instance;
        let codes = self.load_constant(types::I64, instance, at::INSTANCE_CODES);
        let record = self.builder.ins().iadd_imm_s(codes, i64::from(defined) * at::CODE_BYTES);
        // Never null: something is provided for the functions in `callees` before this code runs.
        let native = self.load_state(types::I64, record, at::CODE_NATIVE);
        let results = self.call_native(signature, (record, native), &args);
        self.push_all(&results);
        Ok(())
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
        let call = self.builder.ins().call_indirect(signature, native, &all);
        let results = self.builder.inst_results(call).to_vec();
        self.reload_memory0();
        results
    }

    /// The address of element `index` of a table, or a trap.
    fn element(&mut self, table: u32, index: Value, trap: Trap) -> Result<Value, Refusal> {
        let ty = self.module.tables.get(table as usize).ok_or(Refusal::Malformed)?.ty;
        if ty.table64 {
            return Err(Refusal::Unsupported);
        }
        let record = self.table(table)?;
        let index = self.builder.ins().uextend(types::I64, index);
        let len = self.load_state(types::I64, record, at::TABLE_LEN);
        let is_outside = self.compare(IntCC::UnsignedGreaterThanOrEqual, index, len);
        self.trap_if(is_outside, trap);
        let elems = self.load_state(types::I64, record, at::TABLE_ELEMS);
        let offset = self.builder.ins().ishl_imm_u(index, 3);
        Ok(self.builder.ins().iadd(elems, offset))
    }

    fn table(&mut self, table: u32) -> Result<Value, Refusal> {
        let offset = i32::try_from(u64::from(table) * 8).map_err(|_| Refusal::TooLarge)?;
        let instance = self.instance;
        let tables = self.load_constant(types::I64, instance, at::INSTANCE_TABLES);
        Ok(self.load_constant(types::I64, tables, offset))
    }

    pub(super) fn call_indirect(&mut self, type_index: u32, table: u32) -> Result<(), Refusal> {
        let index = self.pop()?;
        let place = self.element(table, index, Trap::UndefinedElement)?;
        let flags = self.regions.tables();
        let func = self.builder.ins().load(types::I64, flags, place, 0);
        let zero = self.word(0);
        let is_null = self.compare(IntCC::Equal, func, zero);
        self.trap_if(is_null, Trap::UninitializedElement);
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
        self.call_func(type_index, func)
    }

    pub(super) fn call_ref(&mut self, type_index: u32) -> Result<(), Refusal> {
        let func = self.pop()?;
        let zero = self.word(0);
        let is_null = self.compare(IntCC::Equal, func, zero);
        self.trap_if(is_null, Trap::NullFunction);
        self.call_func(type_index, func)
    }

    /// Calls a function by its reference: one of this instance's that has native code from here,
    /// any other through the runtime.
    fn call_func(&mut self, type_index: u32, func: Value) -> Result<(), Refusal> {
        let ty = self.type_of(type_index)?;
        let signature = self.signature(type_index)?;
        let args = self.pop_many(ty.params().len())?;
        let (outside, joined) = (self.cold_block(), self.block_of_results(ty)?);
        let (record, native) = self.own_native(func, outside);
        let results = self.call_native(signature, (record, native), &args);
        self.jump(joined, &results);
        self.or_call_out((outside, joined), func, ty, &args)
    }

    /// The record and the native code of a function of this instance; leads to `outside` if it is
    /// another's, or has none.
    fn own_native(&mut self, func: Value, outside: Block) -> (Value, Value) {
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

    fn go_on_unless(&mut self, condition: Value, elsewhere: Block) {
        let next = self.builder.create_block();
        self.builder.ins().brif(condition, elsewhere, &[], next, &[]);
        self.builder.switch_to_block(next);
    }

    /// The address of a global's first slot.
    fn global(&mut self, index: u32) -> Result<(Value, i32, ValType), Refusal> {
        let ty = self.module.globals.get(index as usize).ok_or(Refusal::Malformed)?.ty.val;
        let instance = self.instance;
        let imported = self.module.imported.globals;
        let (base, offset) = match index.checked_sub(imported) {
            Some(defined) => {
                let offset = u64::from(defined) * size_of::<VmGlobal>() as u64;
                (self.load_constant(types::I64, instance, at::INSTANCE_GLOBALS), offset)
            }
            None => {
                let list = self.load_constant(types::I64, instance, at::INSTANCE_IMPORTED_GLOBALS);
                let offset = i32::try_from(u64::from(index) * 8).map_err(|_| Refusal::TooLarge)?;
                (self.load_constant(types::I64, list, offset), 0)
            }
        };
        Ok((base, i32::try_from(offset).map_err(|_| Refusal::TooLarge)?, ty))
    }

    pub(super) fn global_get(&mut self, index: u32) -> Result<(), Refusal> {
        let (base, offset, ty) = self.global(index)?;
        let ty = clif_type(ty).ok_or(Refusal::Unsupported)?;
        let value = self.load_state(ty, base, offset);
        self.push(value);
        Ok(())
    }

    pub(super) fn global_set(&mut self, index: u32) -> Result<(), Refusal> {
        let (base, offset, _) = self.global(index)?;
        let value = self.pop()?;
        let flags = self.regions.state();
        let value = self.as_slot(value);
        self.builder.ins().store(flags, value, base, offset);
        Ok(())
    }

    pub(super) fn ref_func(&mut self, index: u32) -> Result<(), Refusal> {
        let place = self.module.func_refs.place_of(index).ok_or(Refusal::Malformed)?;
        let instance = self.instance;
        let refs = self.load_constant(types::I64, instance, at::INSTANCE_FUNC_REFS);
        let func = self.builder.ins().iadd_imm_s(refs, i64::from(place) * at::FUNC_BYTES);
        self.push(func);
        Ok(())
    }

    pub(super) fn table_get(&mut self, table: u32) -> Result<(), Refusal> {
        self.check_table(table)?;
        let index = self.pop()?;
        let place = self.element(table, index, Trap::TableOutOfBounds)?;
        let flags = self.regions.tables();
        let value = self.builder.ins().load(types::I64, flags, place, 0);
        self.push(value);
        Ok(())
    }

    pub(super) fn table_set(&mut self, table: u32) -> Result<(), Refusal> {
        self.check_table(table)?;
        let (index, value) = self.pop_pair()?;
        let place = self.element(table, index, Trap::TableOutOfBounds)?;
        let flags = self.regions.tables();
        self.builder.ins().store(flags, value, place, 0);
        Ok(())
    }

    /// Tables of functions with 32-bit indices are what compiled code has.
    pub(super) fn check_table(&self, table: u32) -> Result<(), Refusal> {
        let ty = self.module.tables.get(table as usize).ok_or(Refusal::Malformed)?.ty;
        match !ty.table64 && clif_type(ty.elem).is_some() {
            true => Ok(()),
            false => Err(Refusal::Unsupported),
        }
    }

    pub(super) fn table_size(&mut self, table: u32) -> Result<(), Refusal> {
        self.check_table(table)?;
        let record = self.table(table)?;
        let len = self.load_state(types::I64, record, at::TABLE_LEN);
        let len = self.builder.ins().ireduce(types::I32, len);
        self.push(len);
        Ok(())
    }

    pub(super) fn table_grow(&mut self, table: u32) -> Result<(), Refusal> {
        self.check_table(table)?;
        let (init, delta) = self.pop_pair()?;
        let delta = self.builder.ins().uextend(types::I64, delta);
        let index = self.int(types::I32, table.into());
        self.call_fallible(builtin!(table_grow), &[index, delta, init]);
        let old = self.load_scratch(types::I32);
        self.push(old);
        Ok(())
    }

    pub(super) fn table_fill(&mut self, table: u32) -> Result<(), Refusal> {
        self.check_table(table)?;
        let count = self.pop()?;
        let (to, value) = self.pop_pair()?;
        let table = self.int(types::I32, table.into());
        self.call_fallible(builtin!(table_fill), &[table, to, value, count]);
        Ok(())
    }

    pub(super) fn table_move(
        &mut self,
        function: i32,
        (to, from): (u32, u32),
    ) -> Result<(), Refusal> {
        let count = self.pop()?;
        let (to_at, from_at) = self.pop_pair()?;
        let of = self.indices(to, from);
        self.call_fallible(function, &[of, to_at, from_at, count]);
        Ok(())
    }

    pub(super) fn elem_drop(&mut self, segment: u32) {
        let segment = self.int(types::I32, segment.into());
        self.call_fallible(builtin!(elem_drop), &[segment]);
    }
}
