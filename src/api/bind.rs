//! Binding of a module's imports when it is loaded.
//!
//! A function is looked for among the context's natives first. The rest, except imports of built-in
//! modules, is looked for in the module that the import names. An unbound import is no failure
//! here: it is the instance's to handle.

use super::module::{Inner, constant_global};
use super::registered;
use super::{Context, Error, ErrorKind, Module, Result};
use crate::abi::error::bounded;
use crate::abi::types::Limits;
use crate::alloc;
use crate::context::TypeIds;
use crate::instance::is_built_in_module;
use crate::module::package::PackageType;
use crate::module::{self as parsed, ExternKind, ExternType, Import};
use crate::native::{AddressWidth, HostFunc};
use crate::types::is_subtype;
use log::Level;
use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

/// The bindings of a module. Shared by the module and its instances.
#[derive(Default)]
pub(super) struct Links {
    /// By the imports' places in the binary.
    pub(super) bound: Vec<Option<Bound>>,
    /// The modules that are imported from, in the order in which they are first named.
    pub(super) subs: Vec<Sub>,
    /// Why an import was not bound, if a module to import from was looked for.
    pub(super) problem: Option<Box<str>>,
}

pub(super) enum Bound {
    Host(Arc<HostFunc>),
    /// An export of `subs[sub]`: the index is one of the import's kind.
    Export {
        sub: usize,
        index: u32,
    },
}

pub(super) struct Sub {
    pub(super) name: Box<str>,
    pub(super) module: Module,
}

/// Whether function imports are bound.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Funcs {
    Now,
    Later,
}

/// The previous bindings, when a module's imports are bound again.
pub(super) struct Earlier<'a> {
    pub(super) module: &'a Arc<Inner>,
    pub(super) links: &'a Links,
}

/// A module whose imports are bound.
#[derive(Clone, Copy)]
pub(super) struct Importer<'a> {
    pub(super) module: &'a parsed::Module,
    pub(super) types: &'a TypeIds,
    pub(super) package: PackageType,
}

/// Binds the imports of a module. Fails only without memory.
pub(super) fn bind(
    context: &Context,
    importer: Importer<'_>,
    funcs: Funcs,
    earlier: Option<&Earlier<'_>>,
) -> Result<Links> {
    let Importer { module, types, package } = importer;
    let mut bound = alloc::try_vec(module.imports.len())?;
    let mut binder = Binder {
        context,
        module,
        types,
        package,
        earlier,
        enabled: registered::is_set_up(context),
        links: Links::default(),
        looked_for: HashMap::default(),
    };
    for import in &module.imports {
        bound.push(binder.bind(import, funcs)?);
    }
    binder.links.bound = bound;
    Ok(binder.links)
}

/// The reason why an export does not suit an import.
enum Misfit {
    Unknown,
    Type,
}

impl Misfit {
    /// WAMR's log line, and its text in the error buffer of the load.
    fn texts(&self) -> (&'static str, &'static str) {
        match self {
            Self::Unknown => {
                let text = "unknown import or incompatible import type";
                (text, text)
            }
            Self::Type => (
                "WASM module instantiate failed: incompatible import type",
                "WASM module load failed: incompatible import type",
            ),
        }
    }
}

struct Binder<'a> {
    context: &'a Context,
    module: &'a parsed::Module,
    types: &'a TypeIds,
    package: PackageType,
    earlier: Option<&'a Earlier<'a>>,
    /// Whether modules can import modules in this context.
    enabled: bool,
    links: Links,
    /// Places of modules that were looked for, by name; `None` for those that could not be loaded.
    looked_for: HashMap<&'a str, Option<usize>, BuildHasherDefault<DefaultHasher>>,
}

