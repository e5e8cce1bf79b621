//! A context's reservations for linear memories.

use super::{Context, Result};
use crate::context::ContextData;
use crate::instance::{MemoryPool, MemorySource};
use std::sync::Arc;

/// Keeps the pool in the context until that closes.
pub(super) struct ContextPool(Arc<MemoryPool>);

impl ContextData for ContextPool {
    fn end(&self) {
        self.0.trim();
    }
}

impl ContextPool {
    /// Where the memories of the context's instances come from.
    pub(super) fn source(context: &Context) -> Result<MemorySource> {
        if context.memories_in_heap() {
            return Ok(MemorySource { pool: None, heap: context.heap().clone() });
        }
        let pool = context.data_or_init(|| Self(Arc::new(MemoryPool::new())))?;
        Ok(MemorySource { pool: Some(pool.0.clone()), heap: context.heap().clone() })
    }
}
