//! Constant expressions: initialisers of globals and tables, offsets, segment items.

use super::parse::collect::push;
use super::parse::{ReadResult, types};
use std::slice;
use wasmparser::Operator;

/// A constant expression as a short postfix program (extended-const included).
#[derive(Clone, Debug)]
pub struct ConstExpr(Program);

/// Almost every expression is one operation, which then costs no allocation.
#[derive(Clone, Debug)]
enum Program {
    One(ConstOp),
    Many(Box<[ConstOp]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConstOp {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    #[cfg(feature = "simd")]
    V128(u128),
    GlobalGet(u32),
    /// Null, of whatever type.
    RefNull,
    RefFunc(u32),
    I32Add,
    I32Sub,
    I32Mul,
    I64Add,
    I64Sub,
    I64Mul,
    /// A small integer from an i32.
    RefI31,
    /// Structs and arrays, by the index of their type.
    StructNew(u32),
    StructNewDefault(u32),
    ArrayNew(u32),
    ArrayNewDefault(u32),
    ArrayNewFixed {
        ty: u32,
        len: u32,
    },
}

impl ConstExpr {
    /// The operations in postfix order; validation guarantees that they leave one value.
    pub fn ops(&self) -> &[ConstOp] {
        match &self.0 {
            Program::One(op) => slice::from_ref(op),
            Program::Many(ops) => ops,
        }
    }

    /// The expression's only operation, if it has just one.
    pub fn single(&self) -> Option<ConstOp> {
        match &self.0 {
            Program::One(op) => Some(*op),
            Program::Many(_) => None,
        }
    }

    /// Functions the expression takes references to.
    pub fn func_refs(&self) -> impl Iterator<Item = u32> + '_ {
        self.ops().iter().filter_map(|op| match op {
            ConstOp::RefFunc(index) => Some(*index),
            _ => None,
        })
    }

    /// Whether the value is a new object each time.
    pub fn makes_objects(&self) -> bool {
        self.ops().iter().any(|op| op.makes_object())
    }

    /// Converts a validated expression, in which operations of GC may be or not.
    pub(super) fn read(expr: &wasmparser::ConstExpr<'_>, executes_gc: bool) -> ReadResult<Self> {
        let mut ops = Vec::new();
        let mut first = None;
        for op in expr.get_operators_reader() {
            let op = op?;
            if !executes_gc && is_of_gc(&op) {
                return Err(types::unsupported("constant expression of gc"));
            }
            // They are the same words.
            if matches!(op, Operator::AnyConvertExtern | Operator::ExternConvertAny) {
                continue;
            }
            let Some(op) = ConstOp::from_wasm(op)? else { break };
            if first.is_none() {
                first = Some(op);
                continue;
            }
            if ops.is_empty()
                && let Some(first) = first
            {
                push(&mut ops, first)?;
            }
            push(&mut ops, op)?;
        }
        match first {
            Some(op) if ops.is_empty() => Ok(Self(Program::One(op))),
            _ => Ok(Self(Program::Many(ops.into_boxed_slice()))),
        }
    }
}

fn is_of_gc(op: &Operator<'_>) -> bool {
    matches!(
        op,
        Operator::RefI31
            | Operator::AnyConvertExtern
            | Operator::ExternConvertAny
            | Operator::StructNew { .. }
            | Operator::StructNewDefault { .. }
            | Operator::ArrayNew { .. }
            | Operator::ArrayNewDefault { .. }
            | Operator::ArrayNewFixed { .. }
    )
}

impl From<ConstOp> for ConstExpr {
    fn from(op: ConstOp) -> Self {
        Self(Program::One(op))
    }
}

impl ConstOp {
    fn makes_object(self) -> bool {
        matches!(
            self,
            Self::StructNew(_)
                | Self::StructNewDefault(_)
                | Self::ArrayNew(_)
                | Self::ArrayNewDefault(_)
                | Self::ArrayNewFixed { .. }
        )
    }

    /// An integer constant as an address, or an index of a table.
    pub fn as_address(self) -> Option<u64> {
        match self {
            Self::I32(value) => Some(value as u32 as u64),
            Self::I64(value) => Some(value as u64),
            _ => None,
        }
    }

    /// The operation, or `None` at the expression's end.
    fn from_wasm(op: Operator<'_>) -> ReadResult<Option<Self>> {
        Ok(Some(match op {
            Operator::End => return Ok(None),
            Operator::I32Const { value } => Self::I32(value),
            Operator::I64Const { value } => Self::I64(value),
            Operator::F32Const { value } => Self::F32(value.bits()),
            Operator::F64Const { value } => Self::F64(value.bits()),
            #[cfg(feature = "simd")]
            Operator::V128Const { value } => Self::V128(u128::from_le_bytes(*value.bytes())),
            Operator::GlobalGet { global_index } => Self::GlobalGet(global_index),
            Operator::RefNull { .. } => Self::RefNull,
            Operator::RefFunc { function_index } => Self::RefFunc(function_index),
            Operator::I32Add => Self::I32Add,
            Operator::I32Sub => Self::I32Sub,
            Operator::I32Mul => Self::I32Mul,
            Operator::I64Add => Self::I64Add,
            Operator::I64Sub => Self::I64Sub,
            Operator::I64Mul => Self::I64Mul,
            Operator::RefI31 => Self::RefI31,
            Operator::StructNew { struct_type_index } => Self::StructNew(struct_type_index),
            Operator::StructNewDefault { struct_type_index } => {
                Self::StructNewDefault(struct_type_index)
            }
            Operator::ArrayNew { array_type_index } => Self::ArrayNew(array_type_index),
            Operator::ArrayNewDefault { array_type_index } => {
                Self::ArrayNewDefault(array_type_index)
            }
            Operator::ArrayNewFixed { array_type_index, array_size } => {
                Self::ArrayNewFixed { ty: array_type_index, len: array_size }
            }
            _ => return Err(types::unsupported("constant expression")),
        }))
    }
}
