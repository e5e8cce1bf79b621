//! Objects of guests, that is, structs, arrays and exceptions, and the collector that frees them.
//!
//! It must not know instances, modules and engines. The caller gives the type of each new struct
//! and array: its number, and the places of its fields ([`StructLayout`]). The caller also shows
//! the references outside of the heap ([`GcRoots`]), and says when to stop ([`GcLook`]). Control
//! enters through [`GcHeap`], which a link set owns; nothing here runs by itself.
//!
//! - Objects never move. So roots need only be shown and not changed, a collection can be
//!   abandoned at every step, words of the host may be shown that only look like references, and
//!   an array's elements have an address that the host may keep.
//! - A reference is a claim ([`GcRef`]). A bit for each word of the heap says where objects begin,
//!   and every access looks at it. What the caller gets wrong is `None`, or another live object.
//! - Marking takes no memory: objects that were found and not looked at are a second and third bit,
//!   and chunks that have some are a list through the chunks. Sweeping is an operation on those
//!   bits; free words are found by the allocations that need them.
//! - Memory comes in chunks, from the heap that is current, and fails where that is exhausted.

mod access;
mod allocate;
mod chunk;
mod collect;
pub mod direct;
mod exceptions;
mod finalizers;
mod handles;
mod heap;
mod host;
mod layout;
mod lend;
mod look;
mod object;
mod reference;
mod view;

pub use allocate::HeapFull;
pub use collect::GcMarker;
pub use finalizers::GcFinalizer;
pub use handles::GcHandle;
pub use heap::GcHeap;
#[cfg(test)]
pub use heap::GcStats;
pub use layout::{StorageKind, StructField, StructLayout};
pub use look::GcLook;
pub use object::ARRAY_HEAD_WORDS;
pub use reference::GcRef;
pub use view::no_objects;

#[cfg(test)]
mod tests;
