//! The common part of the tests of the C library: paths, and running a C compiler.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../../tests/limit/mod.rs"]
pub mod limit;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The project's root directory.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A folder for a test's files, emptied at first.
pub fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}

/// A library that cargo built together with this test.
pub fn library(file: &str) -> PathBuf {
    let exe = std::env::current_exe().expect("a test has a path");
    let deps = exe.parent().expect("a test lies in a folder");
    let path = deps.join(file);
    assert!(path.exists(), "{} is not built", path.display());
    path
}

/// The shared library in a test's folder, by the name that programs look for. It is a link, as some
/// hundred copies would fill a small disk.
pub fn shared_library(folder: &Path) -> PathBuf {
    let path = folder.join("libiwasm.so.2");
    let _ = std::fs::remove_file(&path);
    std::fs::hard_link(library("libiwasm.so"), &path).expect("the library can be linked");
    path
}

/// Compiles every `.wat` of a folder of the project into another folder.
pub fn compile_modules(from: &str, to: &Path) {
    for entry in std::fs::read_dir(root().join(from)).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|e| e == "wat") {
            let wasm = wat::parse_file(&path).unwrap_or_else(|e| panic!("{e}"));
            let name = path.with_extension("wasm");
            let name = name.file_name().expect("a file has a name");
            std::fs::write(to.join(name), wasm).expect("a file can be written");
        }
    }
}

/// Runs a command that must succeed, and returns its output.
pub fn run(command: &mut Command) -> String {
    let output = limit::output(command).unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}\n{}", text(&output));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// All that a command printed.
pub fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(out), String::from_utf8_lossy(err))
}

/// A function of `facts/`.
pub struct Function {
    pub header: String,
    pub name: String,
    pub status: String,
    pub prototype: String,
}

/// Lines of a table of facts.
pub fn facts(name: &str) -> Vec<String> {
    let path = root().join("c-api/facts").join(name);
    let table = std::fs::read_to_string(path).expect("the table is there");
    table.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

/// Reads the tables of functions: WAMR's, and those that are ours alone.
pub fn functions() -> Vec<Function> {
    let tables = ["functions.txt", "ctx_functions.txt"];
    let lines: Vec<_> = tables.iter().flat_map(|table| facts(table)).collect();
    lines
        .iter()
        .map(|line| {
            let fields: Vec<_> = line.split('\t').map(str::to_owned).collect();
            let [header, name, _, status, prototype] = <[String; 5]>::try_from(fields)
                .unwrap_or_else(|fields| panic!("not five fields: {fields:?}"));
            Function { header, name, status, prototype }
        })
        .collect()
}

/// The headers in `c-api/include`.
pub fn headers() -> Vec<String> {
    headers_in("c-api/include")
}

/// The helper headers for programs written against WAMR.
pub fn compat_headers() -> Vec<String> {
    headers_in("c-api/include/compat")
}

fn headers_in(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(".h"));
    names.sort();
    names
}

/// Names of the functions a header declares, `static inline` ones left out.
pub fn declared(header: &str) -> Vec<String> {
    let path = root().join("c-api/include").join(header);
    let mut text = without_comments(&std::fs::read_to_string(&path).expect("a header"));
    if text.contains("#define WASM_DECLARE_") {
        // Families of functions are declared by macros.
        text = run(Command::new("gcc").args(["-E", "-P"]).arg(&path));
    }
    let all: Vec<_> = functions();
    let known = all.iter().filter(|f| f.header == header).map(|f| f.name.as_str());
    // A declaration is a known name before a parenthesis, or else an unknown one that begins
    // like the API's: both are found, so that a misspelt function is too.
    let mut found: Vec<String> = Vec::new();
    for (at, _) in text.match_indices('(') {
        let before = &text[..at];
        let name = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
        let api = ["wasm_", "get_", "aot_"].iter().any(|p| name.starts_with(p));
        let line = before.rsplit('\n').next().unwrap_or("");
        if api && !line.starts_with('#') && !line.ends_with('\\') && !line.starts_with(' ') {
            found.push(name.to_owned());
        }
    }
    found.extend(known.filter(|n| text.contains(&format!("{n}("))).map(str::to_owned));
    found.retain(|name| !text.contains(&format!("#define {name}(")));
    found.retain(|name| !all.iter().any(|f| f.name == *name && f.status == "inline"));
    found.sort();
    found.dedup();
    found
}

fn without_comments(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, after)| after);
    }
    out + rest
}
