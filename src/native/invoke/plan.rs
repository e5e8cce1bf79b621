//! Calls with arguments in any place: floats, vectors, more than a few integers, several
//! results.
//!
//! A plan is made when the import is bound. For a call, the arguments are laid out in a [`Frame`]
//! of words in the order in which the backend takes them: vector registers, integer registers,
//! stack, and its own words. The backend calls, and leaves both result registers at the frame's
//! start. Results behind the first are written by the native through pointers that follow its
//! parameters.

use super::backend::{self, FLOAT_REGS, INT_REGS};
use super::{CallFn, attached, check_refs, enter, pending_exception, refuse};
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::abi::vm_layout::{VmEnv, VmHostFunc, VmInstance};
use crate::alloc::fallible;
use crate::instance::Instance;
use crate::native::convert;
use crate::native::host_func::{Body, HostFunc};
use crate::native::signature::Signature;
use std::mem::MaybeUninit;

/// Two words for each vector register.
pub(super) const INT_START: usize = FLOAT_REGS * 2;
pub(super) const STACK_START: usize = INT_START + INT_REGS;
/// Where the backend leaves the integer result and, two words on, the vector result.
pub(super) const INT_RESULT: usize = 0;
pub(super) const FLOAT_RESULT: usize = 2;

/// Words of a frame that lies on the native stack; longer ones go to the heap.
const INLINE_WORDS: usize = 64;

/// The words of one call, aligned for the thunk's vector loads.
#[repr(C, align(16))]
struct InlineWords([MaybeUninit<u64>; INLINE_WORDS]);

/// The entry of planned calls.
pub(in crate::native) const PLANNED: CallFn = call_planned;

/// Where each argument of a C function goes.
pub(in crate::native) struct CallPlan {
    moves: Box<[Move]>,
    /// Words of the frame: registers, stack arguments, the backend's own.
    words: usize,
    stack_words: usize,
    /// Externrefs are numbers, as natives without a signature see them.
    indexed: bool,
    /// Further data of the target's own calling convention.
    #[allow(dead_code, reason = "thunks need no more than the places")]
    pub(super) target: backend::Extra,
}

#[derive(Clone, Copy)]
struct Move {
    from: From,
    to: u16,
}

#[derive(Clone, Copy)]
enum From {
    Slot(u16),
    /// Both halves of a vector.
    Pair(u16),
    /// The address of the slot, for a result, which is cleared.
    Address(u16),
}

/// Hands out the places of arguments in the order of the parameters.
struct Places {
    floats: usize,
    ints: usize,
    stack: usize,
}

impl Places {
    fn int(&mut self) -> usize {
        if self.ints < INT_REGS {
            self.ints += 1;
            INT_START + self.ints - 1
        } else {
            self.on_stack(1)
        }
    }

    fn float(&mut self, words: usize) -> usize {
        if self.floats < FLOAT_REGS {
            self.floats += 1;
            (self.floats - 1) * 2
        } else {
            self.on_stack(words)
        }
    }

    /// Vectors are aligned to their size on the stack.
    fn on_stack(&mut self, words: usize) -> usize {
        let start = self.stack.next_multiple_of(words);
        self.stack = start + words;
        STACK_START + start
    }
}

impl CallPlan {
    #[expect(clippy::disallowed_methods, reason = "a type has 2,000 values at most")]
    pub(in crate::native) fn new(ty: &FuncType, signature: Option<Signature<'_>>) -> Self {
        // The exec_env takes the first integer register.
        let mut places = Places { floats: 0, ints: 1, stack: 0 };
        let mut moves = Vec::with_capacity(ty.params().len() + ty.results().len());
        let mut slot = 0_u16;
        for &param in ty.params() {
            let (from, to) = match param {
                ValType::V128 => (From::Pair(slot), places.float(2)),
                ValType::F32 | ValType::F64 => (From::Slot(slot), places.float(1)),
                _ => (From::Slot(slot), places.int()),
            };
            moves.push(Move { from, to: to as u16 });
            slot += param.slots() as u16;
        }
        let mut slot = 0_u16;
        for (index, result) in ty.results().iter().enumerate() {
            if index > 0 {
                moves.push(Move { from: From::Address(slot), to: places.int() as u16 });
            }
            slot += result.slots() as u16;
        }
        Self {
            words: STACK_START + places.stack + backend::own_words(moves.len()),
            stack_words: places.stack,
            moves: moves.into_boxed_slice(),
            indexed: signature.is_none(),
            target: backend::Extra::new(ty, signature),
        }
    }

    /// The words that hold the arguments behind the exec_env, in order.
    #[allow(dead_code, reason = "thunks take the frame as a whole")]
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.moves.iter().map(|entry| entry.to as usize)
    }

    /// The first of the backend's own words.
    #[allow(dead_code, reason = "thunks have none")]
    pub(super) fn own_start(&self) -> usize {
        STACK_START + self.stack_words
    }

    /// Native stack that a call takes beyond the amount that every native may use.
    fn stack_bytes(&self) -> usize {
        self.words.max(INLINE_WORDS) * 16
    }

    /// Lays out the arguments in `frame`.
    ///
    /// # Safety
    /// `frame` has room for `self.words` words and `args` holds the parameters that the plan
    /// was made for, with room for the results.
    unsafe fn fill(&self, frame: *mut u64, args: *mut u64) {
        for entry in &self.moves {
            // SAFETY: `new` only hands out places below `words`.
            let to = unsafe { frame.add(entry.to as usize) };
            // SAFETY: `new` only names slots of the parameters and results.
            unsafe {
                match entry.from {
                    From::Slot(slot) => *to = *args.add(slot as usize),
                    From::Pair(slot) => {
                        *to = *args.add(slot as usize);
                        *to.add(1) = *args.add(slot as usize + 1);
                    }
                    From::Address(slot) => {
                        *to = args.add(slot as usize).expose_provenance() as u64;
                    }
                }
            }
        }
    }

    /// Clears the slots that the native fills through pointers: it may write half of one.
    ///
    /// # Safety
    /// As for `fill`; the parameters are no longer needed.
    unsafe fn clear_results(&self, args: *mut u64) {
        for entry in &self.moves {
            if let From::Address(slot) = entry.from {
                // SAFETY: the caller vouches for room for the results.
                unsafe { *args.add(slot as usize) = 0 };
            }
        }
    }
}

