//! The specification's test suite, run through the public interface.
//!
//! Every script of the suite is run, directive by directive. Scripts that an engine without a
//! proposal cannot run are not skipped by hand: a module that validates only with that proposal
//! must be refused at load, and it and everything that depends on it is *gated*: counted, printed,
//! and pinned per file. Whole folders of a proposal are excluded by its name. Both lists, and the
//! failures that are known, stand in `expect.txt` with their reasons; an entry that is no longer
//! needed fails, so the lists can only shrink.
//!
//! `SPEC_FILTER=text` runs the files whose path contains `text`, and complains about no entry
//! that finds no use. Surprises are printed in the form they would have in the list.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod binding;
mod engine;
mod expect;
mod features;
mod script;
mod source;
mod text;
mod values;

use binding::Isothread;
use engine::Engine;
use expect::{Expectations, Report};
use script::{Outcome, Script};
use source::{File, Source};

/// Runs one file in a context of its own.
fn run_file(file: &File, engine: &Isothread) -> Report {
    let mut report = Report::new(&file.name);
    let buffer = match script::buffer(&file.text) {
        Ok(buffer) => buffer,
        Err(error) => {
            report.fail(0, format!("unreadable: {error}"));
            return report;
        }
    };
    let directives = match script::directives(&buffer) {
        Ok(directives) => directives,
        Err(error) => {
            report.fail(0, format!("unreadable: {error}"));
            return report;
        }
    };
    std::thread::scope(|scope| {
        let mut script = Script::new(engine, scope);
        for directive in directives {
            let line = directive.span().linecol_in(&file.text).0 + 1;
            match script.run(directive) {
                Outcome::Passed => report.passed += 1,
                Outcome::TextOnly => report.text_only += 1,
                Outcome::Gated(needs) => report.gate(&needs),
                Outcome::Failed(why) => report.fail(line, why),
            }
        }
    });
    report
}

#[test]
fn specification_suite() {
    let source = Source::find();
    let filter = std::env::var("SPEC_FILTER").ok();
    let mut expectations = Expectations::read(source.name());
    let mut reports = Vec::new();
    let (mut excluded, mut excluded_assertions) = (0, 0);
    for file in source.files() {
        if filter.as_ref().is_some_and(|filter| !file.name.contains(filter.as_str())) {
            continue;
        }
        if expectations.excludes(&file.name) {
            excluded += 1;
            excluded_assertions += file.text.matches("(assert_").count();
        } else {
            reports.push(run_file(&file, &Isothread::new()));
        }
    }
    let unexpected: Vec<_> = reports.iter().flat_map(|r| expectations.settle(r)).collect();
    let sum = |count: fn(&Report) -> usize| reports.iter().map(count).sum::<usize>();
    let expected = expectations.expected_failures();
    println!(
        "specification suite from {}: {} passed, {} failed, {} expected failures",
        source.name(),
        sum(|r| r.passed),
        sum(|r| r.failed.len()) - expected,
        expected,
    );
    println!(
        "  {} files run; {} directives in them gated by proposals; {excluded} files with \
         {excluded_assertions} assertions excluded by proposal; {} texts that are no modules",
        reports.len(),
        sum(|r| r.gated),
        sum(|r| r.text_only),
    );
    for line in &unexpected {
        println!("  {line}");
    }
    let stale = if filter.is_some() { Vec::new() } else { expectations.unused() };
    for line in &stale {
        println!("  expect.txt:{line}");
    }
    assert!(!reports.is_empty(), "no file was run");
    assert!(
        unexpected.is_empty() && stale.is_empty(),
        "{} surprises and {} entries without a use, listed above",
        unexpected.len(),
        stale.len()
    );
}

/// Objects that something refers to stay, however often the others are looked for.
#[test]
fn objects_survive_collections_at_every_allocation() {
    let source = Source::find();
    let files: Vec<_> = source.files().into_iter().filter(|f| f.name.contains("gc/")).collect();
    println!("{} files about objects from {}", files.len(), source.name());
    let mut failed = Vec::new();
    for file in files {
        let report = run_file(&file, &Isothread::stressed());
        failed.extend(report.failed.into_iter().map(|(line, why)| (file.name.clone(), line, why)));
    }
    assert!(failed.is_empty(), "{failed:#?}");
}
