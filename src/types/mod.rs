//! The types of a context: which types of its modules are the same, and which are subtypes.
//!
//! Modules define types in groups, the types of which may refer to each other. Two groups are the
//! same if they are of the same structure, in the same module or not, and then so are their types,
//! one by one. A context has one [`TypeRegistry`], which gives types *canonical numbers*: the same
//! type has the same number in all of a context's modules, and running code compares numbers.
//! Numbers of different contexts have nothing to do with each other.
//!
//! A group is turned into a list of words (`key`). It names a type of the group by its place there,
//! and any other type by its canonical number, which is known by then. So each group is read once,
//! however many others refer to it, and equal groups have equal keys. Keys are found by a hash with
//! a secret of the registry's, so that no module can choose keys that collide.
//!
//! The registry counts the uses of a group, and frees it with the last module that defines it. A
//! group is no use of the groups that it refers to: a module that defines it defines them, too, and
//! gives its groups up in the reverse order.
//!
//! The numbers of a type's supertypes are stored when it is made (`VmType`), so that a test of
//! subtypes is one comparison, without a lock, also while other threads load modules.
//!
//! It knows no module and no context. Control enters at [`TypeRegistry::intern`], when a module is
//! loaded, and at [`TypeView`], for the types of an instance.

mod key;
mod registry;
mod slab;
mod view;

pub use registry::TypeRegistry;
#[cfg(test)]
pub use view::NO_TYPES;
pub use view::{TypeView, has_supertype, is_subtype};

#[cfg(test)]
mod tests;
