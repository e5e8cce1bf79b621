//! One call from the host into the guest.

use super::enter::enter;
use super::{ExecEnv, Trace, limits};
use crate::abi::trap::Trap;
use crate::abi::types::FuncType;
use crate::abi::vm_layout::{VmEnv, VmFuncRef};
use crate::instance::Instance;
use crate::instance::link_set::{self, Use};
use crate::platform::stack;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

/// The type of a function.
///
/// # Safety
/// The function's link set is live during `'a`.
pub unsafe fn func_type<'a>(func: NonNull<VmFuncRef>) -> &'a FuncType {
    // SAFETY: the type belongs to the module of an instance of the function's link set.
    unsafe { &*func.as_ref().ty }
}

/// How a call treats an exception that is pending when it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pending {
    /// It fails, runs nothing, and leaves the exception as it is.
    Fails,
    /// It forgets the exception. A request to stop stays, and makes it fail.
    IsForgotten,
}

/// A call with room for its parameters on the guest's stack.
pub struct Call {
    /// Both end with the call, in this order.
    _begun: Begun,
    _used: Use,
    vm: *mut VmEnv,
    func: NonNull<VmFuncRef>,
    frame: *mut u64,
}

/// A call that its exec_env counts, which is live.
struct Begun(NonNull<ExecEnv>);

impl Drop for Begun {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: exec_envs that are in a call are not freed.
        let active_calls = unsafe { &self.0.as_ref().active_calls };
        active_calls.store(active_calls.load(Ordering::Relaxed).wrapping_sub(1), Ordering::Release);
    }
}

impl Call {
    /// Makes room for a call whose parameters and results take up to `slots` slots each.
    /// `stack_low` is the lowest address of this thread's native stack, 0 if unknown. An exception
    /// that is pending makes it fail.
    ///
    /// # Safety
    /// As for [`Call::prepare_with`].
    #[inline(always)]
    pub unsafe fn prepare(
        env: NonNull<ExecEnv>,
        func: NonNull<VmFuncRef>,
        slots: usize,
        stack_low: usize,
    ) -> Result<Self, Trap> {
        // SAFETY: the caller guarantees that both are live and of one link set.
        unsafe { Self::prepare_with(env, func, slots, stack_low, Pending::Fails) }
    }

    /// As [`Call::prepare`], with the caller's choice about a `pending` exception. On failure the
    /// instance has the exception; but [`Trap::InUse`] leaves it alone, because another thread runs
    /// in the link set.
    ///
    /// Inlined, as a value that is returned through memory and read again at once, in other pieces,
    /// takes as long as the rest of a small call.
    ///
    /// # Safety
    /// Both are live and of one link set.
    #[inline(always)]
    pub unsafe fn prepare_with(
        env: NonNull<ExecEnv>,
        func: NonNull<VmFuncRef>,
        slots: usize,
        stack_low: usize,
        pending: Pending,
    ) -> Result<Self, Trap> {
        let vm = ExecEnv::vm(env);
        // SAFETY: the caller vouches for the exec_env, and the use for the link set being this
        // thread's.
        unsafe {
            let Some(used) = Use::begin(env.as_ref().home()) else { return Err(in_use()) };
            let begun = env.as_ref().active_calls.load(Ordering::Relaxed);
            env.as_ref().active_calls.store(begun + 1, Ordering::Relaxed);
            let begun = Begun(env);
            env.as_ref().count_call();
            if (*(*vm).instance).exception_set.load(Ordering::Relaxed) != 0 {
                meet(env, pending)?;
            }
            let limit = env.as_ref().native_limit(stack_low);
            (*vm).native_stack_limit = limit;
            let frame = (*vm).stack_top;
            let room = (*vm).stack_limit as usize - frame as usize;
            if slots * size_of::<u64>() > room {
                return Err(fail(vm, Trap::OperandStackOverflow));
            }
            if stack::pointer() < limit {
                return Err(fail(vm, Trap::NativeStackOverflow));
            }
            if env.as_ref().must_check_limits()
                && let Err(trap) = limits::check(env)
            {
                return Err(fail(vm, trap));
            }
            Ok(Self { _begun: begun, _used: used, vm, func, frame })
        }
    }

    /// The slots of the parameters, and of the results after [`Call::run`].
    #[inline]
    pub fn frame(&self) -> *mut u64 {
        self.frame
    }

    /// Runs the function. On failure the instance that the exec_env acts on has the exception,
    /// but for [`Trap::ThreadExit`] and [`Trap::Unwinding`].
    ///
    /// # Safety
    /// The parameters have been written and are valid; the rest as for [`Call::prepare`].
    #[inline]
    pub unsafe fn run(&self) -> Result<(), Trap> {
        let vm = self.vm;
        // SAFETY: the caller vouches for the exec_env and the function.
        unsafe {
            let instance = (*vm).instance;
            let asked = (*vm).terminate.load(Ordering::Relaxed);
            let code = if asked != 0 {
                limits::reason_of(asked) as u32
            } else {
                enter(vm, self.func.as_ptr(), self.frame)
            };
            let env = NonNull::new_unchecked(vm.cast::<ExecEnv>());
            if env.as_ref().drawn.get() != 0 {
                limits::give_back(env);
            }
            if code == 0 && (*instance).exception_set.load(Ordering::Relaxed) == 0 {
                return Ok(());
            }
            Err(finish(vm, instance.cast(), code))
        }
    }
}

