//! The search for the handler of an exception.
//!
//! Entering a `try_table` costs nothing: each translated function has [`Tables`] of its handlers.
//! When guest code throws, the frames of its run are searched with these tables. If none of them
//! catches the exception, `exec::throw` asks the runs further out. Control enters at [`throw()`],
//! [`throw_ref`] and [`go_on`], from `handlers::exceptions`, and at [`catches`] and [`references`],
//! from `exec`.
//!
//! The same tables say where frames hold references to guests' objects, which is all that
//! collections need to know of stacks.

use super::code::{At, ModuleCode};
use super::frames::{caller, table_of};
use super::handlers::profile;
use super::machine::{Header, Ip, Offset};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmThrown};
use crate::exec::throw::{self, ReferencePlace};
use crate::exec::{GuestCode, Point, Search, Show, Shown, Sought, work};
use std::ops::Range;
use std::ptr;

/// The handlers and references of one function's code. Owner: the module's code table.
pub struct Tables {
    /// Segments and inner tries refer to them by their indices.
    pub tries: Box<[Try]>,
    /// In the order of the code.
    pub segments: Box<[Segment]>,
    pub clauses: Box<[Clause]>,
    /// Slots of locals that may lead to what is collected.
    pub locals: Box<[u16]>,
    /// References on the operand stack, in the order in which they were pushed.
    pub held: Box<[Held]>,
    /// The offsets of the calls and throws at which references are held, in order.
    pub sites: Box<[Offset]>,
    /// The starts of loops with their positions in the module, in the order of the code; empty
    /// unless the translation was asked for them.
    pub loops: Box<[(Offset, u32)]>,
}

/// A `try_table` with clauses, a `catch` of a `try`, or a `delegate` (`compile::legacy`).
pub struct Try {
    /// The one around it, or [`NO_TRY`].
    pub outer: u32,
    pub clauses: Range<u32>,
}

/// Stands for no `try_table`.
pub const NO_TRY: u32 = u32::MAX;

/// A piece of code that is in the same `try_table`s. It ends where the next one starts.
pub struct Segment {
    pub start: Offset,
    /// The innermost one, or [`NO_TRY`].
    pub innermost: u32,
}

/// A reference that is on the operand stack at some of the sites.
#[derive(Clone, Copy)]
pub struct Held {
    pub slot: u16,
    /// The first of the sites at which it is there, and the first at which it no longer is.
    pub first: u32,
    pub end: u32,
    /// The reference below it, or [`Held::NONE`].
    pub below: u32,
}

impl Held {
    pub const NONE: u32 = u32::MAX;
}

/// A clause of a `try_table` or a `try`.
#[derive(Clone, Copy)]
pub struct Clause {
    /// The tag that is caught; `None` for all.
    pub tag: Option<u32>,
    pub reference: ReferencePlace,
    /// First slot of the values that the clause carries.
    pub base: u16,
    /// The instruction to go on with.
    pub target: Offset,
    /// The cost of one more turn if the clause leads to a loop, else zero.
    pub cost: u32,
}

impl Tables {
    /// The position in the module of the loop that starts here, if one does.
    pub fn loop_at(&self, start: Offset) -> Option<u32> {
        let place = self.loops.binary_search_by_key(&start, |found| found.0).ok()?;
        self.loops.get(place).map(|found| found.1)
    }

    /// The size of the tables in bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.tries)
            + size_of_val(&*self.segments)
            + size_of_val(&*self.clauses)
            + size_of_val(&*self.locals)
            + size_of_val(&*self.held)
            + size_of_val(&*self.sites)
    }

    /// The innermost clause around `offset` whose tag `catches` accepts. Adds to `units` the number
    /// of clauses that were compared, and of tries without clauses.
    fn clause(
        &self,
        offset: Offset,
        units: &mut u64,
        mut catches: impl FnMut(Option<u32>) -> bool,
    ) -> Option<Clause> {
        let after = self.segments.partition_point(|segment| segment.start <= offset);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        let mut around = self.tries.get(segment.innermost as usize);
        while let Some(Try { outer, clauses }) = around {
            let clauses = self.clauses.get(clauses.start as usize..clauses.end as usize)?;
            *units += u64::from(clauses.is_empty());
            let mut looked_at = clauses.iter().inspect(|_| *units += 1);
            if let Some(clause) = looked_at.find(|clause| catches(clause.tag)) {
                return Some(*clause);
            }
            around = self.tries.get(*outer as usize);
        }
        None
    }

    /// The slots that hold references while the function is at `offset`, and `None` for each entry
    /// of `held` that was visited but is not there.
    fn references(&self, offset: Offset) -> impl Iterator<Item = Option<u16>> {
        let site = self.sites.binary_search(&offset).ok().map(|site| site as u32);
        // All that are there lie below the one that was pushed last before the site.
        let last = site.and_then(|site| {
            let after = self.held.partition_point(|held| held.first <= site);
            self.held.get(after.checked_sub(1)?)
        });
        let below = |held: &&Held| self.held.get(held.below as usize);
        let held = std::iter::successors(last, below);
        let is_there = move |held: &Held| site.is_some_and(|site| site < held.end);
        let held = held.map(move |held| is_there(held).then_some(held.slot));
        self.locals.iter().copied().map(Some).chain(held)
    }
}

