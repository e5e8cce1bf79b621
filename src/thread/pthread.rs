//! The pthread library of freestanding programs, imported from "env".
//!
//! Objects are handles that lie in the guest's memory where its headers say; the object behind a
//! handle is the program's (`objects.rs`). Errors are -1, as in WAMR; an address outside the memory
//! is a trap. Waits end when the thread has to stop.

use super::objects::{Object, Thread};
use super::program::Program;
use super::pthread_call::{FAILED, PthreadCall, call};
use super::semaphore;
use super::spawn::{GuestStack, end_env, spawn_env, start_thread};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::abi::vm_layout::VmFuncRef;
use crate::exec::{Call, ExecEnv, func_type};
use crate::instance::Instance;
use crate::native::{Builtin, BuiltinModule};
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::ptr::NonNull;
use std::sync::Arc;

/// The result of `pthread_cond_timedwait` when the time is over.
const TIMED_OUT: u32 = 1;

macro_rules! table {
    ($($name:literal $signature:literal $call:path;)*) => {
        /// The functions of C's pthread library that freestanding guests import.
        pub(super) const PTHREAD: &BuiltinModule = &BuiltinModule {
            names: &["env"],
            functions: &[$(Builtin {
                name: $name,
                signature: $signature,
                call: |caller, slots| call(&caller, slots, $call),
            },)*],
        };
    };
}

table! {
    "__pthread_self" "()i" this;
    "posix_memalign" "(*ii)i" memalign;
    "pthread_cancel" "(i)i" cancel;
    "pthread_cond_broadcast" "(*)i" cond_broadcast;
    "pthread_cond_destroy" "(*)i" cond_destroy;
    "pthread_cond_init" "(**)i" cond_init;
    "pthread_cond_signal" "(*)i" cond_signal;
    "pthread_cond_timedwait" "(**I)i" cond_timedwait;
    "pthread_cond_wait" "(**)i" cond_wait;
    "pthread_create" "(**ii)i" create;
    "pthread_detach" "(i)i" detach;
    "pthread_exit" "(i)" exit;
    "pthread_getspecific" "(i)i" getspecific;
    "pthread_join" "(ii)i" join;
    "pthread_key_create" "(*i)i" key_create;
    "pthread_key_delete" "(i)i" key_delete;
    "pthread_mutex_destroy" "(*)i" mutex_destroy;
    "pthread_mutex_init" "(**)i" mutex_init;
    "pthread_mutex_lock" "(*)i" mutex_lock;
    "pthread_mutex_unlock" "(*)i" mutex_unlock;
    "pthread_self" "()i" this;
    "pthread_setspecific" "(ii)i" setspecific;
    "sem_close" "(i)i" semaphore::close;
    "sem_getvalue" "(i*)i" semaphore::getvalue;
    "sem_open" "($iii)i" semaphore::open;
    "sem_post" "(i)i" semaphore::post;
    "sem_trywait" "(i)i" semaphore::trywait;
    "sem_unlink" "($)i" semaphore::unlink;
    "sem_wait" "(i)i" semaphore::wait;
}

/// The function at an index of the first table, if it has one i32 parameter and as many results.
fn entry(instance: &Instance, index: u32, results: &[ValType]) -> Option<NonNull<VmFuncRef>> {
    let word = instance.table(0)?.get(index.into())?;
    let func = NonNull::new(word as usize as *mut VmFuncRef)?;
    // SAFETY: an element of a table is a function of the table's link set.
    let ty = unsafe { func_type(func) };
    (ty.params() == [ValType::I32] && ty.results() == results).then_some(func)
}

/// # Safety
/// Both are live, of one link set and used by this thread only; the function has one i32 parameter
/// and at most one result.
unsafe fn run(
    env: NonNull<ExecEnv>,
    func: NonNull<VmFuncRef>,
    argument: u32,
    stack_low: usize,
) -> Result<u32, Trap> {
    // SAFETY: the caller guarantees that both are live, of one link set and used by this thread
    // only; the function has one i32 parameter and at most one result; there is room for one slot.
    unsafe {
        let call = Call::prepare(env, func, 1, stack_low)?;
        *call.frame() = argument.into();
        call.run()?;
        Ok(*call.frame() as u32)
    }
}

