//! An embedder's callbacks as a source of blocks.
//!
//! The callbacks take 32-bit sizes, so larger requests fail here. They need not align better
//! than the embedder's own code does: pieces that are not aligned to 16 are shifted.

use super::config::{Usage, UserAllocator, UserFunctions};
use super::header::{LINEAR, MIN_ALIGN, SHIFTED_ROOM};
use super::source::{Fill, Source};
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Owner: the heap.
pub struct UserSource {
    allocator: UserAllocator,
    unaligned: AtomicBool,
}

impl UserSource {
    pub fn new(allocator: UserAllocator) -> Self {
        Self { allocator, unaligned: AtomicBool::new(false) }
    }

    pub fn wants_usage(&self) -> bool {
        let functions = &self.allocator.functions;
        matches!(functions, UserFunctions::Usage(_) | UserFunctions::UsageUserData(_))
    }

    pub fn has_realloc(&self) -> bool {
        self.allocator.functions.has_realloc()
    }
}

fn usage(flags: u64) -> u32 {
    let usage = if flags & LINEAR != 0 { Usage::LinearMemory } else { Usage::Runtime };
    usage as u32
}

impl Source for UserSource {
    fn take(&self, len: usize, fill: Fill, flags: u64) -> *mut u8 {
        let Ok(size) = u32::try_from(len) else {
            return null_mut();
        };
        let data = self.allocator.user_data;
        // SAFETY: `UserAllocator::new` was promised that the functions behave like C's and may
        // be called with this user data on any thread.
        let piece = unsafe {
            match &self.allocator.functions {
                UserFunctions::Plain(f) => (f.malloc)(size),
                UserFunctions::UserData(f) => (f.malloc)(data, size),
                UserFunctions::Usage(f) => (f.malloc)(usage(flags), size),
                UserFunctions::UsageUserData(f) => (f.malloc)(usage(flags), data, size),
            }
        }
        .cast::<u8>();
        if !piece.is_null() && fill == Fill::Zero {
            // SAFETY: `malloc` returned `len` writable bytes.
            unsafe { piece.write_bytes(0, len) };
        }
        piece
    }

    unsafe fn resize(&self, piece: *mut u8, _old: usize, new: usize, flags: u64) -> *mut u8 {
        let Ok(size) = u32::try_from(new) else {
            return null_mut();
        };
        let (data, piece) = (self.allocator.user_data, piece.cast::<c_void>());
        // SAFETY: the functions behave like C's (`UserAllocator::new`); by the contract of
        // `Source::resize` the piece is live and theirs.
        let resized = unsafe {
            match &self.allocator.functions {
                UserFunctions::Plain(f) => f.realloc.map(|call| call(piece, size)),
                UserFunctions::UserData(f) => f.realloc.map(|call| call(data, piece, size)),
                UserFunctions::Usage(f) => {
                    f.realloc.map(|call| call(usage(flags), false, piece, size))
                }
                UserFunctions::UsageUserData(f) => {
                    f.realloc.map(|call| call(usage(flags), false, data, piece, size))
                }
            }
        };
        resized.unwrap_or(null_mut()).cast()
    }

    unsafe fn give_back(&self, piece: *mut u8, _len: usize, flags: u64) {
        let (data, piece) = (self.allocator.user_data, piece.cast::<c_void>());
        // SAFETY: the functions behave like C's (`UserAllocator::new`); by the contract of
        // `Source::give_back` the piece is live and theirs.
        unsafe {
            match &self.allocator.functions {
                UserFunctions::Plain(f) => (f.free)(piece),
                UserFunctions::UserData(f) => (f.free)(data, piece),
                UserFunctions::Usage(f) => (f.free)(usage(flags), piece),
                UserFunctions::UsageUserData(f) => (f.free)(usage(flags), data, piece),
            }
        }
    }

    fn is_unaligned(&self) -> bool {
        self.unaligned.load(Relaxed)
    }

    fn note_unaligned(&self) {
        self.unaligned.store(true, Relaxed);
    }

    fn resize_slack(&self) -> usize {
        SHIFTED_ROOM
    }
}

// The bytes move by less than `SHIFTED_ROOM - HEADER_SIZE + MIN_ALIGN` when a piece is shifted
// after resizing (`source::resize`).
const _: () = assert!(SHIFTED_ROOM >= SHIFTED_ROOM - super::header::HEADER_SIZE + MIN_ALIGN);
