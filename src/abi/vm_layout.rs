//! State that running code reads through raw pointers.
//!
//! Engines share it: the interpreter uses the fields by name, compiled code uses the same offsets.
//! A change of a struct here changes both, so every struct is `repr(C)` and pinned below, field by
//! field. Records that one engine alone reads are declared there and pinned by the same macro.
//! An instance's state is one block: [`VmInstance`], then its defined globals, then its function
//! references, so that the hottest accesses are one load away from the instance pointer.

use super::types::FuncType;
use std::ffi::c_void;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64};

/// A linear memory as running code sees it. Owner: the instance that defines it.
#[repr(C)]
pub struct VmMemory {
    /// Start of the memory; moves on growth only where pages cannot be reserved.
    pub base: *mut u8,
    /// Accessible bytes.
    pub len_bytes: usize,
    /// The owning `instance::memory::Memory`, for slow paths.
    pub owner: *mut c_void,
}

/// A table as running code sees it. Owner: the instance that defines it.
#[repr(C)]
pub struct VmTable {
    /// Elements: addresses of [`VmFuncRef`]s, or externref words; zero is null.
    pub elems: *mut u64,
    pub len: usize,
    /// The owning `instance::table::Table`, for slow paths.
    pub owner: *mut c_void,
}

/// A global's storage. Owner: the instance that defines it.
#[repr(C, align(16))]
pub struct VmGlobal {
    pub slots: [u64; 2],
}

/// A tag of exceptions; which one it is, is its address. Owner: the instance that defines it.
#[repr(C)]
pub struct VmTag {
    /// Canonical number of the tag's type within its context.
    pub type_id: u32,
    pub reserved: u32,
    /// The tag's type, whose parameters are the payload; it belongs to the module of `instance`.
    pub ty: *const FuncType,
    pub instance: *mut VmInstance,
}

/// An exception that was thrown and not caught yet, or none. Owner: the code that throws it, then
/// the environment, if it leaves an instance.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct VmThrown {
    /// The tag, of an instance of the same link set; null if there is no exception.
    pub tag: *const VmTag,
    /// The payload: where the throw has found it on the guest's stack, or in the object.
    pub payload: *const u64,
    /// Slots of the payload.
    pub slots: u32,
    pub reserved: u32,
    /// The reference to the exception, an object of the guests' heap; 0 as long as it is none.
    pub reference: u64,
}

impl VmThrown {
    pub const NONE: Self = Self {
        tag: std::ptr::null(),
        payload: std::ptr::null(),
        slots: 0,
        reserved: 0,
        reference: 0,
    };

    pub fn is_none(&self) -> bool {
        self.tag.is_null()
    }
}

/// A part of a heap of objects as running code sees it. Owner: the heap (`gc`), which says what the
/// fields mean.
#[repr(C)]
pub struct VmObjects {
    /// The reference of the first place of the first chunk.
    pub first: u64,
    /// Places of all chunks, as many for each as for the largest.
    pub places: u64,
    pub chunks: *const VmChunk,
    /// Free words that running code may make objects of: from here to `limit`.
    pub cursor: *mut u64,
    pub limit: *mut u64,
    /// The chunk that they are in: its first place, the bits from there on, its reference.
    pub run_words: *mut u64,
    pub run_heads: *mut u64,
    pub run_first: u64,
}

/// A chunk of a heap of objects. Owner: the heap.
#[repr(C)]
pub struct VmChunk {
    /// The word of the first place.
    pub words: *mut u64,
    /// A bit for each place: whether an object's head is there.
    pub heads: *mut u64,
    /// Words of bits.
    pub groups: usize,
    pub reserved: usize,
}

/// A type of a context's. Owner: the context's registry of types; it lives as long as a module that
/// defines it.
#[repr(C)]
pub struct VmType {
    /// Canonical numbers of its supertypes, the one that has none first.
    pub supers: *const u32,
    /// How many supertypes it has.
    pub depth: u32,
    /// The group that it was defined in, which the registry knows.
    pub group: u32,
}

/// A context's types by canonical number. Owner: the context's registry of types.
#[repr(C)]
pub struct VmTypes {
    /// The types with numbers below 8, and then twice as many numbers with each; null where no
    /// number is in use. They never move while one is.
    pub chunks: [AtomicPtr<VmType>; Self::CHUNKS],
}

