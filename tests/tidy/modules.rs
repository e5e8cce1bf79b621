//! Reads a crate's modules: their definitions and imports, and the file in which a path ends.
//!
//! It works on words, not on a syntax tree. A macro's items count as defined where a path looks for
//! them, methods are not followed, and code for tests only is left out.

use crate::source::{Line, Source, is_word};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// The modules of one crate; the first is its root.
pub(crate) struct Modules {
    list: Vec<Module>,
}

struct Module {
    /// Where its file stands among the sources.
    file: usize,
    parent: usize,
    /// Modules declared in it. Several have one name if a build chooses between their files.
    children: Vec<(String, usize)>,
    items: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths of more than one part outside of imports, and their lines.
    paths: Vec<(usize, Vec<String>)>,
    /// Every word outside of imports, and the first line it stands on.
    words: BTreeMap<String, usize>,
}

/// One name that a `use` brings in.
struct Import {
    path: Vec<String>,
    /// The name in this module; `*` for all names that `path` has.
    name: String,
    /// Others can import it from here.
    public: bool,
    line: usize,
}

/// The target of a path.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Module(usize),
    /// An item of the module.
    Item(usize),
}

impl Modules {
    /// The crate whose root is the file `root`; none if there is no such file.
    pub(crate) fn of(root: &str, sources: &[Source]) -> Option<Self> {
        let mut modules = Self { list: Vec::new() };
        modules.add_file(position(root, sources)?, 0, sources);
        Some(modules)
    }

    fn add_file(&mut self, file: usize, parent: usize, sources: &[Source]) -> usize {
        let tokens = tokens(&sources[file]);
        self.add(file, parent, &tokens, sources)
    }

    fn add(&mut self, file: usize, parent: usize, tokens: &[Token], sources: &[Source]) -> usize {
        let at = self.list.len();
        self.list.push(Module {
            file,
            parent,
            children: Vec::new(),
            items: BTreeSet::new(),
            imports: Vec::new(),
            paths: Vec::new(),
            words: BTreeMap::new(),
        });
        Reader { modules: self, at, tokens, sources, depth: 0 }.read();
        at
    }

    /// Which files each file needs, and one line of it that says so.
    pub(crate) fn needs(&self) -> BTreeMap<(usize, usize), usize> {
        let mut found = BTreeMap::new();
        for (at, module) in self.list.iter().enumerate() {
            let mut note = |line: usize, places: Vec<Place>| {
                for place in places {
                    if let Place::Item(used) = place
                        && self.list[used].file != module.file
                    {
                        let key = (module.file, self.list[used].file);
                        found.entry(key).or_insert(line);
                    }
                }
            };
            for import in &module.imports {
                // A name that is only passed on is the importer's, not this file's.
                if import.name == "*" {
                    for (word, line) in &module.words {
                        note(*line, self.starred(at, import, word, true, &mut HashSet::new()));
                    }
                } else if !import.public {
                    note(import.line, self.follow(at, &import.path, &mut HashSet::new()));
                } else if let Some(line) = module.words.get(&import.name) {
                    note(*line, self.follow(at, &import.path, &mut HashSet::new()));
                }
            }
            for (line, path) in &module.paths {
                note(*line, self.follow(at, path, &mut HashSet::new()));
            }
        }
        found
    }

    /// Where `path`, as it is written in the module `from`, leads; nowhere for other crates.
    fn follow(&self, from: usize, path: &[String], seen: &mut Seen) -> Vec<Place> {
        let Some((first, rest)) = path.split_first() else { return Vec::new() };
        let mut places = match first.as_str() {
            "crate" => vec![Place::Module(0)],
            "self" => vec![Place::Module(from)],
            "super" => vec![Place::Module(self.list[from].parent)],
            name => self.named(from, name, rest.is_empty(), seen),
        };
        for (at, part) in rest.iter().enumerate() {
            let last = at + 1 == rest.len();
            let mut next = BTreeSet::new();
            for place in places {
                let Place::Module(module) = place else {
                    next.insert(place);
                    continue;
                };
                if part == "super" {
                    next.insert(Place::Module(self.list[module].parent));
                    continue;
                }
                let found = self.named(module, part, last, seen);
                if found.is_empty() {
                    next.insert(Place::Item(module));
                }
                next.extend(found);
            }
            places = next.into_iter().collect();
        }
        places
    }

    /// The meaning of `name` in a module: of two that share it, the item if nothing follows.
    fn named(&self, module: usize, name: &str, last: bool, seen: &mut Seen) -> Vec<Place> {
        if !seen.insert((module, name.to_owned(), last)) {
            return Vec::new();
        }
        let this = &self.list[module];
        let children = this.children.iter().filter(|(child, _)| child == name);
        let children: Vec<Place> = children.map(|(_, at)| Place::Module(*at)).collect();
        if !last && !children.is_empty() {
            return children;
        }
        if this.items.contains(name) {
            return vec![Place::Item(module)];
        }
        let mut found = Vec::new();
        for import in this.imports.iter().filter(|import| import.name == name) {
            found.extend(self.follow(module, &import.path, seen));
        }
        if found.is_empty() {
            found = children;
        }
        if found.is_empty() {
            for import in this.imports.iter().filter(|import| import.name == "*") {
                found.extend(self.starred(module, import, name, last, seen));
            }
        }
        found
    }

    /// The meaning of `name` if the import of all names in `module` brings it.
    fn starred(
        &self,
        module: usize,
        import: &Import,
        name: &str,
        last: bool,
        seen: &mut Seen,
    ) -> Vec<Place> {
        let mut found = Vec::new();
        for place in self.follow(module, &import.path, seen) {
            if let Place::Module(from) = place {
                found.extend(self.named(from, name, last, seen));
            }
        }
        found
    }
}

