//! Stores, and the instances in them.
//!
//! A store holds its context, the objects that guests may hold (they have addresses, which only
//! the store turns into objects again), and the trap that is on its way from a host function to
//! the call behind it. It owns no instance: an instance lives while an object of it does, or of an
//! instance that imports from it.

use super::memory_block::{Block, Counted, value};
use super::object::{self, FuncBody, Home, RefBody, RefObject};
use super::trap::TrapBody;
use crate::shared::wasm_module_inst_t;
use crate::wasm_export::instance::take_down;
use isothread::{Context, Func, Global, Instance, Lock, Memory, Table, outside};
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

/// Owner: the embedder's pointer and the objects that were made in it, each with a count.
pub(super) struct ObjectStore {
    state: Lock<StoreState>,
    /// Whether there is a trap on its way, for calls to see without the lock.
    is_passing: AtomicBool,
    /// Stands for traps that there is no memory for.
    out_of_memory: Counted<RefObject>,
    /// Last: it must outlive everything above.
    context: Context,
}

#[derive(Default)]
struct StoreState {
    /// By address. None once the store was deleted.
    held_by_guests: Vec<(usize, Counted<RefObject>)>,
    /// Live instances by the runtime's address; no counts.
    owners: Vec<(usize, NonNull<Block<Owner>>)>,
    passing: Option<Counted<RefObject>>,
    is_deleted: bool,
}

// SAFETY: the addresses of owners are only followed under the lock, by `owner_of`; each owner takes
// its own away before it goes. The objects are counted with atomics, and by the contract of the
// header one thread at a time uses a store and what is in it.
unsafe impl Send for ObjectStore {}
// SAFETY: as for `Send`; what changes lies behind the lock.
unsafe impl Sync for ObjectStore {}

impl ObjectStore {
    pub(super) fn new(context: Context) -> Option<Counted<Self>> {
        let out_of_memory = object::new(RefBody::Trap(TrapBody::out_of_memory()))?;
        let (state, is_passing) = Default::default();
        Counted::new(Self { state, is_passing, out_of_memory, context })
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn out_of_memory(&self) -> Counted<RefObject> {
        self.out_of_memory.clone()
    }

    /// Lets go of what guests hold. They can hand nothing over any more.
    pub(super) fn close(&self) {
        let mut state = self.state.lock();
        state.is_deleted = true;
        let held = std::mem::take(&mut state.held_by_guests);
        let passing = state.passing.take();
        self.is_passing.store(false, Ordering::Relaxed);
        drop(state);
        // Finalizers of the embedder's run without the lock.
        drop((held, passing));
    }

    /// Keeps an object for guests until the store is deleted; its address. `None` without memory,
    /// or after that.
    pub(super) fn hold(&self, object: &Counted<RefObject>) -> Option<usize> {
        let address = object.as_raw().expose_provenance();
        let mut state = self.state.lock();
        if state.is_deleted {
            return None;
        }
        let at = match state.held_by_guests.binary_search_by_key(&address, |held| held.0) {
            Ok(_) => return Some(address),
            Err(at) => at,
        };
        outside(|| state.held_by_guests.try_reserve(1)).ok()?;
        state.held_by_guests.insert(at, (address, object.clone()));
        Some(address)
    }

    /// The object with this address that guests may hold.
    pub(super) fn held(&self, address: usize) -> Option<Counted<RefObject>> {
        let state = self.state.lock();
        let at = state.held_by_guests.binary_search_by_key(&address, |held| held.0).ok()?;
        Some(state.held_by_guests[at].1.clone())
    }

    /// Keeps a trap for the call that it ends; not in a deleted store, which its trace may lead
    /// back to. The call then makes a new one of the text.
    pub(super) fn pass(&self, trap: Counted<RefObject>) {
        let mut state = self.state.lock();
        let old = match state.is_deleted {
            true => Some(trap),
            false => state.passing.replace(trap),
        };
        self.is_passing.store(!state.is_deleted, Ordering::Relaxed);
        drop(state);
        drop(old);
    }

    pub(super) fn passed(&self) -> Option<Counted<RefObject>> {
        let mut state = self.state.lock();
        self.is_passing.store(false, Ordering::Relaxed);
        state.passing.take()
    }

    /// Forgets a trap that no call has returned.
    #[inline]
    pub(super) fn forget_passed(&self) {
        if self.is_passing.load(Ordering::Relaxed) {
            drop(self.passed());
        }
    }

    /// The owner of an instance; `None` for instances that this API did not make.
    pub(super) fn owner_of(&self, instance: &Instance) -> Option<Counted<Owner>> {
        let address = instance.as_raw().addr().get();
        let state = self.state.lock();
        let at = state.owners.binary_search_by_key(&address, |owner| owner.0).ok()?;
        // SAFETY: an owner takes its address away, under this lock, before its block is freed.
        unsafe { Counted::upgraded(state.owners[at].1) }
    }

    /// `None` without memory.
    fn list(&self, address: usize, owner: &Counted<Owner>) -> Option<()> {
        let block = NonNull::new(owner.as_raw())?;
        let mut state = self.state.lock();
        outside(|| state.owners.try_reserve(1)).ok()?;
        let at = state.owners.partition_point(|owner| owner.0 < address);
        state.owners.insert(at, (address, block));
        Some(())
    }

    fn unlist(&self, address: usize) {
        let mut state = self.state.lock();
        if let Ok(at) = state.owners.binary_search_by_key(&address, |owner| owner.0) {
            state.owners.remove(at);
        }
    }
}

/// An instance that this API made. Owner: its object, the objects of its exports, and the owners of
/// instances that import from it, each with a count. With the last it is taken down.
pub(super) struct Owner {
    instance: ManuallyDrop<Instance>,
    /// Instances that this one imports from.
    imports: Vec<Counted<Owner>>,
    /// The embedder's object for the instance, while it lives; no count.
    object: AtomicPtr<Block<RefObject>>,
    store: Counted<ObjectStore>,
}

impl Owner {
    /// Takes over an instance of `make_counted`; `None`, with the instance taken down, if there is
    /// no memory.
    pub(super) fn new(
        instance: Instance,
        imports: Vec<Counted<Owner>>,
        store: &Counted<ObjectStore>,
    ) -> Option<Counted<Self>> {
        let address = instance.as_raw().addr().get();
        let owner = Counted::new(Self {
            instance: ManuallyDrop::new(instance),
            imports,
            object: AtomicPtr::default(),
            store: store.clone(),
        })?;
        store.list(address, &owner)?;
        Some(owner)
    }

