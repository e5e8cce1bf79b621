//! Slow paths of running code. Placeholders until instances have theirs.

use crate::abi::trap::Trap;
use crate::abi::vm_layout::*;
pub unsafe fn memory_grow(_i: *mut VmInstance, _m: u32, _d: u64) -> i64 {
    -1
}
pub unsafe fn memory_init(
    _i: *mut VmInstance,
    _m: u32,
    _s: u32,
    _to: u64,
    _from: u32,
    _n: u32,
) -> Result<(), Trap> {
    Err(Trap::Internal)
}
pub unsafe fn data_drop(_i: *mut VmInstance, _s: u32) {}
pub unsafe fn elem_drop(_i: *mut VmInstance, _s: u32) {}
pub unsafe fn table_grow(_i: *mut VmInstance, _t: u32, _d: u64, _v: u64) -> i64 {
    -1
}
pub unsafe fn table_fill(
    _i: *mut VmInstance,
    _t: u32,
    _a: u32,
    _v: u64,
    _n: u32,
) -> Result<(), Trap> {
    Err(Trap::Internal)
}
pub unsafe fn table_copy(
    _i: *mut VmInstance,
    _t: u32,
    _u: u32,
    _a: u32,
    _b: u32,
    _n: u32,
) -> Result<(), Trap> {
    Err(Trap::Internal)
}
pub unsafe fn table_init(
    _i: *mut VmInstance,
    _t: u32,
    _u: u32,
    _a: u32,
    _b: u32,
    _n: u32,
) -> Result<(), Trap> {
    Err(Trap::Internal)
}
pub unsafe fn unlinked(_f: *const VmFuncRef) -> Trap {
    Trap::UnlinkedImport
}
#[inline(never)]
pub unsafe fn refill(env: *mut VmEnv) -> Result<(), Trap> {
    unsafe {
        (*env).budget = 100_000;
    }
    Ok(())
}
