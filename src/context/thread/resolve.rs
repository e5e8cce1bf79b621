//! The context of a call without a handle.

use super::{Primary, ThreadState, existing, with, with_existing};
use crate::abi::error::{Error, Result};
use crate::context::config::{RunningMode, ThreadSettings};
use crate::context::log::LogLevel;
use crate::context::{Context, process};
use std::cell::Cell;

/// How the calling thread came to a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Entered,
    Own,
    Inherited,
    Primary,
}

impl ThreadState {
    /// The thread's own context, if it is still open.
    pub(super) fn own(&self) -> Option<Context> {
        let context = self.own.with(|own| own.context.upgrade()).flatten().map(Context);
        context.filter(Context::is_open)
    }

    fn inherited(&self) -> Option<Context> {
        self.inherited.with(|context| context.clone())
    }

    /// The primary. Its address is remembered, so that threads without a context of their own
    /// meet at the list's lock only when the primary changes.
    fn primary(&self) -> Option<Context> {
        let registry = &self.process.registry;
        // Read first: if the primary changes meanwhile, the next call looks it up again.
        let generation = registry.generation();
        let known = self
            .primary
            .with(|primary| (primary.generation == generation).then(|| primary.context.upgrade()));
        if let Some(Some(context)) = known {
            return context.map(Context).filter(Context::is_open);
        }
        let context = registry.primary()?;
        self.primary.set(Primary { generation, context: context.downgrade() });
        Some(Context(context))
    }

    /// The context of a call without a handle, and the way by which it was found, tried in this
    /// order.
    fn search(&self) -> Option<(Context, Way)> {
        None.or_else(|| Some((self.entered()?, Way::Entered)))
            .or_else(|| Some((self.own()?, Way::Own)))
            .or_else(|| Some((self.inherited()?, Way::Inherited)))
            .or_else(|| Some((self.primary()?, Way::Primary)))
    }

    /// As [`ThreadState::search`], with the checks and the warning for falling back to the primary.
    fn resolve(&self) -> Result<(Context, Way)> {
        let (context, way) =
            self.search().ok_or_else(|| Error::misuse("the runtime is not initialized"))?;
        if way == Way::Primary {
            if !context.accepts_strays() {
                return Err(Error::misuse("this thread has no runtime of its own"));
            }
            let open = self.process.registry.open_count();
            if open > 1 && !self.warned.replace(true) {
                log::warn!(
                    "a thread without a runtime uses the primary one (number {}) while {open} are \
                     open; enter the one it should use",
                    context.id()
                );
            }
        }
        Ok((context, way))
    }
}

/// See [`Context::current`].
pub(in crate::context) fn current() -> Result<Context> {
    with(ThreadState::resolve).ok_or_else(Error::out_of_memory)?.map(|(context, _)| context)
}

/// Runs `f` with the context of a call without a handle, as [`Context::current`] finds it. Inside
/// a guest call this takes no count.
pub fn with_current<R>(f: impl FnOnce(&Context) -> R) -> Result<R> {
    let running = existing().and_then(|state| {
        // SAFETY: this thread's state lives (`with_existing`).
        unsafe { state.as_ref() }.running()
    });
    match running {
        // The frame of the `run` that made it current is further out than this one.
        Some(context) => Ok(f(&context)),
        None => Ok(f(&current()?)),
    }
}

/// The context of a call without a handle, for information only: makes nothing, gives no warning,
/// and also finds a primary that refuses to be fallen back to.
pub(in crate::context) fn quiet() -> Option<Context> {
    match with_existing(|state| state.search().map(|(context, _)| context)) {
        Some(found) => found,
        None => process::of_new_thread().registry.primary().map(Context),
    }
}

/// The log level that was set on this thread, for messages outside of all contexts.
pub(in crate::context) fn remembered_log_level() -> LogLevel {
    with_existing(|state| state.settings.get().log_level).flatten().unwrap_or_default()
}

/// Applies a setting to the context of a call without a handle. If that is the thread's own, or
/// if there is none, the thread remembers the setting for the next context that it makes.
fn apply(to_context: impl FnOnce(&Context), to_thread: impl FnOnce(&mut ThreadSettings)) {
    let _ = with(|state| {
        let found = state.resolve().ok();
        if matches!(found, None | Some((_, Way::Own))) {
            update(&state.settings, to_thread);
        }
        if let Some((context, _)) = found {
            to_context(&context);
        }
    });
}

fn update(settings: &Cell<ThreadSettings>, change: impl FnOnce(&mut ThreadSettings)) {
    let mut changed = settings.get();
    change(&mut changed);
    settings.set(changed);
}

/// Sets the log level of the calling thread's context, or of its next one.
pub fn set_log_level(level: LogLevel) {
    apply(|context| context.set_log_level(level), |thread| thread.log_level = Some(level));
}

/// Sets the default running mode of the calling thread's context, or of its next one. Returns false
/// and changes nothing if this build does not support the mode.
pub fn set_running_mode(mode: RunningMode) -> bool {
    if !mode.is_supported() {
        return false;
    }
    apply(
        |context| {
            context.set_running_mode(mode);
        },
        |thread| thread.running_mode = Some(mode),
    );
    true
}

/// Sets the thread cap of the calling thread's context, or of its next one; 0 changes nothing.
pub fn set_max_thread_num(num: u32) {
    if num > 0 {
        apply(
            |context| context.set_max_thread_num(num),
            |thread| thread.max_thread_num = Some(num),
        );
    }
}
