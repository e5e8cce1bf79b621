//! Function names for backtraces.
//!
//! The name section is read on the first lookup, because most modules never see one. It is a custom
//! section: an error in it costs names, never the module.

use super::Module;
use super::parse::collect::push;
use std::ops::Range;
use std::str;
use std::sync::OnceLock;
use wasmparser::{BinaryReader, Name, NameSectionReader};

/// Names from the name section by function index, ordered. Owner: the module.
#[derive(Default)]
pub struct FuncNames(OnceLock<Box<[FuncName]>>);

struct FuncName {
    index: u32,
    /// Where the name lies in `Module::bytes`.
    text: Range<u32>,
}

impl Module {
    /// A name for function `index`: its import's, the name section's, or that of an export.
    pub fn func_name(&self, index: u32) -> Option<&str> {
        if index < self.imported.funcs {
            return self.imported_func(index).map(|import| &*import.name);
        }
        self.custom_func_name(index).or_else(|| {
            let export = self.exports.iter().find(|e| e.is_func(index))?;
            Some(&*export.name)
        })
    }

    fn custom_func_name(&self, index: u32) -> Option<&str> {
        let names = match self.func_names.0.get() {
            Some(names) => names,
            None => {
                // Out of memory is not remembered: the next question may find some again.
                let names = self.at_home(|| self.read_func_names())?;
                crate::sync::once(&self.func_names.0, || names)
            }
        };
        let found = names.binary_search_by_key(&index, |name| name.index).ok()?;
        let text = &names[found].text;
        let bytes = self.bytes.get(text.start as usize..text.end as usize)?;
        str::from_utf8(bytes).ok()
    }

    fn read_func_names(&self) -> Option<Box<[FuncName]>> {
        let mut names = Vec::new();
        for section in self.custom_sections.iter().filter(|s| &*s.name == "name") {
            let content =
                self.bytes.get(section.bytes.start as usize..section.bytes.end as usize)?;
            let reader = BinaryReader::new(content, section.bytes.start as u64);
            for part in NameSectionReader::new(reader) {
                let Ok(part) = part else { break };
                let Name::Function(map) = part else { continue };
                for naming in map.names {
                    let Ok(naming) = naming else { break };
                    let text = self.range_of(naming.name)?;
                    push(&mut names, FuncName { index: naming.index, text }).ok()?;
                }
            }
        }
        // The section promises an order; a lying one is put right. The first of two names wins.
        if !names.is_sorted_by_key(|name| name.index) {
            names.sort_unstable_by_key(|name| (name.index, name.text.start));
        }
        names.dedup_by_key(|name| name.index);
        Some(names.into_boxed_slice())
    }

    /// Where `text`, a piece of this module's binary, lies in it.
    fn range_of(&self, text: &str) -> Option<Range<u32>> {
        let start = (text.as_ptr() as usize).checked_sub(self.bytes.as_ptr() as usize)?;
        let end = start.checked_add(text.len()).filter(|&end| end <= self.bytes.len())?;
        Some(start as u32..end as u32)
    }
}
