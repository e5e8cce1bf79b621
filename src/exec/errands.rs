//! How many threads of the runtime's work for guests of a context in calls of the system's that
//! cannot be stopped.
//!
//! Such a thread goes on when the guest that it works for is gone, so the number of a guest's own
//! threads does not limit it.

use super::limits::limits_of;
use crate::abi::vm_layout::VmEnv;
use crate::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

/// The most that a context has at once.
pub const MOST: u32 = 16;

/// A context's count of such threads. Owner: the context's limits, and every slot.
#[derive(Default)]
pub struct Errands(AtomicU32);

/// Room for one such thread, which goes back when the slot is dropped.
pub struct ErrandSlot(Option<Arc<Errands>>);

impl Errands {
    /// Room for one more, if there is any.
    pub fn slot(self: &Arc<Self>) -> Option<ErrandSlot> {
        let next = |live: u32| (live < MOST).then(|| live + 1);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok()?;
        Some(ErrandSlot(Some(self.clone())))
    }
}

impl Drop for ErrandSlot {
    fn drop(&mut self) {
        if let Some(errands) = &self.0 {
            errands.0.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Room for one more thread that works for running code; `None` if its context has no more.
///
/// # Safety
/// `env` is live.
pub unsafe fn errand_slot(env: *const VmEnv) -> Option<ErrandSlot> {
    // SAFETY: the caller's environment is live, and it names no limits but those that outlive it.
    match unsafe { limits_of(env) } {
        Some(limits) => limits.errands().slot(),
        None => Some(ErrandSlot(None)),
    }
}