fn create(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let (place, start, argument) = (call.arg(0), call.arg(2), call.arg(3));
    call.memory().range(place.into(), 4)?;
    let instance = call.instance();
    if entry(instance, start, &[ValType::I32]).is_none() {
        return Ok(FAILED);
    }
    // SAFETY: the guest that calls runs on this exec_env, on this thread.
    let env = unsafe { spawn_env(call.env, GuestStack::Allocated, call.stack_low) };
    let Ok(env) = env else { return Ok(FAILED) };
    let thread = Arc::new(Thread {
        env: AtomicU64::new(env.addr().get() as u64),
        joinable: AtomicBool::new(true),
        result: AtomicU32::new(0),
    });
    let Some(handle) = call.program.objects.add(Object::Thread(thread.clone())) else {
        // SAFETY: just made, and not used yet.
        unsafe { end_env(env) };
        return Ok(FAILED);
    };
    call.memory().write_u32(place.into(), handle)?;
    let body = move |env, stack_low| live(env, &thread, handle, start, argument, stack_low);
    // SAFETY: just made, and given away here.
    if unsafe { start_thread(env, Box::new(body), None) }.is_err() {
        call.program.objects.remove(handle);
        return Ok(FAILED);
    }
    Ok(0)
}

/// The life of a thread.
fn live(
    env: NonNull<ExecEnv>,
    thread: &Thread,
    handle: u32,
    start: u32,
    argument: u32,
    stack_low: usize,
) {
    // SAFETY: the thread owns the exec_env, which holds its instance.
    let instance = unsafe { env.as_ref().home().as_ref() };
    let Some(program) = instance.cluster().and_then(|cluster| Program::of(cluster)) else { return };
    if let Some(func) = entry(instance, start, &[ValType::I32]) {
        // SAFETY: the thread owns the exec_env, which holds its instance; the type was checked.
        let result = unsafe { run(env, func, argument, stack_low) };
        if let Ok(result) = result {
            thread.result.store(result, Ordering::Relaxed);
        }
    }
    for (destructor, word) in program.keys.end(env.addr().get() as u64) {
        if let Some(func) = entry(instance, destructor, &[]) {
            // SAFETY: the thread owns the exec_env, which holds its instance.
            let _ = unsafe { run(env, func, word, stack_low) };
        }
    }
    program.objects.ended(handle, thread);
    program.waits.signal_end(handle);
    if !thread.joinable.load(Ordering::Acquire) {
        program.objects.remove(handle);
    }
}

fn join(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let (handle, place) = (call.arg(0), call.arg(1));
    if place != 0 && call.memory().range(place.into(), 4).is_err() {
        return Ok(FAILED);
    }
    // One that has gone and left nothing is no error.
    let Some(thread) = call.program.objects.thread(handle) else { return Ok(0) };
    if !thread.joinable.load(Ordering::Acquire) {
        return Ok(0);
    }
    let ended = || thread.env.load(Ordering::Acquire) == 0;
    call.program.waits.until(call.caller, handle, ended)?;
    call.program.objects.remove(handle);
    if place != 0 {
        call.memory().write_u32(place.into(), thread.result.load(Ordering::Relaxed))?;
    }
    Ok(0)
}

fn detach(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    if let Some(thread) = call.program.objects.thread(call.arg(0)) {
        thread.joinable.store(false, Ordering::Release);
        if thread.env.load(Ordering::Acquire) == 0 {
            call.program.objects.remove(call.arg(0));
        }
    }
    Ok(0)
}

/// Ends another thread at the next look that it takes, without an exception.
fn cancel(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    if let Some(thread) = call.program.objects.thread(call.arg(0)) {
        thread.joinable.store(false, Ordering::Release);
        let env = thread.env.load(Ordering::Acquire);
        if let Some(cluster) = call.instance().cluster() {
            cluster.for_each(|member| member.envs.cancel(env as usize));
        }
    }
    Ok(0)
}

