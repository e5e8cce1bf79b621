//! Calls of `builtins`.

use super::state::unreachable_code;
use super::{Translator, signatures};
use crate::jit::layout::{self as at, builtin};
use cranelift_codegen::ir::{InstBuilder, SigRef, Signature, Type, Value, types};

impl Translator<'_, '_> {
    pub(super) fn builtin_signature(&mut self, signature: Signature) -> SigRef {
        let known = self.builtin_signatures.iter().find(|(known, _)| *known == signature);
        if let Some(&(_, found)) = known {
            return found;
        }
        let new = self.builder.import_signature(signature.clone());
        self.builtin_signatures.push((signature, new));
        new
    }

    /// The address of the function at this offset of the table. It is loaded where it is needed:
    /// these calls are rare.
    fn builtin_address(&mut self, offset: i32) -> Value {
        let instance = self.instance;
        let table = self.load_state(types::I64, instance, at::INSTANCE_BUILTINS);
        self.load_state(types::I64, table, offset)
    }

    fn types_of(&self, values: &[Value]) -> Vec<Type> {
        values.iter().map(|&value| self.builder.func.dfg.value_type(value)).collect()
    }

    /// Calls a function of C's convention with the environment and `args`.
    fn call_c(&mut self, offset: i32, args: &[Value], result: Option<Type>) -> Option<Value> {
        let args: Vec<Value> = [self.env].iter().chain(args).copied().collect();
        let signature = signatures::of_c(&self.types_of(&args), result);
        let signature = self.builtin_signature(signature);
        let address = self.builtin_address(offset);
        let call = self.builder.ins().call_indirect(signature, address, &args);
        self.builder.inst_results(call).first().copied()
    }

    /// Calls a function of C's convention that takes the environment and `args`, and leads to a
    /// clause or ends the run.
    pub(super) fn call_without_return(&mut self, offset: i32, args: &[Value]) {
        let args: Vec<Value> = [self.env].iter().chain(args).copied().collect();
        let signature = signatures::of_c(&self.types_of(&args), None);
        let signature = self.builtin_signature(signature);
        let address = self.builtin_address(offset);
        self.call_throwing(signature, address, &args);
        self.builder.ins().trap(unreachable_code());
    }

    /// Calls a builtin that may look at the budget, and whose result is no code.
    pub(super) fn call_builtin(&mut self, offset: i32, args: &[Value], result: Type) -> Value {
        self.store_budget();
        let result = self.call_c(offset, args, Some(result));
        self.load_budget();
        // Its signature has a result.
        result.unwrap_or(self.env)
    }

    /// Calls a builtin that returns zero or the code of a trap.
    pub(super) fn call_fallible(&mut self, offset: i32, args: &[Value]) {
        let code = self.call_builtin(offset, args, types::I32);
        self.check_code(code);
    }

    /// The result that a builtin has left in the environment.
    pub(super) fn load_scratch(&mut self, ty: Type) -> Value {
        let env = self.env;
        self.load_state(ty, env, at::ENV_SCRATCH)
    }

    fn end_run(&mut self, offset: i32, args: &[Value]) {
        self.call_c(offset, args, None);
        self.builder.ins().trap(unreachable_code());
    }

    /// Ends the run with the trap of this code, which happened here.
    pub(super) fn trap_with(&mut self, code: Value) {
        self.call_without_return(builtin!(trap), &[code]);
    }

    /// Ends the run since there is no room for the function's frame.
    pub(super) fn trap_in_caller(&mut self) {
        self.end_run(builtin!(overflow), &[]);
    }

    /// Leaves the function by the code with which a function in its place has ended: by an
    /// exception, or because the run ends.
    pub(super) fn pass_on(&mut self, code: Value) {
        let native_frame = self.builder.ins().get_frame_pointer(types::I64);
        self.end_run(builtin!(pass_on), &[code, native_frame]);
    }

    /// Calls a function that keeps all registers but the budget's.
    pub(super) fn call_preserving(&mut self, offset: i32, args: &[Value]) {
        let args: Vec<Value> = [self.env].iter().chain(args).copied().collect();
        let signature = signatures::of_preserving(&self.types_of(&args));
        let signature = self.builtin_signature(signature);
        let address = self.builtin_address(offset);
        self.builder.ins().call_indirect(signature, address, &args);
    }
}
