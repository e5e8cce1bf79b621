//! Real programs that do not run yet: a reviewed list, on which an unexpected pass fails.

#![allow(dead_code, reason = "each user takes a part of it")]

/// Entries of the list of programs, and why they fail.
const EXPECTED_FAILURES: &[(&str, &str)] = &[];

/// Collects how the entries end.
#[derive(Default)]
pub struct Tally {
    passed: Vec<String>,
    expected: Vec<&'static str>,
    wrong: Vec<String>,
}

impl Tally {
    pub fn add(&mut self, id: &str, outcome: Result<(), String>) {
        let known = EXPECTED_FAILURES.iter().find(|(known, _)| *known == id);
        match (outcome, known) {
            (Ok(()), None) => self.passed.push(id.to_owned()),
            (Err(_), Some((known, _))) => self.expected.push(known),
            (Ok(()), Some(_)) => self.wrong.push(format!("{id}: passes, and is not expected to")),
            (Err(text), None) => self.wrong.push(format!("{id}: {text}")),
        }
    }

    /// Says what was run, and panics if anything was not as it should be.
    pub fn finish(self) {
        println!("passed: {}", self.passed.join(", "));
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        for (id, why) in EXPECTED_FAILURES {
            assert!(self.expected.contains(id), "{id} ({why}) does not fail as expected");
            println!("failed as expected: {id} ({why})");
        }
        assert!(!self.passed.is_empty(), "nothing was run");
    }
}
