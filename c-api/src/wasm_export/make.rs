//! From a loaded module and options to an instance.

use super::arguments::InstantiationArgs2;
use super::loaded::LoadedModule;
use super::multi_module::existing_handle;
use super::wasi_settings::{HostState, Settings};
use crate::ffi::context;
use isothread::{Error, Extern, Instance, InstanceArgs, Module, SubHostState};
use std::fmt;
use std::rc::Rc;

/// Why there is no instance.
pub(crate) enum Failure {
    /// WASI was configured twice.
    WasiTwice,
    /// WASI could not be set up. Such texts have no prefix.
    Wasi(isothread::Error),
    Error(isothread::Error),
}

const WASI_TWICE: &str = "WASI configuration was given via both of module and InstantiationArgs2";

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WasiTwice => f.write_str(WASI_TWICE),
            Self::Wasi(error) => f.write_str(error.message()),
            Self::Error(error) => {
                write!(f, "WASM module instantiate failed: {}", error.message())
            }
        }
    }
}

/// The settings an instance gets: those of the options or those of the module, not both.
fn settings_for(module: &LoadedModule, options: &Settings) -> Result<Settings, Failure> {
    let of_module = *module.wasi.lock();
    match (of_module.given, options.given) {
        (true, true) => Err(Failure::WasiTwice),
        (_, true) => Ok(*options),
        _ => Ok(of_module),
    }
}

/// WASI's state for an instance.
///
/// # Safety
/// The arrays and strings of the settings are there.
unsafe fn state_for(
    module: &LoadedModule,
    args: &InstantiationArgs2,
) -> Result<HostState, Failure> {
    let settings = settings_for(module, &args.wasi)?;
    // SAFETY: the caller guarantees that the arrays and strings are there.
    unsafe { settings.to_state() }.map_err(Failure::Wasi)
}

/// WASI's state for the instance of a module that another imports from; `options` are the
/// importer's.
///
/// # Safety
/// The arrays and strings of the settings are there.
unsafe fn state_for_imported(module: &Module, options: &Settings) -> isothread::Result<HostState> {
    let settings = match existing_handle(module) {
        Some(handle) => settings_for(&handle, options).map_err(|_| Error::misuse(WASI_TWICE))?,
        None => *options,
    };
    // SAFETY: the caller guarantees that the arrays and strings are there.
    unsafe { settings.to_state() }
}

/// The instance; the module's count for it is not taken here. `imports` are the module's in binary
/// order, and `None` or nothing stands for the bindings of the load.
pub(super) fn make(
    module: &LoadedModule,
    args: &InstantiationArgs2,
    imports: &[Option<Extern>],
) -> Result<Instance, Failure> {
    // SAFETY: the embedder keeps the strings of its settings alive until it instantiated.
    let state = context::within(module.module.context(), || unsafe { state_for(module, args) });
    let wasi = args.wasi;
    let sub_state = context::within(module.module.context(), || {
        // SAFETY: the embedder keeps the strings of its settings alive until it instantiated.
        let state = move |sub: &Module| unsafe { state_for_imported(sub, &wasi) };
        Some(Rc::new(state) as Rc<SubHostState>)
    });
    let args = InstanceArgs {
        stack_size: args.v1.default_stack_size,
        heap_size: args.v1.host_managed_heap_size,
        max_memory_pages: args.v1.max_memory_pages,
        custom_data: args.custom_data.expose_provenance(),
        host_state: state.map_err(Failure::Error)??,
        sub_host_state: sub_state.map_err(Failure::Error)?,
    };
    Instance::with_imports(&module.module, args, imports).map_err(Failure::Error)
}