/// Names that were looked for already, so that modules which import each other come to an end.
type Seen = HashSet<(usize, String, bool)>;

fn position(path: &str, sources: &[Source]) -> Option<usize> {
    sources.iter().position(|source| source.path == path)
}

struct Token<'a> {
    line: usize,
    text: &'a str,
}

/// Words, `::` and single characters of a file's code, without the parts for tests.
fn tokens(source: &Source) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    for (line, Line { code, .. }) in source.numbered().filter(|(_, line)| !line.in_test) {
        let mut rest = code.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                c => c.len_utf8(),
            };
            found.push(Token { line, text: &rest[..length] });
            rest = rest[length..].trim_start();
        }
    }
    found
}

/// Goes through the tokens of one module.
struct Reader<'a> {
    modules: &'a mut Modules,
    at: usize,
    tokens: &'a [Token<'a>],
    sources: &'a [Source],
    /// Open braces.
    depth: usize,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    fn module(&mut self) -> &mut Module {
        &mut self.modules.list[self.at]
    }

    fn read(mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            let before = if at == 0 { "" } else { self.text(at - 1) };
            match self.text(at) {
                "{" => self.depth += 1,
                "}" => self.depth = self.depth.saturating_sub(1),
                // Not the `use<'a>` of an `impl Trait`.
                "use" if self.text(at + 1) != "<" => {
                    let public = matches!(before, "pub" | ")");
                    at = self.import(at + 1, &[], public);
                    continue;
                }
                "mod" if self.depth == 0 && self.text(at + 2) == ";" => self.declared(at),
                "mod" if self.depth == 0 && self.text(at + 2) == "{" => {
                    at = self.inline(at);
                    continue;
                }
                word if word.starts_with(is_word) => {
                    at = self.word(at);
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// A word outside of imports; where to go on.
    fn word(&mut self, at: usize) -> usize {
        let Token { line, text } = self.tokens[at];
        let defines = matches!(
            text,
            "struct" | "enum" | "union" | "trait" | "type" | "fn" | "const" | "static"
        );
        let mut name = at + 1;
        if defines && self.text(name) == "mut" {
            name += 1;
        }
        if text == "macro_rules" && self.text(name) == "!" {
            name += 1;
        }
        if self.depth == 0 && (defines || text == "macro_rules") {
            let name = self.text(name).to_owned();
            self.module().items.insert(name);
        }
        self.module().words.entry(text.to_owned()).or_insert(line);
        let mut path = vec![text.to_owned()];
        let mut at = at + 1;
        while self.text(at) == "::" && self.text(at + 1).starts_with(is_word) {
            path.push(self.text(at + 1).to_owned());
            at += 2;
        }
        if path.len() > 1 {
            self.module().paths.push((line, path));
        }
        at
    }

    /// The tree of a `use` from `at` on, below `prefix`; where to go on.
    fn import(&mut self, mut at: usize, prefix: &[String], public: bool) -> usize {
        let mut path = prefix.to_vec();
        let line = self.tokens.get(at).map_or(0, |token| token.line);
        let mut name = None;
        loop {
            match self.text(at) {
                "{" => {
                    at += 1;
                    while !matches!(self.text(at), "}" | "") {
                        at = self.import(at, &path, public);
                        at += usize::from(self.text(at) == ",");
                    }
                    return at + 1;
                }
                "::" => {}
                "*" => name = Some("*".to_owned()),
                "as" => {
                    name = Some(self.text(at + 1).to_owned());
                    at += 1;
                }
                // `self` inside braces is the module before them.
                "self" if !path.is_empty() => {}
                part if part.starts_with(is_word) => path.push(part.to_owned()),
                _ => break,
            }
            at += 1;
        }
        if let Some(name) = name.or_else(|| path.last().cloned()) {
            self.module().imports.push(Import { path, name, public, line });
        }
        at
    }

    /// `mod name;` at `at`: its file, or each that some build takes.
    fn declared(&mut self, at: usize) {
        let name = self.text(at + 1).to_owned();
        let own = &self.sources[self.modules.list[self.at].file];
        let (folder, file) = own.path.rsplit_once('/').unwrap_or(("", &own.path));
        let below = match file.strip_suffix(".rs") {
            Some("mod" | "lib" | "main") | None => folder.to_owned(),
            Some(stem) => format!("{folder}/{stem}"),
        };
        let line = self.tokens[at].line;
        let attributes = own.lines[..line - 1].iter().rev();
        let attributes = attributes.take_while(|line| line.text.starts_with("#["));
        let path = attributes.filter_map(|line| line.text.split("path = \"").nth(1)).next();
        let mut files = Vec::new();
        if let Some(path) = path.and_then(|path| path.split('"').next()) {
            files.extend(position(&normal(&format!("{folder}/{path}")), self.sources));
        }
        for path in [format!("{below}/{name}.rs"), format!("{below}/{name}/mod.rs")] {
            files.extend(position(&path, self.sources));
        }
        for file in files {
            let child = self.modules.add_file(file, self.at, self.sources);
            self.module().children.push((name.clone(), child));
        }
    }

    /// `mod name { .. }` at `at`; where to go on.
    fn inline(&mut self, at: usize) -> usize {
        let name = self.text(at + 1).to_owned();
        let start = at + 3;
        let mut depth = 1;
        let mut end = start;
        while end < self.tokens.len() {
            match self.text(end) {
                "{" => depth += 1,
                "}" if depth == 1 => break,
                "}" => depth -= 1,
                _ => {}
            }
            end += 1;
        }
        let file = self.modules.list[self.at].file;
        let child = self.modules.add(file, self.at, &self.tokens[start..end], self.sources);
        self.module().children.push((name, child));
        end + 1
    }
}

/// `path` without `..` and the folders those leave.
fn normal(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}
