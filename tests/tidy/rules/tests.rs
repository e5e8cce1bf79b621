use super::*;

fn source(path: &str, text: &str) -> Source {
    Source::new(path, text)
}

#[test]
fn long_files_need_a_review_that_is_needed() {
    let long = [source("src/a.rs", &"x\n".repeat(501)), source("src/b.rs", "x\n")];
    assert_eq!(file_length(&long, &[]).len(), 1);
    let reason = "one table that is read from top to bottom";
    assert!(file_length(&long, &[("src/a.rs", 501, reason)]).is_empty());
    assert_eq!(file_length(&long, &[("src/a.rs", 500, reason)]).len(), 1);
    assert_eq!(file_length(&long, &[("src/a.rs", 600, "because")]).len(), 1);
    assert_eq!(file_length(&long[1..], &[("src/a.rs", 600, reason)]).len(), 1);
}

#[test]
fn long_functions_are_found_by_name() {
    let body = "    x;\n".repeat(69);
    let text = format!("fn short() {{}}\nfn long(\n    a: [u8; 4],\n) {{\n{body}}}\nfn no();\n");
    let long = [source("src/a.rs", &text)];
    let findings = function_length(&long, &[]);
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].0.as_str(), findings[0].1), ("src/a.rs::long", 2));
    let reason = "one match over all operators";
    assert!(function_length(&long, &[("src/a.rs::long", 73, reason)]).is_empty());
    assert_eq!(function_length(&long, &[("src/a.rs::long", 71, reason)]).len(), 1);
    assert!(function_length(&[source("tests/a.rs", &text)], &[]).is_empty());
    let long = format!("fn long() {{\n{}}}\n", "    x;\n".repeat(99));
    assert_eq!(function_length(&[source("tests/a.rs", &long)], &[]).len(), 1);
}

#[test]
fn long_lines_are_found_except_in_tables() {
    let wide = "x".repeat(101);
    assert_eq!(line_length(&source("src/a.rs", &wide)).len(), 1);
    assert!(line_length(&source("src/a.rs", &wide[1..])).is_empty());
    assert_eq!(line_length(&source("README.md", &wide)).len(), 1);
    assert!(line_length(&source("README.md", &format!("| {wide} |"))).is_empty());
}

#[test]
fn module_docs_are_asked_for() {
    assert_eq!(module_doc(&source("src/a/mod.rs", "mod b;\n")).len(), 1);
    assert_eq!(module_doc(&source("src/a/mod.rs", "//! A.\nmod b;\n")).len(), 1);
    assert!(module_doc(&source("src/a/mod.rs", "//! A.\n//!\n//! B.\nmod b;\n")).is_empty());
    assert!(module_doc(&source("src/a/b/mod.rs", "//! A.\nmod b;\n")).is_empty());
    assert!(module_doc(&source("src/a/b.rs", "mod c;\n")).is_empty());
}

#[test]
fn dead_files_and_twin_layouts_are_found() {
    let files = [
        source("src/lib.rs", "mod a;\n"),
        source("src/a/mod.rs", "mod b;\n// mod dead;\n"),
        source("src/a/b.rs", ""),
        source("src/a/dead.rs", "fn f() {}\n"),
        source("src/a/empty.rs", "//! To come.\n"),
        source("src/a.rs", ""),
    ];
    let findings = layout(&files);
    let paths: Vec<&str> = findings.iter().map(|f| f.0.as_str()).collect();
    assert_eq!(paths, ["src/a/dead.rs", "src/a.rs"]);
}

#[test]
fn unsafe_without_a_reason_is_found() {
    let bad = ["unsafe { f() }", "unsafe impl Send for A {}", "// SAFETY: x\n\n\n\nunsafe { f() }"];
    for text in bad {
        assert_eq!(safety(&source("src/a.rs", text)).len(), 1, "{text}");
    }
    let good = [
        "// SAFETY: so\nunsafe { f() }",
        "// SAFETY: so\n// and\n// so\n// on\nlet a =\n    unsafe { f() };",
        "unsafe fn f() {}",
        "let a = \"unsafe { f() }\";",
        "#[unsafe(no_mangle)]",
    ];
    for text in good {
        assert!(safety(&source("src/a.rs", text)).is_empty(), "{text}");
    }
    let other = "// SAFETY: a\nlet x = 1;\n// more\nunsafe { f() }";
    assert_eq!(safety(&source("src/a.rs", other)).len(), 1);
}

