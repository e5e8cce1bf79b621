//! The exceptions that a link set's guests have thrown and may still hold references to.
//!
//! A reference is the exception's address, and never followed before it was found in the link set's
//! set: one that outlived its exception leads nowhere. An exception enters the set when a handler
//! takes a reference to it. Those that nothing leads to any more are freed when a sweep finds
//! them; sweeps come the more rarely, the more there is to look at. Where references can be is
//! told from above, since only the engine knows stacks.
//!
//! A sweep takes as long as there is much to look at, so it looks whether to stop after so many
//! steps. One that stops is given up as it is. Nothing marks exceptions as reachable but sweeps, so
//! the marks that it leaves matter only to the next, which takes them back first.

use super::address_set::AddressSet;
use super::memory::Look;
use super::objects::Marks;
use super::{Instance, link_set};
use crate::abi::error::Error;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmException, VmTag};
use crate::alloc::{Heap, fallible};
use std::iter;
use std::ptr::{self, NonNull};

/// Bytes that exceptions take before the first sweep.
const BYTES_MIN: usize = 16 << 10;

/// Steps of a sweep between two looks: exceptions, slots, globals, elements, frames.
const STEPS: usize = 4096;

/// Exceptions that guest code may hold references to. Owner: the root of the link set.
pub struct Exceptions {
    set: AddressSet,
    /// The sets of link sets that this one was merged with, until the next sweep.
    merged: Vec<AddressSet>,
    /// What those in the sets take.
    bytes: usize,
    /// What they may take until the next sweep.
    limit: usize,
    /// Whether some may be marked: during a sweep, and after one that was given up.
    has_marks: bool,
    /// During a sweep: those found whose payload was not looked at, by their `next`.
    found: *mut VmException,
}

impl Exceptions {
    pub(super) fn new() -> Self {
        Self {
            set: AddressSet::default(),
            merged: Vec::new(),
            bytes: 0,
            limit: BYTES_MIN,
            has_marks: false,
            found: ptr::null_mut(),
        }
    }

    /// Makes room for what another link set has, so that taking it over does not fail.
    pub(super) fn make_room(&mut self, other: &Self) -> Result<(), Error> {
        Ok(fallible(|| self.merged.try_reserve(other.merged.len() + 1))?)
    }

    /// Takes over what another link set had, in a time that does not depend on how much that is.
    pub(super) fn absorb(&mut self, other: &mut Self) -> Result<(), Error> {
        self.make_room(other)?;
        let sets = iter::once(std::mem::take(&mut other.set)).chain(other.merged.drain(..));
        self.merged.extend(sets.filter(|set| !set.is_empty()));
        self.bytes += std::mem::take(&mut other.bytes);
        self.has_marks |= other.has_marks;
        Ok(())
    }

    fn find(&self, word: u64) -> Option<NonNull<VmException>> {
        let address = word as usize;
        let known = word != 0
            && (self.set.contains(address) || self.merged.iter().any(|set| set.contains(address)));
        known.then(|| NonNull::new(ptr::with_exposed_provenance_mut(address)))?
    }

    /// Shows the payloads of all exceptions, also of those that nothing leads to any more.
    pub fn mark_payloads(&self, marks: &mut dyn Marks) -> Result<(), Trap> {
        for address in iter::once(&self.set).chain(&self.merged).flat_map(|set| set.iter()) {
            marks.step(1)?;
            let at = NonNull::new(ptr::with_exposed_provenance_mut::<VmException>(address));
            let Some(at) = at else { continue };
            // SAFETY: those in the sets are live, and as long as they say.
            unsafe {
                for slot in 0..at.as_ref().slots as usize {
                    marks.mark(*payload(at).add(slot))?;
                }
            }
        }
        Ok(())
    }

    fn sets(&mut self) -> impl Iterator<Item = &mut AddressSet> {
        iter::once(&mut self.set).chain(&mut self.merged)
    }
}

impl Drop for Exceptions {
    fn drop(&mut self) {
        for address in self.sets().flat_map(|set| set.iter()) {
            // SAFETY: those in the sets are live, and the link set that could use them ends.
            unsafe { Heap::free(ptr::with_exposed_provenance_mut(address)) };
        }
    }
}

