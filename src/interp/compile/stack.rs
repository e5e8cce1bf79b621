//! The operand stack during translation, and the values in the accumulators.
//!
//! Every position of the operand stack has a slot of its own in the frame, but a value moves
//! there only when it must. Until then an entry says where the value is: still in its local, a
//! constant, or in the accumulator of its class. A value that is only in an accumulator when
//! another result needs that accumulator is *spilled*: the instruction that produced it is changed
//! into the form that also writes the slot. That costs no instruction, and is right because the
//! producer runs before all readers of the value.
//!
//! The methods of the translator push and pop entries, ask [`Stack::operand`] for the operand of a
//! popped entry, and settle entries where paths join and where calls find their arguments. Methods
//! that move a value get the [`Writer`] for it.

use super::exceptions::References;
use super::writer::{Position, Writer};
use super::{fits_32, imm32, make_room};
use crate::abi::trap::Trap;
use crate::abi::types::ValType;
use crate::interp::instr::{Class, Instr, Mode, Target};
use crate::interp::shape::{Binary, CopyImm, CopyMany, Dst, SlotNo, Unary};

/// The place of an entry's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Place {
    /// In the entry's own slot.
    Temp,
    /// In this slot of a local, which has not been written since.
    Local(u16),
    /// In no slot: the 32-bit sum of the local in this slot, which has not been written since, and
    /// of another number.
    Sum(u16, Addend),
    /// In no slot: a constant, in the form that a slot has it in.
    Const(u64),
    /// Only in the accumulator of its class.
    Acc,
}

impl Place {
    /// Whether the value is to be read from locals.
    fn is_alias(self) -> bool {
        matches!(self, Self::Local(_) | Self::Sum(..))
    }

    /// Whether the value is to be read from the local in `slot`.
    fn reads(self, slot: u16) -> bool {
        match self {
            Self::Local(local) => local == slot,
            Self::Sum(base, addend) => base == slot || addend == Addend::Local(slot),
            Self::Temp | Self::Const(_) | Self::Acc => false,
        }
    }
}

/// A number to be added to a local.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Addend {
    /// The local in this slot.
    Local(u16),
    Const(u32),
}

