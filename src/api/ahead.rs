//! Modules from files, and compiling them ahead.

use super::ahead_options::{AheadFile, AheadOptions};
use super::package::Package;
use super::{Context, Module, Result, engines};
use crate::module::package::PackageType;
use std::fs;

impl Module {
    /// Loads a module from a file. As [`Module::from_vec`], but one that was compiled ahead is not
    /// read as a whole where its code runs: it is mapped, and its pages are shared with all that
    /// map it.
    pub fn from_file(context: &Context, file: &mut fs::File) -> Result<Self> {
        context.guarded(|| Self::load_package(context, Package::of_file(context, file)?))?
    }

    /// The kind of file that the module was loaded from.
    pub fn package_type(&self) -> PackageType {
        self.inner.package
    }

    /// Compiles the module to machine code, as a file: it has the module as well, and is loaded
    /// like any binary, by this version of the library on processors with the features of the
    /// options. Where the library compiles nothing, the file has the module alone.
    ///
    /// Contexts run the code of files only if they trust them
    /// ([`Context::trust_compiled_files`]).
    ///
    /// ```
    /// use isothread::{AheadOptions, Context, Module};
    ///
    /// let context = Context::new()?;
    /// let wasm = wat::parse_str("(module (func (export \"f\")))").unwrap();
    /// let file = Module::new(&context, &wasm)?.compile_ahead(&AheadOptions::default())?;
    /// // SAFETY: all files that the context loads are made here.
    /// unsafe { context.trust_compiled_files()? };
    /// let module = Module::new(&context, &file.bytes)?;
    /// assert_eq!(module.bytes(), wasm);
    /// assert_eq!(module.compiled_code().funcs, u64::from(file.funcs));
    /// # Ok::<(), isothread::Error>(())
    /// ```
    pub fn compile_ahead(&self, options: &AheadOptions) -> Result<AheadFile> {
        self.context().guarded(|| engines::compile(&self.inner.parsed, options))?
    }
}
