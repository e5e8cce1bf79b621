//! Tables.

use super::signatures::clif_type;
use super::{Refusal, Translator};
use crate::abi::trap::Trap;
use crate::abi::types::TableType;
use crate::jit::layout::{self as at, builtin};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value, types};

impl Translator<'_, '_> {
    fn table_type(&self, table: u32) -> Result<&TableType, Refusal> {
        Ok(&self.module.tables.get(table as usize).ok_or(Refusal::Malformed)?.ty)
    }

    /// The address of element `index` of a table, or a trap.
    pub(super) fn element(
        &mut self,
        table: u32,
        index: Value,
        trap: Trap,
    ) -> Result<Value, Refusal> {
        let record = self.table(table)?;
        let index = self.extended(index);
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

    pub(super) fn table_get(&mut self, table: u32) -> Result<(), Refusal> {
        self.check_table(table)?;
        let index = self.pop()?;
        let place = self.element(table, index, Trap::TableOutOfBounds)?;
        let flags = self.regions.tables();
        let value = self.builder.ins().load(types::I64, flags, place, 0);
        self.push_of(value, self.table_type(table)?.elem);
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

    /// Tables of functions are what compiled code has.
    pub(super) fn check_table(&self, table: u32) -> Result<(), Refusal> {
        clif_type(self.table_type(table)?.elem).ok_or(Refusal::Unsupported).map(|_| ())
    }

    /// An index or a count with 32 bits, more than any table has elements if it has more.
    fn index_32(&mut self, value: Value) -> Value {
        if self.builder.func.dfg.value_type(value) == types::I32 {
            return value;
        }
        let most = self.word(u32::MAX.into());
        let value = self.builder.ins().umin(value, most);
        self.builder.ins().ireduce(types::I32, value)
    }

    /// Pushes a number of elements with as many bits as the table's indices.
    fn push_elements(&mut self, table: u32, elements: Value) -> Result<(), Refusal> {
        let elements = match self.table_type(table)?.table64 {
            true => elements,
            false => self.builder.ins().ireduce(types::I32, elements),
        };
        self.push(elements);
        Ok(())
    }

    pub(super) fn table_size(&mut self, table: u32) -> Result<(), Refusal> {
        self.check_table(table)?;
        let record = self.table(table)?;
        let len = self.load_state(types::I64, record, at::TABLE_LEN);
        self.push_elements(table, len)
    }

    pub(super) fn table_grow(&mut self, table: u32) -> Result<(), Refusal> {
        self.check_table(table)?;
        let (init, delta) = self.pop_pair()?;
        let delta = self.index_32(delta);
        let delta = self.extended(delta);
        let index = self.int(types::I32, table.into());
        self.call_fallible(builtin!(table_grow), &[index, delta, init]);
        let old = self.load_scratch(types::I64);
        self.push_elements(table, old)
    }

    pub(super) fn table_fill(&mut self, table: u32) -> Result<(), Refusal> {
        self.check_table(table)?;
        let count = self.pop()?;
        let (to, value) = self.pop_pair()?;
        let (to, count) = (self.index_32(to), self.index_32(count));
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
        let (to_at, from_at) = (self.index_32(to_at), self.index_32(from_at));
        let (of, count) = (self.indices(to, from), self.index_32(count));
        self.call_fallible(function, &[of, to_at, from_at, count]);
        Ok(())
    }

    pub(super) fn elem_drop(&mut self, segment: u32) {
        let segment = self.int(types::I32, segment.into());
        self.call_fallible(builtin!(elem_drop), &[segment]);
    }
}
