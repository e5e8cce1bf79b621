//! What is known of a compiled function's frames: where they hold references, and what they catch.

use crate::exec::throw::ReferencePlace;

/// The tables of one unit of code. Owner: the module's machine code.
#[derive(Debug, Default)]
pub struct FrameTables {
    /// Bytes from the native frame down to the place where the guest's frame is noted.
    pub guest_frame: u32,
    /// Bytes from the native frame down to the stack pointer at calls.
    pub stack_pointer: u32,
    /// Slots of locals that may lead to what is collected.
    pub locals: Vec<u16>,
    /// The slots of the operand stack that do at an operator during which a collection may come by;
    /// by the operator's position.
    pub sites: Vec<(u32, Box<[u16]>)>,
    /// By number.
    pub tries: Vec<Try>,
    pub clauses: Vec<Clause>,
    /// The innermost try around an operator that may throw, by the operator's position.
    pub throwing: Vec<(u32, u32)>,
    /// Offsets behind calls, numbers of clauses, and the offsets at which these go on; in order.
    pub landings: Vec<(u32, u32, u32)>,
}

/// A `try_table`, or one `catch` of a `try`.
#[derive(Debug)]
pub struct Try {
    /// The one around it, or [`NO_TRY`].
    pub outer: u32,
    /// The first of its clauses, and how many it has.
    pub first: u32,
    pub count: u32,
}

/// Stands for no try.
pub const NO_TRY: u32 = u32::MAX;

/// A clause, which leaves the values that it carries in the frame's slots.
#[derive(Clone, Copy, Debug)]
pub struct Clause {
    /// The tag that is caught; `None` for all.
    pub tag: Option<u32>,
    pub reference: ReferencePlace,
    /// The first slot.
    pub base: u16,
}

impl FrameTables {
    /// Whether nothing has to be known.
    pub fn is_empty(&self) -> bool {
        self.locals.is_empty() && self.sites.is_empty() && self.throwing.is_empty()
    }

    /// The innermost clause around a position whose tag `catches` accepts, with its number. Adds to
    /// `units` the number of clauses that were compared, and of tries without clauses.
    pub fn clause(
        &self,
        position: u32,
        units: &mut u64,
        mut catches: impl FnMut(Option<u32>) -> bool,
    ) -> Option<(u32, Clause)> {
        let place = self.throwing.binary_search_by_key(&position, |found| found.0).ok()?;
        let mut around = self.tries.get(self.throwing.get(place)?.1 as usize);
        while let Some(&Try { outer, first, count }) = around {
            *units += u64::from(count == 0);
            for number in first..first + count {
                *units += 1;
                let clause = *self.clauses.get(number as usize)?;
                if catches(clause.tag) {
                    return Some((number, clause));
                }
            }
            around = self.tries.get(outer as usize);
        }
        None
    }

    /// Where a clause goes on after a call with this offset behind it.
    pub fn landing(&self, after: u32, clause: u32) -> Option<u32> {
        let key = |landing: &(u32, u32, u32)| (landing.0, landing.1);
        let place = self.landings.binary_search_by_key(&(after, clause), key).ok()?;
        self.landings.get(place).map(|landing| landing.2)
    }

    /// The slots that hold references while the function is at a position.
    pub fn references(&self, position: u32) -> impl Iterator<Item = u16> {
        let site = self.sites.binary_search_by_key(&position, |site| site.0).ok();
        let held = site.and_then(|site| self.sites.get(site));
        self.locals.iter().copied().chain(held.into_iter().flat_map(|held| held.1.iter().copied()))
    }
}
