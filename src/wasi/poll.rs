//! Waiting for clocks and descriptors.
//!
//! Among the descriptors of a wait is one that becomes readable when the caller is asked to stop.
//! Only where the system or the context has none left is a wait cut into slices.

use super::abi::{Addr, EVENT_BYTES, EVENT_CLOCK, Event, Rights};
use super::abi::{Subscription, SubscriptionLayout, Wait};
use super::call::{Call, Outcome, Stop, os};
use super::clock::clock;
use super::descriptor::Descriptor;
use super::errno::Errno;
use crate::exec::QuotaSlot;
use crate::native::Caller;
use crate::platform::fd::{self, Interest, Interrupted, Poll, Readiness};
use crate::platform::time::{self, Clock};
use crate::platform::unwind::Held;
use crate::sync::WakeDescriptor;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Most subscriptions of one call. The system asks for all of them at once, and cannot be stopped
/// meanwhile; it refuses as many as the process has no descriptors for.
const SUBSCRIPTIONS_MAX: u32 = 1 << 16;

/// Subscriptions handled between two looks whether to stop.
const LOOK_SUBSCRIPTIONS: u64 = 1 << 12;

/// A wait that ends when its caller has to stop. Make one first, then check whether the event is
/// there already, then wait in a loop.
pub(super) struct Wakeable<'a> {
    caller: &'a Caller<'a>,
    held: &'a Held,
    wake: Option<WakeDescriptor<'a>>,
    /// For the wake descriptor.
    _slot: Option<QuotaSlot>,
}

impl<'a> Wakeable<'a> {
    pub(super) fn new(call: &'a Call<'a>) -> Self {
        let slot = call.caller.descriptor_slot();
        let wake = slot.as_ref().and_then(|_| call.caller.wake_descriptor());
        Self { caller: call.caller, held: &call.held, wake, _slot: slot }
    }

    /// The last entry of every list that is waited for.
    pub(super) fn poll(&self) -> Poll {
        self.wake.as_ref().map_or(Poll::none(), |wake| Poll::new(wake.fd(), Interest::Read))
    }

    /// Waits until one of `polls` is ready, at most `nanos`, or shorter; returns how many are,
    /// without the last. Fails when the caller is to stop.
    pub(super) fn wait(&self, polls: &mut [Poll], nanos: Option<u64>) -> Outcome<usize> {
        let timeout = self.caller.poll_timeout(nanos, self.wake.is_some())?;
        let ready = match fd::wait(polls, timeout, self.held) {
            Err(Interrupted::Cancelled(unwinding)) => {
                return Err(self.caller.unwound(unwinding).into());
            }
            // A signal of the embedder's is nothing to the guest.
            Err(Interrupted::Failed(libc::EINTR)) => return Ok(0),
            Err(Interrupted::Failed(error)) => os(Err(error))?,
            Ok(ready) => ready,
        };
        match (&self.wake, polls.last().map(Poll::readiness)) {
            (None, _) | (_, None | Some(Readiness::NotYet)) => Ok(ready),
            (Some(wake), Some(_)) => {
                wake.clear();
                Ok(ready.saturating_sub(1))
            }
        }
    }
}

/// When a clock's subscription is due.
#[derive(Clone, Copy)]
struct Deadline {
    clock: Clock,
    at: u64,
}

impl Deadline {
    fn of(id: u32, timeout: u64, absolute: bool) -> Outcome<Self> {
        let clock = clock(id)?;
        // Time passes alike on both, and this one is never set back.
        let clock = match (clock, absolute) {
            (Clock::Wall, false) => Clock::Monotonic,
            (clock, _) => clock,
        };
        let at = match absolute {
            true => timeout,
            false => time::now(clock).ok_or(Errno::NotSupported)?.saturating_add(timeout),
        };
        Ok(Self { clock, at })
    }

    /// Nanoseconds left; CPU time passes no faster than time does.
    fn remaining(self) -> u64 {
        self.at.saturating_sub(time::now(self.clock).unwrap_or(u64::MAX))
    }
}

