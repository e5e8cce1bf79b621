//! `iwasm`: runs WebAssembly programs from the command line, with the options of WAMR's command.
//!
//! It uses the public Rust API and nothing else, and exports the C API to native libraries. `entry`
//! is its start, `command` the whole run, and `compile` compiles modules ahead instead of running
//! one. `options` is the one table of options of a run, from which help,
//! man page and completions are made; `args` reads the command line; `run` runs a `program` in a
//! context, `tenants` in many at once, and `repl` makes `calls` in it. Results, exceptions and
//! errors go to the standard output (`output`), as WAMR's do; this command's additions (usage
//! errors, statistics) go to the standard error, so that the output stays the program's.

#![cfg_attr(all(target_os = "linux", target_env = "gnu", not(test)), no_main)]

mod args;
mod calls;
mod command;
mod compile;
#[cfg(all(target_os = "linux", target_env = "gnu", not(test)))]
mod entry;
mod generate;
mod native_lib;
mod options;
mod output;
mod program;
mod repl;
mod report;
mod run;
mod tenants;
mod watchdog;

// The C API comes along for native libraries, whose calls of it then reach the runtime that runs
// the program (`build.rs` has the command export it). It brings the allocator that counts all of a
// context's memory as well.
use iwasm as _;

#[cfg(not(all(target_os = "linux", target_env = "gnu", not(test))))]
fn main() -> std::process::ExitCode {
    command::start().into()
}
