//! The operand stack during translation, constants, and conditions that trap.

use super::open_block::Later;
use super::signatures::slots_of;
use super::{Refusal, Translator};
use crate::abi::trap::Trap;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    Block, BlockArg, InstBuilder, InstructionData, Opcode, TrapCode, Type, Value, types,
};

/// A trap instruction behind a call that does not return. It is never executed.
pub fn unreachable_code() -> TrapCode {
    TrapCode::unwrap_user(1)
}

impl Translator<'_, '_> {
    pub(super) fn push(&mut self, value: Value) {
        self.height += slots_of(self.builder.func.dfg.value_type(value));
        self.frame_slots = self.frame_slots.max(self.height);
        self.stack.push(value);
    }

    pub(super) fn pop(&mut self) -> Result<Value, Refusal> {
        let value = self.stack.pop().ok_or(Refusal::Malformed)?;
        self.height -= slots_of(self.builder.func.dfg.value_type(value));
        Ok(value)
    }

    pub(super) fn pop_pair(&mut self) -> Result<(Value, Value), Refusal> {
        let second = self.pop()?;
        Ok((self.pop()?, second))
    }

    /// The values on top of the stack, the lowest first.
    pub(super) fn pop_many(&mut self, count: usize) -> Result<Vec<Value>, Refusal> {
        let first = self.stack.len().checked_sub(count).ok_or(Refusal::Malformed)?;
        let values = self.stack.split_off(first);
        for &value in &values {
            self.height -= slots_of(self.builder.func.dfg.value_type(value));
        }
        Ok(values)
    }

    /// Makes the frame large enough for `slots` above the operand stack.
    pub(super) fn reserve(&mut self, slots: u32) {
        self.frame_slots = self.frame_slots.max(self.height.saturating_add(slots));
    }

    pub(super) fn zero(&mut self, ty: Type) -> Value {
        match ty {
            types::F32 => self.builder.ins().f32const(0.0),
            types::F64 => self.builder.ins().f64const(0.0),
            types::I8X16 => self.vector_constant([0; 16]),
            _ => self.builder.ins().iconst(ty, 0),
        }
    }

    /// The vector with these bytes, the lowest first.
    pub(super) fn vector_constant(&mut self, bytes: [u8; 16]) -> Value {
        let constant = self.builder.func.dfg.constants.insert(bytes.to_vec().into());
        self.builder.ins().vconst(types::I8X16, constant)
    }

    pub(super) fn int(&mut self, ty: Type, value: i64) -> Value {
        self.builder.ins().iconst(ty, value)
    }

    pub(super) fn word(&mut self, value: u64) -> Value {
        self.int(types::I64, value as i64)
    }

    /// A number with 64 bits that is filled in later.
    pub(super) fn later(&mut self) -> (Value, Later) {
        let value = self.int(types::I64, 0);
        let inst = self.builder.func.dfg.value_def(value).unwrap_inst();
        (value, Later(inst))
    }

    pub(super) fn fill_in(&mut self, later: Later, value: i64) {
        let data = InstructionData::UnaryImm { opcode: Opcode::Iconst, imm: value.into() };
        self.builder.func.dfg.insts[later.0] = data;
    }

    /// A block that is hardly ever reached.
    pub(super) fn cold_block(&mut self) -> Block {
        let block = self.builder.create_block();
        self.builder.set_cold_block(block);
        block
    }

    /// A block that is reached as often as the current one.
    pub(super) fn following_block(&mut self) -> Block {
        let block = self.builder.create_block();
        let here = self.builder.current_block();
        if here.is_some_and(|here| self.builder.func.layout.is_cold(here)) {
            self.builder.set_cold_block(block);
        }
        block
    }

    pub(super) fn jump(&mut self, to: Block, values: &[Value]) {
        let args: Vec<BlockArg> = values.iter().map(|&value| value.into()).collect();
        self.builder.ins().jump(to, &args);
    }

    /// The instruction that a value is a result of.
    pub(super) fn made_by(&self, value: Value) -> Option<InstructionData> {
        let dfg = &self.builder.func.dfg;
        dfg.value_def(value).inst().map(|inst| dfg.insts[inst])
    }

    /// Goes to a new cold block if the condition holds, else on here. The block that goes on is to
    /// be switched to.
    pub(super) fn leave_if(&mut self, condition: Value) -> (Block, Block) {
        let (cold, next) = (self.cold_block(), self.following_block());
        self.builder.ins().brif(condition, cold, &[], next, &[]);
        (cold, next)
    }

    /// Traps if the condition holds.
    pub(super) fn trap_if(&mut self, condition: Value, trap: Trap) {
        let (cold, next) = self.leave_if(condition);
        self.builder.switch_to_block(cold);
        self.trap(trap);
        self.builder.switch_to_block(next);
    }

    pub(super) fn trap(&mut self, trap: Trap) {
        let code = self.int(types::I32, trap as i64);
        self.trap_with(code);
    }

    /// Slots of a value.
    pub(super) fn slots(&self, value: Value) -> u32 {
        slots_of(self.builder.func.dfg.value_type(value))
    }

    /// Traps if a function of the runtime has returned a code that is not zero, or goes on throwing
    /// the exception that has come out of it.
    pub(super) fn check_code(&mut self, code: Value) {
        let (cold, next) = self.leave_if(code);
        self.builder.switch_to_block(cold);
        self.trap_with(code);
        self.builder.switch_to_block(next);
    }

    pub(super) fn compare(&mut self, condition: IntCC, a: Value, b: Value) -> Value {
        self.builder.ins().icmp(condition, a, b)
    }
}
