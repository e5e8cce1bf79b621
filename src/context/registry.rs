//! The list of open contexts, and which of them is the primary.
//!
//! A context is *open* while the handle-free API can find it: from its making until its init count
//! falls to zero (`init`), or until its last handle goes (`Context::with`). A closed context lives
//! on for as long as objects hold it, but no call without a handle finds it any more.
//!
//! The first context to be opened while none is open is the primary until it closes. Then there is
//! none until all contexts have closed, so that a thread never changes context unawares.
//!
//! Contexts that were made by `init` are held by a *token*, a strong handle kept here with their
//! init count. Everything under the lock is plain bookkeeping: nothing is dropped, logged or called
//! there that could come back here. Entries taken out of the table are returned.

use super::shared::{Shared, Weak};
use crate::alloc;
use crate::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use crate::sync::{Lock, LockGuard};

/// A context's position in the list, and whether it is open. Owner: the context.
pub(crate) struct ListPosition {
    /// Written under the registry's lock before any other thread can know the context.
    slot: AtomicU32,
    /// Written with `slot`. Grows with time, so it orders the list; 0 before it is listed.
    id: AtomicU64,
    open: AtomicBool,
}

impl ListPosition {
    pub(crate) fn new() -> Self {
        Self { slot: AtomicU32::new(NO_SLOT), id: AtomicU64::new(0), open: AtomicBool::new(false) }
    }

    /// The context's number: no two contexts of a process have the same.
    pub(crate) fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    /// Whether the handle-free API may resolve to the context. A hint unless the lock is held.
    pub(crate) fn is_open(&self) -> bool {
        self.open.load(Ordering::Acquire)
    }
}

/// A member of the list: a context.
pub(crate) trait Member {
    fn position(&self) -> &ListPosition;

    /// Forgets other threads, whose records are stale.
    fn drop_stale(&self) {}
}

/// The state of a context whose init count was lowered.
pub(crate) enum Release<T> {
    /// It had no count.
    Surplus,
    /// Other inits keep it open.
    Counted,
    /// That was the last count of a context with handles of its own; here is the token.
    Handed(Shared<T>),
    /// That was the last count: the context is closed. Here is the token.
    Closed(Shared<T>),
}

/// How a context was opened, which decides when it closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Made by `init`: open while it is counted.
    Init,
    /// Made by `Context::with`: open while it has handles.
    Handle,
}

/// The list. Owner: the process (tests make their own).
pub(crate) struct Registry<T> {
    table: Lock<ListSlots<T>>,
    /// Grows whenever the primary changes, so that threads can remember it.
    generation: AtomicU64,
    /// Number of open contexts.
    open: AtomicUsize,
}

struct ListSlots<T> {
    /// The last one is in use, so that the list gets shorter again.
    slots: Vec<Option<Listed<T>>>,
    /// No slot before this one is free.
    free_from: usize,
    last_id: u64,
    open: usize,
    primary: u32,
}

struct Listed<T> {
    origin: Origin,
    member: Weak<T>,
    inits: u64,
    token: Option<Shared<T>>,
}

const NO_SLOT: u32 = u32::MAX;

/// Free slots that the list may keep.
const SPARE_SLOTS: usize = 64;

impl<T> ListSlots<T> {
    fn new() -> Self {
        Self { slots: Vec::new(), free_from: 0, last_id: 0, open: 0, primary: NO_SLOT }
    }

    fn entry(&mut self, slot: u32) -> Option<&mut Listed<T>> {
        self.slots.get_mut(slot as usize)?.as_mut()
    }

    /// A place for an entry, the first that is free; `None` without memory for one.
    fn insert(&mut self, entry: Listed<T>) -> Option<u32> {
        if self.open < self.slots.len() {
            let rest = self.slots.get_mut(self.free_from..)?;
            let offset = rest.iter().position(Option::is_none)?;
            rest[offset] = Some(entry);
            let slot = self.free_from + offset;
            self.free_from = slot + 1;
            return u32::try_from(slot).ok();
        }
        let slot = u32::try_from(self.slots.len()).ok().filter(|&slot| slot != NO_SLOT)?;
        // The list belongs to the process: no heap pays for it.
        alloc::outside(|| self.slots.try_reserve(1)).ok()?;
        self.slots.push(Some(entry));
        self.free_from = self.slots.len();
        Some(slot)
    }

    fn remove(&mut self, slot: u32) -> Option<Listed<T>> {
        let entry = self.slots.get_mut(slot as usize)?.take()?;
        self.free_from = self.free_from.min(slot as usize);
        while let Some(None) = self.slots.last() {
            self.slots.pop();
        }
        if self.slots.capacity() > 4 * self.slots.len() + SPARE_SLOTS {
            self.shrink();
        }
        Some(entry)
    }

    /// Gives memory back; without memory for a smaller list, the larger one stays.
    fn shrink(&mut self) {
        alloc::outside(|| {
            let mut smaller = Vec::new();
            if smaller.try_reserve_exact(2 * self.slots.len()).is_ok() {
                smaller.append(&mut self.slots);
                self.slots = smaller;
            }
        });
    }
}

impl<T: Member> Registry<T> {
    pub(crate) fn new() -> Self {
        Self {
            table: Lock::new(ListSlots::new()),
            generation: AtomicU64::new(1),
            open: AtomicUsize::new(0),
        }
    }

