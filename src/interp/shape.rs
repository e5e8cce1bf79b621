//! Shapes: the forms of instructions in memory.
//!
//! An instruction is a [`Code`]: the address of its handler, then its operands, which are one of
//! the structs below. The translator writes them as a whole and handlers read the same struct, so
//! that no code knows the byte of a field. A handler's signature has the shape of its instructions
//! ([`HandlerFor`]), and [`Picked`] takes that along to the writer, which compares it with the
//! written shape in builds with debug assertions.
//!
//! An operand in the accumulator has a field for a slot that is not read. Of two operands the
//! constant is always the second, and the accumulator the first (`instr::is_exchanged`). A shape
//! begins with the fields that are filled in later: the slot of a result ([`Dst`]), the distance of
//! a branch ([`Forward`]); or with the one that other parts look for, a call's position ([`Site`]).

use super::code::{self, VmCode};
use super::dispatch::{Handler, HandlerFor, Slow, stub};
use crate::abi::heap_types::RefType;
use crate::exec::objects::ObjectOp;
use crate::gc::StructField;
use std::mem::{MaybeUninit, offset_of};

/// Eight bytes of code, as much of them as an instruction has.
pub type Word = MaybeUninit<u64>;

/// The beginning of every instruction, in a word of its own.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Op(Handler);

/// An instruction.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Code<S> {
    op: Op,
    operands: S,
}

impl<S: Shape> Code<S> {
    /// The instruction's size.
    pub const WORDS: usize = {
        // Operands begin at the same place in all of them, and none is larger than a word needs.
        assert!(align_of::<Self>() == align_of::<Word>() && size_of::<Op>() == size_of::<Word>());
        assert!(offset_of!(Self, operands) == size_of::<Op>());
        size_of::<Self>() / size_of::<Word>()
    };

    pub const fn new(handler: Handler, operands: S) -> Self {
        Self { op: Op(handler), operands }
    }

    #[inline(always)]
    pub fn handler(&self) -> Handler {
        self.op.0
    }

    #[inline(always)]
    pub fn operands(&self) -> &S {
        &self.operands
    }

    pub fn set_handler(&mut self, handler: Handler) {
        self.op = Op(handler);
    }

    pub fn operands_mut(&mut self) -> &mut S {
        &mut self.operands
    }
}

/// A struct of operands.
pub trait Shape: Copy + 'static {}

impl Shape for () {}

/// A shape whose first fields are those of `P`.
///
/// # Safety
/// The implementing struct begins with the fields of `P` in memory. `CHECK` fails to compile if it
/// does not.
pub unsafe trait Begins<P>: Shape {
    const CHECK: ();
}

// SAFETY: a shape begins with all of its own fields.
unsafe impl<S: Shape> Begins<S> for S {
    const CHECK: () = ();
}

/// A handler with the shape that it is for.
#[derive(Clone, Copy)]
pub struct Picked {
    pub handler: Handler,
    #[cfg(debug_assertions)]
    shape: std::any::TypeId,
}

impl Picked {
    fn new<S: Shape>(handler: Handler) -> Self {
        Self {
            handler,
            #[cfg(debug_assertions)]
            shape: std::any::TypeId::of::<S>(),
        }
    }

    #[inline(always)]
    pub fn leaf<S: Shape>(handler: HandlerFor<S>) -> Self {
        // SAFETY: the signatures differ only in the target type of a pointer. A handler is called
        // for instructions that were written with its address, and `Writer::push` has written those
        // with its shape.
        Self::new::<S>(unsafe { std::mem::transmute::<HandlerFor<S>, Handler>(handler) })
    }

    #[inline(always)]
    pub fn slow<S: Slow>() -> Self {
        Self::new::<S::Shape>(stub::<S>)
    }

    /// Whether the handler reads operands of the shape `S`. Only known to debug assertions.
    #[inline(always)]
    pub fn is_for<S: Shape>(&self) -> bool {
        #[cfg(debug_assertions)]
        return self.shape == std::any::TypeId::of::<S>();
        #[cfg(not(debug_assertions))]
        true
    }
}

/// The number of a slot in its frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(transparent)]
pub struct SlotNo(pub u16);

impl SlotNo {
    /// For fields that are not read, or not yet filled in.
    pub const NONE: Self = Self(0);
    /// Of the frame's first slot, where results go.
    pub const FIRST: Self = Self(0);
}

impl From<SlotNo> for u32 {
    #[inline(always)]
    fn from(slot: SlotNo) -> u32 {
        slot.0.into()
    }
}

