//! Who catches what guest code throws.
//!
//! Entering a `try_table` costs nothing: each translated function has a [`Tables`], by which its
//! handlers are found when something is thrown, from the frames as `frames` goes through them.
//! The frames are looked through first and nothing is undone before a handler was found, so that
//! what nobody catches leaves a whole stack for its trace. One run after the other is looked at
//! as long as they call each other; a host function in between ends the search.
//!
//! The same tables say where frames hold references to exceptions, which is all that sweeps need
//! to know of stacks.

use super::code::{At, ModuleCode};
use super::handlers::profile;
use super::machine::{Frame, Header, Offset};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmException, VmFuncKind, VmInstance, VmTag};
use crate::instance::exceptions::{self, Exceptions};
use crate::instance::{Instance, group};
use std::ops::Range;
use std::ptr::{self, NonNull};

/// What is known of one function's code besides the code. Owner: the module's code table.
pub struct Tables {
    /// In the order of their starts.
    pub tries: Box<[Try]>,
    /// In the order of the code.
    pub segments: Box<[Segment]>,
    pub clauses: Box<[Clause]>,
    /// Slots of locals that are references to exceptions.
    pub locals: Box<[u16]>,
    /// References on the operand stack, in the order in which they were pushed.
    pub held: Box<[Held]>,
    /// The instructions at which the function may be while there are any, in order.
    pub sites: Box<[Offset]>,
}

/// A `try_table` with clauses.
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

/// A reference to an exception that is on the operand stack at some of the sites.
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

/// A clause of a `try_table`.
#[derive(Clone, Copy)]
pub struct Clause {
    /// The tag that is caught; `None` for all.
    pub tag: Option<u32>,
    /// Whether a reference comes behind the payload.
    pub reference: bool,
    /// First slot of what is carried.
    pub base: u16,
    /// The instruction to go on with.
    pub target: Offset,
    /// What one more turn of a loop costs that the clause leads to.
    pub cost: u32,
}

impl Tables {
    /// What the tables take.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + size_of_val(&*self.tries)
            + size_of_val(&*self.segments)
            + size_of_val(&*self.clauses)
            + size_of_val(&*self.locals)
            + size_of_val(&*self.held)
            + size_of_val(&*self.sites)
    }

    /// The innermost clause around `offset` that `catches` what it is for.
    fn clause(&self, offset: Offset, catches: impl Fn(Option<u32>) -> bool) -> Option<Clause> {
        let after = self.segments.partition_point(|segment| segment.start <= offset);
        let segment = self.segments.get(after.checked_sub(1)?)?;
        let mut around = self.tries.get(segment.innermost as usize);
        while let Some(Try { outer, clauses }) = around {
            let clauses = self.clauses.get(clauses.start as usize..clauses.end as usize)?;
            if let Some(clause) = clauses.iter().find(|clause| catches(clause.tag)) {
                return Some(*clause);
            }
            around = self.tries.get(*outer as usize);
        }
        None
    }

    /// The slots that hold references while the function is at `offset`.
    fn references(&self, offset: Offset) -> impl Iterator<Item = u16> {
        let site = self.sites.binary_search(&offset).ok().map(|site| site as u32);
        // All that are there lie below the one that was pushed last before the site.
        let last = site.and_then(|site| {
            let after = self.held.partition_point(|held| held.first <= site);
            self.held.get(after.checked_sub(1)?)
        });
        let below = |held: &&Held| self.held.get(held.below as usize);
        let held = std::iter::successors(last, below);
        let held = held.filter(move |held| site.is_some_and(|site| site < held.end));
        self.locals.iter().copied().chain(held.map(|held| held.slot))
    }
}

/// The frames of one run, innermost first.
struct Walk<'a> {
    table: &'a ModuleCode,
    next: Option<(*const u8, *mut u64)>,
}

/// A frame of a run, and where its function is.
#[derive(Clone, Copy)]
struct Step<'a> {
    at: At<'a>,
    sp: *mut u64,
}

impl Walk<'_> {
    /// The frames of an activation whose guest code is at `ip`, on the frame at `sp`.
    ///
    /// # Safety
    /// That is so, and stays so during `'a`; the activation is live.
    unsafe fn new<'a>(activation: *const VmActivation, ip: *const u8, sp: *mut u64) -> Walk<'a> {
        // SAFETY: says the caller; a module's code lives as long as its instances.
        let table = unsafe { &*(*(*(*activation).func).code).module.cast::<ModuleCode>() };
        Walk { table, next: Some((ip, sp)) }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Step<'a>;

    fn next(&mut self) -> Option<Step<'a>> {
        let (ip, sp) = self.next.take()?;
        // SAFETY: whoever made the walk vouched for the frame, whose header is where its code
        // says, and leads to the next one. All frames are at calls, but for the innermost one,
        // which may be at an instruction that throws.
        let (at, Header { back_to, caller }) = unsafe {
            let at = self.table.place(ip)?;
            (at, *Frame::of(sp).header(at.code.header_slot))
        };
        self.next = back_to.call().map(|call| (call.as_ptr(), caller.as_ptr()));
        Some(Step { at, sp })
    }
}

