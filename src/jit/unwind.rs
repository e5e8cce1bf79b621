//! The frames of runs of compiled code: references in them, and handlers of exceptions.
//!
//! Entering a `try_table` costs nothing: each compiled function has tables of its clauses
//! (`frame_tables`). When compiled code throws, the frames of its run are searched with these, as
//! far as the frame of `enter::isothread_jit_enter`; if none of them catches the exception,
//! `exec::throw` asks the runs further out. A clause goes on behind the call that its frame is at,
//! on that frame.

use super::code::TieredCode;
use super::frame_tables::Clause;
use super::frames::{NativeFrame, trapped};
use super::made::CodePlace;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmThrown};
use crate::exec::{Point, Search, Show, Shown, Sought, throw, work};
use crate::interp::VmCode;
use std::ptr;

/// The code that the running function of an activation belongs to.
///
/// # Safety
/// The activation is live and of a run of compiled code, whose code lives as long.
pub unsafe fn code_of<'a>(activation: *const VmActivation) -> &'a TieredCode {
    // SAFETY: the caller guarantees a run of compiled code: its function's body is a record.
    unsafe { TieredCode::of((*(*activation).func).body.code.cast::<VmCode>()) }
}

/// The frames of one run, innermost first.
struct Walk<'a> {
    code: &'a TieredCode,
    next: Option<Point>,
}

/// A frame, and where its function is.
struct NativeStep {
    place: CodePlace,
    native: *const NativeFrame,
}

impl NativeStep {
    /// The guest's frame. Only of functions with tables.
    ///
    /// # Safety
    /// The frame is live, and its function has tables.
    unsafe fn guest_frame(&self) -> Option<*mut u64> {
        let down = self.place.tables.as_ref()?.guest_frame as usize;
        // SAFETY: a function with tables notes the guest's frame there when it begins.
        Some(unsafe { self.native.cast::<u8>().sub(down).cast::<*mut u64>().read() })
    }
}

impl<'a> Walk<'a> {
    /// # Safety
    /// The activation is live and of a run of compiled code, whose guest code is at the point and
    /// stays there meanwhile.
    unsafe fn new(activation: *const VmActivation, at: Point) -> Self {
        // SAFETY: says the caller.
        Self { code: unsafe { code_of(activation) }, next: Some(at) }
    }
}

impl Iterator for Walk<'_> {
    type Item = NativeStep;

    fn next(&mut self) -> Option<NativeStep> {
        let point = self.next.take()?;
        // The entry thunk's call has made the outermost frame, and is in no table.
        let place = self.code.place_of(point)?;
        let native = point.sp.cast::<NativeFrame>().cast_const();
        // SAFETY: the caller of `new` guarantees the innermost frame, and each leads to the next.
        self.next = Some(unsafe { (*native).caller_point() });
        Some(NativeStep { place, native })
    }
}

/// Units charged for each frame that is searched; a clause is one more.
const FRAME: u64 = work::SLOW;

/// A frame that catches an exception, and the number of the clause.
struct Handler {
    step: NativeStep,
    number: u32,
    clause: Clause,
}

/// The frame of a run that catches an exception with `tag`, and the clause. The frames and clauses
/// that are searched are charged for, so that the search may end in a trap.
///
/// # Safety
/// As for [`Walk::new`]; `env` is the live environment of the code that throws.
unsafe fn handler(
    env: *mut VmEnv,
    activation: *const VmActivation,
    at: Point,
    (tag, search): Sought,
) -> Result<Option<Handler>, Trap> {
    // SAFETY: the caller guarantees the contract of `Walk::new` and that `env` is live. All frames
    // of a run have the activation's instance, and validation has checked the clauses' tag indices.
    unsafe {
        let tags = (*(*(*activation).func).instance).tags;
        for step in Walk::new(activation, at) {
            let mut units = FRAME;
            let position = step.place.position;
            let found = step.place.tables.as_ref().and_then(|tables| {
                tables.clause(position, &mut units, |wanted| {
                    wanted.is_none_or(|index| ptr::eq(*tags.add(index as usize), tag))
                })
            });
            if search == Search::Charged {
                work::charge(env, units)?;
            }
            if let Some((number, clause)) = found {
                return Ok(Some(Handler { step, number, clause }));
            }
        }
        Ok(None)
    }
}

/// `Engine::catches`.
///
/// # Safety
/// The contract of `Engine`: the activation is live and this engine's, its guest code at the point.
/// `env` is the live environment of the code that throws.
pub unsafe fn catches(
    env: *mut VmEnv,
    activation: &VmActivation,
    at: Point,
    sought: Sought,
) -> Result<bool, Trap> {
    // SAFETY: the caller guarantees all that `handler` asks for.
    unsafe { Ok(handler(env, activation, at, sought)?.is_some()) }
}

