//! The rules that need one file, or a list of files and of reviewed exceptions.

use crate::source::{Finding, Source, is_word, item_end};

const FILE_LINES: usize = 500;
const FUNCTION_LINES: usize = 70;
/// Tests are read from top to bottom; splitting them does not help.
const TEST_FUNCTION_LINES: usize = 100;
const LINE_CHARS: usize = 100;

/// Calls that a library inside another program must not make, and why.
pub(crate) const CALLS: &[(&str, &str)] = &[
    ("panic!(", "a guest or an embedder could reach it: return an error"),
    ("unreachable!(", "a guest or an embedder could reach it: return an error"),
    ("process::abort(", "the process is the embedder's"),
    ("process::exit(", "the process is the embedder's"),
    ("print!(", "standard output is the embedder's: log instead"),
    ("println!(", "standard output is the embedder's: log instead"),
    ("eprint!(", "standard error is the embedder's: log instead"),
    ("eprintln!(", "standard error is the embedder's: log instead"),
    ("set_hook(", "the panic hook is the embedder's"),
    ("env::set_var(", "the environment is the embedder's"),
];

/// Headers that a tool writes, committed as it wrote them.
fn is_generated(source: &Source) -> bool {
    source.path.starts_with("c-api/include/")
}

pub(crate) fn file_length(sources: &[Source], reviewed: &[(&str, usize, &str)]) -> Vec<Finding> {
    let long = sources
        .iter()
        .filter(|s| (s.is_rust() || s.is_c()) && !is_generated(s))
        .filter(|s| s.lines.len() > FILE_LINES)
        .map(|s| (s.path.clone(), 0, s.lines.len()))
        .collect();
    against(reviewed, long, "tests/tidy/reviewed.rs: LONG_FILES")
}

pub(crate) fn function_length(
    sources: &[Source],
    reviewed: &[(&str, usize, &str)],
) -> Vec<Finding> {
    let long = sources
        .iter()
        .filter(|s| s.is_rust())
        .flat_map(|s| functions(s).into_iter().map(move |f| (s, f)))
        .filter(|(s, (_, line, length))| {
            let in_test = s.lines[line - 1].in_test;
            *length > if in_test { TEST_FUNCTION_LINES } else { FUNCTION_LINES }
        })
        .map(|(s, (name, line, length))| (format!("{}::{name}", s.path), line, length))
        .collect();
    against(reviewed, long, "tests/tidy/reviewed.rs: LONG_FUNCTIONS")
}

/// Items that are too long and not reviewed, or longer than reviewed; and needless reviews.
fn against(
    reviewed: &[(&str, usize, &str)],
    long: Vec<(String, usize, usize)>,
    list: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for &(what, _, reason) in reviewed {
        if !long.iter().any(|(name, ..)| name == what) {
            findings.push(Finding(list.to_owned(), 0, format!("{what}: no longer needed")));
        }
        if reason.len() < 20 {
            findings.push(Finding(list.to_owned(), 0, format!("{what}: say why")));
        }
    }
    for (name, line, length) in long {
        let allowed = reviewed.iter().find(|(what, ..)| *what == name).map_or(0, |r| r.1);
        if length > allowed {
            findings.push(Finding(name, line, format!("{length} lines")));
        }
    }
    findings
}

/// Name, first line and number of lines of every function with a body.
fn functions(source: &Source) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (number, line) in source.numbered() {
        let Some(at) = word(&line.code, "fn") else { continue };
        let name: String =
            line.code[at + 2..].trim_start().chars().take_while(|c| is_word(*c)).collect();
        if !name.is_empty() {
            let end = item_end(&source.lines, number - 1);
            found.push((name, number, end + 2 - number));
        }
    }
    found
}

/// Where `wanted` stands in `code` as a word of its own.
pub(crate) fn word(code: &str, wanted: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = code[from..].find(wanted).map(|at| from + at) {
        let end = at + wanted.len();
        let joined_before = code[..at].ends_with(is_word) && wanted.starts_with(is_word);
        let joined_after = code[end..].starts_with(is_word) && wanted.ends_with(is_word);
        if !joined_before && !joined_after {
            return Some(at);
        }
        from = end;
    }
    None
}

pub(crate) fn line_length(source: &Source) -> Vec<Finding> {
    if is_generated(source) || source.path.starts_with("benches/kernels/") {
        return Vec::new();
    }
    let prose = source.path.ends_with(".md") || source.path.ends_with(".tsv");
    source
        .numbered()
        .filter(|(_, line)| line.text.chars().count() > LINE_CHARS)
        // A row of a Markdown table cannot be broken.
        .filter(|(_, line)| !(prose && (line.text.starts_with('|') || line.text.contains('\t'))))
        // Nor can the head of a table in TOML.
        .filter(|(_, line)| !line.text.starts_with("[target."))
        .map(|(at, line)| source.finding(at, format!("{} characters", line.text.chars().count())))
        .collect()
}

