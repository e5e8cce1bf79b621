//! Types and slots of a function's parameters and locals.
//!
//! A body declares its locals in runs of one type, and a few bytes can declare 50,000 of them. So
//! only the first are listed one by one; the others are found in the list of runs.

use super::make_room;
use crate::abi::trap::Trap;
use crate::abi::types::ValType;

/// Locals that are listed one by one: almost all that are used often.
const LISTED: usize = 64;

/// The parameters and locals of one function. Control enters at `add`, when translation of the
/// function begins, and at `get`, for each access.
#[derive(Default)]
pub struct Locals {
    listed: Vec<(ValType, u16)>,
    runs: Vec<Run>,
    /// Parameters and locals so far.
    count: u32,
    /// The first slot behind them.
    slots: u32,
}

/// Locals of one type, one behind the other.
struct Run {
    first: u32,
    count: u32,
    ty: ValType,
    slot: u32,
}

impl Locals {
    pub fn add(&mut self, count: u32, ty: ValType) -> Result<(), Trap> {
        let listed = (count as usize).min(LISTED.saturating_sub(self.listed.len()));
        make_room(&mut self.listed, listed)?;
        for number in 0..listed as u32 {
            self.listed.push((ty, (self.slots + number * ty.slots()) as u16));
        }
        match self.runs.last_mut() {
            Some(run) if run.ty == ty && run.slot + run.count * ty.slots() == self.slots => {
                run.count += count;
            }
            _ => {
                make_room(&mut self.runs, 1)?;
                self.runs.push(Run { first: self.count, count, ty, slot: self.slots });
            }
        }
        self.count += count;
        self.slots += count * ty.slots();
        Ok(())
    }

    /// Leaves the next `slots` out: the frame's header, which lies behind the parameters.
    pub fn skip(&mut self, slots: u32) {
        self.slots += slots;
    }

    /// The first slot behind all of them.
    pub fn slots(&self) -> u32 {
        self.slots
    }

    #[inline(always)]
    pub fn get(&self, index: u32) -> Option<(ValType, u16)> {
        match self.listed.get(index as usize) {
            Some(&local) => Some(local),
            None => self.find(index),
        }
    }

    #[cold]
    #[inline(never)]
    fn find(&self, index: u32) -> Option<(ValType, u16)> {
        let after = self.runs.partition_point(|run| run.first <= index);
        let run = self.runs.get(after.checked_sub(1)?)?;
        let number = index - run.first;
        (number < run.count).then_some((run.ty, (run.slot + number * run.ty.slots()) as u16))
    }

    /// The slots of those that may lead to what is collected.
    pub fn collected(&self) -> impl Iterator<Item = u16> {
        let runs = self.runs.iter().filter(|run| run.ty.is_collected());
        runs.flat_map(|run| (0..run.count).map(|i| (run.slot + i * run.ty.slots()) as u16))
    }
}
