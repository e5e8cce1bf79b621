//! A heap's configuration, and the figures that it reports.

use std::ffi::c_void;
use std::fmt;
use std::ptr::NonNull;

/// The purpose of a block, which some shapes of an embedder's callbacks receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Usage {
    Runtime = 0,
    LinearMemory = 1,
}

/// An embedder's buffer for a pool. Owner: the embedder, who lends it.
#[derive(Debug)]
pub struct PoolBuffer {
    pub(super) start: NonNull<u8>,
    pub(super) len: usize,
}

// SAFETY: `PoolBuffer::new` makes the caller promise that nobody else uses the bytes, so it
// does not matter which thread does.
unsafe impl Send for PoolBuffer {}
// SAFETY: shared references to it give no access to the bytes, only their address.
unsafe impl Sync for PoolBuffer {}

impl PoolBuffer {
    /// Smallest buffer that a pool accepts.
    pub const LEN_MIN: usize = 256;

    /// [`HeapError::PoolTooSmall`] if `start` is null or `len` is below [`PoolBuffer::LEN_MIN`].
    ///
    /// # Safety
    /// The `len` bytes at `start` may be read and written, and nobody else uses them, until the
    /// heap made from this has been dropped or retired.
    pub unsafe fn new(start: *mut u8, len: usize) -> Result<Self, HeapError> {
        let buffer = NonNull::new(start).filter(|_| len >= Self::LEN_MIN);
        let too_small = HeapError::PoolTooSmall { start: start.addr(), len };
        buffer.map(|start| Self { start, len }).ok_or(too_small)
    }
}

/// The types of one shape of an embedder's allocator functions.
macro_rules! user_functions {
    ($name:ident, malloc($($m:ty),*), realloc($($r:ty),*), free($($f:ty),*), $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug)]
        pub struct $name {
            pub malloc: unsafe extern "C" fn($($m),*) -> *mut c_void,
            pub realloc: Option<unsafe extern "C" fn($($r),*) -> *mut c_void>,
            pub free: unsafe extern "C" fn($($f),*),
        }
    };
}

user_functions!(
    PlainFunctions,
    malloc(u32),
    realloc(*mut c_void, u32),
    free(*mut c_void),
    "`malloc(size)`, `realloc(ptr, size)`, `free(ptr)`."
);
user_functions!(
    UserDataFunctions,
    malloc(*mut c_void, u32),
    realloc(*mut c_void, *mut c_void, u32),
    free(*mut c_void, *mut c_void),
    "The functions with the embedder's pointer in front."
);
user_functions!(
    UsageFunctions,
    malloc(u32, u32),
    realloc(u32, bool, *mut c_void, u32),
    free(u32, *mut c_void),
    "The functions with the usage in front; `realloc` also learns whether the whole range is \
     mapped already, which ours never is."
);
user_functions!(
    UsageUserDataFunctions,
    malloc(u32, *mut c_void, u32),
    realloc(u32, bool, *mut c_void, *mut c_void, u32),
    free(u32, *mut c_void, *mut c_void),
    "The functions with the usage, then the embedder's pointer, in front."
);

/// An embedder's allocator functions, in the shape that it was built for.
#[derive(Clone, Copy, Debug)]
pub enum UserFunctions {
    Plain(PlainFunctions),
    UserData(UserDataFunctions),
    Usage(UsageFunctions),
    UsageUserData(UsageUserDataFunctions),
}

impl UserFunctions {
    pub(super) fn has_realloc(&self) -> bool {
        self.addresses()[1] != 0
    }

    /// Addresses of `malloc`, `realloc` and `free`; 0 for none.
    fn addresses(&self) -> [usize; 3] {
        macro_rules! addresses {
            ($f:ident) => {
                [$f.malloc as usize, $f.realloc.map_or(0, |f| f as usize), $f.free as usize]
            };
        }
        match self {
            Self::Plain(f) => addresses!(f),
            Self::UserData(f) => addresses!(f),
            Self::Usage(f) => addresses!(f),
            Self::UsageUserData(f) => addresses!(f),
        }
    }
}

/// An embedder's allocator.
#[derive(Clone, Copy, Debug)]
pub struct UserAllocator {
    pub(super) functions: UserFunctions,
    pub(super) user_data: *mut c_void,
}

// SAFETY: `UserAllocator::new` makes the caller promise that the functions may be called with
// the user data on any thread, several at a time.
unsafe impl Send for UserAllocator {}
// SAFETY: `UserAllocator::new` makes the caller promise that several threads may call the functions
// at a time.
unsafe impl Sync for UserAllocator {}

