//! `--threads`: the program in many threads at once, with a context each.
//!
//! Contexts share nothing but the file's bytes and the native libraries: each has its own memory,
//! modules, WASI descriptors and limits, so this is also a trial of how they get along.

use super::args::Args;
use super::native_lib::NativeLibs;
use super::program::{self, Binary, NOT_STARTED};
use super::report::{self, TenantOutcome};
use std::fs::File;
use std::io::Read;
use std::thread::{self, Builder};
use std::time::Instant;

/// The program's file: bytes that all read, or `None` if each maps the file.
type CommonBytes = Option<Vec<u8>>;

/// Runs the program `count` times; the exit code is the first that is not zero.
pub fn run(args: &Args, file: File, count: u32) -> u8 {
    let started = Instant::now();
    let Some(binary) = shared(args, file) else { return NOT_STARTED };
    let binary = &binary;
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

fn shared(args: &Args, file: File) -> Option<CommonBytes> {
    let binary = Binary::File(file);
    match binary {
        _ if binary.is_compiled() => Some(None),
        Binary::File(mut file) => {
            let mut bytes = Vec::new();
            let read = file.read_to_end(&mut bytes).inspect_err(|_| program::not_read(args));
            read.ok().map(|_| Some(bytes))
        }
        Binary::Shared(_) => None,
    }
}

fn not_started() -> TenantOutcome {
    TenantOutcome::not_started(NOT_STARTED)
}

fn one(args: &Args, libs: Option<&NativeLibs>, binary: &CommonBytes, number: u32) -> TenantOutcome {
    let started = Instant::now();
    let Some(context) = program::new_context(args, &format!("iwasm-{number}")) else {
        return not_started();
    };
    if let Some(libs) = libs {
        libs.register(&context, args);
    }
    let code = match binary {
        Some(bytes) => program::run(args, &context, Binary::Shared(bytes)),
        None => program::open(args)
            .map_or(NOT_STARTED, |file| program::run(args, &context, Binary::File(file))),
    };
    let outcome = TenantOutcome { code, time: started.elapsed(), stats: context.stats() };
    context.close();
    outcome
}