#[test]
fn unfinished_work_is_found() {
    let words = [concat!("FIX", "ME"), concat!("XX", "X"), concat!("to", "do!")];
    for word in words {
        assert_eq!(banned_words(&source("src/a.rs", &format!("// {word} later"))).len(), 1);
        assert_eq!(banned_words(&source(".ci/run", &format!("# {word}: later"))).len(), 1);
    }
    assert!(banned_words(&source("src/a.rs", concat!("mkstemp(\"aXX", "XXXX\")"))).is_empty());
}

#[test]
fn banned_calls_are_found_outside_tests() {
    let text = "fn a() { panic!(\"x\") }\n#[cfg(test)]\nmod tests {\n  fn b() { panic!() }\n}\n";
    let bad = [source("src/a.rs", text), source("tests/b.rs", "fn a() { panic!() }")];
    assert_eq!(banned_calls(&bad, &[]).len(), 1);
    let reason = "only a broken build can reach this";
    assert!(banned_calls(&bad, &[("src/a.rs", "panic!(", reason)]).is_empty());
    assert_eq!(banned_calls(&bad[1..], &[("src/a.rs", "panic!(", reason)]).len(), 1);
    let good = [source("src/a.rs", "debug_assert!(x); catch_panic!(y); // panic!()")];
    assert!(banned_calls(&good, &[]).is_empty());
}

#[test]
fn machine_paths_are_found() {
    let path = concat!("let a = \"/wo", "rk/x\";");
    assert_eq!(machine_paths(&source("src/a.rs", path)).len(), 1);
    assert!(machine_paths(&source("src/a.rs", "\"../shared/testdata\"")).is_empty());
}

#[test]
fn dependencies_without_a_reason_are_found() {
    let good = "[dependencies]\n# Why.\na = \"1\"\n# Why b.\nb = { features = [\n  \"x\",\n] }\n\
        isothread = { path = \"..\" }\n[features]\nc = []\n";
    assert!(dependency_reasons(&source("Cargo.toml", good)).is_empty());
    let good = "# Why.\n[target.'cfg(a = \"b\")'.dependencies]\na = \"1\"\n";
    assert!(dependency_reasons(&source("Cargo.toml", good)).is_empty());
    let bad = "[target.'cfg(unix)'.dependencies]\n# Why.\na = \"1\"\nb = \"1\"\n";
    assert_eq!(dependency_reasons(&source("Cargo.toml", bad)).len(), 1);
}

#[test]
fn careless_scripts_are_found() {
    assert_eq!(scripts(&source(".ci/a", "cargo test\n")).len(), 1);
    assert_eq!(scripts(&source(".ci/a", "#!/bin/sh\ncargo test\n")).len(), 1);
    assert!(scripts(&source("a/b.sh", "#!/bin/sh\nset -eu\n")).is_empty());
    let good = "#!/usr/bin/env bash\n# Tests.\nset -euo pipefail\n";
    assert!(scripts(&source("examples/run.sh", good)).is_empty());
}

#[test]
fn layouts_that_nothing_requires_are_found() {
    let found = |text: &str| pins(&source("src/a.rs", text)).len();
    assert_eq!(found("pub struct VmA {\n}\npub enum VmB {\n}\n"), 2);
    assert_eq!(found("pub struct VmA {\n}\npinned! {\n    VmA 8 / 8 { a 0 }\n}\n"), 0);
    assert_eq!(found("pub union VmB {\n}\nassert!(size_of::<VmB>() == 8);\n"), 0);
    assert_eq!(found("pub struct Other {\n}\n"), 0);
}
