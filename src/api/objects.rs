//! Objects of the host's behind externrefs, by the instance that owns them.

use super::{Context, Instance};
use crate::abi::heap_types::Hierarchy;
use crate::abi::raw_ref::RawRef;
use crate::abi::types::ValType;
use crate::context::ObjectCleanup;
use crate::exec::{ExecEnv as Env, for_each_local_ref};
use crate::instance::{any_env, for_each_externref};
use std::convert::Infallible;
use std::ptr::NonNull;

/// Without [`Context::use_extern_objects`] no instance has any.
impl Instance {
    /// The number that stands for the instance's object at `address`, given to it now if it has
    /// none. `None` if memory or numbers run out.
    pub fn extern_number(&self, address: usize) -> Option<u32> {
        let context = self.context_ref();
        context.run(|| context.extern_objects()?.number(self.owner_key(), address))
    }

    /// Takes the instance's object at `address` out of the table; false if it has none there.
    /// References to it stay, but lead nowhere.
    pub fn delete_extern_object(&self, address: usize) -> bool {
        let context = self.context_ref();
        let objects = context.extern_objects();
        objects.is_some_and(|o| context.run(|| o.delete(self.owner_key(), address)))
    }

    /// Takes all objects of the instance's out of the table.
    pub fn delete_extern_objects(&self) {
        let context = self.context_ref();
        if let Some(objects) = context.extern_objects() {
            context.run(|| objects.delete_all(self.owner_key()));
        }
    }

    /// Sets the function that is called with the instance's object at `address` when it goes; false
    /// if it has none there.
    ///
    /// # Safety
    /// The function may be called once with the address, on any thread.
    pub unsafe fn set_extern_cleanup(
        &self,
        address: usize,
        cleanup: Option<ObjectCleanup>,
    ) -> bool {
        let objects = self.context_ref().extern_objects();
        // SAFETY: the caller guarantees that the function may be called once with the address, on
        // any thread.
        objects.is_some_and(|o| unsafe { o.set_cleanup(self.owner_key(), address, cleanup) })
    }

    /// The instance's key in the table.
    fn owner_key(&self) -> usize {
        self.ptr().addr().get()
    }
}

/// After a call: lets go of those objects of the instance's that nothing leads to any more, nor the
/// call's results. Not while other calls run in the link set: their stacks may hold references.
///
/// # Safety
/// The exec_env is live and used by this thread only; `cells` holds values of the types `results`.
#[cold]
pub(super) unsafe fn reclaim(
    context: &Context,
    env: NonNull<Env>,
    results: &[ValType],
    cells: *const u32,
) {
    let Some(objects) = context.extern_objects() else { return };
    // SAFETY: an exec_env's instance is live; one thread at a time uses a link set. The caller
    // vouches for the cells.
    unsafe {
        let instance = env.as_ref().instance();
        if any_env(instance, |env| Env::is_in_call(env)) {
            return;
        }
        context.run(|| {
            objects.reclaim(instance.addr().get(), |found| {
                let mut of_slot = |slot: u64| slot.checked_sub(1).into_iter().for_each(&mut *found);
                for_each_externref(instance, &mut of_slot);
                let mut cell = cells;
                for ty in results {
                    if ty.hierarchy() == Some(Hierarchy::Any) {
                        let word = cell.cast::<u64>().read_unaligned();
                        RawRef::read(word).slot().into_iter().for_each(&mut of_slot);
                    }
                    cell = cell.add(ty.cells() as usize);
                }
                any_env(instance, |env| {
                    let Ok(()) = for_each_local_ref::<Infallible>(env, &mut |slot| {
                        of_slot(slot);
                        Ok(())
                    });
                    false
                });
            });
        });
    }
}