/// Defines shapes: `Name [parameters] { fields }`. All types for a parameter are `Copy`.
macro_rules! shapes {
    ($(
        $(#[$meta:meta])*
        $name:ident $([$($gen:ident)+])? { $($(#[$of_field:meta])* $field:ident: $ty:ty,)+ }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Copy)]
        #[repr(C)]
        pub struct $name $(<$($gen),+>)? { $($(#[$of_field])* pub $field: $ty,)+ }

        impl $(<$($gen: Copy + 'static),+>)? Shape for $name $(<$($gen),+>)? {}
    )*};
}

shapes! {
    /// Only a result, or the first of some slots.
    Dst { dst: SlotNo, }
    Unary { dst: SlotNo, a: SlotNo, }
    /// `second` is a slot, or a constant of the type of the operands.
    Binary [F] { dst: SlotNo, first: SlotNo, second: F, }
    Select { dst: SlotNo, a: SlotNo, b: SlotNo, condition: SlotNo, }
    Ternary { dst: SlotNo, a: SlotNo, b: SlotNo, c: SlotNo, }
    /// The numbers of the bytes that come from each operand; the others have bit 7 set.
    Shuffle { dst: SlotNo, a: SlotNo, b: SlotNo, from_a: [u64; 2], from_b: [u64; 2], }
    /// As [`Shuffle`], of one vector.
    Permute { dst: SlotNo, a: SlotNo, from: [u64; 2], }
    /// The lower half first.
    VectorConst { dst: SlotNo, value: [u64; 2], }
    Extract { dst: SlotNo, a: SlotNo, lane: u8, }
    Replace { dst: SlotNo, a: SlotNo, value: SlotNo, lane: u8, }
    /// `last` is the offset of the last byte from the address in a slot, as in all accesses to
    /// memory 0 with addresses of 32 bits.
    Load { dst: SlotNo, address: SlotNo, last: u32, }
    /// A load at a sum.
    LoadSum [F] { dst: SlotNo, first: SlotNo, second: F, last: u32, }
    Store [F] { value: F, address: SlotNo, last: u32, }
    /// A store at a sum.
    StoreSum [V F] { value: V, first: SlotNo, second: F, last: u32, }
    /// A load from a memory that the instruction names.
    LoadAny { dst: SlotNo, address: SlotNo, memory: u16, offset: u64, }
    /// A store to a memory that the instruction names.
    StoreAny [F] { value: F, address: SlotNo, memory: u16, offset: u64, }
    /// An access at `a`, with `b` and `c` as far as it has more operands.
    Atomic { dst: SlotNo, a: SlotNo, b: SlotNo, c: SlotNo, offset: u64, }
    /// The same in a memory that the instruction names; the address in `a` has 64 bits.
    AtomicAny { dst: SlotNo, a: SlotNo, b: SlotNo, c: SlotNo, memory: u32, offset: u64, }
    MemoryGrowAny { dst: SlotNo, delta: SlotNo, memory: u32, }

    /// A result of two slots from two numbers of two slots each.
    WideBinary { dst: SlotNo, a_low: SlotNo, a_high: SlotNo, b_low: SlotNo, b_high: SlotNo, }

    CopyTwo { first: Unary, second: Unary, }
    StepTwo { first: SlotNo, second: SlotNo, first_step: u32, second_step: u32, }
    CopyImm [F] { dst: SlotNo, value: F, }
    /// `count` slots.
    CopyMany { to: SlotNo, from: SlotNo, count: u16, }
    ClearMany { first: SlotNo, count: u32, }
    GlobalSet [F] { value: F, index: u32, }

    /// A result from the global, function, memory or table at an index.
    Get { dst: SlotNo, index: u32, }
    /// Drops the segment at an index.
    Drop { index: u32, }
    TableGet { dst: SlotNo, at: SlotNo, table: u32, }
    TableSet { at: SlotNo, value: SlotNo, table: u32, }
    TableGrow { dst: SlotNo, init: SlotNo, delta: SlotNo, table: u32, }
    /// Three operands: the destination, the source or the value, and the count. `of` is the index
    /// of a memory, table or segment, or two, or `()`.
    Bulk [I] { to: SlotNo, from: SlotNo, count: SlotNo, of: I, }
    /// Two indices, for [`Bulk`].
    Indices { to: u32, from: u32, }

    /// The distance is in bytes, from the start of the branch.
    Forward { distance: i32, }
    /// `cost` is that of one more turn of the loop.
    Back { to: Forward, cost: u32, }
    BranchIf [J] { to: J, condition: SlotNo, }
    BranchCompare [J F] { to: J, first: SlotNo, second: F, }
    /// `slot` and `step` are added; `second` is compared with the sum.
    BranchStep [F] { to: Back, slot: SlotNo, second: F, step: u32, }
    /// A word follows for each target, its distance; the one at `last` is the default.
    BranchTable { last: u32, index: SlotNo, }

    /// Stands before a function's first instruction; calls read it. All of the frame's slots, and
    /// the slots of the parameters, which is where the frame's header lies; the cost of entering in
    /// fuel: every operator of the body once.
    Entry { cost: u32, frame_slots: u16, header_slot: u16, }
    /// The entry of a function that has other code.
    EnterOther { code: *const VmCode, enter: code::EnterOther, }
    /// The entry of a function that is not translated yet.
    Translate { code: *const VmCode, }
    /// The position of the operator in the module, in bytes.
    Site { position: u32, }
    /// `frame` and `header` are the callee's.
    Call { site: Site, frame: SlotNo, header: SlotNo, code: *const VmCode, }
    /// `frame` has the arguments; they or the results take `slots`. `caller` is the calling
    /// function's index, for profiles.
    CallImport { site: Site, frame: SlotNo, slots: u16, import: u32, caller: u32, }
    CallIndirect {
        site: Site,
        frame: SlotNo,
        slots: u16,
        table: u16,
        index: SlotNo,
        ty: u32,
    }
    /// The parameters lie from `from` on; `header` is the running function's.
    TailCall { from: SlotNo, header: SlotNo, code: *const VmCode, }
    TailCallImport { from: SlotNo, header: SlotNo, import: u32, }
    TailCallIndirect { from: SlotNo, header: SlotNo, table: u16, index: SlotNo, ty: u32, }
    TailCallRef { from: SlotNo, header: SlotNo, callee: SlotNo, }
    CallRef { site: Site, frame: SlotNo, slots: u16, callee: SlotNo, }
    AssertNonNull { reference: SlotNo, }
    /// The payload begins at `frame`.
    Throw { site: Site, frame: SlotNo, tag: u32, }
    ThrowRef { site: Site, reference: SlotNo, }
    /// Operands lie from `at` on, and so does the result. `ty` is a type's index, `index` the
    /// second index, if there is one.
    Object { site: Site, at: SlotNo, op: ObjectOp, ty: u32, index: u32, }
    /// A struct of the type at `object.ty`, made in the run that is lent. `head` is all of its head
    /// but for the type, `words` are those of the whole object, `refs` those in front of the head.
    StructNew {
        object: Object,
        refs: u16,
        words: u16,
        head: u64,
        fields: *const StructField,
        count: usize,
    }
    /// An array of the type at `object.ty`; `head` is all of its head but for the type.
    ArrayNew { object: Object, head: u64, }
    /// `at` is the field's place in its struct (`StructField::at`).
    FieldGet { dst: SlotNo, object: SlotNo, at: u32, }
    FieldSet [F] { value: F, object: SlotNo, at: u32, }
    ElementGet { dst: SlotNo, array: SlotNo, index: SlotNo, }
    ElementSet [F] { value: F, array: SlotNo, index: SlotNo, }
    /// Whether a reference is of the module's type at `ty`, which has `depth` supertypes.
    TypeTest { dst: SlotNo, a: SlotNo, ty: RefType, index: u32, depth: u32, }
    TypeCast { reference: SlotNo, ty: RefType, index: u32, depth: u32, }
    /// Whether a reference is of a type.
    RefTest { dst: SlotNo, a: SlotNo, ty: RefType, }
    RefCast { reference: SlotNo, ty: RefType, }

    Return { header: SlotNo, }
    ReturnOne [F] { header: SlotNo, value: F, }
    ReturnMany { header: SlotNo, from: SlotNo, count: u16, }
    ProfileEnd { start: SlotNo, header: SlotNo, function: u32, }
}

/// The direction of a branch, with its distance.
pub trait Jump: Shape {
    /// The value before it is filled in.
    const OPEN: Self;
    const BACK: bool;
    /// The distance, and the cost to take from the budget; `None` for a branch forward.
    fn way(&self) -> (i32, Option<u32>);
}

impl Jump for Forward {
    const OPEN: Self = Self { distance: 0 };
    const BACK: bool = false;
    #[inline(always)]
    fn way(&self) -> (i32, Option<u32>) {
        (self.distance, None)
    }
}

impl Jump for Back {
    const OPEN: Self = Self { to: Forward::OPEN, cost: 0 };
    const BACK: bool = true;
    #[inline(always)]
    fn way(&self) -> (i32, Option<u32>) {
        (self.to.distance, Some(self.cost))
    }
}

/// `[parameters] Shape: field, which is all that the other shape has;`.
macro_rules! begins {
    ($([$($gen:ident)*] $shape:ty: $field:ident of $prefix:ty;)*) => {$(
        // SAFETY: the field is the first one; it is the other shape, or all that this one has.
        unsafe impl<$($gen: Copy + 'static),*> Begins<$prefix> for $shape {
            const CHECK: () = assert!(offset_of!(Self, $field) == 0);
        }
    )*};
}

begins! {
    [] Unary: dst of Dst;
    [F] Binary<F>: dst of Dst;
    [] Select: dst of Dst;
    [] Ternary: dst of Dst;
    [] Shuffle: dst of Dst;
    [] Permute: dst of Dst;
    [] VectorConst: dst of Dst;
    [] Extract: dst of Dst;
    [] Replace: dst of Dst;
    [] Load: dst of Dst;
    [F] LoadSum<F>: dst of Dst;
    [] LoadAny: dst of Dst;
    [] Atomic: dst of Dst;
    [] AtomicAny: dst of Dst;
    [] MemoryGrowAny: dst of Dst;
    [] Get: dst of Dst;
    [] TableGet: dst of Dst;
    [] TableGrow: dst of Dst;
    [] WideBinary: dst of Dst;
    [] CopyTwo: first of Unary;
    [] Back: to of Forward;
    [J] BranchIf<J>: to of J;
    [J F] BranchCompare<J, F>: to of J;
    [F] BranchStep<F>: to of Back;
    [] Call: site of Site;
    [] CallImport: site of Site;
    [] CallIndirect: site of Site;
    [] CallRef: site of Site;
    [] Throw: site of Site;
    [] ThrowRef: site of Site;
    [] Object: site of Site;
    [] StructNew: object of Object;
    [] ArrayNew: object of Object;
    [] FieldGet: dst of Dst;
    [] ElementGet: dst of Dst;
    [] TypeTest: dst of Dst;
    [] RefTest: dst of Dst;
}

/// Words of instructions where pointers have 64 bits, so that none grows by accident.
macro_rules! words {
    ($($words:literal: $($shape:ty),+;)+) => {
        #[cfg(target_pointer_width = "64")]
        const _: () = { $($(assert!(Code::<$shape>::WORDS == $words);)+)+ };
    };
}

words! {
    1: ();
    2: Dst, Unary, Binary<SlotNo>, Binary<u32>, Binary<f32>, Select, Load, Store<SlotNo>, CopyTwo,
        CopyMany, CopyImm<u32>, ClearMany, Get, Drop, GlobalSet<SlotNo>, GlobalSet<u32>, TableGet,
        TableSet, Bulk<()>, Forward, Back, BranchIf<Forward>, BranchCompare<Forward, SlotNo>,
        BranchTable, Translate, Site, AssertNonNull, ThrowRef, Return, ReturnOne<SlotNo>,
        ReturnOne<u32>, ReturnMany, ProfileEnd, TailCallImport, TailCallRef, Ternary, Extract,
        Replace, MemoryGrowAny, RefTest, RefCast, FieldGet, FieldSet<SlotNo>, ElementGet,
        ElementSet<SlotNo>, ElementSet<u32>;
    3: Binary<u64>, Binary<f64>, LoadSum<SlotNo>, LoadSum<u32>, Store<u32>,
        StoreSum<SlotNo, SlotNo>, StoreSum<SlotNo, u32>, Atomic, CopyImm<u64>, TableGrow,
        Bulk<u32>, Bulk<Indices>, BranchIf<Back>, BranchCompare<Forward, u32>,
        BranchCompare<Back, SlotNo>, BranchCompare<Back, u32>, Call, CallImport, CallIndirect,
        CallRef, Throw, TailCall, EnterOther, StepTwo, BranchStep<SlotNo>, TailCallIndirect,
        WideBinary, LoadAny, StoreAny<SlotNo>, StoreAny<u32>, Object, FieldSet<u32>, TypeTest,
        TypeCast;
    4: BranchStep<u32>, Permute, VectorConst, AtomicAny, ArrayNew;
    6: Shuffle;
    7: StructNew;
}

/// `Writer::copy` replaces a copy with two copies, and `Ip::call` finds the call before a return
/// address, so the sizes must be the same. An `Entry` takes one word.
const _: () = {
    assert!(size_of::<Entry>() == size_of::<Word>() && align_of::<Entry>() <= align_of::<Word>());
    assert!(Code::<Unary>::WORDS == Code::<CopyTwo>::WORDS);
    assert!(Code::<Call>::WORDS == Code::<CallImport>::WORDS);
    assert!(Code::<Call>::WORDS == Code::<CallIndirect>::WORDS);
    assert!(Code::<Call>::WORDS == Code::<CallRef>::WORDS);
};
