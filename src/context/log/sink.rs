//! The process's sink: WAMR's lines on standard output.
//!
//! ```text
//! [HH:MM:SS:mmm - TID]: text
//! ```
//!
//! The time is the monotonic clock's, modulo a day; TID is the system's number of the thread, in
//! upper-case hexadecimal. Each message is one write of one whole line, so that lines of different
//! threads do not mix.
//!
//! Each language has its own buffer for standard output. A C embedder expects log lines in order
//! with its own output, so the C library writes through `printf`; a Rust embedder uses Rust's. A
//! program that mixes the two flushes in between.

use super::c_stream;
use crate::alloc;
use crate::context::{process, thread};
use crate::instance::OutputWait;
use crate::platform;
use crate::platform::poll::{self, Interest, Poll, STDOUT, would_wait};
use crate::platform::quiet::quietly;
use crate::platform::time::Clock;
use crate::platform::unwind::Held;
use crate::sync::atomic::Ordering;
use env_logger::{Builder, Logger, Target};
use log::LevelFilter;
use std::fmt::{self, Write as _};
use std::io::{self, Write};
use std::time::{Duration, Instant};

/// Whose buffer standard output is written through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// C's `stdout`.
    C,
    /// Rust's `std::io::stdout`.
    Rust,
}

/// A message that is being written: in place while it is short, then in memory of no context, and
/// cut if there is none.
pub(in crate::context) struct Text {
    short: [u8; SHORT_BYTES],
    len: usize,
    /// All of it, once it is no longer short.
    long: Vec<u8>,
}

const SHORT_BYTES: usize = 480;

impl Default for Text {
    fn default() -> Self {
        Self { short: [0; SHORT_BYTES], len: 0, long: Vec::new() }
    }
}

impl Text {
    fn as_bytes(&self) -> &[u8] {
        if self.long.is_empty() { &self.short[..self.len] } else { &self.long }
    }

    /// The message, as far as it is text.
    pub(in crate::context) fn as_str(&self) -> &str {
        let bytes = self.as_bytes();
        std::str::from_utf8(bytes).unwrap_or_else(|error| {
            std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default()
        })
    }
}

impl fmt::Write for Text {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let bytes = text.as_bytes();
        if self.long.is_empty() && bytes.len() <= SHORT_BYTES - self.len {
            self.short[self.len..self.len + bytes.len()].copy_from_slice(bytes);
            self.len += bytes.len();
            return Ok(());
        }
        let before = if self.long.is_empty() { self.len } else { 0 };
        let more = before + bytes.len();
        let room = alloc::outside(|| alloc::fallible(|| self.long.try_reserve(more)));
        room.map_err(|_| fmt::Error)?;
        self.long.extend_from_slice(&self.short[..before]);
        self.long.extend_from_slice(bytes);
        Ok(())
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        let long = std::mem::take(&mut self.long);
        alloc::outside(|| drop(long));
    }
}

/// The sink of Rust embedders. It filters nothing: contexts have filtered before. Tests write to
/// the test runner's capture.
pub(super) fn logger() -> Logger {
    let target = if cfg!(test) { Target::Stdout } else { Target::Pipe(Box::new(Output::Rust)) };
    Builder::new()
        .filter_level(LevelFilter::Trace)
        .is_test(cfg!(test))
        .format(|out, record| out.write_all(line(record.args()).as_bytes()))
        .target(target)
        .build()
}

/// Writes a line of the log for C embedders. Contexts have filtered before.
pub(super) fn log(message: &fmt::Arguments<'_>) {
    let line = line(message);
    // The test runner captures none of it, and would show it amid its own lines.
    if !cfg!(test) {
        write_line(line.as_bytes());
    }
}

/// A line of the log. When memory runs out it is cut, and still gets its line end.
pub(in crate::context) fn line(message: &fmt::Arguments<'_>) -> Text {
    let mut line = Text::default();
    let written = writeln!(line, "[{} - {:X}]: {message}", Time::now(), platform::thread::id());
    if written.is_err() {
        match line.long.last_mut() {
            Some(last) => *last = b'\n',
            None => {
                line.len = line.len.min(SHORT_BYTES - 1);
                line.short[line.len] = b'\n';
                line.len += 1;
            }
        }
    }
    line
}

/// Flushes the buffer.
pub(super) fn flush() {
    let _ = alloc::outside(|| installed().flush());
}

