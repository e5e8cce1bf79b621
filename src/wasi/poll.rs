//! Waiting for clocks and descriptors.
//!
//! A wait is cut into slices, between which it looks whether the caller was asked to stop.

use super::abi::{Addr, EVENT_BYTES, EVENT_CLOCK, Event, Rights, SUBSCRIPTION_BYTES};
use super::abi::{Subscription, Wait};
use super::call::{Call, Outcome, Stop, os};
use super::clock::clock;
use super::errno::Errno;
use super::fd_table::Descriptor;
use crate::native::GuestMemory;
use crate::platform::fd::{self, Interest, Poll, Readiness};
use crate::platform::time::{self, Clock};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longest wait before the next look, in milliseconds.
pub(super) const SLICE_MS: u64 = 50;

const NANOS_PER_MS: u64 = 1_000_000;

/// When a clock's subscription is due.
#[derive(Clone, Copy)]
struct Deadline {
    clock: Clock,
    at: u64,
}

impl Deadline {
    fn of(id: u32, timeout: u64, absolute: bool) -> Outcome<Self> {
        let clock = clock(id)?;
        // Time passes alike on both, and this one nobody turns back.
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
    state: State,
}

enum State {
    Clock(Deadline),
    /// Counted, so that closing the number meanwhile closes nothing here.
    Descriptor(Arc<Descriptor>),
    Failed(Errno),
}

impl Waiter {
    fn new(call: &Call<'_>, subscription: Subscription) -> Self {
        let descriptor = |number| {
            call.ctx.fds.get_with(number, Rights::POLL_FD_READWRITE).map(State::Descriptor)
        };
        let state = match subscription.wait {
            Wait::Clock { clock, timeout, absolute } => {
                Deadline::of(clock, timeout, absolute).map(State::Clock)
            }
            Wait::Read(number) | Wait::Write(number) => descriptor(number),
            Wait::Unknown => Err(Errno::NoSys.into()),
        };
        let state = state.unwrap_or_else(|stop| match stop {
            Stop::Errno(errno) => State::Failed(errno),
            Stop::Trap(_) | Stop::Signal(_) => State::Failed(Errno::Invalid),
        });
        Self { subscription, state }
    }

    fn poll(&self) -> Poll {
        match (&self.state, self.subscription.wait) {
            (State::Descriptor(d), Wait::Write(_)) => Poll::new(d.fd(), Interest::Write),
            (State::Descriptor(d), _) => Poll::new(d.fd(), Interest::Read),
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
            State::Failed(errno) => Some(Event { error: *errno as u16, ..event }),
            State::Clock(deadline) => (deadline.remaining() == 0).then_some(event),
            State::Descriptor(descriptor) => {
                let bytes = || match self.subscription.wait {
                    Wait::Read(_) => fd::readable_bytes(descriptor.fd()),
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
    call.check(subscriptions, count as u64 * SUBSCRIPTION_BYTES)?;
    call.check(events, count as u64 * EVENT_BYTES)?;
    call.check(happened, 4)?;
    let (mut waiters, mut polls) = lists(count as usize)?;
    for index in 0..count as u64 {
        let address = subscriptions as u64 + index * SUBSCRIPTION_BYTES;
        let waiter = Waiter::new(call, Subscription::read(&call.memory, address)?);
        polls.push(waiter.poll());
        waiters.push(waiter);
    }
    let written = if count == 0 { 0 } else { wait(call, &waiters, &mut polls, events)? };
    call.write_u32(happened, written)
}

/// Room for `count` of each, which the guest chose.
fn lists(count: usize) -> Outcome<(Vec<Waiter>, Vec<Poll>)> {
    let waiters = crate::alloc::try_vec(count).map_err(|_| Errno::NoMemory)?;
    let polls = crate::alloc::try_vec(count).map_err(|_| Errno::NoMemory)?;
    Ok((waiters, polls))
}

/// Waits until `descriptor` is ready, at most `limit`, unless it does not block. What then blocks
/// all the same does so because somebody else was faster.
pub(super) fn until_ready(
    call: &Call<'_>,
    descriptor: &Descriptor,
    interest: Interest,
    limit: Option<Duration>,
) -> Outcome {
    if !descriptor.may_block()
        || is_ready(descriptor, interest, 0)?
        || os(fd::flags(descriptor.fd()))?.nonblock
    {
        return Ok(());
    }
    let start = Instant::now();
    loop {
        if call.caller.is_terminated() {
            return Err(Errno::Interrupted.into());
        }
        let slice = match limit.map(|limit| limit.checked_sub(start.elapsed())) {
            None => SLICE_MS,
            Some(Some(left)) => (left.as_millis() as u64).clamp(1, SLICE_MS),
            Some(None) => return Err(Errno::Again.into()),
        };
        if is_ready(descriptor, interest, slice)? {
            return Ok(());
        }
    }
}

/// Waits until a connection has been made, or has failed.
pub(super) fn until_connected(call: &Call<'_>, socket: &Descriptor) -> Outcome {
    while !is_ready(socket, Interest::Write, SLICE_MS)? {
        if call.caller.is_terminated() {
            return Err(Errno::Interrupted.into());
        }
    }
    Ok(())
}

/// Whether something can be done on the descriptor, if only failing.
fn is_ready(descriptor: &Descriptor, interest: Interest, timeout_ms: u64) -> Outcome<bool> {
    let mut polls = [Poll::new(descriptor.fd(), interest)];
    match fd::poll(&mut polls, timeout_ms as i32) {
        Ok(ready) => Ok(ready > 0),
        Err(libc::EINTR) => Ok(false),
        Err(error) => os(Err(error)),
    }
}

/// Waits until something has happened, and writes down what.
fn wait(call: &Call<'_>, waiters: &[Waiter], polls: &mut [Poll], events: Addr) -> Outcome<u32> {
    loop {
        let ready = match fd::poll(polls, slice(waiters)) {
            // A signal of the embedder's is nothing to the guest.
            Err(libc::EINTR) => 0,
            answer => os(answer)?,
        };
        let written = report(&call.memory, waiters, polls, events, ready > 0)?;
        if written > 0 {
            return Ok(written);
        }
        if let Some(trap) = call.caller.stop_reason() {
            return Err(trap.into());
        }
    }
}

/// Milliseconds until the next look.
fn slice(waiters: &[Waiter]) -> i32 {
    let remaining = waiters.iter().map(|waiter| match &waiter.state {
        State::Clock(deadline) => deadline.remaining().div_ceil(NANOS_PER_MS),
        State::Descriptor(_) => SLICE_MS,
        State::Failed(_) => 0,
    });
    remaining.min().unwrap_or(0).min(SLICE_MS) as i32
}

/// Writes the events that have happened. Clocks count only if no descriptor is ready: they are
/// there as the time after which to give up.
fn report(
    memory: &GuestMemory<'_>,
    waiters: &[Waiter],
    polls: &[Poll],
    events: Addr,
    descriptors_ready: bool,
) -> Outcome<u32> {
    let mut written = 0;
    for (waiter, poll) in waiters.iter().zip(polls) {
        if descriptors_ready && waiter.subscription.event_type == EVENT_CLOCK {
            continue;
        }
        if let Some(event) = waiter.event(poll) {
            memory.write(events as u64 + written as u64 * EVENT_BYTES, &event.to_bytes())?;
            written += 1;
        }
    }
    Ok(written)
}
