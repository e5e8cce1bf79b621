//! Runs a program in one context, or has `tenants` run it in many.

use super::args::Args;
use super::native_lib::NativeLibs;
use super::output::print;
use super::program::{self, Binary, NOT_STARTED, new_context};
use super::{report, tenants};
use isothread::context::log::{Output, install};
use std::time::Instant;

pub fn main(args: &Args) -> u8 {
    install(Output::C);
    match args.threads {
        Some(count) => match read(args) {
            Some(binary) => tenants::run(args, &binary, count),
            None => NOT_STARTED,
        },
        None => alone(args),
    }
}

fn read(args: &Args) -> Option<Vec<u8>> {
    let file = args.file.display();
    let failed = || print(format_args!("Read file to buffer failed: open file {file} failed.\n"));
    std::fs::read(&args.file).inspect_err(|_| failed()).ok()
}

fn alone(args: &Args) -> u8 {
    let started = Instant::now();
    let Some(context) = new_context(args, "iwasm") else { return NOT_STARTED };
    let libs = NativeLibs::load(args, &context);
    libs.register(&context, args);
    // In the context, so that it counts the module's memory.
    let Some(binary) = context.run(|| read(args)) else { return NOT_STARTED };
    let code = program::run(args, &context, Binary::Own(binary));
    if args.stats {
        report::stats(&context, code, started.elapsed());
    }
    drop(libs);
    context.close();
    code
}
