//! How the command is linked: it exports the C API, for native libraries that call it, and where
//! it can be it is laid out and joined so that a short program starts fast and in little memory.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

/// The tables of functions, and the headers among theirs that the C library has.
const TABLES: [&str; 2] = ["../c-api/facts/functions.txt", "../c-api/facts/ctx_functions.txt"];
const HEADERS: &str = "../c-api/include";

/// The functions that a start runs, as patterns of symbols; `benches/start_order.sh` writes it.
const ORDER: &str = "start_order.txt";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    if cfg_of("TARGET_OS") != "linux" {
        return Ok(());
    }
    export()?;
    join_unwinder();
    lay_out()
}

/// The target's properties.
fn cfg_of(name: &str) -> String {
    env::var(format!("CARGO_CFG_{name}")).unwrap_or_default()
}

/// Has the command export the C API.
fn export() -> io::Result<()> {
    println!("cargo:rerun-if-changed={HEADERS}");
    for table in TABLES {
        println!("cargo:rerun-if-changed={table}");
        for line in fs::read_to_string(table)?.lines() {
            let mut columns = line.split('\t');
            let (Some(header), Some(name), Some(_), Some("defined")) =
                (columns.next(), columns.next(), columns.next(), columns.next())
            else {
                continue;
            };
            if Path::new(HEADERS).join(header).exists() {
                // No code here refers to it, so the linker has to be asked to include it.
                println!("cargo:rustc-link-arg-bins=-Wl,--undefined={name}");
                println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol={name}");
            }
        }
    }
    Ok(())
}

/// Joins the unwinder to the command, as gcc's `-static-libgcc` does: a shared library less to
/// open at each start. The linker finds it before the shared one, which is then not needed.
fn join_unwinder() {
    if cfg_of("TARGET_ENV") != "gnu" || cfg_of("TARGET_FEATURE").contains("crt-static") {
        return;
    }
    // Systems without gcc's libraries have the shared one only.
    let driver = env::var_os("RUSTC_LINKER").unwrap_or_else(|| "cc".into());
    let asked = Command::new(driver).arg("-print-file-name=libgcc_eh.a").output();
    let found = asked.ok().and_then(|answer| String::from_utf8(answer.stdout).ok());
    if found.is_some_and(|path| Path::new(path.trim()).is_absolute()) {
        println!("cargo:rustc-link-lib=static=gcc_eh");
    }
}

/// Lays the functions that a start runs side by side: Linux maps sixteen pages around each page
/// that is used.
///
/// A pattern that fits nothing is no error, so that with another compiler than the one that the
/// list was made with the command is laid out less well, and no worse than without.
fn lay_out() -> io::Result<()> {
    println!("cargo:rerun-if-changed={ORDER}");
    if env::var("PROFILE").as_deref() != Ok("release") || !takes_scripts() {
        return Ok(());
    }
    let mut script = String::from("SECTIONS {\n.text.start : {\n");
    for pattern in fs::read_to_string(ORDER)?.lines().filter(|line| !line.starts_with('#')) {
        script += &format!("*(.text.{pattern} .text.unlikely.{pattern})\n");
    }
    script += "}\n}\nINSERT BEFORE .text;\n";
    let path = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("start.ld");
    fs::write(&path, script)?;
    println!("cargo:rustc-link-arg-bins=-Wl,-T,{}", path.display());
    Ok(())
}

/// Whether the linker is one that inserts sections into its own layout: GNU's and LLVM's are.
fn takes_scripts() -> bool {
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let linkers = flags.split("-fuse-ld=").skip(1);
    linkers.into_iter().all(|rest| rest.starts_with("bfd") || rest.starts_with("lld"))
}
