//! Interrupting a thread that waits in the system.
//!
//! A [`Parker`](super::Parker) ends waits for other threads. An [`Interrupt`] ends waits for
//! descriptors, by a [`WakeDescriptor`] among them, and *operations*: blocking calls of the
//! embedder's, which only a signal interrupts. A signal may come before the call has begun to
//! wait, so a timer sends it until the operation is over.
//!
//! Until an operation must be interrupted, nothing of the process's is touched but the signal mask
//! of its thread. Our handler is installed while there are timers.
//!
//! To stop a thread, set its flag first and then interrupt it. A thread that is about to wait
//! makes its wake descriptor first, or begins its operation, and then looks at its flag. The lock
//! that both take in between makes one of them see the other.

use super::wake_descriptor::{Wake, WakeDescriptor};
use super::{Lock, LockGuard, once};
use crate::platform::signal::{self, Saved, Target, Timer};
use std::mem;
use std::sync::OnceLock;
use std::time::Duration;

/// Between two signals to the same thread.
const INTERVAL: Duration = Duration::from_millis(5);

/// Ends the waits of one thread. Owner: the exec_env.
pub struct Interrupt(Lock<State>);

#[derive(Default)]
struct State {
    /// While the thread waits for descriptors.
    wake: Option<Wake>,
    operation: Option<Operation>,
}

impl Interrupt {
    pub fn new() -> Self {
        Self(Lock::new(State::default()))
    }

    /// A descriptor to wait for among others; `None` if the system has none left, or another one
    /// is in use.
    pub fn wake_descriptor(&self) -> Option<WakeDescriptor<'_>> {
        let wake = Wake::new().ok()?;
        let fd = wake.fd();
        let mut state = self.0.lock();
        if state.wake.is_some() {
            return None;
        }
        state.wake = Some(wake);
        Some(WakeDescriptor::new(self, fd))
    }

    pub(super) fn with_wake(&self, change: impl FnOnce(&mut Option<Wake>)) {
        change(&mut self.0.lock().wake);
    }

    /// Begins an operation of the calling thread, which is interrupted after `left` if there is a
    /// time. Operations nest.
    pub fn begin(&self, left: Option<Duration>) {
        if let Some(operation) = &mut self.0.lock().operation {
            operation.depth = operation.depth.saturating_add(1);
            return;
        }
        // Not under the lock: signals that were blocked until now arrive here.
        let operation = Operation::begin();
        let mut state = self.0.lock();
        let operation = state.operation.insert(operation);
        if left.is_some() {
            operation.interrupt_after(left);
        }
    }

    /// Ends the operation that was begun last, if there is one.
    pub fn end(&self) {
        let mut state = self.0.lock();
        let depth = state.operation.as_mut().map(|operation| {
            operation.depth -= 1;
            operation.depth
        });
        let over = if depth == Some(0) { state.operation.take() } else { None };
        drop(state);
        // Not under the lock either.
        drop(over);
    }

    /// Ends waits, and interrupts the operation until it is over.
    pub fn wake(&self) {
        let mut state = self.0.lock();
        state.wake();
        if let Some(operation) = &mut state.operation {
            operation.stopped = true;
            operation.interrupt_after(Some(Duration::ZERO));
        }
    }

    /// Ends waits, whose threads look again whether to stop, and has the operation interrupted
    /// after `left`.
    pub fn limit(&self, left: Option<Duration>) {
        let mut state = self.0.lock();
        state.wake();
        if let Some(operation) = &mut state.operation
            && !operation.stopped
            && (left.is_some() || operation.timer.is_some())
        {
            operation.interrupt_after(left);
        }
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(wake) = &mut self.wake {
            wake.wake();
        }
    }
}

/// A blocking call of one thread's.
struct Operation {
    depth: u32,
    target: Target,
    signal: i32,
    was_blocked: bool,
    /// Whether it was interrupted, its time over or not.
    stopped: bool,
    timer: Option<Timer>,
}

impl Operation {
    fn begin() -> Self {
        let mut signals = lock_signal();
        signals.operations += 1;
        let signal = signals.number;
        drop(signals);
        let was_blocked = signal::unblock(signal);
        let target = Target::current();
        Self { depth: 1, target, signal, was_blocked, stopped: false, timer: None }
    }

    /// Sends the signal after `left`, and until the end; never without a time.
    fn interrupt_after(&mut self, left: Option<Duration>) {
        if self.timer.is_none() && self.target.is_here() {
            let Some(timer) = Timer::new(self.target, self.signal) else { return };
            if !lock_signal().acquire() {
                return;
            }
            self.timer = Some(timer);
        }
        if let Some(timer) = &mut self.timer {
            timer.set(left, INTERVAL);
        }
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        let (is_here, is_current) = (self.target.is_here(), self.target.is_current());
        let timer = self.timer.take();
        if !is_here {
            // The timer and the counts belong to the parent process.
            mem::forget(timer);
        } else {
            let was_armed = timer.is_some();
            drop(timer);
            if was_armed && is_current {
                // A signal that was sent must arrive while our handler is installed.
                signal::unblock(self.signal);
            }
            let mut signals = lock_signal();
            signals.operations = signals.operations.saturating_sub(1);
            // Another thread may still get a signal; then the handler stays.
            if was_armed && is_current {
                signals.release();
            }
        }
        if self.was_blocked && is_current {
            signal::block(self.signal);
        }
    }
}

/// The signal and its users. Owner: the process, as of its signals.
static SIGNAL: OnceLock<Lock<Signal>> = OnceLock::new();

fn lock_signal() -> LockGuard<'static, Signal> {
    let make =
        || Lock::new(Signal { number: signal::DEFAULT, operations: 0, users: 0, saved: None });
    once(&SIGNAL, make).lock()
}

struct Signal {
    number: i32,
    /// Operations that have not ended; while there are any, the number stays.
    operations: u32,
    /// Operations that need the handler.
    users: u32,
    /// The handler before ours.
    saved: Option<Saved>,
}

impl Signal {
    fn acquire(&mut self) -> bool {
        if self.users == 0 {
            self.saved = signal::install(self.number);
        }
        self.users += u32::from(self.saved.is_some());
        self.saved.is_some()
    }

    fn release(&mut self) {
        self.users = self.users.saturating_sub(1);
        if self.users == 0
            && let Some(saved) = self.saved.take()
        {
            signal::restore(self.number, &saved);
        }
    }
}

/// Chooses the signal that interrupts operations. Refused while there are any.
pub fn set_signal(number: i32) -> bool {
    let mut signals = lock_signal();
    // A handler that could not be restored needs its number, too.
    let may = signals.operations == 0 && signals.users == 0 && signal::is_usable(number);
    if may {
        signals.number = number;
    }
    may
}

/// Forgets the operations that are stale ([`Epoch`](super::Epoch)), and restores the handler.
pub fn drop_stale() {
    let Some(signals) = SIGNAL.get() else { return };
    let mut signals = signals.lock();
    signals.operations = 0;
    if signals.users > 0 {
        signals.users = 1;
        signals.release();
    }
}
