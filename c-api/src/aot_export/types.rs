//! The header's types.

use isothread::{AheadFile, AheadOptions, Module};
use std::ffi::c_void;

/// A module that is to be compiled.
pub struct AOTCompData {
    /// The kind of machine, if the caller named one.
    pub(super) arch: Option<Box<str>>,
    /// Last, because it keeps the context, whose memory all of this is.
    pub(super) module: Module,
}
pub type aot_comp_data_t = *mut AOTCompData;

/// A module with the options of its compilation, and the file once it is compiled.
pub struct AOTCompContext {
    pub(super) options: AheadOptions,
    pub(super) file: Option<AheadFile>,
    /// Last, because it keeps the context.
    pub(super) module: Module,
}
pub type aot_comp_context_t = *mut AOTCompContext;

/// The file of a module, as it was when this was made.
pub struct AOTObjectData {
    pub(super) bytes: Vec<u8>,
    /// Last, because it keeps the context.
    pub(super) _module: Module,
}
pub type aot_obj_data_t = *mut AOTObjectData;

/// What reads a module's debugging information; there is nothing of the kind here.
pub type dwarf_extractor_handle_t = *mut c_void;

/// The formats of files, which the header lists without a name.
#[repr(C)]
pub enum aot_output_format {
    AOT_FORMAT_FILE = 0,
    AOT_OBJECT_FILE = 1,
    AOT_LLVMIR_UNOPT_FILE = 2,
    AOT_LLVMIR_OPT_FILE = 3,
}