impl<'a> Binder<'a> {
    fn bind(&mut self, import: &'a Import, funcs: Funcs) -> Result<Option<Bound>> {
        match import.ty {
            ExternType::Func(_) if funcs == Funcs::Later => return Ok(None),
            ExternType::Func(ty) => {
                let Some(ty) = self.module.types.func(ty) else { return Ok(None) };
                let natives = self.context.natives();
                let width = AddressWidth::of(self.module.address_type());
                let native = natives.resolve_for(&import.module, &import.name, ty, width);
                if let Some(native) = native {
                    return Ok(Some(Bound::Host(native)));
                }
            }
            ExternType::Global(ty)
                if constant_global(&import.module, &import.name, ty).is_some() =>
            {
                return Ok(None);
            }
            _ => {}
        }
        if !self.enabled || is_built_in_module(&import.module) {
            return Ok(None);
        }
        let Some(sub) = self.sub(&import.module)? else { return Ok(None) };
        match self.export(sub, import) {
            Ok(index) => Ok(Some(Bound::Export { sub, index })),
            Err(misfit) => {
                let kind = kind_name(import.ty);
                let (module, name) = (&import.module, &import.name);
                let (log, problem) = misfit.texts();
                log::warn!("failed to link {kind} ({module}, {name}): {log}");
                self.links.problem = Some(problem.into());
                Ok(None)
            }
        }
    }

    /// The place of the module with this name among those that are imported from.
    fn sub(&mut self, name: &'a str) -> Result<Option<usize>> {
        if let Some(&known) = self.looked_for.get(name) {
            return Ok(known);
        }
        let place = match self.find(name) {
            Ok(Some(module)) => {
                alloc::fallible(|| self.links.subs.try_reserve(1))?;
                self.links.subs.push(Sub { name: alloc::try_str(name)?, module });
                Some(self.links.subs.len() - 1)
            }
            // Most often the import is a function that the host forgot, which the instance warns
            // about.
            Ok(None) => {
                let absent = bounded(format_args!("unknown import {name}"));
                self.no_sub(Level::Info, &absent);
                None
            }
            Err(error) if error.kind() == ErrorKind::OutOfMemory => return Err(error),
            Err(error) => {
                self.no_sub(Level::Warn, error.message());
                None
            }
        };
        alloc::fallible(|| self.looked_for.try_reserve(1))?;
        self.looked_for.insert(name, place);
        Ok(place)
    }

    /// Notes why there is no module to import from.
    fn no_sub(&mut self, level: Level, why: &str) {
        let problem = bounded(format_args!("WASM module load failed: {why}"));
        log::log!(level, "failed to load sub module: {problem}");
        self.links.problem = Some(problem.into());
    }

    fn find(&self, name: &str) -> Result<Option<Module>> {
        let Some(earlier) = self.earlier else {
            return registered::find_or_read(self.context, name, self.package);
        };
        if let Some(sub) = earlier.links.subs.iter().find(|sub| &*sub.name == name) {
            return Ok(Some(sub.module.clone()));
        }
        let Some(module) = registered::find_or_read(self.context, name, self.package)? else {
            return Ok(None);
        };
        // The module exists already, so others may import from it.
        if reaches(std::iter::once(&module), earlier.module)? {
            return Err(Error::load(bounded(format_args!("found circular dependency on {name}"))));
        }
        Ok(Some(module))
    }