/// The frames of one run, innermost first.
struct Walk<'a> {
    table: &'a ModuleCode,
    next: Option<Point>,
}

/// A frame of a run, and the place of its function.
#[derive(Clone, Copy)]
struct Step<'a> {
    at: At<'a>,
    sp: *mut u64,
}

impl Walk<'_> {
    /// The frames of an activation whose guest code is at `point`, a call or an instruction that
    /// throws.
    ///
    /// # Safety
    /// The guest code is there and stays there during `'a`; the activation is live and its engine
    /// this one.
    unsafe fn new<'a>(activation: *const VmActivation, point: Point) -> Walk<'a> {
        // SAFETY: the caller guarantees that the activation is live and this engine's.
        Walk { table: unsafe { table_of(activation) }, next: Some(point) }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let Point { ip, sp } = self.next.take()?;
        // SAFETY: the caller of `Walk::new` guarantees the innermost frame, and the header of each
        // leads to the one around it. All are at calls, but for the innermost one, which may be at
        // an instruction that throws.
        unsafe {
            let at = self.table.place(ip)?;
            self.next = caller(at.code, sp);
            Some(Step { at, sp })
        }
    }
}

/// Units charged for each frame that is searched; a clause is one more.
const FRAME: u64 = work::SLOW;

/// The frame of a run that catches an exception with `tag`, and the clause. The frames and clauses
/// that are searched are charged for, so that the search may end in a trap.
///
/// # Safety
/// As for [`Walk::new`]; `env` is the live environment of the code that throws.
unsafe fn handler<'a>(
    env: *mut VmEnv,
    activation: *const VmActivation,
    point: Point,
    (tag, search): Sought,
) -> Result<Option<(Step<'a>, Clause)>, Trap> {
    // SAFETY: the caller guarantees the contract of `Walk::new` and that `env` is live. All frames
    // of a run have the activation's instance, and validation has checked the clauses' tag indices.
    unsafe {
        let tags = (*(*(*activation).func).instance).tags;
        for step in Walk::new(activation, point) {
            let mut units = FRAME;
            let clause = step.at.tables.and_then(|tables| {
                tables.clause(step.at.offset, &mut units, |wanted| {
                    wanted.is_none_or(|index| ptr::eq(*tags.add(index as usize), tag))
                })
            });
            if search == Search::Charged {
                work::charge(env, units)?;
            }
            if let Some(clause) = clause {
                return Ok(Some((step, clause)));
            }
        }
        Ok(None)
    }
}

/// `Engine::catches`.
///
/// # Safety
/// The contract of `Engine`: the activation is live and this engine's, its guest code at a call at
/// `point`. `env` is the live environment of the code that throws.
pub unsafe fn catches(
    env: *mut VmEnv,
    activation: &VmActivation,
    point: Point,
    sought: Sought,
) -> Result<bool, Trap> {
    if Ip::of(point.ip).is_exit() {
        return Ok(false);
    }
    // SAFETY: the caller guarantees that the activation's guest code is at a call at `point`, and
    // that `env` is live.
    unsafe { Ok(handler(env, activation, point, sought)?.is_some()) }
}

