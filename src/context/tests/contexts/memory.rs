//! A context's memory: its source, its rest at the end, its exhaustion.

use super::*;
use crate::alloc::{FailRule, PoolBuffer, UserAllocator, UserDataFunctions, UserFunctions};
use crate::context::{ContextData, ObjectKind};
use crate::module::TypeList;
use crate::native::{Convention, NativeArray};
use std::ffi::c_void;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering};

/// Blocks that an embedder's allocator has out.
static OUT: AtomicIsize = AtomicIsize::new(0);

unsafe extern "C" fn user_malloc(data: *mut c_void, size: u32) -> *mut c_void {
    assert_eq!(data as usize, 5);
    OUT.fetch_add(1, Ordering::Relaxed);
    // SAFETY: any size will do.
    unsafe { libc::malloc(size as usize) }
}

unsafe extern "C" fn user_free(data: *mut c_void, block: *mut c_void) {
    assert_eq!(data as usize, 5);
    OUT.fetch_sub(1, Ordering::Relaxed);
    // SAFETY: the heap frees what `user_malloc` returned.
    unsafe { libc::free(block) };
}

fn user_heap() -> HeapConfig {
    let functions = UserDataFunctions { malloc: user_malloc, realloc: None, free: user_free };
    // SAFETY: the functions are C's and stay.
    let user = unsafe { UserAllocator::new(UserFunctions::UserData(functions), 5 as *mut c_void) };
    HeapConfig::User(user.unwrap())
}

/// A pool over memory that lasts as long as the test does.
fn pool(buffer: &mut [u64]) -> HeapConfig {
    let bytes = size_of_val(buffer);
    // SAFETY: the tests keep their buffers until the context is gone or has let go.
    HeapConfig::Pool(unsafe { PoolBuffer::new(buffer.as_mut_ptr().cast(), bytes) }.unwrap())
}

/// The configuration of a context that has something in its heap from the start.
fn busy(heap: HeapConfig) -> ContextConfig {
    // SAFETY: null arrays are accepted and match nothing.
    let array =
        unsafe { NativeArray::new(c"env".as_ptr(), std::ptr::null(), 1, Convention::Native) };
    ContextConfig { natives: Some(array), ..on_heap(heap) }
}

