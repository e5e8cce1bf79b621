//! An embedder's callback that a context keeps, one for each type.

use super::{Context, Result};
use crate::context::ContextData;
use crate::sync::Lock;
use std::sync::Arc;

/// Owner: the context.
pub(super) struct Hook<F: ?Sized>(Lock<Option<Arc<F>>>);

impl<F: ?Sized> Default for Hook<F> {
    fn default() -> Self {
        Self(Lock::new(None))
    }
}

impl<F: ?Sized + Send + Sync + 'static> ContextData for Hook<F> {
    fn end(&self) {
        let function = self.0.lock().take();
        drop(function);
    }
}

impl<F: ?Sized + Send + Sync + 'static> Hook<F> {
    /// Keeps `function` instead of the one before. That one goes without a lock held: it may hold
    /// anything of the embedder's.
    pub(super) fn set(context: &Context, function: Option<Arc<F>>) -> Result<()> {
        let place = context.data_or_init(Self::default)?;
        let old = std::mem::replace(&mut *place.0.lock(), function);
        drop(old);
        Ok(())
    }

    pub(super) fn get(context: &Context) -> Option<Arc<F>> {
        context.data::<Self>()?.0.lock().clone()
    }
}
