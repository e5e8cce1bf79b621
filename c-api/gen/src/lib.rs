//! Generates the C headers: cbindgen prints each declaration of the C crate with its doc comment,
//! and a hand-written template says where it goes.
//!
//! A template is a header with directives, each on a line of its own:
//!
//! - `@type NAME`: the declaration of a type with its typedef;
//! - `@tag NAME`: the same without the typedef, for types that C code names by their tag;
//! - `@again type NAME`, `@again tag NAME`: the same, of a type that another header places;
//! - `@declared NAME...`: nothing, for declarations that the header's own text makes;
//! - `@functions PATH PREFIX`: all functions of one source file, in its order;
//! - `@variadic NAME`: that function takes further arguments.
//!
//! Nothing may fall through: a declaration that no template places, a directive that names nothing,
//! and any warning of cbindgen's are errors. It does not know the functions' meaning.

mod items;
mod template;

use items::Items;
use std::path::Path;
use std::sync::Mutex;

/// A header's file name and text.
pub struct Header {
    pub name: String,
    pub text: String,
}

/// Generates every header that has a template, from the project's root directory.
pub fn generate(root: &Path) -> Result<Vec<Header>, String> {
    let templates = template::read_all(&root.join("c-api/headers"))?;
    let declarations = declarations(root, &templates)?;
    let mut items = Items::parse(&declarations)?;
    let mut headers = Vec::new();
    for template in &templates {
        let text = template::fill(template, &mut items, &root.join("c-api/src"))?;
        headers.push(Header { name: template.header.clone(), text });
    }
    match items.unplaced() {
        names if names.is_empty() => Ok(headers),
        names => Err(format!("no template places: {}", names.join(", "))),
    }
}

/// cbindgen's output for the C crate.
fn declarations(root: &Path, templates: &[template::Template]) -> Result<String, String> {
    let mut config = cbindgen::Config::from_file(root.join("cbindgen.toml"))?;
    // cbindgen drops types that no function reaches; the templates say which are wanted.
    config.export.include.extend(templates.iter().flat_map(template::Template::types));
    WARNINGS.install();
    let bindings = cbindgen::Builder::new()
        .with_config(config)
        .with_src(root.join("c-api/src/lib.rs"))
        .generate()
        .map_err(|e| e.to_string())?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    let warnings = WARNINGS.take();
    if !warnings.is_empty() {
        return Err(format!("cbindgen warns:\n{}", warnings.join("\n")));
    }
    let text = String::from_utf8(text).map_err(|e| e.to_string())?;
    if text.trim().is_empty() {
        return Err("cbindgen printed nothing: has a source file moved?".into());
    }
    Ok(text)
}

/// cbindgen's warnings; it gives them to `log` only. Owner: this program's process.
static WARNINGS: Warnings = Warnings(Mutex::new(Vec::new()));

struct Warnings(Mutex<Vec<String>>);

impl Warnings {
    fn install(&'static self) {
        // An error means that it is installed already: tests generate more than once.
        let _ = log::set_logger(self);
        log::set_max_level(log::LevelFilter::Warn);
    }

    fn take(&self) -> Vec<String> {
        self.0.lock().map(|mut list| std::mem::take(&mut *list)).unwrap_or_default()
    }
}

impl log::Log for Warnings {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = record.args().to_string();
        // Private items are private on purpose, and traits on primitive types are no C.
        let harmless = ["(not `pub`).", "skipping associated constants"];
        if !harmless.iter().any(|end| text.ends_with(end))
            && let Ok(mut list) = self.0.lock()
        {
            list.push(text);
        }
    }

    fn flush(&self) {}
}
