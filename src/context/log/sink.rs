//! The process's sink: WAMR's lines on standard output, by way of `env_logger`.
//!
//! ```text
//! [HH:MM:SS:mmm - TID]: text
//! ```
//!
//! The time is the monotonic clock's, modulo a day; TID is what the system calls the thread, in
//! upper-case hexadecimal. Each message is one write of one whole line, so that lines of
//! different threads do not mix.
//!
//! Standard output is buffered by whoever writes to it. A C embedder uses C's buffer and expects
//! log lines in order with its own, so the C library writes through `printf`; a Rust embedder
//! uses Rust's. Whoever mixes the two flushes in between.

use super::c_stream;
use crate::alloc;
use crate::context::process;
use crate::platform;
use crate::platform::quiet::quietly;
use crate::platform::time::Clock;
use crate::platform::unwind::Held;
use env_logger::{Builder, Logger, Target};
use log::LevelFilter;
use std::io::{self, Write};

/// Whose buffer standard output is written through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// C's `stdout`.
    C,
    /// Rust's `std::io::stdout`.
    Rust,
}

/// Where the process's logger writes. Tests write to what the test runner captures.
pub(super) fn target(output: Output) -> Target {
    if cfg!(test) { Target::Stdout } else { Target::Pipe(Box::new(output)) }
}

/// A sink that passes everything it is given: contexts have filtered before.
pub(in crate::context) fn make(target: Target) -> Logger {
    Builder::new()
        .filter_level(LevelFilter::Trace)
        .is_test(cfg!(test))
        .format(|line, record| {
            writeln!(line, "[{} - {:X}]: {}", Time::now(), platform::thread::id(), record.args())
        })
        .target(target)
        .build()
}

/// Writes `text` to standard output as it is: for dumps that were asked for, which no level
/// filters.
pub fn print(mut output: Output, text: &str) {
    let _held = Held::new();
    alloc::outside(|| {
        // There is nobody to tell that standard output is gone.
        let _ = output.write_all(text.as_bytes());
    });
}

/// Writes what a guest prints to standard output, through the buffer that log lines go through.
pub fn print_bytes(bytes: &[u8]) {
    let output = process::of_thread().output.get().copied().unwrap_or(Output::Rust);
    let _held = Held::new();
    alloc::outside(|| {
        // As in `print`.
        let _ = { output }.write_all(bytes);
    });
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::C => c_stream::write(bytes),
            // Where nobody reads is an error, and no more than that.
            Self::Rust => quietly(|| io::stdout().write(bytes), io::Result::is_ok),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            // C flushes when C likes, as it does for the embedder's own output.
            Self::C => Ok(()),
            Self::Rust => quietly(|| io::stdout().flush(), io::Result::is_ok),
        }
    }
}

/// A time of day, of a day that began when the monotonic clock did.
struct Time {
    ms: u64,
}

impl Time {
    fn now() -> Self {
        Self { ms: platform::time::now(Clock::Monotonic).unwrap_or(0) / 1_000_000 }
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.ms / 1000;
        let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}:{:03}", seconds % 60, self.ms % 1000)
    }
}
