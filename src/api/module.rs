//! Modules as the embedder sees them.

use super::bind::{self, Earlier, Funcs, Importer, Links};
use super::engines::{self, Codes};
use super::memory_pool::ContextPool;
use super::package::Package;
use super::{Context, Error, Result};
use crate::abi::error::bounded;
use crate::abi::types::{FuncType, GlobalType, MemoryType, TableType, ValType};
use crate::alloc;
use crate::context::{ContextHold, ObjectKind, RunningMode, TypeIds};
use crate::exec::{CompiledCode, GuestCode};
use crate::instance::{GuestAllocator, MemorySource};
use crate::module::package::PackageType;
use crate::module::{self as parsed, ExternKind};
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

/// The shared part of a module's handles and instances.
pub(super) struct Inner {
    pub(super) parsed: Arc<parsed::Module>,
    pub(super) codes: Codes,
    pub(super) package: PackageType,
    pub(super) type_ids: TypeIds,
    pub(super) source: MemorySource,
    pub(super) entry_points: EntryPoints,
    pub(super) allocator: Option<GuestAllocator>,
    /// The copy of `code` that imports share, if this module's own lies in its context.
    shared: Lock<Option<Arc<dyn GuestCode>>>,
    links: Lock<Arc<Links>>,
    name: Lock<Box<str>>,
    /// Last: the context must outlive everything above.
    pub(super) held: ContextHold,
}

