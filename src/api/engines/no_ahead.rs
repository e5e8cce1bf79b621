//! Files compiled ahead in builds that compile nothing: their modules are interpreted.

use super::modes::ModeCode;
use crate::abi::error::Result;
use crate::ahead::{self, File, FileLayout, Host};
use crate::api::ahead_options::{AheadFile, AheadOptions};
use crate::context::Context;
use crate::module::Module;
use std::fs;
use std::sync::Arc;

/// There is no machine code.
pub(in crate::api) enum FileCode {}

/// Nor are files mapped.
pub(in crate::api) enum Mapping {}

impl Mapping {
    /// # Safety
    /// None is needed.
    pub(in crate::api) unsafe fn new(_file: &fs::File, _len: usize) -> Option<Self> {
        None
    }

    pub(in crate::api) fn bytes(&self) -> &[u8] {
        match *self {}
    }
}

/// Any code will do, because it is not run.
pub(in crate::api) fn check(_file: &File<'_>) -> Result<()> {
    Ok(())
}

/// # Safety
/// None is needed.
pub(in crate::api) unsafe fn file_code(
    _context: &Context,
    _source: Result<Mapping, &[u8]>,
    _layout: &FileLayout,
    _module: &Module,
) -> Result<Option<FileCode>> {
    Ok(None)
}

pub(super) fn code(_context: &Context, _module: Arc<Module>, code: FileCode) -> Result<ModeCode> {
    match code {}
}

/// A file with the module alone.
pub(in crate::api) fn compile(module: &Module, _options: &AheadOptions) -> Result<AheadFile> {
    let bytes = ahead::write(Host::NONE, &[&module.bytes, &[], &[], &[], &[], &[]])?;
    Ok(AheadFile { bytes, funcs: 0, interpreted: module.bodies.len() as u32 })
}
