//! The guest's call stack, innermost frame first.
//!
//! Each activation is one entry from the host or from another instance; its engine finds the frames
//! of its guest code. The activation holds the position of its guest code while other code runs;
//! the engine that notices a trap passes the position of the trap.

use super::engine::{Engine, Point, engine_of};
use super::{ExecEnv, FramePlace, TraceFrame};
use crate::abi::vm_layout::{VmActivation, VmEnv, VmFuncRef};
use crate::instance::Instance;
use std::ptr::NonNull;

/// The frames of a stack. Going through them allocates nothing; they are valid as long as the
/// stack's thread does nothing else.
pub struct Frames {
    next: Next,
}

enum Next {
    /// The host function that an activation has called, if any, then its guest code.
    Activation(*const VmActivation),
    /// Guest code at a call.
    Call(*const VmActivation, Point),
    /// Guest code at an instruction that has trapped.
    Trap(*const VmActivation, Point),
    End,
}

impl Frames {
    /// The stack of an environment, seen from a host function that it has called. Empty if
    /// nothing runs, or if guest code has been interrupted.
    ///
    /// # Safety
    /// `env` is live, and its thread does nothing else while the frames are used.
    pub unsafe fn live(env: *const VmEnv) -> Self {
        // SAFETY: the caller guarantees that the environment is live.
        Self { next: Next::Activation(unsafe { (*env).activation }) }
    }

    /// The stack of a trap, which the innermost guest code has met at `point`.
    ///
    /// # Safety
    /// As for [`Frames::live`]; the innermost activation's guest code is there.
    unsafe fn of_trap(env: *const VmEnv, point: Point) -> Self {
        // SAFETY: the caller guarantees that the environment is live.
        Self { next: Next::Trap(unsafe { (*env).activation }, point) }
    }

    /// The engine of the innermost guest code; to be called before the first frame is taken.
    pub(super) fn engine(&self) -> Option<&'static Engine> {
        match self.next {
            // SAFETY: the activations of a stack are live while its frames are used.
            Next::Call(at, _) | Next::Trap(at, _) => unsafe { engine_of(at) },
            Next::Activation(_) | Next::End => None,
        }
    }

    /// Starts with the function that `activation` has called: a host function is a frame of its
    /// own.
    ///
    /// # Safety
    /// The activation is null or live.
    unsafe fn enter(&mut self, activation: *const VmActivation) -> Option<TraceFrame> {
        // SAFETY: the caller vouches for the activation; so are those around it live, and the
        // functions, which belong to instances that run.
        unsafe {
            let &VmActivation { outer, func, engine, ip, sp, host, .. } = activation.as_ref()?;
            if engine.is_null() {
                self.next = Next::Activation(outer);
                return host_frame(func);
            }
            if ip.is_null() {
                return None;
            }
            self.next = Next::Call(activation, Point { ip, sp });
            if host.is_null() { self.next() } else { host_frame(host) }
        }
    }

    /// The guest frame that `find` returns; its caller's comes next.
    ///
    /// # Safety
    /// The activation is live, and its guest code at the point.
    unsafe fn guest(
        &mut self,
        activation: *const VmActivation,
        point: Point,
        find: impl FnOnce(&Engine) -> unsafe fn(&VmActivation, Point) -> Option<super::GuestFrame>,
    ) -> Option<TraceFrame> {
        // SAFETY: the caller vouches for activation and point, and the functions of running code
        // for their instances.
        unsafe {
            let frame = find(engine_of(activation)?)(&*activation, point)?;
            self.next = match frame.caller {
                Some(caller) => Next::Call(activation, caller),
                None => Next::Activation((*activation).outer),
            };
            let instance = NonNull::new((*(*activation).func).instance.cast::<Instance>())?;
            Some(TraceFrame { instance, func_index: frame.func_index, place: frame.place })
        }
    }
}

impl Frames {
    /// The frames around a run that has none.
    ///
    /// # Safety
    /// The activation is live.
    unsafe fn around(&mut self, activation: *const VmActivation) -> Option<TraceFrame> {
        // SAFETY: the caller vouches for the activation, and so are those around it live.
        unsafe { self.enter((*activation).outer) }
    }

