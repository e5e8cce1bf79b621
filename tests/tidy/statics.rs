//! Process-wide and thread-local state: each item is listed in ARCHITECTURE.md and says whose
//! it is.

use crate::levels::section;
use crate::rules::word;
use crate::source::{Finding, Source, is_word};

const HEADING: &str = "## Process-wide state";

/// Statics that are missing from the list or silent about their owner, and stale list entries.
pub(crate) fn check(architecture: &str, sources: &[Source]) -> Vec<Finding> {
    let Some(section) = section(architecture, HEADING) else {
        return vec![Finding("ARCHITECTURE.md".to_owned(), 0, format!("no `{HEADING}`"))];
    };
    let listed = listed(section);
    let mut findings = Vec::new();
    let library = || sources.iter().filter(|s| s.is_library());
    for source in library() {
        for (line, name) in statics(source) {
            if !listed.contains(&name.as_str()) {
                findings.push(source.finding(line, format!("`{name}` is not in `{HEADING}`")));
            }
            if !names_owner(source, line - 1) {
                let what = format!("the doc comment of `{name}` names no owner");
                findings.push(source.finding(line, what));
            }
        }
    }
    for name in listed {
        // Symbols made in assembly are found by their name alone.
        let used = library().any(|s| s.lines.iter().any(|l| word(&l.text, name).is_some()));
        if !used {
            let what = format!("`{name}` is listed but nowhere in the sources");
            findings.push(Finding("ARCHITECTURE.md".to_owned(), 0, what));
        }
    }
    findings
}

/// First name in backquotes of each table row of the section.
fn listed(section: &str) -> Vec<&str> {
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.filter_map(|row| row.split('`').nth(1)).collect()
}

/// Line and name of each static of a file that can change or is made at run time.
fn statics(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in source.numbered().filter(|(_, line)| !line.in_test) {
        let Some(at) = word(&line.code, "static") else { continue };
        let before = line.code[..at].trim();
        // Not a lifetime, and at the start of an item.
        let starts_item = before.is_empty() || before.starts_with("pub") || before.ends_with('{');
        let lifetime = before.ends_with('\'');
        if !starts_item || lifetime || before.contains("fn ") {
            continue;
        }
        let rest = line.code[at + 6..].trim_start();
        let (mutable, rest) = match rest.strip_prefix("mut ") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
        let ty = rest[name.len()..].trim_start_matches([':', ' ']);
        let ty = ty.split('=').next().unwrap_or(ty).trim();
        if !name.is_empty() && (mutable || !is_constant(ty)) {
            found.push((number, name));
        }
    }
    found
}

/// Whether a value of the type, as it is spelled, can never change.
fn is_constant(ty: &str) -> bool {
    let cell = ["Atomic", "Cell", "Mutex", "RwLock", "Once", "Lazy", "*mut", "dyn "];
    let plain = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "bool", "f64"];
    let shape = ty.starts_with('&') || ty.starts_with('[') || plain.contains(&ty);
    shape && !cell.iter().any(|c| ty.contains(c))
}

/// Whether the doc comment that ends above line `at` says whose the state is.
fn names_owner(source: &Source, at: usize) -> bool {
    let owners = ["process", "context", "thread", "instance"];
    let mut above = at;
    while above > 0 {
        let line = &source.lines[above - 1];
        let text = line.text.trim_start();
        if !(text.starts_with("//") || text.starts_with("#[") || text.contains("thread_local!")) {
            return false;
        }
        let comment = line.comment.to_lowercase();
        if owners.iter().any(|owner| comment.contains(owner)) {
            return true;
        }
        above -= 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(list: &str, text: &str) -> usize {
        let architecture = format!("# A\n\n{HEADING}\n\n| name | why |\n|---|---|\n{list}\n");
        check(&architecture, &[Source::new("src/a.rs", text)]).len()
    }

    #[test]
    fn unlisted_and_ownerless_statics_are_found() {
        let documented = "/// Owner: the process.\nstatic A: AtomicU32 = AtomicU32::new(0);\n";
        assert_eq!(found("", documented), 1);
        assert_eq!(found("| `A` | x |", documented), 0);
        assert_eq!(found("| `A` | x |", "static A: Mutex<u8> = Mutex::new(0);\n"), 1);
        assert_eq!(found("", "pub(crate) static mut B: u32 = 0;\n"), 2);
        assert_eq!(found("", "thread_local! {\n  static C: Cell<u8> = Cell::new(0);\n}\n"), 2);
        assert_eq!(found("", "static D: Registry = Registry::new();\n"), 2);
    }

    #[test]
    fn constants_lifetimes_and_tests_are_not_state() {
        assert_eq!(found("", "static NAMES: &[&str] = &[];\nstatic N: [u8; 4] = [0; 4];\n"), 0);
        assert_eq!(found("", "    pub name: &'static str,\n"), 0);
        assert_eq!(found("", "fn f(a: &'static str) -> Cow<'static, str> {}\n"), 0);
        assert_eq!(found("", "#[cfg(test)]\nmod tests {\n  static E: AtomicU8 = X;\n}\n"), 0);
    }

    #[test]
    fn stale_entries_are_found() {
        assert_eq!(found("| `GONE` | x |", "fn f() {}\n"), 1);
        assert_eq!(check("# A\n", &[]).len(), 1);
    }
}
