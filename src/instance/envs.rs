//! The exec_envs of an instance, listed so that all of them can be stopped.

use crate::abi::vm_layout::VmEnv;
use crate::sync::{Interrupt, Lock, LockGuard, Parker};
use std::ptr;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// An exec_env's place in its instance's list. Owner: the exec_env.
pub struct EnvLink {
    env: *const VmEnv,
    /// The parker that the exec_env's thread sleeps on.
    parker: Parker,
    /// The interrupt that wakes it from waits in the system.
    interrupt: Interrupt,
    previous: *mut EnvLink,
    next: *mut EnvLink,
}

/// An instance's exec_envs. Owner: the instance.
pub struct Envs {
    first: Lock<First>,
}

struct First {
    link: *mut EnvLink,
    /// Bits that exec_envs which come later get, too.
    asked: u32,
}

/// Bits of an exec_env's request to stop: until the exception is cleared, and for good.
const TERMINATE: u32 = 1;
const END: u32 = 2;

/// As [`END`], but quietly: only this thread of the program ends.
pub const CANCEL: u32 = 4;

// SAFETY: the list is only followed under the lock; an exec_env leaves it, under the lock,
// before it is freed.
unsafe impl Send for First {}

impl EnvLink {
    pub fn new() -> Self {
        Self {
            env: ptr::null(),
            parker: Parker::new(),
            interrupt: Interrupt::new(),
            previous: ptr::null_mut(),
            next: ptr::null_mut(),
        }
    }

    pub fn parker(&self) -> &Parker {
        &self.parker
    }

    pub fn interrupt(&self) -> &Interrupt {
        &self.interrupt
    }

    /// Wakes the thread wherever it waits, for it to stop.
    fn wake(&self) {
        self.parker.wake();
        self.interrupt.wake();
    }
}

impl Envs {
    pub fn new() -> Self {
        Self { first: Lock::new(First { link: ptr::null_mut(), asked: 0 }) }
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
            (*link).next = first.link;
            if let Some(second) = first.link.as_mut() {
                second.previous = link;
            }
            (*env).terminate.fetch_or(first.asked, Ordering::Release);
        }
        first.link = link;
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
                None => first.link = next,
            }
            if let Some(next) = next.as_mut() {
                next.previous = previous;
            }
        }
    }

    /// Makes every exec_env stop, also new ones, until [`Envs::clear_terminate`].
    pub fn set_terminate(&self) {
        self.stop(TERMINATE);
    }

    /// Takes [`Envs::set_terminate`] back.
    pub fn clear_terminate(&self) {
        let mut first = self.lock();
        first.asked &= !TERMINATE;
        for_each(&first, |link| {
            // SAFETY: those in the list are live while the lock is held.
            unsafe { (*link.env).terminate.fetch_and(!TERMINATE, Ordering::Release) };
        });
    }

    /// Whether one of them has a request to stop.
    pub fn is_terminated(&self) -> bool {
        let mut asked = 0;
        // SAFETY: those in the list are live while the lock is held, which this is called under.
        self.for_each(|env| asked |= unsafe { (*env).terminate.load(Ordering::Acquire) });
        asked != 0
    }

    /// Makes every exec_env stop for good, also those that are made later.
    pub fn order_end(&self) {
        self.stop(END);
    }

    /// Cancels the exec_env at this address, if it is one of these.
    pub fn cancel(&self, env: usize) {
        for_each(&self.lock(), |link| {
            if link.env.addr() == env {
                // SAFETY: those in the list are live while the lock is held.
                unsafe { (*link.env).terminate.fetch_or(CANCEL, Ordering::Release) };
                link.parker.wake();
            }
        });
    }

    fn stop(&self, bits: u32) {
        let mut first = self.lock();
        first.asked |= bits;
        for_each(&first, |link| {
            // SAFETY: those in the list are live while the lock is held.
            unsafe { (*link.env).terminate.fetch_or(bits, Ordering::Release) };
            link.wake();
        });
    }

    /// Wakes every exec_env that waits, for it to look again whether to stop, which it is to do
    /// after `left`, if that is something.
    pub fn limit(&self, left: Option<Duration>) {
        for_each(&self.lock(), |link| {
            link.parker.wake();
            link.interrupt.limit(left);
        });
    }

    /// Calls `each` with every exec_env.
    pub fn for_each(&self, mut each: impl FnMut(*const VmEnv)) {
        for_each(&self.lock(), |link| each(link.env));
    }

    /// Calls `each` with every exec_env that is in a call, until it fails. Meanwhile the list is
    /// not locked, so that others can tell them to stop.
    ///
    /// # Safety
    /// The calling thread uses the link set, and none of its calls ends before this does.
    pub unsafe fn try_for_each_running<E>(
        &self,
        mut each: impl FnMut(*const VmEnv) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut last = ptr::null_mut::<EnvLink>();
        loop {
            let first = self.lock();
            // SAFETY: those in the list are live while the lock is held. The last one was in it
            // before and still is, because its call is the calling thread's and goes on.
            let running = unsafe {
                let mut link = last.as_ref().map_or(first.link, |last| last.next);
                while let Some(idle) = link.as_ref()
                    && (*idle.env).activation.is_null()
                {
                    link = idle.next;
                }
                link
            };
            drop(first);
            // SAFETY: null, or in a call of this thread's, which keeps it and its link.
            let Some(link) = (unsafe { running.as_ref() }) else { return Ok(()) };
            each(link.env)?;
            last = running;
        }
    }

    fn lock(&self) -> LockGuard<'_, First> {
        self.first.lock()
    }
}

fn for_each(first: &First, mut each: impl FnMut(&EnvLink)) {
    let mut link = first.link;
    // SAFETY: those in the list are live while the lock is held, which `first` lies behind.
    while let Some(this) = unsafe { link.as_ref() } {
        each(this);
        link = this.next;
    }
}
