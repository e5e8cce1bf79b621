//! A function's instructions as text, for people and for golden tests. Control enters at
//! [`listing()`].
//!
//! ```text
//! 0030  I32Add              acc <- acc, #1
//! 0040  BranchCompare I32LtS  s0, acc -> 0030
//! ```
//!
//! `sN` is slot N of the frame, `acc` the accumulator of the operation's class, `#` a constant.

use super::Translated;
use super::writer::Line;
use crate::abi::types::ValType;
use crate::interp::instr::{Instr, Mode, Target, is_exchanged};
use crate::interp::op::{CompareOp, LoadOp, StoreOp};
use crate::interp::shape::{
    self, Back, BranchCompare, BranchIf, BranchStep, Forward, Jump, Shape, SlotNo, Word,
};
use std::fmt::{self, Display, Formatter, Write};

impl Display for SlotNo {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "s{}", self.0)
    }
}

/// An instruction and the code that it is in.
#[derive(Clone, Copy)]
struct Listed<'a> {
    line: &'a Line,
    code: &'a [Word],
}

/// The second of two operands, or an only one.
#[derive(Clone, Copy)]
enum Second {
    Slot(SlotNo),
    Imm(i32),
    Wide(u64),
    Float(f64),
}

impl Display for Second {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slot(slot) => slot.fmt(f),
            Self::Imm(value) => write!(f, "#{value}"),
            Self::Wide(value) => write!(f, "#{value:#x}"),
            Self::Float(value) => write!(f, "#{value:?}"),
        }
    }
}

