//! Atomic accesses, waiting and notifying. Control enters at `atomic_operator`, from `opcodes`.

use super::Translator;
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::instr::Instr;
use crate::interp::op::{AtomicOp, atomic_ops};
use wasmparser::{MemArg, Operator};

macro_rules! atomic_opcodes {
    (
        load { $($load:ident $load_raw:ident $load_ty:ident,)* }
        store { $($store:ident $store_raw:ident $store_ty:ident,)* }
        rmw { $($rmw:ident $rmw_raw:ident $rmw_ty:ident $how:ident,)* }
        cmpxchg { $($cmpxchg:ident $cmpxchg_raw:ident $cmpxchg_ty:ident,)* }
    ) => {
        /// Translates an atomic access; `None` if `operator` is none.
        fn access(t: &mut Translator<'_>, operator: &Operator<'_>) -> Option<Result<(), Trap>> {
            Some(match *operator {
                $(Operator::$load { memarg } => {
                    t.atomic(AtomicOp::$load, 1, Some(ValType::$load_ty), memarg)
                })*
                $(Operator::$store { memarg } => {
                    t.atomic(AtomicOp::$store, 2, None, memarg)
                })*
                $(Operator::$rmw { memarg } => {
                    t.atomic(AtomicOp::$rmw, 2, Some(ValType::$rmw_ty), memarg)
                })*
                $(Operator::$cmpxchg { memarg } => {
                    t.atomic(AtomicOp::$cmpxchg, 3, Some(ValType::$cmpxchg_ty), memarg)
                })*
                _ => return None,
            })
        }
    };
}
atomic_ops!(atomic_opcodes);

impl Translator<'_> {
    pub(super) fn atomic_operator(&mut self, operator: &Operator<'_>) -> Option<Result<(), Trap>> {
        if let Some(done) = access(self, operator) {
            return Some(done);
        }
        let result = Some(ValType::I32);
        Some(match *operator {
            Operator::MemoryAtomicNotify { memarg } => {
                let instrs = (Instr::AtomicNotify, Instr::AtomicNotifyAny);
                self.atomic_access(instrs, 2, result, memarg)
            }
            Operator::MemoryAtomicWait32 { memarg } => self.wait(false, memarg),
            Operator::MemoryAtomicWait64 { memarg } => self.wait(true, memarg),
            Operator::AtomicFence { .. } => {
                self.op(Instr::AtomicFence, ());
                Ok(())
            }
            _ => return None,
        })
    }

    fn wait(&mut self, wide: bool, memarg: MemArg) -> Result<(), Trap> {
        let instrs = (Instr::AtomicWait { wide }, Instr::AtomicWaitAny { wide });
        self.atomic_access(instrs, 3, Some(ValType::I32), memarg)
    }

    fn atomic(
        &mut self,
        op: AtomicOp,
        inputs: usize,
        result: Option<ValType>,
        memarg: MemArg,
    ) -> Result<(), Trap> {
        let instrs = (Instr::Atomic { op }, Instr::AtomicAny { op });
        self.atomic_access(instrs, inputs, result, memarg)
    }
}
