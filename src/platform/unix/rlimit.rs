//! The process's resource limits.

use nix::sys::resource::{Resource, getrlimit};

/// The limit of the process's open descriptors, if the system reports one.
pub fn descriptors() -> Option<u64> {
    let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    #[allow(clippy::unnecessary_cast, reason = "the type differs between systems")]
    Some(soft as u64)
}
