use super::*;
use crate::abi::trap::Trap;
use crate::abi::types::{PAGE_SIZE, ValType};
use crate::abi::vm_layout::{VmEnv, VmFuncKind, VmFuncRef};
use crate::alloc::{FailRule, HeapConfig};
use crate::module::Features;
use crate::types::NO_TYPES;
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

/// The tests' stand-in for the parts above: it notes growth failures, and its own end.
#[derive(Default)]
struct TestHost {
    failures: Mutex<Vec<(u32, u64, u64, GrowError)>>,
    gone: Arc<AtomicBool>,
    heap_number: u32,
}

impl Host for TestHost {
    fn memory_grow_failed(&self, failure: &GrowFailure) {
        let failure = (failure.memory, failure.pages, failure.current_bytes, failure.error);
        self.failures.lock().expect("lock").push(failure);
    }

    fn object_heap(&self, _: NonNull<Instance>) -> Option<(ObjectLimits, u32)> {
        Some((ObjectLimits { bytes: 64 << 20, stress: false }, self.heap_number))
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}

struct World {
    source: MemorySource,
    /// Instances that were made.
    made: AtomicU32,
}

/// A handle that frees its link set like the public one.
struct Owned(NonNull<Instance>);

impl std::ops::Deref for Owned {
    type Target = Instance;

    fn deref(&self) -> &Instance {
        // SAFETY: the handle keeps the instance alive.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the handle is the instance's own.
        unsafe { link_set::release(self.0) }
    }
}

/// Every structurally equal type has one number; the tests use few enough to spell them out.
const TYPE_IDS: [u32; 4] = [0, 1, 2, 3];

/// Enters functions that no test here calls.
unsafe extern "C-unwind" fn never(_: *mut VmEnv, _: *const VmFuncRef, _: *mut u64) -> u32 {
    Trap::Internal as u32
}

const NO_CODE: CodeTable = CodeTable {
    entry: never,
    first: ptr::null(),
    stride: 0,
    builtins: ptr::null(),
    imports: &ImportEntries { host: never, unlinked: never },
};

impl World {
    fn new(mapped: bool) -> Self {
        let heap = Heap::new(HeapConfig::System, None).expect("heap");
        let pool = mapped.then(|| Arc::new(MemoryPool::new()));
        Self { source: MemorySource { pool, heap }, made: AtomicU32::new(0) }
    }

    fn make(
        &self,
        wat: &str,
        limits: InstanceLimits,
        resolve: &dyn Fn(usize) -> Import<'static>,
    ) -> crate::abi::error::Result<Owned> {
        let module = parse(wat);
        let heap_number = self.made.fetch_add(1, Ordering::Relaxed);
        let host = TestHost { failures: Mutex::default(), gone: Arc::default(), heap_number };
        self.make_with(&module, limits, Arc::new(host), resolve)
    }

    fn make_with(
        &self,
        module: &Arc<Module>,
        limits: InstanceLimits,
        host: Arc<TestHost>,
        resolve: &dyn Fn(usize) -> Import<'static>,
    ) -> crate::abi::error::Result<Owned> {
        let parts = Parts {
            module,
            code: NO_CODE,
            type_ids: TYPE_IDS.as_ptr(),
            types: &raw const NO_TYPES,
            host,
            source: &self.source,
            limits,
            custom_data: 7,
            host_state: None,
        };
        Instance::new(parts, resolve, &mut |_| Ok(())).map(Owned)
    }

    fn plain(&self, wat: &str) -> Owned {
        self.make(wat, InstanceLimits::default(), &|_| Import::Nothing).expect("instance")
    }
}

fn parse(wat: &str) -> Arc<Module> {
    let bytes = wat::parse_str(wat).expect("wat");
    Arc::new(Module::parse(&bytes, Features::default()).expect("module"))
}

fn error(result: crate::abi::error::Result<Owned>) -> String {
    result.err().map_or_else(String::new, |error| error.message().to_owned())
}

fn read(instance: &Instance, address: u64, len: usize) -> Vec<u8> {
    let at = instance.memory(0).and_then(|memory| memory.range(address, len as u64));
    // SAFETY: `range` found the bytes.
    unsafe { std::slice::from_raw_parts(at.expect("in range"), len) }.to_vec()
}

const EVERYTHING: &str = r#"(module
    (type (func))
    (type (func (param i32) (result i32)))
    (memory (export "m") 1 3)
    (table (export "t") 4 10 funcref)
    (table (export "x") 2 externref)
    (global (export "g") (mut i32) (i32.const 5))
    (global $k i64 (i64.mul (i64.add (i64.const 3) (i64.const 4)) (i64.const 6)))
    (global $f funcref (ref.func $b))
    (func $a (type 0))
    (func $b (export "b") (type 1) local.get 0)
    (elem (i32.const 1) func $a $b)
    (elem $passive funcref (ref.func $b) (ref.null func))
    (data (i32.const 10) "hello")
    (data $later "later"))"#;