/// `Engine::references`.
///
/// # Safety
/// The contract of `Engine`: the activation is live and this engine's, its guest code at `point`,
/// which is a call or an instruction that throws.
pub unsafe fn references(
    activation: &VmActivation,
    point: Point,
    show: Show<'_>,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees the contract of `Walk::new`; the tables name slots of frames.
    unsafe {
        if Ip::of(point.ip).is_exit() {
            return Ok(());
        }
        for step in Walk::new(activation, point) {
            show(Shown::Frame)?;
            for slot in step.at.tables.iter().flat_map(|t| t.references(step.at.offset)) {
                let place = slot.map(|slot| step.sp.add(slot.into()));
                show(place.map_or(Shown::Nothing, Shown::Reference))?;
            }
        }
    }
    Ok(())
}

/// Throws a new exception from the instruction at `point`, with the payload at `from`. If a frame
/// of this run catches it, the run goes on at the environment's `catch_ip` and `catch_sp`; else
/// returns the reason to leave the run.
///
/// # Safety
/// Called by a handler, with its registers; `tag` is an index of the module's.
#[inline(never)]
pub unsafe fn throw(env: *mut VmEnv, point: Point, tag: u32, from: *const u64) -> Result<(), Trap> {
    // SAFETY: a handler calls this with its registers: `env` is live, and its code at `point`.
    unsafe { raise(env, point, throw::made(env, tag, from), Search::Charged) }
}

/// As [`throw`], the exception that the reference in `word` leads to.
///
/// # Safety
/// Called by a handler, with its registers.
#[inline(never)]
pub unsafe fn throw_ref(env: *mut VmEnv, point: Point, word: u64) -> Result<(), Trap> {
    // SAFETY: a handler calls this with its registers: `env` is live, and its code at `point`.
    unsafe { raise(env, point, throw::referred(env, word)?, Search::Charged) }
}

/// As [`throw`], the exception that has come out of the call at `point`.
///
/// # Safety
/// Called by a handler, with its registers.
#[inline(never)]
pub unsafe fn go_on(env: *mut VmEnv, point: Point) -> Result<(), Trap> {
    // SAFETY: a handler calls this with its registers: `env` is live, and its code at `point`.
    unsafe { raise(env, point, throw::arrived(env)?, Search::Again) }
}

/// # Safety
/// As for [`throw`]; the exception is the link set's.
unsafe fn raise(
    env: *mut VmEnv,
    point: Point,
    thrown: VmThrown,
    search: Search,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that `env` is live, its code at `point`, and the exception the
    // link set's.
    unsafe {
        match handler(env, (*env).activation, point, (thrown.tag, search))? {
            Some((step, clause)) => catch(env, point, &thrown, step, clause),
            None => Err(throw::uncaught(env, thrown, search, || account(env, point, None))),
        }
    }
}

/// Hands an exception to a clause of the frame that `step` has come to.
///
/// # Safety
/// As for [`raise`]; the clause is for this exception.
unsafe fn catch(
    env: *mut VmEnv,
    point: Point,
    thrown: &VmThrown,
    step: Step<'_>,
    clause: Clause,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that environment and frame are live and that the clause is for
    // this exception; translation has counted the values that a clause carries into the frame.
    unsafe {
        let word = clause.reference.word(env, point, thrown)?;
        account(env, point, Some(step.sp));
        let first = step.sp.add(clause.base as usize);
        clause.reference.leave(thrown, clause.tag.is_none(), word, first);
        (*env).catch_ip = step.at.start.behind(clause.target).as_ptr();
        (*env).catch_sp = step.sp;
        (*env).budget -= clause.cost as i64;
    }
    Ok(())
}

/// Counts the calls that an exception ends, if the code measures their cost: those inside the frame
/// at `until`, or all of the run's.
///
/// # Safety
/// As for [`throw`].
unsafe fn account(env: *mut VmEnv, point: Point, until: Option<*mut u64>) {
    // SAFETY: a handler's environment is live, and its code at `point`; the time of a profiled
    // function's start lies behind its frame's header.
    unsafe {
        let mut walk = Walk::new((*env).activation, point);
        if !walk.table.is_profiled() {
            return;
        }
        let mut next = walk.next();
        while let Some(step) = next.filter(|step| Some(step.sp) != until) {
            next = walk.next();
            let began = *step.sp.add((step.at.code.header_slot + Header::SLOTS) as usize);
            let caller = next.map(|caller| caller.at.code.func_index);
            profile::left(env, step.at.code.func_index, began, caller);
        }
    }
}
