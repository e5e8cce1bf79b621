//! A function's instructions as text, for people and for golden tests.
//!
//! ```text
//! 0030  I32Add              acc <- acc, #1
//! 0040  BranchCompare I32LtS  s0, acc -> 0030
//! ```
//!
//! `sN` is slot N of the frame, `acc` the accumulator of the operation's class, `#` a constant.

use super::Translated;
use super::writer::Line;
use crate::interp::handlers::control::{BRANCH_A, BRANCH_B, BRANCH_IMM, DISTANCE, FRAME};
use crate::interp::handlers::host::INDEX;
use crate::interp::handlers::memory::SUM_IMM;
use crate::interp::instr::{Instr, Mode, Target};
use crate::interp::operand::{A, B, C, DST, IMM, WIDE};
use std::fmt::Write;

/// The fields of one instruction.
struct Fields<'a> {
    words: &'a [u64],
    at: usize,
}

impl Fields<'_> {
    fn bytes<const N: usize>(&self, field: usize) -> [u8; N] {
        let at = self.at + field;
        let word = self.words.get(at / 8).copied().unwrap_or(0).to_ne_bytes();
        let mut bytes = [0; N];
        bytes.copy_from_slice(&word[at % 8..at % 8 + N]);
        bytes
    }

    fn slot(&self, field: usize) -> String {
        format!("s{}", u16::from_ne_bytes(self.bytes(field)))
    }

    fn int(&self, field: usize) -> i32 {
        i32::from_ne_bytes(self.bytes(field))
    }

    fn input(&self, mode: Mode, slot: usize, imm: usize) -> String {
        self.operand(mode, slot, imm, false)
    }

    fn operand(&self, mode: Mode, slot: usize, imm: usize, wide: bool) -> String {
        match mode {
            Mode::Acc => "acc".into(),
            Mode::Slot => self.slot(slot),
            Mode::Imm if wide => format!("#{:#x}", u64::from_ne_bytes(self.bytes(imm))),
            Mode::Imm => format!("#{}", self.int(imm)),
        }
    }

    /// The operands of a binary instruction with a result.
    fn pair(&self, left: Mode, right: Mode, wide: bool) -> String {
        let imm = if wide { WIDE } else { IMM };
        let right_at = if left == Mode::Imm { A } else { B };
        let left = self.operand(left, A, imm, wide);
        format!("{left}, {}", self.operand(right, right_at, imm, wide))
    }

    fn branch_pair(&self, left: Mode, right: Mode) -> String {
        let right_at = if left == Mode::Imm { BRANCH_A } else { BRANCH_B };
        let left = self.input(left, BRANCH_A, BRANCH_IMM);
        format!("{left}, {}", self.input(right, right_at, BRANCH_IMM))
    }

    fn sum(&self, left: Mode, right: Mode) -> String {
        let (left, right) = (self.input(left, A, SUM_IMM), self.input(right, B, SUM_IMM));
        format!("[{left} + {right} + {}]", self.int(WIDE))
    }

    fn branch(&self) -> String {
        format!("-> {:04x}", self.at as i64 + self.int(DISTANCE) as i64)
    }
}

/// The listing of `code`.
pub fn listing(code: &Translated) -> String {
    let mut text = String::new();
    for line in &code.listing {
        let fields = Fields { words: &code.words, at: line.at };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:04x}  {}", line.at, instruction(line, &fields).trim_end());
    }
    text
}