pub(crate) fn module_doc(source: &Source) -> Vec<Finding> {
    let path = &source.path;
    let opens_folder = path.ends_with("/mod.rs") && !path.contains("/tests/");
    if !opens_folder && !path.ends_with("src/lib.rs") {
        return Vec::new();
    }
    let doc = source.lines.iter().take_while(|line| line.text.starts_with("//!")).count();
    let code = source.lines.iter().any(|line| !line.code.trim().is_empty());
    // The doc of a folder of `src/` states its purpose, its limits of knowledge, and how control
    // enters.
    let top = path.starts_with("src/") && path.matches('/').count() == 2 && code;
    let wanted = if top { 3 } else { 1 };
    if doc >= wanted {
        return Vec::new();
    }
    vec![source.finding(1, format!("opens with {doc} lines of module doc, not {wanted} or more"))]
}

/// `foo/mod.rs` instead of `foo.rs` beside `foo/`; every file is the module of another.
pub(crate) fn layout(sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for source in sources.iter().filter(|s| s.is_library()) {
        let path = source.path.as_str();
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        if sources.iter().any(|s| s.is_rust() && s.path.starts_with(&format!("{stem}/"))) {
            findings.push(source.finding(0, format!("move it to {stem}/mod.rs")));
        }
        let stem = stem.strip_suffix("/mod").unwrap_or(stem);
        let Some((folder, name)) = stem.rsplit_once('/') else { continue };
        let is_root = path.ends_with("src/lib.rs") || path.ends_with("main.rs");
        // A folder that holds its doc alone is a place kept for a part to come.
        let is_empty = source.lines.iter().all(|line| line.code.trim().is_empty());
        if is_root || is_empty {
            continue;
        }
        let declares = |s: &Source| {
            let inside = s.path.rsplit_once('/').is_some_and(|(f, _)| f == folder);
            inside && s.path != path && s.lines.iter().any(|l| declares(&l.code, &l.text, name))
        };
        if !sources.iter().any(declares) {
            findings.push(source.finding(0, "no file beside it declares this module"));
        }
    }
    findings
}

/// Whether a line declares the module `name`, or names its file in a `path` attribute.
fn declares(code: &str, text: &str, name: &str) -> bool {
    let by_path = text.contains("path = ") && text.contains(&format!("{name}.rs\""));
    let by_folder = text.contains("path = ") && text.contains(&format!("{name}/mod.rs\""));
    word(code, &format!("mod {name}")).is_some() || by_path || by_folder
}

/// Every unsafe block and impl has a SAFETY comment that ends in the three lines above it.
pub(crate) fn safety(source: &Source) -> Vec<Finding> {
    if !source.is_rust() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in source.numbered() {
        let code = &line.code;
        let Some(at) = word(code, "unsafe") else { continue };
        let after = code[at + 6..].trim_start();
        let opens = after.starts_with('{') || word(after, "impl") == Some(0);
        if opens && !explained(source, number - 1) {
            findings.push(source.finding(number, "unsafe without a SAFETY comment above it"));
        }
    }
    findings
}

fn explained(source: &Source, at: usize) -> bool {
    let says = |at: usize| source.lines[at].comment.contains("SAFETY");
    let comment_only = |at: usize| {
        let line = &source.lines[at];
        line.code.trim().is_empty() && !line.comment.is_empty()
    };
    for above in (at.saturating_sub(3)..=at).rev() {
        if says(above) {
            return true;
        }
        if comment_only(above) {
            let mut top = above;
            while top > 0 && comment_only(top - 1) && !says(top) {
                top -= 1;
            }
            return says(top);
        }
    }
    false
}

/// Types that running code reads, by their prefix, whose layout their file does not require:
/// structs in a list of `pinned!`, others by their size.
pub(crate) fn pins(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let has = |text: &str| source.lines.iter().any(|line| line.code.trim().starts_with(text));
    let measures = |text: &str| source.lines.iter().any(|line| line.code.contains(text));
    for (number, line) in source.numbered().filter(|_| source.path.starts_with("src/")) {
        for kind in ["struct", "union", "enum"] {
            let Some(at) = word(&line.code, kind) else { continue };
            let rest = line.code[at + kind.len()..].trim_start();
            let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
            let is_pinned = match kind {
                "struct" => (0..10).any(|digit| has(&format!("{name} {digit}"))),
                _ => measures(&format!("size_of::<{name}>() == ")),
            };
            if name.starts_with("Vm") && !is_pinned {
                findings.push(source.finding(number, format!("the layout of `{name}` is open")));
            }
        }
    }
    findings
}

