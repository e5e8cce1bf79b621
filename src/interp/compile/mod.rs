//! Translation of one function body to register code, in one pass.
//!
//! It reads operators of a validated body and writes instructions; it knows the module and the
//! handlers, and no instance. Control enters at [`translate`]: from `code`, when a function is
//! called for the first time; from `frames`, which looks for a position; and for listings.
//!
//! Translation is linear in the body's length: the work for one operator does not grow with the
//! number of operators before it, of blocks around it or of values below it, and code that branches
//! share is written once. The steps are counted, and after every [`LOOK`] of them [`Options::stop`]
//! is called. The validator bounds the size of one operator: 1,000 parameters and results, 60,000
//! slots.
//!
//! `Translator::body` reads the operators and gives each one to `opcodes`, which calls the method
//! for it. Those of locals are in `variables`, those of blocks and branches in `control`, of `try`
//! and `rethrow` in `legacy`, the others in the files named after their operators. The methods work
//! on four records: `stack` tracks where the values of the operand stack are, `labels` holds the
//! open blocks, `locals` the slots of the locals, and `writer` the code. `listing` prints the
//! result. Unreachable code is skipped: it needs no types here, since validation has checked it.
//!
//! Terms:
//!
//! - An *entry* is a value on the operand stack during translation. It has a slot of its own in the
//!   frame, which need not hold the value yet: the entry's *place* says where the value is.
//! - An entry is an *alias* if its place is the local that it was read from. A write of that local
//!   first copies the old value to the slots of the aliases.
//! - To *settle* an entry is to bring its value to its own slot. The entries below `Stack::clean`
//!   are known to be settled.
//! - The value in an accumulator is *pending* if no slot has it yet. An accumulator *mirrors* a
//!   slot if both have the same value.
//! - To *spill* a pending value is to change its producer, the instruction that computed it, into
//!   the form that also writes the entry's slot. It adds no instruction.
//! - To *absorb* the instruction that was written last is to take it back because the next one does
//!   its work too: a branch compares, a load or store adds.
//! - A *sum* is an entry whose place is a local and a number to add to it. A load or store takes it
//!   in. Any other reader first has it computed, as late as there (`sums`).
//! - A *step* adds a constant to a local. Two in a row are one instruction, and so are a step and a
//!   branch back behind it.
//! - A *label* is an open block, with the kind of instruction that opened it and with all branches
//!   to it. While a field of these branches is unknown, such as the distance, they form a *chain*:
//!   the label has the last one, and the field of each has the position of the one before.
//! - A *site* is an instruction that calls or throws. Its operands begin with its position in the
//!   module (`shape::Site`).
//!
mod any_memory;
mod atomic;
mod calls;
mod casts;
mod control;
mod exceptions;
mod fields;
mod fused;
mod labels;
mod legacy;
pub mod listing;
mod locals;
mod memory;
mod new_objects;
mod numeric;
mod objects;
mod opcodes;
mod references;
mod stack;
mod sums;
mod variables;
#[cfg(feature = "simd")]
mod vector;
mod writer;

#[cfg(isothread_jit)]
pub use exceptions::clause_parts;

use super::instr::{Class, Instr, Mode, Target};
use super::machine::{Header, Offset};
use super::shape::{self, Begins, Dst, Shape, SlotNo, Word};
use super::unwind::Tables;
use crate::abi::trap::Trap;
use crate::abi::types::{FuncType, ValType};
use crate::alloc;
use crate::interp::code::{VmCode, entry};
use crate::interp::op::{BinaryOp, CompareOp};
use crate::module::Module;
use exceptions::Handlers;
use labels::Label;
use locals::Locals;
use stack::{AccState, Entry, Operand, Place, Stack};
use wasmparser::{BinaryReader, FunctionBody, Operator};
use writer::{Position, Writer};

/// A translated body. The first of its words is a `shape::Entry`, and the code is behind it.
pub struct Translated {
    pub words: Box<[Word]>,
    /// For unwinding the function's frames and for collections; `None` if all tables are empty.
    pub tables: Option<Box<Tables>>,
    /// The instructions in `words` if [`Options::listing`] is set, else empty.
    pub listing: Vec<writer::Line>,
}

