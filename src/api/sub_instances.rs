//! Instances of the modules that a module imports from.
//!
//! As in WAMR, an instance gets instances of its own of those modules, made just before it: two
//! instances that import from one module do not see each other through it, not even when a third
//! imports from both. All of them are one group.

use super::bind::{Bound, Links};
use super::{Error, Extern, Instance, InstanceArgs, Module, Result};
use crate::alloc;
use std::any::Any;

/// Gives an imported module's instance its [`Instance::host_state`]; `None` for the usual one.
pub type SubHostState = dyn Fn(&Module) -> Result<Option<Box<dyn Any + Send + Sync>>>;

/// How many modules may import from each other in a row. Each takes native stack.
const DEPTH_MAX: usize = 64;

/// How many instances may be made for one. Modules that import from two that import from one
/// double it, again and again.
const INSTANCES_MAX: usize = 1 << 16;

/// One instance with all that are made for it.
#[derive(Default)]
pub(super) struct Tree {
    depth: usize,
    instances: usize,
}

impl Tree {
    /// Makes the instances that the imports of `module` are bound to, by the modules' places in
    /// `links`. Modules that only serve imports which the embedder gave are left out.
    pub(super) fn instantiate(
        &mut self,
        module: &Module,
        links: &Links,
        args: &InstanceArgs,
        given: &[Option<Extern>],
    ) -> Result<Vec<Option<Instance>>> {
        let context = module.context();
        let mut made = context.run(|| alloc::try_vec(links.subs.len()))?;
        made.resize_with(links.subs.len(), || None);
        // The module that is named last comes first, as in WAMR.
        for (place, sub) in links.subs.iter().enumerate().rev() {
            if !is_needed(place, links, given) {
                continue;
            }
            self.descend()?;
            let host_state = match &args.sub_host_state {
                Some(make) => context.guarded(|| make(&sub.module))??,
                None => None,
            };
            let args = InstanceArgs {
                stack_size: args.stack_size,
                heap_size: args.heap_size,
                max_memory_pages: args.max_memory_pages,
                custom_data: args.custom_data,
                host_state,
                sub_host_state: args.sub_host_state.clone(),
            };
            made[place] = Some(Instance::in_tree(&sub.module, args, &[], self)?);
            self.depth -= 1;
        }
        Ok(made)
    }

    fn descend(&mut self) -> Result<()> {
        self.depth += 1;
        self.instances += 1;
        if self.depth > DEPTH_MAX {
            return Err(Error::instantiate("sub modules are nested too deeply"));
        }
        if self.instances > INSTANCES_MAX {
            return Err(Error::instantiate("too many sub modules"));
        }
        Ok(())
    }
}

/// Whether an import is bound to the module at this place.
fn is_needed(place: usize, links: &Links, given: &[Option<Extern>]) -> bool {
    links.bound.iter().enumerate().any(|(at, bound)| {
        let given = given.get(at).is_some_and(Option::is_some);
        !given && matches!(bound, Some(Bound::Export { sub, .. }) if *sub == place)
    })
}
