//! Operators: which method each one is for.

use super::{Refusal, Translator};
use crate::abi::trap::Trap;
use crate::jit::layout::builtin;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{InstBuilder, types};
use wasmparser::Operator;

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
            Operator::End | Operator::Else if self.skipped == 0 => self.operator(operator)?,
            _ => {}
        }
        Ok(())
    }

    fn operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        match *operator {
            Operator::Unreachable => {
                self.trap(Trap::Unreachable);
                self.end_reachable();
                Ok(())
            }
            Operator::Nop => Ok(()),
            Operator::Block { blockty } => self.block(blockty),
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
            Operator::Drop => self.pop().map(|_| ()),
            Operator::Select | Operator::TypedSelect { .. } => self.select(),
            Operator::LocalGet { local_index } => self.local_get(local_index),
            Operator::LocalSet { local_index } => self.local_set(local_index),
            Operator::LocalTee { local_index } => self.local_tee(local_index),
            Operator::GlobalGet { global_index } => self.global_get(global_index),
            Operator::GlobalSet { global_index } => self.global_set(global_index),
            Operator::RefNull { hty } => self.ref_null(hty),
            Operator::RefIsNull => self.eqz(),
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
            _ => self.numeric_operator(operator),
        }
    }

    #[rustfmt::skip]
    fn numeric_operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        match *operator {
            Operator::I32Add | Operator::I64Add => self.binary(|this, a, b| this.builder.ins().iadd(a, b)),
            Operator::I32Sub | Operator::I64Sub => self.binary(|this, a, b| this.builder.ins().isub(a, b)),
            Operator::I32Mul | Operator::I64Mul => self.binary(|this, a, b| this.builder.ins().imul(a, b)),
            Operator::I32And | Operator::I64And => self.binary(|this, a, b| this.builder.ins().band(a, b)),
            Operator::I32Or | Operator::I64Or => self.binary(|this, a, b| this.builder.ins().bor(a, b)),
            Operator::I32Xor | Operator::I64Xor => self.binary(|this, a, b| this.builder.ins().bxor(a, b)),
            Operator::I32Shl | Operator::I64Shl => self.binary(|this, a, b| this.builder.ins().ishl(a, b)),
            Operator::I32ShrS | Operator::I64ShrS => self.binary(|this, a, b| this.builder.ins().sshr(a, b)),
            Operator::I32ShrU | Operator::I64ShrU => self.binary(|this, a, b| this.builder.ins().ushr(a, b)),
            Operator::I32Rotl | Operator::I64Rotl => self.binary(|this, a, b| this.builder.ins().rotl(a, b)),
            Operator::I32Rotr | Operator::I64Rotr => self.binary(|this, a, b| this.builder.ins().rotr(a, b)),
            Operator::I32Clz | Operator::I64Clz => self.unary(|this, a| this.builder.ins().clz(a)),
            Operator::I32Ctz | Operator::I64Ctz => self.unary(|this, a| this.builder.ins().ctz(a)),
            Operator::I32Popcnt | Operator::I64Popcnt => self.unary(|this, a| this.builder.ins().popcnt(a)),
            Operator::I32DivS | Operator::I64DivS => self.divide_signed(),
            Operator::I32DivU | Operator::I64DivU => self.divide(|this, a, b| this.builder.ins().udiv(a, b)),
            Operator::I32RemS | Operator::I64RemS => self.divide(|this, a, b| this.builder.ins().srem(a, b)),
            Operator::I32RemU | Operator::I64RemU => self.divide(|this, a, b| this.builder.ins().urem(a, b)),
            Operator::I32Eqz | Operator::I64Eqz => self.eqz(),
            Operator::I32Eq | Operator::I64Eq => self.int_compare(IntCC::Equal),
            Operator::I32Ne | Operator::I64Ne => self.int_compare(IntCC::NotEqual),
            Operator::I32LtS | Operator::I64LtS => self.int_compare(IntCC::SignedLessThan),
            Operator::I32LtU | Operator::I64LtU => self.int_compare(IntCC::UnsignedLessThan),
            Operator::I32GtS | Operator::I64GtS => self.int_compare(IntCC::SignedGreaterThan),
            Operator::I32GtU | Operator::I64GtU => self.int_compare(IntCC::UnsignedGreaterThan),
            Operator::I32LeS | Operator::I64LeS => self.int_compare(IntCC::SignedLessThanOrEqual),
            Operator::I32LeU | Operator::I64LeU => self.int_compare(IntCC::UnsignedLessThanOrEqual),
            Operator::I32GeS | Operator::I64GeS => self.int_compare(IntCC::SignedGreaterThanOrEqual),
            Operator::I32GeU | Operator::I64GeU => self.int_compare(IntCC::UnsignedGreaterThanOrEqual),
            Operator::F32Eq | Operator::F64Eq => self.float_compare(FloatCC::Equal),
            Operator::F32Ne | Operator::F64Ne => self.float_compare(FloatCC::NotEqual),
            Operator::F32Lt | Operator::F64Lt => self.float_compare(FloatCC::LessThan),
            Operator::F32Gt | Operator::F64Gt => self.float_compare(FloatCC::GreaterThan),
            Operator::F32Le | Operator::F64Le => self.float_compare(FloatCC::LessThanOrEqual),
            Operator::F32Ge | Operator::F64Ge => self.float_compare(FloatCC::GreaterThanOrEqual),
            Operator::F32Add | Operator::F64Add => self.binary(|this, a, b| this.builder.ins().fadd(a, b)),
            Operator::F32Sub | Operator::F64Sub => self.binary(|this, a, b| this.builder.ins().fsub(a, b)),
            Operator::F32Mul | Operator::F64Mul => self.binary(|this, a, b| this.builder.ins().fmul(a, b)),
            Operator::F32Div | Operator::F64Div => self.binary(|this, a, b| this.builder.ins().fdiv(a, b)),
            Operator::F32Min | Operator::F64Min => self.binary(|this, a, b| this.builder.ins().fmin(a, b)),
            Operator::F32Max | Operator::F64Max => self.binary(|this, a, b| this.builder.ins().fmax(a, b)),
            Operator::F32Copysign | Operator::F64Copysign => self.binary(|this, a, b| this.builder.ins().fcopysign(a, b)),
            Operator::F32Abs | Operator::F64Abs => self.unary(|this, a| this.builder.ins().fabs(a)),
            Operator::F32Neg | Operator::F64Neg => self.unary(|this, a| this.builder.ins().fneg(a)),
            Operator::F32Ceil | Operator::F64Ceil => self.unary(|this, a| this.builder.ins().ceil(a)),
            Operator::F32Floor | Operator::F64Floor => self.unary(|this, a| this.builder.ins().floor(a)),
            Operator::F32Trunc | Operator::F64Trunc => self.unary(|this, a| this.builder.ins().trunc(a)),
            Operator::F32Nearest | Operator::F64Nearest => self.unary(|this, a| this.builder.ins().nearest(a)),
            Operator::F32Sqrt | Operator::F64Sqrt => self.unary(|this, a| this.builder.ins().sqrt(a)),
            Operator::I32TruncF32S => self.truncate(types::I32, true),
            Operator::I32TruncF32U => self.truncate(types::I32, false),
            Operator::I32TruncF64S => self.truncate(types::I32, true),
            Operator::I32TruncF64U => self.truncate(types::I32, false),
            Operator::I64TruncF32S => self.truncate(types::I64, true),
            Operator::I64TruncF32U => self.truncate(types::I64, false),
            Operator::I64TruncF64S => self.truncate(types::I64, true),
            Operator::I64TruncF64U => self.truncate(types::I64, false),
            Operator::I32TruncSatF32S | Operator::I32TruncSatF64S => self.truncate_saturating(types::I32, true),
            Operator::I32TruncSatF32U | Operator::I32TruncSatF64U => self.truncate_saturating(types::I32, false),
            Operator::I64TruncSatF32S | Operator::I64TruncSatF64S => self.truncate_saturating(types::I64, true),
            Operator::I64TruncSatF32U | Operator::I64TruncSatF64U => self.truncate_saturating(types::I64, false),
            Operator::F32ConvertI32S | Operator::F32ConvertI64S => self.unary(|this, a| this.builder.ins().fcvt_from_sint(types::F32, a)),
            Operator::F32ConvertI32U | Operator::F32ConvertI64U => self.unary(|this, a| this.builder.ins().fcvt_from_uint(types::F32, a)),
            Operator::F64ConvertI32S | Operator::F64ConvertI64S => self.unary(|this, a| this.builder.ins().fcvt_from_sint(types::F64, a)),
            Operator::F64ConvertI32U | Operator::F64ConvertI64U => self.unary(|this, a| this.builder.ins().fcvt_from_uint(types::F64, a)),
            Operator::I32WrapI64 => self.unary(|this, a| this.builder.ins().ireduce(types::I32, a)),
            Operator::I64ExtendI32S => self.unary(|this, a| this.builder.ins().sextend(types::I64, a)),
            Operator::I64ExtendI32U => self.unary(|this, a| this.builder.ins().uextend(types::I64, a)),
            Operator::F32DemoteF64 => self.unary(|this, a| this.builder.ins().fdemote(types::F32, a)),
            Operator::F64PromoteF32 => self.unary(|this, a| this.builder.ins().fpromote(types::F64, a)),
            Operator::I32ReinterpretF32 => self.bitcast(types::I32),
            Operator::I64ReinterpretF64 => self.bitcast(types::I64),
            Operator::F32ReinterpretI32 => self.bitcast(types::F32),
            Operator::F64ReinterpretI64 => self.bitcast(types::F64),
            Operator::I32Extend8S | Operator::I64Extend8S => self.extend(types::I8),
            Operator::I32Extend16S | Operator::I64Extend16S => self.extend(types::I16),
            Operator::I64Extend32S => self.extend(types::I32),
            _ => Err(Refusal::Unsupported),
        }
    }
}
