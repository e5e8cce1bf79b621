//! Values, kinds and cells: the three ways the C API spells what a function takes and gives.

use crate::shared::{anon_val_of, wasm_val_t, wasm_valkind_enum as Kind, wasm_valkind_t};
use isothread::{FuncType, Hierarchy, ValType};

pub(crate) fn kind_of(ty: ValType) -> wasm_valkind_t {
    let kind = match ty {
        ValType::I32 => Kind::WASM_I32,
        ValType::I64 => Kind::WASM_I64,
        ValType::F32 => Kind::WASM_F32,
        ValType::F64 => Kind::WASM_F64,
        ValType::V128 => Kind::WASM_V128,
        ValType::Ref(ty) => match ty.hierarchy() {
            Hierarchy::Func => Kind::WASM_FUNCREF,
            Hierarchy::Extern => Kind::WASM_EXTERNREF,
            // The header has no kind for these.
            Hierarchy::Exn | Hierarchy::Any => return wasm_valkind_t::MAX,
        },
    };
    kind as wasm_valkind_t
}

/// Cells that a value of this kind is packed into; none for kinds that cannot be passed.
pub(crate) fn cells_of_kind(kind: wasm_valkind_t) -> u32 {
    const I32: u8 = Kind::WASM_I32 as u8;
    const F32: u8 = Kind::WASM_F32 as u8;
    const I64: u8 = Kind::WASM_I64 as u8;
    const F64: u8 = Kind::WASM_F64 as u8;
    const FUNCREF: u8 = Kind::WASM_FUNCREF as u8;
    const EXTERNREF: u8 = Kind::WASM_EXTERNREF as u8;
    match kind {
        I32 | F32 | FUNCREF => 1,
        I64 | F64 | EXTERNREF => 2,
        _ => 0,
    }
}

/// How many cells a function's parameters and results take.
pub(crate) struct Cells {
    pub(crate) params: u32,
    pub(crate) results: u32,
}

impl Cells {
    pub(crate) fn of(ty: &FuncType) -> Self {
        let sum = |types: &[ValType]| types.iter().map(|ty| ty.cells()).sum();
        Self { params: sum(ty.params()), results: sum(ty.results()) }
    }

    /// Cells that hold the parameters and then the results.
    pub(crate) fn most(&self) -> u32 {
        self.params.max(self.results)
    }
}

/// Packs values into cells, each as its own kind says. The cells suffice for that.
pub(crate) fn pack(args: &[wasm_val_t], cells: &mut [u32]) {
    let mut at = 0;
    for arg in args {
        // SAFETY: every member of the union is plain bits, and all eight bytes are there.
        let bits = unsafe { arg.of.i64 } as u64;
        let count = cells_of_kind(arg.kind) as usize;
        for (i, cell) in cells.iter_mut().skip(at).take(count).enumerate() {
            *cell = (bits >> (32 * i)) as u32;
        }
        at += count;
    }
}

/// Reads values back. A funcref comes as an i32, as WAMR gives it.
pub(crate) fn unpack(types: &[ValType], cells: &[u32], results: &mut [wasm_val_t]) {
    let mut at = 0;
    for (ty, result) in types.iter().zip(results) {
        let cell = |i: usize| u64::from(cells.get(at + i).copied().unwrap_or(0));
        let bits = match ty.cells() {
            1 => cell(0),
            _ => cell(0) | cell(1) << 32,
        };
        let kind = match ty.hierarchy() {
            Some(Hierarchy::Func) => ValType::I32,
            _ => *ty,
        };
        *result = wasm_val_t {
            kind: kind_of(kind),
            _paddings: [0; 7],
            of: anon_val_of { i64: bits as i64 },
        };
        at += ty.cells() as usize;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: Kind, bits: u64) -> wasm_val_t {
        let of = anon_val_of { i64: bits as i64 };
        wasm_val_t { kind: kind as u8, _paddings: [0; 7], of }
    }

    #[test]
    fn values_are_packed_by_their_kinds() {
        let args = [
            value(Kind::WASM_I32, 1),
            value(Kind::WASM_F64, 0x3_0000_0002),
            value(Kind::WASM_FUNCREF, 4),
        ];
        let mut cells = [9; 5];
        pack(&args, &mut cells);
        assert_eq!(cells, [1, 2, 3, 4, 9]);
    }

    #[test]
    fn results_take_the_declared_types() {
        let mut results = [value(Kind::WASM_I32, 0); 3];
        let types = [ValType::FUNCREF, ValType::EXTERNREF, ValType::F32];
        unpack(&types, &[7, 1, 2, 5], &mut results);
        assert_eq!(results.map(|r| r.kind), [0, 128, 2]);
        // SAFETY: all bits of each value were written.
        assert_eq!(results.map(|r| unsafe { r.of.i64 }), [7, 0x2_0000_0001, 5]);
    }

    #[test]
    fn too_few_cells_do_no_harm() {
        let mut cells = [9; 3];
        let (few, rest) = cells.split_at_mut(1);
        pack(&[value(Kind::WASM_I64, 0x2_0000_0001), value(Kind::WASM_I32, 3)], few);
        assert_eq!((few[0], rest), (1, &mut [9, 9][..]));
        let mut results = [value(Kind::WASM_I32, 7); 3];
        unpack(&[ValType::I64, ValType::F32], &[5], &mut results);
        assert_eq!(results.map(|r| r.kind), [1, 2, 0]);
        // SAFETY: all bits of each value were written.
        assert_eq!(results.map(|r| unsafe { r.of.i64 }), [5, 0, 7]);
    }
}
