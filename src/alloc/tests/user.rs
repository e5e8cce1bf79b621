use super::helpers::{fill, intact};
use crate::alloc::*;
use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr::null_mut;

/// The calls of the callbacks, in order. Each test has its own thread and its own log.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Malloc { usage: Option<u32>, data: usize, size: u32 },
    Realloc { usage: Option<u32>, data: usize, size: u32 },
    Free { usage: Option<u32>, data: usize },
}

thread_local! {
    /// Owner: the thread of a test.
    static CALLS: RefCell<Vec<Call>> = const { RefCell::new(Vec::new()) };
}

fn log(call: Call) {
    outside(|| CALLS.with_borrow_mut(|calls| calls.push(call)));
}

fn calls() -> Vec<Call> {
    CALLS.take()
}

// The four shapes, over the C library's functions.

unsafe extern "C" fn malloc(size: u32) -> *mut c_void {
    log(Call::Malloc { usage: None, data: 0, size });
    // SAFETY: any size will do.
    unsafe { libc::malloc(size as usize) }
}
unsafe extern "C" fn realloc(piece: *mut c_void, size: u32) -> *mut c_void {
    log(Call::Realloc { usage: None, data: 0, size });
    // SAFETY: the heap passes a pointer that `malloc` returned.
    unsafe { libc::realloc(piece, size as usize) }
}
unsafe extern "C" fn free(piece: *mut c_void) {
    log(Call::Free { usage: None, data: 0 });
    // SAFETY: the heap passes a pointer that `malloc` returned, once.
    unsafe { libc::free(piece) }
}
unsafe extern "C" fn malloc_data(data: *mut c_void, size: u32) -> *mut c_void {
    log(Call::Malloc { usage: None, data: data as usize, size });
    // SAFETY: any size will do.
    unsafe { libc::malloc(size as usize) }
}
unsafe extern "C" fn realloc_data(d: *mut c_void, piece: *mut c_void, size: u32) -> *mut c_void {
    log(Call::Realloc { usage: None, data: d as usize, size });
    // SAFETY: the heap passes a pointer that `malloc` returned.
    unsafe { libc::realloc(piece, size as usize) }
}
unsafe extern "C" fn free_data(data: *mut c_void, piece: *mut c_void) {
    log(Call::Free { usage: None, data: data as usize });
    // SAFETY: the heap passes a pointer that `malloc` returned, once.
    unsafe { libc::free(piece) }
}
unsafe extern "C" fn malloc_usage(usage: u32, size: u32) -> *mut c_void {
    log(Call::Malloc { usage: Some(usage), data: 0, size });
    // SAFETY: any size will do.
    unsafe { libc::malloc(size as usize) }
}
unsafe extern "C" fn free_usage(usage: u32, piece: *mut c_void) {
    log(Call::Free { usage: Some(usage), data: 0 });
    // SAFETY: the heap passes a pointer that `malloc` returned, once.
    unsafe { libc::free(piece) }
}
unsafe extern "C" fn malloc_both(usage: u32, data: *mut c_void, size: u32) -> *mut c_void {
    log(Call::Malloc { usage: Some(usage), data: data as usize, size });
    // SAFETY: any size will do.
    unsafe { libc::malloc(size as usize) }
}
unsafe extern "C" fn realloc_both(
    usage: u32,
    full_size_mapped: bool,
    data: *mut c_void,
    piece: *mut c_void,
    size: u32,
) -> *mut c_void {
    assert!(!full_size_mapped);
    log(Call::Realloc { usage: Some(usage), data: data as usize, size });
    // SAFETY: the heap passes a pointer that `malloc` returned.
    unsafe { libc::realloc(piece, size as usize) }
}
unsafe extern "C" fn free_both(usage: u32, data: *mut c_void, piece: *mut c_void) {
    log(Call::Free { usage: Some(usage), data: data as usize });
    // SAFETY: the heap passes a pointer that `malloc` returned, once.
    unsafe { libc::free(piece) }
}

const DATA: usize = 0xda7a;

fn heap(functions: UserFunctions) -> HeapRef {
    // SAFETY: the functions above behave like C's and are thread-safe.
    let allocator = unsafe { UserAllocator::new(functions, DATA as *mut c_void) };
    Heap::new(HeapConfig::User(allocator.unwrap()), None).unwrap()
}

