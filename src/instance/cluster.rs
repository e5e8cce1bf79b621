//! Clusters: the instances that run one program on several threads.
//!
//! A thread of a guest has an instance of its own, a link set by itself, so that one thread uses a
//! link set at a time here too. A program's instances share the bytes of shared memories and a
//! cluster: an exception in one of them, or a request to stop, reaches all. Members are listed
//! under the lock and leave the list before they are freed.
//!
//! The first member is the *main* instance, which the embedder made. Its end makes the others stop,
//! and waits for them.

use super::{Instance, Pace};
use crate::abi::error::{Error, Result};
use crate::alloc;
use crate::platform::thread::{self, Started};
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use crate::sync::{self, Epoch, Lock, Sleepers};
use std::any::Any;
use std::io;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long a thread may take to end after the last that its guest sees of it, on a busy machine.
const ENDING: Duration = Duration::from_millis(20);

/// The shared state of the instances of one program. Owner: its members.
pub struct Cluster {
    state: Lock<ClusterState>,
    /// Threads of ours that have not ended.
    running: AtomicU32,
    sleepers: Sleepers,
    /// `thread`'s own data for the program.
    data: OnceLock<Box<dyn Any + Send + Sync>>,
}

struct ClusterState {
    /// The main instance, while there is one, and the others.
    main: Option<NonNull<Instance>>,
    children: Vec<NonNull<Instance>>,
    threads: Vec<Thread>,
    /// When the threads were started.
    epoch: Epoch,
    /// No more threads may start: the program has an exception, or ends.
    ended: bool,
}

/// One of our threads.
struct Thread {
    handle: Started,
    /// The exec_env that it runs on.
    instance: NonNull<Instance>,
    life: Arc<Life>,
}

/// The state of a thread. Owner: the thread, and its cluster until it has joined it.
#[derive(Default)]
pub struct Life {
    /// Its number, once it runs.
    id: AtomicUsize,
    ended: AtomicBool,
}

impl Life {
    /// The first thing that the thread does.
    pub fn begin(&self) {
        self.id.store(thread::id(), Ordering::Release);
    }

    /// Whether it is the calling thread's.
    fn is_mine(&self) -> bool {
        self.id.load(Ordering::Acquire) == thread::id()
    }
}

// SAFETY: members are only looked at under the lock, and leave before they are freed; the functions
// called on them lock.
unsafe impl Send for ClusterState {}

/// Why an instance did not become a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinError {
    /// There are as many as there may be.
    Full,
    /// The program is ending.
    Ended,
    OutOfMemory,
}

impl Cluster {
    fn new(main: NonNull<Instance>) -> Self {
        let state = ClusterState {
            main: Some(main),
            children: Vec::new(),
            threads: Vec::new(),
            epoch: Epoch::now(),
            ended: false,
        };
        Self {
            state: Lock::new(state),
            running: AtomicU32::new(0),
            sleepers: Sleepers::new(),
            data: OnceLock::new(),
        }
    }

    /// `thread`'s own data for the program, made at first use.
    pub fn data(
        &self,
        make: impl FnOnce() -> Box<dyn Any + Send + Sync>,
    ) -> &(dyn Any + Send + Sync) {
        &**sync::once(&self.data, make)
    }

    /// Whether `member` is the main instance.
    pub fn is_main(&self, member: NonNull<Instance>) -> bool {
        self.state.lock().main == Some(member)
    }

    /// Counts a child in, unless there are `max` already. A guest that has waited for a thread of
    /// its own may be here before that has quite ended, which is waited for.
    fn join(&self, child: NonNull<Instance>, max: usize) -> std::result::Result<(), JoinError> {
        self.forget_stale();
        let begun = Instant::now();
        loop {
            let running = self.running.load(Ordering::Acquire);
            let joined = self.try_join(child, max);
            let left = ENDING.saturating_sub(begun.elapsed());
            if joined != Err(JoinError::Full) || running == 0 || left.is_zero() {
                return joined;
            }
            let nanos = left.as_nanos() as u64;
            self.sleepers.sleep_while_for(&self.running, running, Some(nanos));
        }
    }

    fn try_join(&self, child: NonNull<Instance>, max: usize) -> std::result::Result<(), JoinError> {
        let mut state = self.state.lock();
        if state.ended {
            return Err(JoinError::Ended);
        }
        if state.children.len() >= max {
            return Err(JoinError::Full);
        }
        state.children.try_reserve(1).map_err(|_| JoinError::OutOfMemory)?;
        state.children.push(child);
        Ok(())
    }

    /// Takes a member off the list. If it is the main instance, makes the others end first, and
    /// waits for them.
    pub(super) fn leave(&self, member: NonNull<Instance>) {
        let mut state = self.state.lock();
        if state.main == Some(member) {
            drop(state);
            self.end();
            self.wait();
            self.state.lock().main = None;
        } else {
            state.children.retain(|&child| child != member);
        }
    }

    /// Requests the end of all children.
    pub fn end(&self) {
        let mut state = self.state.lock();
        state.ended = true;
        for child in &state.children {
            // SAFETY: members are alive while they are listed.
            unsafe { child.as_ref() }.envs.order_end();
        }
    }

    /// Spreads an exception to all members but the one that it comes from, which stop. Only the
    /// first one counts, until the main instance's is cleared.
    pub(super) fn spread(&self, from: &Instance, text: &[u8]) {
        let (code, from) = (from.exit_code(), from.ptr());
        let mut state = self.state.lock();
        if state.ended && state.main != Some(from) {
            return;
        }
        state.ended = true;
        for &member in state.main.iter().chain(&state.children) {
            if member == from {
                continue;
            }
            // SAFETY: members are alive while they are listed.
            let instance = unsafe { member.as_ref() };
            instance.set_exit_code(code);
            instance.raise_alone(text);
            match state.main == Some(member) {
                true => instance.envs.set_terminate(),
                false => instance.envs.order_end(),
            }
        }
    }

