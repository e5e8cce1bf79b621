//! What a program's handles stand for: threads, mutexes, condition variables, semaphores.
//!
//! Handles are numbers from 1 on, given once; those of another program mean nothing here.

use crate::sync::Lock;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::Arc;

/// One of a program's threads, as `pthread_create` made it.
pub struct Thread {
    /// Address of its exec_env while it runs, else 0.
    pub env: AtomicU64,
    pub joinable: AtomicBool,
    pub result: AtomicU32,
}

/// What a handle stands for.
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

#[derive(Default)]
struct ObjectsState {
    last: u32,
    objects: Vec<(u32, Object)>,
    /// Semaphores by name.
    names: Vec<(Box<[u8]>, u32)>,
}

impl ObjectsState {
    fn add(&mut self, object: Object) -> Option<u32> {
        self.objects.try_reserve(1).ok()?;
        self.last = self.last.checked_add(1)?;
        self.objects.push((self.last, object));
        Some(self.last)
    }

    fn remove(&mut self, handle: u32) {
        self.objects.retain(|(number, _)| *number != handle);
    }
}

impl Objects {
    /// A handle for something new; `None` without memory.
    pub fn add(&self, object: Object) -> Option<u32> {
        self.0.lock().add(object)
    }

    pub fn get(&self, handle: u32) -> Option<Object> {
        let state = self.0.lock();
        state.objects.iter().find(|(number, _)| *number == handle).map(|(_, object)| object.clone())
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

    /// The thread that runs on this exec_env: its handle.
    pub fn thread_of(&self, env: u64) -> Option<(u32, Arc<Thread>)> {
        let state = self.0.lock();
        state.objects.iter().find_map(|(handle, object)| match object {
            Object::Thread(thread) if thread.env.load(Ordering::Acquire) == env => {
                Some((*handle, thread.clone()))
            }
            _ => None,
        })
    }

    /// The semaphore of this name, made with `value` if there is none and `create` says so.
    pub fn open(&self, name: &[u8], create: bool, value: u32) -> Option<u32> {
        let mut state = self.0.lock();
        if let Some((_, handle)) = state.names.iter().find(|(known, _)| **known == *name) {
            return Some(*handle);
        }
        if !create {
            return None;
        }
        let key: Box<[u8]> = crate::alloc::try_copy(name).ok()?.into_boxed_slice();
        state.names.try_reserve(1).ok()?;
        let handle = state.add(Object::Semaphore(Arc::new(AtomicU32::new(value))))?;
        state.names.push((key, handle));
        Some(handle)
    }

    /// Takes a name away, and the semaphore with it; false if there is none.
    pub fn unlink(&self, name: &[u8]) -> bool {
        let mut state = self.0.lock();
        let Some(at) = state.names.iter().position(|(known, _)| **known == *name) else {
            return false;
        };
        let (_, handle) = state.names.swap_remove(at);
        state.remove(handle);
        true
    }
}