fn release(block: *mut u8) {
    // SAFETY: the tests pass live blocks, once.
    assert!(unsafe { Heap::free(block) });
}

#[test]
fn one_call_for_each_operation() {
    let heap = heap(UserFunctions::Plain(PlainFunctions { malloc, realloc: Some(realloc), free }));
    assert!(calls().is_empty(), "making a heap asks for nothing");
    assert!(heap.has_realloc() && heap.pool_info().is_none());
    let block = heap.alloc(100, 8);
    assert_eq!(calls(), [Call::Malloc { usage: None, data: 0, size: 116 }]);
    // SAFETY: live.
    let block = unsafe {
        fill(block, 100);
        let block = Heap::realloc(block, 5000);
        assert!(intact(block, 100));
        block
    };
    assert_eq!(calls(), [Call::Realloc { usage: None, data: 0, size: 5048 }]);
    assert_eq!(heap.stats().live_bytes, 5000);
    release(block);
    assert_eq!(calls(), [Call::Free { usage: None, data: 0 }]);
    assert_eq!(heap.stats().live_bytes, 0);
    // Sizes beyond 32 bits never reach the callbacks.
    assert!(heap.alloc(u32::MAX as usize, 8).is_null());
    assert!(heap.alloc(1 << 40, 8).is_null());
    assert!(calls().is_empty());
    // The heap's own state is none of the embedder's blocks, and Rust code's is.
    drop(with_heap(&heap, || std::hint::black_box(Box::new(1u64))));
    assert_eq!(calls().len(), 2);
}

#[test]
fn user_data_is_passed_first() {
    let functions =
        UserDataFunctions { malloc: malloc_data, realloc: Some(realloc_data), free: free_data };
    let heap = heap(UserFunctions::UserData(functions));
    let block = heap.alloc(1, 1);
    // SAFETY: live.
    release(unsafe { Heap::realloc(block, 2) });
    let seen = calls();
    assert_eq!(seen[0], Call::Malloc { usage: None, data: DATA, size: 17 });
    assert!(matches!(seen[1], Call::Realloc { usage: None, data: DATA, .. }));
    assert_eq!(seen[2..], [Call::Free { usage: None, data: DATA }]);
}

#[test]
fn usage_is_passed_before_it() {
    let functions = UsageFunctions { malloc: malloc_usage, realloc: None, free: free_usage };
    let plain = heap(UserFunctions::Usage(functions));
    release(plain.alloc_for(Usage::LinearMemory, 1, 1));
    release(plain.alloc_for(Usage::Runtime, 1, 1));
    let seen = calls();
    assert_eq!(seen[0], Call::Malloc { usage: Some(1), data: 0, size: 17 });
    assert_eq!(seen[1], Call::Free { usage: Some(1), data: 0 });
    assert_eq!(
        seen[2..],
        [
            Call::Malloc { usage: Some(0), data: 0, size: 17 },
            Call::Free { usage: Some(0), data: 0 },
        ]
    );
    let functions = UsageUserDataFunctions {
        malloc: malloc_both,
        realloc: Some(realloc_both),
        free: free_both,
    };
    let both = heap(UserFunctions::UsageUserData(functions));
    let block = both.alloc_for(Usage::LinearMemory, 100, 16);
    // SAFETY: live; 100 bytes were asked for.
    unsafe {
        assert!(std::slice::from_raw_parts(block, 100).iter().all(|&byte| byte == 0));
        release(Heap::realloc(block, 200));
    }
    let seen = calls();
    assert_eq!(seen[0], Call::Malloc { usage: Some(1), data: DATA, size: 116 });
    assert!(matches!(seen[1], Call::Realloc { usage: Some(1), data: DATA, .. }));
    assert_eq!(seen[2..], [Call::Free { usage: Some(1), data: DATA }]);
}

#[test]
fn without_realloc_only_rust_code_can_grow() {
    let heap = heap(UserFunctions::Plain(PlainFunctions { malloc, realloc: None, free }));
    assert!(!heap.has_realloc());
    let block = heap.alloc(10, 8);
    // SAFETY: live.
    assert!(unsafe { Heap::realloc(block, 20) }.is_null());
    release(block);
    let mut vec = with_heap(&heap, || vec![1u8; 10]);
    vec.extend([2; 5000]);
    assert_eq!((vec[9], vec[10]), (1, 2));
    assert_eq!(heap.stats().live_blocks, 1);
    assert_eq!(heap.stats().over_limit, 0);
    drop(vec);
    assert_eq!(heap.stats().live_bytes, 0);
}

