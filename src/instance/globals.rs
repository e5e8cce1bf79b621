//! Globals of an instance in the making.

use super::build::{Build, Resolve};
use super::heap_plan::HeapPlan;
use super::link::GlobalPlace;
use super::memory::Pace;
use super::{Instance, guest_alloc, link, segments};
use crate::abi::error::Result;
use crate::abi::types::GlobalType;
use crate::abi::vm_layout::VmGlobal;
use crate::module::{ExternType, Module};

impl Build<'_> {
    /// Lists imported globals, and places constants that imports are bound to.
    pub(super) fn bind_globals(&mut self, module: &Module, resolve: Resolve<'_, '_>) -> Result<()> {
        if module.imported.globals == 0 {
            return Ok(());
        }
        for (at, index, import) in link::numbered(module) {
            let ExternType::Global(ty) = import.ty else { continue };
            let (storage, ty) = match link::global(import, ty, &resolve(at), self.at)? {
                GlobalPlace::There(storage, ty) => (storage, ty),
                GlobalPlace::Own(slots) => {
                    let place =
                        self.place::<VmGlobal>(self.layout.own_imported_globals, self.own_globals);
                    self.own_globals += 1;
                    // SAFETY: the layout counted the constants that imports are bound to.
                    unsafe { place.write(VmGlobal { slots }) };
                    (place, ty)
                }
            };
            // SAFETY: both lists have a place for each imported global.
            unsafe {
                self.place::<GlobalType>(self.layout.global_types, index as usize).write(ty);
                *self.place::<*mut VmGlobal>(self.layout.global_list, index as usize) = storage;
            }
        }
        Ok(())
    }

    /// Gives the globals of the instance's own their values.
    pub(super) fn init_globals(
        &self,
        module: &Module,
        heap: &Option<HeapPlan>,
        pace: &mut Pace<'_>,
    ) -> Result<()> {
        // SAFETY: functions and earlier globals are in place, which is all that an initialiser
        // can refer to.
        let instance = unsafe { self.at.as_ref() };
        let imported = module.imported.globals as usize;
        for (index, global) in module.globals.iter().skip(imported).enumerate() {
            let Some(init) = &global.init else { continue };
            let slots = segments::evaluate(instance, init, pace)?;
            // SAFETY: the block has a place for each defined global.
            unsafe { self.place::<VmGlobal>(self.layout.globals, index).write(VmGlobal { slots }) };
        }
        let moved = match self.parent {
            Some(parent) => moved_heap_base(module, parent),
            None => heap.as_ref().and_then(|plan| plan.heap_base),
        };
        if let Some((index, base)) = moved {
            let slots = [base, 0];
            let place = self.place::<VmGlobal>(self.layout.globals, index as usize);
            // SAFETY: the block has a place for each defined global.
            unsafe { place.write(VmGlobal { slots }) };
        }
        Ok(())
    }
}

/// Where a program's heap starts, if room was made for the host's in front of it.
fn moved_heap_base(module: &Module, parent: &Instance) -> Option<(u32, u64)> {
    let (defined, _) = guest_alloc::heap_base(module)?;
    let global = parent.global(module.imported.globals + defined)?;
    // SAFETY: the storage belongs to the parent, and is that of an immutable i32.
    Some((defined, unsafe { global.as_ref() }.slots[0]))
}
