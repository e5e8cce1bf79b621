//! The table behind `pending`: what each opcode does to the types on the operand stack.

use crate::abi::types::ValType;

/// A type in four bits, so that sixteen make a word. Zero is no value; [`UNKNOWN`] is a type
/// that is left to the validator.
pub(super) type Nibble = u8;

pub(super) const UNKNOWN: Nibble = 8;

pub(super) const fn nibble(ty: ValType) -> Nibble {
    match ty {
        ValType::I32 => 1,
        ValType::I64 => 2,
        ValType::F32 => 3,
        ValType::F64 => 4,
        ValType::V128 | ValType::FuncRef | ValType::ExternRef => UNKNOWN,
    }
}

/// What an opcode does to the types on the operand stack.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Row {
    pub form: Form,
    /// Bits to compare of the topmost types, and what they must be.
    pub operands: u8,
    pub operand_mask: u8,
    /// Bits by which the word of types moves down, then up.
    pub pop: u8,
    pub push: u8,
    pub result: Nibble,
    /// Bytes of a float constant; natural alignment of a memory access.
    pub width: u8,
}

/// What follows an opcode, and what else there is to know.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
pub(super) enum Form {
    /// Left to the validator.
    Other,
    LocalGet,
    LocalSet,
    LocalTee,
    GlobalGet,
    /// No immediate.
    Plain,
    /// A signed number of any length.
    Integer,
    /// As many bytes as `width` says.
    Float,
    /// An alignment, then an offset.
    Access,
    Drop,
    Select,
    Call,
}

pub(super) static ROWS: [Row; 256] = rows();

const OTHER: Row =
    Row { form: Form::Other, operands: 0, operand_mask: 0, pop: 0, push: 0, result: 0, width: 0 };

/// A row that takes `types` and leaves a result; 0 leaves none.
const fn takes(form: Form, types: &[ValType], result: Nibble) -> Row {
    let mut row = Row { form, result, push: if result == 0 { 0 } else { 4 }, ..OTHER };
    let mut i = 0;
    while i < types.len() {
        row.operands = row.operands << 4 | nibble(types[i]);
        row.operand_mask = row.operand_mask << 4 | 15;
        row.pop += 4;
        i += 1;
    }
    row
}

const fn rows() -> [Row; 256] {
    use ValType::{F32, F64, I32, I64};
    let mut table = [OTHER; 256];
    table[0x10].form = Form::Call;
    table[0x1a].form = Form::Drop;
    table[0x1b].form = Form::Select;
    table[0x20].form = Form::LocalGet;
    table[0x21].form = Form::LocalSet;
    table[0x22].form = Form::LocalTee;
    table[0x23].form = Form::GlobalGet;
    table[0x41] = takes(Form::Integer, &[], nibble(I32));
    table[0x42] = takes(Form::Integer, &[], nibble(I64));
    table[0x43] = Row { width: 4, ..takes(Form::Float, &[], nibble(F32)) };
    table[0x44] = Row { width: 8, ..takes(Form::Float, &[], nibble(F64)) };

    // Loads and stores: opcode, type in memory, natural alignment.
    let loads = [
        (0x28, I32, 2),
        (0x29, I64, 3),
        (0x2a, F32, 2),
        (0x2b, F64, 3),
        (0x2c, I32, 0),
        (0x2d, I32, 0),
        (0x2e, I32, 1),
        (0x2f, I32, 1),
        (0x30, I64, 0),
        (0x31, I64, 0),
        (0x32, I64, 1),
        (0x33, I64, 1),
        (0x34, I64, 2),
        (0x35, I64, 2),
    ];
    let mut i = 0;
    while i < loads.len() {
        let (opcode, ty, natural) = loads[i];
        table[opcode] = Row { width: natural, ..takes(Form::Access, &[I32], nibble(ty)) };
        i += 1;
    }
    let stores = [
        (0x36, I32, 2),
        (0x37, I64, 3),
        (0x38, F32, 2),
        (0x39, F64, 3),
        (0x3a, I32, 0),
        (0x3b, I32, 1),
        (0x3c, I64, 0),
        (0x3d, I64, 1),
        (0x3e, I64, 2),
    ];
    i = 0;
    while i < stores.len() {
        let (opcode, ty, natural) = stores[i];
        table[opcode] = Row { width: natural, ..takes(Form::Access, &[I32, ty], 0) };
        i += 1;
    }
    operators(table)
}

/// Adds the opcodes without immediates: tests, comparisons, arithmetic, conversions.
const fn operators(mut table: [Row; 256]) -> [Row; 256] {
    use ValType::{F32, F64, I32, I64};
    // First and last opcode, number of operands, their type, type of the result.
    let ranges = [
        (0x45, 0x45, 1, I32, I32),
        (0x46, 0x4f, 2, I32, I32),
        (0x50, 0x50, 1, I64, I32),
        (0x51, 0x5a, 2, I64, I32),
        (0x5b, 0x60, 2, F32, I32),
        (0x61, 0x66, 2, F64, I32),
        (0x67, 0x69, 1, I32, I32),
        (0x6a, 0x78, 2, I32, I32),
        (0x79, 0x7b, 1, I64, I64),
        (0x7c, 0x8a, 2, I64, I64),
        (0x8b, 0x91, 1, F32, F32),
        (0x92, 0x98, 2, F32, F32),
        (0x99, 0x9f, 1, F64, F64),
        (0xa0, 0xa6, 2, F64, F64),
        (0xa7, 0xa7, 1, I64, I32),
        (0xa8, 0xa9, 1, F32, I32),
        (0xaa, 0xab, 1, F64, I32),
        (0xac, 0xad, 1, I32, I64),
        (0xae, 0xaf, 1, F32, I64),
        (0xb0, 0xb1, 1, F64, I64),
        (0xb2, 0xb3, 1, I32, F32),
        (0xb4, 0xb5, 1, I64, F32),
        (0xb6, 0xb6, 1, F64, F32),
        (0xb7, 0xb8, 1, I32, F64),
        (0xb9, 0xba, 1, I64, F64),
        (0xbb, 0xbb, 1, F32, F64),
        (0xbc, 0xbc, 1, F32, I32),
        (0xbd, 0xbd, 1, F64, I64),
        (0xbe, 0xbe, 1, I32, F32),
        (0xbf, 0xbf, 1, I64, F64),
        // Sign extension, which every context accepts.
        (0xc0, 0xc1, 1, I32, I32),
        (0xc2, 0xc4, 1, I64, I64),
    ];
    let mut i = 0;
    while i < ranges.len() {
        let (first, last, operands, ty, result) = ranges[i];
        let types: &[ValType] = if operands == 1 { &[ty] } else { &[ty, ty] };
        let mut opcode = first;
        while opcode <= last {
            table[opcode] = takes(Form::Plain, types, nibble(result));
            opcode += 1;
        }
        i += 1;
    }
    table
}
