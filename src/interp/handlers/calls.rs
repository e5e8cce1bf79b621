//! Calls within the module, and returns.
//!
//! A frame begins with the parameters, followed by a header: the return address, and the
//! caller's frame. The caller leaves arguments in its topmost slots, which become the
//! callee's parameters without being moved; results come back in the same place.

use super::{Refill, none, trap};
use crate::abi::lanes::V128;
use crate::abi::trap::Trap;
use crate::exec::work;
use crate::interp::code::VmCode;
use crate::interp::dispatch::{Regs, Ret, Stop, handler, next, slow, to_slow};
use crate::interp::instr::{Class, Instr, Mode};
use crate::interp::machine::{Frame, Header, Ip};
use crate::interp::operand::{Acc, Imm32, Slot, Src, Value};
use crate::interp::shape::{self, Entry, Picked, SlotNo};
use std::sync::atomic::Ordering;

/// The outcome of entering a function.
pub enum Entered {
    /// `r` is at the function's first instruction.
    Ready,
    /// As `Ready`, but the budget is used up and has to be refilled first.
    Refill,
    /// There is no room for the frame; nothing has changed.
    Overflow,
}

/// How a function's parameters and header come to its frame. A trait and no closures, because
/// these are inlined for sure, and leaves must call nothing.
pub trait Arrival: Copy {
    /// The place of the header, which is the code's `header_slot`.
    ///
    /// # Safety
    /// `entry` is that of the function that the frame is for.
    #[inline(always)]
    unsafe fn header(self, frame: Frame, entry: *const Entry) -> *mut Header {
        // SAFETY: the caller guarantees that it is the function's entry.
        frame.header(unsafe { (*entry).header_slot.into() })
    }

    /// Moves the parameters to the frame, unless they are there already.
    ///
    /// # Safety
    /// There is room for the frame.
    #[inline(always)]
    unsafe fn arrange(self, _frame: Frame) {}
}

/// The parameters are in place; the function says where its header belongs.
#[derive(Clone, Copy)]
struct InPlace;

impl Arrival for InPlace {}

/// The parameters are in place; the instruction says where the header belongs.
#[derive(Clone, Copy)]
struct Headed(*mut Header);

impl Arrival for Headed {
    #[inline(always)]
    unsafe fn header(self, _frame: Frame, _entry: *const Entry) -> *mut Header {
        self.0
    }
}

/// Enters code with its parameters at `frame` and `back` as its header. The parameters are moved
/// after the check that there is room. The function's first instructions clear its locals.
///
/// Little is live at once: three processor registers are free in a leaf, and another one would have
/// to be saved.
///
/// # Safety
/// `frame` must lie in the environment's slots and hold the parameters once they are moved, and
/// `back` must be an instruction with the frame of its function.
#[inline(always)]
unsafe fn set_up(
    r: &mut Regs,
    first: Ip,
    frame: Frame,
    back: Header,
    arrival: impl Arrival,
) -> Entered {
    // SAFETY: the end of the frame, which contains the header, is compared with the limit before
    // the first write; what stands before the code does not change.
    unsafe {
        let env = r.env;
        let entry = first.entry();
        // This is at most 512 KiB beyond `frame`, and does not wrap: no allocation lies so close to
        // the end of the addresses.
        if frame.slots_on((*entry).frame_slots.into()) > (*env).stack_limit {
            return Entered::Overflow;
        }
        arrival.arrange(frame);
        *arrival.header(frame, entry) = back;
        r.ip = first;
        r.sp = frame;
        (*env).budget -= (*entry).cost as i64;
        if (*env).budget < 0 { Entered::Refill } else { Entered::Ready }
    }
}

/// A leaf's way into a function that is found at run time.
///
/// # Safety
/// `frame` must lie in the environment's slots and hold the parameters, and `back_to` must be an
/// instruction of the function with `r`'s frame.
#[inline(always)]
pub unsafe fn enter_leaf(r: Regs, code: *const VmCode, frame: Frame, back_to: Ip) -> Ret {
    let back = Header { back_to, caller: r.sp };
    // SAFETY: the caller guarantees that the parameters are at `frame` already, and the rest of the
    // contract of `enter_leaf_with`.
    unsafe { enter_leaf_with(r, code, frame, back, InPlace) }
}

