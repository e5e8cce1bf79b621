//! Which way branches usually go, as the producer of a module knows.
//!
//! The hints are a custom section, read on the first question: an error in it costs hints, never
//! the module. They say where code goes, and never what it does.

use super::Module;
use super::parse::collect::push;
use std::sync::OnceLock;
use wasmparser::{BinaryReader, BranchHintSectionReader};

const SECTION: &str = "metadata.code.branch_hint";

/// Hints by the position of their branch in the module, ordered. Owner: the module.
#[derive(Default)]
pub struct BranchHints(OnceLock<Box<[(u32, bool)]>>);

impl Module {
    /// Whether the `br_if` or `if` at a position in the module is usually taken, that is, has a
    /// condition that is not zero; `None` if nobody knows.
    pub fn is_usually_taken(&self, position: u32) -> Option<bool> {
        let hints = match self.branch_hints.0.get() {
            Some(hints) => hints,
            None => {
                // Out of memory is not remembered: the next question may find some again.
                let hints = self.at_home(|| self.read_branch_hints())?;
                crate::sync::once(&self.branch_hints.0, || hints)
            }
        };
        let found = hints.binary_search_by_key(&position, |hint| hint.0).ok()?;
        hints.get(found).map(|hint| hint.1)
    }

    fn read_branch_hints(&self) -> Option<Box<[(u32, bool)]>> {
        let mut found = Vec::new();
        let content = self.custom_section(SECTION).unwrap_or_default();
        let functions = BranchHintSectionReader::new(BinaryReader::new(content, 0));
        for function in functions.into_iter().flatten() {
            let Ok(function) = function else { break };
            let defined = function.func.checked_sub(self.imported.funcs);
            let Some(body) = defined.and_then(|index| self.bodies.get(index as usize)) else {
                continue;
            };
            for hint in function.hints {
                let Ok(hint) = hint else { break };
                let position = body.start.saturating_add(hint.func_offset);
                if body.contains(&position) {
                    push(&mut found, (position, hint.taken)).ok()?;
                }
            }
        }
        // The section promises an order; a lying one is put right.
        if !found.is_sorted_by_key(|hint| hint.0) {
            found.sort_unstable();
        }
        found.dedup_by_key(|hint| hint.0);
        Some(found.into_boxed_slice())
    }
}
