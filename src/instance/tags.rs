//! Tags of exceptions, each of which is its address.

use super::Instance;
use super::build::{Build, Resolve};
use super::link::{self, Import, incompatible, join, missing};
use super::memory::Pace;
use crate::abi::error::Result;
use crate::abi::vm_layout::{VmInstance, VmTag};
use crate::module::{self as parsed, ExternType, Module};
use std::ptr::{self, NonNull};

impl Instance {
    /// The tag with this index.
    pub fn tag(&self, index: u32) -> Option<NonNull<VmTag>> {
        let inside = (index as usize) < self.module.tags.len();
        // SAFETY: the list has as many entries as the module has tags.
        let tag = inside.then(|| unsafe { *self.vm.tags.add(index as usize) })?;
        NonNull::new(tag.cast_mut())
    }
}

impl Build<'_> {
    /// Lists imported tags, and makes those of the instance's own.
    pub(super) fn bind_tags(
        &self,
        module: &Module,
        resolve: Resolve<'_, '_>,
        type_ids: *const u32,
        pace: &mut Pace<'_>,
    ) -> Result<()> {
        let list = self.place::<*const VmTag>(self.layout.tag_list, 0);
        let own = self.place::<VmTag>(self.layout.tags, 0);
        let instance = self.at.as_ptr().cast::<VmInstance>();
        let make = |place: usize, type_index: u32| {
            // SAFETY: `type_ids` has an entry for each of the module's types.
            let type_id = unsafe { *type_ids.add(type_index as usize) };
            let ty = ptr::from_ref(module.types.valid_func(type_index));
            let tag = VmTag { type_id, reserved: 0, ty, instance };
            // SAFETY: the layout counted the tags that the instance has to itself.
            unsafe { own.add(place).write(tag) };
            own.wrapping_add(place).cast_const()
        };
        let imported = module.imported.tags as usize;
        let mut used = module.tags.len() - imported;
        for (at, index, import) in link::numbered(module) {
            let ExternType::Tag(type_index) = import.ty else { continue };
            // The tags before it are looked through, in another thread's instance.
            pace(index as usize * size_of::<*const VmTag>())?;
            let tag = match resolve(at) {
                // SAFETY: the list has a place for each tag, and those before this one are set.
                Import::OwnTag(Some(same)) if same < index => unsafe { *list.add(same as usize) },
                Import::OwnTag(_) => {
                    used += 1;
                    make(used - 1, type_index)
                }
                bound => {
                    // SAFETY: `type_ids` has an entry for each of the module's types.
                    let type_id = unsafe { *type_ids.add(type_index as usize) };
                    imported_tag(import, type_id, &bound, self.at)?
                }
            };
            // SAFETY: the list has a place for each tag.
            unsafe { list.add(index as usize).write(tag) };
        }
        for (place, &type_index) in module.tags.iter().skip(imported).enumerate() {
            // SAFETY: the list has a place for each tag.
            unsafe { list.add(imported + place).write(make(place, type_index)) };
        }
        Ok(())
    }
}

/// A tag, as the import list needs it.
fn imported_tag(
    import: &parsed::Import,
    type_id: u32,
    bound: &Import<'_>,
    importer: NonNull<Instance>,
) -> Result<*const VmTag> {
    match bound {
        Import::Tag(at) => {
            // SAFETY: the code that binds a tag holds its link set alive.
            let tag = unsafe { at.as_ref() };
            if tag.type_id != type_id {
                return Err(incompatible());
            }
            let provider = NonNull::new(tag.instance.cast::<Instance>());
            join(importer, provider.ok_or_else(incompatible)?)?;
            Ok(at.as_ptr())
        }
        Import::Nothing => Err(missing("tag", import)),
        _ => Err(incompatible()),
    }
}

/// The first tag of an instance that is the one with this index.
pub(super) fn first_same_tag(instance: &Instance, index: u32) -> Option<u32> {
    let tag = instance.tag(index);
    (0..index).find(|&other| instance.tag(other) == tag)
}