/// The instance that an activation runs on.
///
/// # Safety
/// The activation is live.
unsafe fn instance_of(activation: *const VmActivation) -> *mut VmInstance {
    // SAFETY: says the caller; its function belongs to a live instance.
    unsafe { (*(*activation).func).instance }
}

/// The frame of a run that catches an exception with `tag`, and the clause.
///
/// # Safety
/// As for [`Walk::new`].
unsafe fn handler(
    activation: *const VmActivation,
    ip: *const u8,
    sp: *mut u64,
    tag: *const VmTag,
) -> Option<(Step<'static>, Clause)> {
    // SAFETY: passed on to the caller; tag indices are those of the instance's module.
    unsafe {
        let tags = (*instance_of(activation)).tags;
        Walk::new(activation, ip, sp).find_map(|step| {
            let clause = step.at.tables?.clause(step.at.offset, |wanted| {
                wanted.is_none_or(|index| ptr::eq(*tags.add(index as usize), tag))
            })?;
            Some((step, clause))
        })
    }
}

/// Whether guest code catches exceptions with `tag` that has called this activation's, from one
/// instance to the next without a host function in between.
///
/// # Safety
/// The activation is live, and so are those around it.
unsafe fn is_caught_outside(activation: *const VmActivation, tag: *const VmTag) -> bool {
    let mut inner = activation;
    // SAFETY: says the caller; what an activation notes of a call is true while the call lasts.
    unsafe {
        while let Some(outer) = (*inner).outer.as_ref() {
            let &VmActivation { func, ip, sp, host, .. } = outer;
            if (*func).kind != VmFuncKind::Wasm || ip.is_null() || !host.is_null() {
                return false;
            }
            if handler(outer, ip, sp, tag).is_some() {
                return true;
            }
            inner = outer;
        }
    }
    false
}

/// Throws a new exception from the instruction at `ip`, on the frame at `sp`, with the payload at
/// `from`. Zero if it is caught in this run, which goes on where the environment says; else the
/// code to leave guest code with.
///
/// # Safety
/// Called by a handler, with its registers; `tag` is an index of the module's.
#[inline(never)]
pub unsafe fn throw(
    env: *mut VmEnv,
    ip: *const u8,
    sp: *mut u64,
    tag: u32,
    from: *const u64,
) -> u32 {
    // SAFETY: says the caller; there is a tag for each index.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        let tag = *(*(*env).instance).tags.add(tag as usize);
        let made = instance.make_exception(tag, from).or_else(|_| {
            let mut roots = |marks: &mut Exceptions| roots(env, ip, sp, marks);
            exceptions::collect(instance.ptr(), &mut roots);
            instance.make_exception(tag, from)
        });
        match made {
            Ok(exception) => raise(env, ip, sp, exception),
            Err(trap) => trap as u32,
        }
    }
}

/// As [`throw`], the exception that the reference in `word` leads to.
///
/// # Safety
/// Called by a handler, with its registers.
#[inline(never)]
pub unsafe fn throw_ref(env: *mut VmEnv, ip: *const u8, sp: *mut u64, word: u64) -> u32 {
    // SAFETY: says the caller.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        match exceptions::find(instance.ptr(), word) {
            Some(exception) => raise(env, ip, sp, exception),
            // What a host function wrote where only references may be.
            None => Trap::NullReference as u32,
        }
    }
}

/// As [`throw`], the exception that has come out of the call at `ip`.
///
/// # Safety
/// Called by a handler, with its registers.
#[inline(never)]
pub unsafe fn go_on(env: *mut VmEnv, ip: *const u8, sp: *mut u64) -> u32 {
    // SAFETY: says the caller; an exception that is on its way out is live.
    unsafe {
        let exception = std::mem::replace(&mut (*env).exception, ptr::null_mut());
        match NonNull::new(exception) {
            Some(exception) => raise(env, ip, sp, exception),
            None => Trap::Internal as u32,
        }
    }
}

