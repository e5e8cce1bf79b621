//! The types of a context: which types of its modules are the same, and which are subtypes.
//!
//! Modules define types in groups, the types of which may refer to each other. Two groups are the
//! same if they are of the same structure, wherever they were defined, and then so are their types,
//! one by one. A context has one [`TypeRegistry`], which gives types *canonical numbers*: the same
//! type has the same number in all of a context's modules, and running code compares numbers.
//! Numbers of different contexts have nothing to do with each other.
//!
//! A group is made a list of words (`key`) in which a type of the group goes by its place there,
//! and any other by its canonical number, which is known by then. So each group is looked at once,
//! whatever refers to it, and equal groups have equal keys. Keys are found by a hash whose secret
//! is the registry's, so that no module can choose keys that collide.
//!
//! Groups are counted: one goes with the last module that defines it. No group counts those that it
//! refers to, since whoever has it has them; they are given up in the reverse order.
//!
//! Which numbers a type's supertypes have is known when it is made (`VmType`), so that a test of
//! subtypes is one comparison, without a lock and whatever other threads load meanwhile.
//!
//! It knows no module and no context. Control enters at [`TypeRegistry::intern`], when a module is
//! loaded, and at [`TypeView`], with what an instance knows.

mod key;
mod registry;
mod slab;
mod view;

pub use registry::TypeRegistry;
#[cfg(test)]
pub use view::NO_TYPES;
pub use view::{TypeView, is_subtype};

#[cfg(test)]
mod tests;
