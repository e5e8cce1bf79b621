//! Modules that are large in one way: loading, instantiating and translating them takes time and
//! memory that go with their size, or they are refused.

mod binary;
mod shapes;

use isothread::{Context, ContextConfig, ExecEnv, HeapConfig, Instance, InstanceArgs, Module};
use std::time::Duration;

/// What becomes of modules of one shape.
#[derive(Clone, Copy)]
enum End {
    /// They are refused with this text.
    Refused(&'static str),
    /// They load, are instantiated, and the function `run` is translated if there is one.
    Runs,
}

/// The cost of a module.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// On the processor.
    time: Duration,
    peak_bytes: u64,
}

/// The time that this thread has had on the processor.
fn clock() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes to `time`, which is the caller's own.
    let read = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(read, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn run(context: &Context, bytes: &[u8]) -> isothread::Result<()> {
    let module = Module::new(context, bytes)?;
    let instance = Instance::new(&module, InstanceArgs::default())?;
    let mut env = ExecEnv::new(&instance, 1 << 20)?;
    match instance.get_func("run") {
        Some(run) => run.call(&mut env, &[], &mut []),
        None => Ok(()),
    }
}

fn cost(name: &str, bytes: &[u8], end: End) -> Cost {
    let config = ContextConfig { heap: HeapConfig::System, ..ContextConfig::default() };
    let context = Context::with(config).unwrap();
    let start = clock();
    let outcome = run(&context, bytes);
    let time = clock() - start;
    match (end, outcome) {
        (End::Runs, outcome) => outcome.unwrap_or_else(|error| panic!("{name}: {error}")),
        (End::Refused(text), outcome) => {
            let error = outcome.expect_err(name);
            assert!(error.message().contains(text), "{name}: {error}");
        }
    }
    Cost { time, peak_bytes: context.stats().heap.peak_bytes }
}

/// Compares modules of `shape` with modules four times as large.
fn is_linear(name: &str, size: usize, end: End, shape: impl Fn(usize) -> Vec<u8>) {
    let measure = |size| {
        let bytes = shape(size);
        let costs = (0..3).map(|_| cost(name, &bytes, end));
        (bytes.len(), costs.min_by_key(|cost| cost.time).unwrap())
    };
    let ((len, cost), (more_len, more)) = (measure(size), measure(4 * size));
    println!(
        "{name}: {len} bytes, {:?}, {:.1} B/B; {more_len} bytes, {:?}, {:.1} B/B",
        cost.time,
        cost.peak_bytes as f64 / len as f64,
        more.time,
        more.peak_bytes as f64 / more_len as f64,
    );
    // Four times as much, and twice that for a busy machine and for caches.
    let much = 8 * cost.time.max(Duration::from_millis(2));
    assert!(more.time <= much, "{name}: {cost:?}, {more:?}");
    let much = 6 * cost.peak_bytes.max(64 << 10);
    assert!(more.peak_bytes <= much, "{name}: {cost:?}, {more:?}");
}
