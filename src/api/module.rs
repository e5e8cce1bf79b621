//! Modules as the embedder sees them.

use super::{Error, Result};
use crate::abi::types::{FuncType, GlobalType, MemoryType, TableType};
use crate::context::Context;
use std::sync::Arc;

/// How [`Module::with_options`] loads.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The module's name; empty unless set.
    pub name: String,
    /// Leaves imports unbound until [`Module::resolve_imports`].
    pub no_resolve: bool,
}

/// A loaded module: validated code with its imports bound to the context's natives.
#[derive(Clone)]
pub struct Module {
    inner: Arc<Inner>,
}

struct Inner {
    context: Context,
}

/// The type of an import or an export, borrowed from its module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExternType<'a> {
    Func(&'a FuncType),
    Table(TableType),
    Memory(MemoryType),
    Global(GlobalType),
}

/// One import of a module.
#[derive(Clone, Copy, Debug)]
pub struct ImportType<'a> {
    pub module: &'a str,
    pub name: &'a str,
    pub ty: ExternType<'a>,
    /// Whether something is bound to the import without the embedder's doing.
    pub linked: bool,
}

/// One export of a module.
#[derive(Clone, Copy, Debug)]
pub struct ExportType<'a> {
    pub name: &'a str,
    pub ty: ExternType<'a>,
}

impl Module {
    /// Loads a binary into `context`, binding its imports to the natives registered there. The
    /// bytes are copied as far as they are needed.
    pub fn new(context: &Context, bytes: &[u8]) -> Result<Self> {
        Self::with_options(context, bytes, LoadOptions::default())
    }

    /// As [`Module::new`], with options.
    pub fn with_options(_context: &Context, _bytes: &[u8], _options: LoadOptions) -> Result<Self> {
        Err(Error::load("no loader"))
    }

    /// The same code, linked afresh with the natives of `context`.
    pub fn import_into(&self, _context: &Context) -> Result<Self> {
        Err(Error::load("no loader"))
    }

    /// Binds imports that are still unbound; true when every function import is bound then.
    pub fn resolve_imports(&self) -> bool {
        false
    }

    /// The context the module was loaded into.
    pub fn context(&self) -> &Context {
        &self.inner.context
    }

    pub fn name(&self) -> String {
        String::new()
    }

    pub fn set_name(&self, _name: &str) -> Result<()> {
        Ok(())
    }

    /// The binary as it was loaded.
    pub fn bytes(&self) -> &[u8] {
        &[]
    }

    /// Imports in binary order.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = ImportType<'_>> {
        std::iter::empty()
    }

    pub fn import(&self, _index: usize) -> Option<ImportType<'_>> {
        None
    }

    /// Exports in binary order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = ExportType<'_>> {
        std::iter::empty()
    }

    pub fn export(&self, _index: usize) -> Option<ExportType<'_>> {
        None
    }

    /// The content of the first custom section of this name.
    pub fn custom_section(&self, _name: &str) -> Option<&[u8]> {
        None
    }

    /// Whether the module imports from WASI.
    pub fn is_wasi(&self) -> bool {
        false
    }

    /// A word that tells modules apart: equal for clones of one handle, and for nothing else
    /// that lives.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.inner) as usize
    }
}
