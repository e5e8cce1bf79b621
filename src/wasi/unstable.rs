//! The differences of `wasi_unstable`, preview 1's predecessor: the origins of `fd_seek`, the
//! layouts of a file's description and of a subscription. All else is preview 1's.
//!
//! WAMR gives programs of that time preview 1's functions, on which they seek to wrong places and
//! wait for the wrong things.

use super::abi::{Addr, SubscriptionLayout, UNSTABLE_FILESTAT_BYTES};
use super::call::{Call, Outcome};
use super::table::run;
use super::{path, poll, stdio};
use crate::native::{BuiltinModule, functions};

/// Looked into before the table of preview 1.
pub(super) const UNSTABLE: &BuiltinModule =
    &BuiltinModule { names: &["wasi_unstable"], functions: FUNCTIONS };

functions! {
    enter run;
    "fd_filestat_get" "(i*)i" fd_filestat_get(u32, u32);
    "fd_seek" "(iIi*)i" fd_seek(u32, u64, u32, u32);
    "path_filestat_get" "(ii*~*)i" path_filestat_get(u32, u32, u32, u32, u32);
    "poll_oneoff" "(**i*)i" poll_oneoff(u32, u32, u32, u32);
}

/// The position, the end and the start are 0, 1 and 2.
fn fd_seek(call: &Call<'_>, fd: u32, offset: u64, whence: u32, position: Addr) -> Outcome {
    let whence = match whence {
        0 => 1,
        1 => 2,
        2 => 0,
        other => other,
    };
    stdio::fd_seek(call, fd, offset, whence, position)
}

fn fd_filestat_get(call: &Call<'_>, fd: u32, stat: Addr) -> Outcome {
    call.check(stat, UNSTABLE_FILESTAT_BYTES)?;
    call.write(stat, &stdio::file_stat(call, fd)?.to_unstable_bytes())
}

fn path_filestat_get(
    call: &Call<'_>,
    fd: u32,
    flags: u32,
    path: Addr,
    len: u32,
    stat: Addr,
) -> Outcome {
    call.check(stat, UNSTABLE_FILESTAT_BYTES)?;
    call.write(stat, &path::file_stat(call, fd, flags, path, len)?.to_unstable_bytes())
}

fn poll_oneoff(
    call: &Call<'_>,
    subscriptions: Addr,
    events: Addr,
    count: u32,
    happened: Addr,
) -> Outcome {
    let layout = SubscriptionLayout::UNSTABLE;
    poll::poll_laid_out(call, subscriptions, events, count, happened, layout)
}