/// Marks of unfinished work, in code and in comments.
pub(crate) fn banned_words(source: &Source) -> Vec<Finding> {
    // Written in two parts so that this file does not find itself.
    let words = [
        concat!("to", "do!"),
        concat!("unimpl", "emented!"),
        concat!("db", "g!"),
        concat!("#[ign", "ore"),
        concat!("FIX", "ME"),
        concat!("TO", "DO"),
        concat!("XX", "X"),
    ];
    let mut findings = Vec::new();
    for (number, line) in source.numbered() {
        for banned in words {
            if word(&line.text, banned).is_some() {
                findings.push(source.finding(number, format!("`{banned}` is left behind")));
            }
        }
    }
    findings
}

/// Calls of [`CALLS`] in library code; `reviewed` lists those that stay.
pub(crate) fn banned_calls(sources: &[Source], reviewed: &[(&str, &str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut used = vec![false; reviewed.len()];
    for source in sources.iter().filter(|s| s.is_library() && !s.path.starts_with("cli/")) {
        for (number, line) in source.numbered().filter(|(_, line)| !line.in_test) {
            // Evaluated by the compiler: a failing assertion there is a build error.
            if word(&line.code, "const _").is_some() {
                continue;
            }
            for (call, why) in CALLS {
                if word(&line.code, call).is_none() {
                    continue;
                }
                let entry = reviewed.iter().position(|(p, c, _)| *p == source.path && c == call);
                match entry {
                    Some(entry) => used[entry] = true,
                    None => findings.push(source.finding(number, format!("{call}..): {why}"))),
                }
            }
        }
    }
    for (entry, used) in reviewed.iter().zip(used) {
        if !used || entry.2.len() < 20 {
            let what = format!("{} {}: no longer needed, or without a reason", entry.0, entry.1);
            findings.push(Finding("tests/tidy/reviewed.rs: CALLS".to_owned(), 0, what));
        }
    }
    findings
}

/// Folders and hosts that exist on one machine only.
pub(crate) fn machine_paths(source: &Source) -> Vec<Finding> {
    // Written in two parts so that this file does not find itself.
    let banned = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("index.cr", "ates.io"),
        concat!("deb.de", "bian.org"),
        concat!("127.0.", "0.1:"),
    ];
    let mut findings = Vec::new();
    for (number, line) in source.numbered() {
        for path in banned.iter().filter(|path| line.text.contains(**path)) {
            findings.push(source.finding(number, format!("names `{path}`")));
        }
    }
    findings
}

/// Every dependency on a crate that is not ours has a comment above it.
pub(crate) fn dependency_reasons(source: &Source) -> Vec<Finding> {
    if !source.path.ends_with("Cargo.toml") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let mut inside = false;
    let mut commented = false;
    for (number, line) in source.numbered() {
        let text = line.text.trim();
        if text.starts_with('[') {
            inside = text.trim_matches(['[', ']']).ends_with("dependencies");
        } else {
            let starts = text.contains('=') && !line.text.starts_with([' ', '}', ']']);
            if inside && starts && !commented && !text.contains("path =") {
                findings.push(source.finding(number, "a dependency without its reason above it"));
            }
        }
        // A comment above a table's head speaks for the first dependency in it.
        let passes_on = text.starts_with('[') || !text.is_empty() && !text.contains('=');
        commented = text.starts_with('#') || commented && passes_on;
    }
    findings
}

/// Shell scripts name their shell and stop at errors, unset names and broken pipes.
pub(crate) fn scripts(source: &Source) -> Vec<Finding> {
    let is_script = source.path.starts_with(".ci/") || source.path.ends_with(".sh");
    if !is_script || source.path.ends_with(".md") {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let text = |at: usize| source.lines.get(at).map_or("", |line| line.text.as_str());
    let set = match text(0) {
        "#!/usr/bin/env bash" => "set -euo pipefail",
        "#!/bin/sh" => "set -eu",
        _ => return vec![source.finding(1, "starts with neither `env bash` nor `/bin/sh`")],
    };
    if !source.lines.iter().any(|line| line.text == set) {
        findings.push(source.finding(2, format!("does not `{set}`")));
    }
    findings
}

#[cfg(test)]
mod tests;
