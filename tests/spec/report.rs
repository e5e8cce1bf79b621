//! Results of scripts, one by one and by proposal.

use crate::script::Outcome;
use crate::source::File;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The results of one script.
pub(crate) struct Report {
    pub file: String,
    /// Its proposal, and the set that it is from.
    proposal: (&'static str, String),
    pub passed: Passed,
    pub text_only: usize,
    pub gated: usize,
    /// Proposals that gated something.
    pub needs: BTreeSet<&'static str>,
    /// Line and event.
    pub failed: Vec<(usize, String)>,
    /// Calls that showed the mode of the run.
    pub calls_in_mode: usize,
}

/// Directives that passed.
#[derive(Default)]
pub(crate) struct Passed {
    pub assertions: usize,
    /// Modules, calls, registrations, threads.
    pub others: usize,
}

impl Report {
    pub(crate) fn new(file: &File) -> Self {
        Self {
            file: file.name.clone(),
            proposal: file.proposal.clone(),
            passed: Passed::default(),
            text_only: 0,
            gated: 0,
            needs: BTreeSet::new(),
            failed: Vec::new(),
            calls_in_mode: 0,
        }
    }

    pub(crate) fn add(&mut self, line: usize, is_assertion: bool, outcome: Outcome) {
        match outcome {
            Outcome::Passed if is_assertion => self.passed.assertions += 1,
            Outcome::Passed => self.passed.others += 1,
            Outcome::TextOnly => self.text_only += 1,
            Outcome::Gated(needs) => self.gate(&needs),
            Outcome::Failed(why) => self.fail(line, why),
        }
    }

    pub(crate) fn fail(&mut self, line: usize, why: String) {
        self.failed.push((line, why));
    }

    pub(crate) fn gate(&mut self, needs: &[&'static str]) {
        self.gated += 1;
        self.needs.extend(needs);
    }
}

/// Sums over scripts.
#[derive(Clone, Default)]
struct Counts {
    files: usize,
    assertions: usize,
    others: usize,
    failed: usize,
    expected: usize,
    gated: usize,
    text_only: usize,
    excluded_files: usize,
    excluded: usize,
}

impl Counts {
    fn add(&mut self, more: &Self) {
        self.files += more.files;
        self.assertions += more.assertions;
        self.others += more.others;
        self.failed += more.failed;
        self.expected += more.expected;
        self.gated += more.gated;
        self.text_only += more.text_only;
        self.excluded_files += more.excluded_files;
        self.excluded += more.excluded;
    }

    fn row(&self) -> [usize; 9] {
        [
            self.files,
            self.assertions,
            self.others,
            self.failed,
            self.expected,
            self.gated,
            self.text_only,
            self.excluded_files,
            self.excluded,
        ]
    }
}

/// Counts by proposal and set.
#[derive(Default)]
pub(crate) struct Table(BTreeMap<(&'static str, String), Counts>);

impl Table {
    /// A script that was run; of its failures, `expected` are in the list.
    pub(crate) fn add(&mut self, report: &Report, expected: usize) {
        self.0.entry(report.proposal.clone()).or_default().add(&Counts {
            files: 1,
            assertions: report.passed.assertions,
            others: report.passed.others,
            failed: report.failed.len() - expected,
            expected,
            gated: report.gated,
            text_only: report.text_only,
            ..Counts::default()
        });
    }

    /// A script that is excluded.
    pub(crate) fn exclude(&mut self, file: &File) {
        let excluded = file.text.matches("(assert_").count();
        let counts = Counts { excluded_files: 1, excluded, ..Counts::default() };
        self.0.entry(file.proposal.clone()).or_default().add(&counts);
    }

    fn sum(&self) -> Counts {
        self.0.values().fold(Counts::default(), |mut sum, counts| {
            sum.add(counts);
            sum
        })
    }

    /// One line with everything.
    pub(crate) fn summary(&self) -> String {
        let sum = self.sum();
        format!(
            "{} assertions and {} other directives passed, {} failed, {} expected failures, {} \
             gated, {} assertions excluded",
            sum.assertions, sum.others, sum.failed, sum.expected, sum.gated, sum.excluded
        )
    }

    /// One row for each proposal and set.
    pub(crate) fn by_proposal(&self) -> String {
        let mut text = String::new();
        let heads = ["files", "passed", "others", "failed", "expected", "gated", "texts"];
        let mut line = |name: &str, set: &str, cells: &mut dyn Iterator<Item = String>| {
            let cells: String = cells.map(|cell| format!("{cell:>10}")).collect();
            writeln!(text, "  {name:<20}{set:<28}{cells}").expect("strings can be written to");
        };
        let heads = heads.iter().chain(&["excluded", "with"]).map(|&head| head.to_owned());
        line("proposal", "set", &mut heads.into_iter());
        for ((name, set), counts) in &self.0 {
            line(name, set, &mut counts.row().iter().map(usize::to_string));
        }
        line("all", "", &mut self.sum().row().iter().map(usize::to_string));
        text
    }
}