/// # Safety
/// As for [`throw`]; the exception is live and of the group.
unsafe fn raise(
    env: *mut VmEnv,
    ip: *const u8,
    sp: *mut u64,
    exception: NonNull<VmException>,
) -> u32 {
    // SAFETY: says the caller.
    unsafe {
        let (activation, tag) = ((*env).activation, exception.as_ref().tag);
        if let Some((step, clause)) = handler(activation, ip, sp, tag) {
            return match catch(env, ip, sp, exception, step, clause) {
                Ok(()) => 0,
                Err(trap) => trap as u32,
            };
        }
        if is_caught_outside(activation, tag) {
            account(env, ip, sp, None);
            (*env).exception = exception.as_ptr();
        } else if !exception.as_ref().shared {
            exceptions::discard(exception);
        }
        Trap::UncaughtException as u32
    }
}

/// Hands an exception to a clause of the frame that `step` has come to.
///
/// # Safety
/// As for [`raise`]; the clause is for this exception.
unsafe fn catch(
    env: *mut VmEnv,
    ip: *const u8,
    sp: *mut u64,
    exception: NonNull<VmException>,
    step: Step<'_>,
    clause: Clause,
) -> Result<(), Trap> {
    // SAFETY: says the caller; the frame has room for what its clauses carry.
    unsafe {
        if clause.reference {
            let instance = Instance::of_vm((*env).instance).ptr();
            let mut roots = |marks: &mut Exceptions| roots(env, ip, sp, marks);
            exceptions::share(instance, exception, &mut roots).inspect_err(|_| {
                exceptions::discard(exception);
            })?;
        }
        account(env, ip, sp, Some(step.sp));
        let mut slot = step.sp.add(clause.base as usize);
        if clause.tag.is_some() {
            let count = exception.as_ref().slots as usize;
            slot.copy_from_nonoverlapping(exceptions::payload(exception), count);
            slot = slot.add(count);
        }
        if clause.reference {
            *slot = exception.as_ptr().expose_provenance() as u64;
        } else if !exception.as_ref().shared {
            exceptions::discard(exception);
        }
        (*env).catch_ip = step.at.start.behind(clause.target).as_ptr();
        (*env).catch_sp = step.sp;
        (*env).budget -= clause.cost as i64;
    }
    Ok(())
}

/// Counts what the calls have cost that end before the frame at `until`, or all of the run's, in
/// code that measures.
///
/// # Safety
/// As for [`throw`].
unsafe fn account(env: *mut VmEnv, ip: *const u8, sp: *mut u64, until: Option<*mut u64>) {
    // SAFETY: says the caller; a profiled function's start lies behind its frame's header.
    unsafe {
        let mut walk = Walk::new((*env).activation, ip, sp);
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

/// What finding the references of one frame costs, in bytes of exceptions.
const FRAME_COST: usize = 64;

/// Marks the exceptions that the stacks of a group lead to, the stack of `env` being at `ip` and
/// `sp`; tells what that has cost. `None` if guest code has been interrupted where nothing is
/// known of its frames.
///
/// # Safety
/// As for [`throw`].
unsafe fn roots(
    env: *mut VmEnv,
    ip: *const u8,
    sp: *mut u64,
    marks: &mut Exceptions,
) -> Option<usize> {
    // SAFETY: says the caller; one thread uses a group, so that its other stacks wait for this.
    unsafe {
        let mut cost = stack_roots(env, Some((ip, sp)), marks);
        let instance = Instance::of_vm((*env).instance).ptr();
        group::for_each(instance, &mut |member| {
            member.as_ref().envs.for_each(|other| {
                if !ptr::eq(other, env) {
                    cost = cost.zip(stack_roots(other, None, marks)).map(|(a, b)| a + b);
                }
            });
        });
        cost
    }
}

/// As [`roots`], of one stack; `at` is where its innermost guest code is, if that runs.
///
/// # Safety
/// `env` is live, and its thread is this one.
unsafe fn stack_roots(
    env: *const VmEnv,
    mut at: Option<(*const u8, *mut u64)>,
    marks: &mut Exceptions,
) -> Option<usize> {
    let mut cost = 0;
    // SAFETY: says the caller; the tables name slots of the frame that hold references.
    unsafe {
        let mut next = (*env).activation.as_ref();
        while let Some(activation) = next {
            next = activation.outer.as_ref();
            if (*activation.func).kind != VmFuncKind::Wasm {
                continue;
            }
            let noted = (!activation.ip.is_null()).then_some((activation.ip, activation.sp));
            let (ip, sp) = at.take().or(noted)?;
            for step in Walk::new(activation, ip, sp) {
                cost += FRAME_COST;
                for slot in step.at.tables.iter().flat_map(|t| t.references(step.at.offset)) {
                    marks.mark(*step.sp.add(slot as usize));
                }
            }
        }
    }
    Some(cost)
}
