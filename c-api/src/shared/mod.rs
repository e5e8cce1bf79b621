//! Types that more than one header declares, each behind the guard macro its header text names.
//!
//! They know no function and no runtime type. Layouts are those of WAMR's headers, as `layout.rs`
//! asserts; enumerations cross the boundary as C integers, because C may pass any number.

mod handles;
mod memory_option;
mod options;
mod value;

pub use handles::*;
pub use memory_option::*;
pub use options::*;
pub use value::*;
