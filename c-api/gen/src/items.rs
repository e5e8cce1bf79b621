//! cbindgen's output, cut into declarations by name.

use std::collections::BTreeMap;

/// Types of this prefix have no name in C: they are printed inside the field that has them.
const ANONYMOUS: &str = "anon_";

pub(crate) struct Items(BTreeMap<String, Item>);

struct Item {
    text: String,
    placed: bool,
}

impl Items {
    /// Declarations are separated by blank lines, which neither a comment nor a body contains.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut items = BTreeMap::new();
        for block in text.split("\n\n").map(str::trim).filter(|b| !b.is_empty()) {
            let name = name_of(code_of(block)).ok_or_else(|| format!("cannot read: {block}"))?;
            let item = Item { text: block.to_owned(), placed: false };
            if items.insert(name.clone(), item).is_some() {
                return Err(format!("{name} is declared twice"));
            }
        }
        let anonymous: BTreeMap<_, _> = items
            .iter()
            .filter(|(name, _)| name.starts_with(ANONYMOUS))
            .map(|(name, item)| (name.clone(), item.text.clone()))
            .collect();
        items.retain(|name, _| !name.starts_with(ANONYMOUS));
        for item in items.values_mut() {
            item.text = inline(&item.text, &anonymous);
        }
        Ok(Self(items))
    }

    /// A declaration with its comment.
    pub(crate) fn place(&mut self, name: &str) -> Result<String, String> {
        let item = self.0.get_mut(name).ok_or_else(|| format!("{name} is not declared"))?;
        if std::mem::replace(&mut item.placed, true) {
            return Err(format!("{name} is placed twice"));
        }
        Ok(item.text.clone())
    }

    /// A declaration that another header places, once more.
    pub(crate) fn repeat(&self, name: &str, is_tag: bool) -> Result<String, String> {
        let item = self.0.get(name).ok_or_else(|| format!("{name} is not declared"))?;
        Ok(if is_tag { tag_of(name, &item.text) } else { item.text.clone() })
    }

    /// A declaration of a tag, without the typedef of the same name.
    pub(crate) fn place_tag(&mut self, name: &str) -> Result<String, String> {
        let text = self.place(name)?;
        Ok(tag_of(name, &text))
    }

    pub(crate) fn unplaced(&self) -> Vec<String> {
        self.0.iter().filter(|(_, i)| !i.placed).map(|(name, _)| name.clone()).collect()
    }
}

/// A type's declaration without the typedef of the same name.
fn tag_of(name: &str, text: &str) -> String {
    let opaque = ["struct", "union", "enum"]
        .iter()
        .find(|k| code_of(text) == format!("typedef {k} {name} {name};"))
        .map(|k| format!("{k} {name};"));
    match opaque {
        Some(short) => text.replace(code_of(text), &short),
        None => text.replacen("typedef ", "", 1).replace(&format!("}} {name};"), "};"),
    }
}

/// A block without its leading comment.
fn code_of(block: &str) -> &str {
    match block.starts_with("/**") {
        true => block.split_once("*/").map_or(block, |(_, code)| code.trim_start()),
        false => block,
    }
}

/// The name a declaration declares.
fn name_of(code: &str) -> Option<String> {
    let before = if let Some(function_pointer) = code.strip_prefix("typedef ")
        && let Some((_, rest)) = function_pointer.split_once("(*")
    {
        rest.split(')').next()?
    } else if code.starts_with("typedef ") {
        code.trim_end().strip_suffix(';')?
    } else {
        code.split('(').next()?
    };
    let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}

/// Replaces `struct anon_x field;` by the body of `anon_x`.
fn inline(text: &str, anonymous: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (kind, ty, field) = (words.next(), words.next(), words.next());
        if let (Some(kind), Some(field)) = (kind, field)
            && let Some(body) = ty.and_then(|ty| anonymous.get(ty))
        {
            let lines: Vec<_> = code_of(body).lines().collect();
            out.push_str(&format!("    {kind} {{\n"));
            for inner in lines.iter().take(lines.len().saturating_sub(1)).skip(1) {
                out.push_str(&format!("    {inner}\n"));
            }
            out.push_str(&format!("    }} {field}\n"));
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found() {
        for (code, name) in [
            ("typedef struct a_t a_t;", "a_t"),
            ("typedef struct b {\n    int x;\n} b;", "b"),
            ("typedef bool (*reader)(int type,\n  char **p);", "reader"),
            ("typedef uint8_t kind_t;", "kind_t"),
            ("void *make(void (*dtor)(int a, void *b));", "make"),
        ] {
            assert_eq!(name_of(code).as_deref(), Some(name));
        }
    }

    #[test]
    fn anonymous_types_are_inlined() {
        let text = "typedef union anon_u {\n    int a;\n    float b;\n} anon_u;\n\n\
                    /**\n * Doc.\n */\ntypedef struct s {\n    union anon_u u;\n} s;\n";
        let mut items = Items::parse(text).expect("parses");
        let tag = items.place_tag("s").expect("is there");
        let body = "struct s {\n    union {\n        int a;\n        float b;\n    } u;\n};";
        assert_eq!(tag, format!("/**\n * Doc.\n */\n{body}"));
        assert!(items.place("s").is_err());
        assert!(items.unplaced().is_empty());
    }
}
