//! The exec_envs of an instance, for whoever wants to stop them.

use crate::abi::vm_layout::VmEnv;
use crate::sync::{Lock, LockGuard, Parker};
use std::ptr;
use std::sync::atomic::Ordering;

/// An exec_env's place in its instance's list. Owner: the exec_env.
pub struct EnvLink {
    env: *const VmEnv,
    /// What the exec_env's thread sleeps on.
    parker: Parker,
    previous: *mut EnvLink,
    next: *mut EnvLink,
}

/// An instance's exec_envs. Owner: the instance.
pub struct Envs {
    first: Lock<First>,
}

struct First(*mut EnvLink);

// SAFETY: the list is only followed under the lock; an exec_env leaves it, under the lock,
// before it is freed.
unsafe impl Send for First {}

impl EnvLink {
    pub fn new() -> Self {
        Self {
            env: ptr::null(),
            parker: Parker::new(),
            previous: ptr::null_mut(),
            next: ptr::null_mut(),
        }
    }

    pub fn parker(&self) -> &Parker {
        &self.parker
    }
}

impl Envs {
    pub fn new() -> Self {
        Self { first: Lock::new(First(ptr::null_mut())) }
    }

    /// Adds an exec_env to the list.
    ///
    /// # Safety
    /// Both stay where they are until `remove`.
    pub unsafe fn add(&self, link: *mut EnvLink, env: *const VmEnv) {
        let mut first = self.lock();
        // SAFETY: the caller vouches for the link; those in the list are live.
        unsafe {
            (*link).env = env;
            (*link).previous = ptr::null_mut();
            (*link).next = first.0;
            if let Some(second) = first.0.as_mut() {
                second.previous = link;
            }
        }
        first.0 = link;
    }

    /// Takes an exec_env off the list.
    ///
    /// # Safety
    /// `link` was added to this list and not removed since.
    pub unsafe fn remove(&self, link: *mut EnvLink) {
        let mut first = self.lock();
        // SAFETY: the caller vouches for the link; those in the list are live.
        unsafe {
            let (previous, next) = ((*link).previous, (*link).next);
            match previous.as_mut() {
                Some(previous) => previous.next = next,
                None => first.0 = next,
            }
            if let Some(next) = next.as_mut() {
                next.previous = previous;
            }
        }
    }

    /// Tells every exec_env whether to stop.
    pub fn set_terminate(&self, value: u32) {
        let first = self.lock();
        let mut link = first.0;
        // SAFETY: those in the list are live while the lock is held.
        while let Some(this) = unsafe { link.as_ref() } {
            // SAFETY: as above.
            unsafe { (*this.env).terminate.store(value, Ordering::Release) };
            if value != 0 {
                this.parker.wake();
            }
            link = this.next;
        }
    }

    /// Wakes every exec_env that waits, for it to look again whether to stop.
    pub fn wake(&self) {
        let first = self.lock();
        let mut link = first.0;
        // SAFETY: those in the list are live while the lock is held.
        while let Some(this) = unsafe { link.as_ref() } {
            this.parker.wake();
            link = this.next;
        }
    }

    /// Calls `each` with every exec_env.
    pub fn for_each(&self, mut each: impl FnMut(*const VmEnv)) {
        let first = self.lock();
        let mut link = first.0;
        // SAFETY: those in the list are live while the lock is held.
        while let Some(this) = unsafe { link.as_ref() } {
            each(this.env);
            link = this.next;
        }
    }

    fn lock(&self) -> LockGuard<'_, First> {
        self.first.lock()
    }
}
