//! Waiting for descriptors.

use super::super::poll::{Interest, Readiness};

/// [`poll`]'s error when a signal came.
pub const INTERRUPTED: i32 = libc::EINTR;

/// One descriptor to wait for; its number is negative for none.
#[repr(transparent)]
pub struct Poll(libc::pollfd);

impl Poll {
    pub fn new(fd: i32, interest: Interest) -> Self {
        let events = match interest {
            Interest::Read => libc::POLLIN,
            Interest::Write => libc::POLLOUT,
        };
        Self(libc::pollfd { fd, events, revents: 0 })
    }

    pub fn none() -> Self {
        Self(libc::pollfd { fd: -1, events: 0, revents: 0 })
    }

    pub fn readiness(&self) -> Readiness {
        let has = |event| self.0.revents & event != 0;
        if self.0.fd < 0 {
            Readiness::NotYet
        } else if has(libc::POLLNVAL) {
            Readiness::NotOpen
        } else if has(libc::POLLERR) {
            Readiness::Failed
        } else if has(libc::POLLHUP) {
            Readiness::HangUp
        } else if has(libc::POLLIN | libc::POLLOUT) {
            Readiness::Ready
        } else {
            Readiness::NotYet
        }
    }
}

/// Waits until one of `polls` is ready, at most so long; returns how many are, or the system's
/// error number.
pub fn poll(polls: &mut [Poll], timeout_ms: i32) -> Result<usize, i32> {
    // SAFETY: `Poll` is a `pollfd` in memory, and the slice is a list of them.
    let ready =
        unsafe { libc::poll(polls.as_mut_ptr().cast(), polls.len() as libc::nfds_t, timeout_ms) };
    usize::try_from(ready)
        .map_err(|_| std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO))
}

/// Whether a write to the descriptor would wait now, as far as the system says.
pub fn would_wait(descriptor: i32) -> bool {
    matches!(poll(&mut [Poll::new(descriptor, Interest::Write)], 0), Ok(0))
}
