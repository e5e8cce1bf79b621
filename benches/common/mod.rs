//! The common part of all benchmarks: the kernels, the small modules behind the call benchmarks,
//! and the trait through which each engine is driven. The peers' crate includes this folder by
//! path, so that all engines are measured by the same code.

pub mod isothread;
pub mod phases;

use std::path::{Path, PathBuf};

/// An engine under measurement.
pub trait Engine {
    fn name(&self) -> &'static str;

    /// Everything from bytes to something that can be instantiated again and again, as the
    /// engine does it by default (some translate here, some when a function is first called).
    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Code + '_>, String>;
}

/// A loaded module. The host function `env.add` of type (i32, i32) -> i32 is linked when the
/// module imports it.
pub trait Code {
    fn instantiate(&self) -> Result<Box<dyn Running + '_>, String>;
}

/// An instance that exports what [`KERNEL_EXPORT`] or [`CALLS_WAT`] name.
pub trait Running {
    /// Calls `run: [i32] -> [i64]`.
    fn run(&mut self, arg: i32) -> Result<i64, String>;

    /// Calls `add: [i32 i32] -> [i32]` `times` times by the engine's call with types known at
    /// run time, feeding each result to the next call; the last result.
    fn add(&mut self, times: u32) -> Result<i32, String>;

    /// The same by the engine's statically typed call, if it has one.
    fn add_typed(&mut self, times: u32) -> Result<Option<i32>, String>;
}

pub const KERNEL_EXPORT: &str = "run";

/// The module behind the call benchmarks: `run(n)` calls the host n times, and `add` is called
/// by the host.
pub const CALLS_WAT: &str = r#"(module
    (import "env" "add" (func $host (param i32 i32) (result i32)))
    (func (export "add") (param i32 i32) (result i32)
        (i32.add (local.get 0) (local.get 1)))
    (func (export "run") (param $n i32) (result i64) (local $sum i32)
        (loop $again
            (local.set $sum (call $host (local.get $sum) (local.get $n)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i64.extend_i32_u (local.get $sum))))"#;

/// The smallest module with a memory: the cost of starting an instance that does nothing.
pub const TRIVIAL_WAT: &str = r#"(module (memory 1)
    (func (export "run") (param i32) (result i64) (i64.extend_i32_s (local.get 0))))"#;

/// `run(n)` makes n direct calls of a function that adds.
pub const GUEST_CALLS_WAT: &str = r#"(module
    (func $add (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "run") (param $n i32) (result i64) (local $sum i32)
        (loop $again
            (local.set $sum (call $add (local.get $sum) (local.get $n)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (i64.extend_i32_u (local.get $sum))))"#;

/// The result of [`CALLS_WAT`] and [`GUEST_CALLS_WAT`] for `n`.
pub fn sum_to(n: u32) -> i64 {
    (0..=n).fold(0u32, u32::wrapping_add) as i64
}

/// One row of `benches/kernels/kernels.txt` with its module.
pub struct Kernel {
    pub name: String,
    pub wasm: Vec<u8>,
    pub arg: i32,
    pub expected: i64,
    pub small_arg: i32,
    pub small_expected: i64,
}

/// Reads every kernel; `root` is the root crate's folder.
pub fn kernels(root: &Path) -> Result<Vec<Kernel>, String> {
    kernels_in(&root.join("benches/kernels"))
}

/// Reads the kernels that are there with vectors and without.
pub fn vector_kernels(root: &Path) -> Result<Vec<Kernel>, String> {
    kernels_in(&root.join("benches/kernels/simd"))
}

fn kernels_in(folder: &Path) -> Result<Vec<Kernel>, String> {
    let table = folder.join("kernels.txt");
    let text = std::fs::read_to_string(&table).map_err(|e| format!("{}: {e}", table.display()))?;
    let rows = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    rows.map(|row| kernel(folder, row)).collect()
}

fn kernel(folder: &Path, row: &str) -> Result<Kernel, String> {
    let cells: Vec<&str> = row.split_whitespace().collect();
    let [name, arg, expected, small_arg, small_expected] = cells[..] else {
        return Err(format!("a row of kernels.txt has other than five cells: {row}"));
    };
    let bad = |e: std::num::ParseIntError| format!("{row}: {e}");
    let path: PathBuf = folder.join(format!("{name}.wasm"));
    let text = path.with_extension("wat");
    let wasm = match text.exists() {
        true => wat::parse_file(&text).map_err(|e| e.to_string())?,
        false => std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?,
    };
    Ok(Kernel {
        name: name.to_owned(),
        wasm,
        arg: arg.parse().map_err(bad)?,
        expected: expected.parse().map_err(bad)?,
        small_arg: small_arg.parse().map_err(bad)?,
        small_expected: small_expected.parse().map_err(bad)?,
    })
}

/// Reads the programs that make objects. They are kept as text.
pub fn object_kernels(root: &Path) -> Result<Vec<Kernel>, String> {
    kernels_in(&root.join("benches/kernels/objects"))
}

/// Reads the programs that throw. They are kept as text.
pub fn exception_kernels(root: &Path) -> Result<Vec<Kernel>, String> {
    kernels_in(&root.join("benches/kernels/exceptions"))
}

/// The binary of one of the texts above.
pub fn assemble(text: &str) -> Result<Vec<u8>, String> {
    wat::parse_str(text).map_err(|e| e.to_string())
}
