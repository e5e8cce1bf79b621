//! Local references: what host code holds while it runs, in a list through its own frames.

use super::{ExecEnv, RawLocalRef};
use crate::abi::vm_layout::{VmEnv, VmLocalRefs};
use crate::exec::ExecEnv as Env;
use crate::instance::link_set::Use;
use std::ptr::{self, NonNull};

/// For the C library: Rust code has [`Rooted`](super::Rooted). None of them does anything while
/// another thread runs in the instance's link set.
impl ExecEnv {
    /// Puts a reference to null on the list. It is a root until it is popped, or the host function
    /// returns that pushed it. False if it is the last one already.
    ///
    /// # Safety
    /// Until then it stays where it is, and nothing but its `object` is changed.
    pub unsafe fn push_local_ref(&mut self, local: NonNull<RawLocalRef>) -> bool {
        let push = |env: *mut VmEnv| {
            // SAFETY: the exec_env is live and this thread's; the caller has room at `local`.
            unsafe {
                let VmLocalRefs { last, count } = (*env).local_refs;
                if ptr::eq(last, local.as_ptr()) {
                    return false;
                }
                local.write(RawLocalRef { previous: last, object: ptr::null_mut() });
                (*env).local_refs = VmLocalRefs { last: local.as_ptr(), count: count + 1 };
            }
            true
        };
        self.using(push).unwrap_or(false)
    }

    /// Takes up to so many off the list, the last ones first. Returns the last of them, or null.
    pub fn pop_local_refs(&mut self, most: u32) -> *mut RawLocalRef {
        let pop = |env: *mut VmEnv| {
            let mut popped = ptr::null_mut();
            // SAFETY: the exec_env is live and this thread's; those on the list are as
            // `push_local_ref` asks for.
            unsafe {
                let refs = &mut (*env).local_refs;
                for _ in 0..most {
                    if refs.count == 0 || refs.last.is_null() {
                        break;
                    }
                    popped = refs.last;
                    *refs = VmLocalRefs { last: (*popped).previous, count: refs.count - 1 };
                }
            }
            popped
        };
        self.using(pop).unwrap_or(ptr::null_mut())
    }

    /// The last one on the list, or null.
    pub fn last_local_ref(&mut self) -> *mut RawLocalRef {
        // SAFETY: the exec_env is live and this thread's.
        self.using(|env| unsafe { (*env).local_refs.last }).unwrap_or(ptr::null_mut())
    }

    fn using<R>(&mut self, act: impl FnOnce(*mut VmEnv) -> R) -> Option<R> {
        // SAFETY: the handle keeps the exec_env and its instance alive.
        let _use = unsafe { Use::begin(self.env().home()) }?;
        Some(act(Env::vm(self.ptr())))
    }
}
