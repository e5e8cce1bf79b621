//! Reads the project's files and splits Rust and C text into code and comments.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// One text file of the project, split line by line.
pub(crate) struct Source {
    /// Path from the project's root, with `/` between components.
    pub(crate) path: String,
    pub(crate) lines: Vec<Line>,
}

#[derive(Default)]
pub(crate) struct Line {
    pub(crate) text: String,
    /// The line without comments and without the content of strings and characters.
    pub(crate) code: String,
    /// The comments on this line, their markers included.
    pub(crate) comment: String,
    /// The line belongs to code that only tests are built with.
    pub(crate) in_test: bool,
}

/// A breach of a rule: path, line from 1 (0 for the whole file), description.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding(pub(crate) String, pub(crate) usize, pub(crate) String);

impl Source {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        let lexed = [".rs", ".c", ".h", ".cpp"].iter().any(|end| path.ends_with(end));
        let mut lines = if lexed { split(text, path.ends_with(".rs")) } else { plain(text) };
        let whole_file = path.starts_with("tests/")
            || path.contains("/tests/")
            || path.ends_with("/tests.rs")
            || path.starts_with("benches/")
            || path.starts_with("examples/");
        mark_tests(&mut lines, whole_file);
        Self { path: path.to_owned(), lines }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(crate) fn is_c(&self) -> bool {
        self.path.ends_with(".c") || self.path.ends_with(".h") || self.path.ends_with(".cpp")
    }

    /// Code that a user's program is built with: no tests, no benches, no build scripts.
    pub(crate) fn is_library(&self) -> bool {
        self.is_rust()
            && (["src/", "c-api/src/", "cli/src/"].iter().any(|f| self.path.starts_with(f)))
    }

    /// Lines with their numbers, from 1.
    pub(crate) fn numbered(&self) -> impl Iterator<Item = (usize, &Line)> {
        self.lines.iter().enumerate().map(|(at, line)| (at + 1, line))
    }

    pub(crate) fn finding(&self, line: usize, what: impl Into<String>) -> Finding {
        Finding(self.path.clone(), line, what.into())
    }
}

/// The project's root: the folder of the root crate.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the project, sorted by path.
pub(crate) fn project() -> Vec<Source> {
    let root = root();
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    paths.sort();
    let mut sources = Vec::new();
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let relative = path.strip_prefix(&root).unwrap_or(&path);
        sources.push(Source::new(&relative.to_string_lossy().replace('\\', "/"), &text));
    }
    assert!(sources.iter().any(|s| s.path == "src/lib.rs"), "the walk found no sources");
    sources
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("a folder entry").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let hidden = name.starts_with('.') && name != ".ci" && name != ".cargo";
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            if !hidden && name != "target" {
                walk(&path, found);
            }
        } else if is_text(&path, &name) {
            found.push(path);
        }
    }
}

fn is_text(path: &Path, name: &str) -> bool {
    let in_ci = path.parent().is_some_and(|p| p.file_name() == Some(OsStr::new(".ci")));
    let extension = path.extension().unwrap_or_default().to_string_lossy().into_owned();
    let known = ["rs", "c", "h", "cpp", "toml", "md", "sh", "wat", "wast", "py", "in", "tsv"];
    in_ci || name == "Makefile" || known.contains(&extension.as_str())
}

/// Prose, scripts and data: every line is taken as it stands.
fn plain(text: &str) -> Vec<Line> {
    let line =
        |text: &str| Line { text: text.to_owned(), code: text.to_owned(), ..Line::default() };
    text.lines().map(line).collect()
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Code,
    LineComment,
    BlockComment(u32),
    Str,
    RawStr(usize),
}

/// Splits `text` into lines of code and comment. `rust` switches lifetimes and raw strings on.
fn split(text: &str, rust: bool) -> Vec<Line> {
    let chars: Vec<char> = text.chars().collect();
    let mut lines = vec![Line::default()];
    let mut state = State::Code;
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        let line = lines.last_mut().expect("there is always a line");
        if c == '\n' {
            if state == State::LineComment {
                state = State::Code;
            }
            lines.push(Line::default());
            at += 1;
            continue;
        }
        let (next, taken) = step(state, &chars[at..], rust, line);
        line.text.extend(&chars[at..at + taken]);
        state = next;
        at += taken;
    }
    if lines.last().is_some_and(|line| line.text.is_empty()) {
        lines.pop();
    }
    lines
}

/// Handles the start of `rest` (never a line feed): returns the state after it and the number of
/// characters it took.
fn step(state: State, rest: &[char], rust: bool, line: &mut Line) -> (State, usize) {
    let two = (rest[0], rest.get(1).copied().unwrap_or('\n'));
    match state {
        State::Code => return step_code(rest, two, rust, line),
        State::LineComment => line.comment.push(rest[0]),
        State::BlockComment(depth) => {
            line.comment.push(rest[0]);
            if two == ('*', '/') {
                line.comment.push('/');
                let after = if depth > 1 { State::BlockComment(depth - 1) } else { State::Code };
                return (after, 2);
            }
            if rust && two == ('/', '*') {
                return (State::BlockComment(depth + 1), 2);
            }
        }
        State::Str => match two {
            ('\\', '\n') => return (State::Str, 1),
            ('\\', _) => return (State::Str, 2),
            ('"', _) => {
                line.code.push('"');
                return (State::Code, 1);
            }
            _ => {}
        },
        State::RawStr(hashes) => {
            let closing = rest[1..].iter().take(hashes).filter(|c| **c == '#').count();
            if rest[0] == '"' && closing == hashes {
                line.code.push('"');
                return (State::Code, 1 + hashes);
            }
        }
    }
    (state, 1)
}

