//! Stands for `wasi` in builds without it: configured like it, and offering nothing.

#[path = "wasi/args.rs"]
mod args;

pub use args::WasiArgs;

use crate::abi::error::Result;
use crate::instance::Instance;
use crate::native::Registry;

/// No state.
pub struct WasiCtx(());

impl WasiCtx {
    pub fn new(_args: &WasiArgs) -> Result<Self> {
        Ok(Self(()))
    }

    pub fn of(_instance: &Instance) -> Option<&Self> {
        None
    }

    pub fn exit_code(&self) -> u32 {
        0
    }
}

/// Offers nothing.
pub fn register(_registry: &Registry) -> bool {
    true
}
