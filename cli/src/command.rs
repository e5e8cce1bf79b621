//! The command from its command line to its exit code.

use super::args::{self, Command};
use super::{compile, options, output, report, run};
use lexopt::Parser;
use std::ffi::OsStr;
use std::path::Path;

/// The exit code for a wrong command line.
pub const USAGE_ERROR: u8 = 1;

/// The first word of a command line that compiles, and the command's other name.
const COMPILE: &str = "compile";
const COMPILER: &str = "wamrc";

/// All of the command; its exit code.
pub fn start() -> u8 {
    let code = match compiler_args() {
        Some(parser) => compile::start(parser),
        None => run_program(),
    };
    output::finish(code)
}

/// The options of the compiler, if that is asked for.
fn compiler_args() -> Option<Parser> {
    let mut words = std::env::args_os();
    let name = words.next().unwrap_or_default();
    if Path::new(&name).file_name() == Some(OsStr::new(COMPILER)) {
        return Some(Parser::from_args(words));
    }
    (words.next()? == COMPILE).then(|| Parser::from_args(words))
}

fn run_program() -> u8 {
    match args::parse() {
        Ok(Command::Run(args)) => run::main(&args),
        Ok(Command::Help) => show(&options::help()),
        Ok(Command::Version) => show(&report::version()),
        Ok(Command::Generate(what)) => show(&what.text()),
        Err(problem) => {
            output::error(&format!("iwasm: {problem}\nTry `iwasm --help`.\n"));
            USAGE_ERROR
        }
    }
}

fn show(text: &str) -> u8 {
    output::print(format_args!("{text}"));
    0
}
