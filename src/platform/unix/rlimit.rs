//! What the process may use.

/// How many descriptors the process may have open, as far as the system tells.
pub fn descriptors() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` has room for what the call writes.
    let asked = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) };
    #[allow(clippy::unnecessary_cast, reason = "the type differs between systems")]
    (asked == 0).then_some(limit.rlim_cur as u64)
}
