//! The rules of the house, as tests: see "House rules" in ARCHITECTURE.md.
//!
//! Each rule is a function from files to findings in `rules` or a module of its own, with tests on
//! small bad inputs; the tests here run the rules over the whole project. Exceptions stand
//! in `reviewed`, each with its reason, and fail once they are no longer needed.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod circles;
mod levels;
mod modules;
mod names;
mod reviewed;
mod rules;
mod source;
mod statics;

use source::{Finding, Source, project, root};
use std::fs;

fn check(rule: &str, findings: Vec<Finding>) {
    let mut report = String::new();
    for Finding(path, line, what) in &findings {
        report.push_str(&format!("\n  {path}:{line}: {what}"));
    }
    assert!(findings.is_empty(), "{rule}: {} finding(s){report}", findings.len());
}

fn over(rule: impl Fn(&Source) -> Vec<Finding>) -> Vec<Finding> {
    project().iter().flat_map(rule).collect()
}

fn architecture() -> String {
    fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md")
}

#[test]
fn modules_import_lower_levels_only() {
    let (architecture, sources) = (architecture(), project());
    for folder in ["src/", "c-api/src/", "cli/src/"] {
        let table = levels::parse(&architecture, folder).expect("a table of import levels");
        check("every module has a level", levels::unlisted(&table, &sources));
        check("import levels", sources.iter().flat_map(|s| levels::imports(&table, s)).collect());
    }
    let table = levels::parse(&architecture, "src/").expect("a table of import levels");
    let chosen = |s| levels::engines(&table, &["interp", "jit"], "src/api/engines/", s);
    check("engines", sources.iter().flat_map(chosen).collect());
}

#[test]
fn structs_of_running_code_are_pinned() {
    check("pins", over(rules::pins));
}

#[test]
fn no_files_need_each_other() {
    let roots = [
        "src/lib.rs",
        "c-api/src/lib.rs",
        "c-api/gen/src/lib.rs",
        "cli/src/main.rs",
        "xtask/src/lib.rs",
    ];
    check("circles of files", circles::check(&roots, &project(), reviewed::CIRCLES));
}

#[test]
fn a_name_has_one_meaning() {
    check("names of types", names::check(&project(), reviewed::NAMES));
}

#[test]
fn files_are_short() {
    check("file length", rules::file_length(&project(), reviewed::LONG_FILES));
}

#[test]
fn functions_are_short() {
    check("function length", rules::function_length(&project(), reviewed::LONG_FUNCTIONS));
}

#[test]
fn lines_are_short() {
    check("line length", over(rules::line_length));
}

#[test]
fn modules_open_with_their_story() {
    check("module docs", over(rules::module_doc));
}

#[test]
fn folders_are_modules_and_no_file_is_dead() {
    check("layout", rules::layout(&project()));
}

#[test]
fn unsafe_code_says_why() {
    check("SAFETY comments", over(rules::safety));
}

#[test]
fn nothing_is_left_behind() {
    check("banned words", over(rules::banned_words));
}

#[test]
fn the_library_neither_aborts_nor_prints() {
    check("banned calls", rules::banned_calls(&project(), reviewed::CALLS));
}

#[test]
fn process_wide_state_is_listed() {
    check("statics", statics::check(&architecture(), &project()));
}

#[test]
fn no_path_or_host_of_one_machine() {
    check("machine paths", over(rules::machine_paths));
}

#[test]
fn dependencies_say_why() {
    check("dependencies", over(rules::dependency_reasons));
}

#[test]
fn scripts_stop_at_the_first_error() {
    check("scripts", over(rules::scripts));
}

#[test]
fn the_readme_shows_the_example_that_is_tested() {
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let example = fs::read_to_string(root().join("examples/embed.c")).expect("embed.c");
    assert!(readme.contains(&example), "README.md and examples/embed.c differ");
}