impl Listed<'_> {
    fn operands<S: Shape>(self) -> Option<S> {
        self.line.operands(self.code)
    }

    fn result(self, dst: SlotNo) -> String {
        match self.line.target {
            Target::Acc => "acc".into(),
            Target::Slot => dst.to_string(),
        }
    }

    /// The operands of a binary instruction with a result.
    fn binary(self, left: Mode, right: Mode) -> Option<String> {
        let (dst, first, second) = if let Some(i) = self.operands::<shape::Binary<SlotNo>>() {
            (i.dst, i.first, Second::Slot(i.second))
        } else if let Some(i) = self.operands::<shape::Binary<u32>>() {
            (i.dst, i.first, Second::Imm(i.second as i32))
        } else if let Some(i) = self.operands::<shape::Binary<u64>>() {
            (i.dst, i.first, Second::Wide(i.second))
        } else if let Some(i) = self.operands::<shape::Binary<f32>>() {
            (i.dst, i.first, Second::Float(i.second.into()))
        } else {
            let i = self.operands::<shape::Binary<f64>>()?;
            (i.dst, i.first, Second::Float(i.second))
        };
        Some(format!("{} <- {}", self.result(dst), pair(left, right, first, second)))
    }

    fn branch_compare<J: Jump>(self, op: CompareOp, left: Mode, right: Mode) -> Option<String> {
        let (to, pair) = if let Some(i) = self.operands::<BranchCompare<J, SlotNo>>() {
            (i.to, pair(left, right, i.first, Second::Slot(i.second)))
        } else {
            let i = self.operands::<BranchCompare<J, u32>>()?;
            let second = match op.operand_type() {
                ValType::F32 | ValType::F64 => Second::Float(f32::from_bits(i.second).into()),
                _ => Second::Imm(i.second as i32),
            };
            (i.to, pair(left, right, i.first, second))
        };
        Some(format!("{pair} {}", self.way(to)))
    }

    fn branch_step(self, left: Mode, right: Mode) -> Option<String> {
        let (to, slot, step, pair) = if let Some(i) = self.operands::<BranchStep<SlotNo>>() {
            (i.to, i.slot, i.step, pair(left, right, i.slot, Second::Slot(i.second)))
        } else {
            let i = self.operands::<BranchStep<u32>>()?;
            (i.to, i.slot, i.step, pair(left, right, i.slot, Second::Imm(i.second as i32)))
        };
        Some(format!("{slot} by {}; {pair} {}", step as i32, self.way(to)))
    }

    fn branch_if<J: Jump>(self, condition: Mode) -> Option<String> {
        let i = self.operands::<BranchIf<J>>()?;
        Some(format!("{} {}", operand(condition, i.condition), self.way(i.to)))
    }

    fn load_sum(self, op: LoadOp, left: Mode, right: Mode) -> Option<String> {
        let (dst, sum, offset) = if let Some(i) = self.operands::<shape::LoadSum<SlotNo>>() {
            (i.dst, pair(left, right, i.first, Second::Slot(i.second)), i.last)
        } else {
            let i = self.operands::<shape::LoadSum<u32>>()?;
            (i.dst, pair(left, right, i.first, Second::Imm(i.second as i32)), i.last)
        };
        let offset = offset - (op.bytes() - 1);
        let sum = sum.replace(", ", " + ");
        Some(format!("{} <- [{sum} + {offset}]", self.result(dst)))
    }

    fn store_sum(self, op: StoreOp, left: Mode, right: Mode, value: Mode) -> Option<String> {
        let of = |value: String, first: SlotNo, second: Second, last: u32| {
            let sum = pair(left, right, first, second).replace(", ", " + ");
            format!("[{sum} + {}] <- {value}", last - (op.bytes() - 1))
        };
        let slot = |field: SlotNo| operand(value, field);
        let constant = |field: u32| Second::Imm(field as i32).to_string();
        Some(if let Some(i) = self.operands::<shape::StoreSum<SlotNo, SlotNo>>() {
            of(slot(i.value), i.first, Second::Slot(i.second), i.last)
        } else if let Some(i) = self.operands::<shape::StoreSum<SlotNo, u32>>() {
            of(slot(i.value), i.first, Second::Imm(i.second as i32), i.last)
        } else if let Some(i) = self.operands::<shape::StoreSum<u32, SlotNo>>() {
            of(constant(i.value), i.first, Second::Slot(i.second), i.last)
        } else {
            let i = self.operands::<shape::StoreSum<u32, u32>>()?;
            of(constant(i.value), i.first, Second::Imm(i.second as i32), i.last)
        })
    }

    fn store(self, op: StoreOp, address: Mode, value: Mode) -> Option<String> {
        let (slot, offset, value) = if let Some(i) = self.operands::<shape::Store<SlotNo>>() {
            (i.address, i.last, operand(value, i.value))
        } else {
            let i = self.operands::<shape::Store<u32>>()?;
            (i.address, i.last, operand(value, Second::Imm(i.value as i32)))
        };
        let offset = offset - (op.bytes() - 1);
        Some(format!("{} <- {value}", place(address, slot, offset)))
    }

    fn store_any(self, address: Mode, value: Mode) -> Option<String> {
        type OfSlots = shape::StoreAny<SlotNo>;
        let (memory, slot, offset, value) = if let Some(i) = self.operands::<OfSlots>() {
            (i.memory, i.address, i.offset, operand(value, i.value))
        } else {
            let i = self.operands::<shape::StoreAny<u32>>()?;
            (i.memory, i.address, i.offset, operand(value, Second::Imm(i.value as i32)))
        };
        Some(format!("m{memory}{} <- {value}", place(address, slot, offset)))
    }

    /// The struct, the place in it, and the value.
    fn field_set(self, value: Mode) -> Option<(SlotNo, u32, String)> {
        if let Some(i) = self.operands::<shape::FieldSet<SlotNo>>() {
            return Some((i.object, i.at, operand(value, i.value)));
        }
        let i = self.operands::<shape::FieldSet<u32>>()?;
        Some((i.object, i.at, operand(value, Second::Imm(i.value as i32))))
    }

    fn element_set(self, value: Mode) -> Option<String> {
        let (array, index, value) = if let Some(i) = self.operands::<shape::ElementSet<SlotNo>>() {
            (i.array, i.index, operand(value, i.value))
        } else {
            let i = self.operands::<shape::ElementSet<u32>>()?;
            (i.array, i.index, operand(value, Second::Imm(i.value as i32)))
        };
        Some(format!("{array}[{index}] <- {value}"))
    }

    fn way(self, to: impl Jump) -> String {
        format!("-> {:04x}", i64::from(self.line.at.bytes()) + i64::from(to.way().0))
    }
}

fn operand(mode: Mode, field: impl Display) -> String {
    if mode == Mode::Acc { "acc".into() } else { field.to_string() }
}

