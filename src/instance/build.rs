//! Making an instance.

use super::app_heap::AppHeap;
use super::code::CodeTable;
use super::elem_objects::ElemObjects;
use super::exception::Exception;
use super::heap_plan::HeapPlan;
use super::layout::{Layout, OwnImports, OwnParts};
use super::link::{self, Import, MemoryPlace};
use super::link_set::{self, Membership};
use super::memory::{Memory, MemorySize, Pace, paced, zeroed};
use super::table::{ELEMS_MAX, Table};
use super::tags::first_same_tag;
use super::{Envs, Instance, InstanceLimits, Parts, SLOTS, segments};
use crate::abi::error::{Error, Result};
use crate::abi::types::{MemoryType, PAGE_SIZE, TableType};
use crate::abi::vm_layout::{VmFuncKind, VmFuncRef, VmInstance, VmMemory, VmTable};
use crate::module::{self as parsed, ExternType, Module};
use crate::sync::Lock;
use std::cell::UnsafeCell;
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, AtomicUsize};
use std::sync::{Arc, OnceLock};

/// Returns the item that an import is bound to, by its place in binary order. Called twice for each
/// import.
pub type Resolve<'r, 'i> = &'r dyn Fn(usize) -> Import<'i>;

impl Instance {
    /// Makes an instance with one handle to its link set. The start function is not run.
    ///
    /// Segments are copied in order. If one does not fit, the copies before it stay, as the
    /// specification demands. An instance whose functions have got into a table of its link set by
    /// then stays with the link set, unreachable but for those functions.
    ///
    /// `pace` may end the work, of which no piece takes long.
    pub fn new(
        parts: Parts<'_>,
        resolve: Resolve<'_, '_>,
        pace: &mut Pace<'_>,
    ) -> Result<NonNull<Self>> {
        Self::build(parts, resolve, None, pace)
    }

    /// As [`Instance::new`]; an instance with a parent has its shared memories.
    fn build(
        parts: Parts<'_>,
        resolve: Resolve<'_, '_>,
        parent: Option<&Self>,
        pace: &mut Pace<'_>,
    ) -> Result<NonNull<Self>> {
        let module = parts.module.as_ref();
        let own = count_own(module, resolve, pace)?;
        let layout = Layout::new(module, &own).ok_or_else(Error::out_of_memory)?;
        let (code, type_ids, limits) = (parts.code, parts.type_ids, parts.limits);
        let block = allocate(parts, &layout, pace)?;
        let guard = Guard(block);
        let mut build = Build { at: block, parent, layout, own_globals: 0, elems_used: 0 };
        // SAFETY: the instance is complete but for its lists, which `Build` fills in.
        let module = unsafe { &block.as_ref().module };
        let heap = build.bind_memories(module, resolve, limits)?;
        build.bind_tables(module, resolve)?;
        build.bind_tags(module, resolve, type_ids, pace)?;
        build.bind_funcs(module, resolve, &code, type_ids, pace)?;
        build.bind_globals(module, resolve)?;
        build.init_globals(module, &heap, pace)?;
        build.init_tables(module, pace)?;
        build.init_app_heap(&heap)?;
        // SAFETY: everything that segments refer to is in place.
        segments::init(unsafe { block.as_ref() }, parent.is_none(), pace)?;
        mem::forget(guard);
        Ok(block)
    }
}

/// References to functions that are made between two looks.
const FUNCS_PER_PIECE: usize = 1024;

/// Gives up an instance that could not be finished.
struct Guard(NonNull<Instance>);

impl Drop for Guard {
    fn drop(&mut self) {
        // SAFETY: this is the only handle to an instance that no other code has seen yet.
        unsafe { link_set::release(self.0) }
    }
}

/// The items that the instance provides for itself.
fn count_own(module: &Module, resolve: Resolve<'_, '_>, pace: &mut Pace<'_>) -> Result<OwnImports> {
    let mut own = OwnImports::default();
    let counts = &module.imported;
    if counts.memories + counts.tables + counts.globals + counts.tags == 0 {
        return Ok(own);
    }
    for (at, import) in module.imports.iter().enumerate() {
        pace(size_of::<parsed::Import>())?;
        match import.ty {
            ExternType::Memory(_) if link::has_own_place(import, &resolve(at)) => {
                own.memories += 1;
            }
            ExternType::Table(ty) if link::is_made_afresh(import, &resolve(at)) => {
                if ty.limits.min > ELEMS_MAX {
                    return Err(Error::out_of_memory());
                }
                own.tables += 1;
                own.elems += ty.limits.min;
            }
            ExternType::Global(_) if matches!(resolve(at), Import::Constant(..)) => {
                own.globals += 1;
            }
            ExternType::Tag(_) if matches!(resolve(at), Import::OwnTag(_)) => own.tags += 1,
            _ => {}
        }
    }
    Ok(own)
}

