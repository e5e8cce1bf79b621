//! Memories, tables and globals, and what imports and exports can be.

use super::{Error, Func, GlobalType, Instance, MemoryType, Result, TableType, Val};
use std::marker::PhantomData;
use std::ptr::NonNull;

/// Something that can be exported and imported.
#[derive(Clone)]
#[non_exhaustive]
pub enum Extern {
    Func(Func),
    Table(Table),
    Memory(Memory),
    Global(Global),
}

/// What lies behind a [`Memory`], for code that keeps bare pointers.
#[repr(C)]
pub struct RawMemory {
    _opaque: [u8; 0],
}

/// A counted handle to a linear memory.
#[derive(Clone)]
pub struct Memory {
    ptr: NonNull<RawMemory>,
    not_send: PhantomData<*mut ()>,
}

impl Memory {
    pub fn ty(&self) -> MemoryType {
        unreachable!()
    }

    /// Accessible bytes.
    pub fn len_bytes(&self) -> usize {
        0
    }

    /// Pages now, of [`Memory::page_bytes`] each.
    pub fn pages(&self) -> u64 {
        0
    }

    pub fn max_pages(&self) -> u64 {
        0
    }

    /// Bytes per page: 64 KiB, or more where a heap was added to a memory of one page.
    pub fn page_bytes(&self) -> u64 {
        0
    }

    /// Start of the memory. It stays for the memory's life where pages could be reserved, else
    /// until the memory grows.
    pub fn base_ptr(&self) -> *mut u8 {
        std::ptr::null_mut()
    }

    /// Copies bytes out.
    pub fn read(&self, _address: u64, _bytes: &mut [u8]) -> Result<()> {
        Err(Error::misuse("no memory"))
    }

    /// Copies bytes in.
    pub fn write(&self, _address: u64, _bytes: &[u8]) -> Result<()> {
        Err(Error::misuse("no memory"))
    }

    /// Adds pages and returns how many there were.
    pub fn grow(&self, _pages: u64) -> Result<u64> {
        Err(Error::misuse("no memory"))
    }

    /// The memory's address, without a count.
    pub fn as_raw(&self) -> NonNull<RawMemory> {
        self.ptr
    }

    /// A handle with a count of its own.
    ///
    /// # Safety
    /// `ptr` is the address of a memory whose instance's group lives.
    pub unsafe fn from_raw(ptr: NonNull<RawMemory>) -> Self {
        Self { ptr, not_send: PhantomData }
    }
}

/// A counted handle to a table.
#[derive(Clone)]
pub struct Table {
    _not_send: PhantomData<*mut ()>,
}

impl Table {
    pub fn ty(&self) -> TableType {
        unreachable!()
    }

    pub fn size(&self) -> u64 {
        0
    }

    /// The size up to which the table may grow.
    pub fn max_size(&self) -> u64 {
        0
    }

    /// The element at `index`, which is `None` beyond the end.
    pub fn get(&self, _index: u64) -> Option<Val> {
        None
    }

    /// Sets an element. A function must come from the table's own group of instances.
    pub fn set(&self, _index: u64, _value: Val) -> Result<()> {
        Err(Error::misuse("no table"))
    }

    /// Adds elements and returns how many there were.
    pub fn grow(&self, _by: u64, _value: Val) -> Result<u64> {
        Err(Error::misuse("no table"))
    }

    /// The function at `index`, which is `None` for null and beyond the end.
    pub fn func(&self, _index: u64) -> Option<Func> {
        None
    }

    /// First element: words that are zero for null, else addresses of functions, or externrefs'
    /// words plus one. It moves when the table grows.
    pub fn elems_ptr(&self) -> *mut u64 {
        std::ptr::null_mut()
    }
}

/// A counted handle to a global.
#[derive(Clone)]
pub struct Global {
    _not_send: PhantomData<*mut ()>,
}

impl Global {
    pub fn ty(&self) -> GlobalType {
        unreachable!()
    }

    pub fn get(&self) -> Val {
        unreachable!()
    }

    /// Sets a mutable global. A function must come from the global's own group of instances.
    pub fn set(&self, _value: Val) -> Result<()> {
        Err(Error::misuse("no global"))
    }

    /// Where the value lies, low bytes first.
    pub fn data_ptr(&self) -> *mut u64 {
        std::ptr::null_mut()
    }

    /// The instance that defines the global.
    pub fn instance(&self) -> Option<Instance> {
        None
    }
}
