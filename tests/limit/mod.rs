//! Programs that a test runs, ended when they hang, so that a hang is a failed test and not a
//! test run without an end.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

/// Many times as long as the slowest program takes under valgrind on a busy machine.
/// `PROGRAM_SECONDS` replaces it, for long forms.
const SECONDS: u64 = 600;

/// As [`Command::output`], but the program and all that it has started are killed after the
/// limit. The status says so, and a line in the error output.
pub fn output(command: &mut Command) -> io::Result<Output> {
    let seconds = std::env::var("PROGRAM_SECONDS").ok().and_then(|text| text.parse().ok());
    output_within(command, Duration::from_secs(seconds.unwrap_or(SECONDS)))
}

/// As [`output`], with another limit.
pub fn output_within(command: &mut Command, limit: Duration) -> io::Result<Output> {
    let start = Instant::now();
    // A group of its own: children of forks must not keep the pipes open.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let has_ended = |child: &mut Child| {
        // The pipes are open as long as a process of the group has them.
        let closed = stdout.is_finished() && stderr.is_finished();
        child.try_wait().map(|status| status.is_some() && closed)
    };
    let mut hung = false;
    while !has_ended(&mut child)? {
        if start.elapsed() > limit && !hung {
            hung = true;
            kill_group(&child);
        }
        sleep(Duration::from_millis(2));
    }
    let status = child.wait()?;
    let joined = |thread: JoinHandle<Vec<u8>>| thread.join().unwrap_or_default();
    let (stdout, mut stderr) = (joined(stdout), joined(stderr));
    if hung {
        stderr.extend_from_slice(format!("\nkilled after {limit:?}: it hangs\n").as_bytes());
    }
    Ok(Output { status, stdout, stderr })
}

/// Reads all of a pipe, on a thread.
fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<Vec<u8>> {
    spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        bytes
    })
}

fn kill_group(leader: &Child) {
    // SAFETY: plain numbers. The leader was not waited for successfully, or others of its group
    // have its pipes; in both cases the number still names that group.
    unsafe { libc::kill(-(leader.id() as libc::pid_t), libc::SIGKILL) };
}
