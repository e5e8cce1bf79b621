//! The guest's call stack, innermost frame first.
//!
//! Guest code leaves the frames: each has a header that says where to return to, and every call
//! instruction says where in the module it stands. An activation tells where its guest code is
//! while something else runs; where a trap happened is told by the handlers. Only an instruction
//! that is no call must be looked up, which [`position`] does by translating its function again.

use super::code::ModuleCode;
use super::compile;
use super::machine::{Frame as Slots, Header, Ip, Offset};
use super::shape::Site;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmFuncKind, VmFuncRef};
use crate::exec::{ExecEnv, Frame, Place};
use crate::instance::Instance;
use crate::module::Module;
use std::ptr::NonNull;

/// The frames of a stack. Going through them allocates nothing; they stay true as long as the
/// stack's thread does nothing else.
pub struct Frames {
    next: Next,
}

enum Next {
    /// What an activation has called, if anything, then its guest code.
    Activation(*const VmActivation),
    /// The frame at `sp`, which is at the instruction at `ip`.
    Guest {
        activation: *const VmActivation,
        ip: *const u8,
        sp: *const u64,
        place: Known,
    },
    End,
}

/// Whether the instruction is known to be a call.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Known {
    Call,
    Nothing,
}

impl Frames {
    /// The stack of an environment, seen from a host function that it has called. Empty if
    /// nothing runs, or if guest code has been interrupted.
    ///
    /// # Safety
    /// `env` is live, and its thread does nothing else while the frames are used.
    pub unsafe fn live(env: *const VmEnv) -> Self {
        // SAFETY: passed on to the caller.
        Self { next: Next::Activation(unsafe { (*env).activation }) }
    }

    /// The stack at the instruction at `ip`, on the frame at `sp`.
    ///
    /// # Safety
    /// As for [`Frames::live`]; both belong to guest code of the innermost activation.
    unsafe fn at(env: *const VmEnv, ip: *const u8, sp: *const u64) -> Self {
        // SAFETY: passed on to the caller.
        let activation = unsafe { (*env).activation };
        Self { next: Next::Guest { activation, ip, sp, place: Known::Nothing } }
    }

    /// Starts with what `activation` has called: a host function is a frame of its own.
    ///
    /// # Safety
    /// The activation is live.
    unsafe fn enter(&mut self, activation: *const VmActivation) -> Option<Frame> {
        // SAFETY: passed on to the caller; so for the activations around this one, and for the
        // functions, which belong to instances that run.
        unsafe {
            let VmActivation { outer, func, ip, sp, host } = activation.as_ref()?;
            if (**func).kind != VmFuncKind::Wasm {
                self.next = Next::Activation(*outer);
                return host_frame(*func);
            }
            if ip.is_null() {
                return None;
            }
            self.next = Next::Guest { activation, ip: *ip, sp: *sp, place: Known::Call };
            if host.is_null() { self.next() } else { host_frame(*host) }
        }
    }

    /// The guest frame at `sp`; the one around it comes next.
    ///
    /// # Safety
    /// The activation is live, and its guest code has a frame at `sp`.
    unsafe fn guest(
        &mut self,
        activation: *const VmActivation,
        ip: *const u8,
        sp: *const u64,
        place: Known,
    ) -> Option<Frame> {
        // SAFETY: passed on to the caller; a module's code lives as long as its instances, and
        // the header of a frame is where its function's code says.
        unsafe {
            let func = (*activation).func;
            let table = (*(*func).code).module.cast::<ModuleCode>();
            let (code, offset) = match place {
                Known::Call => (*table).place(ip).map(|at| (at.code, at.offset))?,
                Known::Nothing => (*table).find(ip)?,
            };
            let header = Slots::of(sp.cast_mut()).header(code.header_slot);
            let Header { back_to, caller } = *header;
            self.next = match back_to.call() {
                None => Next::Activation((*activation).outer),
                Some(call) => {
                    let (ip, sp) = (call.as_ptr(), caller.as_ptr().cast_const());
                    Next::Guest { activation, ip, sp, place: Known::Call }
                }
            };
            let place = match place {
                Known::Call => {
                    let Site { position } = *Ip::of(ip).of_shape::<Site>().operands();
                    Place::Module(position)
                }
                Known::Nothing => {
                    let offset = offset.bytes();
                    Place::Code { offset, profiled: (*table).is_profiled() }
                }
            };
            let instance = NonNull::new((*func).instance.cast::<Instance>())?;
            Some(Frame { instance, func_index: code.func_index, place })
        }
    }
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let next = std::mem::replace(&mut self.next, Next::End);
        // SAFETY: whoever made the iterator vouched for the stack, and each step leads to what
        // the last one found on it.
        unsafe {
            match next {
                Next::Activation(activation) => self.enter(activation),
                Next::Guest { activation, ip, sp, place } => self.guest(activation, ip, sp, place),
                Next::End => None,
            }
        }
    }
}

/// # Safety
/// The function's instance is live.
unsafe fn host_frame(func: *const VmFuncRef) -> Option<Frame> {
    // SAFETY: passed on to the caller.
    let func = unsafe { func.as_ref() }?;
    let instance = NonNull::new(func.instance.cast::<Instance>())?;
    Some(Frame { instance, func_index: func.func_index, place: Place::Host })
}

/// Notes the stack of a trap at the instruction at `ip`, on the frame at `sp`, with the exec_env.
/// It is kept there if it is one that only passes through here.
///
/// # Safety
/// Called by a handler, with its registers.
#[cold]
pub unsafe fn record(env: *mut VmEnv, ip: *const u8, sp: *const u64) {
    // SAFETY: a handler's environment is live, and its stack lasts during the call.
    unsafe {
        let Some(owner) = NonNull::new((*env).owner.cast::<ExecEnv>()) else { return };
        let instance = Instance::of_vm((*env).instance);
        let frames = Frames::at(env, ip, sp);
        ExecEnv::with_trace(owner, |trace| trace.record(instance, frames));
    }
}

/// Where in the module the operator stands that the code of a function has at `offset`. `None`
/// if memory runs out.
pub fn position(module: &Module, func_index: u32, offset: u32, profiled: bool) -> Option<u32> {
    module.body(func_index)?;
    // Calls refer to the code table by addresses alone.
    let options = compile::Options { listing: true, profiled, stop: &|| None };
    let translated = compile::translate(module, std::ptr::null(), func_index, options).ok()?;
    let offset = Offset::from_bytes(offset);
    let upto = translated.listing.iter().take_while(|line| line.at <= offset);
    upto.last().map(|line| line.position)
}
