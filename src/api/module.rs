//! Modules as the embedder sees them.

use super::memory_pool::ContextPool;
use super::{Context, Error, Result};
use crate::abi::types::{FuncType, GlobalType, MemoryType, TableType, ValType};
use crate::alloc;
use crate::context::{Held, ObjectKind, TypeIds};
use crate::instance::{GuestAllocator, MemorySource};
use crate::interp::ModuleCode;
use crate::module::{self as parsed, ExternKind, Features};
use crate::native::HostFunc;
use crate::sync::Lock;
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
///
/// Handles are counted; clones are the same module.
///
/// ```
/// use isothread::{Context, Module};
///
/// let context = Context::new()?;
/// let wasm = wat::parse_str("(module (func (export \"f\")))").unwrap();
/// let module = Module::new(&context, &wasm)?;
/// assert_eq!(module.exports().next().map(|export| export.name), Some("f"));
/// # Ok::<(), isothread::Error>(())
/// ```
#[derive(Clone)]
pub struct Module {
    pub(super) inner: Arc<Inner>,
}

/// What a module's handles and its instances share.
pub(super) struct Inner {
    pub(super) parsed: Arc<parsed::Module>,
    pub(super) code: Arc<ModuleCode>,
    pub(super) type_ids: TypeIds,
    pub(super) source: MemorySource,
    pub(super) entry_points: EntryPoints,
    pub(super) allocator: Option<GuestAllocator>,
    links: Lock<Arc<Links>>,
    name: Lock<Arc<str>>,
    /// Last: the context must outlive everything above.
    pub(super) held: Held,
}

/// What function imports are bound to, by their place among all imports.
#[derive(Default)]
pub(super) struct Links(pub(super) Vec<Option<Arc<HostFunc>>>);

/// Functions that run when an instance is made, by index.
#[derive(Clone, Copy, Default)]
pub(super) struct EntryPoints {
    pub(super) start: Option<u32>,
    pub(super) initialize: Option<u32>,
    pub(super) post_instantiate: Option<u32>,
    pub(super) call_ctors: Option<u32>,
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
    /// Whether the context has something for the import.
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
    /// bytes are copied.
    pub fn new(context: &Context, bytes: &[u8]) -> Result<Self> {
        Self::with_options(context, bytes, LoadOptions::default())
    }

    /// As [`Module::new`], with options.
    pub fn with_options(context: &Context, bytes: &[u8], options: LoadOptions) -> Result<Self> {
        context.guarded(|| Self::load(context, bytes, &options))?
    }

    fn load(context: &Context, bytes: &[u8], options: &LoadOptions) -> Result<Self> {
        let parsed = Arc::new(parsed::Module::parse(bytes, Features::default())?);
        let code = ModuleCode::new(parsed.clone())?;
        let links = if options.no_resolve { Links::default() } else { bind(context, &parsed)? };
        let inner = Inner {
            type_ids: context.intern_types(parsed.types.iter())?,
            source: ContextPool::source(context)?,
            entry_points: EntryPoints::of(&parsed),
            allocator: GuestAllocator::of(&parsed),
            links: Lock::new(Arc::new(links)),
            name: Lock::new(options.name.as_str().into()),
            held: context.hold(ObjectKind::Module),
            parsed,
            code,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same module in another context, linked afresh with the natives there. It gets code of
    /// its own, since code lies in the memory of its context.
    pub fn import_into(&self, context: &Context) -> Result<Self> {
        let options = LoadOptions { name: self.name(), no_resolve: false };
        Self::with_options(context, self.bytes(), options)
    }

    /// Binds all imports afresh; true when every function import is bound then. Instances that
    /// exist keep what they have.
    pub fn resolve_imports(&self) -> bool {
        let context = self.context();
        let bound = context.guarded(|| bind(context, &self.inner.parsed));
        let Ok(Ok(links)) = bound else { return false };
        let bound = links.0.iter().flatten().count();
        let complete = bound == self.inner.parsed.imported.funcs as usize;
        let old = context.run(|| std::mem::replace(&mut *self.inner.links.lock(), Arc::new(links)));
        context.run(|| drop(old));
        complete
    }

    pub(super) fn links(&self) -> Arc<Links> {
        self.inner.links.lock().clone()
    }

    /// The context the module was loaded into.
    pub fn context(&self) -> &Context {
        self.inner.held.context()
    }

    pub fn name(&self) -> String {
        self.inner.name.lock().as_ref().into()
    }

    /// Gives the module another name. Its instances and code are not affected.
    pub fn set_name(&self, name: &str) -> Result<()> {
        let new = self.context().guarded(|| Arc::<str>::from(name))?;
        let old = std::mem::replace(&mut *self.inner.name.lock(), new);
        drop(old);
        Ok(())
    }

    /// The binary as it was loaded.
    pub fn bytes(&self) -> &[u8] {
        &self.inner.parsed.bytes
    }

    /// Imports in binary order.
    pub fn imports(&self) -> impl ExactSizeIterator<Item = ImportType<'_>> {
        let links = self.links();
        self.inner.parsed.imports.iter().enumerate().map(move |(at, import)| {
            let ty = extern_type(&self.inner.parsed, import.ty);
            let linked = match ty {
                ExternType::Func(_) => links.0.get(at).is_some_and(Option::is_some),
                ExternType::Global(ty) => {
                    constant_global(&import.module, &import.name, ty).is_some()
                }
                _ => false,
            };
            ImportType { module: &import.module, name: &import.name, ty, linked }
        })
    }

    /// The import at this place in binary order.
    pub fn import(&self, index: usize) -> Option<ImportType<'_>> {
        self.imports().nth(index)
    }

