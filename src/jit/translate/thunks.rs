//! Thunks: code between compiled code and everything else, one of each kind for a function type.
//!
//! An *entry thunk* is entered with the parameters in a frame's slots, calls compiled code, and
//! leaves the results there. An *exit thunk* stands for compiled code of a function that has none:
//! it has the interpreter run it.

use super::{Refusal, Translator, signatures};
use crate::abi::types::FuncType;
use crate::jit::layout as at;
use crate::module::Module;
use cranelift_codegen::ir::{self, Function, InstBuilder, types};
use cranelift_codegen::isa::TargetIsa;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThunkKind {
    Entry,
    Exit,
}

/// Fills `function` with the thunk for functions of type `ty`.
pub fn make(
    module: &Module,
    isa: &dyn TargetIsa,
    (kind, ty): (ThunkKind, &FuncType),
    function: &mut Function,
    context: &mut FunctionBuilderContext,
) -> Result<(), Refusal> {
    let signature = signatures::of_function(ty).ok_or(Refusal::Unsupported)?;
    function.signature = match kind {
        ThunkKind::Entry => signatures::of_entry(),
        ThunkKind::Exit => signature.clone(),
    };
    let builder = FunctionBuilder::new(function, context);
    let mut translator = Translator::new(module, builder, ty);
    let entry = translator.builder.create_block();
    translator.builder.append_block_params_for_function_params(entry);
    translator.builder.switch_to_block(entry);
    let params = translator.builder.block_params(entry).to_vec();
    let [env, frame, ref values @ ..] = params[..] else { return Err(Refusal::Malformed) };
    (translator.env, translator.frame) = (env, frame);
    translator.instance = translator.load_state(types::I64, env, at::ENV_INSTANCE);
    match (kind, values) {
        (ThunkKind::Entry, &[record]) => translator.enter(record, signature)?,
        (ThunkKind::Entry, _) => return Err(Refusal::Malformed),
        (ThunkKind::Exit, values) => {
            let record = translator.load_slot(types::I64, frame, 0);
            translator.store_values(values, frame);
            translator.interpret(record)?;
        }
    }
    translator.builder.seal_all_blocks();
    translator.builder.finalize(isa.frontend_config());
    Ok(())
}

impl Translator<'_, '_> {
    fn enter(&mut self, record: ir::Value, signature: ir::Signature) -> Result<(), Refusal> {
        let (env, frame, ty) = (self.env, self.frame, self.ty);
        let args = self.load_values(ty.params(), frame)?;
        let flags = self.regions.slots();
        self.builder.ins().store(flags, record, frame, 0);
        let native = self.load_state(types::I64, record, at::CODE_NATIVE);
        let signature = self.builder.import_signature(signature);
        let all: Vec<_> = [env, frame].iter().chain(&args).copied().collect();
        let call = self.builder.ins().call_indirect(signature, native, &all);
        let results = self.builder.inst_results(call).to_vec();
        self.store_values(&results, frame);
        self.builder.ins().return_(&[]);
        Ok(())
    }
}
