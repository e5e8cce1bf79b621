//! `--timeout`: stops a context's guests when their time is over.
//!
//! The time begins before any guest code runs, and covers instantiation. From its end on, all
//! instances are terminated again and again, so that new ones end, too.

use isothread::Context;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The text when there is no instance that could have the exception.
pub const OVER: &str = "Exception: terminated by user";

const PAUSE: Duration = Duration::from_millis(5);

/// Watches until it is dropped.
pub struct Watchdog {
    over: Arc<AtomicBool>,
    waiting: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Watchdog {
    pub fn start(timeout: Option<Duration>, context: &Context) -> std::io::Result<Self> {
        let over = Arc::new(AtomicBool::new(timeout.is_some_and(|timeout| timeout.is_zero())));
        let Some(timeout) = timeout else { return Ok(Self { over, waiting: None }) };
        let (sender, receiver) = mpsc::channel();
        let (context, is_over) = (context.clone(), over.clone());
        let thread = Builder::new().name("iwasm-timeout".into()).spawn(move || {
            let mut pause = timeout;
            while receiver.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                is_over.store(true, Ordering::Release);
                context.terminate_all();
                pause = PAUSE;
            }
        })?;
        Ok(Self { over, waiting: Some((sender, thread)) })
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        if let Some((sender, thread)) = self.waiting.take() {
            drop(sender);
            // It panics nowhere.
            let _ = thread.join();
        }
    }
}
