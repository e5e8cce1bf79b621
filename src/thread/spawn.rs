//! Making a thread's exec_env and instance, and starting the thread.

use super::guest_stack;
use crate::abi::trap::Trap;
use crate::alloc;
use crate::exec::{Call, EnvKind, EnvSetup, ExecEnv, stop_reason, work};
use crate::instance::{Cluster, Host, Instance, JoinError, Life, PreparedThread, link_set};
use crate::platform;
use crate::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use crate::sync::{Epoch, Sleepers};
use std::ffi::c_void;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

/// Bytes of a thread's native stack. Guest calls take none of it; host functions that log, or
/// call back into the guest, take some.
const STACK_BYTES: usize = 256 << 10;

/// Why a thread was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpawnError {
    /// There are as many as there may be, or the program is ending.
    Refused,
    /// Something that it needs could not be made; it was logged.
    Failed,
}

/// Whether a thread gets a stack in linear memory. Programs of wasi-libc bring their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuestStack {
    Allocated,
    None,
}

/// An exec_env for another thread of `parent`'s program, with an instance of its own, whose start
/// function has run. `stack_low` is the lowest address of the calling thread's native stack, 0 if
/// unknown.
///
/// # Safety
/// `parent` is live and used by this thread.
pub unsafe fn spawn_env(
    parent: NonNull<ExecEnv>,
    stack: GuestStack,
    stack_low: usize,
) -> Result<NonNull<ExecEnv>, SpawnError> {
    // SAFETY: the caller guarantees that `parent` is live and used by this thread.
    let (env, home) = unsafe { (parent.as_ref(), parent.as_ref().instance().as_ref()) };
    if env.is_terminated() || home.has_exception() {
        return Err(SpawnError::Refused);
    }
    let vm = ExecEnv::vm(parent);
    let mut pace = |bytes: usize| {
        // SAFETY: the caller guarantees that the parent is live and used by this thread.
        unsafe {
            match ExecEnv::is_in_call(vm) {
                true => work::charge(vm, work::of_bytes(bytes as u64)),
                false => stop_reason(vm).map_or(Ok(()), Err),
            }
        }
    };
    let child = home.new_for_thread(&mut pace).map_err(|error| {
        log::error!("{error}");
        SpawnError::Failed
    })?;
    // SAFETY: the child was just made, with one handle, which goes in any case: an exec_env has
    // a handle of its own.
    unsafe {
        let made = equip(parent, child, stack, stack_low);
        link_set::release(child);
        made
    }
}

/// Gives a new instance its place in the cluster, its stacks and its exec_env.
///
/// # Safety
/// As for [`spawn_env`]; `child` is live and was just made.
unsafe fn equip(
    parent: NonNull<ExecEnv>,
    child: NonNull<Instance>,
    stack: GuestStack,
    stack_low: usize,
) -> Result<NonNull<ExecEnv>, SpawnError> {
    // SAFETY: the caller guarantees that parent and child are live and used by this thread only.
    unsafe {
        let home = parent.as_ref().instance();
        let max = home.as_ref().host().max_threads();
        home.as_ref().adopt(child, max).map_err(|error| {
            if error == JoinError::Full {
                log::error!("thread manager error: maximum number of threads exceeded");
            }
            SpawnError::Refused
        })?;
        if stack == GuestStack::Allocated && !guest_stack::allocate(home, child) {
            log::error!("thread manager error: failed to allocate aux stack space for new thread");
            return Err(SpawnError::Failed);
        }
        let setup: EnvSetup = parent.as_ref().setup();
        let Some(env) = ExecEnv::new(child, EnvKind::Spawned, setup) else {
            log::error!("thread manager error: failed to allocate memory");
            guest_stack::free(child);
            return Err(SpawnError::Failed);
        };
        ExecEnv::inherit_fuel(env, parent);
        if run_start(env, child, stack_low).is_err() {
            // Goes on where the call is that made the thread.
            (*ExecEnv::vm(parent)).unwinding = (*ExecEnv::vm(env)).unwinding;
            end_env(env);
            return Err(SpawnError::Failed);
        }
        Ok(env)
    }
}

/// Runs the start function of a new instance: programs set up the thread's globals there.
///
/// # Safety
/// Both are live and used by this thread only.
unsafe fn run_start(
    env: NonNull<ExecEnv>,
    child: NonNull<Instance>,
    stack_low: usize,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that both are live and used by this thread only; a start
    // function takes and gives nothing.
    unsafe {
        let Some(index) = child.as_ref().module().start else { return Ok(()) };
        let func = child.as_ref().func(index).ok_or(Trap::OutOfMemory)?;
        Call::prepare(env, func, 0, stack_low)?.run()
    }
}

/// Frees an exec_env that [`spawn_env`] made, and its instance with it. One that is in a call
/// stays, and this is false.
///
/// # Safety
/// It is not used any more.
pub unsafe fn end_env(env: NonNull<ExecEnv>) -> bool {
    // SAFETY: the caller guarantees that the exec_env is not used any more; it holds its instance
    // until it is freed.
    unsafe {
        if ExecEnv::must_stay(env) {
            return false;
        }
        guest_stack::free(env.as_ref().home());
        ExecEnv::free(env)
    }
}

