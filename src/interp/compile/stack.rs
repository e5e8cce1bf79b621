//! The operand stack at translation time, and what the accumulators hold.
//!
//! Every position of the operand stack has a slot of its own in the frame, but a value moves
//! there only when it must. Until then an entry says where the value is: still in its local, a
//! constant, or in the accumulator it was computed into. A value that is only in an accumulator
//! when another result needs that accumulator is *spilled* by changing the instruction that
//! produced it into the form that also writes the slot: that costs no instruction, and works
//! because the producer runs before everything that could need the value.

use super::fits_32;
use super::writer::Writer;
use crate::abi::types::ValType;
use crate::interp::instr::{Class, Instr, Target};
use crate::interp::operand::{A, B, DST, IMM, WIDE};

/// Where the value of a stack entry is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// In the entry's own slot.
    Temp,
    /// In this slot of a local, which has not been written since.
    Local(u16),
    /// Nowhere: a constant, as a slot would hold it.
    Const(u64),
    /// Only in the accumulator of its class.
    Acc,
}

#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub ty: ValType,
    /// The entry's own slot.
    pub slot: u16,
    pub place: Place,
}

/// An operand as an instruction will name it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    Acc,
    Slot(u16),
    Imm(u64),
}

/// What an accumulator holds.
#[derive(Clone, Copy, Debug)]
pub enum AccState {
    /// Nothing that is known.
    Empty,
    /// The entry at `index` and nothing else does; its producer is `instr` at `at`.
    Pending { index: usize, at: usize, instr: Instr },
    /// The same value as this slot.
    Mirror(u16),
}

pub struct Stack {
    pub entries: Vec<Entry>,
    accs: [AccState; 3],
    /// First slot of the operand stack.
    base: u32,
    /// Slots the entries take.
    height: u32,
    /// The most slots the frame has needed so far.
    pub frame_slots: u32,
    /// Entries from the bottom that are known to be in their own slots.
    clean: usize,
    /// Entries whose place is a local, at most.
    aliases: usize,
    /// Whether there was ever a reference to an exception.
    pub has_references: bool,
}

/// More aliases than this are moved to their slots at once, so that a deep stack of them does
/// not make every `local.set` slow.
const ALIASES_MAX: usize = 32;

impl Stack {
    pub fn new(base: u32) -> Self {
        Self {
            entries: Vec::new(),
            accs: [AccState::Empty; 3],
            base,
            height: 0,
            frame_slots: base,
            clean: 0,
            aliases: 0,
            has_references: false,
        }
    }

    /// The first slot above the entries.
    pub fn top_slot(&self) -> u32 {
        self.base + self.height
    }

    /// Counts `slots` above the entries into the frame.
    pub fn reserve(&mut self, slots: u32) {
        self.frame_slots = self.frame_slots.max(self.top_slot().saturating_add(slots));
    }

    pub fn push(&mut self, ty: ValType, place: Place) {
        if let Place::Local(_) = place {
            self.aliases += 1;
        }
        self.has_references |= ty == ValType::ExnRef;
        // Slots beyond 16 bits end translation when the frame's size is looked at.
        self.entries.push(Entry { ty, slot: self.top_slot() as u16, place });
        self.height += ty.slots();
        self.reserve(0);
    }

