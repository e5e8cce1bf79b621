//! Function names for backtraces.
//!
//! Names are looked for on the first lookup, because most modules never see one, and all at once: a
//! module may have a million imports and exports. The name section is a custom section: an error in
//! it costs names, never the module.

use super::parse::collect::push;
use super::{ExternKind, ExternType, Module};
use std::str;
use std::sync::OnceLock;
use wasmparser::{BinaryReader, NameMap};

/// The subsection with the names of functions. All others are passed over, whatever is in them:
/// of the module, locals, labels, types, tables, memories, globals, segments, fields and tags.
const FUNCTIONS: u8 = 1;

/// Where the names of functions are, by function index, ordered. Owner: the module.
#[derive(Default)]
pub struct FuncNames(OnceLock<Box<[FuncName]>>);

struct FuncName {
    index: u32,
    place: NamePlace,
}

/// In the order in which places are preferred, and in the order of the binary.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum NamePlace {
    /// The import with a number, which may be of any kind.
    Import(u32),
    /// The name section's, in `Module::bytes`.
    Section {
        start: u32,
        len: u32,
    },
    Export(u32),
}

impl Module {
    /// A name for function `index`: its import's, the name section's, or that of an export.
    pub fn func_name(&self, index: u32) -> Option<&str> {
        let names = match self.func_names.0.get() {
            Some(names) => names,
            None => {
                // Out of memory is not remembered: the next question may find some again.
                let names = self.at_home(|| self.read_func_names())?;
                crate::sync::once(&self.func_names.0, || names)
            }
        };
        let found = names.binary_search_by_key(&index, |name| name.index).ok()?;
        match names.get(found)?.place {
            NamePlace::Import(number) => Some(&*self.imports.get(number as usize)?.name),
            NamePlace::Export(number) => Some(&*self.exports.get(number as usize)?.name),
            NamePlace::Section { start, len } => {
                let start = start as usize;
                str::from_utf8(self.bytes.get(start..start + len as usize)?).ok()
            }
        }
    }

    fn read_func_names(&self) -> Option<Box<[FuncName]>> {
        let mut names = Vec::new();
        let funcs =
            self.imports.iter().zip(0..).filter(|it| matches!(it.0.ty, ExternType::Func(_)));
        for (index, (_, number)) in (0..).zip(funcs) {
            push(&mut names, FuncName { index, place: NamePlace::Import(number) }).ok()?;
        }
        self.read_name_sections(&mut names)?;
        for (export, number) in self.exports.iter().zip(0..) {
            if export.kind == ExternKind::Func {
                let place = NamePlace::Export(number);
                push(&mut names, FuncName { index: export.index, place }).ok()?;
            }
        }
        // Of several names, the first place wins.
        names.sort_unstable_by_key(|name| (name.index, name.place));
        names.dedup_by_key(|name| name.index);
        Some(names.into_boxed_slice())
    }

    fn read_name_sections(&self, names: &mut Vec<FuncName>) -> Option<()> {
        for section in self.custom_sections.iter().filter(|s| &*s.name == "name") {
            let content =
                self.bytes.get(section.bytes.start as usize..section.bytes.end as usize)?;
            let mut reader = BinaryReader::new(content, section.bytes.start as u64);
            while let Some((id, part)) = subsection(&mut reader) {
                if id != FUNCTIONS {
                    continue;
                }
                let Ok(map) = NameMap::new(part) else { continue };
                for naming in map.names {
                    let Ok(naming) = naming else { break };
                    let place = self.place_of(naming.name)?;
                    push(names, FuncName { index: naming.index, place }).ok()?;
                }
            }
        }
        Some(())
    }

    /// Where `text`, a piece of this module's binary, lies in it.
    fn place_of(&self, text: &str) -> Option<NamePlace> {
        let start = (text.as_ptr() as usize).checked_sub(self.bytes.as_ptr() as usize)?;
        start.checked_add(text.len()).filter(|&end| end <= self.bytes.len())?;
        Some(NamePlace::Section { start: start as u32, len: text.len() as u32 })
    }
}

/// The number and the content of the next subsection; `None` at the end, and where there is none.
fn subsection<'a>(reader: &mut BinaryReader<'a>) -> Option<(u8, BinaryReader<'a>)> {
    let id = reader.read_u8().ok()?;
    let len = reader.read_var_u32().ok()?;
    let start = reader.original_position();
    let content = reader.read_bytes(len as usize).ok()?;
    Some((id, BinaryReader::new(content, start)))
}
