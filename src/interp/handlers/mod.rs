//! The handlers: what each instruction does.
//!
//! Handlers know operands, the numeric semantics and the layout of running state, and call
//! `exec::builtins` for whatever is not worth inlining. They know nothing of translation: all
//! that `compile` sees is [`Instr::handler`], which gives the handler of an instruction.

pub mod atomic;
pub mod control;
pub mod data;
pub mod exceptions;
mod far;
pub mod host;
pub mod memory;
pub mod numeric;
pub mod profile;
pub mod table;

use super::dispatch::{Handler, Regs, Ret, handler, stop};
use super::instr::{Instr, Target};
use crate::abi::trap::Trap;

/// Leaves guest code with `trap`.
///
/// # Safety
/// `r` must be the registers of the instruction that traps.
#[inline(always)]
unsafe fn trap(r: Regs, trap: Trap) -> Ret {
    // SAFETY: passed on to the caller.
    unsafe { fail(r, trap as u32) }
}

/// Leaves guest code with the code of a trap. Handlers end in a jump here, so that noting the
/// stack costs nothing where nothing traps.
///
/// # Safety
/// As for [`trap`].
#[inline(always)]
unsafe fn fail(r: Regs, code: u32) -> Ret {
    // SAFETY: passed on to the caller.
    unsafe { note_and_stop(r.ip, r.sp, r.mem, r.len, r.env, code as u64, r.f32, r.f64) }
}

handler!(
    /// Notes the stack of the trap whose code is in `r.int`, then leaves guest code.
    #[cold]
    #[inline(never)]
    note_and_stop [] |r| {
    crate::interp::frames::record(r.env, r.ip, r.sp);
    stop(r, r.int as u32)
});

handler!(
    /// Stands where the translator asked for a combination of modes that has no handler. It
    /// never does; if it did, the guest would see an error and the host would go on.
    missing [] |r| { trap(r, Trap::Internal) }
);

/// The handler of no instruction.
#[cold]
fn none() -> Handler {
    missing
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
            Self::SharedMemorySize => atomic::shared_memory_size,
            Self::MemoryGrow => memory::memory_grow,
            Self::MemoryCopy => memory::memory_copy,
            Self::MemoryFill => memory::memory_fill,
            Self::MemoryInit => memory::memory_init,
            Self::DataDrop => memory::data_drop,
            Self::Copy => data::copy,
            Self::CopyTwo => data::copy_two,
            Self::CopyMany => data::copy_many,
            Self::CopyImm32 => data::copy_imm32,
            Self::CopyImm64 => data::copy_imm64,
            Self::Clear { count } => data::clear_handler(count),
            Self::ClearMany => data::clear_many,
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
            Self::AtomicNotify => atomic::notify,
            Self::AtomicWait { wide: false } => atomic::wait::<u32>,
            Self::AtomicWait { wide: true } => atomic::wait::<u64>,
            Self::AtomicFence => atomic::fence,
            Self::RefFunc => table::ref_func,
            Self::TableGet => table::table_get,
            Self::TableSet => table::table_set,
            Self::TableSize => table::table_size,
            Self::TableGrow => table::table_grow,
            Self::TableFill => table::table_fill,
            Self::TableCopy => table::table_copy,
            Self::TableInit => table::table_init,
            Self::ElemDrop => table::elem_drop,
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
            Self::CallImport { profiled: true } => profile::call_import,
            Self::ProfileEnter => profile::enter,
            Self::ProfileEnd => profile::end,
            Self::CallIndirect { index } => host::call_indirect_handler(index),
            Self::ReturnNone => control::return_none,
            Self::ReturnOne { class, source } => control::return_one_handler(class, source),
            Self::ReturnMany => control::return_many,
            Self::Throw => exceptions::throw,
            Self::ThrowRef => exceptions::throw_ref,
            _ => none(),
        }
    }
}
