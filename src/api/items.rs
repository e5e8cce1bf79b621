//! Memories, tables and globals, and the kinds of imports and exports.

use super::func::check_value_of;
use super::link::surroundings;
use super::{Context, SharedMemory, Tag};
use super::{Error, Func, GlobalType, Instance, MemoryType, Native, Result, TableType, Val};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmFuncRef, VmGlobal};
use crate::instance::{self as parts, GlobalImport, Import, link_set};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

/// Something that can be exported and imported.
#[derive(Clone)]
#[non_exhaustive]
pub enum Extern {
    Func(Func),
    Table(Table),
    Memory(Memory),
    Global(Global),
    Tag(Tag),
    /// A host function; imports only.
    Native(Native),
    /// A shared memory, whichever instances have it; imports only.
    SharedMemory(SharedMemory),
}

impl Extern {
    pub(super) fn as_import(&self) -> Import<'_> {
        match self {
            Self::Func(func) => Import::Func(func.ptr()),
            Self::Table(table) => Import::Table(table.parts()),
            Self::Memory(memory) => Import::Memory(memory.parts()),
            Self::Global(global) => Import::Global(GlobalImport {
                storage: global.storage,
                ty: global.ty,
                instance: global.instance.ptr(),
            }),
            Self::Tag(tag) => Import::Tag(tag.ptr()),
            Self::Native(native) => Import::Host(native.header()),
            Self::SharedMemory(memory) => Import::Shared(memory.parts()),
        }
    }

    /// The context it belongs to; none for natives.
    pub fn context(&self) -> Option<Context> {
        match self {
            Self::SharedMemory(memory) => Some(memory.context().clone()),
            _ => self.instance().map(|instance| instance.context()),
        }
    }

    /// The instance it comes from; none for natives and for shared memories on their own.
    pub fn instance(&self) -> Option<Instance> {
        Some(match self {
            Self::Func(func) => func.instance(),
            Self::Table(table) => table.instance(),
            Self::Memory(memory) => memory.instance(),
            Self::Global(global) => global.instance.clone(),
            Self::Tag(tag) => tag.instance().clone(),
            Self::Native(_) | Self::SharedMemory(_) => return None,
        })
    }

    pub fn into_func(self) -> Option<Func> {
        match self {
            Self::Func(func) => Some(func),
            _ => None,
        }
    }

    pub fn into_table(self) -> Option<Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    pub fn into_memory(self) -> Option<Memory> {
        match self {
            Self::Memory(memory) => Some(memory),
            _ => None,
        }
    }

    pub fn into_global(self) -> Option<Global> {
        match self {
            Self::Global(global) => Some(global),
            _ => None,
        }
    }

    pub fn into_tag(self) -> Option<Tag> {
        match self {
            Self::Tag(tag) => Some(tag),
            _ => None,
        }
    }
}

/// The target of a [`Memory`], for code that keeps bare pointers.
#[repr(C)]
pub struct RawMemory {
    _opaque: [u8; 0],
}

/// A counted handle to a linear memory.
#[repr(transparent)]
pub struct Memory {
    ptr: NonNull<parts::Memory>,
    not_send: PhantomData<*mut ()>,
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        // SAFETY: this handle keeps the link set alive.
        unsafe { Self::retained(self.ptr) }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the handle's count becomes that of the instance handle, which gives it up.
        drop(unsafe { Instance::from_raw(self.parts().instance().cast()) });
    }
}

impl Memory {
    /// # Safety
    /// The memory's link set is live.
    pub(super) unsafe fn retained(ptr: NonNull<parts::Memory>) -> Self {
        // SAFETY: the caller guarantees that the memory's link set is live.
        unsafe { link_set::retain(ptr.as_ref().instance()) };
        Self { ptr, not_send: PhantomData }
    }

    pub(super) fn parts(&self) -> &parts::Memory {
        // SAFETY: the handle keeps the memory alive.
        unsafe { self.ptr.as_ref() }
    }

