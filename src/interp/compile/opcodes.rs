//! Opcodes to operations.
//!
//! The tables name each numeric opcode once with the operation it is and the type it works on;
//! everything else is dispatched by hand below. Opcodes of features that are not executed yet
//! never get here: validation refuses them.

use super::Translator;
use super::stack::Place;
use crate::abi::heap_types::Hierarchy;
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::instr::Instr;
use crate::interp::op::{BinaryOp, CompareOp, LoadOp, StoreOp, UnaryOp};
use crate::interp::shape::{self, Indices};
use crate::module::Module;
use wasmparser::{AbstractHeapType, HeapType, Operator};

/// Our name of a value type of the parser, and for a reference that of the most general type.
pub fn val_type(ty: wasmparser::ValType, module: &Module) -> Result<ValType, Trap> {
    Ok(match ty {
        wasmparser::ValType::I32 => ValType::I32,
        wasmparser::ValType::I64 => ValType::I64,
        wasmparser::ValType::F32 => ValType::F32,
        wasmparser::ValType::F64 => ValType::F64,
        wasmparser::ValType::V128 => ValType::V128,
        wasmparser::ValType::Ref(ty) => top_of(ty, module)?,
    })
}

/// The type of all references of the hierarchy that `ty` is of: the translator needs to know no
/// more of a reference.
fn top_of(ty: wasmparser::RefType, module: &Module) -> Result<ValType, Trap> {
    let hierarchy = match ty.heap_type() {
        HeapType::Abstract { ty, .. } => match ty {
            AbstractHeapType::Func | AbstractHeapType::NoFunc => Hierarchy::Func,
            AbstractHeapType::Extern | AbstractHeapType::NoExtern => Hierarchy::Extern,
            AbstractHeapType::Exn | AbstractHeapType::NoExn => Hierarchy::Exn,
            AbstractHeapType::Any
            | AbstractHeapType::None
            | AbstractHeapType::Eq
            | AbstractHeapType::I31
            | AbstractHeapType::Struct
            | AbstractHeapType::Array => Hierarchy::Any,
            AbstractHeapType::Cont | AbstractHeapType::NoCont => {
                return Err(Trap::UnsupportedOpcode);
            }
        },
        HeapType::Concrete(index) => {
            let index = index.as_module_index().ok_or(Trap::Internal)?;
            module.types.get(index).ok_or(Trap::Internal)?.kind().hierarchy()
        }
        HeapType::Exact(_) => return Err(Trap::UnsupportedOpcode),
    };
    Ok(ValType::top_of(hierarchy))
}

/// Expands the table of numeric opcodes into a function that handles those and gives back any
/// other.
macro_rules! numeric_opcodes {
    (
        binary { $($bin:ident $bin_ty:ident,)* }
        compare { $($cmp:ident => $cmp_op:ident $cmp_ty:ident $method:ident,)* }
        unary { $($un:ident $from:ident $to:ident,)* }
        load { $($load:ident $load_ty:ident,)* }
        store { $($store:ident $store_ty:ident,)* }
    ) => {
        fn numeric_operator(
            t: &mut Translator<'_>,
            operator: &Operator<'_>,
        ) -> Option<Result<(), Trap>> {
            Some(match *operator {
                $(Operator::$bin => t.binary(BinaryOp::$bin, ValType::$bin_ty),)*
                $(Operator::$cmp => t.$method(CompareOp::$cmp_op, ValType::$cmp_ty),)*
                $(Operator::$un => t.unary(UnaryOp::$un, ValType::$from, ValType::$to),)*
                $(Operator::$load { memarg } => t.load(LoadOp::$load, ValType::$load_ty, memarg),)*
                $(Operator::$store { memarg } => {
                    t.store(StoreOp::$store, ValType::$store_ty, memarg)
                })*
                Operator::I32Eqz => t.eqz(ValType::I32),
                Operator::I64Eqz => t.eqz(ValType::I64),
                Operator::I32WrapI64 => t.wrap(),
                Operator::I64Add128 => t.wide_binary(Instr::AddWide),
                Operator::I64Sub128 => t.wide_binary(Instr::SubWide),
                Operator::I64MulWideS => t.mul_wide(true),
                Operator::I64MulWideU => t.mul_wide(false),
                _ => return None,
            })
        }
    };
}

