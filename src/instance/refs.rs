//! Finding the externrefs that an instance's globals and tables hold.

use super::{Instance, link_set};
use crate::abi::heap_types::Hierarchy;
use crate::abi::vm_layout::VmEnv;
use std::ptr::NonNull;

/// Calls `each` with the slot of every externref that an instance's link set holds, nulls included.
/// The stacks of running code are not looked at.
///
/// # Safety
/// The caller holds the link set alive, and no other thread runs in it.
pub unsafe fn for_each_externref(instance: NonNull<Instance>, each: &mut dyn FnMut(u64)) {
    // SAFETY: passed on to the caller.
    let _: Option<()> = unsafe {
        link_set::find(instance, |member| {
            member.as_ref().own_externrefs(each);
            None
        })
    };
}

/// Whether any exec_env of an instance's link set is in a call, as `is_running` finds out.
///
/// # Safety
/// The caller holds the link set alive.
pub unsafe fn any_env(
    instance: NonNull<Instance>,
    mut is_running: impl FnMut(*const VmEnv) -> bool,
) -> bool {
    // SAFETY: passed on to the caller.
    let found = unsafe {
        link_set::find(instance, |member| {
            let mut running = false;
            member.as_ref().envs.for_each(|env| running |= is_running(env));
            running.then_some(())
        })
    };
    found.is_some()
}

impl Instance {
    fn own_externrefs(&self, each: &mut dyn FnMut(u64)) {
        let module = self.module();
        for (index, global) in module.globals.iter().enumerate() {
            if global.ty.val.hierarchy() != Some(Hierarchy::Extern) {
                continue;
            }
            if let Some(storage) = self.global(index as u32) {
                // SAFETY: an instance's globals are live; references take the low word.
                each(unsafe { storage.as_ref() }.slots[0]);
            }
        }
        for index in 0..module.tables.len() {
            if let Some(table) = self.table(index as u32)
                && table.ty().elem.hierarchy() == Some(Hierarchy::Extern)
            {
                for element in 0..table.len() {
                    table.get(element).into_iter().for_each(&mut *each);
                }
            }
        }
    }
}
