//! Threads of guests, as the embedder starts and ends them.

use super::env::context_of;
use super::{Context, Error, ExecEnv, Instance, Result};
use crate::context::{Ended, ObjectKind};
use crate::exec::{EnvKind, ExecEnv as Env};
use crate::thread::{self as threads, Completion, GuestStack, SpawnError};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// An exec_env for another thread, on its way there.
pub struct SpawnedEnv(NonNull<Env>);

// SAFETY: the exec_env and its instance are a link set of their own, which nobody else uses; state
// shared with others is counted or locked.
unsafe impl Send for SpawnedEnv {}

impl SpawnedEnv {
    /// Binds the exec_env to the calling thread.
    pub fn attach(self) -> ExecEnv {
        // SAFETY: the handle is taken once; `self` is not dropped.
        unsafe { ExecEnv::from_raw(ManuallyDrop::new(self).0.cast()) }
    }
}

impl Drop for SpawnedEnv {
    fn drop(&mut self) {
        // SAFETY: no thread has attached it.
        drop(unsafe { ExecEnv::from_raw(self.0.cast()) });
    }
}

/// A thread that [`ExecEnv::spawn_thread`] started. Dropping it leaves the thread to itself.
pub struct ThreadHandle(Arc<Completion>);

impl ThreadHandle {
    /// Waits for the thread's end, and returns its function's result.
    pub fn join(self) -> usize {
        self.0.wait()
    }
}

#[cold]
fn spawn_error(error: SpawnError) -> Error {
    Error::misuse(match error {
        SpawnError::Refused => "the program may not start a thread now",
        SpawnError::Failed => "failed to spawn a thread",
    })
}

impl ExecEnv {
    fn spawn_raw(&self) -> Result<NonNull<Env>> {
        // SAFETY: the handle holds the exec_env.
        let context = unsafe { context_of(self.ptr()) };
        let spawned = context.operate_guest(|low| {
            // SAFETY: the handle is used by this thread only.
            unsafe { threads::spawn_env(self.ptr(), GuestStack::Allocated, low) }
        });
        match spawned {
            Ended::Returned(spawned) => spawned.map_err(|error| {
                // SAFETY: the handle is used by this thread only.
                unsafe { super::func::keep_unwinding(self.ptr()) };
                spawn_error(error)
            }),
            Ended::RanOut(spawned) => {
                if let Ok(env) = spawned {
                    // SAFETY: just made, and no other code has it.
                    context.run(|| unsafe { threads::end_env(env) });
                }
                Err(Error::out_of_memory())
            }
            Ended::Refused => Err(Error::out_of_memory()),
        }
    }

    /// An exec_env for another thread of the same program. Its instance is another one of the same
    /// module: they share shared memories, the host's state and the host's registrations, and an
    /// exception in one ends all. Tables and globals are its own; the stack pointer leads to a
    /// stack of its own.
    ///
    /// Fails when the program has as many threads as its context allows, or is ending.
    pub fn spawn(&self) -> Result<SpawnedEnv> {
        let env = self.spawn_raw()?;
        // SAFETY: just made.
        unsafe { context_of(env) }.count_object(ObjectKind::ExecEnv);
        Ok(SpawnedEnv(env))
    }

    /// Starts a thread inside the exec_env's context, which calls `body` with an exec_env as
    /// [`ExecEnv::spawn`] makes it.
    ///
    /// ```
    /// use isothread::{Context, ExecEnv, Instance, InstanceArgs, Module};
    ///
    /// let context = Context::new()?;
    /// let wasm = wat::parse_str(
    ///     "(module (memory 1 1 shared) (func (export \"next\") (result i32)
    ///        (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))",
    /// )
    /// .unwrap();
    /// let module = Module::new(&context, &wasm)?;
    /// let instance = Instance::new(&module, InstanceArgs::default())?;
    /// let mut env = ExecEnv::new(&instance, 0)?;
    /// let thread = env.spawn_thread(|env| {
    ///     let next = env.instance().typed_func::<(), i32>("next").unwrap();
    ///     next.call(env, ()).unwrap() as usize
    /// })?;
    /// assert_eq!(thread.join(), 0);
    /// assert_eq!(instance.typed_func::<(), i32>("next")?.call(&mut env, ())?, 1);
    /// # Ok::<(), isothread::Error>(())
    /// ```
    pub fn spawn_thread(
        &self,
        body: impl FnOnce(&mut ExecEnv) -> usize + Send + 'static,
    ) -> Result<ThreadHandle> {
        // SAFETY: the handle holds the exec_env.
        let context = unsafe { context_of(self.ptr()) };
        let (completion, body) = context.guarded(|| {
            let completion = Arc::new(Completion::new());
            let theirs = completion.clone();
            let run = move |env: NonNull<Env>, _: usize| {
                // SAFETY: the thread owns the exec_env until this returns.
                let mut env = ManuallyDrop::new(unsafe { ExecEnv::from_raw(env.cast()) });
                theirs.set_result(body(&mut env));
            };
            (completion, Box::new(run) as threads::ThreadBody)
        })?;
        let env = self.spawn_raw()?;
        let theirs = Some(completion.clone());
        // SAFETY: the exec_env was just made and is given away.
        let started = unsafe { context.run(|| threads::start_thread(env, body, theirs)) };
        started.map_err(spawn_error)?;
        Ok(ThreadHandle(completion))
    }

    /// Whether the exec_env was made for a thread, by [`ExecEnv::spawn`] or for a guest.
    pub fn is_spawned(&self) -> bool {
        self.kind() == EnvKind::Spawned
    }

    /// The context of the exec_env's instance.
    pub fn context(&self) -> &Context {
        // SAFETY: the handle holds the exec_env.
        unsafe { context_of(self.ptr()) }
    }

    /// Ends an exec_env of [`ExecEnv::spawn`].
    pub(super) fn end_spawned(&self) {
        // SAFETY: the handle holds the exec_env; the clone outlives the instance that may go with
        // it.
        let context = unsafe { context_of(self.ptr()) }.clone();
        // SAFETY: the handle owns the exec_env, and nobody can call on it any more.
        if context.run(|| unsafe { threads::end_env(self.ptr()) }) {
            context.uncount_object(ObjectKind::ExecEnv);
        }
    }
}

impl Instance {
    /// Whether the instance was made for a thread of a program that another one started.
    pub fn is_of_thread(&self) -> bool {
        self.parts().cluster().is_some_and(|cluster| !cluster.is_main(self.ptr()))
    }

    /// As [`Instance::set_slot`], for the instances of all of the program's threads.
    pub fn set_slot_of_all(&self, index: usize, word: usize) {
        self.set_slot(index, word);
        if let Some(cluster) = self.parts().cluster() {
            cluster.for_each(|member| {
                if let Some(slot) = member.slot(index) {
                    slot.store(word, Ordering::Relaxed);
                }
            });
        }
    }

    /// Waits for the threads that the program has started, as far as this library runs them. The
    /// calling thread may be one of them.
    pub fn wait_for_threads(&self) {
        if let Some(cluster) = self.parts().cluster() {
            cluster.wait();
        }
    }

    /// Makes the program's other threads end, and waits for them. Dropping the last handle to the
    /// first instance of a program does the same.
    pub fn end_threads(&self) {
        if let Some(cluster) = self.parts().cluster() {
            cluster.end();
            cluster.wait();
        }
    }
}
