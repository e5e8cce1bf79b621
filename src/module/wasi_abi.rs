//! The form that WASI demands of a module that imports it: a command or a reactor with a memory.

use super::parse::Sections;
use super::{Export, ExternKind, ExternType};
use crate::abi::error::{Error, Result};

/// Module names under which WASI preview 1 is imported.
pub const WASI_MODULES: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];

/// Whether a function is imported from WASI.
pub(super) fn imports_wasi(sections: &Sections) -> bool {
    sections.imports.iter().any(|import| {
        matches!(import.ty, ExternType::Func(_)) && WASI_MODULES.contains(&&*import.module)
    })
}

/// Checks the entry points and the memory of a module that imports WASI.
pub(super) fn check(sections: &Sections) -> Result<()> {
    let find =
        |name, kind| sections.exports.iter().find(|e: &&Export| e.kind == kind && &*e.name == name);
    if let Some(start) = find("_start", ExternKind::Func) {
        check_entry(
            sections,
            start,
            "the builtin _start function can not be an import function",
            "the signature of builtin _start function is wrong",
        )?;
    } else if let Some(initialize) = find("_initialize", ExternKind::Func) {
        check_entry(
            sections,
            initialize,
            "the builtin _initialize function can not be an import function",
            "the signature of builtin _initialize function is wrong",
        )?;
    }
    if find("memory", ExternKind::Memory).is_none() && sections.imported.memories == 0 {
        return Err(Error::load("a module with WASI apis must export memory by default"));
    }
    Ok(())
}

fn check_entry(
    sections: &Sections,
    entry: &Export,
    imported: &'static str,
    wrong_type: &'static str,
) -> Result<()> {
    if entry.index < sections.imported.funcs {
        return Err(Error::load(imported));
    }
    let ty = sections.funcs.get(entry.index as usize).and_then(|&t| sections.types.func(t));
    match ty {
        Some(ty) if ty.params().is_empty() && ty.results().is_empty() => Ok(()),
        _ => Err(Error::load(wrong_type)),
    }
}