fn step_code(rest: &[char], two: (char, char), rust: bool, line: &mut Line) -> (State, usize) {
    match two {
        ('/', '/') => {
            line.comment.push_str("//");
            return (State::LineComment, 2);
        }
        ('/', '*') => {
            line.comment.push_str("/*");
            return (State::BlockComment(1), 2);
        }
        ('"', _) => {
            line.code.push('"');
            return (State::Str, 1);
        }
        ('\'', _) => {
            if let Some(taken) = char_literal(rest) {
                line.code.push_str("' '");
                return (State::Code, taken);
            }
        }
        ('r', '"' | '#') if rust && !line.code.ends_with(is_word) => {
            let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
            if rest.get(1 + hashes) == Some(&'"') {
                line.code.push_str("r\"");
                return (State::RawStr(hashes), 2 + hashes);
            }
        }
        _ => {}
    }
    line.code.push(rest[0]);
    (State::Code, 1)
}

/// Length of the character literal at the start of `rest`; none for a lifetime.
fn char_literal(rest: &[char]) -> Option<usize> {
    if rest.get(1) == Some(&'\\') {
        let end = rest.iter().skip(3).take_while(|c| **c != '\n').position(|c| *c == '\'')?;
        return Some(end + 4);
    }
    (rest.get(2) == Some(&'\'') && rest[1] != '\n').then_some(3)
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Marks the lines of items behind `#[cfg(test)]` (and `cfg(all(test, ..))`).
fn mark_tests(lines: &mut [Line], whole_file: bool) {
    let mut at = 0;
    while at < lines.len() {
        lines[at].in_test |= whole_file;
        let code = lines[at].code.replace(' ', "");
        let gated = code.contains("#[cfg(test)]") || code.contains("#[cfg(all(test,");
        if gated || code.contains("#![cfg(test)]") {
            let end = if gated { item_end(lines, at) } else { lines.len() - 1 };
            lines[at..=end].iter_mut().for_each(|line| line.in_test = true);
            at = end;
        }
        at += 1;
    }
}

/// The last line of the item whose attributes start on line `start`: where its braces close,
/// or where a semicolon ends it before any brace opens.
pub(crate) fn item_end(lines: &[Line], start: usize) -> usize {
    let mut depth = 0usize;
    let mut brackets = 0usize;
    for (at, line) in lines.iter().enumerate().skip(start) {
        for c in line.code.chars() {
            match c {
                '[' | '(' => brackets += 1,
                ']' | ')' => brackets = brackets.saturating_sub(1),
                '{' => depth += 1,
                '}' if depth <= 1 => return at,
                '}' => depth -= 1,
                ';' if depth == 0 && brackets == 0 => return at,
                _ => {}
            }
        }
    }
    lines.len() - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Vec<String> {
        Source::new("src/a.rs", text).lines.into_iter().map(|line| line.code).collect()
    }

    #[test]
    fn strings_and_comments_are_not_code() {
        assert_eq!(code("let a = \"x // y\"; // z"), ["let a = \"\"; "]);
        assert_eq!(code("r#\"a\"b\"#;"), ["r\"\";"]);
        assert_eq!(code("a /* b\n c */ d"), ["a ", " d"]);
        assert_eq!(code("f('\"', '\\'', 'a'); &'a str"), ["f(' ', ' ', ' '); &'a str"]);
        assert_eq!(code("\"one \\\n two\" x"), ["\"", "\" x"]);
    }

    #[test]
    fn prose_is_not_lexed() {
        let source = Source::new("a.md", "A `Context` owns what C's\n`full_init` configures // \n");
        assert_eq!(source.lines.len(), 2);
        assert_eq!(source.lines[1].code, source.lines[1].text);
    }

    #[test]
    fn comments_are_kept_apart() {
        let source = Source::new("src/a.rs", "x(); // SAFETY: so\n");
        assert_eq!(source.lines[0].comment, "// SAFETY: so");
        assert_eq!(source.lines.len(), 1);
    }

    #[test]
    fn test_items_are_marked() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n  fn b() { }\n}\nfn c() {}\n";
        let source = Source::new("src/a.rs", text);
        let marks: Vec<bool> = source.lines.iter().map(|line| line.in_test).collect();
        assert_eq!(marks, [false, true, true, true, true, false]);
        let source = Source::new("src/a.rs", "#[cfg(test)]\nmod tests;\nfn c() {}\n");
        assert!(source.lines[1].in_test && !source.lines[2].in_test);
    }
}
