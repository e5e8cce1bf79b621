//! The thread that compiles what has become hot, and its queue.

use super::compiler::{self, Compiler, OptLevel};
use crate::alloc;
use crate::platform;
use crate::sync::{Epoch, Lock, Parker};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::ptr;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The part of a function that is to be compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// All of it, for calls.
    Func(u32),
    /// From the loop at this position in the module on, for runs that are in there.
    Loop { func_index: u32, position: u32 },
}

/// Code of a module that can be compiled in parts.
pub trait Compiles: Send + Sync {
    /// Compiles what a task asks for, unless another thread has begun to. The memory that this
    /// takes is the system's, but for the lists of what has been made.
    fn do_task(&self, task: Task, compiler: &mut Option<(OptLevel, Box<Compiler>)>);
}

struct Job {
    code: Weak<dyn Compiles>,
    task: Task,
}

/// A thread that compiles. It starts with the first job, runs no guest code, takes no signals and
/// allocates from the system alone. Owner: the context, which ends it ([`CompileThread::end`]), and
/// the code of its modules. In the child of a fork the thread is gone, and what it was to compile
/// is interpreted; the next job starts another.
pub struct CompileThread {
    queue: Lock<Queue>,
    parker: Parker,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// The code that the thread works on; null if there is none.
    current: usize,
    running: Option<Running>,
    has_ended: bool,
}

struct Running {
    thread: platform::thread::Started,
    epoch: Epoch,
}

/// The thread's stack, in bytes. Only what is touched takes memory.
const STACK_BYTES: usize = 2 * compiler::STACK_BYTES;

/// How long code that is going away waits before it looks again.
const LOOK: Duration = Duration::from_micros(100);

/// With more jobs than this, functions wait until they are hot again.
const JOBS_MAX: usize = 256;

impl Default for CompileThread {
    fn default() -> Self {
        Self { queue: Lock::default(), parker: Parker::new() }
    }
}

impl CompileThread {
    /// Puts a task into the queue; false if it has no room for it, or no thread can be started.
    pub fn request(self: &Arc<Self>, code: Weak<dyn Compiles>, task: Task) -> bool {
        let mut queue = self.queue.lock();
        if queue.has_ended || queue.jobs.len() >= JOBS_MAX {
            return false;
        }
        // The queue is the system's, like all that belongs to the thread.
        let has_room = alloc::outside(|| alloc::fallible(|| queue.jobs.try_reserve(1)).is_ok());
        if !has_room || !self.ensure_thread(&mut queue) {
            return false;
        }
        queue.jobs.push_back(Job { code, task });
        drop(queue);
        self.parker.wake();
        true
    }

    fn ensure_thread(self: &Arc<Self>, queue: &mut Queue) -> bool {
        if queue.running.as_ref().is_some_and(|running| !running.epoch.is_stale()) {
            return true;
        }
        let data = Arc::into_raw(self.clone());
        match platform::thread::start(STACK_BYTES, run, data.cast_mut().cast()) {
            Ok(thread) => {
                queue.running = Some(Running { thread, epoch: Epoch::now() });
                true
            }
            Err(_) => {
                // SAFETY: the count from above: no thread got it.
                drop(unsafe { Arc::from_raw(data) });
                false
            }
        }
    }

    /// Drops all jobs for some code, and waits until the thread is done with it.
    pub fn forget(&self, code: *const ()) {
        loop {
            let mut queue = self.queue.lock();
            let is_other = |job: &Job| job.code.as_ptr().cast::<()>() != code;
            queue.jobs.retain(is_other);
            let is_at_work = queue.running.as_ref().is_some_and(|it| !it.epoch.is_stale());
            if !is_at_work || queue.current != code.addr() {
                return;
            }
            drop(queue);
            std::thread::sleep(LOOK);
        }
    }

    /// Ends the thread, after what it is compiling, and takes no more jobs.
    pub fn end(&self) {
        let mut queue = self.queue.lock();
        queue.has_ended = true;
        let (running, jobs) = (queue.running.take(), std::mem::take(&mut queue.jobs));
        drop(queue);
        drop(jobs);
        self.parker.wake();
        if let Some(running) = running
            && !running.epoch.is_stale()
        {
            running.thread.join();
        }
    }

    /// The next job; `None` if there are to be no more.
    fn next(&self) -> Option<Job> {
        loop {
            let mut queue = self.queue.lock();
            if queue.has_ended {
                return None;
            }
            let job = queue.jobs.pop_front();
            queue.current = job.as_ref().map_or(0, |job| job.code.as_ptr().cast::<()>().addr());
            drop(queue);
            match job {
                Some(job) => return Some(job),
                None => self.parker.sleep(None),
            }
        }
    }
}

extern "C" fn run(data: *mut c_void) -> *mut c_void {
    // SAFETY: the count that `ensure_thread` has given to this thread.
    let this = unsafe { Arc::from_raw(data.cast::<CompileThread>()) };
    platform::thread::block_signals();
    let mut compiler: Option<(OptLevel, Box<Compiler>)> = None;
    while let Some(job) = this.next() {
        if let Some(code) = job.code.upgrade() {
            code.do_task(job.task, &mut compiler);
        }
    }
    ptr::null_mut()
}
