//! Atomic accesses, waiting and notifying.
//!
//! All of them are sequentially consistent, on memories that are shared and on others. Control
//! enters at `atomic_operator`, from `opcodes`.

use super::{Refusal, Translator};
use crate::jit::accesses::AccessKind;
use crate::jit::layout::builtin;
use cranelift_codegen::ir::types::{self, I8, I16, I32, I64};
use cranelift_codegen::ir::{AtomicRmwOp, InstBuilder, Type, Value};
use wasmparser::{MemArg, Operator};

/// Expands the tables of operators, each with the type in memory and that of the guest's values,
/// into a function that handles those and passes on any other.
macro_rules! atomic_opcodes {
    (
        load { $($load:ident $load_raw:ident $load_ty:ident,)* }
        store { $($store:ident $store_raw:ident,)* }
        modify { $($rmw:ident $rmw_raw:ident $rmw_ty:ident $how:ident,)* }
        exchange { $($cas:ident $cas_raw:ident $cas_ty:ident,)* }
    ) => {
        fn access(
            t: &mut Translator<'_, '_>,
            operator: &Operator<'_>,
        ) -> Option<Result<(), Refusal>> {
            Some(match *operator {
                $(Operator::$load { ref memarg } => t.atomic_load(memarg, $load_raw, $load_ty),)*
                $(Operator::$store { ref memarg } => t.atomic_store(memarg, $store_raw),)*
                $(Operator::$rmw { ref memarg } => {
                    t.atomic_modify(memarg, ($rmw_raw, $rmw_ty), AtomicRmwOp::$how)
                })*
                $(Operator::$cas { ref memarg } => {
                    t.compare_exchange(memarg, $cas_raw, $cas_ty)
                })*
                _ => return None,
            })
        }
    };
}

atomic_opcodes! {
    load {
        I32AtomicLoad I32 I32, I64AtomicLoad I64 I64, I32AtomicLoad8U I8 I32,
        I32AtomicLoad16U I16 I32, I64AtomicLoad8U I8 I64, I64AtomicLoad16U I16 I64,
        I64AtomicLoad32U I32 I64,
    }
    store {
        I32AtomicStore I32, I64AtomicStore I64, I32AtomicStore8 I8, I32AtomicStore16 I16,
        I64AtomicStore8 I8, I64AtomicStore16 I16, I64AtomicStore32 I32,
    }
    modify {
        I32AtomicRmwAdd I32 I32 Add, I64AtomicRmwAdd I64 I64 Add, I32AtomicRmw8AddU I8 I32 Add,
        I32AtomicRmw16AddU I16 I32 Add, I64AtomicRmw8AddU I8 I64 Add,
        I64AtomicRmw16AddU I16 I64 Add, I64AtomicRmw32AddU I32 I64 Add,
        I32AtomicRmwSub I32 I32 Sub, I64AtomicRmwSub I64 I64 Sub, I32AtomicRmw8SubU I8 I32 Sub,
        I32AtomicRmw16SubU I16 I32 Sub, I64AtomicRmw8SubU I8 I64 Sub,
        I64AtomicRmw16SubU I16 I64 Sub, I64AtomicRmw32SubU I32 I64 Sub,
        I32AtomicRmwAnd I32 I32 And, I64AtomicRmwAnd I64 I64 And, I32AtomicRmw8AndU I8 I32 And,
        I32AtomicRmw16AndU I16 I32 And, I64AtomicRmw8AndU I8 I64 And,
        I64AtomicRmw16AndU I16 I64 And, I64AtomicRmw32AndU I32 I64 And,
        I32AtomicRmwOr I32 I32 Or, I64AtomicRmwOr I64 I64 Or, I32AtomicRmw8OrU I8 I32 Or,
        I32AtomicRmw16OrU I16 I32 Or, I64AtomicRmw8OrU I8 I64 Or, I64AtomicRmw16OrU I16 I64 Or,
        I64AtomicRmw32OrU I32 I64 Or,
        I32AtomicRmwXor I32 I32 Xor, I64AtomicRmwXor I64 I64 Xor, I32AtomicRmw8XorU I8 I32 Xor,
        I32AtomicRmw16XorU I16 I32 Xor, I64AtomicRmw8XorU I8 I64 Xor,
        I64AtomicRmw16XorU I16 I64 Xor, I64AtomicRmw32XorU I32 I64 Xor,
        I32AtomicRmwXchg I32 I32 Xchg, I64AtomicRmwXchg I64 I64 Xchg,
        I32AtomicRmw8XchgU I8 I32 Xchg, I32AtomicRmw16XchgU I16 I32 Xchg,
        I64AtomicRmw8XchgU I8 I64 Xchg, I64AtomicRmw16XchgU I16 I64 Xchg,
        I64AtomicRmw32XchgU I32 I64 Xchg,
    }
    exchange {
        I32AtomicRmwCmpxchg I32 I32, I64AtomicRmwCmpxchg I64 I64, I32AtomicRmw8CmpxchgU I8 I32,
        I32AtomicRmw16CmpxchgU I16 I32, I64AtomicRmw8CmpxchgU I8 I64,
        I64AtomicRmw16CmpxchgU I16 I64, I64AtomicRmw32CmpxchgU I32 I64,
    }
}