/// `Engine::references`.
///
/// # Safety
/// The contract of `Engine`: the activation is live and this engine's, its guest code at the point,
/// which is a call or an operator that throws or makes an object.
pub unsafe fn references(activation: &VmActivation, at: Point, show: Show<'_>) -> Result<(), Trap> {
    // SAFETY: the caller guarantees the contract of `Walk::new`; the tables name slots of frames.
    unsafe {
        for step in Walk::new(activation, at) {
            show(Shown::Frame)?;
            let Some(frame) = step.guest_frame() else { continue };
            let tables = step.place.tables.iter();
            for slot in tables.flat_map(|tables| tables.references(step.place.position)) {
                show(Shown::Reference(frame.add(slot.into())))?;
            }
        }
    }
    Ok(())
}

/// Throws an exception from the point. Returns zero if a frame of this run catches it: the run goes
/// on at the environment's `catch_ip`, with `catch_sp` as the native stack pointer and the address
/// of the native frame in `scratch`. Else returns the code to end the run with.
///
/// # Safety
/// `env` is the running environment, in a run of compiled code that is at the point. The exception
/// is the link set's.
unsafe fn raise(env: *mut VmEnv, at: Point, thrown: VmThrown, search: Search) -> u32 {
    // SAFETY: the caller vouches for all of it.
    unsafe {
        let trap = match handler(env, (*env).activation, at, (thrown.tag, search)) {
            Ok(Some(handler)) => match catch(env, at, &thrown, &handler) {
                Ok(()) => return 0,
                Err(trap) => trap,
            },
            Ok(None) => throw::uncaught(env, thrown, search, || ()),
            Err(trap) => trap,
        };
        trapped(env, trap as u32, at)
    }
}

/// Hands an exception to a clause.
///
/// # Safety
/// As for [`raise`]; the handler is for this exception.
unsafe fn catch(
    env: *mut VmEnv,
    at: Point,
    thrown: &VmThrown,
    Handler { step, number, clause }: &Handler,
) -> Result<(), Trap> {
    // SAFETY: the caller guarantees that environment and frames are live; translation has counted
    // the values that a clause carries into the frame.
    unsafe {
        let tables = step.place.tables.as_ref().ok_or(Trap::Internal)?;
        let landing = tables.landing(step.place.after, *number).ok_or(Trap::Internal)?;
        let frame = step.guest_frame().ok_or(Trap::Internal)?;
        let word = clause.reference.word(env, at, thrown)?;
        let first = frame.add(clause.base.into());
        clause.reference.leave(thrown, clause.tag.is_none(), word, first);
        (*env).catch_ip = step.place.start.wrapping_add(landing as usize);
        let native = step.native.cast::<u8>();
        (*env).catch_sp = native.sub(tables.stack_pointer as usize).cast_mut().cast();
        (*env).scratch[0] = native.addr() as u64;
    }
    Ok(())
}

/// Throws a new exception with the payload at `from`, at the caller of the frame.
///
/// # Safety
/// Called by compiled code: `env` is the running environment, `tag` an index of its module's.
pub unsafe extern "C" fn throw_new(
    env: *mut VmEnv,
    tag: u32,
    from: *const u64,
    here: *const NativeFrame,
) -> u32 {
    // SAFETY: the caller of `here` is compiled code, at the call.
    unsafe {
        let thrown = throw::made(env, tag, from);
        raise(env, (*here).caller_point(), thrown, Search::Charged)
    }
}

/// As [`throw_new`], the exception that the reference in `word` leads to.
///
/// # Safety
/// Called by compiled code: `env` is the running environment.
pub unsafe extern "C" fn throw_ref(env: *mut VmEnv, word: u64, here: *const NativeFrame) -> u32 {
    // SAFETY: the caller of `here` is compiled code, at the call.
    unsafe {
        let at = (*here).caller_point();
        match throw::referred(env, word) {
            Ok(thrown) => raise(env, at, thrown, Search::Charged),
            Err(trap) => trapped(env, trap as u32, at),
        }
    }
}

/// Ends the run with a trap that compiled code has met, or goes on throwing the exception that has
/// come out of its call.
///
/// # Safety
/// Called by compiled code: `env` is the running environment.
pub unsafe extern "C" fn trap(env: *mut VmEnv, code: u32, here: *const NativeFrame) -> u32 {
    // SAFETY: the caller of `here` is compiled code, at the call.
    unsafe { ended_at(env, code, (*here).caller_point()) }
}

/// As [`trap`], of what has been done in the place of the function with the native frame `native`.
/// A trap has been noted.
///
/// # Safety
/// Called by compiled code: `env` is the running environment.
pub unsafe extern "C" fn pass_on(env: *mut VmEnv, code: u32, native: *const NativeFrame) -> u32 {
    // SAFETY: native frames of compiled code are linked; the caller of this one is at its call.
    unsafe {
        if (*env).exception.is_none() {
            return code;
        }
        ended_at(env, code, (*native).caller_point())
    }
}

/// # Safety
/// `env` is the running environment, its guest code at the point.
unsafe fn ended_at(env: *mut VmEnv, code: u32, at: Point) -> u32 {
    // SAFETY: the caller vouches for the environment.
    unsafe {
        if (*env).exception.is_none() {
            return trapped(env, code, at);
        }
        match throw::arrived(env) {
            Ok(thrown) => raise(env, at, thrown, Search::Again),
            Err(trap) => trapped(env, trap as u32, at),
        }
    }
}