/// A thread's body: gets its exec_env, and the lowest address of its native stack.
pub type ThreadBody = Box<dyn FnOnce(NonNull<ExecEnv>, usize) + Send>;

struct Job {
    env: NonNull<ExecEnv>,
    body: ThreadBody,
}

// SAFETY: the exec_env and its instance are a link set of their own, which nobody else uses from
// here on; all state that the link set shares with others is counted or locked.
unsafe impl Send for Job {}

impl Job {
    fn run(self, stack_low: usize) {
        (self.body)(self.env, stack_low);
        // SAFETY: the job owns the exec_env, and the body is done with it. If a native has ended
        // the thread, the thread ends here.
        unsafe { end_env(self.env) };
    }
}

/// All that a thread starts with. It lies in the heap of the one that starts it.
struct Start {
    life: Arc<Life>,
    /// Taken when it runs.
    job: Option<Job>,
    prepared: PreparedThread,
    host: Arc<dyn Host>,
    completion: Option<Arc<Completion>>,
    cluster: Arc<Cluster>,
}

/// Notifies waiters of a thread's end, on every way out.
struct End {
    life: Arc<Life>,
    completion: Option<Arc<Completion>>,
    cluster: Arc<Cluster>,
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(completion) = self.completion.take() {
            completion.complete();
        }
        self.cluster.thread_ended(&self.life);
    }
}

/// The function that the system calls on the new thread.
extern "C" fn run_thread(start: *mut c_void) -> *mut c_void {
    // SAFETY: `start_thread` gives a box of this type, which is this thread's.
    let start = *unsafe { Box::from_raw(start.cast::<Start>()) };
    let Start { life, mut job, prepared, host, completion, cluster } = start;
    life.begin();
    let end = End { life, completion, cluster };
    // A panic ends with the thread; the hook has reported it.
    let ended = catch_unwind(AssertUnwindSafe(|| {
        host.run_thread(prepared, &mut |stack_low| {
            if let Some(job) = job.take() {
                job.run(stack_low);
            }
        });
        drop(host);
    }));
    if let Err(payload) = ended {
        std::mem::forget(payload);
    }
    drop(end);
    null_mut()
}

/// Starts a thread that runs `body` on `env` and then ends that. If it cannot start, `env` is ended
/// here. `completion` is set when the exec_env is gone.
///
/// # Safety
/// `env` comes from [`spawn_env`] and is not used by the caller any more.
pub unsafe fn start_thread(
    env: NonNull<ExecEnv>,
    body: ThreadBody,
    completion: Option<Arc<Completion>>,
) -> Result<(), SpawnError> {
    // SAFETY: the exec_env holds its instance.
    let (home, instance) = unsafe { (env.as_ref().home(), env.as_ref().home().as_ref()) };
    let cluster = instance.cluster_or_init();
    // All that takes memory comes first, so that a thread that runs has all it needs.
    let prepared = alloc::operation(|| {
        let (life, host) = (Arc::<Life>::default(), instance.host_ref().clone());
        let prepared = host.prepare_thread()?;
        let (job, cluster) = (Some(Job { env, body }), cluster.clone());
        Some(Box::new(Start { life, job, prepared, host, completion, cluster }))
    });
    let started = match prepared {
        Ok(Some(start)) => begin(cluster, home, start),
        _ => Err(io::ErrorKind::OutOfMemory.into()),
    };
    started.map_err(|error| {
        log::error!("a thread could not be started: {error}");
        // SAFETY: nobody else has the exec_env: the job went unrun.
        unsafe { end_env(env) };
        SpawnError::Failed
    })
}

fn begin(cluster: &Arc<Cluster>, home: NonNull<Instance>, start: Box<Start>) -> io::Result<()> {
    let life = start.life.clone();
    let start = Box::into_raw(start);
    let begun = cluster
        .start(home, life, || platform::thread::start(STACK_BYTES, run_thread, start.cast()));
    if begun.is_err() {
        // SAFETY: the box from above: no thread got it.
        drop(unsafe { Box::from_raw(start) });
    }
    begun
}

/// The end of a thread, and its result. Owners: the thread, and those that may wait for it.
pub struct Completion {
    done: AtomicU32,
    result: AtomicUsize,
    sleepers: Sleepers,
    /// When the thread was started.
    epoch: Epoch,
}

impl Completion {
    pub fn new() -> Self {
        let (done, result) = (AtomicU32::new(0), AtomicUsize::new(0));
        Self { done, result, sleepers: Sleepers::new(), epoch: Epoch::now() }
    }

    /// Sets the result.
    pub fn set_result(&self, result: usize) {
        self.result.store(result, Ordering::Relaxed);
    }

    /// Wakes the waiters.
    fn complete(&self) {
        self.done.store(1, Ordering::Release);
        self.sleepers.wake_all(&self.done);
    }

    /// Waits for the end. A thread of an earlier epoch has none, and a result of 0.
    pub fn wait(&self) -> usize {
        while self.done.load(Ordering::Acquire) == 0 && !self.epoch.is_stale() {
            self.sleepers.sleep_while(&self.done, 0);
        }
        self.result.load(Ordering::Relaxed)
    }
}