#[test]
fn a_module_with_everything() {
    for mapped in [true, false] {
        let world = World::new(mapped);
        let instance = world.plain(EVERYTHING);
        assert_eq!(read(&instance, 9, 7), b"\0hello\0");
        let b = instance.func(1).expect("b").as_ptr() as u64;
        let a = instance.func(0).expect("a").as_ptr() as u64;
        let table = instance.table(0).expect("table");
        let elems: Vec<_> = (0..5).map(|index| table.get(index)).collect();
        assert_eq!(elems, [Some(0), Some(a), Some(b), Some(0), None]);
        let word = |index| {
            // SAFETY: the global is the instance's.
            instance.global(index).map(|global| unsafe { global.as_ref() }.slots[0])
        };
        assert_eq!([word(0), word(1), word(2), word(3)], [Some(5), Some(42), Some(b), None]);
        assert_eq!(instance.custom_data(), 7);
        // SAFETY: the function is the instance's.
        let func = unsafe { instance.func(1).expect("b").as_ref() };
        assert_eq!((func.kind, func.type_id, func.func_index), (VmFuncKind::Wasm, 1, 1));
        assert!(
            instance.owns_func(func)
                && !instance.owns_func(ptr::from_ref(func).wrapping_byte_add(8))
        );
    }
}

/// A pace without checks.
fn free(_: usize) -> Result<(), Trap> {
    Ok(())
}

#[test]
fn segments_are_copied_and_dropped() {
    let world = World::new(true);
    let instance = world.plain(EVERYTHING);
    // Active segments were dropped after use, so only empty copies succeed.
    assert_eq!(instance.memory_init(0, 0, 0, 0, 1, &mut free), Err(Trap::MemoryOutOfBounds));
    assert_eq!(instance.memory_init(0, 0, 0, 0, 0, &mut free), Ok(()));
    assert_eq!(instance.table_init(0, 0, 0, 0, 1, &mut free), Err(Trap::TableOutOfBounds));
    assert_eq!(instance.memory_init(0, 1, 65531, 0, 5, &mut free), Ok(()));
    assert_eq!(read(&instance, 65531, 5), b"later");
    for (to, from, count) in
        [(65532, 0, 5), (0, 1, 5), (0, 6, 0), (u64::MAX, 0, 1), (0, 0, u32::MAX)]
    {
        let outcome = instance.memory_init(0, 1, to, from, count, &mut free);
        assert_eq!(outcome, Err(Trap::MemoryOutOfBounds));
    }
    assert_eq!(instance.table_init(0, 1, 2, 0, 2, &mut free), Ok(()));
    for (to, from, count) in [(3, 0, 2), (0, 1, 2), (5, 0, 0), (u32::MAX, 0, 1), (0, u32::MAX, 1)] {
        assert_eq!(
            instance.table_init(0, 1, to, from, count, &mut free),
            Err(Trap::TableOutOfBounds)
        );
    }
    instance.drop_data(1);
    instance.drop_elem(1);
    assert_eq!(instance.memory_init(0, 1, 0, 0, 1, &mut free), Err(Trap::MemoryOutOfBounds));
    assert_eq!(instance.table_init(0, 1, 0, 0, 1, &mut free), Err(Trap::TableOutOfBounds));
    assert_eq!(instance.memory_init(0, 99, 0, 0, 1, &mut free), Err(Trap::MemoryOutOfBounds));
    assert_eq!(instance.table_init(99, 1, 0, 0, 0, &mut free), Err(Trap::Internal));
}

