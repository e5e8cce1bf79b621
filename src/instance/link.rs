//! Binding of imports: the item for each, and the check of its type.

use super::code::CodeTable;
use super::memory::Memory;
use super::shared_memory::SharedMemory;
use super::table::Table;
use super::{Instance, link_set};
use crate::abi::error::{Error, Result, bounded};
use crate::abi::types::{FuncType, GlobalType, Limits, ValType};
use crate::abi::vm_layout::{
    VmBody, VmFuncKind, VmFuncRef, VmGlobal, VmHostFunc, VmInstance, VmMemory, VmTable, VmTag,
};
use crate::module::{self, ExternType, Module};
use crate::types::is_subtype;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// The item that an import is bound to.
#[derive(Clone, Copy)]
pub enum Import<'a> {
    /// Nothing. A function traps when it is called; a table or memory from one of the built-in
    /// modules is made afresh; anything else is an error.
    Nothing,
    /// A function of an instance.
    Func(NonNull<VmFuncRef>),
    /// A host function of the import's type, which the instance's host keeps alive.
    Host(*const VmHostFunc),
    Table(&'a Table),
    Memory(&'a Memory),
    /// A shared memory, whose instance may belong to another thread.
    Shared(&'a Arc<SharedMemory>),
    Global(GlobalImport),
    /// A constant that the runtime provides, as it lies in a slot.
    Constant(GlobalType, [u64; 2]),
    /// A tag of an instance.
    Tag(NonNull<VmTag>),
    /// A tag that the instance makes for itself, or the one that it has for an earlier import.
    OwnTag(Option<u32>),
}

/// A global of an instance.
#[derive(Clone, Copy)]
pub struct GlobalImport {
    pub storage: NonNull<VmGlobal>,
    pub ty: GlobalType,
    pub instance: NonNull<Instance>,
}

/// Whether this is the name of a module that only the host provides. An instance may have tables
/// and memories that are imported from there for itself.
pub fn is_built_in_module(name: &str) -> bool {
    ["env", "wasi_unstable", "wasi_snapshot_preview1", ""].contains(&name)
}

#[cold]
pub(super) fn incompatible() -> Error {
    Error::instantiate("incompatible import type")
}

#[cold]
pub(super) fn missing(kind: &str, import: &module::Import) -> Error {
    let (module, name) = (&import.module, &import.name);
    Error::instantiate(bounded(format_args!("failed to link import {kind} ({module}, {name})")))
}

/// Whether something with these limits and this size may be imported where `wanted` is asked.
fn fits(wanted: Limits, size: u64, max: Option<u64>) -> bool {
    size >= wanted.min
        && wanted.max.is_none_or(|wanted| max.is_some_and(|declared| declared <= wanted))
}

/// Whether an import of a table or memory that nothing is bound to is made afresh. Programs with
/// threads import their memory under any name and expect it to be there.
pub(super) fn is_made_afresh(import: &module::Import, bound: &Import<'_>) -> bool {
    let shared = matches!(import.ty, ExternType::Memory(ty) if ty.shared);
    matches!(bound, Import::Nothing) && (shared || is_built_in_module(&import.module))
}

/// Where an imported memory lies.
pub(super) enum MemoryPlace<'a> {
    /// In the instance that provides it.
    There(*mut VmMemory),
    /// In the importing instance, with bytes that others have too.
    Shared(&'a Arc<SharedMemory>),
    /// In the importing instance, made for it.
    Fresh,
}

/// Whether the importing instance has a place of its own for a memory.
pub(super) fn has_own_place(import: &module::Import, bound: &Import<'_>) -> bool {
    match bound {
        Import::Memory(memory) => memory.shared().is_some(),
        Import::Shared(_) => true,
        _ => is_made_afresh(import, bound),
    }
}

/// A memory, as the import list needs it.
pub(super) fn memory<'a>(
    import: &module::Import,
    wanted: crate::abi::types::MemoryType,
    bound: &Import<'a>,
    importer: NonNull<Instance>,
) -> Result<MemoryPlace<'a>> {
    let (ty, bytes, place) = match bound {
        Import::Memory(memory) => {
            let place = match memory.shared() {
                Some(shared) => MemoryPlace::Shared(shared),
                None => MemoryPlace::There(memory.vm()),
            };
            (memory.ty(), memory.len_bytes(), place)
        }
        Import::Shared(shared) => (shared.ty(), shared.len_bytes(), MemoryPlace::Shared(shared)),
        Import::Nothing if is_made_afresh(import, bound) => return Ok(MemoryPlace::Fresh),
        Import::Nothing => return Err(missing("memory", import)),
        _ => return Err(incompatible()),
    };
    let same = ty.shared == wanted.shared
        && ty.memory64 == wanted.memory64
        && ty.page_size_log2 == wanted.page_size_log2;
    let size = bytes as u64 / ty.page_bytes();
    if !same || !fits(wanted.limits, size, ty.limits.max) {
        return Err(incompatible());
    }
    if let (MemoryPlace::There(_), Import::Memory(memory)) = (&place, bound) {
        join(importer, memory.instance())?;
    }
    Ok(place)
}

