//! Init, destroy and the thread environment, as the C API counts them.

use super::{Own, ThreadState, with, with_existing};
use crate::abi::error::{Error, Result};
use crate::context::config::{ContextConfig, ContextError};
use crate::context::make::make;
use crate::context::registry::{Origin, Release};
use crate::context::runtime::Runtime;
use crate::context::{Context, log as sink, process};
use std::marker::PhantomData;

/// The outcome of [`destroy`].
#[derive(Debug)]
pub enum Destroyed {
    /// Nothing was left to destroy.
    Surplus,
    /// Other inits keep the context open.
    Counted,
    /// The context is closed. It lives on while this handle or any object does.
    Closed(Context),
}

/// Makes a context and installs it as the thread's own; on a thread that has one, counts a
/// reference.
///
/// A further init with another configuration than the first is counted all the same, with a
/// warning: a context in use cannot be reconfigured. With the shared init, the context is the
/// process's primary instead of the thread's own, and all inits of the process count there.
pub fn init(config: ContextConfig) -> Result<Context, ContextError> {
    init_as(config, true)
}

/// As [`init`], for embedders without a configuration of their own: an existing context is taken as
/// it is, without a warning.
pub fn init_by_default(config: ContextConfig) -> Result<Context, ContextError> {
    init_as(config, false)
}

fn init_as(config: ContextConfig, compares: bool) -> Result<Context, ContextError> {
    sink::install(sink::Output::Rust);
    with(|state| state.init_or_undo(config, compares)).ok_or(ContextError::OutOfMemory)?
}

/// Whether [`init`] would only count a reference now, so that its configuration does not matter.
pub fn init_only_counts() -> bool {
    with_existing(|state| state.own().is_some() || state.shares_primary()).unwrap_or(false)
}

impl ThreadState {
    fn shares_primary(&self) -> bool {
        self.process.shared_init() && self.process.registry.primary().is_some()
    }

    /// An init as an operation: without memory for all of it, it leaves nothing behind.
    fn init_or_undo(&self, config: ContextConfig, compares: bool) -> Result<Context, ContextError> {
        let begun = self.head.begin().ok_or(ContextError::OutOfMemory)?;
        let made = self.init(config, compares);
        if self.head.ran_out_since(begun) {
            if let Ok(context) = made {
                drop(context);
                drop(self.destroy());
            }
            return Err(ContextError::OutOfMemory);
        }
        made
    }

    fn init(&self, config: ContextConfig, compares: bool) -> Result<Context, ContextError> {
        let registry = &self.process.registry;
        let shared = config.shared_init || self.process.shared_init();
        if let Some(own) = self.own()
            && registry.count(&own.0)
        {
            self.own.with(|own| own.inits += 1);
            return Ok(self.counted(own, compares.then_some(&config)));
        }
        if shared && let Some(primary) = self.count_primary() {
            return Ok(self.counted(primary, compares.then_some(&config)));
        }
        let context = make(config, self.process, self.settings.get(), Origin::Init)?;
        if shared && !registry.is_primary(&context.0) {
            // Another thread's shared init came first, and ours has to go again.
            if let Some(primary) = self.count_primary() {
                let counted = self.counted(primary, compares.then_some(context.config()));
                drop(registry.release(&context.0, 1));
                return Ok(counted);
            }
        }
        // Out of memory here leaves nothing behind: the context goes as it came.
        if self.hold_init(&context).is_err() {
            drop(registry.release(&context.0, 1));
            return Err(ContextError::OutOfMemory);
        }
        // The shared init's context is the primary, and no thread's own. But if the primary has
        // closed while others live, there can be no new primary, and the context is the thread's
        // own.
        if !shared || !registry.is_primary(&context.0) {
            self.own.set(Own { context: context.0.downgrade(), inits: 1 });
        }
        self.prepared.set(true);
        Ok(context)
    }

    /// The primary, with one init count more.
    fn count_primary(&self) -> Option<Context> {
        let registry = &self.process.registry;
        registry.primary().filter(|primary| registry.count(primary)).map(Context)
    }

    /// Compares the configuration of an init that only counts.
    fn counted(&self, context: Context, config: Option<&ContextConfig>) -> Context {
        if !config.is_none_or(|config| context.0.check_config(config)) {
            log::warn!(
                "the runtime is initialized already; the arguments of this initialization differ \
                 and are ignored"
            );
        }
        self.prepared.set(true);
        context
    }

    fn destroy(&self) -> Destroyed {
        let registry = &self.process.registry;
        let Some(own) = self.own() else {
            drop(self.own.take());
            return finish(registry.release_primary());
        };
        let left = self.own.with(|own| {
            own.inits = own.inits.saturating_sub(1);
            own.inits
        });
        if left.unwrap_or(0) == 0 {
            drop(self.own.take());
            self.release_init(&own);
        }
        finish(registry.release(&own.0, 1))
    }
}

