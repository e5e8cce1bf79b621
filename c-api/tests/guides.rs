//! The programs of the guides in `docs`: compiled, run, and compared with the output in the guide.
//!
//! The C blocks of one section are one program, the section called "What the examples share"
//! goes before each. Blocks of text format begin with the file's name, and `text` is the output.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{root, run, scratch, shared_library};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The section whose code all others build on.
const SHARED: &str = "What the examples share";

#[derive(Debug, Default, PartialEq)]
struct Section {
    title: String,
    c: String,
    /// File name and text of each module.
    modules: Vec<(String, String)>,
    output: String,
}

fn sections(guide: &str) -> Vec<Section> {
    let mut found = vec![Section::default()];
    let mut lines = guide.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            found.push(Section { title: title.to_owned(), ..Section::default() });
        }
        let Some(language) = line.strip_prefix("```") else { continue };
        let block: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let text = block.join("\n") + "\n";
        let section = found.last_mut().expect("there is a first one");
        match language {
            "c" => section.c.push_str(&text),
            "text" => section.output.push_str(&text),
            "wat" => {
                let name = block.first().and_then(|line| line.strip_prefix(";; "));
                section.modules.push((name.expect("a file name").to_owned(), text));
            }
            "sh" | "cmake" => {}
            _ => panic!("a block of `{language}`"),
        }
    }
    found
}

fn check(section: &Section, shared: &str, folder: &Path) {
    let file = section.title.replace(|c: char| !c.is_alphanumeric(), "_");
    fs::write(folder.join(&file).with_extension("c"), format!("{shared}\n{}", section.c))
        .expect("a file can be written");
    run(Command::new("gcc")
        .current_dir(folder)
        .args(["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-pthread"])
        .arg("-I")
        .arg(root().join("c-api/include"))
        .arg(format!("{file}.c"))
        .args(["-o", &file, "./libiwasm.so.2", "-Wl,-rpath,$ORIGIN"]));
    let printed = run(Command::new(folder.join(&file)).current_dir(folder)).replace('\0', "");
    assert_eq!(printed, section.output, "section {:?} prints", section.title);
}

fn check_guide(name: &str) {
    let guide = fs::read_to_string(root().join("docs").join(name)).expect("the guide is there");
    let folder = scratch(name);
    shared_library(&folder);
    let sections = sections(&guide);
    for (file, text) in sections.iter().flat_map(|section| &section.modules) {
        let wasm = wat::parse_str(text).unwrap_or_else(|e| panic!("{file}: {e}"));
        fs::write(folder.join(file), wasm).expect("a file can be written");
    }
    let (shared, programs): (Vec<_>, Vec<_>) =
        sections.iter().filter(|s| !s.c.is_empty()).partition(|s| s.title == SHARED);
    let shared: String = shared.iter().map(|section| section.c.as_str()).collect();
    assert!(!programs.is_empty(), "{name} shows no program");
    for section in programs {
        check(section, &shared, &folder);
    }
}

#[test]
fn embedding() {
    check_guide("embedding.md");
}

#[test]
fn migrating() {
    check_guide("migrating-from-wamr.md");
}

#[test]
fn standard_api() {
    check_guide("wasm-c-api.md");
}

#[test]
fn blocks_go_to_their_sections() {
    let found = sections("# T\n```sh\nno\n```\n## A\n```c\nint a;\n```\n```c\nint b;\n```\n## B\n");
    assert_eq!(found[1].c, "int a;\nint b;\n");
    assert_eq!(found[2], Section { title: "B".into(), ..Section::default() });
    let found = sections("## A\n```wat\n;; a.wasm\n(module)\n```\n```text\nout\n```\n");
    assert_eq!(found[1].modules, [("a.wasm".to_owned(), ";; a.wasm\n(module)\n".to_owned())]);
    assert_eq!(found[1].output, "out\n");
}
