//! How a context gets its memory.

use std::ffi::c_void;

/// Where a context's memory comes from.
#[repr(C)]
pub enum mem_alloc_type_t {
    /// From one buffer of the embedder's.
    Alloc_With_Pool = 0,
    /// From functions of the embedder's.
    Alloc_With_Allocator = 1,
    /// From the system's allocator.
    Alloc_With_System_Allocator = 2,
}

/// The purpose of an allocation, for an allocator that was registered with usage.
#[repr(C)]
pub enum mem_alloc_usage_t {
    Alloc_For_Runtime = 0,
    Alloc_For_LinearMemory = 1,
}

/// The one of these that `mem_alloc_type` selects is read.
#[repr(C)]
#[derive(Clone, Copy)]
pub union MemAllocOption {
    pub pool: anon_pool_option,
    pub allocator: anon_allocator_option,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct anon_pool_option {
    /// The buffer; it must outlive the context and everything loaded in it.
    pub heap_buf: *mut c_void,
    /// Its size in bytes, at least 256.
    pub heap_size: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct anon_allocator_option {
    /// `void *(unsigned size)`
    pub malloc_func: *mut c_void,
    /// `void *(void *ptr, unsigned size)`, or NULL.
    pub realloc_func: *mut c_void,
    /// `void (void *ptr)`
    pub free_func: *mut c_void,
    /// Kept for source compatibility; passed on only to allocators that ask for it.
    pub user_data: *mut c_void,
}
