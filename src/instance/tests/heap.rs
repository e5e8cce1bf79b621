use super::*;

const HEAP: InstanceLimits =
    InstanceLimits { stack_bytes: 0, heap_bytes: 8001, max_memory_pages: 0 };

fn with_heap(world: &World, wat: &str, heap_bytes: u32) -> crate::abi::error::Result<Owned> {
    let limits = InstanceLimits { heap_bytes, ..HEAP };
    world.make(wat, limits, &|_| Import::Nothing)
}

/// Allocates until nothing is left; returns the lowest address and how many bytes there were.
fn exhaust(instance: &Instance) -> (u64, u64) {
    let (mut lowest, mut bytes) = (u64::MAX, 0);
    while let Ok(address) = instance.app_heap_alloc(248) {
        lowest = lowest.min(address);
        bytes += 256;
        assert!(address + 248 <= instance.memory(0).expect("memory").len_bytes() as u64);
    }
    (lowest, bytes)
}

#[test]
fn one_page_gets_the_heap_behind_it() {
    let world = World::new(true);
    let instance = with_heap(&world, "(module (memory 1 1))", 8001).expect("instance");
    let memory = instance.memory(0).expect("memory");
    assert_eq!(memory.len_bytes(), PAGE_SIZE + 8008);
    assert_eq!((memory.pages(), memory.max_pages()), (1, 1));
    assert_eq!(memory.page_bytes(), PAGE_SIZE as u64 + 8008);
    let (lowest, bytes) = exhaust(&instance);
    assert!(lowest > PAGE_SIZE as u64 && bytes > 7500);
}

#[test]
fn no_page_becomes_the_heap() {
    let world = World::new(false);
    let instance = with_heap(&world, "(module (memory 0 0))", 4096).expect("instance");
    let memory = instance.memory(0).expect("memory");
    assert_eq!((memory.len_bytes(), memory.pages(), memory.max_pages()), (4096, 1, 1));
    assert!(exhaust(&instance).1 >= 4096 - 256);
}

#[test]
fn growing_memories_get_new_pages() {
    let world = World::new(true);
    let instance = with_heap(&world, "(module (memory 2 4))", 8001).expect("instance");
    let memory = instance.memory(0).expect("memory");
    assert_eq!((memory.pages(), memory.max_pages()), (3, 5));
    let (lowest, bytes) = exhaust(&instance);
    assert!(lowest > 2 * PAGE_SIZE as u64 && bytes > PAGE_SIZE as u64 - 2048);
    assert_eq!(memory.grow(2), Ok(3));
    assert!(instance.app_heap_free(lowest));
    assert_eq!(instance.app_heap_alloc(248), Ok(lowest));
    assert!(!instance.app_heap_free(0));
}

#[test]
fn the_guests_heap_moves_up() {
    let world = World::new(true);
    let guest = |base: u32| {
        format!(
            "(module (memory 2) (global (export \"__data_end\") i32 (i32.const 1000))
               (global (export \"__heap_base\") i32 (i32.const {base})))"
        )
    };
    for (base, heap, pages, new_base) in [
        // The rest of a page holds the heap.
        (65536 + 1024, 8000, 2, 65536 + 1024 + 8000),
        // It does not.
        (131072 - 4096, 8192, 3, 131072 + 4096),
        // It does, but the rest of the page is too small for the guest.
        (131072 - 8192 - 1000, 8192, 3, 131072 - 1000 + 1024),
    ] {
        let instance = with_heap(&world, &guest(base), heap).expect("instance");
        let memory = instance.memory(0).expect("memory");
        assert_eq!((memory.pages(), memory.max_pages()), (pages, 65536));
        // SAFETY: the global is the instance's.
        let global = unsafe { instance.global(1).expect("global").as_ref() };
        assert_eq!(global.slots[0], new_base);
        let (lowest, bytes) = exhaust(&instance);
        assert!(lowest >= base as u64 && bytes > heap as u64 - 600);
    }
    // A base beyond the memory means nothing.
    let instance = with_heap(&world, &guest(200_000), 4096).expect("instance");
    assert_eq!(instance.memory(0).expect("memory").pages(), 3);
}

#[test]
fn guests_with_an_allocator_get_no_heap() {
    let world = World::new(true);
    for wat in [
        r#"(module (memory 1) (func (export "malloc") (param i32) (result i32) i32.const 0)
             (func (export "free") (param i32)))"#,
        r#"(module (memory 1) (func (export "__new") (param i32 i32) (result i32) i32.const 0)
             (func (export "__pin") (param i32) (result i32) i32.const 0)
             (func (export "__unpin") (param i32)))"#,
    ] {
        let instance = with_heap(&world, wat, 8192).expect("instance");
        assert!(!instance.has_app_heap());
        assert_eq!(instance.memory(0).expect("memory").pages(), 1);
        assert!(GuestAllocator::of(instance.module()).is_some());
    }
    let half =
        r#"(module (memory 1) (func (export "malloc") (param i32) (result i32) i32.const 0))"#;
    assert!(with_heap(&world, half, 8192).expect("instance").has_app_heap());
}

#[test]
fn heaps_that_do_not_fit() {
    let world = World::new(true);
    let message = "failed to insert app heap into linear memory, try using `--heap-size=0` option";
    assert_eq!(error(with_heap(&world, "(module (memory 65536))", 8)), message);
    assert_eq!(error(with_heap(&world, "(module (memory 65535))", 70000)), message);
    let small = with_heap(&world, "(module (memory 1 1))", 8);
    assert_eq!(error(small), "init app heap failed");
    assert!(!with_heap(&world, "(module)", 8192).expect("instance").has_app_heap());
    assert!(!with_heap(&world, "(module (memory 1))", 0).expect("instance").has_app_heap());
}

#[test]
fn corruption_is_reported() {
    let world = World::new(true);
    let instance = with_heap(&world, "(module (memory 1 1))", 8192).expect("instance");
    let block = instance.app_heap_alloc(16).expect("block");
    let memory = instance.memory(0).expect("memory");
    // The guest runs over the end of its block.
    let at = memory.range(block, 64).expect("in range");
    // SAFETY: `range` found the bytes.
    unsafe { ptr::write_bytes(at, 0x41, 64) };
    assert_eq!(instance.app_heap_alloc(16), Err(AppHeapError::Corrupt));
    assert_eq!(instance.app_heap_alloc(16), Err(AppHeapError::Corrupt));
}
