//! Gives a new context the settings that its thread made before.

use super::remembered::{Early, KEYS};
use super::{keys, memory, multi_module};
use crate::ffi::context;

/// Applies the settings that the calling thread remembers to the context that it has just made.
pub(crate) fn apply() {
    let Some(early) = Early::kept() else { return };
    let Some(made) = &context::current() else { return };
    if early.given != [0; KEYS] {
        let _ = context::within(made, || keys::adopt(made, &early));
    }
    memory::apply(made, early.enlarge);
    multi_module::apply(made, early.reader);
}