/// A leaf's way into a function; the contract is that of [`enter_with`].
///
/// # Safety
/// As for [`enter_with`].
#[inline(always)]
pub unsafe fn enter_leaf_with(
    mut r: Regs,
    code: *const VmCode,
    frame: Frame,
    back: Header,
    arrival: impl Arrival,
) -> Ret {
    // SAFETY: the caller keeps the contract of `enter_with`, which is that of `set_up`; after it,
    // `r` is at the function's first instruction, or unchanged.
    unsafe {
        let first = Ip::of((*code).entry.load(Ordering::Acquire).cast());
        match set_up(&mut r, first, frame, back, arrival) {
            Entered::Ready => next(r),
            Entered::Refill => to_slow::<Refill>(r, &()),
            Entered::Overflow => trap(r, Trap::OperandStackOverflow),
        }
    }
}

/// Enters a function from elsewhere: `r` is at its first instruction then.
///
/// # Safety
/// `frame` must lie in the environment's slots and hold the parameters, and `back_to` must be an
/// instruction of the function with `r`'s frame.
#[inline]
pub unsafe fn enter(
    r: &mut Regs,
    code: *const VmCode,
    frame: Frame,
    back_to: Ip,
) -> Result<(), Stop> {
    let back = Header { back_to, caller: r.sp };
    // SAFETY: the caller guarantees that the parameters are at `frame` already, and the rest of the
    // contract of `enter_with`.
    unsafe { enter_with(r, code, frame, back, InPlace) }
}

/// As [`enter`], with the header `back`, and with parameters that may have to be moved to `frame`.
/// If there is no room, nothing has changed.
///
/// # Safety
/// `frame` must lie in the environment's slots and hold the parameters once they are moved, and
/// `back` must be an instruction with the frame of its function.
#[inline(always)]
pub unsafe fn enter_with(
    r: &mut Regs,
    code: *const VmCode,
    frame: Frame,
    back: Header,
    arrival: impl Arrival,
) -> Result<(), Stop> {
    // SAFETY: the caller keeps the contract of `set_up`, which is this function's own.
    unsafe {
        let first = Ip::of((*code).entry.load(Ordering::Acquire).cast());
        enter_at(r, first, frame, back, arrival)
    }
}

/// As [`enter`], into the interpreter's own code, whatever else the function has.
///
/// # Safety
/// As for [`enter`].
#[inline(always)]
pub unsafe fn enter_own(
    r: &mut Regs,
    code: *const VmCode,
    frame: Frame,
    back_to: Ip,
) -> Result<(), Stop> {
    let back = Header { back_to, caller: r.sp };
    // SAFETY: the caller keeps the contract of `enter`.
    unsafe {
        let first = Ip::of((*code).own.load(Ordering::Acquire).cast());
        enter_at(r, first, frame, back, InPlace)
    }
}

/// As [`enter_with`], at the first instruction of one of the function's codes.
///
/// # Safety
/// As for [`enter_with`].
#[inline(always)]
unsafe fn enter_at(
    r: &mut Regs,
    first: Ip,
    frame: Frame,
    back: Header,
    arrival: impl Arrival,
) -> Result<(), Stop> {
    // SAFETY: the caller keeps the contract of `set_up`, which is this function's own.
    unsafe {
        match set_up(r, first, frame, back, arrival) {
            Entered::Ready => Ok(()),
            Entered::Refill => Ok(work::refill(r.env)?),
            Entered::Overflow => Err(Trap::OperandStackOverflow.into()),
        }
    }
}

handler!(
    /// Calls a function of this module.
    call [] |r, i: shape::Call| {
    let (sp, frame) = (r.sp, r.sp.inner(i.frame));
    let back = Header { back_to: r.ip.next::<shape::Call>(), caller: sp };
    enter_leaf_with(r, i.code, frame, back, Headed(sp.header(i.header.into())))
});

slow!(
    /// First instruction of every function that was not called yet: translates it, then enters
    /// it again. The header has been written and stays as it is.
    Translate |r, i: shape::Translate| {
    let code = i.code;
    crate::interp::code::translate(r.env, code)?;
    let (frame, header) = (r.sp, r.sp.header((*code).header_slot));
    enter_with(r, code, frame, *header, InPlace)
});

/// The header of the running function: its return address, and the caller's frame.
///
/// # Safety
/// The slot is where the running frame has its header.
#[inline(always)]
unsafe fn caller(r: &Regs, header: SlotNo) -> Header {
    // SAFETY: the caller guarantees the slot, and `set_up` has written the header there.
    unsafe { *r.sp.header(header.into()) }
}

