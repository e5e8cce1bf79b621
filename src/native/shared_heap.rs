//! The imports of guests that use the shared heap of their instance.

use super::Caller;
use super::host_func::{Builtin, BuiltinModule, BuiltinTable};
use crate::abi::trap::Trap;
use crate::instance::Instance;

/// Calls for blocks of the shared heap that is attached to the guest's instance.
pub const SHARED_HEAP: BuiltinTable = BuiltinTable::new(&[&BuiltinModule {
    names: &["env"],
    functions: &[
        Builtin { name: "shared_heap_free", signature: "(*)", call: free },
        Builtin { name: "shared_heap_malloc", signature: "(i)i", call: malloc },
    ],
}]);

/// The calling instance.
fn instance<'a>(caller: &'a Caller<'_>) -> &'a Instance {
    // SAFETY: a caller's instance is live during the call.
    unsafe { Instance::of_vm(caller.instance()) }
}

fn malloc(caller: Caller<'_>, slots: &mut [u64]) -> Result<(), Trap> {
    if let Some(slot) = slots.first_mut() {
        let block = instance(&caller).shared_heap_malloc(*slot as u32 as u64);
        *slot = block.map_or(0, |(address, _)| address as u32 as u64);
    }
    Ok(())
}

fn free(caller: Caller<'_>, slots: &mut [u64]) -> Result<(), Trap> {
    let Some(address) = slots.first().map(|&slot| slot as u32 as u64) else { return Ok(()) };
    // No block is shorter than a pointer.
    if let Err(trap) = caller.memory().range(address, size_of::<usize>() as u64) {
        log::warn!("Invalid app address");
        return Err(trap);
    }
    instance(&caller).shared_heap_free(address);
    Ok(())
}
