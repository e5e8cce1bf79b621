use crate::alloc::heap::Backend;
use crate::alloc::tests::helpers::{Buffer, Random, fill, intact};
use crate::alloc::{Heap, HeapConfig, HeapError, HeapRef, PoolBuffer};

fn pool(buffer: &mut Buffer) -> HeapRef {
    Heap::new(HeapConfig::Pool(buffer.lend()), None).unwrap()
}

fn check(heap: &Heap) {
    match &heap.backend {
        Backend::Pool(pool) => pool.check(),
        _ => panic!("not a pool"),
    }
}

#[test]
fn the_smallest_pool_works() {
    let mut buffer = Buffer::new(256);
    let heap = pool(&mut buffer);
    let info = heap.pool_info().unwrap();
    assert_eq!((info.total, info.free, info.highmark), (240, 240, 0));
    let block = heap.alloc(224, 16);
    assert!(buffer.contains(block, 224));
    assert!(heap.alloc(1, 1).is_null());
    assert_eq!(heap.pool_info().unwrap().free, 0);
    // SAFETY: a live block, not used again.
    assert!(unsafe { Heap::free(block) });
    let info = heap.pool_info().unwrap();
    assert_eq!((info.free, info.highmark), (240, 240));
    check(&heap);
}

#[test]
fn bad_buffers_are_refused() {
    let mut bytes = [0u8; 300];
    // SAFETY: the bytes outlive every use.
    unsafe {
        assert!(PoolBuffer::new(std::ptr::null_mut(), 4096).is_err());
        assert!(PoolBuffer::new(bytes.as_mut_ptr(), 255).is_err());
        assert!(PoolBuffer::new(bytes.as_mut_ptr(), 256).is_ok());
    }
    let failing = |inner| HeapConfig::Failing {
        inner: Box::new(inner),
        rule: crate::alloc::FailRule::Once(1),
    };
    let twice = Heap::new(failing(failing(HeapConfig::System)), None);
    assert_eq!(twice.err(), Some(HeapError::NestedFailing));
}

#[test]
fn a_buffer_goes_to_one_heap_and_stays_known() {
    let (mut buffer, mut other) = (Buffer::new(512), Buffer::new(512));
    let mut config = HeapConfig::Pool(buffer.lend());
    let heap = Heap::new(config.take(), None).unwrap();
    // SAFETY: the same place, of which no heap is made.
    let same = unsafe { PoolBuffer::new(buffer.start(), 512) };
    assert_eq!(config, HeapConfig::Pool(same.unwrap()));
    assert_ne!(config, HeapConfig::Pool(other.lend()));
    assert_ne!(config, HeapConfig::System);
    assert_eq!(config.take(), config, "taken twice");
    assert_eq!(Heap::new(config, None).err(), Some(HeapError::Made));
    check(&heap);
}

#[test]
fn only_a_few_words_of_the_buffer_are_written_at_first() {
    let mut buffer = Buffer::new(1 << 20);
    let heap = pool(&mut buffer);
    let untouched = buffer.bytes()[64..(1 << 20) - 64].iter().all(|&byte| byte == Buffer::FRESH);
    assert!(untouched);
    drop(heap);
}

#[test]
fn any_start_address_will_do() {
    for shift in 0..17 {
        let buffer = Buffer::new(512);
        // SAFETY: the buffer outlives the heap and nobody else uses it.
        let lent = unsafe { PoolBuffer::new(buffer.start().add(shift), 512 - shift) };
        let heap = Heap::new(HeapConfig::Pool(lent.unwrap()), None).unwrap();
        let block = heap.alloc(100, 64);
        assert!((block as usize).is_multiple_of(64));
        assert!(buffer.contains(block, 100));
        check(&heap);
        // SAFETY: live, not used again.
        assert!(unsafe { Heap::free(block) });
    }
}

#[test]
fn one_large_block_is_found_though_its_class_is_mixed() {
    let mut buffer = Buffer::new(256 * 1024);
    let heap = pool(&mut buffer);
    let free = heap.pool_info().unwrap().free;
    let block = heap.alloc(free - 16, 16);
    assert!(!block.is_null());
    // SAFETY: live, not used again.
    assert!(unsafe { Heap::free(block) });
    assert!(heap.alloc(free - 15, 16).is_null());
    assert!(heap.alloc(usize::MAX, 16).is_null());
    assert!(heap.alloc(100, 1 << 30).is_null());
    assert!(heap.alloc(100, 3).is_null());
}

#[test]
fn resizing_stays_in_place_where_it_can() {
    let mut buffer = Buffer::new(4096);
    let heap = pool(&mut buffer);
    // SAFETY: all blocks are live when they are used.
    unsafe {
        let first = heap.alloc(100, 16);
        fill(first, 100);
        assert_eq!(Heap::realloc(first, 1000), first);
        assert!(intact(first, 100));
        assert_eq!(Heap::realloc(first, 100), first);
        check(&heap);
        let second = heap.alloc(100, 16);
        assert!((second as usize) < first as usize + 200, "the rest was given back");
        // The neighbour is in the way now.
        let moved = Heap::realloc(first, 1000);
        assert_ne!(moved, first);
        assert!(intact(moved, 100));
        check(&heap);
        assert!(Heap::realloc(moved, 1 << 20).is_null());
        assert!(intact(moved, 100));
        assert!(Heap::free(moved));
        assert!(Heap::free(second));
    }
    let info = heap.pool_info().unwrap();
    assert_eq!(info.free, info.total);
}

