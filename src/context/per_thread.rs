//! A context for each thread of a program, all of them in one place.
//!
//! For Rust programs alone: the C library keeps a thread's own context in the thread's state. The
//! numbers by which `thread_local` finds a thread's place take a thread-local of the standard
//! library's with a destructor, which ends the process where there is no memory to register it;
//! the C library never does that, and threads of Rust programs have such thread-locals anyway.

use super::{Context, thread};
use crate::abi::error::{Error, Result};
use crate::alloc;
use crate::platform::tls::{Around, around};
use crate::sync::{Lock, fork};
use std::fmt;
use std::thread::ThreadId;
use thread_local::ThreadLocal;

/// A context of its own for each thread, made when the thread first asks. All of them can be
/// visited from any thread, to stop them, to sum up their counters, to close them.
///
/// A context stays when its thread ends and is still visited, until [`ThreadContexts::clear`] or
/// until a new thread takes the ended one's place: the old context is closed then, and the new
/// thread gets one of its own. So there are never more contexts than there were threads at once.
///
/// ```
/// use isothread::{Context, ContextConfig, ThreadContexts};
///
/// let contexts = ThreadContexts::new(|| {
///     let config = ContextConfig { quota_bytes: Some(1 << 20), ..ContextConfig::default() };
///     Ok(Context::with(config)?)
/// });
/// std::thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| {
///             let context = contexts.get()?;
///             // Load and run modules in it.
///             assert_eq!(context, contexts.get()?);
///             Ok::<_, isothread::Error>(())
///         });
///     }
/// });
/// let mut peak_bytes = 0;
/// contexts.visit(|context| peak_bytes += context.stats().heap.peak_bytes);
/// contexts.clear();
/// ```
pub struct ThreadContexts {
    make: Box<dyn Fn() -> Result<Context> + Send + Sync>,
    slots: ThreadLocal<ThreadSlot>,
}

/// The slot of a thread's context, which another thread takes over after the thread's end. Owner:
/// the [`ThreadContexts`].
#[derive(Default)]
struct ThreadSlot(Lock<Option<Occupant>>);

struct Occupant {
    thread: ThreadId,
    context: Context,
}

/// No fork may come while a thread's number ends, which takes a lock of the process's; and its
/// allocations belong to no heap.
const AT_END: Around = Around {
    before: || {
        alloc::leave();
        fork::hold();
    },
    after: fork::release,
};

impl ThreadContexts {
    /// `make` makes each thread's context, on that thread.
    pub fn new(make: impl Fn() -> Result<Context> + Send + Sync + 'static) -> Self {
        Self { make: Box::new(make), slots: ThreadLocal::new() }
    }

    /// The calling thread's context. It is made now if there is none, or if the last one was
    /// closed.
    pub fn get(&self) -> Result<Context> {
        let slot = self.slot()?;
        let thread = std::thread::current().id();
        let is_ours = |own: &&Occupant| own.thread == thread && own.context.is_open();
        let known = slot.0.lock().as_ref().filter(is_ours).map(|own| own.context.clone());
        if let Some(context) = known {
            return Ok(context);
        }
        let context = (self.make)()?;
        // Not under the lock: functions called at a context's end may come back here.
        let old = slot.0.lock().replace(Occupant { thread, context: context.clone() });
        old.into_iter().for_each(|own| own.context.close());
        Ok(context)
    }

    /// Calls `act` with each thread's context, in no order. Threads that come meanwhile may be
    /// left out.
    pub fn visit(&self, mut act: impl FnMut(&Context)) {
        for slot in &self.slots {
            let context = slot.0.lock().as_ref().map(|own| own.context.clone());
            context.iter().for_each(&mut act);
        }
    }

    /// Closes all contexts and lets go of them. A thread that asks again gets another.
    pub fn clear(&self) {
        for slot in &self.slots {
            let own = slot.0.lock().take();
            own.into_iter().for_each(|own| own.context.close());
        }
    }

    fn slot(&self) -> Result<&ThreadSlot> {
        if let Some(slot) = self.slots.get() {
            return Ok(slot);
        }
        // The list belongs to no context; a thread that forks waits for the lock on the numbers.
        let make = || alloc::outside(|| self.slots.get_or(ThreadSlot::default));
        let made = thread::operation(|| {
            let _section = fork::section();
            around(make, AT_END)
        })?;
        made.ok_or_else(|| Error::misuse("the thread is ending"))
    }
}

impl Drop for ThreadContexts {
    fn drop(&mut self) {
        self.clear();
    }
}

impl fmt::Debug for ThreadContexts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadContexts").finish_non_exhaustive()
    }
}