    /// The instance that defines the memory.
    pub fn instance(&self) -> Instance {
        // SAFETY: the handle keeps the link set alive.
        unsafe { Instance::retained(self.parts().instance()) }
    }

    pub fn ty(&self) -> MemoryType {
        self.parts().ty()
    }

    /// Accessible bytes.
    pub fn len_bytes(&self) -> usize {
        self.parts().len_bytes()
    }

    /// Pages now, of [`Memory::page_bytes`] each.
    pub fn pages(&self) -> u64 {
        self.parts().pages()
    }

    /// Pages up to which the memory may grow, whether or not there is room for them.
    pub fn max_pages(&self) -> u64 {
        self.parts().max_pages()
    }

    /// Bytes per page: 64 KiB or, with custom page sizes, one; more than 64 KiB where a heap was
    /// added to a memory of one page.
    pub fn page_bytes(&self) -> u64 {
        self.parts().page_bytes()
    }

    /// Start of the memory. It stays for the memory's life where pages could be reserved, else
    /// until the memory grows.
    pub fn base_ptr(&self) -> *mut u8 {
        self.parts().base()
    }

    /// Copies bytes out.
    pub fn read(&self, address: u64, bytes: &mut [u8]) -> Result<()> {
        let from = self.range(address, bytes.len())?;
        // SAFETY: `range` found the bytes; no Rust reference points into a linear memory.
        unsafe { ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    /// Copies bytes in.
    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<()> {
        let to = self.range(address, bytes.len())?;
        // SAFETY: `range` found the bytes; no Rust reference points into a linear memory.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }

    fn range(&self, address: u64, len: usize) -> Result<*mut u8> {
        let range = self.parts().range(address, len as u64);
        range.ok_or_else(|| Error::misuse("out of bounds memory access"))
    }

    /// Adds pages and returns how many there were. While another thread runs the instance, only
    /// shared memories grow.
    pub fn grow(&self, pages: u64) -> Result<u64> {
        // SAFETY: the handle keeps the link set alive.
        let used = unsafe { link_set::Use::begin(self.parts().instance()) };
        if used.is_none() && self.parts().shared().is_none() {
            return Err(Error::misuse(Trap::InUse.text()));
        }
        // SAFETY: the handle keeps the instance alive.
        let instance = unsafe { self.parts().instance().as_ref() };
        let context = surroundings(instance).held.context();
        let grown = context.run(|| self.parts().grow(pages));
        grown.map_err(|_| Error::misuse("the memory cannot grow so far"))
    }

    /// The memory's address, without a count.
    pub fn as_raw(&self) -> NonNull<RawMemory> {
        self.ptr.cast()
    }

    /// A handle with a count of its own.
    ///
    /// # Safety
    /// `ptr` is the address of a memory whose instance's link set lives.
    pub unsafe fn from_raw(ptr: NonNull<RawMemory>) -> Self {
        // SAFETY: the caller guarantees that `ptr` is the address of a memory whose instance's link
        // set lives.
        unsafe { Self::retained(ptr.cast()) }
    }
}

/// A counted handle to a table.
#[repr(transparent)]
pub struct Table {
    ptr: NonNull<parts::Table>,
    not_send: PhantomData<*mut ()>,
}

impl Clone for Table {
    fn clone(&self) -> Self {
        // SAFETY: this handle keeps the link set alive.
        unsafe { Self::retained(self.ptr) }
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        // SAFETY: the handle's count becomes that of the instance handle, which gives it up.
        drop(unsafe { Instance::from_raw(self.parts().instance().cast()) });
    }
}

impl Table {
    /// # Safety
    /// The table's link set is live.
    pub(super) unsafe fn retained(ptr: NonNull<parts::Table>) -> Self {
        // SAFETY: the caller guarantees that the table's link set is live.
        unsafe { link_set::retain(ptr.as_ref().instance()) };
        Self { ptr, not_send: PhantomData }
    }

    fn parts(&self) -> &parts::Table {
        // SAFETY: the handle keeps the table alive.
        unsafe { self.ptr.as_ref() }
    }

    /// The instance that defines the table.
    pub fn instance(&self) -> Instance {
        // SAFETY: the handle keeps the link set alive.
        unsafe { Instance::retained(self.parts().instance()) }
    }

    pub fn ty(&self) -> TableType {
        self.parts().ty()
    }

    pub fn size(&self) -> u64 {
        self.parts().len()
    }

    /// The size up to which the table may grow.
    pub fn max_size(&self) -> u64 {
        self.parts().max_len()
    }

    /// The element at `index`, which is `None` beyond the end.
    pub fn get(&self, index: u64) -> Option<Val> {
        let word = self.parts().get(index)?;
        Some(Val::from_slots(self.ty().elem, [word, 0]))
    }

    /// Sets an element. A function must come from the table's own link set of instances.
    pub fn set(&self, index: u64, value: Val) -> Result<()> {
        check_value_of(self.parts().instance(), &value, self.ty().elem)?;
        let done = self.parts().set(index, value.to_slots()[0]);
        if done { Ok(()) } else { Err(Error::misuse("out of bounds table access")) }
    }

    /// Adds elements and returns how many there were.
    pub fn grow(&self, by: u64, value: Val) -> Result<u64> {
        check_value_of(self.parts().instance(), &value, self.ty().elem)?;
        let grown = self.parts().grow(by, value.to_slots()[0]);
        grown.ok_or_else(|| Error::misuse("the table cannot grow so far"))
    }

    /// The function at `index`, which is `None` for null and beyond the end.
    pub fn func(&self, index: u64) -> Option<Func> {
        let Val::FuncRef(func) = self.get(index)? else { return None };
        // SAFETY: the functions in a table are of its link set.
        func.map(|func| unsafe { Func::retained(func.0) })
    }

    /// Whether both handles are to one table.
    pub fn is_same(&self, other: &Self) -> bool {
        self.ptr == other.ptr
    }

    /// First element: words that are zero for null, else addresses of functions, or externrefs'
    /// words plus one. It moves when the table grows.
    pub fn elems_ptr(&self) -> *mut u64 {
        self.parts().elems()
    }
}

/// A counted handle to a global.
#[derive(Clone)]
pub struct Global {
    storage: NonNull<VmGlobal>,
    ty: GlobalType,
    instance: Instance,
}

impl Global {
    pub(super) fn new(storage: NonNull<VmGlobal>, ty: GlobalType, instance: Instance) -> Self {
        Self { storage, ty, instance }
    }

    /// An instance that has the global.
    pub fn instance(&self) -> &Instance {
        &self.instance
    }

    pub fn ty(&self) -> GlobalType {
        self.ty
    }

    pub fn get(&self) -> Val {
        // SAFETY: the instance's link set keeps the storage alive.
        Val::from_slots(self.ty.val, unsafe { self.storage.as_ref() }.slots)
    }

    /// Sets a mutable global. A function must come from the global's own link set of instances.
    pub fn set(&self, value: Val) -> Result<()> {
        if !self.ty.mutable {
            return Err(Error::misuse("the global is immutable"));
        }
        check_value_of(self.instance.ptr(), &value, self.ty.val)?;
        // SAFETY: the instance's link set keeps the storage alive, and this thread uses the link
        // set.
        unsafe { (*self.storage.as_ptr()).slots = value.to_slots() };
        Ok(())
    }

    /// Where the value lies, low bytes first.
    pub fn data_ptr(&self) -> *mut u64 {
        self.storage.as_ptr().cast()
    }
}

impl Func {
    /// The function as a value.
    pub fn to_val(&self) -> Val {
        let ptr: NonNull<VmFuncRef> = self.ptr();
        Val::FuncRef(Some(crate::abi::value::FuncRef(ptr)))
    }
}
