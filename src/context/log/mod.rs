//! Logging: messages are filtered by the calling context and written by the process.
//!
//! All parts log through the `log` crate's macros, without knowing any context. The logger that
//! [`install`] puts behind them finds the calling thread's context and drops messages above the
//! context's level. The others go to the context's callback, or as lines in WAMR's format to
//! standard output (`sink.rs`). A logger that an embedder has set before stays: it gets every
//! message, and can ask [`enabled`].
//!
//! A message is built and written with no current heap: a buffer that a sink keeps for the next
//! message must not lie in a context's memory, and a context out of memory must be able to log
//! that. No code logs while holding a lock that finding the context takes.

mod c_stream;
mod level;
mod sink;

pub use level::{LogCallback, LogLevel, callback};
use sink::Text;
#[cfg(test)]
pub(super) use sink::line;
pub use sink::{Output, print, print_args, print_bytes};

use super::{Context, process, thread};
use crate::alloc;
use crate::platform::unwind::Held;
use log::{LevelFilter, Log, Metadata, Record};
use std::fmt::Write;

/// Whether the calling thread's context wants messages of this level.
pub fn enabled(level: LogLevel) -> bool {
    level <= thread::quiet().map_or_else(thread::remembered_log_level, |c| c.log_level())
}

/// Makes this library's logger the process's, unless there is one. Only the first call in a
/// process has an effect, and it decides how standard output is written to. True if the
/// library's logger is in place because of this call.
pub fn install(output: Output) -> bool {
    let mut installed = false;
    // No child of a fork finds this half done.
    let _section = crate::sync::section();
    process::of_thread().logger.call_once(|| {
        let _ = process::of_thread().output.set(output);
        let set = match output {
            Output::C => log::set_logger(&ContextLogger(Lines)),
            Output::Rust => {
                alloc::outside(|| log::set_boxed_logger(Box::new(ContextLogger(sink::logger()))))
            }
        };
        if set.is_ok() {
            // Levels differ from context to context, so each message is checked.
            log::set_max_level(LevelFilter::Trace);
            installed = true;
        }
    });
    installed
}

/// The logger of a process, and its sink.
struct ContextLogger<S>(S);

/// Lines for C embedders, made without infallible allocations. `env_logger`, which makes some,
/// writes the lines of Rust embedders.
struct Lines;

impl Log for Lines {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        sink::log(record.args());
    }

    fn flush(&self) {
        sink::flush();
    }
}

/// Crates whose messages are ours. Those of others have no logger, as if none were installed.
const CRATES: [&str; 2] = ["isothread", "iwasm"];

fn is_ours(metadata: &Metadata<'_>) -> bool {
    let name = metadata.target().split("::").next().unwrap_or_default();
    CRATES.contains(&name)
}

impl<S: Log> Log for ContextLogger<S> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata) && enabled(metadata.level().into())
    }

    fn log(&self, record: &Record<'_>) {
        if !is_ours(record.metadata()) {
            return;
        }
        let level = record.level().into();
        let context = thread::quiet();
        let limit = context.as_ref().map_or_else(thread::remembered_log_level, Context::log_level);
        if level > limit {
            return;
        }
        let _held = Held::new();
        let told = context.is_some_and(|context| {
            let Some(callback) = context.0.sink() else { return false };
            let mut text = Text::default();
            // A formatter that fails has written a part, which is kept.
            let _ = write!(text, "{}", record.args());
            // Some of WAMR's texts end with a line end of their own.
            let text = text.as_str().trim_end_matches(['\r', '\n']);
            thread::without_reentry(|| thread::run_outside(&context, || callback(level, text)))
        });
        if !told {
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}
