//! Finding the externrefs that an instance's globals, tables and objects hold.

use super::{Instance, link_set};
use crate::abi::heap_types::Hierarchy;
use crate::abi::types::{GlobalType, ValType};
use crate::abi::vm_layout::VmEnv;
use crate::types::TypeView;
use std::ptr::NonNull;
use std::slice;

/// Calls `each` with the slot of every externref that an instance's link set holds, nulls and
/// references to other things included. The stacks of running code are not looked at.
///
/// # Safety
/// The caller holds the link set alive, and no other thread runs in it.
pub unsafe fn for_each_externref(instance: NonNull<Instance>, each: &mut dyn FnMut(u64)) {
    // SAFETY: the caller holds the link set alive, and no other thread runs in it.
    unsafe {
        let _: Option<()> = link_set::find(instance, |member| {
            member.as_ref().own_externrefs(each);
            None
        });
        instance.as_ref().with_live_objects(|heap| {
            heap.for_each_reference(&mut |word| {
                each(word);
                Ok(())
            })
        });
    }
}

/// Whether any exec_env of an instance's link set is in a call, as `is_running` finds out.
///
/// # Safety
/// The caller holds the link set alive.
pub unsafe fn any_env(
    instance: NonNull<Instance>,
    mut is_running: impl FnMut(*const VmEnv) -> bool,
) -> bool {
    // SAFETY: the caller holds the link set alive.
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
    /// The types of the instance's module.
    pub fn types(&self) -> TypeView<'_> {
        let len = self.module().types.len();
        let ids: &[u32] = match len {
            0 => &[],
            // SAFETY: there is a number for each of the module's types.
            _ => unsafe { slice::from_raw_parts(self.vm.type_ids, len) },
        };
        // SAFETY: the numbers are in use, and the registry is there, as long as the module is
        // loaded, which the instance's host sees to.
        unsafe { TypeView::new(ids, &*self.vm.types) }
    }

    /// The type of the global with this index, with canonical numbers. That of an imported one is
    /// its own, which may be a subtype of what the module has imported it as.
    pub fn global_type(&self, index: u32) -> Option<GlobalType> {
        let module = self.module();
        if index < module.imported.globals {
            // SAFETY: the list has the type of each imported global.
            return Some(unsafe { *self.parts.global_types.add(index as usize) });
        }
        module.globals.get(index as usize).map(|global| self.types().global(global.ty))
    }

    fn own_externrefs(&self, each: &mut dyn FnMut(u64)) {
        let module = self.module();
        for (index, global) in module.globals.iter().enumerate() {
            if !may_be_extern(global.ty.val) {
                continue;
            }
            if let Some(storage) = self.global(index as u32) {
                // SAFETY: an instance's globals are live; references take the low word.
                each(unsafe { storage.as_ref() }.slots[0]);
            }
        }
        for index in 0..module.tables.len() {
            if let Some(table) = self.table(index as u32)
                && may_be_extern(table.ty().elem)
            {
                for element in 0..table.len() {
                    table.get(element).into_iter().for_each(&mut *each);
                }
            }
        }
    }
}

/// Whether objects of the host's may be among the values of a type.
fn may_be_extern(ty: ValType) -> bool {
    matches!(ty.hierarchy(), Some(Hierarchy::Extern | Hierarchy::Any))
}
