//! The reviewed lists: excluded, gated, and known to fail.

use crate::features;
use crate::report::Report;
use std::collections::{BTreeMap, BTreeSet};

/// One line of the list.
struct Entry {
    line: usize,
    used: bool,
    kind: Kind,
}

enum Kind {
    /// Files whose path starts so belong to a proposal.
    Exclude { path: String, proposal: String },
    /// The number of gated directives of a file, and their proposal.
    Gated { file: String, count: usize, needs: BTreeSet<String> },
    /// A directive that fails, by the line it starts on.
    Fail { file: String, at: usize },
}

/// The section of `expect.txt` for one source.
pub(crate) struct Expectations {
    entries: Vec<Entry>,
}

impl Expectations {
    pub(crate) fn read(source: &str) -> Self {
        Self::parse(include_str!("expect.txt"), source)
    }

    /// Parses the list. A malformed line fails the test: the list is part of it.
    fn parse(text: &str, source: &str) -> Self {
        let mut entries = Vec::new();
        let mut section = "";
        for (line, words) in (1..).zip(text.lines()) {
            let words = words.trim();
            if words.is_empty() || words.starts_with('#') {
                continue;
            }
            if let Some(name) = words.strip_prefix('[') {
                section = name.trim_end_matches(']');
                continue;
            }
            let kind = Kind::parse(words).unwrap_or_else(|| panic!("expect.txt:{line}: {words}"));
            if section == source {
                entries.push(Entry { line, used: false, kind });
            }
        }
        Self { entries }
    }

    /// Whether the file is left out for its proposal.
    pub(crate) fn excludes(&mut self, file: &str) -> bool {
        let mut excluded = false;
        for entry in &mut self.entries {
            if let Kind::Exclude { path, proposal } = &entry.kind
                && file.starts_with(path.as_str())
                && !features::is_executed(proposal)
            {
                entry.used = true;
                excluded = true;
            }
        }
        excluded
    }

    /// The parts of `report` that the list does not have, and how many of its failures it has.
    pub(crate) fn settle(&mut self, report: &Report) -> (Vec<String>, usize) {
        let mut expected = 0;
        let mut surprises = Vec::new();
        // The lists are those of all cargo features. Without one, whatever needs it is gated.
        let mut gated = report.needs.iter().all(|need| features::is_left_out(need));
        let mut known: BTreeMap<usize, bool> = BTreeMap::new();
        for entry in &mut self.entries {
            match &entry.kind {
                Kind::Gated { file, count, needs } if *file == report.file => {
                    entry.used = true;
                    gated = report.gated == *count
                        && report.needs.iter().all(|need| needs.contains(*need))
                        && needs.len() == report.needs.len();
                }
                Kind::Fail { file, at } if *file == report.file => {
                    entry.used = report.failed.iter().any(|(line, _)| line == at);
                    known.insert(*at, entry.used);
                }
                _ => {}
            }
        }
        if !gated {
            let needs: Vec<_> = report.needs.iter().copied().collect();
            let (file, count) = (&report.file, report.gated);
            surprises.push(format!("gated {file} {count} {}", needs.join(" ")));
        }
        for (line, why) in &report.failed {
            if known.contains_key(line) {
                expected += 1;
            } else {
                surprises.push(format!("fail {}:{line} {why}", report.file));
            }
        }
        (surprises, expected)
    }

    /// Unused entries: files that are gone, failures that pass, unless they need a cargo feature
    /// that is left out.
    pub(crate) fn unused(&self) -> Vec<String> {
        let unused = self.entries.iter().filter(|entry| {
            let may_be_gated = matches!(entry.kind, Kind::Fail { .. });
            !(entry.used || may_be_gated && features::is_any_left_out())
        });
        unused.map(|entry| format!("{}: {}", entry.line, entry.kind.complaint())).collect()
    }
}

impl Kind {
    fn parse(line: &str) -> Option<Self> {
        let (kind, rest) = line.split_once(' ')?;
        let (what, rest) = rest.trim().split_once(' ')?;
        match kind {
            "exclude" => {
                let (proposal, reason) = rest.trim().split_once(' ')?;
                let known = features::is_known(proposal) && !reason.trim().is_empty();
                known.then(|| Self::Exclude { path: what.into(), proposal: proposal.into() })
            }
            "gated" => {
                let mut words = rest.split_whitespace();
                let count = words.next()?.parse().ok()?;
                let needs: BTreeSet<String> = words.map(str::to_owned).collect();
                let known = !needs.is_empty() && needs.iter().all(|need| features::is_known(need));
                known.then(|| Self::Gated { file: what.into(), count, needs })
            }
            "fail" => {
                let (file, at) = what.rsplit_once(':')?;
                let at = at.parse().ok()?;
                (!rest.trim().is_empty()).then(|| Self::Fail { file: file.into(), at })
            }
            _ => None,
        }
    }

    fn complaint(&self) -> String {
        match self {
            Self::Exclude { path, proposal } => {
                format!("nothing below {path} is excluded for {proposal}")
            }
            Self::Gated { file, .. } => format!("{file} was not run"),
            Self::Fail { file, at } => format!("{file}:{at} passes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::File;

    const LIST: &str = "# comment\n[a]\nexclude core/y/ stack-switching no stacks yet\n\
        gated core/x.wast 2 stack-switching\nfail core/x.wast:7 a reason\n[b]\n\
        fail core/x.wast:8 another\n";

    fn report(gated: usize, failed: &[usize]) -> Report {
        let mut report = Report::new(&File::new("core/x.wast", String::new()));
        (0..gated).for_each(|_| report.gate(&["stack-switching"]));
        failed.iter().for_each(|&line| report.fail(line, "why".to_owned()));
        report
    }

    #[test]
    fn what_is_listed_is_no_surprise() {
        let mut list = Expectations::parse(LIST, "a");
        assert!(list.excludes("core/y/a.wast"));
        assert!(!list.excludes("core/x.wast"));
        assert_eq!(list.settle(&report(2, &[7])), (vec![], 1));
        assert!(list.unused().is_empty());
    }

    #[test]
    fn what_is_not_listed_is() {
        let mut list = Expectations::parse(LIST, "a");
        let (surprises, _) = list.settle(&report(3, &[7, 8]));
        assert_eq!(surprises, ["gated core/x.wast 3 stack-switching", "fail core/x.wast:8 why"]);
    }

    #[test]
    fn a_pass_leaves_its_entry_without_a_use() {
        let mut list = Expectations::parse(LIST, "a");
        assert_eq!(list.settle(&report(2, &[])), (vec![], 0));
        assert_eq!(list.unused().len(), 2, "the exclusion and the failure");
    }

    #[test]
    fn reasons_and_known_proposals_are_asked_for() {
        assert!(Kind::parse("fail core/x.wast:7").is_none());
        assert!(Kind::parse("fail core/x.wast:seven reason").is_none());
        assert!(Kind::parse("exclude core/ simd").is_none());
        assert!(Kind::parse("exclude core/ simdd a reason").is_none());
        assert!(Kind::parse("gated core/x.wast 1").is_none());
    }
}
