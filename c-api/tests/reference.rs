//! Probe programs whose output was recorded with WAMR: ours print the same, but for the reviewed
//! differences in `tests/reference`.
//!
//! Probes and recordings are no part of the project. They are read from `../shared/spec/reference`
//! or from the folder that the variable WAMR_REFERENCE names.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use common::{root, run, scratch, shared_library};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The builds of WAMR that were recorded.
const BUILDS: [&str; 3] = ["default", "feat", "gc"];

fn reference() -> Option<PathBuf> {
    let named = std::env::var_os("WAMR_REFERENCE").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| root().join("../shared/spec/reference"));
    folder.join("p1.c").is_file().then_some(folder)
}

fn read(path: PathBuf) -> String {
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// One entry of the list of differences.
#[derive(Debug)]
struct Difference<'a> {
    builds: Vec<&'a str>,
    theirs: Vec<&'a str>,
    ours: Vec<&'a str>,
}

fn differences(list: &str) -> Vec<Difference<'_>> {
    let mut found: Vec<Difference<'_>> = Vec::new();
    for line in list.lines() {
        if let Some(builds) = line.strip_prefix('@') {
            let builds: Vec<_> = builds.split_whitespace().collect();
            assert!(builds.iter().all(|build| BUILDS.contains(build)), "{line}");
            found.push(Difference { builds, theirs: Vec::new(), ours: Vec::new() });
        } else if let Some((kind, text)) = line.split_at_checked(1).filter(|(kind, _)| *kind != "#")
        {
            let last = found.last_mut().expect("a difference begins with @");
            match kind {
                "-" => last.theirs.push(text),
                "+" => last.ours.push(text),
                " " => {
                    last.theirs.push(text);
                    last.ours.push(text);
                }
                _ => panic!("unknown line: {line}"),
            }
        }
    }
    found
}

/// The recording as it must read here; each difference applies after the one before it.
fn expected(recording: &str, list: &str, build: &str) -> String {
    let recorded: Vec<_> = recording.lines().collect();
    let mut out: Vec<&str> = Vec::new();
    let mut at = 0;
    for difference in differences(list).iter().filter(|d| d.builds.contains(&build)) {
        let theirs = &difference.theirs;
        assert!(!theirs.is_empty(), "{difference:?} has nothing to go by");
        let found = recorded[at..].windows(theirs.len()).position(|lines| lines == &theirs[..]);
        let found = found.unwrap_or_else(|| panic!("{build} does not print {theirs:#?}"));
        out.extend(&recorded[at..at + found]);
        out.extend(&difference.ours);
        at += found + theirs.len();
    }
    out.extend(&recorded[at..]);
    out.join("\n")
}

/// The output without log stamps and addresses, which differ from run to run.
fn stable(output: &str) -> String {
    let lines = output.lines().map(|line| match line.split_once("]: ") {
        Some((stamp, rest)) if stamp.starts_with('[') && stamp.contains(" - ") => {
            without_addresses(&format!("[log]: {rest}"))
        }
        _ => without_addresses(line),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn without_addresses(line: &str) -> String {
    let mut pieces = line.split("0x");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let digits = piece.bytes().take_while(u8::is_ascii_hexdigit).count();
        // Small numbers are values that the probe made up.
        let (number, rest) = piece.split_at(digits);
        out.push_str("0x");
        out.push_str(if digits >= 8 { "PTR" } else { number });
        out.push_str(rest);
    }
    out
}

#[test]
fn p1_prints_what_wamr_prints() {
    let Some(reference) = reference() else {
        eprintln!("no recordings: set WAMR_REFERENCE to their folder");
        return;
    };
    let folder = scratch("reference");
    let wat = read(reference.join("a.wat"));
    let wasm = wat::parse_str(wat).expect("a module");
    fs::write(folder.join("a.wasm"), wasm).expect("a file can be written");

    let source = read(reference.join("p1.c"));
    let is_printer = |line: &&str| line.starts_with("#define P(");
    assert_eq!(source.lines().filter(is_printer).count(), 1, "the probe prints through P");
    let lines: Vec<_> = source.lines().filter(|line| !is_printer(line)).collect();
    // The recorded builds have no compiler and refuse a context that compiles; here the probe asks
    // for a mode that no build has.
    let probe = lines.join("\n").replace("running_mode=3;", "running_mode=9;");
    assert!(probe.contains("running_mode=9;"), "the probe asks for compiled code");
    fs::write(folder.join("p1.c"), probe).expect("a file can be written");
    let so = shared_library(&folder);
    run(Command::new("gcc")
        .current_dir(&folder)
        // The probe prints a value that a failed call has left as it was: never set.
        .args(["-std=gnu11", "-w", "-ftrivial-auto-var-init=zero", "p1.c", "-o", "p1"])
        .args(["-pthread", "-include"])
        .arg(root().join("tests/reference/ordered.h"))
        .arg("-I")
        .arg(root().join("c-api/include"))
        .arg(&so)
        .arg(format!("-Wl,-rpath,{}", folder.display())));
    let ours = stable(&run(Command::new(folder.join("p1")).current_dir(&folder)));

    let list = read(root().join("tests/reference/p1.txt"));
    for build in BUILDS {
        let recording = stable(&read(reference.join(format!("p1-{build}.out"))));
        let expected = expected(&recording, &list, build);
        if ours != expected {
            let first = ours.lines().zip(expected.lines()).find(|(a, b)| a != b);
            let actual = folder.join("actual.out");
            fs::write(&actual, &ours).expect("a file can be written");
            panic!("unlike {build}: (ours, expected) {first:#?}, all in {}", actual.display());
        }
    }
}

#[test]
fn differences_are_found_and_must_be_there() {
    let list = "# why\n@ default gc\n a\n-b\n+c\n\n@ gc\n-a\n";
    assert_eq!(expected("x\na\nb\na", list, "default"), "x\na\nc\na");
    assert_eq!(expected("x\na\nb\na", list, "gc"), "x\na\nc");
    assert_eq!(expected("x", list, "feat"), "x");
    assert!(std::panic::catch_unwind(|| expected("x", list, "default")).is_err());
    assert_eq!(stable("[00:00 - 7F]: at 0x7ffb89558930, 0x12"), "[log]: at 0xPTR, 0x12");
}
