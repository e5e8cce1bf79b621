//! `--timeout`: stops an instance when its time is over.

use isothread::Instance;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// Watches until it is dropped.
pub struct Watchdog {
    over: bool,
    waiting: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Watchdog {
    pub fn start(timeout: Option<Duration>, instance: &Instance) -> std::io::Result<Self> {
        let Some(timeout) = timeout else { return Ok(Self { over: false, waiting: None }) };
        if timeout.is_zero() {
            instance.terminate();
            return Ok(Self { over: true, waiting: None });
        }
        let (sender, receiver) = mpsc::channel();
        let terminator = instance.terminator();
        let thread = Builder::new().name("iwasm-timeout".into()).spawn(move || {
            if receiver.recv_timeout(timeout) == Err(RecvTimeoutError::Timeout) {
                terminator.terminate();
            }
        })?;
        Ok(Self { over: false, waiting: Some((sender, thread)) })
    }

    /// Whether there was no time at all.
    pub fn is_over(&self) -> bool {
        self.over
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
