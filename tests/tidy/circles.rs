//! Circles: files of a crate that need each other, through however many others.
//!
//! A file needs another if it imports or names an item that is defined there, regardless of the
//! path of the import: a `mod.rs` that only re-exports its children's items needs none of them.

use crate::modules::Modules;
use crate::source::{Finding, Source};
use std::collections::{BTreeMap, BTreeSet};

/// Pairs of files, by their place among the sources, of which the first needs the second, and the
/// line that says so.
type Graph = BTreeMap<(usize, usize), usize>;

/// A reviewed circle: a folder, its files that need each other, and why that is so.
pub(crate) type Reviewed<'a> = (&'a str, &'a [&'a str], &'a str);

/// Circles in the crates with these root files that are not reviewed, and reviews nothing needs.
pub(crate) fn check(roots: &[&str], sources: &[Source], reviewed: &[Reviewed]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut met = BTreeSet::new();
    for root in roots {
        let Some(modules) = Modules::of(root, sources) else {
            findings.push(Finding((*root).to_owned(), 0, "no such file".to_owned()));
            continue;
        };
        let graph = modules.needs();
        for circle in circles(&graph) {
            let paths: BTreeSet<&str> =
                circle.iter().map(|&at| sources[at].path.as_str()).collect();
            let whole = reviewed.iter().find(|review| {
                let files = paths_of(review);
                paths.iter().all(|path| files.contains(*path))
            });
            match whole {
                Some(_) => met.extend(paths),
                None => findings.push(describe(&graph, &circle, sources)),
            }
        }
    }
    for review in reviewed {
        for path in paths_of(review).iter().filter(|path| !met.contains(path.as_str())) {
            let what = format!("{path}: no longer in a reviewed circle");
            findings.push(Finding("tests/tidy/reviewed.rs: CIRCLES".to_owned(), 0, what));
        }
        if review.2.len() < 20 {
            findings.push(Finding(review.0.to_owned(), 0, "say why".to_owned()));
        }
    }
    findings
}

fn paths_of((folder, files, _): &Reviewed) -> BTreeSet<String> {
    files.iter().map(|file| format!("{folder}{file}")).collect()
}

/// A circle with every need inside of it.
fn describe(graph: &Graph, circle: &BTreeSet<usize>, sources: &[Source]) -> Finding {
    let mut what = format!("a circle of {} files:", circle.len());
    for (&(from, to), line) in graph {
        if circle.contains(&from) && circle.contains(&to) {
            let (from, to) = (&sources[from].path, &sources[to].path);
            what.push_str(&format!("\n    {from}:{line} needs {to}"));
        }
    }
    let first = circle.first().map_or("", |&at| sources[at].path.as_str());
    Finding(first.to_owned(), 0, what)
}

/// The largest sets of two files or more in which each needs each.
fn circles(graph: &Graph) -> Vec<BTreeSet<usize>> {
    let reach: BTreeMap<usize, BTreeSet<usize>> =
        graph.keys().map(|&(from, _)| (from, reachable(graph, from))).collect();
    let mut found: Vec<BTreeSet<usize>> = Vec::new();
    for (from, reached) in &reach {
        let back = |other: &usize| reach.get(other).is_some_and(|reach| reach.contains(from));
        let circle: BTreeSet<usize> = reached.iter().copied().filter(back).collect();
        if circle.contains(from) && !found.contains(&circle) {
            found.push(circle);
        }
    }
    found
}

