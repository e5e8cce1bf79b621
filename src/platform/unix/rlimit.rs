//! What the process may use.

use nix::sys::resource::{Resource, getrlimit};

/// How many descriptors the process may have open, as far as the system tells.
pub fn descriptors() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    #[allow(clippy::unnecessary_cast, reason = "the type differs between systems")]
    Some(soft as u64)
}