/// Options of a translation.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Whether a listing is kept.
    pub listing: bool,
    /// Whether the code measures its cost.
    pub profiled: bool,
    /// Whether a table of the loops is made.
    pub loops: bool,
    /// Returns the reason to stop, if there is one. Called after every [`LOOK`] steps.
    pub stop: &'a dyn Fn() -> Option<Trap>,
}

/// Steps between two calls of [`Options::stop`]: some tenths of a millisecond.
pub const LOOK: u32 = 4096;

/// The last instruction, as long as no branch can lead between it and the next one.
#[derive(Clone, Copy)]
struct Last {
    at: Offset,
    kind: LastKind,
}

/// An instruction at `at` that adds `by` to the local in `slot`.
#[derive(Clone, Copy)]
struct LocalStep {
    at: Offset,
    slot: u16,
    by: u32,
}

#[derive(Clone, Copy)]
enum LastKind {
    Other,
    /// An operation that the next one can absorb. `acc` is the state of its accumulator before.
    First {
        op: BinaryOp,
        left: Operand,
        right: Operand,
        acc: AccState,
    },
    /// A comparison, which a branch on its value can absorb; or an `and`, as the comparison of its
    /// result with zero. `int` is the state of the integer accumulator before the instruction.
    Condition {
        condition: Condition,
        int: AccState,
    },
    /// An `i32.add`, which a load or store at its value can absorb.
    Sum {
        left: Operand,
        right: Operand,
        int: AccState,
    },
}

/// The condition of a branch. Either operand of a comparison can be moved to the slot beside it.
#[derive(Clone, Copy)]
enum Condition {
    Compare { op: CompareOp, left: Operand, right: Operand, left_slot: u16, right_slot: u16 },
    NonZero(Operand),
}

/// The most entries that one operator pushes, apart from the parameters and results of a type.
const ENTRIES_EACH: usize = 4;

struct Translator<'m> {
    module: &'m Module,
    codes: *const VmCode,
    ty: &'m FuncType,
    stop: &'m dyn Fn() -> Option<Trap>,
    locals: Locals,
    header_slot: u16,
    code: Writer,
    stack: Stack,
    labels: Vec<Label<'m>>,
    handlers: Handlers,
    last: Option<Last>,
    /// The last instruction if it adds a constant to a local.
    step: Option<LocalStep>,
    /// Operators read so far: the unit of fuel.
    operators: u32,
    /// The position in the module of the operator that is being translated, in bytes.
    position: u32,
    func_index: u32,
    profiled: bool,
    /// The starts of loops with their positions in the module, if they are asked for.
    loops: Option<Vec<(Offset, u32)>>,
}

/// Translates the function at `func_index`. `codes` is the module's code table, whose entries'
/// addresses calls refer to.
pub fn translate(
    module: &Module,
    codes: *const VmCode,
    func_index: u32,
    options: Options<'_>,
) -> Result<Translated, Trap> {
    let defined = func_index.checked_sub(module.imported.funcs).ok_or(Trap::Internal)?;
    let range = module.bodies.get(defined as usize).ok_or(Trap::Internal)?;
    let bytes = &module.bytes[range.start as usize..range.end as usize];
    let body = FunctionBody::new(BinaryReader::new(bytes, range.start as u64));
    let type_index = *module.funcs.get(func_index as usize).ok_or(Trap::Internal)?;
    let ty = module.types.func(type_index).ok_or(Trap::Internal)?;
    let mut translator = Translator::new(module, codes, ty, &body, options)?;
    translator.func_index = func_index;
    if options.listing {
        translator.code.keep_listing();
    }
    translator.code.begin();
    translator.body(&body)?;
    translator.finish()
}

/// Validation has read the same bytes, so that the reader cannot fail on them.
fn unexpected<E>(_error: E) -> Trap {
    Trap::Internal
}

#[cold]
fn no_room() -> Trap {
    Trap::OutOfMemory
}

/// Makes room for `count` more elements, without overdrawing the heap.
#[inline(always)]
fn make_room<T>(list: &mut Vec<T>, count: usize) -> Result<(), Trap> {
    if count <= list.capacity() - list.len() { Ok(()) } else { grow(list, count) }
}

#[cold]
#[inline(never)]
fn grow<T>(list: &mut Vec<T>, count: usize) -> Result<(), Trap> {
    // A few at once, so that small functions do not grow everything step by step.
    alloc::fallible(|| list.try_reserve(count.max(16))).map_err(|_| no_room())
}

