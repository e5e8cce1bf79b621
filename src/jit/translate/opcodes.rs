//! Operators: which method each one is for.

use super::open_block::BlockKind;
use super::{Refusal, Translator};
use crate::abi::trap::Trap;
use crate::jit::layout::builtin;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, types};
use wasmparser::Operator;
use wasmparser::Operator as O;

impl Translator<'_, '_> {
    /// Translates an operator. What is not reached is skipped: validation has checked it.
    pub(super) fn step(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        if self.reachable {
            return self.operator(operator);
        }
        match operator {
            Operator::Block { .. }
            | Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Try { .. }
            | Operator::TryTable { .. } => self.skipped += 1,
            Operator::End | Operator::Delegate { .. } if self.skipped > 0 => self.skipped -= 1,
            Operator::End
            | Operator::Else
            | Operator::Catch { .. }
            | Operator::CatchAll
            | Operator::Delegate { .. }
                if self.skipped == 0 =>
            {
                self.operator(operator)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Branches, and the ends of blocks, lead to code that has start and length of memory 0; but
    /// nothing reads them behind the function's end.
    fn before_branch(&mut self, operator: &Operator<'_>) {
        let outermost = self.labels.len().saturating_sub(1);
        match *operator {
            Operator::Return => self.is_memory0_stale = false,
            Operator::End if outermost == 0 => self.is_memory0_stale = false,
            Operator::Br { relative_depth } if relative_depth as usize == outermost => {
                self.is_memory0_stale = false;
            }
            Operator::Loop { .. }
            | Operator::If { .. }
            | Operator::Else
            | Operator::End
            | Operator::Br { .. }
            | Operator::BrIf { .. }
            | Operator::BrTable { .. }
            | Operator::BrOnNull { .. }
            | Operator::BrOnNonNull { .. }
            | Operator::BrOnCast { .. }
            | Operator::BrOnCastFail { .. }
            | Operator::BrOnCastDescEq { .. }
            | Operator::BrOnCastDescEqFail { .. }
            | Operator::Catch { .. }
            | Operator::CatchAll
            | Operator::Delegate { .. } => self.refresh_memory0(),
            _ => {}
        }
    }

    fn operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        if self.reachable {
            self.before_branch(operator);
        }
        match *operator {
            Operator::Unreachable => {
                self.trap(Trap::Unreachable);
                self.end_reachable();
                Ok(())
            }
            Operator::Nop => Ok(()),
            Operator::Block { blockty } => self.block_of_kind(BlockKind::Block, blockty),
            Operator::Loop { blockty } => self.loop_(blockty),
            Operator::If { blockty } => self.if_(blockty),
            Operator::Else => self.else_(),
            Operator::End => self.end(),
            Operator::Br { relative_depth } => self.br(relative_depth),
            Operator::BrIf { relative_depth } => self.br_if(relative_depth),
            Operator::BrTable { ref targets } => self.br_table(targets),
            Operator::Return => self.return_(),
            Operator::Call { function_index } => self.call(function_index),
            Operator::CallIndirect { type_index, table_index } => {
                self.call_indirect(type_index, table_index)
            }
            Operator::CallRef { type_index } => self.call_ref(type_index),
            Operator::ReturnCall { function_index } => self.return_call(function_index),
            Operator::ReturnCallIndirect { type_index, table_index } => {
                self.return_call_indirect(type_index, table_index)
            }
            Operator::ReturnCallRef { type_index } => self.return_call_ref(type_index),
            Operator::Drop => self.pop().map(|_| ()),
            Operator::Select | Operator::TypedSelect { .. } => self.select(),
            Operator::LocalGet { local_index } => self.local_get(local_index),
            Operator::LocalSet { local_index } => self.local_set(local_index),
            Operator::LocalTee { local_index } => self.local_tee(local_index),
            Operator::GlobalGet { global_index } => self.global_get(global_index),
            Operator::GlobalSet { global_index } => self.global_set(global_index),
            Operator::RefNull { .. } => self.ref_null(),
            Operator::RefIsNull => self.eqz(),
            Operator::RefAsNonNull => self.ref_as_non_null(),
            Operator::BrOnNull { relative_depth } => self.br_on_null(relative_depth),
            Operator::BrOnNonNull { relative_depth } => self.br_on_non_null(relative_depth),
            Operator::RefFunc { function_index } => self.ref_func(function_index),
            Operator::I32Const { value } => self.push_int(types::I32, value.into()),
            Operator::I64Const { value } => self.push_int(types::I64, value),
            Operator::F32Const { value } => self.push_f32(value.bits()),
            Operator::F64Const { value } => self.push_f64(value.bits()),
            _ => self.memory_operator(operator),
        }
    }

    fn memory_operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        use types::{F32, F64, I8, I16, I32, I64};
        match *operator {
            Operator::I32Load { ref memarg } => self.load(memarg, I32, |_, value| value),
            Operator::I64Load { ref memarg } => self.load(memarg, I64, |_, value| value),
            Operator::F32Load { ref memarg } => self.load(memarg, F32, |_, value| value),
            Operator::F64Load { ref memarg } => self.load(memarg, F64, |_, value| value),
            Operator::I32Load8S { ref memarg } => self.load_signed(memarg, I8, I32),
            Operator::I32Load8U { ref memarg } => self.load_unsigned(memarg, I8, I32),
            Operator::I32Load16S { ref memarg } => self.load_signed(memarg, I16, I32),
            Operator::I32Load16U { ref memarg } => self.load_unsigned(memarg, I16, I32),
            Operator::I64Load8S { ref memarg } => self.load_signed(memarg, I8, I64),
            Operator::I64Load8U { ref memarg } => self.load_unsigned(memarg, I8, I64),
            Operator::I64Load16S { ref memarg } => self.load_signed(memarg, I16, I64),
            Operator::I64Load16U { ref memarg } => self.load_unsigned(memarg, I16, I64),
            Operator::I64Load32S { ref memarg } => self.load_signed(memarg, I32, I64),
            Operator::I64Load32U { ref memarg } => self.load_unsigned(memarg, I32, I64),
            Operator::I32Store { ref memarg } => self.store(memarg, I32),
            Operator::I64Store { ref memarg } => self.store(memarg, I64),
            Operator::F32Store { ref memarg } => self.store(memarg, F32),
            Operator::F64Store { ref memarg } => self.store(memarg, F64),
            Operator::I32Store8 { ref memarg } | Operator::I64Store8 { ref memarg } => {
                self.store(memarg, I8)
            }
            Operator::I32Store16 { ref memarg } | Operator::I64Store16 { ref memarg } => {
                self.store(memarg, I16)
            }
            Operator::I64Store32 { ref memarg } => self.store(memarg, I32),
            Operator::MemorySize { mem } => self.memory_size(mem),
            Operator::MemoryGrow { mem } => self.memory_grow(mem),
            Operator::MemoryCopy { dst_mem, src_mem } => self.memory_copy(dst_mem, src_mem),
            Operator::MemoryFill { mem } => self.memory_fill(mem),
            Operator::MemoryInit { data_index, mem } => self.memory_init(mem, data_index),
            Operator::DataDrop { data_index } => {
                self.data_drop(data_index);
                Ok(())
            }
            Operator::TableGet { table } => self.table_get(table),
            Operator::TableSet { table } => self.table_set(table),
            Operator::TableSize { table } => self.table_size(table),
            Operator::TableGrow { table } => self.table_grow(table),
            Operator::TableFill { table } => self.table_fill(table),
            Operator::TableCopy { dst_table, src_table } => {
                self.check_table(dst_table)?;
                self.check_table(src_table)?;
                self.table_move(builtin!(table_copy), (dst_table, src_table))
            }
            Operator::TableInit { elem_index, table } => {
                self.check_table(table)?;
                self.table_move(builtin!(table_init), (table, elem_index))
            }
            Operator::ElemDrop { elem_index } => {
                self.elem_drop(elem_index);
                Ok(())
            }
            _ => self.integer_operator(operator),
        }
    }

    /// Integers, then all others.
    fn integer_operator(&mut self, operator: &O<'_>) -> Result<(), Refusal> {
        match *operator {
            O::I32Add | O::I64Add => self.binary(|b, x, y| b.iadd(x, y)),
            O::I32Sub | O::I64Sub => self.binary(|b, x, y| b.isub(x, y)),
            O::I32Mul | O::I64Mul => self.binary(|b, x, y| b.imul(x, y)),
            O::I32And | O::I64And => self.binary(|b, x, y| b.band(x, y)),
            O::I32Or | O::I64Or => self.binary(|b, x, y| b.bor(x, y)),
            O::I32Xor | O::I64Xor => self.binary(|b, x, y| b.bxor(x, y)),
            O::I32Shl | O::I64Shl => self.binary(|b, x, y| b.ishl(x, y)),
            O::I32ShrS | O::I64ShrS => self.binary(|b, x, y| b.sshr(x, y)),
            O::I32ShrU | O::I64ShrU => self.binary(|b, x, y| b.ushr(x, y)),
            O::I32Rotl | O::I64Rotl => self.binary(|b, x, y| b.rotl(x, y)),
            O::I32Rotr | O::I64Rotr => self.binary(|b, x, y| b.rotr(x, y)),
            O::I32Clz | O::I64Clz => self.unary(|b, x| b.clz(x)),
            O::I32Ctz | O::I64Ctz => self.unary(|b, x| b.ctz(x)),
            O::I32Popcnt | O::I64Popcnt => self.unary(|b, x| b.popcnt(x)),
            O::I32DivS | O::I64DivS => self.divide_signed(),
            O::I32DivU | O::I64DivU => self.divide(|b, x, y| b.udiv(x, y)),
            O::I32RemS | O::I64RemS => self.divide(|b, x, y| b.srem(x, y)),
            O::I32RemU | O::I64RemU => self.divide(|b, x, y| b.urem(x, y)),
            O::I32Extend8S | O::I64Extend8S => self.extend(types::I8),
            O::I32Extend16S | O::I64Extend16S => self.extend(types::I16),
            O::I64Extend32S => self.extend(types::I32),
            _ => self.comparison(operator),
        }
    }

    /// Comparisons, then all others.
    fn comparison(&mut self, operator: &O<'_>) -> Result<(), Refusal> {
        match *operator {
            O::I32Eqz | O::I64Eqz => self.eqz(),
            O::I32Eq | O::I64Eq => self.int_compare(IntCC::Equal),
            O::I32Ne | O::I64Ne => self.int_compare(IntCC::NotEqual),
            O::I32LtS | O::I64LtS => self.int_compare(IntCC::SignedLessThan),
            O::I32LtU | O::I64LtU => self.int_compare(IntCC::UnsignedLessThan),
            O::I32GtS | O::I64GtS => self.int_compare(IntCC::SignedGreaterThan),
            O::I32GtU | O::I64GtU => self.int_compare(IntCC::UnsignedGreaterThan),
            O::I32LeS | O::I64LeS => self.int_compare(IntCC::SignedLessThanOrEqual),
            O::I32LeU | O::I64LeU => self.int_compare(IntCC::UnsignedLessThanOrEqual),
            O::I32GeS | O::I64GeS => self.int_compare(IntCC::SignedGreaterThanOrEqual),
            O::I32GeU | O::I64GeU => self.int_compare(IntCC::UnsignedGreaterThanOrEqual),
            O::F32Eq | O::F64Eq => self.float_compare(FloatCC::Equal),
            O::F32Ne | O::F64Ne => self.float_compare(FloatCC::NotEqual),
            O::F32Lt | O::F64Lt => self.float_compare(FloatCC::LessThan),
            O::F32Gt | O::F64Gt => self.float_compare(FloatCC::GreaterThan),
            O::F32Le | O::F64Le => self.float_compare(FloatCC::LessThanOrEqual),
            O::F32Ge | O::F64Ge => self.float_compare(FloatCC::GreaterThanOrEqual),
            _ => self.float_operator(operator),
        }
    }

    /// Floats, then all others.
    fn float_operator(&mut self, operator: &O<'_>) -> Result<(), Refusal> {
        match *operator {
            O::F32Add | O::F64Add => self.binary(|b, x, y| b.fadd(x, y)),
            O::F32Sub | O::F64Sub => self.binary(|b, x, y| b.fsub(x, y)),
            O::F32Mul | O::F64Mul => self.binary(|b, x, y| b.fmul(x, y)),
            O::F32Div | O::F64Div => self.binary(|b, x, y| b.fdiv(x, y)),
            O::F32Min | O::F64Min => self.binary(|b, x, y| b.fmin(x, y)),
            O::F32Max | O::F64Max => self.binary(|b, x, y| b.fmax(x, y)),
            O::F32Copysign | O::F64Copysign => self.binary(|b, x, y| b.fcopysign(x, y)),
            O::F32Abs | O::F64Abs => self.unary(|b, x| b.fabs(x)),
            O::F32Neg | O::F64Neg => self.unary(|b, x| b.fneg(x)),
            O::F32Ceil | O::F64Ceil => self.unary(|b, x| b.ceil(x)),
            O::F32Floor | O::F64Floor => self.unary(|b, x| b.floor(x)),
            O::F32Trunc | O::F64Trunc => self.unary(|b, x| b.trunc(x)),
            O::F32Nearest | O::F64Nearest => self.unary(|b, x| b.nearest(x)),
            O::F32Sqrt | O::F64Sqrt => self.unary(|b, x| b.sqrt(x)),
            _ => self.conversion(operator),
        }
    }

    /// Conversions, which are the rest.
    fn conversion(&mut self, operator: &O<'_>) -> Result<(), Refusal> {
        match *operator {
            O::I32TruncF32S | O::I32TruncF64S => self.truncate(types::I32, true),
            O::I32TruncSatF32S | O::I32TruncSatF64S => self.saturating(types::I32, true),
            O::I32TruncF32U | O::I32TruncF64U => self.truncate(types::I32, false),
            O::I32TruncSatF32U | O::I32TruncSatF64U => self.saturating(types::I32, false),
            O::I64TruncF32S | O::I64TruncF64S => self.truncate(types::I64, true),
            O::I64TruncSatF32S | O::I64TruncSatF64S => self.saturating(types::I64, true),
            O::I64TruncF32U | O::I64TruncF64U => self.truncate(types::I64, false),
            O::I64TruncSatF32U | O::I64TruncSatF64U => self.saturating(types::I64, false),
            O::F32ConvertI32S | O::F32ConvertI64S => self.convert(types::F32, true),
            O::F32ConvertI32U | O::F32ConvertI64U => self.convert(types::F32, false),
            O::F64ConvertI32S | O::F64ConvertI64S => self.convert(types::F64, true),
            O::F64ConvertI32U | O::F64ConvertI64U => self.convert(types::F64, false),
            O::I32WrapI64 => self.unary(|b, x| b.ireduce(types::I32, x)),
            O::I64ExtendI32S => self.unary(|b, x| b.sextend(types::I64, x)),
            O::I64ExtendI32U => self.unary(|b, x| b.uextend(types::I64, x)),
            O::F32DemoteF64 => self.unary(|b, x| b.fdemote(types::F32, x)),
            O::F64PromoteF32 => self.unary(|b, x| b.fpromote(types::F64, x)),
            O::I32ReinterpretF32 => self.bitcast(types::I32),
            O::I64ReinterpretF64 => self.bitcast(types::I64),
            O::F32ReinterpretI32 => self.bitcast(types::F32),
            O::F64ReinterpretI64 => self.bitcast(types::F64),
            _ => self.wide_operator(operator),
        }
    }
}
