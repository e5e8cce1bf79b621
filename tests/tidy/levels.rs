//! Import levels: reads the tables in ARCHITECTURE.md, one for each crate, and holds every import
//! to them.

use crate::source::{Finding, Source, is_word};

/// One row: a module, its level, and its permitted imports at its own level.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) module: String,
    level: u32,
    beside: Vec<String>,
}

/// The rows for one crate.
#[derive(Debug)]
pub(crate) struct Table {
    /// The folder of the crate's root file.
    folder: String,
    pub(crate) rows: Vec<Row>,
}

/// The table for the crate in `folder`, below a heading that names the folder.
pub(crate) fn parse(architecture: &str, folder: &str) -> Result<Table, String> {
    let levels = section(architecture, "## Import levels").ok_or("no such heading")?;
    let heading = format!("\n### `{folder}`\n");
    let start = levels.find(&heading).ok_or(format!("no heading for {folder}"))? + heading.len();
    let end = levels[start..].find("\n### ").map_or(levels.len(), |at| start + at);
    let mut rows: Vec<Row> = Vec::new();
    for line in levels[start..end].lines().filter(|line| line.starts_with('|')) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Ok(level) = cells[0].parse() else { continue };
        let [_, module, beside, ..] = cells[..] else { return Err(format!("short row: {line}")) };
        let module = module.trim_matches('`').to_owned();
        if rows.iter().any(|row| row.module == module) {
            return Err(format!("{module} stands twice"));
        }
        let beside = beside.split(',').map(|m| m.trim().trim_matches('`').to_owned());
        rows.push(Row { module, level, beside: beside.filter(|m| !m.is_empty()).collect() });
    }
    if rows.is_empty() {
        return Err(format!("no rows for {folder}"));
    }
    Ok(Table { folder: folder.to_owned(), rows })
}

/// The text from the line `heading` up to the next heading of the same depth.
pub(crate) fn section<'a>(text: &'a str, heading: &str) -> Option<&'a str> {
    let start = text.find(&format!("\n{heading}\n"))? + heading.len() + 1;
    let end = text[start..].find("\n## ").map_or(text.len(), |at| start + at);
    Some(&text[start..end])
}

impl Table {
    /// The top-level module that a file of the crate belongs to; none for the crate's root and for
    /// files of other crates.
    fn module_of<'a>(&self, path: &'a str) -> Option<&'a str> {
        let inside = path.strip_prefix(&self.folder)?;
        let first = inside.split('/').next()?;
        match first.strip_suffix(".rs") {
            Some("lib" | "main") => None,
            file => Some(file.unwrap_or(first)),
        }
    }

    fn row(&self, module: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.module == module)
    }
}

/// Modules without a row, and rows without a module.
pub(crate) fn unlisted(table: &Table, sources: &[Source]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let modules: Vec<&str> = sources.iter().filter_map(|s| table.module_of(&s.path)).collect();
    for source in sources {
        if let Some(module) = table.module_of(&source.path)
            && table.row(module).is_none()
        {
            findings.push(source.finding(0, format!("`{module}` is not in the table of levels")));
        }
    }
    for row in table.rows.iter().filter(|row| !modules.contains(&row.module.as_str())) {
        let what = format!("`{}` is in the table but not in {}", row.module, table.folder);
        findings.push(Finding("ARCHITECTURE.md".to_owned(), 0, what));
    }
    findings
}

/// Imports of a file that its level does not allow.
pub(crate) fn imports(table: &Table, source: &Source) -> Vec<Finding> {
    let Some(own) = table.module_of(&source.path) else { return Vec::new() };
    let Some(own) = table.row(own) else { return Vec::new() };
    let mut findings = Vec::new();
    let depth = depth(&source.path[table.folder.len()..]);
    let code: Vec<&str> = source.lines.iter().map(|line| line.code.as_str()).collect();
    let code = code.join("\n");
    for (at, name) in mentions(&code, depth) {
        let line = code[..at].matches('\n').count() + 1;
        if name.starts_with(char::is_uppercase) {
            let what = format!("`{name}` is taken from the crate's root; name its module");
            findings.push(source.finding(line, what));
        }
        let Some(used) = table.row(name) else { continue };
        let allowed = used.module == own.module
            || used.level < own.level
            || used.level == own.level && own.beside.contains(&used.module);
        if !allowed {
            let what = format!(
                "{} (level {}) imports {} (level {})",
                own.module, own.level, used.module, used.level
            );
            findings.push(source.finding(line, what));
        }
    }
    findings
}

