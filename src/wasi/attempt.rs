//! Trying first, and waiting only when the system says that it would wait.
//!
//! So impossible calls fail at once, and no call blocks in the system because another process was
//! faster. Waits are `poll.rs`'s, where they can be stopped.

use super::call::{Call, Outcome, Stop, os};
use super::descriptor::Descriptor;
use super::errno::Errno;
use super::poll::{is_ready, until};
use crate::platform::fd::{self, Buffer, Interest, Poll};
use std::time::{Duration, Instant};

/// Longest wait for something to be ready; `None` for no end.
pub(super) type Limit = fn(&Descriptor, Interest) -> Outcome<Option<Duration>>;

/// How long one call may wait, all its waits together.
pub(super) struct Patience<'a> {
    descriptor: &'a Descriptor,
    interest: Interest,
    limit: Limit,
    /// Known from the first wait on; without a moment there is no end.
    end: Option<Option<Instant>>,
}

impl<'a> Patience<'a> {
    pub(super) fn new(descriptor: &'a Descriptor, interest: Interest, limit: Limit) -> Self {
        Self { descriptor, interest, limit, end: None }
    }

    fn left(&mut self) -> Outcome<Option<Duration>> {
        let end = match self.end {
            Some(end) => end,
            None => {
                let limit = (self.limit)(self.descriptor, self.interest)?;
                let end = limit.and_then(|limit| Instant::now().checked_add(limit));
                *self.end.insert(end)
            }
        };
        Ok(end.map(|end| end.saturating_duration_since(Instant::now())))
    }

    /// Waits until it is worth another try, unless the guest does not wait for the descriptor.
    pub(super) fn wait(&mut self, call: &Call<'_>) -> Outcome {
        if !os(self.descriptor.waits())? {
            return Err(Errno::Again.into());
        }
        let left = self.left()?;
        until(call, Poll::new(self.descriptor.fd(), self.interest), left)
    }
}

/// Repeats a call that fails with `EAGAIN` when it would block, with a wait before each try.
pub(super) fn attempt<T>(
    call: &Call<'_>,
    patience: &mut Patience<'_>,
    mut act: impl FnMut() -> fd::Result<T>,
) -> Outcome<T> {
    loop {
        match act() {
            Err(libc::EAGAIN) => patience.wait(call)?,
            Err(libc::EINTR) => call.look()?,
            answer => return os(answer),
        }
    }
}

/// Does `act` once the descriptor is ready. If that still blocks in the system, another process was
/// faster.
pub(super) fn when_ready<T>(
    call: &Call<'_>,
    patience: &mut Patience<'_>,
    mut act: impl FnMut() -> fd::Result<T>,
) -> Outcome<T> {
    loop {
        if !is_ready(patience.descriptor, patience.interest)? {
            patience.wait(call)?;
        }
        match call.blocking(patience.descriptor, &mut act) {
            // It is the system's descriptor that does not wait, not the guest's.
            Err(Stop::Errno(Errno::Again)) if os(patience.descriptor.waits())? => {}
            answer => return answer,
        }
    }
}

/// Tries `now`, which does not wait. Where the system cannot do so, does `later` once it is ready.
pub(super) fn now_or_later<T>(
    call: &Call<'_>,
    patience: &mut Patience<'_>,
    mut now: impl FnMut() -> fd::Result<T>,
    later: impl FnMut() -> fd::Result<T>,
) -> Outcome<T> {
    let descriptor = patience.descriptor;
    match attempt(call, patience, || descriptor.attempt(&mut now))? {
        Some(done) => Ok(done),
        None => when_ready(call, patience, later),
    }
}

/// Repeats `step` on the rest of the buffers until none is left. It ends early when no bytes move
/// any more, or with an error, which is the result if no bytes have moved yet.
pub(super) fn whole(
    buffers: &[Buffer],
    mut step: impl FnMut(&[Buffer]) -> Outcome<usize>,
) -> Outcome<usize> {
    let (mut done, mut at, mut within) = (0, 0, 0);
    loop {
        let moved = match buffers.get(at) {
            Some(first) if within > 0 => step(&[first.after(within)]),
            _ => step(&buffers[at..]),
        };
        let moved = match moved {
            Err(Stop::Errno(_)) if done > 0 => return Ok(done),
            moved => moved?,
        };
        done += moved;
        within += moved;
        while let Some(first) = buffers.get(at).filter(|first| within >= first.len()) {
            within -= first.len();
            at += 1;
        }
        if moved == 0 || at == buffers.len() {
            return Ok(done);
        }
    }
}