    pub fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop()?;
        self.height -= entry.ty.slots();
        self.clean = self.clean.min(self.entries.len());
        if let Place::Local(_) = entry.place {
            self.aliases -= 1;
        }
        Some(entry)
    }

    pub fn truncate(&mut self, len: usize) {
        while self.entries.len() > len {
            if let Some(entry) = self.pop() {
                self.consumed(&entry);
            }
        }
    }

    pub fn acc(&self, class: Class) -> AccState {
        self.accs[class as usize]
    }

    pub fn set_acc(&mut self, class: Class, state: AccState) {
        self.accs[class as usize] = state;
    }

    pub fn accs(&self) -> [AccState; 3] {
        self.accs
    }

    pub fn set_accs(&mut self, accs: [AccState; 3]) {
        self.accs = accs;
    }

    /// Forgets what the accumulators hold: another path joins, or a call was made. Nothing may
    /// be pending.
    pub fn forget_accs(&mut self) {
        self.accs = [AccState::Empty; 3];
    }

    /// After `entry` was popped: if it was pending, nobody needs the accumulator any more.
    pub fn consumed(&mut self, entry: &Entry) {
        if let (Place::Acc, Some(class)) = (entry.place, Class::of(entry.ty)) {
            self.set_acc(class, AccState::Empty);
        }
    }

    /// `slot` gets another value: no accumulator has it any more.
    pub fn slot_written(&mut self, slot: u16) {
        for acc in &mut self.accs {
            if matches!(acc, AccState::Mirror(s) if *s == slot) {
                *acc = AccState::Empty;
            }
        }
    }

    /// Makes the pending entry of `class` live in its slot as well, if there is one.
    pub fn spill(&mut self, code: &mut Writer, class: Class) {
        if let AccState::Pending { index, at, instr } = self.acc(class) {
            code.set_target(at, instr, Target::Slot);
            let slot = self.entries[index].slot;
            code.put_u16(at, DST, slot);
            self.entries[index].place = Place::Temp;
            self.slot_written(slot);
            self.set_acc(class, AccState::Mirror(slot));
        }
    }

    pub fn spill_all(&mut self, code: &mut Writer) {
        self.spill(code, Class::Int);
        self.spill(code, Class::F32);
        self.spill(code, Class::F64);
    }

    /// Makes the entry at `index` be in its own slot.
    pub fn settle(&mut self, code: &mut Writer, index: usize) {
        let entry = self.entries[index];
        match entry.place {
            Place::Temp => return,
            Place::Acc => {
                if let Some(class) = Class::of(entry.ty) {
                    self.spill(code, class);
                }
                return;
            }
            Place::Local(from) => {
                self.copy(code, entry.ty, entry.slot, Operand::Slot(from));
                self.aliases -= 1;
            }
            Place::Const(value) => self.copy(code, entry.ty, entry.slot, Operand::Imm(value)),
        }
        self.entries[index].place = Place::Temp;
    }

    /// Makes all entries be in their own slots.
    pub fn settle_all(&mut self, code: &mut Writer) {
        for index in self.clean..self.entries.len() {
            self.settle(code, index);
        }
        self.clean = self.entries.len();
    }

    /// Makes the topmost `count` entries be in their own slots.
    pub fn settle_top(&mut self, code: &mut Writer, count: usize) {
        for index in self.entries.len().saturating_sub(count)..self.entries.len() {
            self.settle(code, index);
        }
    }

    /// Before the local in `slot` is written: entries that stand for its old value get it.
    /// Returns whether there were any.
    pub fn preserve(&mut self, code: &mut Writer, slot: u16, below: usize) -> bool {
        if self.aliases == 0 {
            return false;
        }
        let all = self.aliases > ALIASES_MAX;
        let mut any = false;
        for index in self.clean..below {
            match self.entries[index].place {
                Place::Local(s) if all || s == slot => {
                    self.settle(code, index);
                    any = true;
                }
                _ => {}
            }
        }
        any
    }

    /// Emits a move of a value of type `ty` to `to`.
    pub fn copy(&mut self, code: &mut Writer, ty: ValType, to: u16, from: Operand) {
        match from {
            Operand::Slot(from) if from == to => return,
            Operand::Slot(from) if ty.slots() > 1 => {
                let at = code.op(Instr::CopyMany, Target::Slot);
                code.put_u16(at, DST, to);
                code.put_u16(at, A, from);
                code.put_u16(at, B, ty.slots() as u16);
            }
            Operand::Slot(from) => code.copy(to, from),
            Operand::Imm(value) if fits_32(value) => {
                let at = code.op(Instr::CopyImm32, Target::Slot);
                code.put_u16(at, DST, to);
                code.put_u32(at, IMM, value as u32);
            }
            Operand::Imm(value) => {
                let at = code.op(Instr::CopyImm64, Target::Slot);
                code.put_u16(at, DST, to);
                code.put_u64(at, WIDE, value);
            }
            Operand::Acc => {
                if let Some(class) = Class::of(ty) {
                    let at = code.op(Instr::CopyAcc { class }, Target::Slot);
                    code.put_u16(at, DST, to);
                }
            }
        }
        self.slot_written(to);
    }

    /// Where `entry`, just popped, can be read from; an accumulator if `acc` allows it.
    pub fn operand(&mut self, code: &mut Writer, entry: &Entry, acc: bool) -> Operand {
        let slot = match entry.place {
            Place::Const(value) => return Operand::Imm(value),
            Place::Temp => entry.slot,
            Place::Local(slot) => slot,
            Place::Acc => {
                let Some(class) = Class::of(entry.ty) else { return Operand::Slot(entry.slot) };
                let state = self.acc(class);
                if acc {
                    self.set_acc(class, AccState::Empty);
                    return Operand::Acc;
                }
                if let AccState::Pending { at, instr, .. } = state {
                    code.set_target(at, instr, Target::Slot);
                    code.put_u16(at, DST, entry.slot);
                    self.slot_written(entry.slot);
                    self.set_acc(class, AccState::Mirror(entry.slot));
                }
                return Operand::Slot(entry.slot);
            }
        };
        match Class::of(entry.ty).map(|class| self.acc(class)) {
            Some(AccState::Mirror(s)) if acc && s == slot => Operand::Acc,
            _ => Operand::Slot(slot),
        }
    }

    /// As [`Stack::operand`], with constants moved to the entry's slot.
    pub fn slot_operand(&mut self, code: &mut Writer, entry: &Entry) -> u16 {
        match self.operand(code, entry, false) {
            Operand::Slot(slot) => slot,
            from => {
                self.copy(code, entry.ty, entry.slot, from);
                entry.slot
            }
        }
    }
}
