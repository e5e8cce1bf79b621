//! Log levels, and the callback that receives messages.

use crate::alloc;
use log::Level;
use std::sync::Arc;

/// A log level: messages up to it are logged. The numbers are the C API's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum LogLevel {
    Fatal = 0,
    Error = 1,
    #[default]
    Warning = 2,
    Debug = 3,
    Verbose = 4,
}

impl LogLevel {
    /// The level with this number; larger numbers stand for [`LogLevel::Verbose`], to which they
    /// are equal in effect.
    pub const fn from_raw(raw: u32) -> Self {
        match raw {
            0 => Self::Fatal,
            1 => Self::Error,
            2 => Self::Warning,
            3 => Self::Debug,
            _ => Self::Verbose,
        }
    }
}

impl From<Level> for LogLevel {
    /// `info!` is for messages that WAMR's release builds do not log.
    fn from(level: Level) -> Self {
        match level {
            Level::Error => Self::Error,
            Level::Warn => Self::Warning,
            Level::Info | Level::Debug => Self::Debug,
            Level::Trace => Self::Verbose,
        }
    }
}

/// Receives a context's messages, each without prefix and line end. It runs inside that context, on
/// the thread that logs, with no heap of a context current. Its own messages go to the process's
/// logger.
pub type LogCallback = Arc<dyn Fn(LogLevel, &str) + Send + Sync>;

/// A callback that lies in no heap: a context keeps it until the very end, when its memory may be
/// gone.
pub fn callback(callback: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> LogCallback {
    alloc::outside(|| Arc::new(callback) as LogCallback)
}
