//! The exceptions that a link set's guests have thrown and may still hold references to.
//!
//! A reference is the exception's address, and never followed before it was found in the link set's
//! set: one that outlived its exception leads nowhere. An exception enters the set when a handler
//! takes a reference to it. Those that nothing leads to any more are freed when a sweep finds
//! them; sweeps come the more rarely, the more there is to look at. Where references can be is
//! told from above, since only the engine knows stacks.

use super::{Instance, link_set};
use crate::abi::error::Error;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmException, VmTag};
use crate::alloc::{Heap, fallible};
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::ptr::{self, NonNull};

/// Bytes that exceptions take before the first sweep.
const BYTES_MIN: usize = 16 << 10;

/// Scatters addresses, which no guest chooses.
#[derive(Default)]
struct Scatter(u64);

impl Hasher for Scatter {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_usize(byte.into()));
    }

    fn write_usize(&mut self, word: usize) {
        let mixed = (self.0 ^ word as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Exceptions that guest code may hold references to. Owner: the root of the link set.
pub struct Exceptions {
    set: HashSet<usize, BuildHasherDefault<Scatter>>,
    /// What those in the set take.
    bytes: usize,
    /// What they may take until the next sweep.
    limit: usize,
    /// During a sweep: those found whose payload was not looked at, by their `next`.
    found: *mut VmException,
}

impl Exceptions {
    pub(super) fn new() -> Self {
        Self { set: HashSet::default(), bytes: 0, limit: BYTES_MIN, found: ptr::null_mut() }
    }

    /// Takes over what another link set had.
    pub(super) fn absorb(&mut self, other: &mut Self) -> Result<(), Error> {
        fallible(|| self.set.try_reserve(other.set.len()))?;
        self.set.extend(other.set.drain());
        self.bytes += std::mem::take(&mut other.bytes);
        Ok(())
    }

    fn find(&self, word: u64) -> Option<NonNull<VmException>> {
        let address = word as usize;
        let known = self.set.contains(&address);
        known.then(|| NonNull::new(ptr::with_exposed_provenance_mut(address)))?
    }

    /// Notes that the reference in `word` was found somewhere.
    pub fn mark(&mut self, word: u64) {
        let Some(exception) = self.find(word) else { return };
        // SAFETY: those in the set are live.
        unsafe { self.mark_live(exception) }
    }

    /// # Safety
    /// The exception is live.
    unsafe fn mark_live(&mut self, exception: NonNull<VmException>) {
        let at = exception.as_ptr();
        // SAFETY: says the caller.
        unsafe {
            if !(*at).marked {
                (*at).marked = true;
                (*at).next = self.found;
                self.found = at;
            }
        }
    }

    /// Marks what the payloads of those lead to that have been found so far.
    fn follow(&mut self) {
        while let Some(at) = NonNull::new(self.found) {
            // SAFETY: it was live when it was found, and nothing is freed before the end.
            unsafe {
                self.found = at.as_ref().next;
                for_each_reference(at, &mut |word| self.mark(word));
            }
        }
    }

    /// Takes all marks back.
    fn forget_marks(&mut self) {
        self.found = ptr::null_mut();
        for &address in &self.set {
            // SAFETY: those in the set are live.
            unsafe { (*ptr::with_exposed_provenance_mut::<VmException>(address)).marked = false };
        }
    }

    /// Frees what was not marked.
    fn sweep(&mut self) {
        let mut bytes = 0;
        self.set.retain(|&address| {
            let at = ptr::with_exposed_provenance_mut::<VmException>(address);
            // SAFETY: those in the set are live; one that leaves it is freed.
            unsafe {
                let keep = std::mem::take(&mut (*at).marked);
                if keep {
                    bytes += bytes_of((*at).slots);
                } else {
                    Heap::free(at.cast());
                }
                keep
            }
        });
        self.bytes = bytes;
    }
}

impl Drop for Exceptions {
    fn drop(&mut self) {
        for address in self.set.drain() {
            // SAFETY: those in the set are live, and the link set that could use them ends.
            unsafe { Heap::free(ptr::with_exposed_provenance_mut(address)) };
        }
    }
}

fn bytes_of(slots: u32) -> usize {
    size_of::<VmException>() + slots as usize * size_of::<u64>()
}

/// The payload's first slot.
///
/// # Safety
/// The exception is live.
pub unsafe fn payload(exception: NonNull<VmException>) -> *mut u64 {
    // SAFETY: the payload lies behind the head, in the same block.
    unsafe { exception.as_ptr().add(1).cast() }
}

/// Calls `each` with the slots of the payload that hold references to exceptions.
///
/// # Safety
/// The exception is live, and so is its link set.
unsafe fn for_each_reference(exception: NonNull<VmException>, each: &mut dyn FnMut(u64)) {
    // SAFETY: an exception's tag is of its link set, and so is its type.
    unsafe {
        let ty = &*(*exception.as_ref().tag).ty;
        let mut slot = payload(exception);
        for &param in ty.params() {
            if param.is_exception() {
                each(*slot);
            }
            slot = slot.add(param.slots() as usize);
        }
    }
}

impl Instance {
    /// Makes an exception with `tag` and the payload at `from`. It is the caller's: to be freed,
    /// or to be given to [`share`].
    ///
    /// # Safety
    /// The tag is of this instance's link set, and `from` holds values of its type.
    pub unsafe fn make_exception(
        &self,
        tag: *const VmTag,
        from: *const u64,
    ) -> Result<NonNull<VmException>, Trap> {
        // SAFETY: the caller vouches for the tag, whose type lives as long as the link set, and for
        // the values; the block is as large as head and payload.
        unsafe {
            let slots = (*(*tag).ty).param_slots();
            let block = NonNull::new(self.heap().alloc(bytes_of(slots), 16));
            let at = block.ok_or(Trap::OutOfMemory)?.cast::<VmException>();
            at.write(VmException {
                tag,
                slots,
                marked: false,
                shared: false,
                next: ptr::null_mut(),
            });
            payload(at).copy_from_nonoverlapping(from, slots as usize);
            Ok(at)
        }
    }
}

/// Frees an exception that no guest has a reference to.
///
/// # Safety
/// It is live, was not shared, and is not used afterwards.
pub unsafe fn discard(exception: NonNull<VmException>) {
    // SAFETY: passed on to the caller.
    unsafe { Heap::free(exception.as_ptr().cast()) };
}

/// Lets guest code hold references to an exception from now on. If it is time for that, others
/// are freed first: `roots` marks what it finds on the stacks of the link set, or says that it
/// cannot see all of them.
///
/// # Safety
/// The exception is live and of `instance`'s link set, which is used by this thread only.
pub unsafe fn share(
    instance: NonNull<Instance>,
    exception: NonNull<VmException>,
    roots: &mut dyn FnMut(&mut Exceptions) -> Option<usize>,
) -> Result<(), Trap> {
    // SAFETY: the caller vouches for both.
    unsafe {
        if exception.as_ref().shared {
            return Ok(());
        }
        let at = link_set::exceptions(instance);
        let bytes = bytes_of(exception.as_ref().slots);
        let reserve = || fallible(|| (&mut *at).set.try_reserve(1));
        if (*at).bytes + bytes > (*at).limit || reserve().is_err() {
            for_each_reference(exception, &mut |word| (*at).mark(word));
            collect(instance, roots);
        }
        reserve().map_err(|_| Trap::OutOfMemory)?;
        let exceptions = &mut *at;
        exceptions.set.insert(exception.as_ptr().expose_provenance());
        exceptions.bytes += bytes;
        (*exception.as_ptr()).shared = true;
        Ok(())
    }
}

/// Frees what nothing leads to, given where to look as for [`share`].
///
/// # Safety
/// `instance` is live, and its link set used by this thread only.
#[cold]
pub unsafe fn collect(
    instance: NonNull<Instance>,
    roots: &mut dyn FnMut(&mut Exceptions) -> Option<usize>,
) {
    // SAFETY: passed on to the caller; so for the members, which live as long as the link set.
    unsafe {
        let exceptions = &mut *link_set::exceptions(instance);
        let Some(mut looked_at) = roots(exceptions) else {
            exceptions.forget_marks();
            exceptions.limit = exceptions.bytes.saturating_mul(2).max(BYTES_MIN);
            return;
        };
        link_set::for_each(instance, &mut |member| {
            looked_at += member.as_ref().mark_exceptions(exceptions);
        });
        exceptions.follow();
        exceptions.sweep();
        // What was looked at costs about as much time as so many bytes of exceptions.
        exceptions.limit = (exceptions.bytes * 2).saturating_add(looked_at).max(BYTES_MIN);
    }
}

/// The exception that the reference in `word` leads to, if the link set has it.
///
/// # Safety
/// The caller holds the link set alive, and uses it alone.
pub unsafe fn find(instance: NonNull<Instance>, word: u64) -> Option<NonNull<VmException>> {
    // SAFETY: passed on to the caller.
    unsafe { (*link_set::exceptions(instance)).find(word) }
}

impl Instance {
    /// Marks what globals and tables lead to; returns how many there were to look at.
    fn mark_exceptions(&self, exceptions: &mut Exceptions) -> usize {
        let module = self.module();
        let mut looked_at = 0;
        let globals = module.globals.iter().enumerate();
        for (index, _) in globals.filter(|(_, global)| global.ty.val.is_exception()) {
            if let Some(storage) = self.global(index as u32) {
                // SAFETY: an instance's globals are live; references take the low word.
                exceptions.mark(unsafe { storage.as_ref() }.slots[0]);
                looked_at += 1;
            }
        }
        let tables = module.tables.iter().enumerate();
        for (index, _) in tables.filter(|(_, table)| table.ty.elem.is_exception()) {
            if let Some(table) = self.table(index as u32) {
                (0..table.len()).filter_map(|at| table.get(at)).for_each(|w| exceptions.mark(w));
                looked_at += table.len() as usize;
            }
        }
        looked_at
    }
}