/// Drops one init count of `context`'s, on any thread: the calling thread's own if that is its
/// context. Another thread whose own it is learns of the end at its next call without a handle.
pub fn destroy_of(context: &Context) -> Destroyed {
    let is_own = with_existing(|state| state.own().as_ref() == Some(context)).unwrap_or(false);
    if is_own { destroy() } else { finish(context.0.process.registry.release(&context.0, 1)) }
}

/// Drops one init count: the calling thread's own, or if it has none, the primary's; never
/// another thread's. A context whose last count goes is closed, and dies with its last object.
pub fn destroy() -> Destroyed {
    let destroyed = match with_existing(ThreadState::destroy) {
        Some(destroyed) => destroyed,
        None => finish(process::of_new_thread().registry.release_primary()),
    };
    match destroyed {
        Destroyed::Surplus => {
            log::warn!("the runtime is not initialized, there is nothing to destroy");
        }
        Destroyed::Counted => {}
        Destroyed::Closed(_) => {
            let _ = with_existing(|state| {
                if state.env_count.get() == 0 {
                    state.unprepare();
                }
            });
        }
    }
    destroyed
}

/// Ends the data of higher parts in a context that was just closed.
fn finish(release: Release<Runtime>) -> Destroyed {
    match release {
        Release::Surplus => Destroyed::Surplus,
        Release::Counted => Destroyed::Counted,
        Release::Handed(token) => {
            drop(token);
            Destroyed::Counted
        }
        Release::Closed(token) => {
            let context = Context(token);
            context.end_data();
            Destroyed::Closed(context)
        }
    }
}

/// Lets go of the thread's own context as its end would: the primary keeps the counts that the
/// thread gave it, any other loses them.
pub fn release_own() {
    let _ = with_existing(end_own);
}

pub(super) fn end_own(state: &ThreadState) {
    let Some(own) = state.own.take() else { return };
    let Some(context) = own.context.upgrade() else { return };
    let registry = &state.process.registry;
    if !registry.is_primary(&context) {
        drop(finish(registry.release(&context, own.inits)));
    }
    state.release_init(&Context(context));
}

/// Makes an existing context the thread's own, with an init count as if the thread had made it:
/// for threads that share one context on purpose. The context that was the thread's own is let
/// go as by [`release_own`]. Fails on a closed context.
pub fn adopt(context: &Context) -> Result<()> {
    with(|state| {
        if !state.process.registry.count(&context.0) {
            return Err(Error::misuse("the runtime was destroyed"));
        }
        end_own(state);
        state.own.set(Own { context: context.0.downgrade(), inits: 1 });
        Ok(())
    })
    .ok_or_else(Error::out_of_memory)?
}

/// Prepares the calling thread for guest code. It makes no context, needs none, and is counted.
/// False only without memory for the thread's state.
pub fn init_thread_env() -> bool {
    with(|state| {
        state.env_count.set(state.env_count.get().saturating_add(1));
        state.prepared.set(true);
    })
    .is_some()
}

/// Takes back one [`init_thread_env`]; more of them than that are harmless. A context that the
/// thread is in is not affected.
pub fn destroy_thread_env() {
    let _ = with_existing(|state| {
        let open = state.env_count.get();
        state.env_count.set(open.saturating_sub(1));
        if open == 1 && state.own().is_none() {
            state.unprepare();
        }
    });
}

/// Whether the calling thread is prepared: by [`init_thread_env`], by [`init`], by being spawned
/// inside a context, or by its first call into a guest.
pub fn thread_env_inited() -> bool {
    with_existing(|state| state.prepared.get()).unwrap_or(false)
}

/// The end of the native stack that runs now: the lowest address that frames may reach, or 0 if
/// unknown, as on a fibre's stack. Prepares the calling thread, as calls into guests do
/// ([`Context::run_guest`]).
pub fn native_stack_low() -> usize {
    with(ThreadState::stack_low).unwrap_or(0)
}

/// The number of the calling thread's state; no two states of a process have the same. Fibres with
/// states of their own count as threads.
pub fn number() -> u64 {
    with(|state| state.id).unwrap_or(0)
}

/// The thread is in its parent's context until this is dropped.
#[must_use = "dropping the guard leaves the context"]
pub struct Inherited {
    context: Context,
    /// Number of the state that inherits.
    thread: u64,
    /// It belongs to the thread.
    not_send: PhantomData<*mut ()>,
}

/// Puts the calling thread, which was spawned by the runtime or by a guest, into its parent's
/// context. To be called when the thread starts.
pub fn inherit(parent: &Context) -> Result<Inherited> {
    with(|state| {
        let before = state.inherited.take();
        state.inherited.set(parent.clone());
        drop(before);
        state.prepared.set(true);
        parent.0.threads.add(state.id);
        Inherited { context: parent.clone(), thread: state.id, not_send: PhantomData }
    })
    .ok_or_else(Error::out_of_memory)
}

impl Drop for Inherited {
    fn drop(&mut self) {
        self.context.0.threads.remove(self.thread);
        let left = with_existing(|state| {
            let is_ours = state.id == self.thread
                && state.inherited.with(|context| *context == self.context) == Some(true);
            if is_ours { state.inherited.take() } else { None }
        });
        drop(left);
    }
}