impl Translator<'_, '_> {
    pub(super) fn atomic_operator(&mut self, operator: &Operator<'_>) -> Result<(), Refusal> {
        if let Some(done) = access(self, operator) {
            return done;
        }
        match *operator {
            Operator::MemoryAtomicNotify { ref memarg } => self.notify(memarg),
            Operator::MemoryAtomicWait32 { ref memarg } => self.wait(memarg, I32),
            Operator::MemoryAtomicWait64 { ref memarg } => self.wait(memarg, I64),
            Operator::AtomicFence { .. } => {
                self.builder.ins().fence();
                Ok(())
            }
            #[cfg(feature = "simd")]
            _ => self.vector_operator(operator),
            #[cfg(not(feature = "simd"))]
            _ => self.object_operator(operator),
        }
    }

    /// The lowest bits of a value, as many as `raw` has.
    fn cut(&mut self, value: Value, raw: Type) -> Value {
        match self.builder.func.dfg.value_type(value) {
            ty if ty == raw => value,
            _ => self.builder.ins().ireduce(raw, value),
        }
    }

    /// Pushes bits from memory as a value of type `ty`, whose upper bits are zero.
    fn push_widened(&mut self, bits: Value, ty: Type) {
        let value = match self.builder.func.dfg.value_type(bits) {
            raw if raw == ty => bits,
            _ => self.builder.ins().uextend(ty, bits),
        };
        self.push(value);
    }

    fn atomic_load(&mut self, memarg: &MemArg, raw: Type, ty: Type) -> Result<(), Refusal> {
        let address = self.pop()?;
        let place = self.aligned_address(memarg, address, raw.bytes())?;
        let flags = self.regions.memory();
        let bits = self.builder.ins().atomic_load(raw, flags, place);
        self.push_widened(bits, ty);
        Ok(())
    }

    fn atomic_store(&mut self, memarg: &MemArg, raw: Type) -> Result<(), Refusal> {
        let (address, value) = self.pop_pair()?;
        let place = self.aligned_address(memarg, address, raw.bytes())?;
        let (flags, bits) = (self.regions.memory(), self.cut(value, raw));
        self.builder.ins().atomic_store(flags, bits, place);
        Ok(())
    }

    fn atomic_modify(
        &mut self,
        memarg: &MemArg,
        (raw, ty): (Type, Type),
        how: AtomicRmwOp,
    ) -> Result<(), Refusal> {
        let (address, value) = self.pop_pair()?;
        let place = self.aligned_address(memarg, address, raw.bytes())?;
        let (flags, bits) = (self.regions.memory(), self.cut(value, raw));
        let before = self.builder.ins().atomic_rmw(raw, flags, how, place, bits);
        self.push_widened(before, ty);
        Ok(())
    }

    fn compare_exchange(&mut self, memarg: &MemArg, raw: Type, ty: Type) -> Result<(), Refusal> {
        let (expected, new) = self.pop_pair()?;
        let address = self.pop()?;
        let place = self.aligned_address(memarg, address, raw.bytes())?;
        let (expected, new) = (self.cut(expected, raw), self.cut(new, raw));
        let flags = self.regions.memory();
        let before = self.builder.ins().atomic_cas(flags, place, expected, new);
        self.push_widened(before, ty);
        Ok(())
    }

    fn wait(&mut self, memarg: &MemArg, raw: Type) -> Result<(), Refusal> {
        let (expected, timeout) = self.pop_pair()?;
        let address = self.pop()?;
        let of = self.access_of(memarg, address, raw.bytes())?;
        let (address, place) = self.place_of(&of, AccessKind::Aligned);
        let expected = self.extended(expected);
        self.show_references();
        self.leave_point(None);
        let args = [place, address, expected, timeout];
        let code = self.call_builtin(builtin!(atomic_wait), &args, types::I32);
        self.resume_point();
        self.check_code(code);
        // Others may have grown the memory meanwhile.
        self.reload_memory0();
        let how = self.load_scratch(types::I32);
        self.push(how);
        Ok(())
    }

    fn notify(&mut self, memarg: &MemArg) -> Result<(), Refusal> {
        let (address, count) = self.pop_pair()?;
        let of = self.access_of(memarg, address, I32.bytes())?;
        let (address, place) = self.place_of(&of, AccessKind::Aligned);
        self.call_fallible(builtin!(atomic_notify), &[place, address, count]);
        self.reload_memory0();
        let woken = self.load_scratch(types::I32);
        self.push(woken);
        Ok(())
    }
}