/// A slot, or a constant in place of its number.
fn slot_or_16(mode: Mode, field: SlotNo) -> String {
    if mode == Mode::Imm { format!("#{}", field.0 as i16) } else { field.to_string() }
}

fn pair(left: Mode, right: Mode, first: SlotNo, second: Second) -> String {
    if is_exchanged(left, right) {
        format!("{}, {}", operand(left, second), operand(right, first))
    } else {
        format!("{}, {}", operand(left, first), operand(right, second))
    }
}

fn place(address: Mode, slot: SlotNo, offset: impl Display) -> String {
    match address {
        Mode::Imm => format!("[{offset}]"),
        _ => format!("[{} + {offset}]", operand(address, slot)),
    }
}

/// The listing of `code`.
pub fn listing(code: &Translated) -> String {
    let mut text = String::new();
    for line in &code.listing {
        let listed = Listed { line, code: &code.words };
        let instruction = with_result(listed).or_else(|| without_result(listed));
        let instruction = instruction.or_else(|| call(listed)).or_else(|| control(listed));
        let instruction = instruction.unwrap_or_else(|| format!("{:?}", line.instr));
        // Writing to a string does not fail.
        let _ = writeln!(text, "{:04x}  {}", line.at.bytes(), instruction.trim_end());
    }
    text
}

fn with_result(f: Listed<'_>) -> Option<String> {
    Some(match f.line.instr {
        Instr::Binary { op, left, right } => format!("{op:?} {}", f.binary(left, right)?),
        Instr::Compare { op, left, right } => format!("{op:?} {}", f.binary(left, right)?),
        Instr::Unary { op, source } => {
            let i = f.operands::<shape::Unary>()?;
            format!("{op:?} {} <- {}", f.result(i.dst), operand(source, i.a))
        }
        Instr::Select { condition, a, b, .. } => {
            let i = f.operands::<shape::Select>()?;
            let condition = operand(condition, i.condition);
            let (a, b) = (slot_or_16(a, i.a), slot_or_16(b, i.b));
            format!("Select {} <- {condition} ? {a} : {b}", f.result(i.dst))
        }
        Instr::Fused { first, left, right, second, exchanged } => {
            let i = f.operands::<shape::Ternary>()?;
            let result = format!("{first:?}({}, {})", operand(left, i.a), slot_or_16(right, i.b));
            let c = i.c.to_string();
            let (a, b) = if exchanged { (c, result) } else { (result, c) };
            format!("{second:?} {} <- {a}, {b}", f.result(i.dst))
        }
        Instr::Load { op, address } => {
            let i = f.operands::<shape::Load>()?;
            format!(
                "{op:?} {} <- {}",
                f.result(i.dst),
                place(address, i.address, i.last - (op.bytes() - 1))
            )
        }
        Instr::LoadSum { op, left, right } => format!("{op:?} {}", f.load_sum(op, left, right)?),
        Instr::LoadAny { op, address, .. } => {
            let i = f.operands::<shape::LoadAny>()?;
            let place = place(address, i.address, i.offset);
            format!("{op:?} {} <- m{}{place}", f.result(i.dst), i.memory)
        }
        Instr::GlobalGet { .. } => {
            let i = f.operands::<shape::Get>()?;
            format!("GlobalGet {} <- g{}", f.result(i.dst), i.index)
        }
        _ => return None,
    })
}

