//! Locals, globals and constants.

use super::signatures::clif_type;
use super::{Refusal, Translator};
use crate::abi::types::ValType;
use crate::abi::vm_layout::VmGlobal;
use crate::jit::layout as at;
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::{InstBuilder, Type, Value, types};
use cranelift_frontend::Variable;

impl Translator<'_, '_> {
    fn local(&self, index: u32) -> Result<Variable, Refusal> {
        self.locals.get(index as usize).copied().ok_or(Refusal::Malformed)
    }

    pub(super) fn local_get(&mut self, index: u32) -> Result<(), Refusal> {
        let variable = self.local(index)?;
        let value = self.builder.use_var(variable);
        if self.local_slots[index as usize].is_some() {
            self.collected.insert(value);
        }
        self.push(value);
        Ok(())
    }

    /// Gives a local another value.
    fn set(&mut self, index: u32, value: Value) -> Result<(), Refusal> {
        let variable = self.local(index)?;
        self.builder.def_var(variable, value);
        if let Some(slot) = self.local_slots[index as usize] {
            let frame = self.frame;
            self.store_slot(value, frame, slot);
        }
        Ok(())
    }

    pub(super) fn local_set(&mut self, index: u32) -> Result<(), Refusal> {
        let value = self.pop()?;
        self.set(index, value)
    }

    pub(super) fn local_tee(&mut self, index: u32) -> Result<(), Refusal> {
        let value = *self.stack.last().ok_or(Refusal::Malformed)?;
        self.set(index, value)
    }

    pub(super) fn push_int(&mut self, ty: Type, value: i64) -> Result<(), Refusal> {
        let value = match ty {
            // Constants of 32 bits are those bits.
            types::I32 => i64::from(value as u32),
            _ => value,
        };
        let value = self.int(ty, value);
        self.push(value);
        Ok(())
    }

    pub(super) fn push_f32(&mut self, bits: u32) -> Result<(), Refusal> {
        let value = self.builder.ins().f32const(Ieee32::with_bits(bits));
        self.push(value);
        Ok(())
    }

    pub(super) fn push_f64(&mut self, bits: u64) -> Result<(), Refusal> {
        let value = self.builder.ins().f64const(Ieee64::with_bits(bits));
        self.push(value);
        Ok(())
    }

    /// The address of a global's first slot.
    fn global(&mut self, index: u32) -> Result<(Value, i32, ValType), Refusal> {
        let ty = self.module.globals.get(index as usize).ok_or(Refusal::Malformed)?.ty.val;
        let instance = self.instance;
        let imported = self.module.imported.globals;
        let (base, offset) = match index.checked_sub(imported) {
            Some(defined) => {
                let offset = u64::from(defined) * size_of::<VmGlobal>() as u64;
                (self.load_constant(types::I64, instance, at::INSTANCE_GLOBALS), offset)
            }
            None => {
                let list = self.load_constant(types::I64, instance, at::INSTANCE_IMPORTED_GLOBALS);
                let offset = i32::try_from(u64::from(index) * 8).map_err(|_| Refusal::TooLarge)?;
                (self.load_constant(types::I64, list, offset), 0)
            }
        };
        Ok((base, i32::try_from(offset).map_err(|_| Refusal::TooLarge)?, ty))
    }

    pub(super) fn global_get(&mut self, index: u32) -> Result<(), Refusal> {
        let (base, offset, ty) = self.global(index)?;
        let value = self.load_state(clif_type(ty).ok_or(Refusal::Unsupported)?, base, offset);
        self.push_of(value, ty);
        Ok(())
    }

    pub(super) fn global_set(&mut self, index: u32) -> Result<(), Refusal> {
        let (base, offset, _) = self.global(index)?;
        let value = self.pop()?;
        let flags = self.regions.state();
        let value = self.as_slot(value);
        self.builder.ins().store(flags, value, base, offset);
        Ok(())
    }
}
