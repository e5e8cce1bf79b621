//! The vocabulary every other part shares: types, values, traps, errors and the layout of
//! the state that running code reads.
//!
//! It knows no allocator, no module and no engine, and holds no behaviour beyond the numeric
//! semantics of the WebAssembly specification (`wasm_ops`). Control does not enter here: other
//! modules use its types and functions.

pub mod definitions;
pub mod error;
pub mod guest_word;
pub mod heap_types;
pub mod lanes;
pub mod raw_ref;
pub mod trap;
pub mod types;
pub mod value;
pub mod vm_layout;
pub mod wasm_ops;
