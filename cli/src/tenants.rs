//! `--threads`: the program in many threads at once, with a context each.
//!
//! Contexts share nothing but the file's bytes and the native libraries: each has its own memory,
//! modules, WASI descriptors and limits, so this is also a trial of how they get along.

use super::args::Args;
use super::native_lib::NativeLibs;
use super::program::{self, Binary, NOT_STARTED};
use super::report::{self, TenantOutcome};
use std::thread::{self, Builder};
use std::time::Instant;

/// Runs the program `count` times; the exit code is the first that is not zero.
pub fn run(args: &Args, binary: &[u8], count: u32) -> u8 {
    let started = Instant::now();
    let libs = if args.native_libs.is_empty() {
        None
    } else {
        // They belong to none of the programs.
        let Some(home) = program::new_context(args, "native libraries") else { return NOT_STARTED };
        Some(NativeLibs::load(args, &home))
    };
    let libs = libs.as_ref();
    let outcomes: Vec<TenantOutcome> = thread::scope(|scope| {
        let spawn = |number: u32| {
            let builder = Builder::new().name(format!("iwasm-{number}"));
            builder.spawn_scoped(scope, move || one(args, libs, binary, number))
        };
        // All are started before the first is waited for.
        let threads: Vec<_> = (1..=count).map(spawn).collect();
        let ended = threads.into_iter().map(|thread| thread.ok().and_then(|t| t.join().ok()));
        ended.map(|outcome| outcome.unwrap_or_else(not_started)).collect()
    });
    report::tenants(args, &outcomes, started.elapsed());
    outcomes.iter().map(|outcome| outcome.code).find(|code| *code != 0).unwrap_or(0)
}

fn not_started() -> TenantOutcome {
    TenantOutcome::not_started(NOT_STARTED)
}

fn one(args: &Args, libs: Option<&NativeLibs>, binary: &[u8], number: u32) -> TenantOutcome {
    let started = Instant::now();
    let Some(context) = program::new_context(args, &format!("iwasm-{number}")) else {
        return not_started();
    };
    if let Some(libs) = libs {
        libs.register(&context, args);
    }
    let code = program::run(args, &context, Binary::Shared(binary));
    let outcome = TenantOutcome { code, time: started.elapsed(), stats: context.stats() };
    context.close();
    outcome
}