/// Allocates the block and fills in the parts that do not depend on imports.
fn allocate(parts: Parts<'_>, layout: &Layout, pace: &mut Pace<'_>) -> Result<NonNull<Instance>> {
    let block = zeroed(&parts.source.heap, layout.bytes, pace)?;
    let base = block.as_ptr();
    let at = block.cast::<Instance>();
    let host_state = OnceLock::new();
    if let Some(state) = parts.host_state {
        let _ = host_state.set(Arc::from(state));
    }
    let vm = VmInstance {
        memory0: ptr::null_mut(),
        memories: base.wrapping_add(layout.memory_list).cast(),
        tables: base.wrapping_add(layout.table_list).cast(),
        imported_globals: base.wrapping_add(layout.global_list).cast(),
        globals: base.wrapping_add(layout.globals).cast(),
        func_refs: base.wrapping_add(layout.func_refs).cast(),
        type_ids: parts.type_ids,
        types: parts.types,
        objects: crate::gc::no_objects(),
        codes: parts.code.first,
        builtins: parts.code.builtins,
        profile: ptr::null(),
        exception_set: AtomicU32::new(0),
        reserved: 0,
        owner: base.cast(),
        shared_heap: AtomicPtr::new(ptr::null_mut()),
        tags: base.wrapping_add(layout.tag_list).cast(),
    };
    let nothing = ptr::without_provenance_mut(PAGE_SIZE);
    let no_memory = VmMemory { base: nothing, len_bytes: 0, owner: ptr::null_mut() };
    let instance = Instance {
        vm,
        no_memory: UnsafeCell::new(no_memory),
        exception: Exception::new(),
        membership: Membership::new(),
        envs: Envs::new(),
        module: parts.module.clone(),
        host: parts.host,
        source: parts.source.clone(),
        limits: parts.limits,
        code: parts.code,
        parts: OwnParts {
            memories: base.wrapping_add(layout.memories).cast(),
            memory_count: 0,
            tables: base.wrapping_add(layout.tables).cast(),
            table_count: 0,
            dropped: base.wrapping_add(layout.dropped),
            global_types: base.wrapping_add(layout.global_types).cast(),
        },
        app_heap: Lock::new(None),
        elem_objects: ElemObjects::default(),
        custom_data: AtomicUsize::new(parts.custom_data),
        slots: [const { AtomicUsize::new(0) }; SLOTS],
        exit_code: AtomicU32::new(0),
        host_state,
        profile: OnceLock::new(),
        cluster: OnceLock::new(),
        guest_stack: AtomicU64::new(0),
        singleton: AtomicPtr::new(ptr::null_mut()),
        singleton_drop: OnceLock::new(),
    };
    // SAFETY: the block is as long as the layout says, and an `Instance` comes first in it.
    unsafe {
        at.write(instance);
        (*at.as_ptr()).vm.memory0 = at.as_ref().no_memory.get();
        at.as_ref().membership.init(at);
    }
    Ok(at)
}

/// An instance in the making. All writes go through raw pointers into its block.
pub(super) struct Build<'p> {
    pub(super) at: NonNull<Instance>,
    /// The instance of the program's that is there already, for that of another thread.
    pub(super) parent: Option<&'p Instance>,
    pub(super) layout: Layout,
    pub(super) own_globals: usize,
    elems_used: usize,
}