/// The files that `from` needs, through others or not.
fn reachable(graph: &Graph, from: usize) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(at) = open.pop() {
        for &(_, to) in graph.range((at, 0)..(at + 1, 0)).map(|(key, _)| key) {
            if found.insert(to) {
                open.push(to);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(files: &[(&str, &str)]) -> Vec<Source> {
        files.iter().map(|(path, text)| Source::new(path, text)).collect()
    }

    /// How many findings these files of a crate give.
    fn count(files: &[(&str, &str)], reviewed: &[Reviewed]) -> usize {
        check(&["src/lib.rs"], &project(files), reviewed).len()
    }

    const LIB: (&str, &str) = ("src/lib.rs", "mod a;\nmod b;\n");
    const WHY: &str = "two halves of one thing that is read at once";

    #[test]
    fn files_that_import_each_other_are_found() {
        let back = ("src/b.rs", "pub struct B(super::a::A);\n");
        let files = [LIB, ("src/a.rs", "use crate::b::B;\npub struct A(Box<B>);\n"), back];
        assert_eq!(count(&files, &[]), 1);
        assert_eq!(count(&files, &[("src/", &["a.rs", "b.rs"], WHY)]), 0);
        assert_eq!(count(&files, &[("src/", &["a.rs", "b.rs", "c.rs"], WHY)]), 1);
        assert_eq!(count(&files, &[("src/", &["a.rs", "b.rs"], "so")]), 1);
        assert_eq!(count(&files, &[("src/", &["a.rs"], WHY)]), 2);
        let files = [LIB, ("src/a.rs", "use crate::b::B;\n"), ("src/b.rs", "pub struct B;\n")];
        assert_eq!(count(&files, &[]), 0);
        assert_eq!(check(&["src/none.rs"], &project(&files), &[]).len(), 1);
    }

    #[test]
    fn circles_of_three_are_found_whichever_way_they_are_written() {
        let files = [
            ("src/lib.rs", "mod a;\nmod b { pub use crate::c::{self as d, C}; }\nmod c;\n"),
            ("src/a.rs", "mod inner;\nuse super::b;\npub type A = b::d::C;\n"),
            ("src/a/inner.rs", "use super::*;\npub fn inner() -> A { loop {} }\n"),
            ("src/c.rs", "pub struct C;\nfn c() { crate::a::inner::inner(); }\n"),
        ];
        assert_eq!(count(&files, &[]), 1);
        let found = check(&["src/lib.rs"], &project(&files), &[]);
        assert!(found[0].2.starts_with("a circle of 3 files"), "{}", found[0].2);
    }

    #[test]
    fn a_parent_that_only_passes_on_is_in_no_circle() {
        let child = ("src/a/b.rs", "use super::{C, d};\npub struct B(C);\n");
        let sibling = ("src/a/c.rs", "pub struct C;\n");
        let parent = "mod b;\nmod c;\nmod d {}\npub use b::B;\npub(crate) use c::C;\n";
        let files = |parent| [("src/lib.rs", "mod a;\n"), ("src/a/mod.rs", parent), child, sibling];
        assert_eq!(count(&files(parent), &[]), 0);
        let uses = format!("{parent}pub fn make() -> B {{ loop {{}} }}\n");
        assert_eq!(count(&files(&uses), &[]), 0);
        let defines = uses.replace("pub(crate) use c::C;", "pub struct C;");
        assert_eq!(count(&files(&defines), &[]), 1);
    }

    #[test]
    fn tests_and_comments_need_nothing() {
        let a =
            "// use crate::b::B;\n#[cfg(test)]\nmod tests { use crate::b::B; }\npub struct A;\n";
        let files = [LIB, ("src/a.rs", a), ("src/b.rs", "use crate::a::A;\npub struct B(A);\n")];
        assert_eq!(count(&files, &[]), 0);
    }

    #[test]
    fn each_file_that_a_build_can_take_counts() {
        let files = [
            ("src/lib.rs", "mod a;\n#[cfg_attr(x, path = \"no_b.rs\")]\nmod b;\n"),
            ("src/a.rs", "use crate::b::B;\npub struct A;\n"),
            ("src/b.rs", "pub struct B;\n"),
            ("src/no_b.rs", "pub struct B(crate::a::A);\n"),
        ];
        assert_eq!(count(&files, &[]), 1);
    }
}
