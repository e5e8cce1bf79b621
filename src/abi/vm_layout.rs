//! State that running code reads through raw pointers.
//!
//! The interpreter uses the fields by name; compiled code will use the same offsets. Whoever
//! changes a struct here changes both, so every struct is `repr(C)` and pinned below, field by
//! field. An instance's state is one block: [`VmInstance`], then its defined globals, then its
//! function references, so that the hottest accesses are one load away from the instance pointer.

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

/// An exception, its payload in slots behind it. Owner: `instance::exceptions`.
#[repr(C)]
pub struct VmException {
    /// The tag, of an instance of the same group.
    pub tag: *const VmTag,
    /// Slots of the payload.
    pub slots: u32,
    /// While exceptions are swept: whether something leads here.
    pub marked: bool,
    /// Whether guest code may hold references to it. If not, it goes when it is caught.
    pub shared: bool,
    /// While exceptions are swept: the next whose payload is to be looked at.
    pub next: *mut VmException,
}

/// What stands behind a function reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum VmFuncKind {
    /// Guest code: `code` is set.
    Wasm = 0,
    /// A host function: `host` is set.
    Host = 1,
    /// An import nothing was found for; calling it traps.
    Unlinked = 2,
}

/// A function reference: what tables hold and what the host looks up.
/// Owner: `instance`; its address is stable for as long as that instance's group lives.
#[repr(C)]
pub struct VmFuncRef {
    /// Canonical number of the function's type within its context.
    pub type_id: u32,
    pub kind: VmFuncKind,
    pub code: *const VmCode,
    /// The instance whose state the function runs on; for host functions the importing one.
    pub instance: *mut VmInstance,
    pub host: *const VmHostFunc,
    /// The function's type, which belongs to the module of `instance`.
    pub ty: *const FuncType,
    /// Index in `instance`'s function index space.
    pub func_index: u32,
    pub reserved: u32,
}

/// A host function, as the engines call it. What lies behind (signature, C function, closure)
/// follows this header and is known to whoever made it.
#[repr(C)]
pub struct VmHostFunc {
    /// Calls the function. `args` holds the parameters in slots and takes the results from its
    /// first slot on. Returns 0, or the code of a [`Trap`](super::trap::Trap).
    pub call: unsafe extern "C" fn(this: *const VmHostFunc, env: *mut VmEnv, args: *mut u64) -> u32,
}

/// One function's code. Owner: the module's code table. The fields behind `entry` are set once,
/// before `entry` moves from the translating stub to the translated code.
#[repr(C)]
pub struct VmCode {
    /// First instruction. Interpreter code here; compiled code gets a field of its own.
    pub entry: AtomicPtr<u64>,
    /// Slots of the whole frame: parameters, header, locals, operands, outgoing arguments.
    pub frame_slots: AtomicU32,
    /// What entering costs in fuel: every instruction of the body once.
    pub cost: AtomicU32,
    /// Slots of the parameters, which is where the frame's header lies.
    pub header_slot: u32,
    pub func_index: u32,
    pub reserved: u32,
    /// The engine's table of the module's code, for the translating stub.
    pub module: *const c_void,
}

/// What one function's calls have cost. Owner: the instance; there for those that measure.
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

/// One entry from the host: into guest code, or into a host function that the host calls by way
/// of its import. Owner: the native frame of whoever entered; each leads to the one around it.
#[repr(C)]
pub struct VmActivation {
    /// The activation around this one, null for the outermost.
    pub outer: *mut VmActivation,
    /// What was entered.
    pub func: *const VmFuncRef,
    /// The call instruction by which guest code has left for the host or for another instance;
    /// null while guest code runs. What follows counts only if this is set.
    pub ip: *const u8,
    /// The frame that the instruction belongs to.
    pub sp: *mut u64,
    /// The host function that was called; null for guest code of another instance.
    pub host: *const VmFuncRef,
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
    /// and will catch it; else null.
    pub exception: *mut VmException,
    /// Where guest code goes on that has just caught one.
    pub catch_ip: *const u8,
    pub catch_sp: *mut u64,
    /// What a host function in C has unwound with, on its way to the host that called; else null.
    pub unwinding: *mut c_void,
}

/// Requires of each struct its size, and its fields at these places, all of them.
macro_rules! pinned {
    ($($ty:ident $size:literal { $($field:ident $offset:literal),* })*) => {
        $(const _: () = {
            assert!(size_of::<$ty>() == $size);
            $(assert!(std::mem::offset_of!($ty, $field) == $offset);)*
            #[expect(dead_code, reason = "it compiles if no field is left out")]
            fn has_no_other($ty { $($field: _),* }: &$ty) {}
        };)*
    };
}

pinned! {
    VmMemory 24 { base 0, len_bytes 8, owner 16 }
    VmTable 24 { elems 0, len 8, owner 16 }
    VmGlobal 16 { slots 0 }
    VmTag 24 { type_id 0, reserved 4, ty 8, instance 16 }
    VmException 24 { tag 0, slots 8, marked 12, shared 13, next 16 }
    VmFuncRef 48 {
        type_id 0, kind 4, code 8, instance 16, host 24, ty 32, func_index 40, reserved 44
    }
    VmHostFunc 8 { call 0 }
    VmCode 40 {
        entry 0, frame_slots 8, cost 12, header_slot 16, func_index 20, reserved 24, module 32
    }
    VmProfile 24 { total_ns 0, children_ns 8, count 16 }
    VmActivation 40 { outer 0, func 8, ip 16, sp 24, host 32 }
    VmInstance 96 {
        memory0 0, memories 8, tables 16, imported_globals 24, globals 32, func_refs 40,
        type_ids 48, profile 56, exception_set 64, reserved 68, owner 72, shared_heap 80, tags 88
    }
    VmEnv 128 {
        instance 0, globals 8, stack_top 16, stack_limit 24, budget 32, fuel 40,
        native_stack_limit 48, terminate 56, reserved 60, attachment 64, activation 72, owner 80,
        limits 88, exception 96, catch_ip 104, catch_sp 112, unwinding 120
    }
}

// What lies behind an instance in its block follows from these.
const _: () = assert!(align_of::<VmInstance>() == 8 && align_of::<VmGlobal>() == 16);