    /// Lets threads start again, after an exception was cleared.
    pub(super) fn cleared(&self, member: NonNull<Instance>) {
        let mut state = self.state.lock();
        if state.main == Some(member) {
            state.ended = false;
        }
    }

    /// Calls `act` with every member.
    pub fn for_each(&self, act: impl Fn(&Instance)) {
        let state = self.state.lock();
        for member in state.main.iter().chain(&state.children) {
            // SAFETY: members are alive while they are listed.
            act(unsafe { member.as_ref() });
        }
    }

    /// Starts the thread that runs on `instance`. The new thread calls [`Life::begin`] first, and
    /// counts as running until it calls [`Cluster::thread_ended`].
    pub fn start(
        &self,
        instance: NonNull<Instance>,
        life: Arc<Life>,
        start: impl FnOnce() -> io::Result<Started>,
    ) -> io::Result<()> {
        self.reap();
        let mut state = self.state.lock();
        if alloc::fallible(|| state.threads.try_reserve(1)).is_err() {
            return Err(io::ErrorKind::OutOfMemory.into());
        }
        self.running.fetch_add(1, Ordering::Relaxed);
        match start() {
            Ok(handle) => {
                state.threads.push(Thread { handle, instance, life });
                Ok(())
            }
            Err(error) => {
                drop(state);
                self.running_less();
                Err(error)
            }
        }
    }

    /// The last thing that one of the cluster's threads does.
    pub fn thread_ended(&self, life: &Life) {
        life.ended.store(true, Ordering::Release);
        self.running_less();
    }

    fn running_less(&self) {
        self.running.fetch_sub(1, Ordering::Release);
        self.sleepers.wake_all(&self.running);
    }

    /// Forgets stale threads. Their instances stay as they were when the process forked, which may
    /// be in the middle of anything, so they are never freed.
    fn forget_stale(&self) {
        let mut state = self.state.lock();
        if !state.epoch.renew() {
            return;
        }
        let ClusterState { threads, children, .. } = &mut *state;
        for stale in threads.extract_if(.., |thread| !thread.life.is_mine()) {
            children.retain(|&child| child != stale.instance);
            std::mem::forget(stale);
        }
        self.running.store(threads.len() as u32, Ordering::Relaxed);
    }

    /// Joins threads that have ended.
    fn reap(&self) {
        self.forget_stale();
        self.join_those(|thread| thread.life.ended.load(Ordering::Acquire));
    }

    /// Joins threads one by one, without the lock: a list of them would take memory.
    fn join_those(&self, which: impl Fn(&Thread) -> bool) {
        loop {
            let mut state = self.state.lock();
            let Some(at) = state.threads.iter().position(&which) else { return };
            let thread = state.threads.remove(at);
            drop(state);
            thread.handle.join();
        }
    }

    /// Waits until all of the cluster's threads have ended, the calling one aside.
    pub fn wait(&self) {
        self.forget_stale();
        let own = self.state.lock().threads.iter().any(|thread| thread.life.is_mine()) as u32;
        loop {
            let running = self.running.load(Ordering::Acquire);
            if running <= own {
                break;
            }
            self.sleepers.sleep_while(&self.running, running);
        }
        self.join_those(|thread| !thread.life.is_mine());
    }
}

impl Instance {
    /// The program's cluster, if it was ever asked for threads.
    pub fn cluster(&self) -> Option<&Arc<Cluster>> {
        self.cluster.get()
    }

    /// Wakes all waits in the program, so that they check again whether to stop. With `left`, they
    /// have to stop after that time.
    pub fn limit_waits(&self, left: Option<Duration>) {
        match self.cluster.get() {
            Some(cluster) => cluster.for_each(|member| member.envs.limit(left)),
            None => self.envs.limit(left),
        }
    }

    /// The program's cluster.
    pub fn cluster_or_init(&self) -> &Arc<Cluster> {
        sync::once(&self.cluster, || Arc::new(Cluster::new(self.ptr())))
    }

    /// Makes `child` a member of this instance's cluster.
    ///
    /// # Safety
    /// `child` is live and belongs to no cluster.
    pub unsafe fn adopt(
        &self,
        child: NonNull<Instance>,
        max: u32,
    ) -> std::result::Result<(), JoinError> {
        let cluster = self.cluster_or_init();
        cluster.join(child, max as usize)?;
        // SAFETY: the caller guarantees that `child` is live and belongs to no cluster.
        let _ = unsafe { child.as_ref() }.cluster.set(cluster.clone());
        Ok(())
    }

    /// Makes an instance of the same module for another thread: the two share the bytes of shared
    /// memories, the shared heap that is attached now, and the host's data. Tables and globals
    /// start as the module says; active data segments are not copied again. `pace` is as for
    /// [`Instance::new`].
    pub fn new_for_thread(&self, pace: &mut Pace<'_>) -> Result<NonNull<Self>> {
        let child = super::build::for_thread(self, pace)?;
        // SAFETY: just made.
        let instance = unsafe { child.as_ref() };
        self.share_heap_with(instance);
        for (to, from) in instance.slots.iter().zip(&self.slots) {
            to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        if let Some(state) = self.host_state.get()
            && instance.host_state.set(state.clone()).is_err()
        {
            return Err(Error::out_of_memory());
        }
        Ok(child)
    }
}
