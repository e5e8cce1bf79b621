//! `wasm_c_api.h`: the standard C API, as WAMR declares it.
//!
//! An engine is a runtime context, and a store an owner of objects in it. It knows the public Rust
//! API, and of `wasm_export.h` the parts that this folder's handles are made of: modules and
//! instances that functions of both headers take. It knows no thread: whichever thread calls, an
//! object's store leads to its context. Control enters at each exported function, which runs
//! inside `guard`.
//!
//! `memory_block` and `vector` with `elements` hold data; `types` with `type_objects` and `reflect`
//! describe types; `object` is all references behind one type; `engine` and `store` own them;
//! `value` converts; `host_items` makes what the host defines; the other files are the header's
//! sections. Families of functions that the header declares by macros are made by macros here.

mod call;
mod elements;
pub mod engine;
pub mod externs;
mod families;
pub mod foreign;
pub mod frame;
pub mod func;
pub mod global;
pub mod handles;
mod host_code;
mod host_items;
pub mod instance;
pub mod memory;
mod memory_block;
pub mod module;
mod object;
pub mod reflect;
mod store;
pub mod table;
pub mod trap;
pub mod type_objects;
pub mod types;
pub mod value;
mod vector;