unsafe extern "C" fn call_planned(this: *const VmHostFunc, env: *mut VmEnv, args: *mut u64) -> u32 {
    // SAFETY: running code passes the function it was linked to, which its module keeps alive;
    // the header is the first field of a `HostFunc`.
    let host = unsafe { &*this.cast::<HostFunc>() };
    let Body::Planned(plan) = &host.body else { return Trap::Internal as u32 };
    // SAFETY: running code passes its live environment and the parameters of this type.
    let trap = unsafe { enter(host, env, args, plan.stack_bytes()) };
    if trap != 0 {
        return trap;
    }
    let mut inline = InlineWords([MaybeUninit::uninit(); INLINE_WORDS]);
    let mut heap = Vec::<u128>::new();
    let frame = if plan.words <= INLINE_WORDS {
        inline.0.as_mut_ptr().cast::<u64>()
    } else if fallible(|| heap.try_reserve_exact(plan.words.div_ceil(2))).is_ok() {
        heap.as_mut_ptr().cast::<u64>()
    } else {
        return Trap::OutOfMemory as u32;
    };
    // SAFETY: `frame` has room for the plan's words and is aligned to 16 bytes; `args` holds the
    // parameters and has room for the results; the embedder that registered the function vouched
    // for its type; the owner of a live environment is its exec_env.
    unsafe {
        plan.fill(frame, args);
        plan.clear_results(args);
        *frame.add(INT_START) = (*env).owner.expose_provenance() as u64;
        let call = || backend::call(env, host.target, frame, plan.stack_words, plan);
        if !attached(host, env, args, call) {
            return Trap::Internal as u32;
        }
        let pending = pending_exception(env);
        if pending != 0 {
            return pending;
        }
        match store_results(host, plan, env, frame, args) {
            Ok(()) if host.returns_refs => check_refs(host, env, args),
            Ok(()) => 0,
            Err(trap) => refuse(env, trap),
        }
    }
}

/// Puts the first result into its slot and the others in order.
///
/// # Safety
/// `frame` is as the backend left it, and `args` has room for the results.
unsafe fn store_results(
    host: &HostFunc,
    plan: &CallPlan,
    env: *mut VmEnv,
    frame: *mut u64,
    args: *mut u64,
) -> Result<(), Trap> {
    let mut slot = args;
    for (index, &ty) in host.ty().results().iter().enumerate() {
        let first = index == 0;
        // SAFETY: the backend left both result registers in the frame's first four words.
        let (int, float) = unsafe { (*frame.add(INT_RESULT), frame.add(FLOAT_RESULT)) };
        // SAFETY: the slots of the results lie one behind the other at `args`.
        let value = unsafe {
            match ty {
                ValType::V128 if first => {
                    *slot.add(1) = *float.add(1);
                    *float
                }
                ValType::F32 | ValType::F64 if first => *float,
                _ if first => int,
                _ => *slot,
            }
        };
        // SAFETY: the caller's environment is live during the call.
        let instance = unsafe { (*env).instance };
        let fitted = match ty {
            ValType::EXTERNREF if plan.indexed => convert::externref_from_index(value),
            ty => slot_of_result(ty, value, host, instance)?,
        };
        // SAFETY: the caller guarantees that `args` has room for the results, of which this is one.
        unsafe { *slot = fitted };
        slot = slot.wrapping_add(ty.slots() as usize);
    }
    Ok(())
}

/// The slot for a word that a native returned: nothing above the type's width, references as
/// the guest knows them.
pub(super) fn slot_of_result(
    ty: ValType,
    value: u64,
    host: &HostFunc,
    instance: *mut VmInstance,
) -> Result<u64, Trap> {
    let externrefs = host.externrefs.as_deref();
    Ok(match ty {
        ValType::I32 | ValType::F32 => value as u32 as u64,
        ValType::I64 | ValType::F64 | ValType::V128 => value,
        ValType::EXTERNREF => convert::externref_from_host(externrefs, instance, value)?,
        ValType::ANYREF => convert::anyref_from_host(externrefs, value)?,
        ValType::FUNCREF if host.has_signature => convert::func_from_host(value)?,
        ValType::FUNCREF => func_ref(instance, value as u32),
        // No function that returns one is ever bound.
        ValType::Ref(_) => 0,
    })
}

/// The reference of a function that a native named by its index; null if the instance made
/// none for it.
fn func_ref(instance: *mut VmInstance, index: u32) -> u64 {
    // SAFETY: natives run with a live instance in their environment.
    let instance = unsafe { Instance::of_vm(instance) };
    instance.func(index).map_or(0, |func| func.as_ptr().expose_provenance() as u64)
}