fn instruction(line: &Line, f: &Fields<'_>) -> String {
    let result = match line.target {
        Target::Acc => "acc".to_string(),
        Target::Slot => f.slot(DST),
    };
    match line.instr {
        Instr::Binary { op, left, right } => {
            format!("{op:?} {result} <- {}", f.pair(left, right, op.wide()))
        }
        Instr::Compare { op, left, right } => {
            format!("{op:?} {result} <- {}", f.pair(left, right, op.wide()))
        }
        Instr::Unary { op, source } => {
            format!("{op:?} {result} <- {}", f.input(source, A, IMM))
        }
        Instr::Select { condition, .. } => {
            let condition = f.input(condition, C, IMM);
            format!("Select {result} <- {condition} ? {} : {}", f.slot(A), f.slot(B))
        }
        Instr::Load { op, address } => match address {
            Mode::Imm => format!("{op:?} {result} <- [{}]", f.int(IMM)),
            _ => format!("{op:?} {result} <- [{} + {}]", f.input(address, A, IMM), f.int(IMM)),
        },
        Instr::Store { op, address, value } => {
            let value = match value {
                Mode::Imm => format!("#{}", f.int(WIDE)),
                _ => f.input(value, DST, WIDE),
            };
            match address {
                Mode::Imm => format!("{op:?} [{}] <- {value}", f.int(IMM)),
                _ => format!("{op:?} [{} + {}] <- {value}", f.input(address, A, IMM), f.int(IMM)),
            }
        }
        Instr::LoadSum { op, left, right } => {
            format!("{op:?} {result} <- {}", f.sum(left, right))
        }
        Instr::StoreSum { op, left, right, value } => {
            format!("{op:?} {} <- {}", f.sum(left, right), f.input(value, DST, WIDE))
        }
        Instr::GlobalGet { .. } => format!("GlobalGet {result} <- g{}", f.int(IMM)),
        Instr::GlobalSet { source: Mode::Imm, .. } => {
            format!("GlobalSet g{} <- #{}", f.int(IMM), f.int(WIDE))
        }
        Instr::GlobalSet { source, .. } => {
            format!("GlobalSet g{} <- {}", f.int(IMM), f.input(source, A, IMM))
        }
        other => without_result(other, f),
    }
}

fn without_result(instr: Instr, f: &Fields<'_>) -> String {
    match instr {
        Instr::Copy => format!("Copy {} <- {}", f.slot(DST), f.slot(A)),
        Instr::CopyTwo => {
            format!("Copy {} <- {}; {} <- {}", f.slot(DST), f.slot(A), f.slot(B), f.slot(C))
        }
        Instr::CopyImm32 => format!("Copy {} <- #{}", f.slot(DST), f.int(IMM)),
        Instr::CopyImm64 => {
            format!("Copy {} <- #{:#x}", f.slot(DST), u64::from_ne_bytes(f.bytes(WIDE)))
        }
        Instr::CopyAcc { .. } => format!("Copy {} <- acc", f.slot(DST)),
        Instr::Branch | Instr::BranchBack => format!("{instr:?} {}", f.branch()),
        Instr::BranchIf { condition, want, .. } => {
            let name = if want { "BranchIf" } else { "BranchUnless" };
            format!("{name} {} {}", f.input(condition, BRANCH_A, IMM), f.branch())
        }
        Instr::BranchCompare { op, left, right, .. } => {
            let pair = f.branch_pair(left, right);
            format!("Branch{op:?} {pair} {}", f.branch())
        }
        Instr::Clear { .. } | Instr::ClearMany => {
            format!("Clear {} slots from {}", f.int(IMM), f.slot(DST))
        }
        Instr::Call => format!("Call frame {}", f.slot(FRAME)),
        Instr::CallImport { .. } => format!("CallImport f{} frame {}", f.int(WIDE), f.slot(FRAME)),
        Instr::CallIndirect { index } => {
            format!("CallIndirect {} frame {}", f.input(index, INDEX, IMM), f.slot(FRAME))
        }
        Instr::BranchTable { index } => {
            format!("BranchTable {} of {}", f.input(index, BRANCH_A, IMM), f.int(DISTANCE) + 1)
        }
        Instr::ReturnOne { source, .. } => format!("Return {}", f.input(source, A, IMM)),
        Instr::ReturnNone => "Return".into(),
        Instr::Throw => format!("Throw t{} {}", f.int(WIDE), f.slot(FRAME)),
        Instr::ThrowRef => format!("ThrowRef {}", f.slot(FRAME)),
        other => format!("{other:?} {}, {}, {}", f.slot(DST), f.slot(A), f.slot(B)),
    }
}