/// The way to standard output.
fn installed() -> Output {
    process::of_thread().output.get().copied().unwrap_or(Output::Rust)
}

/// Writes `text` to standard output as it is: for dumps that were asked for, which no level
/// filters.
pub fn print(output: Output, text: &str) {
    // A failure of standard output cannot be reported.
    let _ = write(output, text.as_bytes());
}

/// As [`print()`], for a text to be formatted: cut if memory runs out.
pub fn print_args(output: Output, text: fmt::Arguments<'_>) {
    let mut made = Text::default();
    let _ = made.write_fmt(text);
    print(output, made.as_str());
}

/// Writes a guest's output to standard output, through the buffer of log lines. When a write would
/// block, `wait` is called before the next try; if it returns false, the rest is not written.
///
/// Such a write still blocks in the system if another process was faster, or if the buffer of C's
/// `stdout` is larger than a pipe takes at once; for Rust embedders, also if another thread is
/// writing.
pub fn print_bytes(bytes: &[u8], wait: &mut dyn FnMut(OutputWait) -> bool) {
    let output = installed();
    for piece in bytes.chunks(PIECE_BYTES) {
        let done = loop {
            match try_write(output, piece) {
                Ok(done) => break done,
                Err(for_what) if wait(for_what) => {}
                Err(_) => return,
            }
        };
        if done.is_err() {
            // A failure of standard output cannot be reported.
            return;
        }
    }
}

/// A pipe that has room takes this number of bytes beside a usual buffer's content.
const PIECE_BYTES: usize = 1024;

/// How long a line of the log waits for standard output on a thread that is in a guest. Guests can
/// cause lines, which must not delay their own end or other guests.
const LINE_PATIENCE: Duration = Duration::from_millis(10);

/// Writes a line of the log; it is dropped, and counted, if a guest would wait too long.
fn write_line(line: &[u8]) {
    let lost = &process::of_thread().lost_lines;
    let are_lost = lost.load(Ordering::Relaxed) > 0;
    let before = if are_lost { lost.swap(0, Ordering::Relaxed) } else { 0 };
    if before > 0 {
        let notice = self::line(&format_args!("{before} lines of the log were lost"));
        if !was_written(notice.as_bytes()) {
            lost.fetch_add(before + 1, Ordering::Relaxed);
            return;
        }
    }
    if !was_written(line) {
        lost.fetch_add(1, Ordering::Relaxed);
    }
}

/// Writes a line; false if it had to wait too long.
fn was_written(line: &[u8]) -> bool {
    if !thread::is_in_guest() {
        let _ = write(installed(), line);
        return true;
    }
    let end = Instant::now() + LINE_PATIENCE;
    let mut in_time = true;
    print_bytes(line, &mut |for_what| {
        let left = end.saturating_duration_since(Instant::now());
        in_time = !left.is_zero();
        if in_time {
            wait_for(for_what, left);
        }
        in_time
    });
    in_time
}

fn wait_for(what: OutputWait, longest: Duration) {
    match what {
        OutputWait::Descriptor(descriptor) => {
            let mut polls = [Poll::new(descriptor, Interest::Write)];
            let _ = poll::poll(&mut polls, longest.as_millis() as i32 + 1);
        }
        OutputWait::Writer => std::thread::sleep(longest.min(Duration::from_millis(1))),
    }
}

/// Writes the bytes, unless that would block.
fn try_write(output: Output, bytes: &[u8]) -> Result<io::Result<()>, OutputWait> {
    let _held = Held::new();
    alloc::outside(|| match output {
        Output::C => c_stream::try_write(bytes),
        Output::Rust if would_wait(STDOUT) => Err(OutputWait::Descriptor(STDOUT)),
        Output::Rust => Ok({ output }.write_all(bytes)),
    })
}

fn write(mut output: Output, bytes: &[u8]) -> io::Result<()> {
    let _held = Held::new();
    alloc::outside(|| output.write_all(bytes))
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::C => c_stream::write(bytes),
            // A pipe without a reader gives an error only, without a signal.
            Self::Rust => quietly(|| io::stdout().write(bytes), io::Result::is_ok),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            // C decides when to flush, as for the embedder's own output.
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

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.ms / 1000;
        let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}:{:03}", seconds % 60, self.ms % 1000)
    }
}
