//! Compiled code out of files.

use super::compiling::{compiling, opt_level};
use super::modes::{ModeCode, compiles};
use crate::abi::error::{Error, Result};
use crate::ahead::{File, FileLayout};
use crate::api::ahead_options::{AheadFile, AheadOptions};
use crate::context::{Context, RunningMode};
use crate::jit::ahead::{self as compiled, CompileOptions, FileSource, Image};
use crate::jit::{self, MappedFile, OptLevel, Policy, When};
use crate::module::Module;
use std::fs;
use std::sync::Arc;

/// Machine code out of a file.
pub(in crate::api) struct FileCode(Image);

/// A file that is mapped.
pub(in crate::api) struct Mapping(MappedFile);

impl Mapping {
    /// Maps a file of `len` bytes; `None` if the system does not do it.
    ///
    /// # Safety
    /// The file does not change while the value exists, nor the code that is made of it.
    pub(in crate::api) unsafe fn new(file: &fs::File, len: usize) -> Option<Self> {
        // SAFETY: the caller guarantees that the file does not change.
        unsafe { MappedFile::new(file, len) }.ok().map(Self)
    }

    pub(in crate::api) fn bytes(&self) -> &[u8] {
        self.0.bytes()
    }
}

/// Checks that this build can run the code of a file on this machine.
pub(in crate::api) fn check(file: &File<'_>) -> Result<()> {
    file.check_host(&compiled::host())
}

/// Takes the code of a file into a context's code memory; `None` if functions are interpreted
/// there, or there is no room. A mapped file stays mapped, a buffer is copied.
///
/// # Safety
/// The file's code is that of its module, made by this library.
pub(in crate::api) unsafe fn file_code(
    context: &Context,
    source: Result<Mapping, &[u8]>,
    layout: &FileLayout,
    module: &Module,
) -> Result<Option<FileCode>> {
    if !compiles(context) || context.running_mode() == RunningMode::Interp {
        return Ok(None);
    }
    let source = match source {
        Ok(Mapping(file)) => FileSource::Mapping(file),
        Err(bytes) => FileSource::Buffer(bytes),
    };
    match Image::load(source, layout, &compiling(context)?.budget)? {
        Some(image) if !image.fits(module) => Err(Error::load("the file is damaged")),
        image => Ok(image.map(FileCode)),
    }
}

/// The code of a module out of its file, with the mode that it is for.
pub(super) fn code(
    context: &Context,
    module: Arc<Module>,
    FileCode(image): FileCode,
) -> Result<ModeCode> {
    let compiling = compiling(context)?;
    let (budget, perf) = (compiling.budget.clone(), compiling.perf.clone());
    let policy = Policy { when: When::Ahead, level: OptLevel::Speed, budget, perf };
    // SAFETY: the caller of `file_code` guarantees that the code is the module's.
    let code = unsafe { jit::code_of_image(module, image, policy) }?;
    Ok((RunningMode::LlvmJit, code))
}

/// Compiles a module into a file.
pub(in crate::api) fn compile(module: &Module, options: &AheadOptions) -> Result<AheadFile> {
    let level = match options.opt_level {
        0 => OptLevel::None,
        _ => opt_level(options.size_level),
    };
    let compiled =
        compiled::compile(module, CompileOptions { level, processor: options.processor })?;
    let compiled::Compiled { bytes, funcs, interpreted } = compiled;
    Ok(AheadFile { bytes, funcs, interpreted })
}
