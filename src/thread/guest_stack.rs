//! A thread's stack in linear memory, for programs whose compiler put one there.
//!
//! Linkers give the place of the main stack by exporting `__heap_base` and `__data_end`; the first
//! mutable global that points below the heap is the stack pointer. A thread gets a block of the
//! same size from the allocator that serves the host, else a slice of the main stack.

use super::program::Program;
use crate::instance::{Instance, constant_export};
use crate::module::Module;
use std::ptr::NonNull;
use std::sync::atomic::Ordering;

/// A slice of the main stack is at least this long.
const SLICE_BYTES_MIN: u64 = 256;

/// Marks the number of a slice among addresses.
const SLICE: u64 = 1 << 63;

/// The main stack.
struct MainStack {
    /// Index of the stack pointer among all globals.
    pointer: u32,
    top: u64,
    bytes: u64,
}

impl MainStack {
    fn of(module: &Module) -> Option<Self> {
        let (_, heap_base) = constant_export(module, "__heap_base")?;
        let (_, data_end) = constant_export(module, "__data_end")?;
        if data_end > heap_base {
            return None;
        }
        let first = module.imported.globals as usize;
        module.globals.iter().enumerate().skip(first).find_map(|(index, global)| {
            let top = global.init.as_ref()?.single()?.as_address()?;
            let is_address = global.ty.val == module.address_type();
            let fits = global.ty.mutable && is_address && top <= heap_base;
            let bytes = if top > data_end { top - data_end } else { top };
            fits.then_some(Self { pointer: index as u32, top, bytes })
        })
    }
}

/// Gives `child` a stack, if its program needs one; false if there is no room.
///
/// # Safety
/// Both are live and used by this thread only; `home` is of the same program.
pub unsafe fn allocate(home: NonNull<Instance>, child: NonNull<Instance>) -> bool {
    // SAFETY: the caller guarantees that both are live and used by this thread only; `home` is of
    // the same program.
    unsafe {
        let (home, child) = (home.as_ref(), child.as_ref());
        let shares = child.memory(0).is_some_and(|memory| memory.shared().is_some());
        let Some(main) = MainStack::of(home.module()).filter(|main| shares && main.bytes > 0)
        else {
            return true;
        };
        // A heap that is too small is no news: there are slices.
        let block = match home.has_app_heap() {
            true => home.app_heap_alloc(main.bytes).ok(),
            false => home.host().guest_malloc(home, main.bytes),
        };
        let (word, top) = match block {
            // Stacks are aligned to 16 bytes.
            Some(address) => (address, (address + main.bytes) & !15),
            None => match slice(home, &main) {
                Some(found) => found,
                None => return false,
            },
        };
        child.guest_stack.store(word, Ordering::Relaxed);
        if let Some(mut pointer) = child.global(main.pointer) {
            pointer.as_mut().slots[0] = top;
        }
        true
    }
}

/// A free slice of the main stack: its mark, and its top.
fn slice(home: &Instance, main: &MainStack) -> Option<(u64, u64)> {
    let max = home.host().max_threads().min(u64::BITS - 1) as u64;
    let bytes = (main.bytes / (max + 1)) & !15;
    if bytes < SLICE_BYTES_MIN {
        return None;
    }
    let mut slices = Program::of(home.cluster_or_init())?.slices.lock();
    let free = (0..max).find(|&index| *slices & (1 << index) == 0)?;
    *slices |= 1 << free;
    Some((SLICE | free, (main.top & !15) - bytes * (free + 1)))
}

/// Frees a stack of [`allocate`]. The guest's own `free` may run for it.
///
/// # Safety
/// `child` is live and used by this thread only.
pub unsafe fn free(child: NonNull<Instance>) {
    // SAFETY: the caller guarantees that `child` is live and used by this thread only.
    let child = unsafe { child.as_ref() };
    let word = child.guest_stack.swap(0, Ordering::Relaxed);
    if word & SLICE != 0 {
        if let Some(program) = child.cluster().and_then(|cluster| Program::of(cluster)) {
            *program.slices.lock() &= !(1 << (word & !SLICE));
        }
    } else if word != 0 && !child.has_exception() {
        // A guest that was stopped runs no more code, not even this.
        child.host().guest_free(child, word);
    }
}
