//! isothread and its peers behind one trait, in one process.

#[path = "../../common/mod.rs"]
pub mod common;
pub mod silverfir;
#[cfg(feature = "wamr")]
pub mod wamr;
#[cfg(feature = "wasm3")]
pub mod wasm3;
pub mod wasmi;
#[cfg(feature = "compiled")]
pub mod wasmtime;

use common::Engine;
use std::path::PathBuf;

/// The root crate's folder, where the kernels are.
pub fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Every engine this build has, the subject first.
#[allow(clippy::vec_init_then_push, reason = "the features decide how many there are")]
pub fn engines() -> Result<Vec<Box<dyn Engine>>, String> {
    let mut engines: Vec<Box<dyn Engine>> = Vec::new();
    engines.push(Box::new(common::isothread::Isothread::new()?));
    if let Some(compiled) = common::isothread::Isothread::compiled() {
        engines.push(Box::new(compiled?));
    }
    engines.push(Box::new(wasmi::Wasmi::new()));
    engines.push(Box::new(silverfir::Silverfir::new()?));
    #[cfg(feature = "wasm3")]
    engines.push(Box::new(wasm3::Wasm3::new()?));
    #[cfg(feature = "wamr")]
    engines.push(Box::new(wamr::Wamr::new()?));
    Ok(engines)
}

/// isothread and its peers that compile, the subject first.
#[cfg(feature = "compiled")]
pub fn compilers() -> Result<Vec<Box<dyn Engine>>, String> {
    let subject = common::isothread::Isothread::compiled().ok_or("this build cannot compile")?;
    Ok(vec![
        Box::new(subject?),
        Box::new(wasmtime::Wasmtime::checked()?),
        Box::new(wasmtime::Wasmtime::stoppable()?),
        Box::new(wasmtime::Wasmtime::guarded()?),
    ])
}