    pub(super) fn instance(&self) -> &Instance {
        &self.instance
    }

    pub(super) fn handle(&self) -> wasm_module_inst_t {
        self.instance.as_raw().as_ptr().cast()
    }

    pub(super) fn store(&self) -> &Counted<ObjectStore> {
        &self.store
    }

    /// Remembers the embedder's object for the instance, which forgets itself when it goes.
    pub(super) fn set_object(&self, object: *mut Block<RefObject>) {
        self.object.store(object, Ordering::Release);
    }

    /// To be called when an object for the instance goes.
    pub(super) fn forget_object(&self, object: &RefObject) {
        let known = self.object.load(Ordering::Acquire);
        // SAFETY: the known object takes its address away here before its block is freed.
        let is_known = unsafe { value(known) }.is_some_and(|known| std::ptr::eq(known, object));
        if is_known {
            self.object.store(std::ptr::null_mut(), Ordering::Release);
        }
    }

    pub(super) fn known_object(&self) -> Option<Counted<RefObject>> {
        let object = NonNull::new(self.object.load(Ordering::Acquire))?;
        // SAFETY: the object takes its address away before its block is freed, and one thread at a
        // time uses a store and what is in it.
        unsafe { Counted::upgraded(object) }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.store.unlist(self.instance.as_raw().addr().get());
        // SAFETY: taken once, as the owner goes.
        take_down(unsafe { ManuallyDrop::take(&mut self.instance) });
        // One by one: each may be the last to hold others, in a chain of any length.
        let mut last = std::mem::take(&mut self.imports);
        while let Some(import) = last.pop() {
            let Some(mut import) = import.into_inner() else { continue };
            let more = import.imports.len();
            if outside(|| last.try_reserve(more)).is_ok() {
                last.append(&mut import.imports);
            }
        }
    }
}

impl Home {
    /// The home of an item of `instance`, in a store.
    pub(super) fn of(instance: &Instance, store: &Counted<ObjectStore>) -> Self {
        Self { owner: store.owner_of(instance), store: store.clone() }
    }
}

/// An object for an item that the runtime has found; it knows which instance the item is of.
pub(super) fn object_of(item: Item, store: &Counted<ObjectStore>) -> Option<Counted<RefObject>> {
    object::new(match item {
        Item::Func(func) => {
            let home = Home::of(&func.instance(), store);
            RefBody::Func(FuncBody::new(func, None, home))
        }
        Item::Global(global) => {
            let home = Home::of(global.instance(), store);
            RefBody::Global(global, home)
        }
        Item::Table(table) => {
            let home = Home::of(&table.instance(), store);
            RefBody::Table(table, home)
        }
        Item::Memory(memory) => {
            let home = Home::of(&memory.instance(), store);
            RefBody::Memory(memory, home)
        }
    })
}

pub(super) enum Item {
    Func(Func),
    Global(Global),
    Table(Table),
    Memory(Memory),
}
