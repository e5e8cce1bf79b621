//! The handlers: the code of each instruction.
//!
//! Handlers know operands, the numeric semantics and the layout of running state, and call
//! `exec::builtins` for all work that is not worth inlining. They know nothing of translation, and
//! `compile` sees only [`Instr::handler`], which returns the handler of an instruction. Control
//! enters from `dispatch`, which runs one instruction's handler after the other.
//!
//! Leaves are functions in lower case, slow handlers types (`dispatch` defines the two kinds).
//! A leaf that meets an unusual case ends in a slow handler, which does the whole rest.

pub mod any_memory;
pub mod atomic;
pub mod bulk;
pub mod calls;
pub mod casts;
pub mod control;
pub mod data;
pub mod exceptions;
pub mod fields;
pub mod fused;
pub mod host;
#[cfg(feature = "simd")]
pub mod lane;
pub mod memory;
pub mod new_objects;
pub mod numeric;
pub mod objects;
pub mod other_code;
pub mod profile;
pub mod references;
mod slow_path;
pub mod table;
pub mod tail_call;
#[cfg(feature = "simd")]
mod vector;

use super::dispatch::{Regs, Ret, Stop, slow, to_slow};
use super::instr::{Instr, Target};
use super::operand::{Imm, Imm32};
use super::shape::{Atomic, AtomicAny, Back, Forward, Picked};
use crate::abi::trap::Trap;
use crate::exec::work;

/// A leaf's way out of guest code with `trap`.
///
/// # Safety
/// `r` must be the registers of the instruction that traps.
#[inline(always)]
unsafe fn trap(mut r: Regs, trap: Trap) -> Ret {
    r.int = trap as u64;
    // SAFETY: the caller guarantees that the registers are those of the running instruction.
    unsafe { to_slow::<TrapNow>(r, &()) }
}

slow!(
    /// Leaves guest code with the trap whose code is in the integer accumulator.
    TrapNow |r| { Err(Stop::Trap(r.int as u32)) }
);

slow!(
    /// Checks whether to stop and refills the budget, then goes on at `r.ip`.
    Refill |r| {
        work::refill(r.env)?;
        other_code::look(r)
    }
);

slow!(
    /// The handler for combinations of modes that have none. The translator emits no such
    /// instruction; if it did, the guest would get an error and the host would go on.
    Missing |_r| { Err(Trap::Internal.into()) }
);

/// The handler of no instruction.
#[cold]
fn none() -> Picked {
    Picked::slow::<Missing>()
}

impl Instr {
    /// The handler of this instruction, in the form that leaves a result in `target`.
    pub fn handler(self, target: Target) -> Picked {
        match self {
            Self::Binary { op, left, right } => numeric::binary_handler(op, left, right, target),
            Self::Compare { op, left, right } => numeric::compare_handler(op, left, right, target),
            Self::Unary { op, source } => numeric::unary_handler(op, source, target),
            Self::Select { class, condition, a, b } => {
                numeric::select(class, condition, (a, b), target)
            }
            Self::Fused { first, left, right, second, exchanged } => {
                fused::handler_of((first, left, right), (second, exchanged), target)
            }
            Self::Load { op, address } => memory::load_handler(op, address, target),
            Self::Store { op, address, value } => memory::store_handler(op, address, value),
            Self::LoadSum { op, left, right } => memory::load_sum_handler(op, left, right, target),
            Self::StoreSum { op, left, right, value } => {
                memory::store_sum_handler(op, left, right, value)
            }
            Self::LoadAny { op, memory, address } => {
                any_memory::load_handler(op, memory, address, target)
            }
            Self::MemorySize => memory::memory_size_handler(target),
            Self::Copy => Picked::leaf(data::copy),
            Self::CopySum { right } => data::copy_sum_handler(right),
            Self::StepTwo => Picked::leaf(data::step_two),
            Self::CopyVector => Picked::leaf(data::copy_vector),
            Self::CopyTwo => Picked::leaf(data::copy_two),
            Self::CopyMany => Picked::slow::<bulk::CopyMany>(),
            Self::CopyImm32 => Picked::leaf(data::copy_imm::<Imm32>),
            Self::CopyImm64 => Picked::leaf(data::copy_imm::<Imm>),
            Self::Clear { count } => data::clear_handler(count),
            Self::ClearMany => Picked::slow::<bulk::ClearMany>(),
            Self::CopyAcc { class } => data::copy_acc_handler(class),
            Self::GlobalGet { class, imported } => data::global_get(class, imported, target),
            Self::GlobalSet { class, imported, source } => {
                data::global_set(class, imported, source)
            }
            #[cfg(feature = "simd")]
            Self::Vector(instr) => instr.handler(target),
            _ => self.object_handler(target),
        }
    }

    /// The handlers of instructions on structs, arrays and small integers, and of casts. Without
    /// the feature no module has such instructions, and nothing leads to the handlers.
    fn object_handler(self, target: Target) -> Picked {
        if !cfg!(feature = "gc") {
            return self.handler_without_result();
        }
        match self {
            Self::StructGet { op, object } => fields::struct_get_handler(op, object, target),
            Self::ArrayGet { op, index } => fields::array_get_handler(op, index, target),
            Self::ArrayLen { array } => fields::array_len_handler(array, target),
            Self::TypeTest { source } => casts::type_test_handler(source, target),
            Self::KindTest { kind, source } => casts::kind_test_handler(kind, source, target),
            Self::Object => Picked::slow::<objects::Object>(),
            Self::StructNew => Picked::leaf(new_objects::struct_new),
            Self::ArrayNew { op, elements } => new_objects::array_new_handler(op, elements),
            Self::StructSet { op, object, value } => fields::struct_set_handler(op, object, value),
            Self::ArraySet { op, value } => fields::array_set_handler(op, value),
            Self::TypeCast => Picked::leaf(casts::type_cast),
            Self::KindCast { kind } => casts::kind_cast_handler(kind),
            Self::RefTest => Picked::slow::<objects::RefTest>(),
            Self::RefCast => Picked::slow::<objects::RefCast>(),
            Self::RefI31 => Picked::leaf(objects::ref_i31),
            Self::I31Get { signed: true } => Picked::leaf(objects::i31_get::<true>),
            Self::I31Get { signed: false } => Picked::leaf(objects::i31_get::<false>),
            _ => self.handler_without_result(),
        }
    }

