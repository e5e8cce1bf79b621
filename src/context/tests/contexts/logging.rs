//! Messages: the level that counts, the sink, the form.

use super::*;

#[test]
fn the_calling_contexts_level_counts() {
    World::run(|world| {
        let [quiet, chatty] = [LogLevel::Warning, LogLevel::Verbose].map(|level| {
            let log_level = Some(level);
            Context::with(ContextConfig { log_level, ..ContextConfig::default() }).unwrap()
        });
        let (of_quiet, of_chatty) = (listen(&quiet), listen(&chatty));
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
        let config = ContextConfig { quota_bytes: Some(0), ..ContextConfig::default() };
        let context = Context::with(config).unwrap();
        let messages = listen(&context);
        let number = 7;
        context.run(|| ::log::error!("nothing left, {number} times"));
        assert_eq!(messages.count("nothing left, 7 times"), 1);
        let said = context.guarded(|| ::log::error!("and {number} times more"));
        assert!(said.is_ok(), "the message itself took nothing");
        assert_eq!(context.heap().stats().over_limit, 0);
    });
}

#[test]
fn messages_of_other_crates_are_not_ours() {
    World::run(|_| {
        let context = Context::new().unwrap();
        let messages = listen(&context);
        context.run(|| {
            ::log::error!(target: "isothreaded", "no");
            ::log::error!(target: "hyper::client", "no");
            ::log::error!(target: "iwasm", "yes");
            ::log::error!(target: "isothread::api", "yes");
        });
        assert_eq!((messages.count("no"), messages.count("yes")), (0, 2));
    });
}

#[test]
fn lines_look_like_upstreams() {
    let thread = format!("{:X}", crate::platform::thread::id());
    let long = "0123456789".repeat(400);
    for text in ["first", "with a line feed\n", "", &long] {
        let line = log::line(&format_args!("{text}"));
        let (time, rest) = line.as_str().split_once(" - ").unwrap();
        let shape: String =
            time.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
        assert_eq!(shape, "[99:99:99:999");
        assert_eq!(rest, format!("{thread}]: {text}\n"));
    }
}

#[test]
fn levels_have_the_c_apis_numbers() {
    let levels = [0, 1, 2, 3, 4, 5, u32::MAX].map(LogLevel::from_raw);
    assert_eq!(levels.map(|level| level as u32), [0, 1, 2, 3, 4, 4, 4]);
    assert_eq!(Context::new().unwrap().log_level(), LogLevel::Warning);
}
