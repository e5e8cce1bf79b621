//! Instances of the modules that a module imports from.
//!
//! Making an instance makes one of each module that it imports from, directly or through others,
//! just before those that import from it. So all that import from one module have the same instance
//! of it, as the specification's linking demands. Each instantiation has instances of its own: two
//! programs do not see each other through a module that both import from. The instances of one
//! instantiation are one link set. If anything fails on the way, all of them go.

use super::bind::{Bound, Links, Sub};
use super::{Context, Error, Extern, Instance, InstanceArgs, Module, Result};
use crate::abi::error::bounded;
use crate::alloc;
use std::any::Any;
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::BuildHasherDefault;

/// Gives an imported module's instance its [`Instance::host_state`]; `None` for the usual one.
pub type SubHostState = dyn Fn(&Module) -> Result<Option<Box<dyn Any + Send + Sync>>>;

/// How many modules may import from each other in a row. Each takes native stack.
const DEPTH_MAX: usize = 64;

/// One instance with all that are made for it.
pub(super) struct Tree {
    depth: usize,
    /// By [`Module::id`]; `None` while instances for the module's imports are being made.
    members: HashMap<usize, Option<Instance>, BuildHasherDefault<DefaultHasher>>,
    /// How often everything in the context had been terminated when this began.
    terminations: u64,
}

impl Tree {
    pub(super) fn new(context: &Context) -> Self {
        Self { depth: 0, members: HashMap::default(), terminations: context.terminations() }
    }

    /// Whether everything in the context was terminated since this began. Later terminations reach
    /// the instances that are listed by then.
    pub(super) fn is_stopped(&self, context: &Context) -> bool {
        context.terminations() != self.terminations
    }

    /// Makes the instances that the imports of `module` are bound to, by the modules' places in
    /// `links`. Modules that only serve imports which the embedder gave are left out.
    pub(super) fn instantiate(
        &mut self,
        module: &Module,
        links: &Links,
        args: &InstanceArgs,
        given: &[Option<Extern>],
    ) -> Result<Vec<Option<Instance>>> {
        if links.subs.is_empty() {
            return Ok(Vec::new());
        }
        let context = module.context();
        let (needed, mut instances) = context.run(|| {
            self.note(module, None)?;
            let mut instances = alloc::try_vec(links.subs.len())?;
            instances.resize_with(links.subs.len(), || None);
            Ok::<_, Error>((needed(links, given)?, instances))
        })?;
        // The module that is named last comes first, as in WAMR.
        for (place, sub) in links.subs.iter().enumerate().rev() {
            if needed[place] {
                instances[place] = Some(self.instance_of(sub, args)?);
            }
        }
        Ok(instances)
    }

    /// The instance of a module that is imported from, made if there is none yet.
    fn instance_of(&mut self, sub: &Sub, args: &InstanceArgs) -> Result<Instance> {
        let module = &sub.module;
        match self.members.get(&module.id()) {
            Some(Some(instance)) => return Ok(instance.clone()),
            Some(None) => {
                let name = &sub.name;
                return Err(Error::instantiate(bounded(format_args!(
                    "found circular dependency on {name}"
                ))));
            }
            None => {}
        }
        if self.depth == DEPTH_MAX {
            return Err(Error::instantiate("sub modules are nested too deeply"));
        }
        self.depth += 1;
        let context = module.context();
        let host_state = match &args.sub_host_state {
            Some(make) => context.guarded(|| make(module))??,
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
        let instance = Instance::in_tree(module, args, &[], self)?;
        self.depth -= 1;
        context.run(|| self.note(module, Some(instance.clone())))?;
        Ok(instance)
    }

    /// Runs inside the context.
    fn note(&mut self, module: &Module, instance: Option<Instance>) -> Result<()> {
        alloc::fallible(|| self.members.try_reserve(1))?;
        self.members.insert(module.id(), instance);
        Ok(())
    }
}

/// Which of the modules in `links` an import is bound to.
fn needed(links: &Links, given: &[Option<Extern>]) -> Result<Vec<bool>> {
    let mut needed = alloc::try_filled(links.subs.len(), false)?;
    for (at, bound) in links.bound.iter().enumerate() {
        let given = given.get(at).is_some_and(Option::is_some);
        if let (false, Some(Bound::Export { sub, .. })) = (given, bound) {
            needed[*sub] = true;
        }
    }
    Ok(needed)
}
