//! The specification's test suite, run through the public interface.
//!
//! Every script of the suite is run, directive by directive. Scripts that an engine without a
//! proposal cannot run are not skipped by hand: a module that validates only with that proposal
//! must be refused at load, and it and everything that depends on it is *gated*: counted, printed,
//! and pinned per file. Whole folders of a proposal are excluded by its name. Both lists, and the
//! failures that are known, stand in `expect.txt` with their reasons; an entry that is no longer
//! needed fails, so the lists can only shrink.
//!
//! The whole suite is run once for each `Mode`; the lists are the same for all of them. Each run
//! prints its sums, and the plain one a table: assertions that passed, other directives that passed
//! (modules, calls, registrations, threads), failures, expected failures, gated directives, and
//! texts that are no modules, which the engine never gets.
//!
//! `SPEC_FILTER=text` runs the files whose path contains `text`, and complains about no entry
//! that finds no use. Surprises are printed in the form they would have in the list.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod binding;
mod engine;
mod expect;
mod features;
mod json;
mod mode;
mod proposal;
mod report;
mod script;
mod source;
mod text;
#[cfg(all(feature = "jit", target_arch = "x86_64", unix))]
mod twins;
mod values;

use binding::Isothread;
use engine::Engine;
use expect::Expectations;
use mode::Mode;
use report::{Report, Table};
use script::Script;
use source::{File, Source};
use std::io::Write;
use wast::parser::ParseBuffer;

/// Runs one file in a context of its own.
fn run_file<E: Engine>(file: &File, mode: Mode) -> Report {
    let mut report = Report::new(file);
    match script::buffer(&file.text) {
        Ok(buffer) => run_script::<E>(file, &buffer, mode, &mut report),
        Err(error) => report.fail(0, format!("unreadable: {error}")),
    }
    report
}

fn run_script<E: Engine>(file: &File, buffer: &ParseBuffer<'_>, mode: Mode, report: &mut Report) {
    let directives = match script::directives(buffer) {
        Ok(directives) => directives,
        Err(error) => return report.fail(0, format!("unreadable: {error}")),
    };
    let engine = E::new(mode);
    let done = std::thread::scope(|scope| {
        let engine = &engine;
        let script = mode.spawn(scope, move || Script::new(engine, mode, scope).run(directives));
        script.join().expect("a script does not panic")
    });
    for done in done {
        report.add(done.at.linecol_in(&file.text).0 + 1, done.is_assertion, done.outcome);
    }
    report.calls_in_mode = engine.calls_in_mode();
}

/// Runs all files in one mode. Prints the results of a test that passes, too.
fn suite<E: Engine>(mode: Mode) {
    let source = Source::find();
    let filter = std::env::var("SPEC_FILTER").ok();
    let mut expectations = Expectations::read(source.name());
    let (mut table, mut surprises) = (Table::default(), Vec::new());
    let (mut files, mut calls_in_mode) = (0, 0);
    for file in source.files() {
        if filter.as_ref().is_some_and(|filter| !file.name.contains(filter.as_str())) {
            continue;
        }
        files += 1;
        if expectations.excludes(&file.name) {
            table.exclude(&file);
            continue;
        }
        let report = run_file::<E>(&file, mode);
        let (unlisted, expected) = expectations.settle(&report);
        table.add(&report, expected);
        surprises.extend(unlisted);
        calls_in_mode += report.calls_in_mode;
    }
    let stale = if filter.is_some() { Vec::new() } else { expectations.unused() };
    let mut text = format!("suite from {}, {mode:?}: {}\n", source.name(), table.summary());
    if mode == Mode::Plain {
        text += &table.by_proposal();
    }
    text.extend(surprises.iter().map(|line| format!("  {line}\n")));
    text.extend(stale.iter().map(|line| format!("  expect.txt:{line}\n")));
    // At once, and not by `print!`, whose output is kept back when a test passes.
    std::io::stdout().write_all(text.as_bytes()).expect("the output takes what is written");
    assert!(files > 0, "no file was run");
    assert!(calls_in_mode > 0, "no call ran in the mode");
    assert!(
        surprises.is_empty() && stale.is_empty(),
        "{} surprises and {} entries without a use, listed above",
        surprises.len(),
        stale.len()
    );
}

#[test]
fn specification_suite() {
    suite::<Isothread>(Mode::Plain);
}

#[test]
fn specification_suite_with_an_instruction_limit() {
    suite::<Isothread>(Mode::Metered);
}

#[test]
fn specification_suite_on_a_small_native_stack() {
    suite::<Isothread>(Mode::SmallStack);
}

#[test]
fn specification_suite_with_constant_collection() {
    suite::<Isothread>(Mode::Collecting);
}

#[test]
fn specification_suite_with_profiling() {
    suite::<Isothread>(Mode::Profiled);
}

#[cfg(all(feature = "jit", target_arch = "x86_64", unix))]
#[test]
fn specification_suite_compiled() {
    suite::<Isothread>(Mode::Compiled);
}

/// Code from files takes the fuel that interpreted code takes, and its traps have the same stacks.
#[cfg(all(feature = "jit", target_arch = "x86_64", unix))]
#[test]
fn specification_suite_interpreted_and_from_files() {
    suite::<twins::Twins>(Mode::Ahead);
}
