use super::*;

const START: u64 = 64;

struct Fixture {
    memory: Vec<u8>,
    heap: AppHeap,
}

impl Fixture {
    fn new(bytes: u64) -> Self {
        let mut memory = vec![0xa5; START as usize + bytes as usize + 16];
        // SAFETY: the heap lies within `memory`, which never moves.
        let heap = unsafe { AppHeap::new(memory.as_mut_ptr(), START, bytes) }.expect("heap");
        Self { memory, heap }
    }

    fn alloc(&mut self, size: u64) -> HeapResult<u64> {
        // SAFETY: the heap lies within `memory`, which never moves.
        let address = unsafe { self.heap.alloc(self.memory.as_mut_ptr(), size) }?;
        assert!(address >= START && address.is_multiple_of(8));
        assert!(address + size <= START + self.heap.len as u64);
        Ok(address)
    }

    fn free(&mut self, address: u64) {
        // SAFETY: the heap lies within `memory`, which never moves.
        unsafe { self.heap.free(self.memory.as_mut_ptr(), address) }
    }

    /// The bytes around the heap must never change.
    fn check_fence(&self) {
        let end = START as usize + self.heap.len as usize;
        assert!(self.memory[..START as usize].iter().all(|&byte| byte == 0xa5));
        assert!(self.memory[end..].iter().all(|&byte| byte == 0xa5));
    }
}

/// A small generator, so that failures repeat.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
fn blocks_are_distinct_and_merge_again() {
    let mut f = Fixture::new(64 << 10);
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut live: Vec<(u64, u64, u8)> = Vec::new();
    for round in 0..20_000_u64 {
        if random.below(5) < 3 {
            let size = if random.below(10) == 0 { random.below(8000) } else { random.below(120) };
            if let Ok(address) = f.alloc(size) {
                let mark = round as u8;
                let range = address as usize..(address + size) as usize;
                f.memory[range].fill(mark);
                live.push((address, size, mark));
            }
        } else if !live.is_empty() {
            let (address, size, mark) = live.swap_remove(random.below(live.len() as u64) as usize);
            let range = address as usize..(address + size) as usize;
            assert!(f.memory[range].iter().all(|&byte| byte == mark));
            f.free(address);
        }
        assert!(!f.heap.is_corrupt());
    }
    for (address, ..) in live {
        f.free(address);
    }
    f.check_fence();
    // Everything merged: the whole heap is one block again.
    assert_eq!(f.alloc((64 << 10) - HEADER as u64), Ok(START + HEADER as u64));
    assert_eq!(f.alloc(0), Err(AppHeapError::Exhausted));
}

#[test]
fn sizes_at_the_edge() {
    let mut f = Fixture::new(256);
    let empty = f.alloc(0).expect("a block for nothing");
    f.free(empty);
    for size in [u64::MAX, u64::MAX - 7, u32::MAX as u64, 257, 249] {
        assert_eq!(f.alloc(size), Err(AppHeapError::Exhausted));
    }
    assert_eq!(f.alloc(248), Ok(START + 8));
    let mut memory = [0; 256];
    // SAFETY: the heap would lie within `memory`.
    assert!(unsafe { AppHeap::new(memory.as_mut_ptr(), 0, 255) }.is_none());
}

#[test]
fn frees_of_anything_else_are_ignored() {
    let mut f = Fixture::new(4096);
    let block = f.alloc(100).expect("block");
    for address in [0, 1, START, START + 1, block + 8, block + 4, START + 4096, u64::MAX] {
        f.free(address);
    }
    f.free(block);
    f.free(block);
    assert!(!f.heap.is_corrupt());
    assert_eq!(f.alloc(4088), Ok(block));
}

#[test]
fn overwritten_headers_are_found_and_hurt_nobody() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut found = 0;
    for _ in 0..3000 {
        let mut f = Fixture::new(2048);
        let blocks: Vec<_> = (0..12).filter_map(|i| f.alloc(i * 11).ok()).collect();
        blocks.iter().step_by(3).for_each(|&block| f.free(block));
        for _ in 0..=random.below(6) {
            let at = START as usize + random.below(2048) as usize;
            f.memory[at] = random.below(256) as u8;
        }
        for &block in &blocks {
            f.free(block);
            let size = random.below(300);
            // Addresses may be wrong now, but they stay in the heap.
            // SAFETY: the heap lies within `memory`, which never moves.
            let got = unsafe { f.heap.alloc(f.memory.as_mut_ptr(), size) };
            assert!(got.is_err() || got.is_ok_and(|address| f.heap.contains(address)));
        }
        found += f.heap.is_corrupt() as u32;
        f.check_fence();
    }
    assert!(found > 300, "corruption was found {found} times only");
}

#[test]
fn a_ring_of_free_blocks_ends() {
    let mut f = Fixture::new(4096);
    let blocks: Vec<_> = (0..8).filter_map(|_| f.alloc(64).ok()).collect();
    blocks.iter().step_by(2).for_each(|&block| f.free(block));
    let first = (blocks[0] - START) as u32 - HEADER;
    let head = f.heap.heads[class_of(72)];
    // The last of the list points back to its head.
    let link = (START + (first + HEADER) as u64) as usize;
    f.memory[link..link + 4].copy_from_slice(&head.to_le_bytes());
    assert_eq!(f.alloc(110), Err(AppHeapError::Corrupt));
    assert_eq!(f.alloc(8), Err(AppHeapError::Corrupt));
}
