//! The shared heaps of one context, their chains and their attachments.

use super::super::Instance;
use super::{ADDRESSES_32, Refusal, SharedHeap};
use crate::alloc::fallible;
use crate::sync::Lock;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// All shared heaps of a context. Owner: the context.
///
/// A heap is named by its address, which is looked up before it is used: one that is no heap of
/// this table is refused.
#[derive(Default)]
pub struct SharedHeaps(Lock<Vec<Arc<SharedHeap>>>);

fn find(list: &[Arc<SharedHeap>], heap: *const SharedHeap) -> Result<&Arc<SharedHeap>, Refusal> {
    list.iter().find(|known| ptr::eq(Arc::as_ptr(known), heap)).ok_or(Refusal::Foreign)
}

/// Whether some chain that is attached has this heap in it.
fn in_use(list: &[Arc<SharedHeap>], heap: &SharedHeap) -> bool {
    let mut heads = list.iter().filter(|head| head.attached.load(Ordering::Acquire) > 0);
    heads.any(|head| head.chain().any(|member| ptr::eq(member, heap)))
}

/// Takes the heap behind `head` off it.
fn cut(head: &SharedHeap) -> Option<Arc<SharedHeap>> {
    let next = head.next.swap(ptr::null_mut(), Ordering::AcqRel);
    head.depth.store(head.len as u64, Ordering::Relaxed);
    // SAFETY: a pointer in `next` holds a count, which is taken over here.
    (!next.is_null()).then(|| unsafe { Arc::from_raw(next.cast_const()) })
}

impl SharedHeaps {
    /// Adds a heap; false if memory ran out.
    pub fn add(&self, heap: &Arc<SharedHeap>) -> bool {
        let mut list = self.0.lock();
        let room = fallible(|| list.try_reserve(1)).is_ok();
        if room {
            list.push(heap.clone());
        }
        room
    }

    pub fn find(&self, heap: *const SharedHeap) -> Option<Arc<SharedHeap>> {
        find(&self.0.lock(), heap).ok().cloned()
    }

    /// Lets go of all heaps and says how many there were. Those that are attached live on.
    pub fn clear(&self) -> usize {
        let list = std::mem::take(&mut *self.0.lock());
        list.len()
    }

    /// Puts `head` in front of the chain that starts with `body`.
    pub fn chain(&self, head: *const SharedHeap, body: *const SharedHeap) -> Result<(), Refusal> {
        let list = self.0.lock();
        let (head, body) = (find(&list, head)?, find(&list, body)?);
        if Arc::ptr_eq(head, body) {
            return Err(Refusal::Invalid);
        }
        if in_use(&list, head) || in_use(&list, body) {
            return Err(Refusal::ChainAttached);
        }
        let behind_some = |heap: &Arc<SharedHeap>| {
            let address = Arc::as_ptr(heap).cast_mut();
            list.iter().any(|other| other.next.load(Ordering::Relaxed) == address)
        };
        if behind_some(head) || behind_some(body) {
            return Err(Refusal::AlreadyBody);
        }
        if !head.next.load(Ordering::Relaxed).is_null() {
            return Err(Refusal::AlreadyHead);
        }
        if head.managed.is_some() && body.managed().is_some() {
            return Err(Refusal::TwoManaged);
        }
        let depth = body.depth.load(Ordering::Relaxed) + head.len as u64;
        if depth > ADDRESSES_32 {
            return Err(Refusal::Invalid);
        }
        head.depth.store(depth, Ordering::Relaxed);
        head.next.store(Arc::into_raw(body.clone()).cast_mut(), Ordering::Release);
        Ok(())
    }

    /// Takes `head` off its chain and returns the heap behind it.
    pub fn unchain_head(&self, head: *const SharedHeap) -> Result<Arc<SharedHeap>, Refusal> {
        let list = self.0.lock();
        cut(chained(&list, head)?).ok_or(Refusal::NoChain)
    }

    /// Takes the chain that starts with `head` apart and returns its last heap.
    pub fn unchain_all(&self, head: *const SharedHeap) -> Result<Arc<SharedHeap>, Refusal> {
        let list = self.0.lock();
        let mut last = chained(&list, head)?.clone();
        while let Some(next) = cut(&last) {
            last = next;
        }
        Ok(last)
    }

    /// Makes all heaps of the chain that starts with `head` as they were when they were made.
    pub fn reset(&self, head: *const SharedHeap) -> Result<(), Refusal> {
        let list = self.0.lock();
        let head = find(&list, head)?;
        if head.chain().any(|heap| in_use(&list, heap)) {
            return Err(Refusal::ResetAttached);
        }
        head.chain().try_for_each(SharedHeap::reset)
    }

    /// Makes the chain that starts with `head` reachable for `instance`.
    pub fn attach(&self, instance: &Instance, head: *const SharedHeap) -> Result<(), Refusal> {
        let list = self.0.lock();
        let head = find(&list, head)?;
        let memory = instance.memory(0).ok_or(Refusal::NoMemory)?;
        if memory.len_bytes() as u64 > head.start(memory.ty()) {
            return Err(Refusal::Overlap);
        }
        // First, so that an attached heap is never seen without it.
        head.attached.fetch_add(1, Ordering::AcqRel);
        instance.set_shared_heap(head.clone()).map_err(|heap| {
            SharedHeap::detached(heap);
            Refusal::AlreadyAttached
        })
    }
}

/// The heap `head`, if others are behind it and none of them is attached.
fn chained(list: &[Arc<SharedHeap>], head: *const SharedHeap) -> Result<&Arc<SharedHeap>, Refusal> {
    let head = find(list, head)?;
    if head.next.load(Ordering::Relaxed).is_null() {
        return Err(Refusal::NoChain);
    }
    match head.chain().any(|heap| in_use(list, heap)) {
        true => Err(Refusal::UnchainAttached),
        false => Ok(head),
    }
}