    /// The function that a run was to begin with, and found no room for, as if it had a frame. A
    /// call from guest code of the same instance fails where the call is, like one within a run.
    ///
    /// # Safety
    /// The activation is live.
    unsafe fn without_frame(&mut self, activation: *const VmActivation) -> Option<TraceFrame> {
        // SAFETY: the caller vouches for the activation, and so for those around it and for its
        // function's instance.
        unsafe {
            if is_inner_run(activation) {
                return self.around(activation);
            }
            self.next = Next::Activation((*activation).outer);
            let func = (*activation).func.as_ref()?;
            let instance = NonNull::new(func.instance.cast::<Instance>())?;
            let module = instance.as_ref().module();
            let defined = func.func_index.checked_sub(module.imported.funcs)?;
            let start = module.bodies.get(defined as usize)?.start;
            let place = FramePlace::Module(start);
            Some(TraceFrame { instance, func_index: func.func_index, place })
        }
    }
}

/// Whether a run was entered by guest code of the same instance, for a function that may have no
/// reference.
///
/// # Safety
/// The activation is live.
unsafe fn is_inner_run(activation: *const VmActivation) -> bool {
    // SAFETY: the caller vouches for the activation, and so for the one around it.
    unsafe {
        let &VmActivation { outer, func, .. } = &*activation;
        outer.as_ref().is_some_and(|outer| outer.func == func && outer.host.is_null())
    }
}

impl Iterator for Frames {
    type Item = TraceFrame;

    fn next(&mut self) -> Option<TraceFrame> {
        let next = std::mem::replace(&mut self.next, Next::End);
        // SAFETY: the maker of the iterator vouched for the stack, and each step starts at a frame
        // that the last one found.
        unsafe {
            match next {
                Next::Activation(at) => self.enter(at),
                Next::Call(at, point) => {
                    self.guest(at, point, |engine| engine.frame_at_call).or_else(|| self.around(at))
                }
                Next::Trap(at, point) => self
                    .guest(at, point, |engine| engine.frame_at_trap)
                    .or_else(|| self.without_frame(at)),
                Next::End => None,
            }
        }
    }
}

/// As [`record_trap`], of a trap in a host function that guest code has ended with a tail call of:
/// only what is around the innermost run is left of the stack.
///
/// # Safety
/// `env` is the live environment of the host function, whose run is the innermost one.
#[cold]
pub(super) unsafe fn record_trap_around(env: *mut VmEnv) {
    // SAFETY: the caller vouches for the environment and its innermost activation.
    unsafe {
        let Some(owner) = NonNull::new((*env).owner.cast::<ExecEnv>()) else { return };
        let instance = Instance::of_vm((*env).instance);
        let around = (*(*env).activation).outer;
        let frames = Frames { next: Next::Activation(around) };
        ExecEnv::with_trace(owner, |trace| trace.record(instance, frames));
    }
}

/// # Safety
/// The function's instance is live.
unsafe fn host_frame(func: *const VmFuncRef) -> Option<TraceFrame> {
    // SAFETY: the caller guarantees that the function's instance is live, and the function with it.
    let func = unsafe { func.as_ref() }?;
    let instance = NonNull::new(func.instance.cast::<Instance>())?;
    Some(TraceFrame { instance, func_index: func.func_index, place: FramePlace::Host })
}

/// Notes the stack of a trap with the exec_env: the innermost guest code has met it at `point`. A
/// trap that was noted deeper down, and only passes through here, keeps its stack.
///
/// # Safety
/// `env` is the live environment of the code that traps, which is at the point.
#[cold]
pub unsafe fn record_trap(env: *mut VmEnv, point: Point) {
    // SAFETY: the caller vouches for the environment, whose stack lasts during the call.
    unsafe {
        let Some(owner) = NonNull::new((*env).owner.cast::<ExecEnv>()) else { return };
        let instance = Instance::of_vm((*env).instance);
        let frames = Frames::of_trap(env, point);
        ExecEnv::with_trace(owner, |trace| trace.record(instance, frames));
    }
}
