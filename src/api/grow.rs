//! The embedder's callback for memories that did not grow.

use super::hook::Hook;
use super::{Context, Instance, RawExecEnv, RawInstance, Result};
use crate::instance::{GrowError, GrowFailure};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::Arc;

/// A memory that did not grow. The guest only sees -1.
#[derive(Clone, Copy, Debug)]
pub struct MemoryGrowFailed {
    pub instance: NonNull<RawInstance>,
    /// Where the guest code runs that asked; `None` if the embedder did.
    pub exec_env: Option<NonNull<RawExecEnv>>,
    pub memory_index: u32,
    /// Pages that should have been added.
    pub pages: u64,
    pub current_bytes: u64,
    /// Whether the memory's maximum does not allow it; otherwise there was no memory.
    pub max_size_reached: bool,
}

/// The callback's parameters.
pub type MemoryGrowCallback = dyn Fn(&Instance, &MemoryGrowFailed) + Send + Sync;

impl Context {
    /// Calls `callback` whenever a memory of this context fails to grow in guest code or in
    /// [`Instance::enlarge_memory`]; `None` to stop that.
    pub fn set_memory_grow_failed_callback(
        &self,
        callback: Option<Arc<MemoryGrowCallback>>,
    ) -> Result<()> {
        Hook::set(self, callback)
    }
}

/// Calls the context's callback, if it has one.
pub(super) fn notify(context: &Context, failure: &GrowFailure) {
    let Some(callback) = Hook::<MemoryGrowCallback>::get(context) else { return };
    let failed = MemoryGrowFailed {
        instance: failure.instance.cast(),
        exec_env: NonNull::new(failure.exec_env.cast()),
        memory_index: failure.memory,
        pages: failure.pages,
        current_bytes: failure.current_bytes,
        max_size_reached: failure.error == GrowError::Max,
    };
    // SAFETY: the instance is live during its own operation; the handle is not counted.
    let instance = ManuallyDrop::new(unsafe { Instance::from_raw(failed.instance) });
    callback(&instance, &failed);
}
