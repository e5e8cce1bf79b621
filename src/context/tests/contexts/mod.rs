//! Whole contexts, each test in a process of its own.

mod cost;
mod entered;
mod logging;
mod memory;
mod rules;
mod scale;
mod settings;
mod states;
mod types;

use super::world::World;
use crate::alloc::HeapConfig;
use crate::context::{Context, ContextConfig, ContextError, LogCallback, LogLevel, log, thread};
use std::sync::{Arc, Mutex};
use thread::Destroyed;

/// Messages that a context logged.
#[derive(Clone, Default)]
struct Messages(Arc<Mutex<Vec<(LogLevel, String)>>>);

impl Messages {
    /// A callback for a context. Also makes sure that a logger that asks contexts is installed.
    fn callback(&self) -> LogCallback {
        log::install(log::Output::Rust);
        let messages = self.clone();
        Arc::new(move |level, text| messages.0.lock().unwrap().push((level, text.to_owned())))
    }

    fn take(&self) -> Vec<(LogLevel, String)> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// How many messages contain `text`.
    fn count(&self, text: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|(_, message)| message.contains(text)).count()
    }
}

/// The messages of a context from now on.
fn listen(context: &Context) -> Messages {
    let messages = Messages::default();
    context.set_log_callback(Some(messages.callback()));
    messages
}

fn init() -> Context {
    thread::init_by_default(ContextConfig::default()).unwrap()
}

fn init_with(config: ContextConfig) -> Context {
    thread::init(config).unwrap()
}

/// The configuration of everything at its default, but for the heap.
fn on_heap(heap: HeapConfig) -> ContextConfig {
    ContextConfig { heap, ..ContextConfig::default() }
}

fn destroys() -> &'static str {
    match thread::destroy() {
        Destroyed::Surplus => "surplus",
        Destroyed::Counted => "counted",
        Destroyed::Closed(_) => "closed",
    }
}