#[test]
fn malloc_and_free_must_differ() {
    unsafe extern "C" fn both() {}
    // SAFETY: never called: the functions are refused.
    let functions = unsafe {
        UserFunctions::Plain(PlainFunctions {
            malloc: std::mem::transmute::<
                unsafe extern "C" fn(),
                unsafe extern "C" fn(u32) -> *mut c_void,
            >(both),
            realloc: None,
            free: std::mem::transmute::<unsafe extern "C" fn(), unsafe extern "C" fn(*mut c_void)>(
                both,
            ),
        })
    };
    // SAFETY: never called: the functions are refused.
    assert!(unsafe { UserAllocator::new(functions, null_mut()) }.is_err());
}

/// An embedder's allocator that aligns to 8 only.
mod unaligned {
    use std::ffi::c_void;

    const SKEW: usize = 8;

    pub unsafe extern "C" fn malloc(size: u32) -> *mut c_void {
        // SAFETY: room for the skew is asked for.
        unsafe { libc::malloc(size as usize + SKEW).byte_add(SKEW) }
    }
    pub unsafe extern "C" fn realloc(piece: *mut c_void, size: u32) -> *mut c_void {
        // SAFETY: pieces come from `malloc` above.
        unsafe { libc::realloc(piece.byte_sub(SKEW), size as usize + SKEW).byte_add(SKEW) }
    }
    pub unsafe extern "C" fn free(piece: *mut c_void) {
        // SAFETY: pieces come from `malloc` above.
        unsafe { libc::free(piece.byte_sub(SKEW)) }
    }
    /// Aligned, so that only `realloc` surprises.
    pub unsafe extern "C" fn realloc_from_aligned(piece: *mut c_void, size: u32) -> *mut c_void {
        // SAFETY: pieces come from C's `malloc`; the contents move up by the skew.
        unsafe {
            let new = libc::malloc(size as usize + SKEW).byte_add(SKEW);
            // The tests only grow, from 116 bytes.
            std::ptr::copy_nonoverlapping(piece.cast::<u8>(), new.cast::<u8>(), 116);
            libc::free(piece);
            new
        }
    }
    /// Frees pieces of C's `malloc` and of the function above, which differ in their alignment.
    pub unsafe extern "C" fn free_either(piece: *mut c_void) {
        let skew = piece as usize % 16;
        // SAFETY: C's `malloc` aligns to 16, so an odd multiple of 8 is a skewed piece.
        unsafe { libc::free(piece.byte_sub(skew)) }
    }
}

#[test]
fn callbacks_may_align_badly() {
    let functions = PlainFunctions {
        malloc: unaligned::malloc,
        realloc: Some(unaligned::realloc),
        free: unaligned::free,
    };
    let heap = heap(UserFunctions::Plain(functions));
    // SAFETY: live blocks.
    unsafe {
        for align in [1, 16, 64] {
            let block = heap.alloc(100, align);
            assert!((block as usize).is_multiple_of(align.max(16)));
            fill(block, 100);
            let block = Heap::realloc(block, 1000);
            assert!((block as usize).is_multiple_of(16));
            assert!(intact(block, 100));
            release(block);
        }
    }
    assert_eq!(heap.stats().live_bytes, 0);
}

#[test]
fn a_resized_piece_may_lose_its_alignment() {
    let functions = PlainFunctions {
        malloc,
        realloc: Some(unaligned::realloc_from_aligned),
        free: unaligned::free_either,
    };
    let heap = heap(UserFunctions::Plain(functions));
    let block = heap.alloc(100, 8);
    // SAFETY: live blocks.
    unsafe {
        fill(block, 100);
        let block = Heap::realloc(block, 300);
        assert!((block as usize).is_multiple_of(16));
        assert!(intact(block, 100));
        block.add(100).write_bytes(3, 200);
        release(block);
    }
    assert_eq!(heap.stats().live_bytes, 0);
}
