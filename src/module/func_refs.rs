//! Which functions an instance makes references for.

use super::{ElemItems, ExternKind, parse::Sections};
use crate::abi::error::{Error, Result};
use crate::alloc;

/// Which functions an instance makes references for, and where. Imports come first, by index;
/// then every defined function that is exported, started, or named by `ref.func` or a segment.
///
/// Function bodies need no scan: validation lets `ref.func` in a body name only functions that are
/// exported or named outside of bodies.
pub struct FuncRefs {
    /// Function index of each reference.
    pub order: Box<[u32]>,
    /// By function index: its place in `order`, or `NONE`.
    pub place: Box<[u32]>,
}

impl FuncRefs {
    pub const NONE: u32 = u32::MAX;

    /// Place of function `index` among the references.
    pub fn place_of(&self, index: u32) -> Option<u32> {
        self.place.get(index as usize).copied().filter(|&place| place != Self::NONE)
    }

    pub(super) fn new(sections: &Sections) -> Result<Self> {
        let total = sections.funcs.len();
        let mut place = filled(total, Self::NONE)?;
        let mut used = 0;
        let mut mark = |index: u32| {
            if let Some(slot) = place.get_mut(index as usize)
                && *slot == Self::NONE
            {
                *slot = used;
                used += 1;
            }
        };
        (0..sections.imported.funcs).for_each(&mut mark);
        for export in sections.exports.iter().filter(|e| e.kind == ExternKind::Func) {
            mark(export.index);
        }
        sections.start.iter().copied().for_each(&mut mark);
        let inits = sections.globals.iter().filter_map(|global| global.init.as_ref());
        let inits = inits.chain(sections.tables.iter().filter_map(|table| table.init.as_ref()));
        for expr in inits {
            expr.func_refs().for_each(&mut mark);
        }
        for segment in &sections.elems {
            match &segment.items {
                ElemItems::Funcs(funcs) => {
                    funcs.iter().copied().filter(|&f| f != ElemItems::NULL).for_each(&mut mark);
                }
                ElemItems::Exprs(exprs) => {
                    exprs.iter().flat_map(|expr| expr.func_refs()).for_each(&mut mark);
                }
            }
        }
        let mut order = filled(used as usize, 0)?;
        for (index, &place) in place.iter().enumerate() {
            if let Some(slot) = order.get_mut(place as usize) {
                *slot = index as u32;
            }
        }
        Ok(Self { order: order.into_boxed_slice(), place: place.into_boxed_slice() })
    }
}

fn filled(len: usize, value: u32) -> Result<Vec<u32>> {
    alloc::try_filled(len, value).map_err(|_| Error::out_of_memory())
}
