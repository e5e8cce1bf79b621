//! Contexts; the type stands here so that the public signatures can name it.

/// A runtime context.
#[derive(Clone)]
pub struct Context(());
