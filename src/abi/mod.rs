//! The vocabulary every other part shares: types, values, traps, errors and the layout of
//! the state that running code reads.
//!
//! It knows no allocator, no module and no engine, and holds no behaviour beyond what the
//! WebAssembly specification fixes (`wasm_ops`). Nothing here is entered from outside; it is
//! only used.

pub mod definitions;
pub mod error;
pub mod heap_types;
pub mod trap;
pub mod types;
pub mod value;
pub mod vm_layout;
pub mod wasm_ops;
