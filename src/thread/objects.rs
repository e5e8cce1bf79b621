//! The objects behind a program's handles: threads, mutexes, condition variables, semaphores.
//!
//! Handles are numbers from 1 on, given once; those of another program mean nothing here.

use crate::alloc;
use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::collections::BTreeMap;
use std::sync::Arc;

/// One of a program's threads, as `pthread_create` made it.
pub struct Thread {
    /// Address of its exec_env while it runs, else 0.
    pub env: AtomicU64,
    pub joinable: AtomicBool,
    pub result: AtomicU32,
}

/// The object behind a handle.
#[derive(Clone)]
pub enum Object {
    Thread(Arc<Thread>),
    /// 1 while it is locked.
    Mutex(Arc<AtomicU32>),
    Cond,
    /// How often it can be taken.
    Semaphore(Arc<AtomicU32>),
}

/// A program's handles. Owner: the program.
#[derive(Default)]
pub struct Objects(Lock<ObjectsState>);

/// Maps, because guests make as many objects as they like, and none may keep others waiting.
#[derive(Default)]
struct ObjectsState {
    last: u32,
    objects: BTreeMap<u32, Object>,
    /// Threads that run, by their exec_envs.
    running: BTreeMap<u64, u32>,
    /// Semaphores by name.
    names: BTreeMap<Box<[u8]>, u32>,
}

impl ObjectsState {
    fn add(&mut self, object: Object) -> Option<u32> {
        let handle = self.last.checked_add(1)?;
        let env = match &object {
            Object::Thread(thread) => thread.env.load(Ordering::Acquire),
            _ => 0,
        };
        let added = alloc::operation(|| {
            self.objects.insert(handle, object);
            if env != 0 {
                self.running.insert(env, handle);
            }
        });
        if added.is_err() {
            self.remove(handle);
            return None;
        }
        self.last = handle;
        Some(handle)
    }

    fn remove(&mut self, handle: u32) {
        if let Some(Object::Thread(thread)) = self.objects.remove(&handle) {
            self.ended(handle, &thread);
        }
    }

    /// The thread no longer runs on its exec_env, whose address may be another thread's by now.
    fn ended(&mut self, handle: u32, thread: &Thread) {
        let env = thread.env.swap(0, Ordering::AcqRel);
        if self.running.get(&env) == Some(&handle) {
            self.running.remove(&env);
        }
    }
}

impl Objects {
    /// A handle for something new; `None` without memory.
    pub fn add(&self, object: Object) -> Option<u32> {
        self.0.lock().add(object)
    }

    pub fn get(&self, handle: u32) -> Option<Object> {
        self.0.lock().objects.get(&handle).cloned()
    }

    pub fn thread(&self, handle: u32) -> Option<Arc<Thread>> {
        match self.get(handle)? {
            Object::Thread(thread) => Some(thread),
            _ => None,
        }
    }

    pub fn mutex(&self, handle: u32) -> Option<Arc<AtomicU32>> {
        match self.get(handle)? {
            Object::Mutex(mutex) => Some(mutex),
            _ => None,
        }
    }

    pub fn is_cond(&self, handle: u32) -> bool {
        matches!(self.get(handle), Some(Object::Cond))
    }

    pub fn semaphore(&self, handle: u32) -> Option<Arc<AtomicU32>> {
        match self.get(handle)? {
            Object::Semaphore(semaphore) => Some(semaphore),
            _ => None,
        }
    }

    pub fn remove(&self, handle: u32) {
        self.0.lock().remove(handle);
    }

    /// Notes that a thread has left its exec_env.
    pub fn ended(&self, handle: u32, thread: &Thread) {
        self.0.lock().ended(handle, thread);
    }

    /// The thread that runs on this exec_env: its handle.
    pub fn thread_of(&self, env: u64) -> Option<(u32, Arc<Thread>)> {
        let state = self.0.lock();
        let handle = *state.running.get(&env)?;
        match state.objects.get(&handle)? {
            Object::Thread(thread) => Some((handle, thread.clone())),
            _ => None,
        }
    }

    /// The semaphore of this name, made with `value` if there is none and `create` says so.
    pub fn open(&self, name: &[u8], create: bool, value: u32) -> Option<u32> {
        let mut state = self.0.lock();
        if let Some(handle) = state.names.get(name) {
            return Some(*handle);
        }
        if !create {
            return None;
        }
        let key = alloc::try_boxed(name).ok()?;
        let handle = state.add(Object::Semaphore(Arc::new(AtomicU32::new(value))))?;
        if alloc::operation(|| state.names.insert(key, handle)).is_err() {
            state.names.remove(name);
            state.remove(handle);
            return None;
        }
        Some(handle)
    }

    /// Takes a name away, and the semaphore with it; false if there is none.
    pub fn unlink(&self, name: &[u8]) -> bool {
        let mut state = self.0.lock();
        let Some(handle) = state.names.remove(name) else { return false };
        state.remove(handle);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    fn thread(env: u64) -> Arc<Thread> {
        let (joinable, result) = (AtomicBool::new(true), AtomicU32::new(0));
        Arc::new(Thread { env: AtomicU64::new(env), joinable, result })
    }

    #[test]
    fn many_objects_keep_nobody_waiting() {
        const COUNT: u32 = 200_000;
        let objects = Objects::default();
        let began = Instant::now();
        assert!((1..=COUNT).all(|handle| objects.add(Object::Cond) == Some(handle)));
        assert!((1..=COUNT).all(|handle| objects.is_cond(handle)));
        (1..=COUNT).for_each(|handle| objects.remove(handle));
        assert!(!(1..=COUNT).any(|handle| objects.is_cond(handle)));
        // Looking at all for each takes minutes.
        assert!(began.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn threads_are_found_while_they_run() {
        let objects = Objects::default();
        let (old, new) = (thread(16), thread(16));
        let first = objects.add(Object::Thread(old.clone())).expect("memory");
        assert_eq!(objects.thread_of(16).map(|(handle, _)| handle), Some(first));
        // Another thread may run at the same address before the end of the first is noted.
        let second = objects.add(Object::Thread(new.clone())).expect("memory");
        objects.ended(first, &old);
        assert_eq!(objects.thread_of(16).map(|(handle, _)| handle), Some(second));
        objects.remove(second);
        assert!(objects.thread_of(16).is_none() && new.env.load(Ordering::Acquire) == 0);
        assert!(objects.thread(first).is_some(), "to be joined");
    }
}
