//! Compiles the variadic shim, names the shared library as WAMR does, and turns the table of
//! layouts into assertions.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

/// The name that programs ask for when they are started.
const SONAME: &str = "libiwasm.so.2";

/// Layouts that are WAMR's, and those that are ours alone.
const LAYOUTS: [&str; 2] = ["facts/layout.txt", "facts/ctx_layout.txt"];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    for table in LAYOUTS {
        println!("cargo:rerun-if-changed={table}");
    }
    println!("cargo:rerun-if-changed=shim/variadic.c");
    cc::Build::new()
        .file("shim/variadic.c")
        .include("include")
        .std("c99")
        // Threads may end behind it, and then it cleans up.
        .flag("-fexceptions")
        .compile("iwasm_shim");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        // WAMR 2.x installs libiwasm.so.2; a program linked with either finds the other.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{SONAME}");
        // Destructors of thread state must not outlive the code they run.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
    let mut table = String::new();
    for path in LAYOUTS {
        table += &fs::read_to_string(path)?;
    }
    let out = env::var_os("OUT_DIR").unwrap_or_default();
    link_soname(Path::new(&out));
    fs::write(Path::new(&out).join("layout.rs"), layout_assertions(&table))
}

/// Puts a link of the shared library's name beside where it is going to be, so that programs
/// linked with it run before it is installed. Without the link they do not; nothing else fails.
fn link_soname(out: &Path) {
    // OUT_DIR is PROFILE/build/PACKAGE/out.
    if let Some(profile) = out.ancestors().nth(3) {
        let _ = fs::remove_file(profile.join(SONAME));
        #[cfg(unix)]
        let _ = std::os::unix::fs::symlink("libiwasm.so", profile.join(SONAME));
    }
}

/// One constant assertion for each line of the table.
fn layout_assertions(table: &str) -> String {
    let mut out = String::new();
    for line in table.lines().filter(|l| !l.starts_with('#')) {
        let words: Vec<_> = line.split_whitespace().collect();
        let condition = match words[..] {
            ["size", ty, bytes] => format!("size_of::<{ty}>() == {bytes}"),
            ["offset", ty, field, bytes] => {
                let field = field.replace(".ref", ".r#ref");
                format!("std::mem::offset_of!({ty}, {field}) == {bytes}")
            }
            ["value", constant, number] => format!("{constant} as i64 == {number}"),
            _ => format!("false, \"unknown line: {line}\""),
        };
        let _ = writeln!(out, "const _: () = assert!({condition});");
    }
    out
}
