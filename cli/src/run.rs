//! Runs a program in one context, or has `tenants` run it in many.

use super::args::Args;
use super::native_lib::NativeLibs;
use super::program::{self, Binary, NOT_STARTED, new_context};
use super::{report, tenants};
use isothread::context::log::{Output, install};
use std::time::Instant;

pub fn main(args: &Args) -> u8 {
    install(Output::C);
    match args.threads {
        Some(count) => match program::open(args) {
            Some(file) => tenants::run(args, file, count),
            None => NOT_STARTED,
        },
        None => alone(args),
    }
}

fn alone(args: &Args) -> u8 {
    let started = Instant::now();
    let Some(context) = new_context(args, "iwasm") else { return NOT_STARTED };
    let libs = NativeLibs::load(args, &context);
    libs.register(&context, args);
    let Some(file) = program::open(args) else { return NOT_STARTED };
    let code = program::run(args, &context, Binary::File(file));
    if args.stats {
        report::stats(&context, code, started.elapsed());
    }
    drop(libs);
    context.close();
    code
}