impl Build<'_> {
    /// The place with this number among those that start at `offset`.
    pub(super) fn place<T>(&self, offset: usize, index: usize) -> *mut T {
        self.at.as_ptr().cast::<u8>().wrapping_add(offset).cast::<T>().wrapping_add(index)
    }

    fn bind_memories(
        &mut self,
        module: &Module,
        resolve: Resolve<'_, '_>,
        limits: InstanceLimits,
    ) -> Result<Option<HeapPlan>> {
        let mut plan = None;
        for (at, index, import) in link::numbered(module) {
            let ExternType::Memory(ty) = import.ty else { continue };
            let view = match link::memory(import, ty, &resolve(at), self.at)? {
                MemoryPlace::There(view) => view,
                MemoryPlace::Shared(shared) => {
                    self.place_memory(Memory::of_shared(shared.clone(), self.at, index))
                }
                MemoryPlace::Fresh => self.make_memory(module, ty, index, limits, &mut plan)?,
            };
            self.list_memory(index, view);
        }
        let imported = module.imported.memories as usize;
        for (index, &ty) in module.memories.iter().enumerate().skip(imported) {
            let view = self.make_memory(module, ty, index as u32, limits, &mut plan)?;
            self.list_memory(index as u32, view);
        }
        Ok(plan)
    }

    fn list_memory(&self, index: u32, view: *mut VmMemory) {
        // SAFETY: the list has a place for each of the module's memories.
        unsafe {
            *self.place::<*mut VmMemory>(self.layout.memory_list, index as usize) = view;
            if index == 0 {
                (*self.at.as_ptr()).vm.memory0 = view;
            }
        }
    }

    fn make_memory(
        &mut self,
        module: &Module,
        ty: MemoryType,
        index: u32,
        limits: InstanceLimits,
        plan: &mut Option<HeapPlan>,
    ) -> Result<*mut VmMemory> {
        let parent = self.parent.and_then(|parent| parent.memory(index)?.shared());
        if let Some(shared) = parent {
            return Ok(self.place_memory(Memory::of_shared(shared.clone(), self.at, index)));
        }
        if ty.limits.min > ty.pages_max() {
            return Err(no_memory());
        }
        let mut size = memory_size(ty, limits.max_memory_pages);
        if index == 0 {
            let with_heap = HeapPlan::new(module, ty, size, limits.heap_bytes)?;
            size = with_heap.size;
            *plan = Some(with_heap).filter(|plan| plan.bytes > 0);
        }
        // SAFETY: the instance is complete but for its lists.
        let source = unsafe { &self.at.as_ref().source };
        let memory = Memory::new(source, ty, size, self.at, index).ok_or_else(no_memory)?;
        Ok(self.place_memory(memory))
    }

    /// Puts a memory into the instance's block.
    fn place_memory(&mut self, memory: Memory) -> *mut VmMemory {
        // SAFETY: the block has a place for each memory the instance has to itself; the count
        // says how many are initialised.
        unsafe {
            let instance = self.at.as_ptr();
            let place = (*instance).parts.memories.add((*instance).parts.memory_count);
            place.write(memory);
            (*instance).parts.memory_count += 1;
            (*place).bind();
            (*place).vm()
        }
    }

    fn bind_tables(&mut self, module: &Module, resolve: Resolve<'_, '_>) -> Result<()> {
        for (at, index, import) in link::numbered(module) {
            let ExternType::Table(ty) = import.ty else { continue };
            let view = match link::table(import, ty, &resolve(at), self.at)? {
                Some(view) => view,
                None => self.make_table(ty),
            };
            self.list_table(index as usize, view);
        }
        let imported = module.imported.tables as usize;
        for (index, table) in module.tables.iter().enumerate().skip(imported) {
            let view = self.make_table(table.ty);
            self.list_table(index, view);
        }
        Ok(())
    }

    fn list_table(&self, index: usize, view: *mut VmTable) {
        // SAFETY: the list has a place for each of the module's tables.
        unsafe { *self.place::<*mut VmTable>(self.layout.table_list, index) = view }
    }

    fn make_table(&mut self, ty: TableType) -> *mut VmTable {
        // SAFETY: the instance is complete but for its lists.
        let ty = unsafe { self.at.as_ref() }.types().table(ty);
        let elems = self.place::<u64>(self.layout.elems, self.elems_used);
        self.elems_used += ty.limits.min as usize;
        // SAFETY: the layout counted this table and its elements, which start zeroed.
        unsafe {
            let instance = self.at.as_ptr();
            let place = (*instance).parts.tables.add((*instance).parts.table_count);
            place.write(Table::new(ty, elems, self.at));
            (*instance).parts.table_count += 1;
            (*place).bind();
            (*place).vm()
        }
    }

    fn bind_funcs(
        &self,
        module: &Module,
        resolve: Resolve<'_, '_>,
        code: &CodeTable,
        type_ids: *const u32,
        pace: &mut Pace<'_>,
    ) -> Result<()> {
        let refs = self.place::<VmFuncRef>(self.layout.func_refs, 0);
        let type_of = |func: u32| {
            let index = module.funcs[func as usize];
            let ty = ptr::from_ref(module.types.valid_func(index));
            // SAFETY: `type_ids` has an entry for each of the module's types.
            (unsafe { *type_ids.add(index as usize) }, ty)
        };
        let imported = module.imported.funcs;
        if imported > 0 {
            for (at, index, import) in link::numbered(module) {
                if !matches!(import.ty, ExternType::Func(_)) {
                    continue;
                }
                pace(size_of::<VmFuncRef>())?;
                let func = link::func(import, index, type_of(index), &resolve(at), self.at, code)?;
                // SAFETY: imports come first among the references, by index.
                unsafe { refs.add(index as usize).write(func) };
            }
        }
        for (place, &index) in module.func_refs.order.iter().enumerate().skip(imported as usize) {
            if place % FUNCS_PER_PIECE == 0 {
                pace(FUNCS_PER_PIECE * size_of::<VmFuncRef>())?;
            }
            let (type_id, ty) = type_of(index);
            let func = VmFuncRef {
                type_id,
                kind: VmFuncKind::Wasm,
                entry: code.entry,
                body: code.body(index - imported),
                instance: self.at.as_ptr().cast::<VmInstance>(),
                ty,
                func_index: index,
                reserved: 0,
            };
            // SAFETY: the block has a place for each reference in `order`.
            unsafe { refs.add(place).write(func) };
        }
        Ok(())
    }

    fn init_tables(&self, module: &Module, pace: &mut Pace<'_>) -> Result<()> {
        // SAFETY: the instance is complete but for its lists.
        let instance = unsafe { self.at.as_ref() };
        for (index, table) in module.tables.iter().enumerate() {
            let Some(init) = &table.init else { continue };
            let [value, _] = segments::evaluate(instance, init, pace)?;
            if let Some(table) = instance.table(index as u32).filter(|_| value != 0) {
                paced(table.len() as usize, size_of::<u64>(), pace, |at, now| {
                    (at..at + now).for_each(|at| _ = table.set(at as u64, value));
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    fn init_app_heap(&self, plan: &Option<HeapPlan>) -> Result<()> {
        let Some(plan) = plan else { return Ok(()) };
        // SAFETY: memory 0 was made with room for the heap.
        unsafe {
            let instance = self.at.as_ref();
            let memory = (*instance.vm.memory0).base;
            let heap = AppHeap::new(memory, plan.offset, plan.bytes);
            let heap = heap.ok_or_else(|| Error::instantiate("init app heap failed"))?;
            match instance.memory(0).and_then(Memory::shared) {
                Some(shared) => shared.set_app_heap(heap),
                None => *instance.app_heap.lock() = Some(heap),
            }
        }
        Ok(())
    }
}

/// An instance of `parent`'s module for another thread. Functions and tables that come from other
/// instances are not there: those are of the parent's link set.
pub(super) fn for_thread(parent: &Instance, pace: &mut Pace<'_>) -> Result<NonNull<Instance>> {
    let module = &parent.module;
    let imported: Vec<u32> = link::numbered(module).map(|(_, index, _)| index).collect();
    let resolve = |at: usize| -> Import<'_> {
        let (Some(import), Some(&index)) = (module.imports.get(at), imported.get(at)) else {
            return Import::Nothing;
        };
        match import.ty {
            // SAFETY: the parent's references live as long as it.
            ExternType::Func(_) => unsafe { link::host_behind(parent.func(index)) },
            ExternType::Memory(_) => parent
                .memory(index)
                .and_then(Memory::shared)
                .map_or(Import::Nothing, Import::Shared),
            ExternType::Global(ty) => {
                let global = parent.global(index).filter(|_| !ty.val.is_ref());
                // SAFETY: the storage is live while the parent's link set is.
                let slots = global.map(|global| unsafe { global.as_ref() }.slots);
                slots.map_or(Import::Nothing, |slots| Import::Constant(ty, slots))
            }
            ExternType::Table(_) => Import::Nothing,
            // Nothing is thrown from one thread to another, so that all a tag has to keep is
            // which of the instance's own tags it is.
            ExternType::Tag(_) => Import::OwnTag(first_same_tag(parent, index)),
        }
    };
    let parts = Parts {
        module,
        code: parent.code,
        type_ids: parent.vm.type_ids,
        types: parent.vm.types,
        host: parent.host.clone(),
        source: &parent.source,
        limits: InstanceLimits { heap_bytes: 0, ..parent.limits },
        custom_data: parent.custom_data(),
        host_state: None,
    };
    Instance::build(parts, &resolve, Some(parent), pace)
}

#[cold]
fn no_memory() -> Error {
    Error::new(crate::abi::error::ErrorKind::OutOfMemory, "allocate linear memory failed")
}

/// The initial and the largest size of a memory of type `ty`, given the embedder's maximum.
fn memory_size(ty: MemoryType, wanted_max: u32) -> MemorySize {
    let (pages, most) = (ty.limits.min, ty.pages_max());
    let declared = ty.limits.max.unwrap_or(most).min(most);
    let wanted = u64::from(wanted_max) * PAGE_SIZE as u64 / ty.page_bytes();
    let max_pages = if wanted == 0 {
        declared
    } else if wanted < pages {
        log::warn!("Cannot override max memory with value lower than module initial memory");
        pages
    } else if wanted > declared {
        log::warn!("Cannot override max memory with value greater than module max memory");
        declared
    } else {
        wanted
    };
    MemorySize { page_bytes: ty.page_bytes(), pages, max_pages }
}
