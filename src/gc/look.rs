//! Long work on a heap looks now and then whether to stop.

use crate::abi::trap::Trap;

/// Says whether to stop, and why.
pub type GcLook<'a> = dyn FnMut() -> Result<(), Trap> + 'a;