/// The place of the header in the frame of a function that returns.
pub trait HeaderAt {
    /// The slot, of which the instruction says `slot`.
    fn slot(slot: SlotNo) -> SlotNo;
}

/// A function with `N` slots of parameters. The return address is known without the instruction
/// that returns, so that the processor goes on in the caller before it has followed all jumps of
/// the called function.
pub struct HeaderIn<const N: u16>;

impl<const N: u16> HeaderAt for HeaderIn<N> {
    #[inline(always)]
    fn slot(_slot: SlotNo) -> SlotNo {
        SlotNo(N)
    }
}

/// Any other function.
pub struct HeaderAnywhere;

impl HeaderAt for HeaderAnywhere {
    #[inline(always)]
    fn slot(slot: SlotNo) -> SlotNo {
        slot
    }
}

handler!(return_none [H: HeaderAt] |r, i: shape::Return| {
    let Header { back_to, caller } = caller(&r, H::slot(i.header));
    (r.ip, r.sp) = (back_to, caller);
    next(r)
});

handler!(
    /// Returns one value, in slot 0 and in its accumulator.
    return_one [T: Value, S: Src<T>, H: HeaderAt] |r, i: shape::ReturnOne<S::Field>| {
    let value = S::read(&r, i.value);
    T::set_acc(&mut r, value);
    let Header { back_to, caller } = caller(&r, H::slot(i.header));
    // Without parameters slot 0 is the header's own first slot.
    r.set(SlotNo::FIRST, value);
    (r.ip, r.sp) = (back_to, caller);
    next(r)
});

slow!(
    /// Returns `count` slots, the results of a function.
    ReturnMany |r, i: shape::ReturnMany| {
    let Header { back_to, caller } = caller(r, i.header);
    let count = i.count as usize;
    work::charge(r.env, work::of_slots(count))?;
    std::ptr::copy(r.sp.slot(i.from), r.sp.as_ptr(), count);
    (r.ip, r.sp) = (back_to, caller);
    Ok(())
});

/// Expands to the match of a header's slot, with `$h` as its type in `$picked`.
macro_rules! by_header {
    ($header:expr, $h:ident => $picked:expr) => {
        match $header {
            0 => {
                type $h = HeaderIn<0>;
                $picked
            }
            1 => {
                type $h = HeaderIn<1>;
                $picked
            }
            2 => {
                type $h = HeaderIn<2>;
                $picked
            }
            3 => {
                type $h = HeaderIn<3>;
                $picked
            }
            4 => {
                type $h = HeaderIn<4>;
                $picked
            }
            Instr::HEADER_MAX => {
                type $h = HeaderIn<{ Instr::HEADER_MAX }>;
                $picked
            }
            _ => {
                type $h = HeaderAnywhere;
                $picked
            }
        }
    };
}

/// The handler that returns no value.
pub fn return_none_handler(header: u16) -> Picked {
    by_header!(header, H => Picked::leaf(return_none::<H>))
}

/// The handler that returns one value of `class`; immediates are integers only.
pub fn return_one_handler(class: Class, source: Mode, header: u16) -> Picked {
    by_header!(header, H => match (class, source) {
        (Class::Int, Mode::Acc) => Picked::leaf(return_one::<u64, Acc, H>),
        (Class::Int, Mode::Slot) => Picked::leaf(return_one::<u64, Slot, H>),
        (Class::Int, Mode::Imm) => Picked::leaf(return_one::<u64, Imm32, H>),
        (Class::F32, Mode::Acc) => Picked::leaf(return_one::<f32, Acc, H>),
        (Class::F32, Mode::Slot) => Picked::leaf(return_one::<f32, Slot, H>),
        (Class::F64, Mode::Acc) => Picked::leaf(return_one::<f64, Acc, H>),
        (Class::F64, Mode::Slot) => Picked::leaf(return_one::<f64, Slot, H>),
        (Class::V128, Mode::Acc) => Picked::leaf(return_one::<V128, Acc, H>),
        (Class::V128, Mode::Slot) => Picked::leaf(return_one::<V128, Slot, H>),
        (Class::F32 | Class::F64 | Class::V128, Mode::Imm) => none(),
    })
}