    /// The index of the export with the import's name, if its type fits.
    fn export(&self, sub: usize, import: &Import) -> Result<u32, Misfit> {
        let Inner { parsed: exporter, type_ids: theirs, .. } = &*self.links.subs[sub].module.inner;
        let (types, offers) = (self.types.view(), theirs.view());
        let kind = match import.ty {
            ExternType::Func(_) => ExternKind::Func,
            ExternType::Table(_) => ExternKind::Table,
            ExternType::Memory(_) => ExternKind::Memory,
            ExternType::Global(_) => ExternKind::Global,
            ExternType::Tag(_) => ExternKind::Tag,
        };
        let index = exporter.exported(&import.name, kind).ok_or(Misfit::Unknown)?;
        let offered = exporter.extern_type(kind, index).ok_or(Misfit::Unknown)?;
        let fits = match (import.ty, offered) {
            // SAFETY: both are loaded modules of this context, which have these types.
            (ExternType::Func(wanted), ExternType::Func(offered)) => unsafe {
                match (theirs.get(offered as usize), self.types.get(wanted as usize)) {
                    (Some(&offered), Some(&wanted)) => is_subtype(types.all(), offered, wanted),
                    _ => false,
                }
            },
            (ExternType::Tag(wanted), ExternType::Tag(offered)) => {
                self.types.get(wanted as usize) == theirs.get(offered as usize)
            }
            (ExternType::Table(wanted), ExternType::Table(offered)) => {
                types.value(wanted.elem) == offers.value(offered.elem)
                    && wanted.table64 == offered.table64
                    && limits_fit(wanted.limits, offered.limits)
            }
            (ExternType::Memory(wanted), ExternType::Memory(offered)) => {
                wanted.shared == offered.shared
                    && wanted.memory64 == offered.memory64
                    && wanted.page_size_log2 == offered.page_size_log2
                    && limits_fit(wanted.limits, offered.limits)
            }
            // SAFETY: as for functions.
            (ExternType::Global(wanted), ExternType::Global(offered)) => unsafe {
                types.imports(offers.global(offered), types.global(wanted))
            },
            // The exports were asked for one of this kind.
            _ => false,
        };
        fits.then_some(index).ok_or(Misfit::Type)
    }
}

fn limits_fit(wanted: Limits, offered: Limits) -> bool {
    offered.min >= wanted.min
        && wanted.max.is_none_or(|wanted| offered.max.is_some_and(|offered| offered <= wanted))
}

fn kind_name(ty: ExternType) -> &'static str {
    match ty {
        ExternType::Func(_) => "function",
        ExternType::Table(_) => "table",
        ExternType::Memory(_) => "memory",
        ExternType::Global(_) => "global",
        ExternType::Tag(_) => "tag",
    }
}

/// Whether one of `from` is `target` or imports from it, directly or through others.
fn reaches<'a>(from: impl Iterator<Item = &'a Module>, target: &Arc<Inner>) -> Result<bool> {
    let mut search = Search::default();
    for module in from {
        search.add(module)?;
    }
    while let Some(module) = search.left.pop() {
        if Arc::ptr_eq(&module.inner, target) {
            return Ok(true);
        }
        for sub in &module.links().subs {
            search.add(&sub.module)?;
        }
    }
    Ok(false)
}

/// A way through modules that comes to each once.
#[derive(Default)]
struct Search {
    /// Those that were found, by [`Module::id`].
    found: HashSet<usize, BuildHasherDefault<DefaultHasher>>,
    left: Vec<Module>,
}

impl Search {
    fn add(&mut self, module: &Module) -> Result<()> {
        alloc::fallible(|| self.found.try_reserve(1))?;
        if self.found.insert(module.id()) {
            alloc::fallible(|| self.left.try_reserve(1))?;
            self.left.push(module.clone());
        }
        Ok(())
    }
}

/// Gives an existing module other bindings, and returns the replaced ones. Returns `None` and
/// changes nothing if one of the modules in `links` was bound to this one meanwhile: by another
/// thread, or by a reader that was called on the way.
pub(super) fn replace(
    context: &Context,
    module: &Arc<Inner>,
    links: Arc<Links>,
) -> Result<Option<Arc<Links>>> {
    registered::with_bindings(context, || {
        match reaches(links.subs.iter().map(|sub| &sub.module), module)? {
            true => Ok(None),
            false => Ok(Some(module.set_links(links))),
        }
    })
}

/// A module that cannot be imported from, though it may be sound.
pub(super) fn not_registered(name: &str) -> Error {
    Error::load(bounded(format_args!("failed to register sub module {name}")))
}

/// Takes modules apart one by one: each may be the last to hold others, in a chain of any length.
pub(super) fn release_subs(links: Arc<Links>) {
    let mut last = Vec::new();
    let mut next = Some(links);
    while let Some(links) = next.take().or_else(|| last.pop()) {
        let Some(links) = Arc::into_inner(links) else { continue };
        for sub in links.subs {
            if let Some(inner) = Arc::into_inner(sub.module.inner) {
                last.push(inner.take_links());
            }
        }
    }
}