/// One subscription during a wait.
struct Waiter {
    subscription: Subscription,
    state: PollState,
}

enum PollState {
    Clock(Deadline),
    /// Counted, so that closing the number meanwhile closes nothing here.
    Descriptor(Arc<Descriptor>),
    Failed(Errno),
}

impl Waiter {
    fn new(call: &Call<'_>, subscription: Subscription) -> Self {
        let descriptor = |number| {
            call.ctx.fds.get_with(number, Rights::POLL_FD_READWRITE).map(PollState::Descriptor)
        };
        let state = match subscription.wait {
            Wait::Clock { clock, timeout, absolute } => {
                Deadline::of(clock, timeout, absolute).map(PollState::Clock)
            }
            Wait::Read(number) | Wait::Write(number) => descriptor(number),
            Wait::Invalid => Err(Errno::Invalid.into()),
            Wait::Unknown => Err(Errno::NoSys.into()),
        };
        let state = state.unwrap_or_else(|stop| match stop {
            Stop::Errno(errno) => PollState::Failed(errno),
            Stop::Trap(_) | Stop::Signal(_) => PollState::Failed(Errno::Invalid),
        });
        Self { subscription, state }
    }

    fn poll(&self) -> Poll {
        match (&self.state, self.subscription.wait) {
            (PollState::Descriptor(d), Wait::Write(_)) => Poll::new(d.fd(), Interest::Write),
            (PollState::Descriptor(d), _) => Poll::new(d.fd(), Interest::Read),
            _ => Poll::none(),
        }
    }

    /// The event that has happened, if one has.
    fn event(&self, poll: &Poll) -> Option<Event> {
        let event = Event {
            user_data: self.subscription.user_data,
            error: 0,
            event_type: self.subscription.event_type,
            readable_bytes: 0,
            hang_up: false,
        };
        match &self.state {
            PollState::Failed(errno) => Some(Event { error: *errno as u16, ..event }),
            PollState::Clock(deadline) => (deadline.remaining() == 0).then_some(event),
            PollState::Descriptor(descriptor) => {
                let bytes = || match self.subscription.wait {
                    Wait::Read(_) => fd::readable_bytes(descriptor.as_fd()),
                    _ => 0,
                };
                match poll.readiness() {
                    Readiness::NotYet => None,
                    Readiness::Ready => Some(Event { readable_bytes: bytes(), ..event }),
                    Readiness::HangUp => {
                        Some(Event { readable_bytes: bytes(), hang_up: true, ..event })
                    }
                    Readiness::Failed => Some(Event { error: Errno::Io as u16, ..event }),
                    Readiness::NotOpen => Some(Event { error: Errno::BadFd as u16, ..event }),
                }
            }
        }
    }
}

pub(super) fn poll_oneoff(
    call: &Call<'_>,
    subscriptions: Addr,
    events: Addr,
    count: u32,
    happened: Addr,
) -> Outcome {
    poll_laid_out(call, subscriptions, events, count, happened, SubscriptionLayout::PREVIEW1)
}

/// As [`poll_oneoff`], with subscriptions of this layout.
pub(super) fn poll_laid_out(
    call: &Call<'_>,
    subscriptions: Addr,
    events: Addr,
    count: u32,
    happened: Addr,
    layout: SubscriptionLayout,
) -> Outcome {
    call.check(subscriptions, count as u64 * layout.bytes)?;
    call.check(events, count as u64 * EVENT_BYTES)?;
    call.check(happened, 4)?;
    // A wait for nothing would never end.
    if count == 0 || count > SUBSCRIPTIONS_MAX {
        return Err(Errno::Invalid.into());
    }
    let (mut waiters, mut polls) = lists(count as usize)?;
    for index in 0..count as u64 {
        if index % LOOK_SUBSCRIPTIONS == 0 {
            call.look()?;
            let now = LOOK_SUBSCRIPTIONS.min(count as u64 - index);
            call.caller.work(now * layout.bytes)?;
        }
        let address = subscriptions as u64 + index * layout.bytes;
        let waiter = Waiter::new(call, Subscription::read(&call.memory, address, layout)?);
        polls.push(waiter.poll());
        waiters.push(waiter);
    }
    call.write_u32(happened, wait(call, &waiters, &mut polls, events)?)
}