impl VmTypes {
    /// Numbers have 23 bits.
    pub const CHUNKS: usize = 21;
}

/// The kind of function behind a function reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum VmFuncKind {
    /// Guest code, of any engine; it acts on the reference's instance.
    Wasm = 0,
    /// A host function.
    Host = 1,
    /// An import nothing was found for; calling it traps.
    Unlinked = 2,
}

/// Enters a function by its reference, from the host, from an engine or from another instance. It
/// finds the parameters at `frame` and leaves the results there, for both of which the caller has
/// looked that there is room; it may use the slots from there up to the environment's limit. It
/// returns zero, the code of a [`Trap`](super::trap::Trap) or [`TAIL_CALL`], and restores the
/// environment's instance, globals, stack top and activation before that.
pub type VmEntry =
    unsafe extern "C-unwind" fn(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32;

/// The result of an entry whose function has ended with a tail call. The function to enter next is
/// in the environment ([`VmEnv::tail_call`]), its parameters at the same frame, and there is room
/// for them and for the results. No trap has this code.
pub const TAIL_CALL: u32 = u32::MAX;

/// What a function's entry needs besides its reference, by the function's kind.
#[derive(Clone, Copy)]
#[repr(C)]
pub union VmBody {
    /// Of guest code: a record of the engine's. All functions of an instance are the same engine's.
    pub code: *const c_void,
    /// Of a host function.
    pub host: *const VmHostFunc,
}

/// A function reference: the element of tables, and the result of the host's lookups. Owner:
/// `instance`; its address is stable for as long as that instance's link set lives.
#[repr(C)]
pub struct VmFuncRef {
    /// Canonical number of the function's type within its context.
    pub type_id: u32,
    pub kind: VmFuncKind,
    /// All calls from outside its engine go through this.
    pub entry: VmEntry,
    /// The code or host function to call; nothing for unlinked imports.
    pub body: VmBody,
    /// The instance whose state the function runs on; for host functions the importing one.
    pub instance: *mut VmInstance,
    /// The function's type, which belongs to the module of `instance`.
    pub ty: *const FuncType,
    /// Index in `instance`'s function index space.
    pub func_index: u32,
    pub reserved: u32,
}

/// A host function, as the engines call it. Its maker alone knows the rest of the record, which
/// follows this header: signature, C function, closure.
#[repr(C)]
pub struct VmHostFunc {
    /// Calls the function. `args` holds the parameters in slots and takes the results from its
    /// first slot on. Returns 0, or the code of a [`Trap`](super::trap::Trap).
    pub call: unsafe extern "C" fn(this: *const VmHostFunc, env: *mut VmEnv, args: *mut u64) -> u32,
}

/// The cost of one function's calls. Owner: the instance, if it measures.
#[derive(Default)]
#[repr(C)]
pub struct VmProfile {
    /// From entry to return.
    pub total_ns: AtomicU64,
    /// Of that, in functions that it called.
    pub children_ns: AtomicU64,
    /// Calls that have returned or thrown.
    pub count: AtomicU64,
}

/// One entry from the host: into guest code, or into a host function that the host calls by way of
/// its import. Owner: the native frame of the caller; each leads to the one around it.
#[repr(C)]
pub struct VmActivation {
    /// The activation around this one, null for the outermost.
    pub outer: *mut VmActivation,
    /// The function that was entered.
    pub func: *const VmFuncRef,
    /// The `exec::Engine` that runs it; null if it is a host function.
    pub engine: *const c_void,
    /// The call instruction by which guest code has left for the host or for another instance; null
    /// while guest code runs. The fields below count only if this is set.
    pub ip: *const u8,
    /// The frame that the instruction belongs to.
    pub sp: *mut u64,
    /// The host function that was called; null for guest code of another instance.
    pub host: *const VmFuncRef,
    /// Where compiled code gives the native stack back when the run ends early; null in runs of
    /// other code.
    pub native_sp: *mut u8,
}

/// An instance as running code sees it. Owner: `instance::Instance`.
#[repr(C)]
pub struct VmInstance {
    /// Memory 0, own or imported; a memory of length zero when there is none.
    pub memory0: *mut VmMemory,
    /// All memories by index, imported first.
    pub memories: *const *mut VmMemory,
    /// All tables by index, imported first.
    pub tables: *const *mut VmTable,
    /// Imported globals by index.
    pub imported_globals: *const *mut VmGlobal,
    /// Defined globals, in this block.
    pub globals: *mut VmGlobal,
    /// Function references, in this block: imports by index, then those that the module
    /// exports or takes references to (`Module::func_refs` gives the order).
    pub func_refs: *mut VmFuncRef,
    /// Canonical type number by the module's type index.
    pub type_ids: *const u32,
    /// An account for each function by index; null unless the instance measures.
    pub profile: *const VmProfile,
    /// Non-zero while an exception's text is set (`exception`).
    pub exception_set: AtomicU32,
    pub reserved: u32,
    /// The owning `instance::Instance`, for slow paths.
    pub owner: *mut c_void,
    /// The `instance::shared_heap::SharedHeap` that is attached, or null. Only instances that
    /// lie in an `instance::Instance` have one.
    pub shared_heap: AtomicPtr<c_void>,
    /// All tags by index, imported first.
    pub tags: *const *const VmTag,
    /// The context's types, among which those of the module are.
    pub types: *const VmTypes,
    /// Objects of the link set's guests, those of one part of the heap: none, or those that the
    /// last instruction found there which asked the heap. Never null.
    pub objects: *mut VmObjects,
    /// The engine's records of the defined functions, by their numbers.
    pub codes: *const c_void,
    /// The engine's table of functions that its code calls; null if it needs none.
    pub builtins: *const c_void,
}

/// An execution environment: the guest's stack on one thread, at the head of `exec::ExecEnv`.
/// Owner: the exec_env that embeds it.
#[repr(C)]
pub struct VmEnv {
    /// Instance whose code runs, or that natives act on.
    pub instance: *mut VmInstance,
    /// Defined globals of `instance`, kept here to spare running code a load.
    pub globals: *mut VmGlobal,
    /// First slot that is free for a nested entry.
    pub stack_top: *mut u64,
    /// End of the slots.
    pub stack_limit: *mut u64,
    /// Instructions left before the next look at fuel and termination.
    pub budget: i64,
    /// Instructions left after `budget`; `i64::MAX` for no limit.
    pub fuel: i64,
    /// Native stack address below which no native may be called; 0 until prepared.
    pub native_stack_limit: usize,
    /// Non-zero asks the code to stop at the next look.
    pub terminate: AtomicU32,
    pub reserved: u32,
    /// Attachment of the native that is running, else null.
    pub attachment: *mut c_void,
    /// The innermost activation, null if nothing runs.
    pub activation: *mut VmActivation,
    /// The owning `exec::ExecEnv`.
    pub owner: *mut c_void,
    /// The `exec::Limits` that it shares with others, or null.
    pub limits: *const c_void,
    /// An exception on its way out of an instance, to guest code of another that has called it
    /// and will catch it; else none.
    pub exception: VmThrown,
    /// Where guest code goes on that has just caught one.
    pub catch_ip: *const u8,
    pub catch_sp: *mut u64,
    /// The unwinding that a host function in C has started (`pthread_exit`), on its way to the host
    /// that called; else null.
    pub unwinding: *mut c_void,
    /// The function to enter next, after an entry has returned [`TAIL_CALL`]. It has the result
    /// types of the function that was entered.
    pub tail_call: *const VmFuncRef,
    /// A record of the running engine's, of the function of the same instance that a run goes on
    /// with after it has ended, until that begins; else null.
    pub next_code: *const c_void,
    /// References that the host holds, and that are roots.
    pub local_refs: VmLocalRefs,
    /// Parameters of the innermost host function that was given references; else null.
    pub host_params: *const VmHostParams,
    /// The result of a function that compiled code has called, until it reads that, or an operand
    /// of one.
    pub scratch: [u64; 2],
}

/// A reference that host code holds while it runs, as C declares it. Owner: that code, which
/// leaves it alone while it is on an environment's list.
#[repr(C)]
pub struct VmLocalRef {
    /// The one that was pushed before, or null.
    pub previous: *mut VmLocalRef,
    /// A word as C has it for the reference.
    pub object: *mut c_void,
}

/// The list of an environment's local references. Owner: the environment.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct VmLocalRefs {
    /// The one that was pushed last, or null.
    pub last: *mut VmLocalRef,
    /// How many there are.
    pub count: usize,
}