    /// Exports in binary order.
    pub fn exports(&self) -> impl ExactSizeIterator<Item = ExportType<'_>> {
        let parsed = &self.inner.parsed;
        (0..parsed.exports.len()).map(|index| export_type(parsed, index))
    }

    /// The export at this place in binary order.
    pub fn export(&self, index: usize) -> Option<ExportType<'_>> {
        let parsed = &self.inner.parsed;
        (index < parsed.exports.len()).then(|| export_type(parsed, index))
    }

    /// The content of the first custom section of this name.
    pub fn custom_section(&self, name: &str) -> Option<&[u8]> {
        self.inner.parsed.custom_section(name)
    }

    /// The function types of the module, by type index.
    pub fn func_types(&self) -> &[FuncType] {
        &self.inner.parsed.types
    }

    /// Whether the module imports from WASI.
    pub fn is_wasi(&self) -> bool {
        self.inner.parsed.imports_wasi()
    }

    /// A word that tells modules apart: equal for clones of one handle, and for nothing else
    /// that lives.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.inner) as usize
    }
}

impl EntryPoints {
    fn of(module: &parsed::Module) -> Self {
        // Anything but a function without parameters and results is somebody else's.
        let find = |name| {
            let index = module.exported(name, ExternKind::Func)?;
            let ty = module.func_type(index)?;
            (ty.params().is_empty() && ty.results().is_empty()).then_some(index)
        };
        let wasi = module.imports_wasi();
        Self {
            start: module.start,
            initialize: find("_initialize").filter(|_| wasi),
            post_instantiate: find("__post_instantiate"),
            call_ctors: find("__wasm_call_ctors").filter(|_| !wasi),
        }
    }

    /// In the order they run.
    pub(super) fn iter(self) -> impl Iterator<Item = u32> {
        [self.start, self.initialize, self.post_instantiate, self.call_ctors].into_iter().flatten()
    }
}

/// Looks up every function import among the context's natives.
fn bind(context: &Context, module: &parsed::Module) -> Result<Links> {
    let count = module.imports.len();
    let mut links = alloc::try_vec(count).map_err(|_| Error::out_of_memory())?;
    links.extend(module.imports.iter().map(|import| {
        let parsed::ExternType::Func(ty) = import.ty else { return None };
        let ty = module.types.get(ty as usize)?;
        context.natives().resolve(&import.module, &import.name, ty)
    }));
    Ok(Links(links))
}

/// The value of a global that every context provides, as it lies in a slot.
pub(super) fn constant_global(module: &str, name: &str, ty: GlobalType) -> Option<[u64; 2]> {
    let value = match (module, name) {
        ("global", "NaN") => f64::NAN,
        ("global", "Infinity") => f64::INFINITY,
        _ => return None,
    };
    let fits = ty == GlobalType { val: ValType::F64, mutable: false };
    fits.then_some([value.to_bits(), 0])
}

fn extern_type(module: &parsed::Module, ty: parsed::ExternType) -> ExternType<'_> {
    match ty {
        parsed::ExternType::Func(index) => ExternType::Func(&module.types[index as usize]),
        parsed::ExternType::Table(ty) => ExternType::Table(ty),
        parsed::ExternType::Memory(ty) => ExternType::Memory(ty),
        parsed::ExternType::Global(ty) => ExternType::Global(ty),
    }
}

fn export_type(module: &parsed::Module, index: usize) -> ExportType<'_> {
    let export = &module.exports[index];
    let i = export.index as usize;
    let ty = match export.kind {
        ExternKind::Func => ExternType::Func(&module.types[module.funcs[i] as usize]),
        ExternKind::Table => ExternType::Table(module.tables[i].ty),
        ExternKind::Memory => ExternType::Memory(module.memories[i]),
        ExternKind::Global => ExternType::Global(module.globals[i].ty),
    };
    ExportType { name: &export.name, ty }
}
