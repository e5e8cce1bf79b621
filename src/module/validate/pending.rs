//! Validates runs of plain arithmetic without asking the validator about every instruction.
//!
//! Between two control instructions, compiled code is expression trees over locals, constants
//! and memory. Their operands are of known numeric types and lie on top of the stack, above
//! everything the validator has seen. So they are kept here as *pending* types, and an
//! instruction whose operands are all pending is checked against one row of a table. Whatever
//! else comes, or does not fit, ends the run: the pending types are pushed to the validator,
//! and it decides about the instruction itself, in its own words. No run therefore ever refuses
//! anything, and none accepts what the validator would refuse.
//!
//! What an instruction does is one load from the table and a dozen operations without a branch,
//! because code seen once defeats branch prediction: a `match` over the same rows took twice
//! the time.

use super::rows::{Form, Nibble, ROWS, Row, UNKNOWN, nibble};
use crate::abi::types::{FuncType, ValType};
use crate::module::GlobalDef;
use wasmparser::{Result, VisitOperator};

/// What a run needs to know of the module around a body.
pub(in crate::module) struct Surroundings<'m> {
    /// The whole binary.
    pub bytes: &'m [u8],
    pub types: &'m [FuncType],
    pub funcs: &'m [u32],
    pub globals: &'m [GlobalDef],
    /// Memory 0 exists and has 32-bit addresses.
    pub plain_memory: bool,
}

/// Locals beyond this are left to the validator: their index takes two bytes, and a body of few
/// bytes may declare 50,000.
const LOCALS_MAX: usize = 128;

/// Bits of a word of types whose use leaves room for one type only; no run goes beyond.
const FULL: u64 = 0xf << 60;

/// Values on top of the operand stack that the validator has not been told of.
pub(super) struct Pending {
    /// Their types, topmost in the lowest nibble.
    stack: u64,
    locals: [Nibble; LOCALS_MAX],
    locals_len: usize,
}

impl Default for Pending {
    fn default() -> Self {
        Self { stack: 0, locals: [UNKNOWN; LOCALS_MAX], locals_len: 0 }
    }
}

/// Number of types in a word.
fn count(stack: u64) -> u32 {
    (u64::BITS - stack.leading_zeros()).div_ceil(4)
}

/// `types` as a word, its first type highest; `None` when one is unknown or they are too many.
fn pack(types: &[ValType]) -> Option<u64> {
    let mut word = 0;
    for &ty in types {
        let ty = nibble(ty);
        if ty == UNKNOWN || word & FULL != 0 {
            return None;
        }
        word = word << 4 | u64::from(ty);
    }
    Some(word)
}

impl Pending {
    /// Starts a body whose parameters are `params`.
    pub(super) fn enter(&mut self, params: &[ValType]) {
        self.stack = 0;
        self.locals = [UNKNOWN; LOCALS_MAX];
        self.locals_len = params.len().min(LOCALS_MAX);
        for (local, &ty) in self.locals.iter_mut().zip(params) {
            *local = nibble(ty);
        }
    }

    /// Adds `count` locals of a type; `None` is one that is not a number's.
    pub(super) fn define_locals(&mut self, count: u32, ty: Option<ValType>) {
        let free = &mut self.locals[self.locals_len..];
        let count = free.len().min(count as usize);
        free[..count].fill(ty.map_or(UNKNOWN, nibble));
        self.locals_len += count;
    }

    /// Validates instructions from `at` to `end` of the binary, for as long as they need the
    /// validator for nothing. Answers where it stopped and the greatest number of values that
    /// were pending meanwhile.
    pub(super) fn run(
        &mut self,
        around: &Surroundings<'_>,
        mut at: usize,
        end: usize,
    ) -> (usize, u32) {
        let mut stack = self.stack;
        let mut highest = stack;
        let code = around.bytes.get(..end).unwrap_or_default();
        while stack & FULL == 0
            && let Some((after, next)) = self.step(around, code, at, stack)
        {
            at = next;
            stack = after;
            highest = highest.max(stack);
        }
        self.stack = stack;
        (at, count(highest))
    }