impl UserAllocator {
    /// [`HeapError::AllocatorIncomplete`] if `malloc` and `free` are the same function.
    ///
    /// # Safety
    /// The functions behave like C's, may be called with `user_data` on any thread, several at a
    /// time, and stay callable until the last block of the heap made from this is gone.
    pub unsafe fn new(functions: UserFunctions, user_data: *mut c_void) -> Result<Self, HeapError> {
        let [malloc, realloc, free] = functions.addresses();
        if malloc == free {
            return Err(HeapError::AllocatorIncomplete { malloc, realloc, free });
        }
        Ok(Self { functions, user_data })
    }
}

/// Which allocations a [`HeapConfig::Failing`] heap refuses, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailRule {
    /// Only that one.
    Once(u64),
    /// That one and all later ones.
    From(u64),
}

/// Where a heap's memory comes from.
#[derive(Debug)]
pub enum HeapConfig {
    /// The process's allocator.
    System,
    /// An embedder's buffer.
    Pool(PoolBuffer),
    /// An embedder's callbacks.
    User(UserAllocator),
    /// For tests of exhaustion: `inner`, except that some allocations fail. Otherwise it behaves as
    /// the inner heap, so infallible code is still served.
    Failing { inner: Box<HeapConfig>, rule: FailRule },
    /// The heap that was made from this; no other is. Contexts keep it in their configuration.
    Made(HeapIdentity),
}

/// Whether both name the same memory, made into a heap or not.
impl PartialEq for HeapConfig {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

/// The identity of a [`HeapConfig`]: kinds, addresses and sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeapIdentity {
    kind: u8,
    words: [usize; 4],
}

impl HeapConfig {
    /// Hands over the heap's source, and goes on naming it.
    pub(crate) fn take(&mut self) -> Self {
        let made = Self::Made(self.identity());
        std::mem::replace(self, made)
    }

    fn identity(&self) -> HeapIdentity {
        match self {
            Self::Made(identity) => *identity,
            Self::System => HeapIdentity { kind: 0, words: [0; 4] },
            Self::Pool(pool) => {
                HeapIdentity { kind: 1, words: [pool.start.addr().get(), pool.len, 0, 0] }
            }
            Self::User(user) => {
                let [malloc, realloc, free] = user.functions.addresses();
                let realloc = usize::from(realloc != 0);
                HeapIdentity { kind: 2, words: [malloc, realloc, free, user.user_data.addr()] }
            }
            Self::Failing { inner, .. } => HeapIdentity { kind: 3, ..inner.identity() },
        }
    }
}

/// Why a heap cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeapError {
    /// No memory for the heap's own state.
    OutOfMemory,
    /// The pool's buffer is absent, less than [`PoolBuffer::LEN_MIN`] bytes, or has no room for a
    /// block after alignment: its address, or 0, and its length in bytes.
    PoolTooSmall { start: usize, len: usize },
    /// The embedder's `malloc` or `free` is missing, or they are the same function: the addresses
    /// of its functions, 0 for none.
    AllocatorIncomplete { malloc: usize, realloc: usize, free: usize },
    /// A heap was made from this already.
    Made,
    /// A failing heap inside a failing heap.
    NestedFailing,
}

impl fmt::Display for HeapError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfMemory => "allocate memory failed",
            Self::PoolTooSmall { .. } => "the pool's buffer is too small",
            Self::AllocatorIncomplete { .. } => "the allocator lacks a function",
            Self::Made => "the heap is there already",
            Self::NestedFailing => "a failing heap cannot fail twice",
        })
    }
}

impl std::error::Error for HeapError {}

/// A heap's counters at one moment; exact when nobody allocates or frees meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeapStats {
    /// Bytes asked for and not freed, headers excluded, charged ones included.
    pub live_bytes: u64,
    /// Largest value of `live_bytes` so far.
    pub peak_bytes: u64,
    pub live_blocks: u64,
    /// How many times infallible code was given memory that the heap did not have.
    pub over_limit: u64,
}

/// A pool's room, in bytes, headers included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolInfo {
    pub total: usize,
    pub free: usize,
    /// Largest use so far.
    pub highmark: usize,
}

/// The blocks that were still allocated when a heap was retired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leak {
    pub live_bytes: u64,
    pub live_blocks: u64,
}