#[test]
fn everything_goes_back_to_the_embedders_allocator() {
    World::run(|_| {
        let context = Context::with(busy(user_heap())).unwrap();
        context.set_name(Some("busy")).unwrap();
        assert!(OUT.load(Ordering::Relaxed) > 0);
        context.run(|| context.natives().is_linked("env", "f"));
        let block = context.heap().alloc(100, 16);
        // SAFETY: the block was just made.
        assert!(unsafe { crate::alloc::Heap::free(block) });
        drop(context);
        assert_eq!(OUT.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_build_survives_the_failure_of_every_allocation() {
    World::run(|world| {
        let mut failures = 0;
        for at in 1.. {
            let heap = HeapConfig::Failing {
                inner: Box::new(HeapConfig::System),
                rule: FailRule::Once(at),
            };
            let made = thread::init(busy(heap));
            if let Ok(made) = made {
                if made.set_name(Some("busy")).is_ok() {
                    break;
                }
                assert_eq!(destroys(), "closed");
            } else {
                assert_eq!(made.err(), Some(ContextError::Natives));
            }
            failures += 1;
            assert_eq!(world.process().registry.open_count(), 0);
            assert!(Context::current().is_err());
        }
        assert!(failures >= 3, "{failures} allocations: the list, the module's name, the name");
        assert_eq!(destroys(), "closed");
    });
}

#[test]
fn exhaustion_is_an_error_where_it_happens() {
    World::run(|_| {
        let config = ContextConfig { quota_bytes: Some(1000), ..ContextConfig::default() };
        let context = Context::with(config).unwrap();
        let used = context.guarded(|| vec![0u8; 100].len()).unwrap();
        assert_eq!(used, 100);
        let error = context.guarded(|| vec![0u8; 2000]).unwrap_err();
        assert_eq!(error.message(), "allocate memory failed");
        assert!(context.set_name(Some(&"x".repeat(2000))).is_err());
        assert_eq!(context.name(), None);
        assert_eq!(context.heap().stats().live_bytes, 0);
        // A failure that could not be reported is no reason to refuse the next operation.
        context.run(|| drop(vec![0u8; 2000]));
        assert!(context.guarded(|| ()).is_ok());
    });
}

#[test]
fn what_is_left_at_the_end_is_reported_to_those_who_debug() {
    World::run(|_| {
        let main = init();
        let messages = listen(&main);
        let silent = Context::new().unwrap();
        let lost = silent.heap().alloc(1, 16);
        drop(silent);
        assert_eq!(messages.take().len(), 0);
        main.set_log_level(LogLevel::Debug);
        let context = Context::new().unwrap();
        let left = context.heap().alloc(123, 16);
        drop(context);
        assert_eq!(messages.count("1 blocks (123 bytes)"), 1);
        // SAFETY: the block lives on: its heap does too.
        assert!(unsafe { crate::alloc::Heap::free(left) && crate::alloc::Heap::free(lost) });
        let busy = Context::with(busy(HeapConfig::System)).unwrap();
        busy.set_name(Some("busy")).unwrap();
        drop(busy);
        assert_eq!(messages.take().len(), 1);
    });
}

#[test]
fn a_pool_is_let_go_before_the_embedder_takes_it_away() {
    World::run(|_| {
        let mut buffer = vec![0u64; 8192];
        let made = init_with(busy(pool(&mut buffer)));
        made.set_name(Some("busy")).unwrap();
        made.data_or_init(|| Kept(Arc::default())).unwrap();
        made.intern_types(&TypeList::default()).unwrap();
        made.use_extern_objects().unwrap();
        let objects = made.extern_objects().unwrap();
        assert!(made.run(|| objects.number(1, 2)).is_some());
        objects.delete_all(1);
        assert!(made.heap().stats().live_blocks > 0);
        let Destroyed::Closed(closed) = thread::destroy() else { panic!("not the last") };
        // SAFETY: nobody runs inside.
        unsafe { closed.retire_pool() };
        buffer.fill(u64::MAX);
        drop(buffer);
        assert!(!closed.is_poisoned());
        assert_eq!(closed.heap().stats().live_blocks, 0);
        assert!(closed.heap().alloc(16, 16).is_null());
        assert!(closed.set_name(Some("late")).is_err());
        drop((made, closed));
    });
}

#[test]
fn a_pool_that_goes_before_its_objects_poisons_them() {
    World::run(|_| {
        let mut buffer = vec![0u64; 8192];
        let made = init_with(busy(pool(&mut buffer)));
        made.set_name(Some("busy")).unwrap();
        let messages = listen(&made);
        let object = made.hold(ObjectKind::Module);
        let Destroyed::Closed(closed) = thread::destroy() else { panic!("not the last") };
        // SAFETY: nobody runs inside.
        closed.run(|| unsafe { closed.retire_pool() });
        assert!(closed.is_poisoned());
        assert_eq!(messages.count("1 objects lived in it"), 1);
        // Dropping the rest must not touch the buffer.
        buffer.fill(u64::MAX);
        drop(buffer);
        drop((made, closed, object));
    });
}

/// Data that counts its end.
struct Kept(Arc<AtomicUsize>);

impl ContextData for Kept {
    fn end(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Other;

impl ContextData for Other {}

#[test]
fn data_ends_with_the_context_or_before() {
    World::run(|_| {
        let ends = Arc::new(AtomicUsize::new(0));
        let made = init();
        let kept = made.data_or_init(|| Kept(ends.clone())).unwrap();
        made.data_or_init(|| Other).unwrap();
        assert!(Arc::ptr_eq(&kept, &made.data_or_init(|| Kept(Arc::default())).unwrap()));
        assert!(made.data::<Other>().is_some());
        drop(kept);
        assert_eq!(destroys(), "closed");
        assert_eq!(ends.load(Ordering::Relaxed), 1, "although a handle is left");
        assert!(made.data::<Kept>().is_none());
        let made = Context::new().unwrap();
        made.data_or_init(|| Kept(ends.clone())).unwrap();
        made.close();
        made.close();
        assert_eq!(ends.load(Ordering::Relaxed), 2);
    });
}
