//! Finding the externrefs that an instance's globals and tables hold.

use super::{Instance, link_set};
use crate::abi::heap_types::{HeapType, Hierarchy, RefType, TypeKind};
use crate::abi::types::GlobalType;
use crate::abi::vm_layout::{VmEnv, VmFuncRef};
use crate::types::{TypeView, is_subtype};
use std::ptr::NonNull;
use std::slice;

/// Calls `each` with the slot of every externref that an instance's link set holds, nulls included.
/// The stacks of running code are not looked at.
///
/// # Safety
/// The caller holds the link set alive, and no other thread runs in it.
pub unsafe fn for_each_externref(instance: NonNull<Instance>, each: &mut dyn FnMut(u64)) {
    // SAFETY: the caller holds the link set alive, and no other thread runs in it.
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

    /// The type of the global with this index, with canonical numbers.
    pub fn global_type(&self, index: u32) -> Option<GlobalType> {
        self.module().globals.get(index as usize).map(|global| self.types().global(global.ty))
    }

    /// Whether the reference in `word` is of type `ty`, in which numbers are canonical.
    ///
    /// # Safety
    /// The word is null or a reference of the type's hierarchy, to something that lives.
    pub unsafe fn accepts(&self, ty: RefType, word: u64) -> bool {
        if word == 0 {
            return ty.is_nullable();
        }
        match ty.heap() {
            HeapType::Func | HeapType::Extern | HeapType::Exn => true,
            HeapType::Defined(TypeKind::Func, wanted) => {
                let func = word as usize as *const VmFuncRef;
                // SAFETY: the function lives, so that its type's number is in use; so is that of
                // a type that somebody has.
                unsafe { is_subtype(self.types().all(), (*func).type_id, wanted.get()) }
            }
            // Nothing is of these types.
            _ => false,
        }
    }

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
