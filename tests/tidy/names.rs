//! Names of types: one name has one meaning, or two at most, in modules far apart.

use crate::rules::word;
use crate::source::{Finding, Source, is_word};
use std::collections::{BTreeMap, BTreeSet};

/// How many places may define a type of one name.
const PLACES_MAX: usize = 2;

/// Folders whose files stand for each other, because builds choose between them: types of one name
/// are one thing there.
const ALIKE: &[&str] = &["src/platform/", "src/native/invoke/"];

/// Names of types that more places define than may, and reviews nothing needs.
pub(crate) fn check(sources: &[Source], reviewed: &[(&str, usize, &str)]) -> Vec<Finding> {
    let mut places: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for source in sources.iter().filter(|s| s.is_library()) {
        let alike = ALIKE.iter().find(|folder| source.path.starts_with(**folder));
        let place = alike.copied().unwrap_or(&source.path);
        for name in types(source) {
            places.entry(name).or_default().insert(place);
        }
    }
    let mut findings = Vec::new();
    for (name, places) in &places {
        let allowed = reviewed.iter().find(|(known, ..)| known == name).map_or(PLACES_MAX, |r| r.1);
        if places.len() > allowed {
            let list: Vec<&str> = places.iter().copied().collect();
            let what = format!("`{name}` is a type in {}", list.join(", "));
            findings.push(Finding(list[0].to_owned(), 0, what));
        }
    }
    for (name, count, reason) in reviewed {
        let needed = places.get(*name).is_some_and(|p| p.len() == *count && *count > PLACES_MAX);
        if !needed || reason.len() < 20 {
            let what = format!("{name}: not needed for {count} places, or without a reason");
            findings.push(Finding("tests/tidy/reviewed.rs: NAMES".to_owned(), 0, what));
        }
    }
    findings
}

/// The types that a file defines outside of functions and tests.
fn types(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for (_, line) in source.numbered().filter(|(_, line)| !line.in_test) {
        // Items inside others are indented; they do not count.
        if !line.code.starts_with(is_word) {
            continue;
        }
        for kind in ["struct", "enum", "union", "trait", "type"] {
            if let Some(at) = word(&line.code, kind) {
                let rest = line.code[at + kind.len()..].trim_start();
                let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
                found.push(name);
                break;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_many_types_are_found() {
        let text = "pub(crate) struct State<T>(T);\nfn f() {}\n";
        let files =
            ["src/a.rs", "src/b/mod.rs", "cli/src/c.rs"].map(|path| Source::new(path, text));
        assert!(check(&files[..2], &[]).is_empty());
        assert_eq!(check(&files, &[]).len(), 1);
        let reason = "the three states of one thing";
        assert!(check(&files, &[("State", 3, reason)]).is_empty());
        assert_eq!(check(&files, &[("State", 3, "so")]).len(), 1);
        assert_eq!(check(&files, &[("State", 4, reason)]).len(), 1);
        assert_eq!(check(&files[..2], &[("State", 2, reason)]).len(), 1);
    }

    #[test]
    fn every_kind_of_type_counts_and_tests_do_not() {
        let of = |path: &str, text: &str| types(&Source::new(path, text));
        let text = "enum A {}\npub type B = u8;\nunsafe trait C {\n    type D;\n}\nunion E {}\n";
        assert_eq!(of("src/a.rs", text), ["A", "B", "C", "E"]);
        assert!(of("src/a.rs", "#[cfg(test)]\nmod tests {\nstruct A;\n}\n").is_empty());
        let other = Source::new("tests/a.rs", "struct A;\nstruct A;\nstruct A;\n");
        assert!(check(&[other], &[]).is_empty());
    }

    #[test]
    fn files_that_stand_for_each_other_are_one_place() {
        let text = "pub struct Buffer;\n";
        let files = ["src/platform/a/x.rs", "src/platform/b/x.rs", "src/a.rs", "src/b.rs"];
        let files = files.map(|path| Source::new(path, text));
        assert!(check(&files[..3], &[]).is_empty());
        assert_eq!(check(&files, &[]).len(), 1);
    }
}
