//! Making a context.

use super::Context;
use super::config::{ContextConfig, ContextError, ThreadSettings};
use super::process::Process;
use super::registry::Origin;
use super::runtime::Runtime;
use super::shared::Shared;
use crate::alloc::Heap;

/// Makes a context and lists it in `process`. `settings` stand in for fields that `config` leaves
/// open.
pub(super) fn make(
    mut config: ContextConfig,
    process: &'static Process,
    settings: ThreadSettings,
    origin: Origin,
) -> Result<Context, ContextError> {
    if let Some(mode) = config.running_mode.filter(|mode| !mode.is_supported()) {
        return Err(ContextError::RunningMode(mode as u32));
    }
    process.watch();
    let heap = Heap::new(config.heap.take(), config.quota_bytes).map_err(ContextError::Heap)?;
    let natives = config.natives;
    let runtime = Runtime::new(config, heap, process, settings);
    let context = Context(Shared::new(runtime).ok_or(ContextError::OutOfMemory)?);
    if let Some(array) = natives {
        let registered = context.guarded(|| context.natives().register(array));
        if !registered.unwrap_or(false) {
            return Err(ContextError::Natives);
        }
    }
    process.registry.open(&context.0, origin).ok_or(ContextError::OutOfMemory)?;
    Ok(context)
}