    /// One instruction: the types after it and where the next one starts. `None` when it is one
    /// for the validator.
    #[inline(always)]
    fn step(
        &self,
        around: &Surroundings<'_>,
        code: &[u8],
        at: usize,
        stack: u64,
    ) -> Option<(u64, usize)> {
        let opcode = *code.get(at)?;
        let at = at + 1;
        if opcode == 0x20 {
            let ty = self.local(*code.get(at)?)?;
            return Some((stack << 4 | ty, at + 1));
        }
        let row = &ROWS[usize::from(opcode)];
        if opcode >= 0x45 && row.form == Form::Plain {
            return Some((apply(row, stack)?, at));
        }
        match row.form {
            Form::Other => None,
            Form::LocalGet => {
                let ty = self.local(*code.get(at)?)?;
                Some((stack << 4 | ty, at + 1))
            }
            Form::LocalSet => {
                let ty = self.local(*code.get(at)?)?;
                (stack & 15 == ty).then_some((stack >> 4, at + 1))
            }
            Form::LocalTee => {
                let ty = self.local(*code.get(at)?)?;
                (stack & 15 == ty).then_some((stack, at + 1))
            }
            Form::Plain => Some((apply(row, stack)?, at)),
            Form::Integer => Some((stack << 4 | u64::from(row.result), integer(code, at)?)),
            Form::Access => {
                let next = integer(code, at + 1)?;
                let fits = around.plain_memory && *code.get(at)? <= row.width;
                fits.then_some((apply(row, stack)?, next))
            }
            Form::Float => {
                let next = at + usize::from(row.width);
                (next <= code.len()).then_some((stack << 4 | u64::from(row.result), next))
            }
            Form::GlobalGet => {
                let (index, next) = unsigned(code, at)?;
                let ty = nibble(around.globals.get(index as usize)?.ty.val);
                (ty != UNKNOWN).then_some((stack << 4 | u64::from(ty), next))
            }
            Form::Drop => (stack != 0).then_some((stack >> 4, at)),
            Form::Select => {
                let [condition, second, first] = [0, 4, 8].map(|at| (stack >> at) as u8 & 15);
                let fits = condition == nibble(ValType::I32) && first == second && first != 0;
                fits.then_some((stack >> 8, at))
            }
            Form::Call => {
                let (index, next) = unsigned(code, at)?;
                let ty = around.types.get(*around.funcs.get(index as usize)? as usize)?;
                Some((call(ty, stack)?, next))
            }
        }
    }

    /// Type of a local whose index takes one byte.
    #[inline(always)]
    fn local(&self, index: u8) -> Option<u64> {
        let ty = *self.locals.get(usize::from(index))?;
        (ty != UNKNOWN).then_some(ty.into())
    }

    /// Tells the validator about everything pending.
    pub(super) fn flush<'a, V>(&mut self, visitor: &mut V) -> Result<()>
    where
        V: VisitOperator<'a, Output = Result<()>>,
    {
        const I64: Nibble = nibble(ValType::I64);
        const F32: Nibble = nibble(ValType::F32);
        const F64: Nibble = nibble(ValType::F64);
        for place in (0..count(self.stack)).rev() {
            // A constant pushes a type and asks for nothing.
            match (self.stack >> (4 * place)) as Nibble & 15 {
                I64 => visitor.visit_i64_const(0)?,
                F32 => visitor.visit_f32_const(0.0.into())?,
                F64 => visitor.visit_f64_const(0.0.into())?,
                _ => visitor.visit_i32_const(0)?,
            }
        }
        self.stack = 0;
        Ok(())
    }
}

/// An unsigned LEB128 number of up to three bytes at `at`, and where it ends.
fn unsigned(code: &[u8], at: usize) -> Option<(u32, usize)> {
    let mut value = 0;
    for (i, &byte) in code.get(at..)?.iter().enumerate().take(3) {
        value |= u32::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((value, at + i + 1));
        }
    }
    None
}

/// The types after an instruction that its row describes.
#[inline(always)]
fn apply(row: &Row, stack: u64) -> Option<u64> {
    let fits = (stack as u8 ^ row.operands) & row.operand_mask == 0;
    fits.then_some((stack >> row.pop) << row.push | u64::from(row.result))
}

fn call(ty: &FuncType, stack: u64) -> Option<u64> {
    let (params, results) = (pack(ty.params())?, pack(ty.results())?);
    let (down, up) = (4 * ty.params().len() as u32, 4 * ty.results().len() as u32);
    // A word that is full to the last nibble cannot be shifted away.
    let left = stack.checked_shr(down)?;
    let fits = stack ^ left.checked_shl(down)? == params && count(left) + up / 4 < 16;
    fits.then_some(left.checked_shl(up)? | results)
}

/// Where a number at `at` ends, if it has up to four bytes: those fit any type.
#[inline(always)]
fn integer(code: &[u8], at: usize) -> Option<usize> {
    if *code.get(at)? < 0x80 {
        return Some(at + 1);
    }
    let more = code.get(at + 1..)?;
    more.iter().take(3).position(|byte| byte & 0x80 == 0).map(|last| at + last + 2)
}
