//! References to what is collected, and where they are while a function is at a call.
//!
//! Objects never move, so that values may stay in registers as long as a copy is where collections
//! look: in the frame's slots, where the interpreter has them as well. Locals are stored whenever
//! they change, operands before each operator during which a collection may come by.

use super::Translator;
use super::signatures::slots_of;
use crate::abi::types::ValType;
use cranelift_codegen::ir::Value;

impl Translator<'_, '_> {
    /// Notes that a value may lead to what is collected, if its type says so.
    pub(super) fn mark(&mut self, value: Value, ty: ValType) {
        if ty.is_collected() {
            self.collected.insert(value);
        }
    }

    pub(super) fn push_of(&mut self, value: Value, ty: ValType) {
        self.mark(value, ty);
        self.push(value);
    }

    pub(super) fn push_results(&mut self, tys: &[ValType], values: &[Value]) {
        for (&value, &ty) in values.iter().zip(tys) {
            self.push_of(value, ty);
        }
    }

    /// Stores the references on the operand stack and notes their slots: the function is at this
    /// operator while a collection may come by.
    pub(super) fn show_references(&mut self) {
        if self.collected.is_empty() {
            return;
        }
        let mut slot = self.first_operand_slot();
        let mut held = Vec::new();
        let frame = self.frame;
        for index in 0..self.stack.len() {
            let value = self.stack[index];
            if self.collected.contains(value) {
                self.store_slot(value, frame, slot);
                held.push(slot as u16);
            }
            slot += slots_of(self.builder.func.dfg.value_type(value));
        }
        if !held.is_empty() {
            self.tables.sites.push((self.position, held.into_boxed_slice()));
        }
    }

    /// Stores the locals that are collected, when the function begins.
    pub(super) fn store_locals(&mut self) {
        let frame = self.frame;
        for index in 0..self.locals.len() {
            if let Some(slot) = self.local_slots[index] {
                let value = self.builder.use_var(self.locals[index]);
                self.store_slot(value, frame, slot);
                self.tables.locals.push(slot as u16);
            }
        }
    }
}