fn this(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    Ok(call.program.objects.thread_of(call.thread_key()).map_or(0, |(handle, _)| handle))
}

/// Ends the calling thread, if `pthread_create` made it.
fn exit(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    match call.program.objects.thread_of(call.thread_key()) {
        Some((_, thread)) => {
            thread.result.store(call.arg(0), Ordering::Relaxed);
            Err(Trap::ThreadExit)
        }
        None => Ok(0),
    }
}

fn mutex_init(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    call.make(Object::Mutex(Arc::new(AtomicU32::new(0))))
}

fn mutex_lock(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let handle = call.handle(0)?;
    let Some(mutex) = call.program.objects.mutex(handle) else { return Ok(FAILED) };
    call.program.waits.lock(call.caller, handle, &mutex)?;
    Ok(0)
}

fn mutex_unlock(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let handle = call.handle(0)?;
    let Some(mutex) = call.program.objects.mutex(handle) else { return Ok(FAILED) };
    call.program.waits.unlock(handle, &mutex);
    Ok(0)
}

fn mutex_destroy(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let handle = call.handle(0)?;
    let found = call.program.objects.mutex(handle).is_some();
    call.program.objects.remove(if found { handle } else { 0 });
    Ok(if found { 0 } else { FAILED })
}

fn cond_init(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    call.make(Object::Cond)
}

fn wait_condition(call: &PthreadCall<'_>, nanos: Option<u64>) -> Result<u32, Trap> {
    let (condition, mutex) = (call.handle(0)?, call.handle(1)?);
    let objects = &call.program.objects;
    let Some(state) = objects.mutex(mutex).filter(|_| objects.is_cond(condition)) else {
        return Ok(FAILED);
    };
    let in_time =
        call.program.waits.wait_condition(call.caller, condition, (mutex, &state), nanos)?;
    Ok(if in_time { 0 } else { TIMED_OUT })
}

fn cond_wait(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    wait_condition(call, None)
}

/// The time is microseconds from now.
fn cond_timedwait(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    wait_condition(call, Some(call.args[2].saturating_mul(1000)))
}

fn signal(call: &PthreadCall<'_>, count: u32) -> Result<u32, Trap> {
    let condition = call.handle(0)?;
    if !call.program.objects.is_cond(condition) {
        return Ok(FAILED);
    }
    call.program.waits.signal(condition, count);
    Ok(0)
}

fn cond_signal(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    signal(call, 1)
}

fn cond_broadcast(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    signal(call, u32::MAX)
}

fn cond_destroy(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let handle = call.handle(0)?;
    let found = call.program.objects.is_cond(handle);
    call.program.objects.remove(if found { handle } else { 0 });
    Ok(if found { 0 } else { FAILED })
}

fn key_create(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    call.memory().range(call.arg(0).into(), 4)?;
    let Some(key) = call.program.keys.create(call.arg(1)) else { return Ok(FAILED) };
    call.memory().write_u32(call.arg(0).into(), key)?;
    Ok(0)
}

fn key_delete(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    Ok(if call.program.keys.delete(call.arg(0)) { 0 } else { FAILED })
}

fn setspecific(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let set = call.program.keys.set(call.thread_key(), call.arg(0), call.arg(1));
    Ok(if set { 0 } else { FAILED })
}

fn getspecific(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    Ok(call.program.keys.get(call.thread_key(), call.arg(0)))
}

/// Memory for the guest; no more aligned than all of it is.
fn memalign(call: &PthreadCall<'_>) -> Result<u32, Trap> {
    let place = call.arg(0);
    call.memory().range(place.into(), 4)?;
    let address = call.instance().host().guest_malloc(call.instance(), call.arg(2).into());
    call.memory().write_u32(place.into(), address.unwrap_or(0) as u32)?;
    Ok(if address.is_some() { 0 } else { FAILED })
}