#[test]
fn memories_grow_to_their_maximum_and_keep_their_bytes() {
    for mapped in [true, false] {
        let world = World::new(mapped);
        let host = Arc::new(TestHost::default());
        let limits = InstanceLimits { max_memory_pages: 5, ..Default::default() };
        let module = parse("(module (memory 1 7) (data (i32.const 0) \"abc\"))");
        let instance =
            world.make_with(&module, limits, host.clone(), &|_| Import::Nothing).expect("instance");
        let memory = instance.memory(0).expect("memory");
        let base = memory.base();
        assert_eq!((memory.pages(), memory.max_pages()), (1, 5));
        assert_eq!(memory.grow(0), Ok(1));
        assert_eq!(memory.grow(3), Ok(1));
        assert_eq!(memory.len_bytes(), 4 * PAGE_SIZE);
        assert!(!mapped || memory.base() == base);
        assert_eq!(read(&instance, 0, 4), b"abc\0");
        assert!(read(&instance, PAGE_SIZE as u64, 3 * PAGE_SIZE).iter().all(|&byte| byte == 0));
        assert_eq!(memory.grow_for(null_mut(), 2, &mut || Ok(())), Err(GrowError::Max));
        assert_eq!(memory.grow_for(null_mut(), u64::MAX, &mut || Ok(())), Err(GrowError::Max));
        assert_eq!(memory.grow_for(null_mut(), 1, &mut || Ok(())), Ok(4));
        assert_eq!(memory.grow(9), Err(GrowError::Max), "and nobody hears of it");
        let failures = host.failures.lock().expect("lock").clone();
        let bytes = 4 * PAGE_SIZE as u64;
        assert_eq!(failures, [(0, 2, bytes, GrowError::Max), (0, u64::MAX, bytes, GrowError::Max)]);
    }
}

#[test]
fn a_quota_counts_mapped_memory() {
    for mapped in [true, false] {
        let heap = Heap::new(HeapConfig::System, Some(200_000)).expect("heap");
        let pool = mapped.then(|| Arc::new(MemoryPool::new()));
        let world = World { source: MemorySource { pool, heap }, made: AtomicU32::new(0) };
        let instance = world.plain("(module (memory 2))");
        assert_eq!(instance.memory(0).expect("memory").grow(2), Err(GrowError::Exhausted));
        let second = world.make("(module (memory 2))", Default::default(), &|_| Import::Nothing);
        assert_eq!(error(second), "allocate linear memory failed");
        drop(instance);
        assert_eq!(world.source.heap.stats().live_bytes, 0);
    }
}

#[test]
fn tables_grow_to_their_maximum() {
    let world = World::new(true);
    let instance = world.plain(EVERYTHING);
    let table = instance.table(0).expect("table");
    let second = table.get(1);
    assert_eq!(table.grow(0, 9), Some(4));
    assert_eq!(table.grow(1, 9), Some(4));
    assert_eq!(table.grow(3, 8), Some(5));
    assert_eq!(table.grow(3, 8), None);
    assert_eq!(table.grow(u64::MAX, 8), None);
    assert_eq!(
        (table.len(), table.get(1), table.get(4), table.get(7)),
        (8, second, Some(9), Some(8))
    );
    assert_eq!((table.get(8), table.set(8, 1)), (None, false));
    let unlimited = instance.table(1).expect("table");
    assert_eq!(unlimited.grow(10_000_000 - 2, 0), Some(2));
    assert_eq!(unlimited.grow(1, 0), None);
}

#[test]
fn exceptions_and_words() {
    let world = World::new(true);
    let instance = world.plain("(module)");
    assert!(instance.exception_ptr().is_null() && !instance.has_exception());
    instance.raise(b"first");
    instance.raise(b"second");
    let (text, len) = instance.exception().expect("exception");
    assert_eq!(&text[..len], b"Exception: first");
    instance.clear_exception();
    assert!(instance.exception().is_none());
    instance.terminate();
    let (text, len) = instance.exception().expect("exception");
    assert_eq!(&text[..len], b"Exception: terminated by user");
    instance.slot(3).expect("slot").store(4, Ordering::Relaxed);
    assert!(instance.slot(SLOTS).is_none());
    assert!(instance.set_host_state(Box::new(5_u32)).is_ok());
    assert!(instance.set_host_state(Box::new(6_u32)).is_err());
    assert_eq!(instance.host_state().and_then(|state| state.downcast_ref()), Some(&5_u32));
}

mod collections;
mod heap;
mod linking;
