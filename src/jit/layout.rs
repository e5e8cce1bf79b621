//! Offsets of the fields that compiled code reads, as Cranelift takes them.

use crate::abi::vm_layout::{
    VmActivation, VmChunk, VmEnv, VmFuncRef, VmHostFunc, VmInstance, VmMemory, VmObjects, VmTable,
};
use crate::interp::VmCode;
use std::mem::offset_of;

/// The offset of a field, which is far below 2 GiB in any of these structs.
macro_rules! offset {
    ($ty:ty, $field:ident) => {
        offset_of!($ty, $field) as i32
    };
}

pub const ENV_INSTANCE: i32 = offset!(VmEnv, instance);
pub const ENV_STACK_TOP: i32 = offset!(VmEnv, stack_top);
pub const ENV_STACK_LIMIT: i32 = offset!(VmEnv, stack_limit);
pub const ENV_BUDGET: i32 = offset!(VmEnv, budget);
pub const ENV_NATIVE_LIMIT: i32 = offset!(VmEnv, native_stack_limit);
pub const ENV_ACTIVATION: i32 = offset!(VmEnv, activation);
pub const ENV_SCRATCH: i32 = offset!(VmEnv, scratch);

pub const ACTIVATION_IP: i32 = offset!(VmActivation, ip);
pub const ACTIVATION_SP: i32 = offset!(VmActivation, sp);
pub const ACTIVATION_HOST: i32 = offset!(VmActivation, host);

pub const INSTANCE_MEMORY0: i32 = offset!(VmInstance, memory0);
pub const INSTANCE_MEMORIES: i32 = offset!(VmInstance, memories);
pub const INSTANCE_TABLES: i32 = offset!(VmInstance, tables);
pub const INSTANCE_IMPORTED_GLOBALS: i32 = offset!(VmInstance, imported_globals);
pub const INSTANCE_GLOBALS: i32 = offset!(VmInstance, globals);
pub const INSTANCE_FUNC_REFS: i32 = offset!(VmInstance, func_refs);
pub const INSTANCE_TYPE_IDS: i32 = offset!(VmInstance, type_ids);
pub const INSTANCE_OBJECTS: i32 = offset!(VmInstance, objects);
pub const INSTANCE_CODES: i32 = offset!(VmInstance, codes);
pub const INSTANCE_BUILTINS: i32 = offset!(VmInstance, builtins);

pub const MEMORY_BASE: i32 = offset!(VmMemory, base);
pub const MEMORY_LEN: i32 = offset!(VmMemory, len_bytes);

pub const OBJECTS_FIRST: i32 = offset!(VmObjects, first);
pub const OBJECTS_PLACES: i32 = offset!(VmObjects, places);
pub const OBJECTS_CHUNKS: i32 = offset!(VmObjects, chunks);
pub const OBJECTS_CURSOR: i32 = offset!(VmObjects, cursor);
pub const OBJECTS_LIMIT: i32 = offset!(VmObjects, limit);
pub const OBJECTS_RUN_WORDS: i32 = offset!(VmObjects, run_words);
pub const OBJECTS_RUN_HEADS: i32 = offset!(VmObjects, run_heads);
pub const OBJECTS_RUN_FIRST: i32 = offset!(VmObjects, run_first);

pub const CHUNK_WORDS: i32 = offset!(VmChunk, words);
pub const CHUNK_HEADS: i32 = offset!(VmChunk, heads);
pub const CHUNK_GROUPS: i32 = offset!(VmChunk, groups);
pub const CHUNK_BYTES: i64 = size_of::<VmChunk>() as i64;

pub const TABLE_ELEMS: i32 = offset!(VmTable, elems);
pub const TABLE_LEN: i32 = offset!(VmTable, len);

pub const FUNC_TYPE_ID: i32 = offset!(VmFuncRef, type_id);
pub const FUNC_KIND: i32 = offset!(VmFuncRef, kind);
pub const FUNC_BODY: i32 = offset!(VmFuncRef, body);
pub const FUNC_INSTANCE: i32 = offset!(VmFuncRef, instance);
pub const FUNC_BYTES: i64 = size_of::<VmFuncRef>() as i64;

pub const HOST_CALL: i32 = offset!(VmHostFunc, call);

pub const CODE_NATIVE: i32 = offset!(VmCode, native);
pub const CODE_BYTES: i64 = size_of::<VmCode>() as i64;

/// The offset of a function in the table of builtins.
macro_rules! builtin {
    ($field:ident) => {
        std::mem::offset_of!(crate::jit::table::Builtins, $field) as i32
    };
}
pub(crate) use builtin;
