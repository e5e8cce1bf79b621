//! Messages: whose level counts, where they go, what they look like.

use super::*;
use crate::context::ContextBuilder;
use ::log::{Level, Log, Record};
use std::io::Write;

#[test]
fn the_calling_contexts_level_counts() {
    World::run(|world| {
        let (quiet, of_quiet) = listening();
        let (chatty, of_chatty) = listening();
        let quiet = quiet.log_level(LogLevel::Warning).build().unwrap();
        let chatty = chatty.log_level(LogLevel::Verbose).build().unwrap();
        let say_all = || {
            ::log::error!("one");
            ::log::warn!("two");
            ::log::info!("three");
            ::log::debug!("three");
            ::log::trace!("four");
        };
        quiet.run(say_all);
        let heard = [(LogLevel::Error, "one".to_owned()), (LogLevel::Warning, "two".to_owned())];
        assert_eq!(of_quiet.take(), heard);
        world.on_thread(move || chatty.run(say_all));
        let levels: Vec<_> = of_chatty.take().into_iter().map(|(level, _)| level as u32).collect();
        assert_eq!(levels, [1, 2, 3, 3, 4]);
        quiet.set_log_level(LogLevel::Fatal);
        quiet.run(say_all);
        assert!(of_quiet.take().is_empty() && of_chatty.take().is_empty());
        quiet.run(|| assert!(log::enabled(LogLevel::Fatal) && !log::enabled(LogLevel::Error)));
    });
}

#[test]
fn outside_of_contexts_the_threads_level_counts() {
    World::run(|_| {
        assert!(log::enabled(LogLevel::Warning) && !log::enabled(LogLevel::Debug));
        thread::set_log_level(LogLevel::Debug);
        assert!(log::enabled(LogLevel::Debug) && !log::enabled(LogLevel::Verbose));
    });
}

#[test]
fn a_callback_runs_in_its_context_but_not_in_its_heap() {
    World::run(|_| {
        log::install(log::Output::Rust);
        let context = Context::new().unwrap();
        let seen: Arc<Mutex<Option<(Context, bool)>>> = Arc::default();
        let result = seen.clone();
        context.set_log_callback(Some(Arc::new(move |_, text| {
            let current = Context::current().unwrap();
            let before = current.heap().stats().live_blocks;
            let copy = std::hint::black_box(text.to_owned());
            let untouched = current.heap().stats().live_blocks == before;
            *result.lock().unwrap() = Some((current, untouched));
            // It goes to the process's logger: this callback is not called again.
            ::log::error!("said while a test's callback runs: {copy}");
        })));
        context.run(|| ::log::warn!("look"));
        let (current, untouched) = seen.lock().unwrap().take().unwrap();
        assert_eq!(current, context);
        assert!(untouched);
        context.set_log_callback(None);
        assert!(seen.lock().unwrap().is_none());
    });
}

#[test]
fn a_context_that_ran_out_can_say_so() {
    World::run(|_| {
        let (builder, messages) = listening();
        let context = builder.quota_bytes(0).build().unwrap();
        let number = 7;
        context.run(|| ::log::error!("nothing left, {number} times"));
        assert_eq!(messages.count("nothing left, 7 times"), 1);
        assert!(!context.heap().take_exhausted(), "the message itself took nothing");
        assert_eq!(context.heap().stats().overdrafts, 0);
    });
}

#[test]
fn messages_of_other_crates_are_not_ours() {
    World::run(|_| {
        let (builder, messages) = listening();
        let context = builder.build().unwrap();
        context.run(|| {
            ::log::error!(target: "isothreaded", "no");
            ::log::error!(target: "hyper::client", "no");
            ::log::error!(target: "iwasm", "yes");
            ::log::error!(target: "isothread::api", "yes");
        });
        assert_eq!((messages.count("no"), messages.count("yes")), (0, 2));
    });
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().push(String::from_utf8(bytes.to_vec()).unwrap());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn lines_look_like_upstreams_and_are_written_whole() {
    let lines = Lines::default();
    let sink = log::make(env_logger::Target::Pipe(Box::new(lines.clone())));
    for text in ["first", "with a line feed\n"] {
        let record = format_args!("{text}").to_string();
        sink.log(&Record::builder().level(Level::Warn).args(format_args!("{record}")).build());
    }
    let lines = lines.0.lock().unwrap();
    assert_eq!(lines.len(), 2, "one write each");
    let thread = format!("{:X}", crate::platform::thread::id());
    for (line, text) in lines.iter().zip(["first\n", "with a line feed\n\n"]) {
        let (time, rest) = line.split_once(" - ").unwrap();
        let shape: String =
            time.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(shape, "[99:99:99:999");
        assert_eq!(rest, format!("{thread}]: {text}"));
    }
}

#[test]
fn levels_have_the_c_apis_numbers() {
    let levels = [0, 1, 2, 3, 4, 5, u32::MAX].map(LogLevel::from_raw);
    assert_eq!(levels.map(|level| level as u32), [0, 1, 2, 3, 4, 4, 4]);
    assert_eq!(ContextBuilder::new().build().unwrap().log_level(), LogLevel::Warning);
}
