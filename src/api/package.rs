//! Binaries of either kind, and whether a context runs the code of files compiled ahead.

use super::engines::{self, FileCode, Mapping};
use super::{Context, Error, Result};
use crate::abi::error::bounded;
use crate::ahead::{File, is_ahead};
use crate::alloc;
use crate::context::ContextData;
use crate::module::package::PackageType;
use crate::module::{self as parsed, Features};
use std::fs;
use std::io::{self, Read, Seek};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a context runs the code of files. Owner: the context.
#[derive(Default)]
struct Trust {
    is_given: AtomicBool,
}

impl ContextData for Trust {}

impl Context {
    /// Lets the context run machine code out of files compiled ahead, which modules are loaded from
    /// from now on. Without it, such files are loaded as well, but the code that they have is not
    /// looked at: their modules run like any others.
    ///
    /// # Safety
    /// Machine code can do all that the process can do. Files compiled ahead that the context loads
    /// are the unchanged output of [`Module::compile_ahead`], and those that are loaded by
    /// [`Module::from_file`] do not change, nor become shorter, as long as the module or one of its
    /// instances exists: a file is to be replaced by renaming another, never written to.
    ///
    /// [`Module::compile_ahead`]: super::Module::compile_ahead
    /// [`Module::from_file`]: super::Module::from_file
    pub unsafe fn trust_compiled_files(&self) -> Result<()> {
        self.data_or_init(Trust::default)?.is_given.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Takes back [`Context::trust_compiled_files`], for modules that are loaded from now on.
    pub fn distrust_compiled_files(&self) {
        if let Some(trust) = self.data::<Trust>() {
            trust.is_given.store(false, Ordering::Relaxed);
        }
    }

    /// Whether the context runs machine code out of files.
    pub fn trusts_compiled_files(&self) -> bool {
        self.data::<Trust>().is_some_and(|trust| trust.is_given.load(Ordering::Relaxed))
    }
}

/// The content of a file of either kind.
pub(super) struct Package {
    pub(super) module: parsed::Module,
    pub(super) code: Option<FileCode>,
    pub(super) kind: PackageType,
}

impl Package {
    /// From bytes of the embedder's, which are copied. Runs inside the context.
    pub(super) fn of_bytes(context: &Context, bytes: &[u8]) -> Result<Self> {
        if is_ahead(bytes) {
            return Self::of_ahead(context, Err(bytes));
        }
        Ok(Self::of_bytecode(parsed::Module::parse(bytes, Features::default())?))
    }

    /// As [`Package::of_bytes`]; bytecode is not copied.
    pub(super) fn of_vec(context: &Context, bytes: Vec<u8>) -> Result<Self> {
        if is_ahead(&bytes) {
            return Self::of_ahead(context, Err(&bytes));
        }
        let bytes = bytes.into_boxed_slice();
        Ok(Self::of_bytecode(parsed::Module::parse_owned(bytes, Features::default())?))
    }

    /// From a file, which is mapped if its code is to run.
    pub(super) fn of_file(context: &Context, file: &mut fs::File) -> Result<Self> {
        let data = file.metadata().map_err(unreadable)?;
        let len = usize::try_from(data.len()).map_err(|_| Error::out_of_memory())?;
        if data.is_file() && context.trusts_compiled_files() && starts_ahead(file)? {
            // SAFETY: a context that trusts files has been promised that they do not change.
            if let Some(mapping) = unsafe { Mapping::new(file, len) } {
                return Self::of_ahead(context, Ok(mapping));
            }
        }
        let mut bytes = alloc::try_vec(len)?;
        file.read_to_end(&mut bytes).map_err(unreadable)?;
        Self::of_vec(context, bytes)
    }

    fn of_bytecode(module: parsed::Module) -> Self {
        Self { module, code: None, kind: PackageType::Bytecode }
    }

    fn of_ahead(context: &Context, source: Result<Mapping, &[u8]>) -> Result<Self> {
        let bytes = match &source {
            Ok(mapping) => mapping.bytes(),
            Err(bytes) => bytes,
        };
        let file = File::read(bytes)?;
        let runs_code = file.has_code() && context.trusts_compiled_files();
        if runs_code {
            engines::check(&file)?;
        }
        let (bytes, features) = (file.module(), Features::default());
        let module = match runs_code {
            // SAFETY: a context that trusts files has been promised that they come from
            // `compile_ahead`, which had the module, of a version with the same contract.
            true => unsafe { parsed::Module::parse_again(bytes, features) }?,
            false => parsed::Module::parse(bytes, features)?,
        };
        let layout = file.layout();
        let code = match runs_code {
            // SAFETY: a context that trusts files has been promised that their code is that of
            // their modules, made by this library.
            true => unsafe { engines::file_code(context, source, &layout, &module) }?,
            false => None,
        };
        Ok(Self { module, code, kind: PackageType::Aot })
    }
}

/// Whether a file begins like one that was compiled ahead. It is at its beginning afterwards.
fn starts_ahead(file: &mut fs::File) -> Result<bool> {
    let mut start = [0; 4];
    let read = file.rewind().and_then(|()| file.read(&mut start));
    read.and_then(|_| file.rewind()).map_err(unreadable)?;
    Ok(is_ahead(&start))
}

#[cold]
fn unreadable(error: io::Error) -> Error {
    Error::load(bounded(format_args!("the file cannot be read: {error}")))
}