/// Whom a module is loaded for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The embedder.
    Main,
    /// A module that imports from it.
    Imported,
}

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
    /// A tag of exceptions; the parameters are their payload.
    Tag(&'a FuncType),
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
    /// Loads a binary, or a file compiled ahead, into `context`, binding its imports to the natives
    /// registered there. The bytes are copied.
    pub fn new(context: &Context, bytes: &[u8]) -> Result<Self> {
        Self::with_options(context, bytes, LoadOptions::default())
    }

    /// As [`Module::new`], without the copy: the module keeps `bytes`. They are counted where
    /// they were allocated.
    pub fn from_vec(context: &Context, bytes: Vec<u8>) -> Result<Self> {
        context.guarded(|| Self::load_package(context, Package::of_vec(context, bytes)?))?
    }

    /// Loads what a file has. Runs inside the context.
    pub(super) fn load_package(context: &Context, package: Package) -> Result<Self> {
        Self::translate(context, package, "", Funcs::Now)
    }

    /// As [`Module::new`], with options.
    pub fn with_options(context: &Context, bytes: &[u8], options: LoadOptions) -> Result<Self> {
        let funcs = if options.no_resolve { Funcs::Later } else { Funcs::Now };
        context.guarded(|| Self::load(context, bytes, &options.name, Role::Main, funcs))?
    }

    /// Loads a module that another imports from. Runs inside the context.
    pub(super) fn load_imported(context: &Context, bytes: &[u8], name: &str) -> Result<Self> {
        Self::load(context, bytes, name, Role::Imported, Funcs::Now)
    }

    fn load(context: &Context, bytes: &[u8], name: &str, role: Role, funcs: Funcs) -> Result<Self> {
        let package = Package::of_bytes(context, bytes)?;
        if role == Role::Imported && package.module.exported("_start", ExternKind::Func).is_some() {
            return Err(Error::load("a command (with _start function) can not be a sub-module"));
        }
        Self::translate(context, package, name, funcs)
    }

    /// A module of `context` from one that was parsed for it.
    fn translate(context: &Context, package: Package, name: &str, funcs: Funcs) -> Result<Self> {
        let Package { module: parsed, code, kind } = package;
        let has = |name| parsed.exported(name, ExternKind::Func).is_some();
        if parsed.imports_wasi() && !has("_start") && !has("_initialize") {
            log::warn!("warning: a module with WASI apis should be either a command or a reactor");
        }
        let parsed = Arc::new(parsed);
        let codes = engines::codes(context, &parsed, code)?;
        Self::link(context, parsed, (codes, kind), name, funcs)
    }

    /// A module of `context` from code that is there.
    fn link(
        context: &Context,
        parsed: Arc<parsed::Module>,
        (codes, package): (Codes, PackageType),
        name: &str,
        funcs: Funcs,
    ) -> Result<Self> {
        let type_ids = context.intern_types(&parsed.types)?;
        let importer = Importer { module: &parsed, types: &type_ids, package };
        let links = bind::bind(context, importer, funcs, None)?;
        let inner = Inner {
            type_ids,
            source: ContextPool::source(context)?,
            entry_points: EntryPoints::of(&parsed),
            allocator: GuestAllocator::of(&parsed),
            shared: Lock::new(None),
            links: Lock::new(Arc::new(links)),
            name: Lock::new(alloc::try_str(name)?),
            held: context.hold(ObjectKind::Module),
            parsed,
            codes,
            package,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The same module in another context: the same code, linked afresh with the natives there,
    /// under the limits there.
    ///
    /// The code that contexts share belongs to none of them, so that any of them may end, and its
    /// memory with it. It is made at the first import of a module, by loading its binary once more
    /// outside of all contexts; later imports, also of imported modules, share it. Neither context
    /// pays for it; [`Module::shared_bytes`] returns its size.
    pub fn import_into(&self, context: &Context) -> Result<Self> {
        let (parsed, code) = self.shared_code()?;
        let name = alloc::try_string(&self.inner.name.lock())?;
        context.guarded(|| {
            let codes = Codes::of(RunningMode::Interp, code);
            Self::link(context, parsed, (codes, self.inner.package), &name, Funcs::Now)
        })?
    }

    fn shared_code(&self) -> Result<(Arc<parsed::Module>, Arc<dyn GuestCode>)> {
        let inner = &self.inner;
        if inner.parsed.home_stats().is_some() {
            return Ok((inner.parsed.clone(), inner.codes.first().clone()));
        }
        // Made under the lock, so that imports that come at once share too.
        let mut shared = inner.shared.lock();
        let code = match &*shared {
            Some(code) => code.clone(),
            None => shared.insert(inner.codes.first().again(inner.parsed.free_copy()?)?).clone(),
        };
        Ok((code.module().clone(), code))
    }

    /// Bytes of the code that this module shares with imports of it in other contexts, with the
    /// functions translated so far; 0 if it was not imported. They are known only where the program
    /// allocates through [`ContextAlloc`](crate::ContextAlloc).
    pub fn shared_bytes(&self) -> u64 {
        let shared = self.inner.shared.lock().clone();
        let home = shared.as_ref().map_or(&self.inner.parsed, |code| code.module()).home_stats();
        home.map_or(0, |stats| stats.live_bytes)
    }

    /// The module's machine code so far, of all modes that its instances run in. What has none is
    /// interpreted: functions that were not called, or not often, and those that have something
    /// which compiled code does not support.
    pub fn compiled_code(&self) -> CompiledCode {
        self.inner.codes.compiled()
    }

    /// Binds all imports again; true when every function import is bound then. Existing instances
    /// keep their bindings, and the modules that were imported from stay the same.
    pub fn resolve_imports(&self) -> bool {
        let context = self.context();
        let parsed = &*self.inner.parsed;
        loop {
            let earlier = Earlier { module: &self.inner, links: &self.links() };
            let Inner { type_ids, package, .. } = &*self.inner;
            let importer = Importer { module: parsed, types: type_ids, package: *package };
            let bind = || bind::bind(context, importer, Funcs::Now, Some(&earlier)).map(Arc::new);
            let bound = context.guarded(bind);
            let Ok(Ok(links)) = bound else { return false };
            let mut funcs = parsed.imports.iter().zip(&links.bound);
            let complete = funcs.all(|(import, bound)| {
                bound.is_some() || !matches!(import.ty, parsed::ExternType::Func(_))
            });
            match context.guarded(|| bind::replace(context, &self.inner, links)) {
                Ok(Ok(Some(old))) => {
                    context.run(|| drop(old));
                    return complete;
                }
                // Bound once more, the circle is found.
                Ok(Ok(None)) => {}
                _ => return false,
            }
        }
    }

    pub(super) fn links(&self) -> Arc<Links> {
        self.inner.links.lock().clone()
    }

    /// Why an import was not bound, as WAMR would say it, if a module to import from was looked
    /// for. That is no failure by itself.
    pub fn link_problem(&self) -> Option<String> {
        let links = self.links();
        links.problem.as_deref().map(|problem| bounded(format_args!("{problem}")))
    }

    /// The context the module was loaded into.
    pub fn context(&self) -> &Context {
        self.inner.held.context()
    }

    ///
    /// It is a copy, and empty without memory for one ([`Module::with_name`]).
    pub fn name(&self) -> String {
        alloc::try_string(&self.inner.name.lock()).unwrap_or_default()
    }

    /// Runs `f` with the module's name. It must not ask for the name again.
    pub fn with_name<R>(&self, f: impl FnOnce(&str) -> R) -> R {
        f(&self.inner.name.lock())
    }

    /// Gives the module another name. Its instances and code are not affected.
    pub fn set_name(&self, name: &str) -> Result<()> {
        let new = self.context().guarded(|| alloc::try_str(name))??;
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
                ExternType::Global(ty)
                    if constant_global(&import.module, &import.name, ty).is_some() =>
                {
                    true
                }
                _ => links.bound.get(at).is_some_and(Option::is_some),
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

    /// The function type with this index among the module's types.
    pub fn func_type(&self, index: u32) -> Option<&FuncType> {
        self.inner.parsed.types.func(index)
    }

    /// Whether the module imports from WASI.
    pub fn is_wasi(&self) -> bool {
        self.inner.parsed.imports_wasi()
    }

    /// An identity: equal for clones of one handle, and different for all other live modules.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.inner) as usize
    }
}

impl Inner {
    /// Leaves nothing bound.
    pub(super) fn take_links(&self) -> Arc<Links> {
        self.set_links(Arc::default())
    }

    /// Gives the module other bindings; those before come back.
    pub(super) fn set_links(&self, links: Arc<Links>) -> Arc<Links> {
        std::mem::replace(&mut *self.links.lock(), links)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let imports_modules = !self.links.lock().subs.is_empty();
        if imports_modules {
            bind::release_subs(self.take_links());
        }
    }
}

impl EntryPoints {
    fn of(module: &parsed::Module) -> Self {
        // An export of any other type has another meaning.
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
        parsed::ExternType::Func(index) => ExternType::Func(module.types.valid_func(index)),
        parsed::ExternType::Table(ty) => ExternType::Table(ty),
        parsed::ExternType::Memory(ty) => ExternType::Memory(ty),
        parsed::ExternType::Global(ty) => ExternType::Global(ty),
        parsed::ExternType::Tag(index) => ExternType::Tag(module.types.valid_func(index)),
    }
}

fn export_type(module: &parsed::Module, index: usize) -> ExportType<'_> {
    let export = &module.exports[index];
    let i = export.index as usize;
    let ty = match export.kind {
        ExternKind::Func => ExternType::Func(module.types.valid_func(module.funcs[i])),
        ExternKind::Table => ExternType::Table(module.tables[i].ty),
        ExternKind::Memory => ExternType::Memory(module.memories[i]),
        ExternKind::Global => ExternType::Global(module.globals[i].ty),
        ExternKind::Tag => ExternType::Tag(module.types.valid_func(module.tags[i])),
    };
    ExportType { name: &export.name, ty }
}