impl VmLocalRefs {
    pub const EMPTY: Self = Self { last: std::ptr::null_mut(), count: 0 };
}

/// The parameters of a host function that runs. Owner: the frame that called it.
#[repr(C)]
pub struct VmHostParams {
    pub outer: *const VmHostParams,
    pub slots: *const u64,
    pub count: usize,
}

/// Requires of each struct its size and alignment, and its fields at these places, all of them.
macro_rules! pinned {
    ($($ty:ident $size:literal / $align:literal { $($field:ident $offset:literal),* $(,)? })*) => {
        $(const _: () = {
            assert!(size_of::<$ty>() == $size && align_of::<$ty>() == $align);
            $(assert!(std::mem::offset_of!($ty, $field) == $offset);)*
            #[expect(dead_code, reason = "it compiles if no field is left out")]
            fn has_no_other($ty { $($field: _),* }: &$ty) {}
        };)*
    };
}
pub(crate) use pinned;

pinned! {
    VmMemory 24 / 8 { base 0, len_bytes 8, owner 16 }
    VmTable 24 / 8 { elems 0, len 8, owner 16 }
    VmGlobal 16 / 16 { slots 0 }
    VmTag 24 / 8 { type_id 0, reserved 4, ty 8, instance 16 }
    VmType 16 / 8 { supers 0, depth 8, group 12 }
    VmTypes 168 / 8 { chunks 0 }
    VmObjects 64 / 8 {
        first 0, places 8, chunks 16, cursor 24, limit 32, run_words 40, run_heads 48, run_first 56,
    }
    VmChunk 32 / 8 { words 0, heads 8, groups 16, reserved 24 }
    VmThrown 32 / 8 { tag 0, payload 8, slots 16, reserved 20, reference 24 }
    VmFuncRef 48 / 8 {
        type_id 0, kind 4, entry 8, body 16, instance 24, ty 32, func_index 40, reserved 44,
    }
    VmHostFunc 8 / 8 { call 0 }
    VmProfile 24 / 8 { total_ns 0, children_ns 8, count 16 }
    VmActivation 56 / 8 { outer 0, func 8, engine 16, ip 24, sp 32, host 40, native_sp 48 }
    VmInstance 128 / 8 {
        memory0 0, memories 8, tables 16, imported_globals 24, globals 32, func_refs 40,
        type_ids 48, profile 56, exception_set 64, reserved 68, owner 72, shared_heap 80, tags 88,
        types 96, objects 104, codes 112, builtins 120,
    }
    VmLocalRef 16 / 8 { previous 0, object 8 }
    VmLocalRefs 16 / 8 { last 0, count 8 }
    VmHostParams 24 / 8 { outer 0, slots 8, count 16 }
    VmEnv 208 / 8 {
        instance 0, globals 8, stack_top 16, stack_limit 24, budget 32, fuel 40,
        native_stack_limit 48, terminate 56, reserved 60, attachment 64, activation 72, owner 80,
        limits 88, exception 96, catch_ip 128, catch_sp 136, unwinding 144,
        tail_call 152, next_code 160, local_refs 168, host_params 184, scratch 192,
    }
}

// A body is one word in each of its forms; kinds are compared as numbers.
const _: () = {
    assert!(size_of::<VmBody>() == 8 && align_of::<VmBody>() == 8);
    assert!(std::mem::offset_of!(VmBody, code) == 0 && std::mem::offset_of!(VmBody, host) == 0);
    // Compiled code reads a type's number and a kind at once.
    assert!(std::mem::offset_of!(VmFuncRef, type_id) + 4 == std::mem::offset_of!(VmFuncRef, kind));
    assert!(size_of::<VmFuncKind>() == 4 && size_of::<VmEntry>() == 8);
    assert!(VmFuncKind::Wasm as u32 == 0 && VmFuncKind::Host as u32 == 1);
    assert!(VmFuncKind::Unlinked as u32 == 2);
};