/// Room for `count` of each, which the guest chose, and for the wake descriptor.
fn lists(count: usize) -> Outcome<(Vec<Waiter>, Vec<Poll>)> {
    let waiters = crate::alloc::try_vec(count).map_err(|_| Errno::NoMemory)?;
    let polls = crate::alloc::try_vec(count.saturating_add(1)).map_err(|_| Errno::NoMemory)?;
    Ok((waiters, polls))
}

/// Waits for one descriptor, at most `limit`.
pub(super) fn until(call: &Call<'_>, poll: Poll, limit: Option<Duration>) -> Outcome {
    let start = Instant::now();
    let wakeable = Wakeable::new(call);
    let mut polls = [poll, wakeable.poll()];
    loop {
        let left = match limit.map(|limit| limit.checked_sub(start.elapsed())) {
            None => None,
            Some(Some(left)) => Some(u64::try_from(left.as_nanos()).unwrap_or(u64::MAX)),
            Some(None) => return Err(Errno::Again.into()),
        };
        if wakeable.wait(&mut polls, left)? > 0 {
            return Ok(());
        }
    }
}

/// Whether something can be done on the descriptor now, if only failing.
pub(super) fn is_ready(descriptor: &Descriptor, interest: Interest) -> Outcome<bool> {
    let mut polls = [Poll::new(descriptor.fd(), interest)];
    match fd::poll(&mut polls, 0) {
        Ok(ready) => Ok(ready > 0),
        Err(libc::EINTR) => Ok(false),
        Err(error) => os(Err(error)),
    }
}

/// Waits until an event has occurred, and records it.
fn wait(call: &Call<'_>, waiters: &[Waiter], polls: &mut Vec<Poll>, events: Addr) -> Outcome<u32> {
    // Events that have occurred already need no wake descriptor.
    let ready = match fd::poll(polls, 0) {
        Err(libc::EINTR) => 0,
        answer => os(answer)?,
    };
    let written = report(call, waiters, polls, events, ready > 0)?;
    if written > 0 {
        return Ok(written);
    }
    let wakeable = Wakeable::new(call);
    polls.push(wakeable.poll());
    loop {
        let ready = wakeable.wait(polls, remaining(waiters))?;
        let written = report(call, waiters, polls, events, ready > 0)?;
        if written > 0 {
            return Ok(written);
        }
    }
}

/// Nanoseconds until the first clock is due.
fn remaining(waiters: &[Waiter]) -> Option<u64> {
    let remaining = waiters.iter().filter_map(|waiter| match &waiter.state {
        PollState::Clock(deadline) => Some(deadline.remaining()),
        PollState::Descriptor(_) => None,
        PollState::Failed(_) => Some(0),
    });
    remaining.min()
}

/// Writes the events that have happened. Clocks count only if no descriptor is ready: they are
/// there as the time after which to give up.
fn report(
    call: &Call<'_>,
    waiters: &[Waiter],
    polls: &[Poll],
    events: Addr,
    descriptors_ready: bool,
) -> Outcome<u32> {
    let mut written = 0;
    for (index, (waiter, poll)) in waiters.iter().zip(polls).enumerate() {
        if index > 0 && (index as u64).is_multiple_of(LOOK_SUBSCRIPTIONS) {
            call.look()?;
        }
        if descriptors_ready && waiter.subscription.event_type == EVENT_CLOCK {
            continue;
        }
        if let Some(event) = waiter.event(poll) {
            let at = events as u64 + written as u64 * EVENT_BYTES;
            call.memory.write(at, &event.to_bytes())?;
            written += 1;
        }
    }
    Ok(written)
}
