//! Handles by which objects keep their context alive and are counted there.

use super::{Context, ObjectKind};
use std::ops::Deref;

impl Context {
    /// A handle for an object of this kind, which counts in [`Context::stats`] while it lives.
    pub fn hold(&self, kind: ObjectKind) -> ContextHold {
        ContextHold::new(self.clone(), kind)
    }
}

/// An object's handle to its context: it keeps the context alive and counts the object there.
pub struct ContextHold {
    context: Context,
    kind: ObjectKind,
}

impl ContextHold {
    pub(super) fn new(context: Context, kind: ObjectKind) -> Self {
        context.0.counters.add(kind);
        Self { context, kind }
    }

    pub fn context(&self) -> &Context {
        &self.context
    }
}

impl Drop for ContextHold {
    fn drop(&mut self) {
        self.context.0.counters.remove(self.kind);
    }
}

impl Deref for ContextHold {
    type Target = Context;

    fn deref(&self) -> &Context {
        self.context()
    }
}
