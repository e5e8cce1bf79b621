//! The handlers: what each instruction does.
//!
//! Handlers know operands, the numeric semantics and the layout of running state, and call
//! `exec::builtins` for whatever is not worth inlining. They know nothing of translation: all
//! that `compile` sees is [`Instr::handler`], which gives the handler of an instruction.
//!
//! Leaves are functions in lower case, slow handlers types (`dispatch` says what the two are).
//! A leaf that meets an unusual case ends in a slow handler, which does the whole rest.

pub mod atomic;
pub mod bulk;
pub mod control;
pub mod data;
pub mod exceptions;
mod far;
pub mod host;
pub mod memory;
pub mod numeric;
pub mod profile;
pub mod table;

use super::dispatch::{Handler, Regs, Ret, Stop, slow, stub, to_slow};
use super::instr::{Instr, Target};
use crate::abi::trap::Trap;
use crate::exec::work;

/// A leaf's way out of guest code with `trap`.
///
/// # Safety
/// `r` must be the registers of the instruction that traps.
#[inline(always)]
unsafe fn trap(mut r: Regs, trap: Trap) -> Ret {
    r.int = trap as u64;
    // SAFETY: the registers are those of the running instruction, says the caller.
    unsafe { to_slow::<TrapNow>(r) }
}

slow!(
    /// Leaves guest code with the trap whose code is in the integer accumulator.
    TrapNow |r| { Err(Stop::Trap(r.int as u32)) }
);

slow!(
    /// Looks whether to stop and refills the budget, then goes on at `r.ip`.
    Refill |r| { Ok(work::refill(r.env)?) }
);

slow!(
    /// Stands where the translator asked for a combination of modes that has no handler. It
    /// never does; if it did, the guest would see an error and the host would go on.
    Missing |_r| { Err(Trap::Internal.into()) }
);

/// The handler of no instruction.
#[cold]
fn none() -> Handler {
    stub::<Missing>
}

impl Instr {
    /// The handler of this instruction, in the form that leaves a result in `target`.
    pub fn handler(self, target: Target) -> Handler {
        match self {
            Self::Binary { op, left, right } => numeric::binary_handler(op, left, right, target),
            Self::Compare { op, left, right } => numeric::compare_handler(op, left, right, target),
            Self::Unary { op, source } => numeric::unary_handler(op, source, target),
            Self::Select { class, condition } => numeric::select(class, condition, target),
            Self::Load { op, address } => memory::load_handler(op, address, target),
            Self::Store { op, address, value } => memory::store_handler(op, address, value),
            Self::LoadSum { op, left, right } => memory::load_sum_handler(op, left, right, target),
            Self::StoreSum { op, left, right, value } => {
                memory::store_sum_handler(op, left, right, value)
            }
            Self::MemorySize => memory::memory_size_handler(target),
            Self::SharedMemorySize => stub::<atomic::SharedMemorySize>,
            Self::MemoryGrow => stub::<memory::MemoryGrow>,
            Self::MemoryCopy => stub::<bulk::MemoryCopy>,
            Self::MemoryFill => stub::<bulk::MemoryFill>,
            Self::MemoryInit => stub::<bulk::MemoryInit>,
            Self::DataDrop => stub::<bulk::DataDrop>,
            Self::Copy => data::copy,
            Self::CopyTwo => data::copy_two,
            Self::CopyMany => stub::<bulk::CopyMany>,
            Self::CopyImm32 => data::copy_imm32,
            Self::CopyImm64 => data::copy_imm64,
            Self::Clear { count } => data::clear_handler(count),
            Self::ClearMany => stub::<bulk::ClearMany>,
            Self::CopyAcc { class } => data::copy_acc_handler(class),
            Self::GlobalGet { class, imported } => data::global_get(class, imported, target),
            Self::GlobalSet { class, imported, source } => {
                data::global_set(class, imported, source)
            }
            _ => self.handler_without_result(),
        }
    }

    fn handler_without_result(self) -> Handler {
        match self {
            Self::Atomic { op } => atomic::handler_of(op),
            Self::AtomicNotify => stub::<atomic::Notify>,
            Self::AtomicWait { wide: false } => stub::<atomic::Wait<u32>>,
            Self::AtomicWait { wide: true } => stub::<atomic::Wait<u64>>,
            Self::AtomicFence => atomic::fence,
            Self::RefFunc => table::ref_func,
            Self::TableGet => table::table_get,
            Self::TableSet => table::table_set,
            Self::TableSize => table::table_size,
            Self::TableGrow => stub::<table::TableGrow>,
            Self::TableFill => stub::<table::TableFill>,
            Self::TableCopy => stub::<table::TableCopy>,
            Self::TableInit => stub::<table::TableInit>,
            Self::ElemDrop => stub::<table::ElemDrop>,
            Self::Unreachable => control::unreachable,
            Self::OutOfBounds => control::out_of_bounds,
            Self::Branch => control::branch,
            Self::BranchBack => control::branch_back,
            Self::BranchIf { condition, want, back } => {
                control::branch_if_handler(condition, want, back)
            }
            Self::BranchCompare { op, left, right, back } => {
                control::branch_compare_handler(op, left, right, back)
            }
            Self::BranchTable { index } => control::branch_table_handler(index),
            Self::Call => control::call,
            Self::CallImport { profiled: false } => host::call_import,
            Self::CallImport { profiled: true } => stub::<profile::CallImport>,
            Self::ProfileEnter => stub::<profile::Enter>,
            Self::ProfileEnd => stub::<profile::End>,
            Self::CallIndirect { index } => host::call_indirect_handler(index),
            Self::ReturnNone => control::return_none,
            Self::ReturnOne { class, source } => control::return_one_handler(class, source),
            Self::ReturnMany => stub::<control::ReturnMany>,
            Self::Throw => stub::<exceptions::Throw>,
            Self::ThrowRef => stub::<exceptions::ThrowRef>,
            _ => none(),
        }
    }
}