#[test]
fn wrong_frees_are_refused() {
    let mut buffer = Buffer::new(4096);
    let heap = pool(&mut buffer);
    let mut other = [0u64; 64];
    // SAFETY: every pointer is null or has readable bytes before it.
    unsafe {
        let block = heap.alloc(100, 16);
        let near = heap.alloc(100, 16);
        block.write_bytes(0x5a, 100);
        let stats = heap.stats();
        assert!(!Heap::free(std::ptr::null_mut()));
        for distance in [1, 8, 16, 32] {
            assert!(!Heap::free(block.add(distance)), "{distance}");
            assert!(Heap::realloc(block.add(distance), 10).is_null());
        }
        assert!(!Heap::free(other.as_mut_ptr().add(32).cast()));
        assert_eq!(heap.stats(), stats);
        assert!(Heap::free(block));
        assert!(!Heap::free(block));
        assert!(Heap::free(near));
        assert!(!Heap::free(block));
        assert!(!Heap::free(near));
    }
    check(&heap);
    assert_eq!(heap.stats().live_blocks, 0);
}

#[test]
fn an_overrun_is_noticed_not_followed() {
    let mut buffer = Buffer::new(4096);
    let heap = pool(&mut buffer);
    // SAFETY: all writes stay within the buffer; the blocks are live.
    unsafe {
        let blocks: Vec<_> = (0..4).map(|_| heap.alloc(48, 16)).collect();
        assert!(Heap::free(blocks[1]));
        // Over the header, links and length of the free block after it.
        blocks[0].write_bytes(0xff, 48 + 64);
        assert!(!Heap::free(blocks[0]));
        assert!(!Heap::free(blocks[2]));
        assert!(heap.alloc(48, 16).is_null());
        // Blocks elsewhere go on working.
        assert!(Heap::free(blocks[3]));
        let last = heap.alloc(500, 16);
        assert!(!last.is_null());
        // Over the header of a live one.
        blocks[0].write_bytes(0xff, 48 + 64 + 16);
        assert!(!Heap::free(blocks[2]));
        let leak = heap.retire();
        assert_eq!((leak.live_blocks, leak.live_bytes), (3, 48 + 48 + 500));
        drop(heap);
        assert!(!Heap::free(last), "blocks beyond the damage were found");
    }
}

#[test]
fn a_random_run_agrees_with_a_model() {
    let rounds = if cfg!(miri) { 300 } else { 60_000 };
    for (len, seed) in [(4096, 1), (64 * 1024, 2), (1 << 20, 3)] {
        random_run(len, seed, rounds);
    }
}

/// The pool's expected contents.
struct Model {
    heap: HeapRef,
    random: Random,
    /// Live blocks and their sizes.
    blocks: Vec<(*mut u8, usize)>,
    bytes: usize,
    refused: usize,
}

impl Model {
    fn alloc(&mut self, buffer: &Buffer, size: usize) {
        let wide = self.random.below(4) == 0;
        let align = 1 << self.random.below(if wide { 9 } else { 5 });
        let block = self.heap.alloc(size, align);
        if block.is_null() {
            self.refused += 1;
            return;
        }
        assert!((block as usize).is_multiple_of(align.max(16)));
        assert!(buffer.contains(block, size));
        // SAFETY: the block is fresh and `size` bytes long.
        unsafe { fill(block, size) };
        self.blocks.push((block, size));
        self.bytes += size;
    }

    fn resize(&mut self, at: usize, size: usize) {
        let (block, old) = self.blocks[at];
        // SAFETY: the block is live and `old` bytes long, its successor `size`.
        unsafe {
            let new = Heap::realloc(block, size);
            if new.is_null() {
                self.refused += 1;
                assert!(intact(block, old));
                return;
            }
            assert!(intact(new, old.min(size)));
            fill(new, size);
            self.blocks[at] = (new, size);
        }
        self.bytes = self.bytes - old + size;
    }

    fn free(&mut self, at: usize) {
        let (block, size) = self.blocks.swap_remove(at);
        // SAFETY: live up to the first free; the second has a readable header to refuse.
        unsafe {
            assert!(intact(block, size));
            assert!(Heap::free(block));
            assert!(!Heap::free(block));
        }
        self.bytes -= size;
    }
}

fn random_run(len: usize, seed: u64, rounds: usize) {
    let mut buffer = Buffer::new(len);
    let heap = pool(&mut buffer);
    let random = Random::new(seed);
    let mut model = Model { heap, random, blocks: Vec::new(), bytes: 0, refused: 0 };
    let mut peak = 0;
    for round in 0..rounds {
        let size = model.random.size(len / 8);
        let at = model.random.below(model.blocks.len().max(1));
        match model.random.below(8) {
            0..4 => model.alloc(&buffer, size),
            4 if at < model.blocks.len() => model.resize(at, size),
            _ if at < model.blocks.len() => model.free(at),
            _ => {}
        }
        peak = peak.max(model.bytes);
        let stats = model.heap.stats();
        assert_eq!(stats.live_bytes, model.bytes as u64);
        assert_eq!(stats.live_blocks, model.blocks.len() as u64);
        // Moving a block needs both places for a moment.
        assert!(stats.peak_bytes >= peak as u64);
        if round % 64 == 0 {
            check(&model.heap);
        }
    }
    assert!(cfg!(miri) || model.refused > 0, "the pool was never full");
    while !model.blocks.is_empty() {
        model.free(0);
    }
    check(&model.heap);
    let info = model.heap.pool_info().unwrap();
    assert_eq!(info.free, info.total);
    assert!(info.highmark <= info.total && info.highmark >= peak);
}