/// Files outside an engine's folder that name it, but for tests and those that choose.
pub(crate) fn engines(
    table: &Table,
    engines: &[&str],
    chooser: &str,
    source: &Source,
) -> Vec<Finding> {
    let is_inside = table.module_of(&source.path).is_none_or(|own| engines.contains(&own));
    if is_inside || source.path.starts_with(chooser) || source.path.contains("/tests/") {
        return Vec::new();
    }
    let code: Vec<&str> = source.lines.iter().map(|line| line.code.as_str()).collect();
    let code = code.join("\n");
    let named = mentions(&code, depth(&source.path[table.folder.len()..])).into_iter();
    let named = named.filter(|(_, name)| engines.contains(name));
    let finding = |(at, name): (usize, &str)| {
        let line = code[..at].matches('\n').count() + 1;
        source.finding(line, format!("`{name}` is named outside of {chooser}"))
    };
    named.map(finding).collect()
}

/// How many modules lie between the module of a file and the crate's root, itself included; `path`
/// is the one from the root's folder.
fn depth(path: &str) -> usize {
    let parts = path.split('/').count();
    if path.ends_with("/mod.rs") { parts - 1 } else { parts }
}

/// Top-level modules that `code` names through `crate::` or enough `super::`, with places.
fn mentions(code: &str, depth: usize) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = next_path(code, from) {
        let mut rest = at;
        let mut to_root = false;
        if code[at..].starts_with("crate::") {
            rest += "crate::".len();
            to_root = true;
        }
        let mut supers = 0;
        while !to_root && code[rest..].starts_with("super::") {
            rest += "super::".len();
            supers += 1;
        }
        if to_root || supers >= depth {
            names_at(code, rest, &mut found);
        }
        from = rest;
    }
    found
}

/// The next place from `from` on where a path starts with `crate::` or `super::`.
fn next_path(code: &str, from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let found = ["crate::", "super::"].iter().filter_map(|p| code[at..].find(p)).min()? + at;
        let before = code[..found].chars().next_back();
        if !before.is_some_and(|c| is_word(c) || c == '$') {
            return Some(found);
        }
        at = found + 1;
    }
}