impl Addend {
    pub fn operand(self) -> Operand {
        match self {
            Self::Local(slot) => Operand::Slot(slot),
            Self::Const(value) => Operand::Imm(value.into()),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub struct Entry {
    pub ty: ValType,
    /// The entry's own slot.
    pub slot: u16,
    pub place: Place,
}

/// An operand in the form that instructions have it in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Operand {
    Acc,
    Slot(u16),
    Imm(u64),
}

/// The content of an accumulator.
#[derive(Clone, Copy)]
pub enum AccState {
    /// Unknown, or of no use any more.
    Empty,
    /// The value of the entry at `index`, which no slot has; its producer is `instr` at `at`.
    Pending { index: usize, at: Position<Dst>, instr: Instr },
    /// The same value as this slot.
    Mirror(u16),
}

/// The accumulators, by their class.
pub type Accs = [AccState; Class::ALL.len()];

const NO_ACCS: Accs = [AccState::Empty; Class::ALL.len()];

pub struct Stack {
    pub entries: Vec<Entry>,
    accs: Accs,
    /// First slot of the operand stack.
    base: u32,
    /// Slots of all entries.
    height: u32,
    /// The most slots the frame has needed so far.
    pub frame_slots: u32,
    /// Entries from the bottom that are known to be in their own slots. The settling of all entries
    /// begins above them, so that it does not visit the whole stack each time.
    clean: usize,
    /// The indices of the entries whose place is a local or a sum, from the bottom up.
    aliases: Vec<u32>,
    /// The entries that may lead to what is collected.
    pub references: References,
    /// Steps since the last check whether to stop. Every entry that is touched is one.
    pub steps: u32,
}

/// More aliases than this are moved to their slots at once, so that a deep stack of them does
/// not make every `local.set` slow.
const ALIASES_MAX: usize = 32;

impl Stack {
    pub fn new(base: u32) -> Self {
        Self {
            entries: Vec::new(),
            accs: NO_ACCS,
            base,
            height: 0,
            frame_slots: base,
            clean: 0,
            aliases: Vec::new(),
            references: References::default(),
            steps: 0,
        }
    }

    /// The first slot above the entries.
    pub fn top_slot(&self) -> u32 {
        self.base + self.height
    }

    /// Makes the frame large enough for `slots` above the entries.
    pub fn reserve(&mut self, slots: u32) {
        self.frame_slots = self.frame_slots.max(self.top_slot().saturating_add(slots));
    }

    /// Makes sure that memory does not run out with the next `count` entries.
    #[inline(always)]
    pub fn make_room(&mut self, count: usize) -> Result<(), Trap> {
        if count <= self.entries.capacity() - self.entries.len() {
            Ok(())
        } else {
            self.grow(count)
        }
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, count: usize) -> Result<(), Trap> {
        make_room(&mut self.entries, count)?;
        // All of them may be aliases.
        let aliases = self.entries.capacity() - self.aliases.len();
        make_room(&mut self.aliases, aliases)
    }

    #[inline]
    pub fn push(&mut self, ty: ValType, place: Place) {
        if place.is_alias() {
            self.aliases.push(self.entries.len() as u32);
        }
        // A frame with slots beyond 16 bits is an error in `Translator::finish`.
        let slot = self.top_slot() as u16;
        if ty.is_collected() {
            self.references.begin(slot);
        }
        self.entries.push(Entry { ty, slot, place });
        self.height += ty.slots();
        self.reserve(0);
    }

    /// Pushes values of these types that are in their own slots.
    pub fn push_settled(&mut self, types: &[ValType]) -> Result<(), Trap> {
        self.make_room(types.len())?;
        self.steps += types.len() as u32;
        for &ty in types {
            self.push(ty, Place::Temp);
        }
        Ok(())
    }

    pub fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop()?;
        self.height -= entry.ty.slots();
        self.clean = self.clean.min(self.entries.len());
        if entry.place.is_alias() {
            self.aliases.pop();
        }
        if entry.ty.is_collected() {
            self.references.end();
        }
        Some(entry)
    }

    pub fn truncate(&mut self, len: usize) {
        self.steps += self.entries.len().saturating_sub(len) as u32;
        while self.entries.len() > len {
            if let Some(entry) = self.pop() {
                self.consumed(&entry);
            }
        }
    }

    /// Whether the stack has `len` entries, all of them in their own slots.
    pub fn is_settled(&self, len: usize) -> bool {
        self.entries.len() == len && self.clean == len
    }

    /// The length of the run of entries from `first` on that are in their own slots.
    pub fn settled_run(&mut self, first: usize) -> usize {
        let known = self.clean.max(first);
        let others = self.entries.iter().skip(known);
        let others = others.take_while(|entry| entry.place == Place::Temp).count();
        self.steps += others as u32;
        known - first + others
    }

    pub fn acc(&self, class: Class) -> AccState {
        self.accs[class as usize]
    }

    pub fn set_acc(&mut self, class: Class, state: AccState) {
        self.accs[class as usize] = state;
    }

    pub fn accs(&self) -> Accs {
        self.accs
    }

    pub fn set_accs(&mut self, accs: Accs) {
        self.accs = accs;
    }

    /// Makes the accumulators unknown: another path joins, or a call was made. Nothing may be
    /// pending.
    pub fn forget_accs(&mut self) {
        self.accs = NO_ACCS;
    }

    /// Notes that the value of the entry at `index`, which is a sum and near the top, is in the
    /// accumulator now.
    pub fn unfolded(&mut self, index: usize) {
        if let Some(at) = self.aliases.iter().rposition(|&alias| alias as usize == index) {
            self.aliases.remove(at);
        }
        self.entries[index].place = Place::Acc;
    }

    /// To be called after `entry` was popped without a use: if it was pending, its accumulator is
    /// free.
    pub fn consumed(&mut self, entry: &Entry) {
        if entry.place == Place::Acc {
            self.set_acc(Class::of(entry.ty), AccState::Empty);
        }
    }

    /// The slots from `slot` on get a value of type `ty`: no accumulator mirrors them any more.
    pub fn value_written(&mut self, ty: ValType, slot: u16) {
        self.slots_written(slot, ty.slots() as u16);
    }

    fn slots_written(&mut self, first: u16, count: u16) {
        for class in Class::ALL {
            let AccState::Mirror(mirrored) = self.acc(class) else { continue };
            // One of the two begins in the other.
            if mirrored.wrapping_sub(first) < count || first.wrapping_sub(mirrored) < class.slots()
            {
                self.set_acc(class, AccState::Empty);
            }
        }
    }

    /// Makes the producer of the pending entry of `class` write its slot as well, if there is such
    /// an entry.
    pub fn spill(&mut self, code: &mut Writer, class: Class) {
        if let AccState::Pending { index, at, instr } = self.acc(class) {
            let Entry { ty, slot, .. } = self.entries[index];
            code.set_slot(at, instr, slot);
            self.entries[index].place = Place::Temp;
            self.value_written(ty, slot);
            self.set_acc(class, AccState::Mirror(slot));
        }
    }

    pub fn spill_all(&mut self, code: &mut Writer) {
        for class in Class::ALL {
            self.spill(code, class);
        }
    }

    /// Moves the entry at `index` to its own slot. The caller takes an alias off `aliases`.
    fn settle(&mut self, code: &mut Writer, index: usize) {
        let entry = self.entries[index];
        match entry.place {
            Place::Temp => return,
            Place::Acc => return self.spill(code, Class::of(entry.ty)),
            Place::Local(from) => self.copy(code, entry.ty, entry.slot, Operand::Slot(from)),
            Place::Const(value) => self.copy(code, entry.ty, entry.slot, Operand::Imm(value)),
            Place::Sum(base, addend) => self.copy_sum(code, entry.slot, base, addend),
        }
        self.entries[index].place = Place::Temp;
    }

    /// Moves the entries from `first` on to their own slots.
    fn settle_from(&mut self, code: &mut Writer, first: usize) {
        let first = first.max(self.clean);
        self.steps += (self.entries.len() - first) as u32;
        for index in first..self.entries.len() {
            self.settle(code, index);
        }
        while self.aliases.last().is_some_and(|&index| index as usize >= first) {
            self.aliases.pop();
        }
        if first == self.clean {
            self.clean = self.entries.len();
        }
    }

    /// Moves all entries to their own slots.
    pub fn settle_all(&mut self, code: &mut Writer) {
        self.settle_from(code, self.clean);
    }

    /// Moves the topmost `count` entries to their own slots.
    pub fn settle_top(&mut self, code: &mut Writer, count: usize) {
        self.settle_from(code, self.entries.len().saturating_sub(count));
    }

    /// To be called before the local in `slot` is written: copies its old value to the slots of its
    /// aliases. Returns whether anything was moved.
    pub fn preserve(&mut self, code: &mut Writer, slot: u16) -> bool {
        let before = self.aliases.len();
        if before == 0 {
            return false;
        }
        let all = before > ALIASES_MAX;
        self.steps += before as u32;
        let mut kept = 0;
        for at in 0..before {
            let index = self.aliases[at];
            if all || self.entries[index as usize].place.reads(slot) {
                self.settle(code, index as usize);
            } else {
                self.aliases[kept] = index;
                kept += 1;
            }
        }
        self.aliases.truncate(kept);
        kept < before
    }

    /// Moves the references that are in locals, and may lead to what is collected, to their own
    /// slots, where the tables say that they are.
    pub fn settle_references(&mut self, code: &mut Writer) {
        let before = self.aliases.len();
        self.steps += before as u32;
        let mut kept = 0;
        for at in 0..before {
            let index = self.aliases[at];
            if self.entries[index as usize].ty.is_collected() {
                self.settle(code, index as usize);
            } else {
                self.aliases[kept] = index;
                kept += 1;
            }
        }
        self.aliases.truncate(kept);
    }

    /// Emits a move of the `count` slots from `from` on to those from `to` on.
    pub fn copy_slots(&mut self, code: &mut Writer, to: u16, from: u16, count: u16) {
        if to != from {
            let operands = CopyMany { to: SlotNo(to), from: SlotNo(from), count };
            code.push(Instr::CopyMany, Target::Slot, operands);
            self.slots_written(to, count);
        }
    }

    /// Emits a move of a value of type `ty` to `to`.
    pub fn copy(&mut self, code: &mut Writer, ty: ValType, to: u16, from: Operand) {
        match from {
            Operand::Slot(from) if from == to => return,
            Operand::Slot(from) if Class::of(ty) == Class::V128 => {
                let operands = Unary { dst: SlotNo(to), a: SlotNo(from) };
                code.push(Instr::CopyVector, Target::Slot, operands);
            }
            Operand::Slot(from) => code.copy(to, from),
            Operand::Imm(value) if fits_32(value) => {
                let operands = CopyImm { dst: SlotNo(to), value: imm32(value) };
                code.push(Instr::CopyImm32, Target::Slot, operands);
            }
            Operand::Imm(value) => {
                let operands = CopyImm { dst: SlotNo(to), value };
                code.push(Instr::CopyImm64, Target::Slot, operands);
            }
            Operand::Acc => {
                let instr = Instr::CopyAcc { class: Class::of(ty) };
                code.push(instr, Target::Slot, Dst { dst: SlotNo(to) });
            }
        }
        self.value_written(ty, to);
    }

    /// Emits the sum of the local in slot `base` and `addend` to slot `to`. Accumulators stay, but
    /// for what they mirror.
    pub fn copy_sum(&mut self, code: &mut Writer, to: u16, base: u16, addend: Addend) {
        let (dst, first) = (SlotNo(to), SlotNo(base));
        match addend {
            Addend::Local(second) => {
                let operands = Binary { dst, first, second: SlotNo(second) };
                code.push(Instr::CopySum { right: Mode::Slot }, Target::Slot, operands);
            }
            Addend::Const(second) => {
                let operands = Binary { dst, first, second };
                code.push(Instr::CopySum { right: Mode::Imm }, Target::Slot, operands);
            }
        }
        self.value_written(ValType::I32, to);
    }

    /// The operand for reading `entry`, which was just popped; an accumulator only if `acc`.
    pub fn operand(&mut self, code: &mut Writer, entry: &Entry, acc: bool) -> Operand {
        let slot = match entry.place {
            Place::Const(value) => return Operand::Imm(value),
            Place::Temp => entry.slot,
            Place::Local(slot) => slot,
            Place::Sum(base, addend) => {
                self.copy_sum(code, entry.slot, base, addend);
                return Operand::Slot(entry.slot);
            }
            Place::Acc => {
                let class = Class::of(entry.ty);
                let state = self.acc(class);
                if acc {
                    self.set_acc(class, AccState::Empty);
                    return Operand::Acc;
                }
                if let AccState::Pending { at, instr, .. } = state {
                    code.set_slot(at, instr, entry.slot);
                    self.value_written(entry.ty, entry.slot);
                    self.set_acc(class, AccState::Mirror(entry.slot));
                }
                return Operand::Slot(entry.slot);
            }
        };
        match self.acc(Class::of(entry.ty)) {
            AccState::Mirror(s) if acc && s == slot => Operand::Acc,
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