fn without_result(f: Listed<'_>) -> Option<String> {
    Some(match f.line.instr {
        Instr::AddWide | Instr::SubWide => {
            let i = f.operands::<shape::WideBinary>()?;
            let operands = format!("{}:{}, {}:{}", i.a_high, i.a_low, i.b_high, i.b_low);
            format!("{:?} {} <- {operands}", f.line.instr, i.dst)
        }
        Instr::MulWide { signed } => {
            let i = f.operands::<shape::Binary<SlotNo>>()?;
            let name = if signed { "MulWideS" } else { "MulWideU" };
            format!("{name} {} <- {}, {}", i.dst, i.first, i.second)
        }
        Instr::Store { op, address, value } => format!("{op:?} {}", f.store(op, address, value)?),
        Instr::StoreSum { op, left, right, value } => {
            format!("{op:?} {}", f.store_sum(op, left, right, value)?)
        }
        Instr::StoreAny { op, address, value, .. } => {
            format!("{op:?} {}", f.store_any(address, value)?)
        }
        Instr::GlobalSet { source: Mode::Imm, .. } => {
            let i = f.operands::<shape::GlobalSet<u32>>()?;
            format!("GlobalSet g{} <- #{}", i.index, i.value as i32)
        }
        Instr::GlobalSet { source, .. } => {
            let i = f.operands::<shape::GlobalSet<SlotNo>>()?;
            format!("GlobalSet g{} <- {}", i.index, operand(source, i.value))
        }
        Instr::Copy => {
            let i = f.operands::<shape::Unary>()?;
            format!("Copy {} <- {}", i.dst, i.a)
        }
        Instr::CopyTwo => {
            let shape::CopyTwo { first, second } = f.operands()?;
            format!("Copy {} <- {}; {} <- {}", first.dst, first.a, second.dst, second.a)
        }
        Instr::CopySum { right } => {
            let sum = f.binary(Mode::Slot, right)?;
            format!("Copy {}", sum.replace(", ", " + "))
        }
        Instr::StepTwo => {
            let i = f.operands::<shape::StepTwo>()?;
            let (first, second) = (i.first_step as i32, i.second_step as i32);
            format!("Step {} by {first}; {} by {second}", i.first, i.second)
        }
        Instr::CopyImm32 => {
            let i = f.operands::<shape::CopyImm<u32>>()?;
            format!("Copy {} <- #{}", i.dst, i.value as i32)
        }
        Instr::CopyImm64 => {
            let i = f.operands::<shape::CopyImm<u64>>()?;
            format!("Copy {} <- #{:#x}", i.dst, i.value)
        }
        Instr::CopyAcc { .. } => format!("Copy {} <- acc", f.operands::<shape::Dst>()?.dst),
        Instr::Clear { count } => {
            format!("Clear {count} slots from {}", f.operands::<shape::Dst>()?.dst)
        }
        Instr::ClearMany => {
            let i = f.operands::<shape::ClearMany>()?;
            format!("Clear {} slots from {}", i.count, i.first)
        }
        _ => return None,
    })
}

fn call(f: Listed<'_>) -> Option<String> {
    Some(match f.line.instr {
        Instr::Call => format!("Call frame {}", f.operands::<shape::Call>()?.frame),
        Instr::CallImport { .. } => {
            let i = f.operands::<shape::CallImport>()?;
            format!("CallImport f{} frame {}", i.import, i.frame)
        }
        Instr::CallIndirect { index } => {
            let i = f.operands::<shape::CallIndirect>()?;
            format!("CallIndirect {} frame {}", operand(index, i.index), i.frame)
        }
        Instr::TailCall { .. } => format!("TailCall {}", f.operands::<shape::TailCall>()?.from),
        Instr::TailCallImport => {
            let i = f.operands::<shape::TailCallImport>()?;
            format!("TailCallImport f{} {}", i.import, i.from)
        }
        Instr::TailCallIndirect { index, .. } => {
            let i = f.operands::<shape::TailCallIndirect>()?;
            format!("TailCallIndirect {} {}", operand(index, i.index), i.from)
        }
        Instr::TailCallRef { .. } => {
            let i = f.operands::<shape::TailCallRef>()?;
            format!("TailCallRef {} {}", i.callee, i.from)
        }
        Instr::CallRef => {
            let i = f.operands::<shape::CallRef>()?;
            format!("CallRef {} frame {}", i.callee, i.frame)
        }
        _ => return None,
    })
}

