//! `gc_export.h`: types of modules, and objects of guests that the host makes and looks into.
//!
//! It knows no other header but `wasm_export.h`, and never follows what C gives it as an object.
//! Control enters from C.

pub mod arrays;
pub mod defined_types;
pub mod funcs;
pub mod hosts;
pub mod kinds;
mod objects;
pub mod ref_types;
pub mod roots;
pub mod structs;
pub mod types;
mod values;