/// A table, as the import list needs it; `None` asks the instance to make its own.
pub(super) fn table(
    import: &module::Import,
    wanted: crate::abi::types::TableType,
    bound: &Import<'_>,
    importer: NonNull<Instance>,
) -> Result<Option<*mut VmTable>> {
    let nullable = matches!(wanted.elem, ValType::Ref(ty) if ty.is_nullable());
    let table = match bound {
        Import::Table(table) => table,
        // A fresh one has null in it.
        Import::Nothing if is_made_afresh(import, bound) && nullable => return Ok(None),
        Import::Nothing => return Err(missing("table", import)),
        _ => return Err(incompatible()),
    };
    let ty = table.ty();
    // SAFETY: the importer is complete but for its lists.
    let elem = unsafe { importer.as_ref() }.types().value(wanted.elem);
    let same = ty.elem == elem && ty.table64 == wanted.table64;
    if !same || !fits(wanted.limits, table.len(), ty.limits.max) {
        return Err(incompatible());
    }
    join(importer, table.instance())?;
    Ok(Some(table.vm()))
}

/// Where an imported global lies.
pub(super) enum GlobalPlace {
    /// In the instance that provides it, whose type for it may be a subtype of the import's.
    There(*mut VmGlobal, GlobalType),
    /// In the importing instance, with this value.
    Own([u64; 2]),
}

/// A global, as the import list needs it.
pub(super) fn global(
    import: &module::Import,
    wanted: GlobalType,
    bound: &Import<'_>,
    importer: NonNull<Instance>,
) -> Result<GlobalPlace> {
    // SAFETY: the importer is complete but for its lists.
    let types = unsafe { importer.as_ref() }.types();
    match bound {
        // SAFETY: both types are those of modules of this context that are loaded.
        Import::Global(global) if unsafe { types.imports(global.ty, types.global(wanted)) } => {
            join(importer, global.instance)?;
            Ok(GlobalPlace::There(global.storage.as_ptr(), global.ty))
        }
        Import::Constant(ty, slots) if *ty == wanted => Ok(GlobalPlace::Own(*slots)),
        Import::Nothing => Err(missing("global", import)),
        _ => Err(incompatible()),
    }
}

/// The reference that stands for a function import.
pub(super) fn func(
    import: &module::Import,
    func_index: u32,
    (type_id, ty): (u32, *const FuncType),
    bound: &Import<'_>,
    importer: NonNull<Instance>,
    code: &CodeTable,
) -> Result<VmFuncRef> {
    let own = |kind, entry, body| VmFuncRef {
        type_id,
        kind,
        entry,
        body,
        instance: importer.as_ptr().cast::<VmInstance>(),
        ty,
        func_index,
        reserved: 0,
    };
    match bound {
        Import::Func(func) => {
            // SAFETY: the code that binds a function holds its link set alive.
            let func = unsafe { func.as_ref() };
            // SAFETY: the importer is complete but for its lists; both types are those of modules
            // of its context that are loaded.
            if !unsafe { is_subtype(importer.as_ref().types().all(), func.type_id, type_id) } {
                return Err(incompatible());
            }
            let provider = NonNull::new(func.instance.cast::<Instance>());
            join(importer, provider.ok_or_else(incompatible)?)?;
            Ok(VmFuncRef { ..*func })
        }
        Import::Host(host) => Ok(own(VmFuncKind::Host, code.imports.host, VmBody { host: *host })),
        Import::Nothing => {
            let (module, name) = (&import.module, &import.name);
            log::warn!("warning: failed to link import function ({module}, {name})");
            let body = VmBody { code: ptr::null() };
            Ok(own(VmFuncKind::Unlinked, code.imports.unlinked, body))
        }
        _ => Err(incompatible()),
    }
}

/// The host function behind a reference, if it is one.
///
/// # Safety
/// The reference is live.
pub(super) unsafe fn host_behind<'a>(func: Option<NonNull<VmFuncRef>>) -> Import<'a> {
    // SAFETY: the caller vouches for the reference, whose kind says which body it has.
    unsafe {
        match func.map(|func| func.as_ref()) {
            Some(func) if func.kind == VmFuncKind::Host => Import::Host(func.body.host),
            _ => Import::Nothing,
        }
    }
}

/// Puts both instances into one link set, so that neither is freed while the other points to it.
pub(super) fn join(importer: NonNull<Instance>, provider: NonNull<Instance>) -> Result<()> {
    // SAFETY: the importer is being made, and the code that binds an import holds its link set
    // alive.
    unsafe { link_set::merge(provider, importer) }
}

/// The imports of `module` with their index in their own index space and in binary order.
pub(super) fn numbered(module: &Module) -> impl Iterator<Item = (usize, u32, &module::Import)> {
    let mut counts = [0_u32; 5];
    module.imports.iter().enumerate().map(move |(at, import)| {
        let count = match import.ty {
            ExternType::Func(_) => &mut counts[0],
            ExternType::Table(_) => &mut counts[1],
            ExternType::Memory(_) => &mut counts[2],
            ExternType::Global(_) => &mut counts[3],
            ExternType::Tag(_) => &mut counts[4],
        };
        *count += 1;
        (at, *count - 1, import)
    })
}
