//! Chooses the interpreter's dispatch backend, its handlers for vectors, and whether there is
//! compiled code; hashes what that relies on.
//!
//! Tail-call dispatch relies on LLVM turning `return handler(..)` into a jump. It does so for
//! handlers whose arguments all travel in registers, on targets with enough argument registers,
//! and only when it optimises. Anywhere else every dispatched instruction would take a native
//! stack frame, so the loop backend is used instead.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// The sources of all that a file compiled ahead relies on: layouts of running state, the functions
/// of the runtime that its code calls, the code that enters it, the budget's units, and what is a
/// valid module.
const CONTRACT: [&str; 5] = ["src/abi", "src/exec", "src/interp", "src/jit", "src/module"];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=ISOTHREAD_DISPATCH");
    println!("cargo:rustc-check-cfg=cfg(isothread_tail_dispatch)");
    println!("cargo:rerun-if-env-changed=ISOTHREAD_VECTORS");
    println!("cargo:rustc-check-cfg=cfg(isothread_base_vectors)");
    println!("cargo:rustc-check-cfg=cfg(loom)");
    println!("cargo:rustc-check-cfg=cfg(isothread_ffi)");
    println!("cargo:rustc-check-cfg=cfg(isothread_jit)");
    println!("cargo:rustc-check-cfg=cfg(isothread_compile_all)");
    println!("cargo:rerun-if-env-changed=ISOTHREAD_MODE");
    let arch = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    let opt_level = env::var("OPT_LEVEL").unwrap_or_default();
    let miri = env::var_os("CARGO_CFG_MIRI").is_some();
    let able = matches!(arch.as_str(), "x86_64" | "aarch64")
        && matches!(opt_level.as_str(), "2" | "3" | "s" | "z")
        && !miri;
    // `loop` is accepted on every target, so that tests can run both backends in release builds.
    let tail = match env::var("ISOTHREAD_DISPATCH").as_deref() {
        Ok("loop") => false,
        _ => able,
    };
    if tail {
        println!("cargo:rustc-cfg=isothread_tail_dispatch");
    }
    let compiles = env::var_os("CARGO_FEATURE_JIT").is_some()
        && arch == "x86_64"
        && env::var_os("CARGO_CFG_UNIX").is_some()
        && !miri;
    if compiles {
        println!("cargo:rustc-cfg=isothread_jit");
        println!("cargo:rustc-env=ISOTHREAD_CONTRACT={}", contract()?);
        // `compiled` has tests of other things run in compiled code.
        if env::var("ISOTHREAD_MODE").as_deref() == Ok("compiled") {
            println!("cargo:rustc-cfg=isothread_compile_all");
        }
    }
    if env::var("ISOTHREAD_VECTORS").as_deref() == Ok("base") {
        println!("cargo:rustc-cfg=isothread_base_vectors");
    }
    Ok(())
}

/// A hash of the contract's sources and of the version: files compiled ahead have it, so that only
/// a build with the same contract runs their code.
fn contract() -> io::Result<u64> {
    let mut files = Vec::new();
    for folder in CONTRACT {
        println!("cargo:rerun-if-changed={folder}");
        list(Path::new(folder), &mut files)?;
    }
    files.sort();
    let mut hash = fnv1a(FNV_START, env!("CARGO_PKG_VERSION").as_bytes());
    for file in files {
        hash = fnv1a(hash, file.to_string_lossy().as_bytes());
        hash = fnv1a(hash, &fs::read(&file)?);
    }
    Ok(hash)
}

/// Lists the sources below a folder, without those of tests.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            _ if path.file_stem().is_some_and(|name| name == "tests") => {}
            true => list(&path, files)?,
            false => files.push(path),
        }
    }
    Ok(())
}

const FNV_START: u64 = 0xCBF2_9CE4_8422_2325;

fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3);
    // The length keeps apart what is joined.
    bytes.iter().chain(&(bytes.len() as u64).to_le_bytes()).fold(hash, step)
}
