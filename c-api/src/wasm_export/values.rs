//! Values, kinds and cells: the C API's three forms of parameters and results.

use crate::shared::{anon_val_of, wasm_val_t, wasm_valkind_enum as Kind, wasm_valkind_t};
use isothread::{FuncType, Hierarchy, ValType};
use std::ptr::NonNull;

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

/// Where a vector is that does not fit into a value itself, which has its address instead; `None`
/// for a NULL address and for values of other kinds.
pub(crate) fn vector_of(value: &wasm_val_t) -> Option<NonNull<[u32; 4]>> {
    const V128: u8 = Kind::WASM_V128 as u8;
    // SAFETY: every member of the union is plain bits, and all eight bytes are there.
    let address = unsafe { value.of.foreign };
    if value.kind == V128 { NonNull::new(address as *mut [u32; 4]) } else { None }
}

/// Cells that a value of this kind is packed into; none for kinds that cannot be passed.
pub(crate) fn cells_of_kind(kind: wasm_valkind_t) -> u32 {
    const I32: u8 = Kind::WASM_I32 as u8;
    const F32: u8 = Kind::WASM_F32 as u8;
    const I64: u8 = Kind::WASM_I64 as u8;
    const F64: u8 = Kind::WASM_F64 as u8;
    const FUNCREF: u8 = Kind::WASM_FUNCREF as u8;
    const EXTERNREF: u8 = Kind::WASM_EXTERNREF as u8;
    const V128: u8 = Kind::WASM_V128 as u8;
    match kind {
        I32 | F32 | FUNCREF => 1,
        I64 | F64 | EXTERNREF => 2,
        V128 => 4,
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
///
/// # Safety
/// The address of every vector is that of 16 readable bytes.
pub(crate) unsafe fn pack(args: &[wasm_val_t], cells: &mut [u32]) {
    let mut at = 0;
    for arg in args {
        // SAFETY: every member of the union is plain bits, and all eight bytes are there.
        let bits = unsafe { arg.of.i64 } as u64;
        let count = cells_of_kind(arg.kind) as usize;
        if let Some(vector) = vector_of(arg) {
            // SAFETY: the caller's contract; C gives no alignment to the bytes.
            let vector = unsafe { vector.read_unaligned() };
            for (cell, part) in cells.iter_mut().skip(at).zip(vector) {
                *cell = part;
            }
            at += count;
            continue;
        }
        for (i, cell) in cells.iter_mut().skip(at).take(count).enumerate() {
            *cell = (bits >> (32 * i)) as u32;
        }
        at += count;
    }
}

/// Reads values back. A funcref comes as an i32, as WAMR gives it, and an anyref as an externref,
/// as WAMR with garbage collection gives all references. A vector goes to the address in
/// its place.
///
/// # Safety
/// In the place of every vector there is the address of 16 writable bytes.
pub(crate) unsafe fn unpack(types: &[ValType], cells: &[u32], results: &mut [wasm_val_t]) {
    let mut at = 0;
    for (ty, result) in types.iter().zip(results) {
        let part = |i: usize| cells.get(at + i).copied().unwrap_or(0);
        let cell = |i: usize| u64::from(part(i));
        if let (ValType::V128, Some(vector)) = (ty, vector_of(result)) {
            // SAFETY: the caller's contract; C gives no alignment to the bytes.
            unsafe { vector.write_unaligned([part(0), part(1), part(2), part(3)]) };
            at += 4;
            continue;
        }
        let bits = match ty.cells() {
            1 => cell(0),
            _ => cell(0) | cell(1) << 32,
        };
        let kind = match ty.hierarchy() {
            Some(Hierarchy::Func) => ValType::I32,
            Some(Hierarchy::Any) => ValType::EXTERNREF,
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
        // SAFETY: there are no vectors.
        unsafe { pack(&args, &mut cells) };
        assert_eq!(cells, [1, 2, 3, 4, 9]);
    }

    #[test]
    fn results_take_the_declared_types() {
        let mut results = [value(Kind::WASM_I32, 0); 3];
        let types = [ValType::FUNCREF, ValType::EXTERNREF, ValType::F32];
        // SAFETY: there are no vectors.
        unsafe { unpack(&types, &[7, 1, 2, 5], &mut results) };
        assert_eq!(results.map(|r| r.kind), [0, 128, 2]);
        // SAFETY: all bits of each value were written.
        assert_eq!(results.map(|r| unsafe { r.of.i64 }), [7, 0x2_0000_0001, 5]);
    }

    #[test]
    fn too_few_cells_do_no_harm() {
        let mut cells = [9; 3];
        let (few, rest) = cells.split_at_mut(1);
        let values = [value(Kind::WASM_I64, 0x2_0000_0001), value(Kind::WASM_I32, 3)];
        // SAFETY: there are no vectors.
        unsafe { pack(&values, few) };
        assert_eq!((few[0], rest), (1, &mut [9, 9][..]));
        let mut results = [value(Kind::WASM_I32, 7); 3];
        // SAFETY: there are no vectors.
        unsafe { unpack(&[ValType::I64, ValType::F32], &[5], &mut results) };
        assert_eq!(results.map(|r| r.kind), [1, 2, 0]);
        // SAFETY: all bits of each value were written.
        assert_eq!(results.map(|r| unsafe { r.of.i64 }), [5, 0, 7]);
    }

    #[test]
    fn vectors_lie_beside_values() {
        let mut bytes = [1_u32, 2, 3, 4, 5, 6];
        // One that is not aligned, as C's bytes may be.
        let address = |bytes: &mut [u32; 6]| bytes.as_mut_ptr().wrapping_byte_add(2) as u64;
        let args = [value(Kind::WASM_V128, address(&mut bytes)), value(Kind::WASM_I32, 9)];
        let mut cells = [0; 6];
        // SAFETY: the address is that of 16 bytes.
        unsafe { pack(&args, &mut cells) };
        assert_eq!(cells, [0x2_0000, 0x3_0000, 0x4_0000, 0x5_0000, 9, 0]);
        let mut results = [value(Kind::WASM_V128, address(&mut bytes))];
        // SAFETY: as before.
        unsafe { unpack(&[ValType::V128], &[10, 11, 12, 13], &mut results) };
        assert_eq!(bytes[..2], [10 << 16 | 1, 11 << 16]);
    }
}
