//! All functions of modules that other people compiled.

use crate::interp::compile::{self, Options};
use crate::module::{Features, Module};
use std::path::Path;
use std::{env, fs, ptr};

/// The environment variable with the folders of modules, separated as in `PATH`. Without it they
/// are those of the benchmarks.
const FOLDERS: &str = "ISOTHREAD_MODULES";

/// Bytes of code that an operator's byte comes to at most, on average over a module.
const GROWTH: usize = 16;

fn check(path: &Path) -> Result<(usize, usize), String> {
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    let module = Module::parse(&bytes, Features::default());
    let module = module.map_err(|error| error.message().to_owned())?;
    let options = Options { listing: false, profiled: false, loops: false, stop: &|| None };
    let (mut len, mut code) = (0, 0);
    for index in module.imported.funcs..module.func_count() {
        let translated = compile::translate(&module, ptr::null(), index, options);
        let translated = translated.map_err(|trap| format!("function {index}: {trap:?}"))?;
        code += size_of_val(&*translated.words);
        len += module.body(index).map_or(0, <[u8]>::len);
    }
    if code > GROWTH * len.max(64) {
        return Err(format!("{code} bytes of code for {len}"));
    }
    Ok((len, code))
}

/// Loading leaves functions alone until they are called: here all of them are translated.
#[test]
fn all_functions_of_modules_are_translated() {
    let kernels = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/kernels");
    let folders = env::var_os(FOLDERS).unwrap_or_else(|| kernels.into());
    let (mut modules, mut failed) = (0, Vec::new());
    for entry in env::split_paths(&folders).flat_map(|folder| fs::read_dir(folder).expect("one")) {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "wasm") {
            continue;
        }
        modules += 1;
        match check(&path) {
            Ok((len, code)) => println!("{}: {len} bytes, {code} of code", path.display()),
            Err(text) => failed.push(format!("{}: {text}", path.display())),
        }
    }
    assert!(modules > 0, "no modules in {}", folders.display());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