numeric_opcodes! {
    binary {
        I32Add I32, I32Sub I32, I32Mul I32, I32DivS I32, I32DivU I32, I32RemS I32, I32RemU I32,
        I32And I32, I32Or I32, I32Xor I32, I32Shl I32, I32ShrS I32, I32ShrU I32, I32Rotl I32,
        I32Rotr I32, I64Add I64, I64Sub I64, I64Mul I64, I64DivS I64, I64DivU I64, I64RemS I64,
        I64RemU I64, I64And I64, I64Or I64, I64Xor I64, I64Shl I64, I64ShrS I64, I64ShrU I64,
        I64Rotl I64, I64Rotr I64, F32Add F32, F32Sub F32, F32Mul F32, F32Div F32, F32Min F32,
        F32Max F32, F32Copysign F32, F64Add F64, F64Sub F64, F64Mul F64, F64Div F64, F64Min F64,
        F64Max F64, F64Copysign F64,
    }
    compare {
        I32Eq => I32Eq I32 compare, I32Ne => I32Ne I32 compare, I32LtS => I32LtS I32 compare,
        I32LtU => I32LtU I32 compare, I32GtS => I32LtS I32 compare_swapped,
        I32GtU => I32LtU I32 compare_swapped, I32LeS => I32LeS I32 compare,
        I32LeU => I32LeU I32 compare, I32GeS => I32LeS I32 compare_swapped,
        I32GeU => I32LeU I32 compare_swapped, I64Eq => I64Eq I64 compare,
        I64Ne => I64Ne I64 compare, I64LtS => I64LtS I64 compare, I64LtU => I64LtU I64 compare,
        I64GtS => I64LtS I64 compare_swapped, I64GtU => I64LtU I64 compare_swapped,
        I64LeS => I64LeS I64 compare, I64LeU => I64LeU I64 compare,
        I64GeS => I64LeS I64 compare_swapped, I64GeU => I64LeU I64 compare_swapped,
        F32Eq => F32Eq F32 compare, F32Ne => F32Ne F32 compare, F32Lt => F32Lt F32 compare,
        F32Gt => F32Lt F32 compare_swapped, F32Le => F32Le F32 compare,
        F32Ge => F32Le F32 compare_swapped, F64Eq => F64Eq F64 compare,
        F64Ne => F64Ne F64 compare, F64Lt => F64Lt F64 compare,
        F64Gt => F64Lt F64 compare_swapped, F64Le => F64Le F64 compare,
        F64Ge => F64Le F64 compare_swapped,
    }
    unary {
        I32Clz I32 I32, I32Ctz I32 I32, I32Popcnt I32 I32, I32Extend8S I32 I32,
        I32Extend16S I32 I32, I64Clz I64 I64, I64Ctz I64 I64, I64Popcnt I64 I64,
        I64Extend8S I64 I64, I64Extend16S I64 I64, I64Extend32S I64 I64, I64ExtendI32S I32 I64,
        I64ExtendI32U I32 I64, F32Abs F32 F32, F32Neg F32 F32, F32Ceil F32 F32, F32Floor F32 F32,
        F32Trunc F32 F32, F32Nearest F32 F32, F32Sqrt F32 F32, F64Abs F64 F64, F64Neg F64 F64,
        F64Ceil F64 F64, F64Floor F64 F64, F64Trunc F64 F64, F64Nearest F64 F64, F64Sqrt F64 F64,
        I32TruncF32S F32 I32, I32TruncF32U F32 I32, I32TruncF64S F64 I32, I32TruncF64U F64 I32,
        I64TruncF32S F32 I64, I64TruncF32U F32 I64, I64TruncF64S F64 I64, I64TruncF64U F64 I64,
        I32TruncSatF32S F32 I32, I32TruncSatF32U F32 I32, I32TruncSatF64S F64 I32,
        I32TruncSatF64U F64 I32, I64TruncSatF32S F32 I64, I64TruncSatF32U F32 I64,
        I64TruncSatF64S F64 I64, I64TruncSatF64U F64 I64, F32ConvertI32S I32 F32,
        F32ConvertI32U I32 F32, F32ConvertI64S I64 F32, F32ConvertI64U I64 F32,
        F64ConvertI32S I32 F64, F64ConvertI32U I32 F64, F64ConvertI64S I64 F64,
        F64ConvertI64U I64 F64, F32DemoteF64 F64 F32, F64PromoteF32 F32 F64,
        I32ReinterpretF32 F32 I32, I64ReinterpretF64 F64 I64, F32ReinterpretI32 I32 F32,
        F64ReinterpretI64 I64 F64,
    }
    load {
        I32Load I32, I32Load8S I32, I32Load8U I32, I32Load16S I32, I32Load16U I32, I64Load I64,
        I64Load8S I64, I64Load8U I64, I64Load16S I64, I64Load16U I64, I64Load32S I64,
        I64Load32U I64, F32Load F32, F64Load F64,
    }
    store {
        I32Store I32, I32Store8 I32, I32Store16 I32, I64Store I64, I64Store8 I64, I64Store16 I64,
        I64Store32 I64, F32Store F32, F64Store F64,
    }
}

