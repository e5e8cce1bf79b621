//! The command's reports about itself and about contexts.

use super::args::Args;
use super::output;
use isothread::{Context, ContextStats, Module, RunningMode};
use std::fmt::Write as _;
use std::time::Duration;

/// A context's counters.
pub fn stats(context: &Context, code: u8, time: Duration) {
    let stats = context.stats();
    let heap = stats.heap;
    let text = format!(
        "exit code        {code}\n\
         time             {:.3} ms\n\
         memory, peak     {} bytes\n\
         memory, at end   {} bytes in {} blocks\n\
         calls            {}\n\
         traps            {}\n",
        ms(time),
        heap.peak_bytes,
        heap.live_bytes,
        heap.live_blocks,
        stats.calls,
        stats.traps,
    );
    output::error(&text);
}

/// How the program went in one of many contexts.
pub struct TenantOutcome {
    pub code: u8,
    pub time: Duration,
    pub stats: ContextStats,
}

impl TenantOutcome {
    /// Of one that never started.
    pub fn not_started(code: u8) -> Self {
        Self { code, time: Duration::ZERO, stats: ContextStats::default() }
    }
}

/// A line for each context, and the sum.
pub fn tenants(args: &Args, outcomes: &[TenantOutcome], time: Duration) {
    let mut text = String::from("context  exit code          ms   peak bytes");
    text.push_str(if args.stats { "        calls  traps\n" } else { "\n" });
    for (at, TenantOutcome { code, time, stats }) in outcomes.iter().enumerate() {
        let peak = stats.heap.peak_bytes;
        // Writing to a string does not fail.
        let _ = write!(text, "{:>7} {code:>10} {:>11.3} {peak:>12}", at + 1, ms(*time));
        if args.stats {
            let _ = write!(text, " {:>12} {:>6}", stats.calls, stats.traps);
        }
        text.push('\n');
    }
    let sum: u64 = outcomes.iter().map(|outcome| outcome.stats.heap.peak_bytes).sum();
    let _ = writeln!(text, "    all            {:>11.3} {sum:>12}", ms(time));
    output::error(&text);
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Every module's start.
const HEADER: &[u8] = b"\0asm\x01\0\0\0";

/// The rest of the smallest modules that need one proposal each. They are loaded, so that the
/// report cannot differ from the build.
const PROBES: &[(&str, &[u8])] = &[
    (
        "bulk memory operations",
        b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\0\
          \x0a\x0d\x01\x0b\0\x41\0\x41\0\x41\0\xfc\x0b\0\x0b",
    ),
    ("custom page sizes", b"\x05\x04\x01\x08\0\0"),
    ("exception handling", b"\x01\x04\x01\x60\0\0\x0d\x03\x01\0\0"),
    ("extended constant expressions", b"\x06\x09\x01\x7f\0\x41\x01\x41\x02\x6a\x0b"),
    (
        "fixed-width SIMD",
        b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\
          \x0a\x17\x01\x15\0\xfd\x0c\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x1a\x0b",
    ),
    (
        "garbage collection",
        b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x09\x01\x07\0\x41\0\xfb\x1c\x1a\x0b",
    ),
    ("memory64", b"\x05\x03\x01\x04\0"),
    ("multiple memories", b"\x05\x05\x02\0\0\0\0"),
    ("reference types", b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x07\x01\x05\0\xd0\x6f\x1a\x0b"),
    (
        "relaxed SIMD",
        b"\x01\x06\x01\x60\x01\x7b\x01\x7b\x03\x02\x01\0\
          \x0a\x0b\x01\x09\0\x20\0\x20\0\xfd\x80\x02\x0b",
    ),
    ("tail calls", b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x06\x01\x04\0\x12\0\x0b"),
    ("threads", b"\x05\x04\x01\x03\x01\x01"),
    ("typed function references", b"\x01\x06\x01\x60\x01\x64\x70\0"),
    (
        "wide arithmetic",
        b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\
          \x0a\x10\x01\x0e\0\x42\0\x42\0\x42\0\x42\0\xfc\x13\x1a\x1a\x0b",
    ),
];

pub fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!(
        "iwasm {version} (isothread)\n\n\
         {}. WASI preview 1 and the built-in C library are there.\n\n\
         WebAssembly proposals, 1 if supported:\n",
        match RunningMode::MultiTierJit.is_supported() {
            true => "Runs code with its interpreter and compiles what runs long",
            false => "Runs code with its interpreter",
        }
    );
    let context = Context::new().ok();
    for (name, sections) in PROBES {
        let module = [HEADER, sections].concat();
        let loads = context.as_ref().is_some_and(|context| Module::new(context, &module).is_ok());
        // Writing to a string does not fail.
        let _ = writeln!(text, "  {name}: {}", u8::from(loads));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasmparser::{Validator, WasmFeatures};

    #[test]
    fn probes_are_modules_that_need_something() {
        for (name, sections) in PROBES {
            let module = [HEADER, sections].concat();
            let validated = |features| Validator::new_with_features(features).validate_all(&module);
            let all = validated(WasmFeatures::all());
            assert!(all.is_ok(), "{name}: {:?}", all.err());
            assert!(validated(WasmFeatures::WASM1).is_err(), "{name}");
        }
    }
}
