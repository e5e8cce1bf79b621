//! Templates: reading them, and filling in the declarations.

use crate::items::Items;
use std::path::Path;

pub(crate) struct Template {
    /// The header's file name.
    pub(crate) header: String,
    lines: Vec<Line>,
}

enum Line {
    Text(String),
    Type(String),
    Tag(String),
    Again { name: String, is_tag: bool },
    Declared(Vec<String>),
    Functions { path: String, prefix: String },
    Variadic(String),
}

impl Template {
    pub(crate) fn types(&self) -> impl Iterator<Item = String> {
        self.lines.iter().filter_map(|line| match line {
            Line::Type(name) | Line::Tag(name) => Some(name.clone()),
            _ => None,
        })
    }
}

/// Reads every `*.in.h` of a folder, in the order of their names.
pub(crate) fn read_all(folder: &Path) -> Result<Vec<Template>, String> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .map_err(|e| format!("{}: {e}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .collect();
    paths.sort();
    let mut templates = Vec::new();
    for path in paths {
        let file = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let Some(stem) = file.strip_suffix(".in.h") else { continue };
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{file}: {e}"))?;
        let lines = text.lines().map(parse_line).collect::<Result<_, _>>()?;
        templates.push(Template { header: format!("{stem}.h"), lines });
    }
    Ok(templates)
}

fn parse_line(line: &str) -> Result<Line, String> {
    let Some(directive) = line.strip_prefix('@') else { return Ok(Line::Text(line.to_owned())) };
    let words: Vec<_> = directive.split_whitespace().collect();
    match words[..] {
        ["type", name] => Ok(Line::Type(name.to_owned())),
        ["tag", name] => Ok(Line::Tag(name.to_owned())),
        ["again", "type", name] => Ok(Line::Again { name: name.to_owned(), is_tag: false }),
        ["again", "tag", name] => Ok(Line::Again { name: name.to_owned(), is_tag: true }),
        ["declared", ref names @ ..] if !names.is_empty() => {
            Ok(Line::Declared(names.iter().map(|name| (*name).to_owned()).collect()))
        }
        ["variadic", name] => Ok(Line::Variadic(name.to_owned())),
        ["functions", path, prefix] => {
            Ok(Line::Functions { path: path.to_owned(), prefix: prefix.to_owned() })
        }
        _ => Err(format!("unknown directive: {line}")),
    }
}

/// A header's text.
pub(crate) fn fill(
    template: &Template,
    items: &mut Items,
    sources: &Path,
) -> Result<String, String> {
    let mut out = String::new();
    for line in &template.lines {
        match line {
            Line::Text(text) => out.push_str(text),
            Line::Type(name) => out.push_str(&items.place(name)?),
            Line::Tag(name) => out.push_str(&items.place_tag(name)?),
            Line::Again { name, is_tag } => out.push_str(&items.repeat(name, *is_tag)?),
            Line::Declared(names) => {
                for name in names {
                    items.place(name)?;
                }
                continue;
            }
            Line::Variadic(_) => continue,
            Line::Functions { path, prefix } => {
                let source = std::fs::read_to_string(sources.join(path))
                    .map_err(|e| format!("{path}: {e}"))?;
                let mut texts = Vec::new();
                for name in exported(&source) {
                    let text = items.place(name)?;
                    texts.push(prefixed(&text, prefix, template.is_variadic(name)));
                }
                if texts.is_empty() {
                    return Err(format!("{path} exports no function"));
                }
                out.push_str(&texts.join("\n\n"));
            }
        }
        out.push('\n');
    }
    Ok(out)
}

impl Template {
    fn is_variadic(&self, function: &str) -> bool {
        self.lines.iter().any(|line| matches!(line, Line::Variadic(name) if name == function))
    }
}

/// Names of the functions a source file exports, in order.
fn exported(source: &str) -> impl Iterator<Item = &str> {
    source.lines().filter_map(|line| {
        let (before, rest) = ["extern \"C\" fn ", "extern \"C-unwind\" fn "]
            .into_iter()
            .find_map(|form| line.split_once(form))?;
        before.starts_with("pub ").then(|| rest.split('(').next()).flatten()
    })
}

/// The declaration with `prefix` on a line before it, and its further arguments.
fn prefixed(text: &str, prefix: &str, variadic: bool) -> String {
    let (comment, code) = match text.rfind("*/\n") {
        Some(end) => text.split_at(end + 3),
        None => ("", text),
    };
    let code = match code.strip_suffix(");") {
        Some(open) if variadic => {
            let indent = open.find('(').map_or(0, |at| at + 1);
            format!("{open},\n{:indent$}...);", "")
        }
        _ => code.to_owned(),
    };
    format!("{comment}{prefix}\n{code}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_get_prefix_and_ellipsis() {
        assert_eq!(
            prefixed("/**\n * D.\n */\nint f(int a);", "P", false),
            "/**\n * D.\n */\nP\nint f(int a);"
        );
        assert_eq!(prefixed("int f(int a);", "P", true), "P\nint f(int a,\n      ...);");
    }

    #[test]
    fn only_public_functions_count() {
        let source =
            "pub extern \"C\" fn a() {\nextern \"C\" fn b() {\npub unsafe extern \"C\" fn c(\n";
        assert_eq!(exported(source).collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn unknown_directives_are_errors() {
        assert!(parse_line("@typo x").is_err());
        assert!(parse_line("plain").is_ok());
    }
}