impl Translator<'_> {
    pub(super) fn operator(&mut self, operator: Operator<'_>) -> Result<(), Trap> {
        if let Some(done) = numeric_operator(self, &operator) {
            return done;
        }
        #[cfg(feature = "simd")]
        if let Some(done) = self.vector_operator(&operator) {
            return done;
        }
        if let Some(done) = self.reference_operator(&operator) {
            return done;
        }
        #[cfg(feature = "gc")]
        if let Some(done) = self.object_operator(&operator) {
            return done;
        }
        if let Some(done) = self.atomic_operator(&operator) {
            return done;
        }
        match operator {
            Operator::Nop => {}
            Operator::Unreachable => {
                self.op(Instr::Unreachable, ());
                self.unreachable_from_here();
            }
            Operator::Block { blockty } => self.block(blockty)?,
            Operator::Loop { blockty } => self.loop_(blockty)?,
            Operator::If { blockty } => self.if_(blockty)?,
            Operator::TryTable { try_table } => self.try_table(&try_table)?,
            Operator::Throw { tag_index } => self.throw(tag_index)?,
            Operator::ThrowRef => self.throw_ref()?,
            Operator::Try { blockty } => self.try_(blockty)?,
            Operator::Catch { tag_index } => self.catch(Some(tag_index))?,
            Operator::CatchAll => self.catch(None)?,
            Operator::Delegate { relative_depth } => self.delegate(relative_depth)?,
            Operator::Rethrow { relative_depth } => self.rethrow(relative_depth)?,
            Operator::Else => self.else_()?,
            Operator::End => self.end()?,
            Operator::Br { relative_depth } => self.br(relative_depth)?,
            Operator::BrIf { relative_depth } => self.br_if(relative_depth)?,
            Operator::BrTable { targets } => self.br_table(&targets)?,
            Operator::Return => {
                self.return_()?;
                self.unreachable_from_here();
            }
            Operator::Call { function_index } => self.call(function_index)?,
            Operator::CallIndirect { type_index, table_index } => {
                self.call_indirect(type_index, table_index)?;
            }
            Operator::ReturnCall { function_index } => self.return_call(function_index)?,
            Operator::ReturnCallIndirect { type_index, table_index } => {
                self.return_call_indirect(type_index, table_index)?;
            }
            Operator::Drop => self.drop_()?,
            Operator::Select | Operator::TypedSelect { .. } => self.select()?,
            Operator::LocalGet { local_index } => self.local_get(local_index)?,
            Operator::LocalSet { local_index } => self.local_set(local_index)?,
            Operator::LocalTee { local_index } => self.local_tee(local_index)?,
            Operator::GlobalGet { global_index } => self.global_get(global_index)?,
            Operator::GlobalSet { global_index } => self.global_set(global_index)?,
            // 32-bit constants are kept sign-extended; readers ignore the upper half.
            Operator::I32Const { value } => self.constant(ValType::I32, value as i64 as u64),
            Operator::I64Const { value } => self.constant(ValType::I64, value as u64),
            Operator::F32Const { value } => {
                self.constant(ValType::F32, value.bits() as i32 as i64 as u64);
            }
            Operator::F64Const { value } => self.constant(ValType::F64, value.bits()),
            _ => return Err(Trap::UnsupportedOpcode),
        }
        Ok(())
    }

    pub(super) fn constant(&mut self, ty: ValType, value: u64) {
        self.stack.push(ty, Place::Const(value));
        // Tables say that a reference is in its slot.
        if ty.is_collected() {
            self.stack.settle_top(&mut self.code, 1);
        }
    }

    /// References, tables and bulk memory.
    fn reference_operator(&mut self, operator: &Operator<'_>) -> Option<Result<(), Trap>> {
        Some(match *operator {
            Operator::RefNull { hty } => match wasmparser::RefType::new(true, hty) {
                Some(ty) => top_of(ty, self.module).map(|ty| self.constant(ty, 0)),
                None => Err(Trap::UnsupportedOpcode),
            },
            // A null reference is the zero word.
            Operator::RefIsNull => self.eqz(ValType::I64),
            Operator::RefAsNonNull => self.ref_as_non_null(),
            Operator::BrOnNull { relative_depth } => self.br_on_null(relative_depth),
            Operator::BrOnNonNull { relative_depth } => self.br_on_non_null(relative_depth),
            Operator::CallRef { type_index } => self.call_ref(type_index),
            Operator::ReturnCallRef { type_index } => self.return_call_ref(type_index),
            Operator::RefFunc { function_index } => self.ref_func(function_index),
            Operator::TableGet { table } => self.table_get(table),
            Operator::TableSet { table } => self.table_set(table),
            Operator::TableSize { table } => self.table_size(table),
            Operator::TableGrow { table } => self.table_grow(table),
            Operator::TableFill { table } => self.table_fill(table),
            Operator::TableCopy { dst_table, src_table } => {
                self.table_copy(Indices { to: dst_table, from: src_table })
            }
            Operator::TableInit { elem_index, table } => {
                self.table_init(Indices { to: table, from: elem_index })
            }
            Operator::ElemDrop { elem_index } => {
                self.op(Instr::ElemDrop, shape::Drop { index: elem_index });
                Ok(())
            }
            Operator::MemorySize { mem } => self.memory_size(mem),
            Operator::MemoryGrow { mem } => self.memory_grow(mem),
            Operator::MemoryCopy { dst_mem, src_mem } => {
                self.memory_copy(Indices { to: dst_mem, from: src_mem })
            }
            Operator::MemoryFill { mem } => self.memory_fill(mem),
            Operator::MemoryInit { data_index, mem } => {
                self.memory_init(Indices { to: mem, from: data_index })
            }
            Operator::DataDrop { data_index } => {
                self.op(Instr::DataDrop, shape::Drop { index: data_index });
                Ok(())
            }
            _ => return None,
        })
    }
}