/// Adds the name at `at`, or each first name inside the braces that open there.
fn names_at<'a>(code: &'a str, at: usize, found: &mut Vec<(usize, &'a str)>) {
    let rest = &code[at..];
    if !rest.starts_with('{') {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        found.push((at, &rest[..end]));
        return;
    }
    let mut depth = 0;
    let mut expects_name = false;
    for (offset, c) in rest.char_indices() {
        match c {
            '{' => {
                depth += 1;
                expects_name = depth == 1;
            }
            '}' if depth == 1 => return,
            '}' => depth -= 1,
            ',' => expects_name = depth == 1,
            c if expects_name && is_word(c) => {
                let name = &rest[offset..];
                let end = name.find(|c| !is_word(c)).unwrap_or(name.len());
                found.push((at + offset, &name[..end]));
                expects_name = false;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str = "# A\n\n## Import levels\n\nWords.\n\n### `src/`\n\n\
        | level | module | + | what |\n|---|---|---|---|\n| 0 | low | | a |\n\
        | 1 | mid | `side` | b |\n| 1 | side | | c |\n| 2 | high | | d |\n\n\
        ### `tool/src/`\n\n| 0 | args | | |\n| 1 | run | | |\n\n## Next\n| 9 | not | | read |\n";

    fn table(folder: &str) -> Table {
        parse(TABLES, folder).expect("a table")
    }

    fn found_in(folder: &str, path: &str, text: &str) -> Vec<String> {
        imports(&table(folder), &Source::new(path, text)).into_iter().map(|f| f.2).collect()
    }

    fn found(path: &str, text: &str) -> Vec<String> {
        found_in("src/", path, text)
    }

    #[test]
    fn the_tables_are_read() {
        let rows = table("src/").rows;
        assert_eq!(rows.len(), 4);
        assert_eq!(rows[1].beside, ["side"]);
        assert_eq!(table("tool/src/").rows.len(), 2);
        assert!(parse(TABLES, "other/").is_err());
        assert!(parse("\n## Import levels\n\n### `src/`\n", "src/").is_err());
        let twice = "\n## Import levels\n\n### `src/`\n| 0 | a | | |\n| 1 | a | | |\n";
        assert!(parse(twice, "src/").is_err());
    }

    #[test]
    fn each_crate_has_rules_of_its_own() {
        assert!(found_in("tool/src/", "tool/src/run.rs", "use super::args::Args;").is_empty());
        assert_eq!(found_in("tool/src/", "tool/src/args.rs", "use super::run;").len(), 1);
        assert_eq!(found_in("tool/src/", "tool/src/args.rs", "use crate::run::X;").len(), 1);
        assert_eq!(found_in("tool/src/", "tool/src/run.rs", "use super::{args, MAX};").len(), 1);
        assert_eq!(found_in("tool/src/", "tool/src/args/a.rs", "use super::super::run;").len(), 1);
        assert!(found_in("tool/src/", "tool/src/main.rs", "use run::X;").is_empty());
        assert!(found_in("tool/src/", "src/low/mod.rs", "use crate::run::X;").is_empty());
        assert!(found("tool/src/args.rs", "use crate::high::X;").is_empty());
    }

    #[test]
    fn upward_and_sideways_imports_are_found() {
        assert!(found("src/mid/mod.rs", "use crate::low::X; use crate::side::Y;").is_empty());
        assert_eq!(found("src/mid/mod.rs", "use crate::high::X;").len(), 1);
        assert_eq!(found("src/side/mod.rs", "let x = crate::mid::f();").len(), 1);
        assert_eq!(found("src/mid.rs", "use crate::high::X;").len(), 1);
        assert_eq!(
            found("src/low/a.rs", "use crate::{\n  low::b,\n  mid::{c, high},\n};").len(),
            1
        );
        assert!(found("src/low/a.rs", "// use crate::high::X;").is_empty());
        assert_eq!(found("src/high/a.rs", "use crate::{low::b, Module};").len(), 1);
    }

    #[test]
    fn engines_are_named_where_they_are_chosen() {
        let found = |path: &str| {
            let source = Source::new(path, "use crate::mid::X;\nuse crate::high::Engine;");
            engines(&table("src/"), &["high"], "src/top/choice.rs", &source).len()
        };
        assert_eq!(found("src/top/other.rs"), 1);
        assert_eq!(found("src/top/choice.rs") + found("src/high/a.rs"), 0);
        assert_eq!(found("src/mid/tests/a.rs") + found("src/lib.rs"), 0);
    }

    #[test]
    fn supers_that_reach_the_root_count() {
        assert_eq!(found("src/low/mod.rs", "use super::high::X;").len(), 1);
        assert_eq!(found("src/low/a.rs", "use super::super::high::X;").len(), 1);
        assert!(found("src/low/a.rs", "use super::high::X;").is_empty());
    }

    #[test]
    fn modules_and_rows_must_match() {
        let table = table("src/");
        let mut sources = vec![Source::new("src/lib.rs", ""), Source::new("src/new/mod.rs", "")];
        assert_eq!(unlisted(&table, &sources).len(), 5);
        sources = ["low", "mid", "side", "high"]
            .iter()
            .map(|m| Source::new(&format!("src/{m}/mod.rs"), ""))
            .collect();
        assert!(unlisted(&table, &sources).is_empty());
    }
}