    fn lock(&self) -> LockGuard<'_, ListSlots<T>> {
        self.table.lock()
    }

    /// Lists a new context; with [`Origin::Init`] it gets a token and an init count of one.
    /// Returns whether it is the primary, or `None` without memory for the entry.
    pub(crate) fn open(&self, member: &Shared<T>, origin: Origin) -> Option<bool> {
        let token = (origin == Origin::Init).then(|| member.clone());
        let inits = u64::from(token.is_some());
        let mut table = self.lock();
        let entry = Listed { origin, member: member.downgrade(), inits, token };
        // A refused entry is dropped here, under the lock, but the caller still holds a handle.
        let slot = table.insert(entry)?;
        table.last_id += 1;
        let is_primary = table.open == 0;
        if is_primary {
            table.primary = slot;
            self.generation.fetch_add(1, Ordering::Release);
        }
        table.open += 1;
        self.open.store(table.open, Ordering::Release);
        let position = member.position();
        position.slot.store(slot, Ordering::Relaxed);
        position.id.store(table.last_id, Ordering::Relaxed);
        position.open.store(true, Ordering::Release);
        Some(is_primary)
    }

    /// Raises the init count of an open context; false if it is closed.
    pub(crate) fn count(&self, member: &Shared<T>) -> bool {
        let mut table = self.lock();
        let position = member.position();
        if !position.is_open() {
            return false;
        }
        let Some(entry) = table.entry(position.slot.load(Ordering::Relaxed)) else {
            return false;
        };
        entry.inits += 1;
        entry.token.get_or_insert_with(|| member.clone());
        true
    }

    /// Lowers the init count of `member` by `count`.
    pub(crate) fn release(&self, member: &Shared<T>, count: u64) -> Release<T> {
        let mut table = self.lock();
        if !member.position().is_open() {
            return Release::Surplus;
        }
        let slot = member.position().slot.load(Ordering::Relaxed);
        self.lower(&mut table, slot, count)
    }

    /// Lowers the primary's init count by one.
    pub(crate) fn release_primary(&self) -> Release<T> {
        let mut table = self.lock();
        let slot = table.primary;
        self.lower(&mut table, slot, 1)
    }

    fn lower(&self, table: &mut ListSlots<T>, slot: u32, count: u64) -> Release<T> {
        let Some(entry) = table.entry(slot) else { return Release::Surplus };
        if entry.inits == 0 {
            return Release::Surplus;
        }
        entry.inits = entry.inits.saturating_sub(count);
        if entry.inits > 0 {
            return Release::Counted;
        }
        let origin = entry.origin;
        let Some(token) = entry.token.take() else { return Release::Surplus };
        if origin == Origin::Handle {
            return Release::Handed(token);
        }
        self.remove(table, slot, token.position());
        Release::Closed(token)
    }

    /// Takes a context off the list, with any count. Returns its token, if it has one.
    ///
    /// The parameter is the value, not a handle: a context whose last handle is gone calls this
    /// too.
    pub(crate) fn close(&self, member: &T) -> Option<Shared<T>> {
        let position = member.position();
        let mut table = self.lock();
        if !position.is_open() {
            return None;
        }
        let entry = self.remove(&mut table, position.slot.load(Ordering::Relaxed), position);
        drop(table);
        entry.and_then(|entry| entry.token)
    }

    fn remove(
        &self,
        table: &mut ListSlots<T>,
        slot: u32,
        position: &ListPosition,
    ) -> Option<Listed<T>> {
        position.open.store(false, Ordering::Release);
        self.forget(table, slot)
    }

    fn forget(&self, table: &mut ListSlots<T>, slot: u32) -> Option<Listed<T>> {
        if table.primary == slot {
            table.primary = NO_SLOT;
            self.generation.fetch_add(1, Ordering::Release);
        }
        let entry = table.remove(slot)?;
        table.open -= 1;
        self.open.store(table.open, Ordering::Release);
        Some(entry)
    }

    pub(crate) fn primary(&self) -> Option<Shared<T>> {
        let mut table = self.lock();
        let slot = table.primary;
        table.entry(slot)?.member.upgrade()
    }

    /// Whether `member` is the primary.
    pub(crate) fn is_primary(&self, member: &Shared<T>) -> bool {
        let mut table = self.lock();
        let slot = table.primary;
        table.entry(slot).is_some_and(|entry| entry.member.points_to(member))
    }

    /// Entries that the list has room for.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.lock().slots.capacity()
    }

    /// Number of inits that `member` still counts.
    #[cfg(test)]
    pub(crate) fn inits(&self, member: &Shared<T>) -> u64 {
        let mut table = self.lock();
        if !member.position().is_open() {
            return 0;
        }
        let slot = member.position().slot.load(Ordering::Relaxed);
        table.entry(slot).map_or(0, |entry| entry.inits)
    }

    /// Changes whenever the primary does.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Number of open contexts.
    pub(crate) fn open_count(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Every open context, oldest first; `None` without memory for the list.
    pub(crate) fn all(&self) -> Option<Vec<Shared<T>>> {
        let mut found: Vec<Shared<T>> = Vec::new();
        {
            let table = self.lock();
            found.try_reserve_exact(table.open).ok()?;
            for slot in &table.slots {
                found.extend(slot.as_ref().and_then(|entry| entry.member.upgrade()));
            }
        }
        found.sort_unstable_by_key(|member| member.position().id());
        Some(found)
    }

    /// For the only thread of a new epoch. Members that other threads were just ending will never
    /// close themselves, so they are taken off the list.
    pub(crate) fn drop_stale(&self) {
        let mut table = self.lock();
        for slot in 0..u32::try_from(table.slots.len()).unwrap_or(NO_SLOT) {
            if table.entry(slot).is_some_and(|entry| entry.member.is_dead()) {
                self.forget(&mut table, slot);
            }
        }
        drop(table);
        // Without memory for the list, their stale records stay.
        for member in self.all().into_iter().flatten() {
            member.drop_stale();
        }
    }
}