impl<'m> Translator<'m> {
    fn new(
        module: &'m Module,
        codes: *const VmCode,
        ty: &'m FuncType,
        body: &FunctionBody,
        options: Options<'m>,
    ) -> Result<Self, Trap> {
        let mut locals = Locals::default();
        for &param in ty.params() {
            locals.add(1, param)?;
        }
        let header_slot = locals.slots();
        locals.skip(Header::SLOTS + options.profiled as u32);
        for local in body.get_locals_reader().map_err(unexpected)? {
            let (count, ty) = local.map_err(unexpected)?;
            locals.add(count, opcodes::val_type(ty, module)?)?;
        }
        let mut stack = Stack::new(locals.slots());
        // Results are left from slot 0 on and may outgrow parameters, header and locals.
        stack.frame_slots = stack.frame_slots.max(ty.result_slots());
        Ok(Self {
            module,
            codes,
            ty,
            stop: options.stop,
            locals,
            header_slot: header_slot as u16,
            code: Writer::default(),
            stack,
            labels: Vec::new(),
            handlers: Handlers::default(),
            last: None,
            step: None,
            operators: 0,
            position: 0,
            func_index: 0,
            profiled: options.profiled,
            loops: options.loops.then(Vec::new),
        })
    }

    fn body(&mut self, body: &FunctionBody) -> Result<(), Trap> {
        self.push_function_label()?;
        self.clear_locals();
        let mut reader = body.get_operators_reader().map_err(unexpected)?;
        // Blocks opened in unreachable code.
        let mut skipped = 0u32;
        while !reader.eof() {
            self.position = reader.original_position() as u32;
            self.code.at_position(self.position);
            let operator = reader.read().map_err(unexpected)?;
            self.operators = self.operators.saturating_add(1);
            self.spend(1)?;
            self.stack.make_room(ENTRIES_EACH)?;
            let reachable = self.labels.last().is_none_or(|label| label.reachable);
            if reachable {
                self.operator(operator)?;
                continue;
            }
            match operator {
                Operator::Block { .. }
                | Operator::Loop { .. }
                | Operator::If { .. }
                | Operator::Try { .. }
                | Operator::TryTable { .. } => {
                    skipped += 1;
                }
                Operator::End | Operator::Delegate { .. } if skipped > 0 => skipped -= 1,
                Operator::End
                | Operator::Else
                | Operator::Catch { .. }
                | Operator::CatchAll
                | Operator::Delegate { .. }
                    if skipped == 0 =>
                {
                    self.operator(operator)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Counts `steps`, and checks whether to stop if [`LOOK`] steps are reached.
    #[inline(always)]
    fn spend(&mut self, steps: u32) -> Result<(), Trap> {
        self.stack.steps += steps;
        if self.stack.steps < LOOK { Ok(()) } else { self.look() }
    }

    #[cold]
    #[inline(never)]
    fn look(&mut self) -> Result<(), Trap> {
        self.stack.steps = 0;
        self.code.check()?;
        (self.stop)().map_or(Ok(()), Err)
    }

    /// The slot in which a profiled function keeps the time of its start.
    fn start_slot(&self) -> u16 {
        self.header_slot + Header::SLOTS as u16
    }

    fn clear_locals(&mut self) {
        if self.profiled {
            self.op(Instr::ProfileEnter, Dst { dst: SlotNo(self.start_slot()) });
        }
        let first = self.header_slot as u32 + Header::SLOTS + self.profiled as u32;
        let count = self.stack.top_slot() - first;
        let first = SlotNo(first as u16);
        match count {
            0 => {}
            1..=Instr::CLEAR_MAX => {
                self.op(Instr::Clear { count: count as u8 }, Dst { dst: first });
            }
            _ => {
                self.op(Instr::ClearMany, shape::ClearMany { first, count });
            }
        }
    }

    fn finish(mut self) -> Result<Translated, Trap> {
        let frame_slots = self.stack.frame_slots;
        if frame_slots > u16::MAX as u32 {
            // Slots have 16 bits in instructions; no compiler makes such a function.
            return Err(Trap::OperandStackOverflow);
        }
        let entry = entry(frame_slots, self.header_slot.into(), self.operators);
        self.code.set_function_entry(entry);
        self.code.check()?;
        let tables = self.tables()?;
        let (words, listing) = self.code.finish();
        Ok(Translated { words, tables, listing })
    }

    /// Writes an instruction without a result.
    fn op<S: Shape>(&mut self, instr: Instr, operands: S) -> Position<S> {
        self.op_to(Target::Acc, instr, operands)
    }

    /// As [`Translator::op`], for a result in `target`.
    fn op_to<S: Shape>(&mut self, target: Target, instr: Instr, operands: S) -> Position<S> {
        let at = self.code.push(instr, target, operands);
        self.last = Some(Last { at: at.offset(), kind: LastKind::Other });
        at
    }

    /// Writes an instruction whose result is of type `ty`, and pushes the result, which is pending.
    /// The slot in the instruction is filled in once the result is needed in one.
    fn produce<S>(&mut self, ty: ValType, instr: Instr, operands: S) -> Result<Offset, Trap>
    where
        S: Begins<Dst>,
    {
        let class = Class::of(ty);
        self.stack.spill(&mut self.code, class);
        let at = self.op(instr, operands);
        let index = self.stack.entries.len();
        self.stack.push(ty, Place::Acc);
        self.stack.set_acc(class, AccState::Pending { index, at: at.begin(), instr });
        Ok(at.offset())
    }

    /// Writes an instruction whose result goes to the slot of a new entry of type `ty`, and to
    /// the accumulator of its class.
    fn produce_in_slot<S: Begins<Dst>>(
        &mut self,
        ty: ValType,
        instr: Instr,
        operands: impl FnOnce(SlotNo) -> S,
    ) {
        let class = Class::of(ty);
        self.stack.spill(&mut self.code, class);
        let slot = self.stack.top_slot() as u16;
        self.op_to(Target::Slot, instr, operands(SlotNo(slot)));
        self.stack.push(ty, Place::Temp);
        self.stack.value_written(ty, slot);
        self.stack.set_acc(class, AccState::Mirror(slot));
    }

    /// Pops an entry; validation guarantees that there is one.
    fn pop(&mut self) -> Result<Entry, Trap> {
        self.stack.pop().ok_or(Trap::Internal)
    }

    /// Pops an entry that must be in a slot, and returns the slot.
    fn pop_slot(&mut self) -> Result<SlotNo, Trap> {
        let entry = self.pop()?;
        Ok(SlotNo(self.stack.slot_operand(&mut self.code, &entry)))
    }

    /// Pops an entry as an accumulator or a slot.
    fn pop_acc_or_slot(&mut self) -> Result<Operand, Trap> {
        self.unfold(0);
        let entry = self.pop()?;
        Ok(self.acc_or_slot(&entry))
    }

    fn acc_or_slot(&mut self, entry: &Entry) -> Operand {
        match self.stack.operand(&mut self.code, entry, true) {
            Operand::Imm(value) => {
                self.stack.copy(&mut self.code, entry.ty, entry.slot, Operand::Imm(value));
                Operand::Slot(entry.slot)
            }
            operand => operand,
        }
    }

    #[inline(always)]
    fn local(&self, index: u32) -> Result<(ValType, u16), Trap> {
        self.locals.get(index).ok_or(Trap::Internal)
    }

    fn drop_(&mut self) -> Result<(), Trap> {
        let entry = self.pop()?;
        self.stack.consumed(&entry);
        Ok(())
    }
}

/// The mode in which handlers read `operand`.
fn mode(operand: Operand) -> Mode {
    match operand {
        Operand::Acc => Mode::Acc,
        Operand::Slot(_) => Mode::Slot,
        Operand::Imm(_) => Mode::Imm,
    }
}

/// The slot of an operand, for a field that handlers do not read if there is none.
fn slot(operand: Operand) -> SlotNo {
    match operand {
        Operand::Slot(slot) => SlotNo(slot),
        Operand::Acc | Operand::Imm(_) => SlotNo::NONE,
    }
}

/// A constant in 32 bits, for values that have no more.
fn imm32(value: u64) -> u32 {
    debug_assert!(fits_32(value) || u32::try_from(value).is_ok(), "{value:#x} has 32 bits");
    value as u32
}

/// Whether a constant equals its low 32 bits, sign-extended. All constants of type `i32` do.
fn fits_32(value: u64) -> bool {
    value as i32 as i64 as u64 == value
}