#[cold]
fn in_use() -> Trap {
    log::error!("{}", Trap::InUse.text());
    Trap::InUse
}

/// Applies `pending` to the exception of the instance that the call acts on.
///
/// # Safety
/// The exec_env is live, and its link set used by this thread.
#[cold]
unsafe fn meet(env: NonNull<ExecEnv>, pending: Pending) -> Result<(), Trap> {
    // SAFETY: the caller vouches for the exec_env; its instance is live.
    let (instance, asked) = unsafe {
        let vm = ExecEnv::vm(env);
        (env.as_ref().instance().as_ref(), (*vm).terminate.load(Ordering::Relaxed))
    };
    match pending {
        Pending::IsForgotten if asked == 0 => {
            instance.forget_exception();
            Ok(())
        }
        Pending::IsForgotten => Ok(()),
        Pending::Fails => {
            let trap = if asked == 0 { Trap::Host } else { limits::reason_of(asked) };
            // SAFETY: the caller vouches for the exec_env.
            count_trap(unsafe { env.as_ref() }, instance, trap);
            Err(trap)
        }
    }
}

/// Notes a trap that happened before the function could run.
#[cold]
unsafe fn fail(vm: *mut VmEnv, trap: Trap) -> Trap {
    // SAFETY: the exec_env and its instance are live, as `prepare` demands.
    unsafe {
        with_trace(vm, Trace::clear);
        finish(vm, (*vm).instance.cast(), trap as u32)
    }
}

/// # Safety
/// The exec_env is live and used by this thread.
unsafe fn with_trace(vm: *mut VmEnv, act: impl FnOnce(&mut Trace)) {
    // SAFETY: the caller guarantees that the exec_env is live; an environment's owner is its
    // exec_env or null.
    if let Some(env) = NonNull::new(unsafe { (*vm).owner.cast::<ExecEnv>() }) {
        // SAFETY: the caller guarantees that the exec_env is live and this thread's.
        unsafe { ExecEnv::with_trace(env, act) }
    }
}

/// Makes sure that the instance has an exception, links the trap's call stack to it, and returns
/// the trap.
#[cold]
unsafe fn finish(vm: *mut VmEnv, instance: *mut Instance, code: u32) -> Trap {
    let Some(at) = NonNull::new(instance) else { return Trap::Internal };
    // SAFETY: the exec_env and its instance are live, as `run` demands.
    unsafe {
        let trap = raise(at, code);
        let is_inner = !(*vm).activation.is_null();
        with_trace(vm, |trace| trace.settle(at.as_ref(), is_inner));
        count_trap(&*vm.cast::<ExecEnv>(), at.as_ref(), trap);
        trap
    }
}

/// Counts a call that failed because of an exception. `proc_exit` and the end of a thread do not
/// count.
#[cold]
fn count_trap(env: &ExecEnv, instance: &Instance, trap: Trap) {
    let has_left = instance.exception().is_some_and(|(text, len)| {
        text[..len].strip_prefix(b"Exception: ") == Some(Trap::ProcExit.text().as_bytes())
    });
    if !has_left && !matches!(trap, Trap::ThreadExit | Trap::Unwinding) {
        env.count_trap();
    }
}

/// # Safety
/// The instance is live.
#[cold]
unsafe fn raise(at: NonNull<Instance>, code: u32) -> Trap {
    // SAFETY: the caller guarantees that the instance is live.
    let instance = unsafe { at.as_ref() };
    for end in [Trap::ThreadExit, Trap::Unwinding] {
        if code == end as u32 {
            return end;
        }
    }
    if code == 0 {
        // Set before the call, or by a host function that did not trap.
        return Trap::Host;
    }
    let trap = Trap::from_code(code).unwrap_or(Trap::Internal);
    if !instance.has_exception() {
        // An exception that an import raised may be pending on the import's instance.
        if matches!(trap, Trap::Host | Trap::UnlinkedImport | Trap::ProcExit) {
            // SAFETY: the caller guarantees that the instance is live; its thread uses the link
            // set.
            unsafe { adopt_exception(at) };
        }
        instance.raise(trap.text().as_bytes());
    }
    trap
}

/// Moves the exception of another member of the link set here, if one is pending.
///
/// # Safety
/// The instance is live and its link set used by this thread.
unsafe fn adopt_exception(at: NonNull<Instance>) {
    // SAFETY: the caller guarantees that the instance is live, and so are the members of its link
    // set.
    unsafe {
        let found =
            link_set::find(at, |member| member.as_ref().exception().map(|text| (member, text)));
        if let Some((member, (text, len))) = found {
            let text = text[..len].strip_prefix(b"Exception: ").unwrap_or(&text[..len]);
            at.as_ref().raise(text);
            member.as_ref().clear_exception();
        }
    }
}
