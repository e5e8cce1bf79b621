//! The types of values and signatures of functions in compiled code.

use crate::abi::types::{FuncType, ValType};
use cranelift_codegen::ir::{AbiParam, Signature, Type, types};
use cranelift_codegen::isa::CallConv;

/// The type of a value in compiled code; `None` for those that it does not have. References are
/// words.
pub fn clif_type(ty: ValType) -> Option<Type> {
    Some(match ty {
        ValType::I32 => types::I32,
        ValType::I64 => types::I64,
        ValType::F32 => types::F32,
        ValType::F64 => types::F64,
        ValType::V128 => vector()?,
        ValType::Ref(_) => types::I64,
    })
}

/// The type of a vector, whatever lanes it has, in builds that have them.
fn vector() -> Option<Type> {
    cfg!(feature = "simd").then_some(types::I8X16)
}

/// Slots of a value of this type.
pub fn slots_of(ty: Type) -> u32 {
    ty.bytes().div_ceil(8)
}

/// The signature of a guest's function: environment and frame stand before the parameters. `None`
/// if compiled code does not have one of its types.
pub fn of_function(ty: &FuncType) -> Option<Signature> {
    let mut signature = Signature::new(CallConv::Tail);
    signature.params.extend([AbiParam::new(types::I64); 2]);
    for &param in ty.params() {
        signature.params.push(AbiParam::new(clif_type(param)?));
    }
    for &result in ty.results() {
        signature.returns.push(AbiParam::new(clif_type(result)?));
    }
    // More results than registers would be returned in memory that the caller provides.
    (ty.results().len() <= RESULTS_MAX).then_some(signature)
}

/// Functions with more results are interpreted.
const RESULTS_MAX: usize = 8;

/// The signature of thunks that enter compiled code: environment, frame with the parameters, and
/// the function's record.
pub fn of_entry() -> Signature {
    with_convention(CallConv::Tail, &[types::I64; 3], None)
}

/// A signature of C's, of integers.
pub fn of_c(params: &[Type], result: Option<Type>) -> Signature {
    with_convention(CallConv::SystemV, params, result)
}

/// The signature of functions that keep all registers.
pub fn of_preserving(params: &[Type]) -> Signature {
    with_convention(CallConv::PreserveAll, params, None)
}

fn with_convention(convention: CallConv, params: &[Type], result: Option<Type>) -> Signature {
    let mut signature = Signature::new(convention);
    signature.params.extend(params.iter().map(|&ty| AbiParam::new(ty)));
    signature.returns.extend(result.map(AbiParam::new));
    signature
}