    fn handler_without_result(self) -> Picked {
        match self {
            Self::AddWide => Picked::leaf(numeric::add_wide),
            Self::SubWide => Picked::leaf(numeric::sub_wide),
            Self::MulWide { signed } => numeric::mul_wide_handler(signed),
            Self::AssertNonNull => Picked::leaf(references::assert_non_null),
            Self::RefFunc => Picked::leaf(table::ref_func),
            Self::TableGet => Picked::leaf(table::table_get),
            Self::TableSet => Picked::leaf(table::table_set),
            Self::TableSize => Picked::leaf(table::table_size),
            Self::TableGrow => Picked::slow::<table::TableGrow>(),
            Self::TableFill => Picked::slow::<table::TableFill>(),
            Self::TableCopy => Picked::slow::<table::TableCopy>(),
            Self::TableInit => Picked::slow::<table::TableInit>(),
            Self::ElemDrop => Picked::slow::<table::ElemDrop>(),
            Self::Unreachable => Picked::leaf(control::unreachable),
            Self::OutOfBounds => Picked::slow::<control::OutOfBounds>(),
            Self::Branch => Picked::leaf(control::branch::<Forward>),
            Self::BranchBack => Picked::leaf(control::branch::<Back>),
            Self::BranchIf { condition, want, back } => {
                control::branch_if_handler(condition, want, back)
            }
            Self::BranchCompare { op, left, right, back } => {
                control::branch_compare_handler(op, left, right, back)
            }
            Self::BranchStep { op, left, right } => control::branch_step_handler(op, left, right),
            Self::BranchTable { index } => control::branch_table_handler(index),
            Self::Call => Picked::leaf(calls::call),
            Self::CallImport { profiled: false } => Picked::leaf(host::call_import),
            Self::CallImport { profiled: true } => Picked::slow::<profile::CallImport>(),
            Self::ProfileEnter => Picked::slow::<profile::Enter>(),
            Self::ProfileEnd => Picked::slow::<profile::End>(),
            Self::CallIndirect { index } => host::call_indirect_handler(index),
            Self::TailCall { slots } => tail_call::tail_call_handler(slots),
            Self::TailCallImport => Picked::slow::<tail_call::TailCallImport>(),
            Self::TailCallIndirect { index, slots } => {
                tail_call::tail_call_indirect_handler(index, slots)
            }
            Self::TailCallRef { slots } => tail_call::tail_call_ref_handler(slots),
            Self::CallRef => Picked::leaf(references::call_ref),
            Self::ReturnNone { header } => calls::return_none_handler(header),
            Self::ReturnOne { class, source, header } => {
                calls::return_one_handler(class, source, header)
            }
            Self::ReturnMany => Picked::slow::<calls::ReturnMany>(),
            Self::Throw => Picked::slow::<exceptions::Throw>(),
            Self::ThrowRef => Picked::slow::<exceptions::ThrowRef>(),
            _ => self.memory_handler(),
        }
    }

    /// The handlers of instructions on memories whose results, if any, go to slots only.
    fn memory_handler(self) -> Picked {
        match self {
            Self::StoreAny { op, memory, address, value } => {
                any_memory::store_handler(op, memory, address, value)
            }
            Self::Atomic { op } => atomic::handler_of::<Atomic>(op),
            Self::AtomicAny { op } => atomic::handler_of::<AtomicAny>(op),
            Self::AtomicNotify => Picked::slow::<atomic::Notify<Atomic>>(),
            Self::AtomicNotifyAny => Picked::slow::<atomic::Notify<AtomicAny>>(),
            Self::AtomicWait { wide: false } => Picked::slow::<atomic::Wait<u32, Atomic>>(),
            Self::AtomicWait { wide: true } => Picked::slow::<atomic::Wait<u64, Atomic>>(),
            Self::AtomicWaitAny { wide: false } => Picked::slow::<atomic::Wait<u32, AtomicAny>>(),
            Self::AtomicWaitAny { wide: true } => Picked::slow::<atomic::Wait<u64, AtomicAny>>(),
            Self::AtomicFence => Picked::leaf(atomic::fence),
            Self::MemorySizeAny => Picked::slow::<any_memory::MemorySizeAny>(),
            Self::MemoryGrow => Picked::slow::<memory::MemoryGrow>(),
            Self::MemoryGrowAny => Picked::slow::<any_memory::MemoryGrowAny>(),
            Self::MemoryCopy => Picked::slow::<bulk::MemoryCopy>(),
            Self::MemoryCopyAny => Picked::slow::<bulk::MemoryCopyAny>(),
            Self::MemoryFill => Picked::slow::<bulk::MemoryFill>(),
            Self::MemoryFillAny => Picked::slow::<bulk::MemoryFillAny>(),
            Self::MemoryInit => Picked::slow::<bulk::MemoryInit>(),
            Self::MemoryInitAny => Picked::slow::<bulk::MemoryInitAny>(),
            Self::DataDrop => Picked::slow::<bulk::DataDrop>(),
            _ => none(),
        }
    }
}