/// Counts steps, and looks whether to stop after so many.
struct Steps<'l, 'a> {
    look: &'l mut Look<'a>,
    left: usize,
}

impl Steps<'_, '_> {
    fn take(&mut self, steps: usize) -> Result<(), Trap> {
        if steps < self.left {
            self.left -= steps;
            return Ok(());
        }
        self.left = STEPS;
        (self.look)()
    }
}

/// A sweep under way. It may end at every step, with the reason to stop: then what it has freed is
/// gone, what it has marked is forgotten by the next one, and nothing else has happened.
pub struct Sweep<'e, 'l, 'a> {
    exceptions: &'e mut Exceptions,
    steps: Steps<'l, 'a>,
}

impl<'e, 'l, 'a> Sweep<'e, 'l, 'a> {
    /// The first step of all looks, so that short sweeps one after the other do.
    fn begin(exceptions: &'e mut Exceptions, look: &'l mut Look<'a>) -> Result<Self, Trap> {
        let mut sweep = Self { exceptions, steps: Steps { look, left: 0 } };
        sweep.forget_marks()?;
        sweep.exceptions.has_marks = true;
        sweep.exceptions.found = ptr::null_mut();
        Ok(sweep)
    }

    /// Takes the marks back that a sweep has left which was given up.
    fn forget_marks(&mut self) -> Result<(), Trap> {
        if !self.exceptions.has_marks {
            return Ok(());
        }
        self.for_each_set(&mut |at| {
            // SAFETY: those in the sets are live.
            unsafe { (*at).marked = false };
            true
        })
    }

    /// Calls `keep` with all exceptions, and takes those out for which it is false.
    fn for_each_set(&mut self, keep: &mut dyn FnMut(*mut VmException) -> bool) -> Result<(), Trap> {
        for set in self.exceptions.sets() {
            set.retain(&mut |steps| self.steps.take(steps), &mut |address| {
                keep(ptr::with_exposed_provenance_mut(address))
            })?;
        }
        Ok(())
    }

    /// Notes that the reference in `word` was found somewhere, as a step.
    fn mark_one(&mut self, word: u64) -> Result<(), Trap> {
        self.steps.take(1)?;
        let Some(exception) = self.exceptions.find(word) else { return Ok(()) };
        let at = exception.as_ptr();
        // SAFETY: those in the sets are live.
        unsafe {
            if !(*at).marked {
                (*at).marked = true;
                (*at).next = self.exceptions.found;
                self.exceptions.found = at;
            }
        }
        Ok(())
    }

    /// Marks what the payloads of those lead to that have been found so far.
    fn follow(&mut self) -> Result<(), Trap> {
        while let Some(at) = NonNull::new(self.exceptions.found) {
            // SAFETY: it was live when it was found, and nothing is freed before the end.
            unsafe {
                self.exceptions.found = at.as_ref().next;
                self.mark_payload(at)?;
            }
        }
        Ok(())
    }

    /// Marks what an exception's payload leads to.
    ///
    /// # Safety
    /// The exception is live, and so is its link set.
    unsafe fn mark_payload(&mut self, exception: NonNull<VmException>) -> Result<(), Trap> {
        // SAFETY: an exception's tag is of its link set, and so is its type.
        unsafe {
            let ty = &*(*exception.as_ref().tag).ty;
            self.step(1 + ty.params().len())?;
            let mut slot = payload(exception);
            for &param in ty.params() {
                if param.is_exception() {
                    self.mark(*slot)?;
                }
                slot = slot.add(param.slots() as usize);
            }
        }
        Ok(())
    }

    /// Frees what was not marked; then no marks are left.
    fn free_unmarked(&mut self) -> Result<(), Trap> {
        let mut freed = 0;
        let swept = self.for_each_set(&mut |at| {
            // SAFETY: those in the sets are live; one that leaves them is freed.
            unsafe {
                let keep = std::mem::take(&mut (*at).marked);
                if !keep {
                    freed += bytes_of((*at).slots);
                    Heap::free(at.cast());
                }
                keep
            }
        });
        self.exceptions.bytes -= freed;
        swept?;
        self.exceptions.has_marks = false;
        Ok(())
    }

