//! Waking a thread that waits for something of the system's.
//!
//! What a [`Parker`](super::Parker) is to waits for other threads, an [`Alarm`] is to waits for
//! descriptors, which a [`Bell`] among the descriptors ends, and to *operations*: calls of the
//! embedder's that only a signal interrupts. A signal may come before the call has begun to
//! wait, so a timer sends it until the operation is over.
//!
//! Until an operation must be interrupted, nothing of the process's is touched but the mask of
//! its thread. The handler is there while timers are.
//!
//! Whoever wants a thread to stop first says so and then rings; a thread that is about to wait
//! first gets its bell, or begins its operation, and then looks whether to stop. The lock that
//! both take in between makes one of them see the other.

use super::Lock;
use crate::platform::event::Event;
use crate::platform::signal::{self, Saved, Target, Timer};
use std::mem;
use std::sync::LazyLock;
use std::time::Duration;

/// Between two signals to the same thread.
const INTERVAL: Duration = Duration::from_millis(5);

/// What wakes one thread. Owner: the exec_env.
pub struct Alarm(Lock<State>);

#[derive(Default)]
struct State {
    event: Option<Event>,
    /// Whether the event was rung since it was last cleared.
    rung: bool,
    operation: Option<Operation>,
}

/// A descriptor that becomes readable when its alarm rings.
pub struct Bell<'a> {
    alarm: &'a Alarm,
    fd: i32,
}

impl Alarm {
    pub fn new() -> Self {
        Self(Lock::new(State::default()))
    }

    /// A bell to wait for; `None` if the system has none left, or another one is in use.
    pub fn bell(&self) -> Option<Bell<'_>> {
        let event = Event::new().ok()?;
        let fd = event.fd();
        let mut state = self.0.lock();
        if state.event.is_some() {
            return None;
        }
        state.event = Some(event);
        state.rung = false;
        Some(Bell { alarm: self, fd })
    }

    /// Begins an operation of the calling thread, which is interrupted after `left`, if that is
    /// something. They nest.
    pub fn begin(&self, left: Option<Duration>) {
        if let Some(operation) = &mut self.0.lock().operation {
            operation.depth = operation.depth.saturating_add(1);
            return;
        }
        // Not under the lock: signals that wait for being let through come now.
        let operation = Operation::begin();
        let mut state = self.0.lock();
        let operation = state.operation.insert(operation);
        if left.is_some() {
            operation.interrupt_after(left);
        }
    }

    /// Ends what was begun last, if there is something.
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
    pub fn ring(&self) {
        let mut state = self.0.lock();
        state.ring();
        if let Some(operation) = &mut state.operation {
            operation.stopped = true;
            operation.interrupt_after(Some(Duration::ZERO));
        }
    }

    /// Ends waits, for them to look again, and has the operation interrupted after `left`.
    pub fn limit(&self, left: Option<Duration>) {
        let mut state = self.0.lock();
        state.ring();
        if let Some(operation) = &mut state.operation
            && !operation.stopped
            && (left.is_some() || operation.timer.is_some())
        {
            operation.interrupt_after(left);
        }
    }
}

impl State {
    fn ring(&mut self) {
        if let Some(event) = &self.event
            && !mem::replace(&mut self.rung, true)
        {
            event.ring();
        }
    }
}

impl Bell<'_> {
    pub fn fd(&self) -> i32 {
        self.fd
    }

    /// Makes it unreadable again. Whoever clears looks why it rang afterwards.
    pub fn clear(&self) {
        let mut state = self.alarm.0.lock();
        if mem::take(&mut state.rung)
            && let Some(event) = &state.event
        {
            event.clear();
        }
    }
}

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        self.alarm.0.lock().event = None;
    }
}

/// A blocking call of one thread's.
struct Operation {
    depth: u32,
    target: Target,
    signal: i32,
    was_blocked: bool,
    /// Whether it was told to stop, whatever its time.
    stopped: bool,
    timer: Option<Timer>,
}

impl Operation {
    fn begin() -> Self {
        let mut signals = SIGNAL.lock();
        signals.operations += 1;
        let signal = signals.number;
        drop(signals);
        let was_blocked = signal::unblock(signal);
        let target = Target::current();
        Self { depth: 1, target, signal, was_blocked, stopped: false, timer: None }
    }

    /// Sends the signal after `left`, and until the end; never if that is nothing.
    fn interrupt_after(&mut self, left: Option<Duration>) {
        if self.timer.is_none() && self.target.is_here() {
            let Some(timer) = Timer::new(self.target, self.signal) else { return };
            if !SIGNAL.lock().acquire() {
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
            // The timer and the counts have stayed with the other process.
            mem::forget(timer);
        } else {
            let was_armed = timer.is_some();
            drop(timer);
            if was_armed && is_current {
                // What was sent must come while our handler is there.
                signal::unblock(self.signal);
            }
            let mut signals = SIGNAL.lock();
            signals.operations = signals.operations.saturating_sub(1);
            // A signal may still be on its way to another thread; then the handler stays.
            if was_armed && is_current {
                signals.release();
            }
        }
        if self.was_blocked && is_current {
            signal::block(self.signal);
        }
    }
}

/// The signal, and who needs it. Owner: the process, as of its signals.
static SIGNAL: LazyLock<Lock<Signal>> = LazyLock::new(|| {
    let number = signal::DEFAULT;
    Lock::new(Signal { number, operations: 0, users: 0, saved: None })
});

struct Signal {
    number: i32,
    /// Operations that have not ended; while there are any, the number stays.
    operations: u32,
    /// Operations that need the handler.
    users: u32,
    /// What was there before the handler.
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
    let mut signals = SIGNAL.lock();
    // A handler that could not be taken away needs its number, too.
    let may = signals.operations == 0 && signals.users == 0 && signal::is_usable(number);
    if may {
        signals.number = number;
    }
    may
}

/// The process is the child of a fork: no operation has come along.
pub fn after_fork_in_child() {
    let mut signals = SIGNAL.lock();
    signals.operations = 0;
    if signals.users > 0 {
        signals.users = 1;
        signals.release();
    }
}