fn control(f: Listed<'_>) -> Option<String> {
    let instr = f.line.instr;
    Some(match instr {
        Instr::Branch => format!("{instr:?} {}", f.way(f.operands::<Forward>()?)),
        Instr::BranchBack => format!("{instr:?} {}", f.way(f.operands::<Back>()?)),
        Instr::BranchIf { condition, want, back } => {
            let name = if want { "BranchIf" } else { "BranchUnless" };
            let forward = || f.branch_if::<Forward>(condition);
            format!("{name} {}", if back { f.branch_if::<Back>(condition) } else { forward() }?)
        }
        Instr::BranchCompare { op, left, right, back: false } => {
            format!("Branch{op:?} {}", f.branch_compare::<Forward>(op, left, right)?)
        }
        Instr::BranchCompare { op, left, right, back: true } => {
            format!("Branch{op:?} {}", f.branch_compare::<Back>(op, left, right)?)
        }
        Instr::BranchStep { op, left, right } => {
            format!("BranchStep{op:?} {}", f.branch_step(left, right)?)
        }
        Instr::BranchTable { index } => {
            let i = f.operands::<shape::BranchTable>()?;
            format!("BranchTable {} of {}", operand(index, i.index), i.last + 1)
        }
        Instr::AssertNonNull => {
            format!("AssertNonNull {}", f.operands::<shape::AssertNonNull>()?.reference)
        }
        Instr::ReturnOne { source: Mode::Imm, .. } => {
            format!("Return #{}", f.operands::<shape::ReturnOne<u32>>()?.value as i32)
        }
        Instr::ReturnOne { source, .. } => {
            let i = f.operands::<shape::ReturnOne<SlotNo>>()?;
            format!("Return {}", operand(source, i.value))
        }
        Instr::ReturnNone { .. } => "Return".into(),
        Instr::Throw => {
            let i = f.operands::<shape::Throw>()?;
            format!("Throw t{} {}", i.tag, i.frame)
        }
        Instr::ThrowRef => format!("ThrowRef {}", f.operands::<shape::ThrowRef>()?.reference),
        _ => return object(f),
    })
}

/// What is done with objects, and with what references are.
fn object(f: Listed<'_>) -> Option<String> {
    Some(match f.line.instr {
        Instr::Object => {
            let i = f.operands::<shape::Object>()?;
            format!("{:?} {} type {} #{}", i.op, i.at, i.ty, i.index)
        }
        Instr::StructNew => {
            let i = f.operands::<shape::StructNew>()?;
            format!("StructNew {} type {}", i.object.at, i.object.ty)
        }
        Instr::StructGet { op, object } => {
            let i = f.operands::<shape::FieldGet>()?;
            let field = format!("{}.{}", operand(object, i.object), i.at);
            format!("StructGet {op:?} {} <- {field}", f.result(i.dst))
        }
        Instr::StructSet { op, object, value } => {
            let (of, at, value) = f.field_set(value)?;
            format!("StructSet {op:?} {}.{at} <- {value}", operand(object, of))
        }
        Instr::ArrayGet { op, index } => {
            let i = f.operands::<shape::ElementGet>()?;
            let element = format!("{}[{}]", i.array, operand(index, i.index));
            format!("ArrayGet {op:?} {} <- {element}", f.result(i.dst))
        }
        Instr::ArraySet { op, value } => format!("ArraySet {op:?} {}", f.element_set(value)?),
        Instr::ArrayLen { array } => {
            let i = f.operands::<shape::Unary>()?;
            format!("ArrayLen {} <- {}", f.result(i.dst), operand(array, i.a))
        }
        Instr::ArrayNew { op, .. } => {
            let i = f.operands::<shape::ArrayNew>()?;
            format!("{op:?} {} type {}", i.object.at, i.object.ty)
        }
        Instr::KindTest { source, .. } => {
            let i = f.operands::<shape::RefTest>()?;
            format!("RefTest {} <- {} {}", f.result(i.dst), operand(source, i.a), i.ty)
        }
        Instr::KindCast { .. } => {
            let i = f.operands::<shape::RefCast>()?;
            format!("RefCast {} {}", i.reference, i.ty)
        }
        Instr::TypeTest { source } => {
            let i = f.operands::<shape::TypeTest>()?;
            format!("TypeTest {} <- {} {}", f.result(i.dst), operand(source, i.a), i.ty)
        }
        Instr::TypeCast => {
            let i = f.operands::<shape::TypeCast>()?;
            format!("TypeCast {} {}", i.reference, i.ty)
        }
        Instr::RefTest => {
            let i = f.operands::<shape::RefTest>()?;
            format!("RefTest {} <- {} {}", i.dst, i.a, i.ty)
        }
        Instr::RefCast => {
            let i = f.operands::<shape::RefCast>()?;
            format!("RefCast {} {}", i.reference, i.ty)
        }
        _ => return None,
    })
}
