//! The command from its command line to its exit code.

use super::args::{self, Command};
use super::{options, output, report, run};

/// The exit code for a wrong command line.
pub const USAGE_ERROR: u8 = 1;

/// All of the command; its exit code.
pub fn start() -> u8 {
    let code = match args::parse() {
        Ok(Command::Run(args)) => run::main(&args),
        Ok(Command::Help) => show(&options::help()),
        Ok(Command::Version) => show(&report::version()),
        Ok(Command::Generate(what)) => show(&what.text()),
        Err(problem) => {
            output::error(&format!("iwasm: {problem}\nTry `iwasm --help`.\n"));
            USAGE_ERROR
        }
    };
    output::finish(code)
}

fn show(text: &str) -> u8 {
    output::print(format_args!("{text}"));
    0
}
