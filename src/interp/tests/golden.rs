//! The translations of functions, as listings beside their sources.
//!
//! `ISOTHREAD_BLESS=1 cargo test --lib golden` rewrites the listings; read the difference.

use crate::interp::{ModuleCode, disassemble};
use crate::module::{Features, Module};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn sources() -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/interp/tests/golden");
    let entries = std::fs::read_dir(dir).expect("the folder of listings");
    let mut sources: Vec<PathBuf> = entries
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "wat"))
        .collect();
    sources.sort();
    sources
}

fn listing(source: &Path) -> String {
    let bytes = wat::parse_file(source).expect("wat");
    let module = Arc::new(Module::parse(&bytes, Features::default()).expect("valid"));
    let code = ModuleCode::new(Arc::clone(&module), false).expect("room");
    let mut text = String::new();
    for func in module.imported.funcs..module.funcs.len() as u32 {
        let body = disassemble(&code, func).expect("a defined function");
        write!(text, "func {func}\n{body}").expect("string");
    }
    text
}

#[test]
fn listings_are_as_they_were() {
    let sources = sources();
    assert!(!sources.is_empty());
    for source in sources {
        let golden = source.with_extension("lst");
        let now = listing(&source);
        if std::env::var_os("ISOTHREAD_BLESS").is_some() {
            std::fs::write(&golden, &now).expect("writable");
        }
        let before = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(now, before, "{}", source.display());
    }
}