    /// Makes one set of several, and takes no more memory for it than it needs, as far as there is
    /// memory for that.
    fn tidy_up(&mut self) -> Result<(), Trap> {
        let Exceptions { set, merged, .. } = &mut *self.exceptions;
        while let Some(other) = merged.last_mut() {
            other.move_to(set, &mut |steps| self.steps.take(steps))?;
            if !other.is_empty() {
                break;
            }
            merged.pop();
        }
        set.shrink(&mut |steps| self.steps.take(steps))
    }
}

impl Marks for Sweep<'_, '_, '_> {
    fn step(&mut self, steps: usize) -> Result<(), Trap> {
        self.steps.take(steps)
    }

    fn mark(&mut self, word: u64) -> Result<(), Trap> {
        self.mark_one(word)
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
    // SAFETY: the caller guarantees that the exception is live, unshared and not used afterwards.
    unsafe { Heap::free(exception.as_ptr().cast()) };
}

/// Where references are on the stacks of a link set: marks them, and tells what that has cost, in
/// bytes of exceptions. `None` if it cannot see all of them.
pub type Roots<'a> = dyn FnMut(&mut Sweep<'_, '_, '_>) -> Result<Option<usize>, Trap> + 'a;

/// Lets guest code hold references to an exception from now on. If it is time for that, others
/// are freed first, which `look` may end.
///
/// # Safety
/// The exception is live and of `instance`'s link set, which is used by this thread only.
pub unsafe fn share(
    instance: NonNull<Instance>,
    exception: NonNull<VmException>,
    roots: &mut Roots<'_>,
    look: &mut Look<'_>,
) -> Result<(), Trap> {
    // SAFETY: the caller vouches for both.
    unsafe {
        if exception.as_ref().shared {
            return Ok(());
        }
        let at = link_set::exceptions(instance);
        let address = exception.as_ptr().expose_provenance();
        let bytes = bytes_of(exception.as_ref().slots);
        if (*at).bytes + bytes > (*at).limit || (&mut *at).set.reserve(address).is_err() {
            collect(instance, Some(exception), roots, look)?;
        }
        let exceptions = &mut *at;
        exceptions.set.insert(address).map_err(|_| Trap::OutOfMemory)?;
        exceptions.bytes += bytes;
        (*exception.as_ptr()).shared = true;
        Ok(())
    }
}

/// Frees what nothing leads to, neither `held`, an exception that is not shared yet. Ends with the
/// reason if `look` says so.
///
/// # Safety
/// `instance` is live, and its link set used by this thread only; so is what is held.
#[cold]
pub unsafe fn collect(
    instance: NonNull<Instance>,
    held: Option<NonNull<VmException>>,
    roots: &mut Roots<'_>,
    look: &mut Look<'_>,
) -> Result<(), Trap> {
    // SAFETY: the caller vouches for the link set, with which the members live, and for what is
    // held.
    unsafe {
        let mut sweep = Sweep::begin(&mut *link_set::exceptions(instance), look)?;
        if let Some(exception) = held {
            sweep.mark_payload(exception)?;
        }
        let Some(mut looked_at) = roots(&mut sweep)? else {
            let exceptions = sweep.exceptions;
            exceptions.limit = exceptions.bytes.saturating_mul(2).max(BYTES_MIN);
            return Ok(());
        };
        link_set::try_for_each(instance, &mut |member| {
            looked_at += member.as_ref().mark_own(&mut sweep)?;
            Ok(())
        })?;
        // Objects that nothing leads to any more count until they are freed.
        let heap = instance.as_ref();
        heap.with_live_objects(|heap| heap.for_each_reference(&mut |word| sweep.mark(word)))
            .unwrap_or(Ok(()))?;
        sweep.follow()?;
        sweep.free_unmarked()?;
        sweep.tidy_up()?;
        let exceptions = sweep.exceptions;
        // What was looked at costs about as much time as so many bytes of exceptions.
        exceptions.limit = (exceptions.bytes * 2).saturating_add(looked_at).max(BYTES_MIN);
        Ok(())
    }
}

/// The exception that the reference in `word` leads to, if the link set has it.
///
/// # Safety
/// The caller holds the link set alive, and uses it alone.
pub unsafe fn find(instance: NonNull<Instance>, word: u64) -> Option<NonNull<VmException>> {
    // SAFETY: the caller holds the link set alive, and uses it alone.
    unsafe { (*link_set::exceptions(instance)).find(word) }
}
