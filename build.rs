//! Chooses the interpreter's dispatch backend, its handlers for vectors, and whether there is
//! compiled code.
//!
//! Tail-call dispatch relies on LLVM turning `return handler(..)` into a jump. It does so for
//! handlers whose arguments all travel in registers, on targets with enough argument registers,
//! and only when it optimises. Anywhere else every dispatched instruction would take a native
//! stack frame, so the loop backend is used instead.

use std::env;

fn main() {
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
        // `compiled` has tests of other things run in compiled code.
        if env::var("ISOTHREAD_MODE").as_deref() == Ok("compiled") {
            println!("cargo:rustc-cfg=isothread_compile_all");
        }
    }
    if env::var("ISOTHREAD_VECTORS").as_deref() == Ok("base") {
        println!("cargo:rustc-cfg=isothread_base_vectors");
    }
}
