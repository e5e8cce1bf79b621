//! Has the command export the C API, for native libraries that call it.

use std::path::Path;
use std::{env, fs, io};

/// The tables of functions, and the headers among theirs that the C library has.
const TABLES: [&str; 2] = ["../c-api/facts/functions.txt", "../c-api/facts/ctx_functions.txt"];
const HEADERS: &str = "../c-api/include";

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return Ok(());
    }
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
                // Nobody here refers to it, so the linker is told to take it along.
                println!("cargo:rustc-link-arg-bins=-Wl,--undefined={name}");
                println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic-symbol={name}");
            }
        }
    }
    Ok(())
}
