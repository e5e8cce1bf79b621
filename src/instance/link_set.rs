//! Link sets: instances that are linked to each other live and die together.
//!
//! An import is a pointer into another instance, and a table may hold functions of any instance
//! it was ever linked with. So linking merges the link sets of both sides for good, and a link
//! set's members are freed together when the last handle to any of them goes. Handles are counted
//! for the link set as a whole; an instance without handles of its own stays as long as its link
//! set does, which also keeps the functions of an instance whose start function trapped.
//!
//! The count and the list of members stand in the link set's *root*, one of its members; every
//! member points to its root. Merging redirects all members of one side. Since a root lives as long
//! as its link set, the holder of a handle may lock the root it sees and look again.

use super::Instance;
use crate::abi::error::{Error, Result};
use crate::abi::trap::Trap;
use crate::alloc::lock_owner;
use crate::gc::GcHeap;
use crate::platform::unwind::Held;
use crate::sync::{BiasedLock, Lock, LockGuard};
use std::cell::UnsafeCell;
use std::convert::Infallible;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

/// An instance's place in its link set. Owner: the instance.
pub struct Membership {
    root: AtomicPtr<Instance>,
    /// Next member; the root comes first. Changed under the root's lock.
    next: AtomicPtr<Instance>,
    /// The shared state of the link set; meaningful in its root.
    shared: Lock<Shared>,
    /// The objects of guests, once there are any; the root's are the link set's. Only for the
    /// thread that uses the link set.
    objects: UnsafeCell<Option<GcHeap>>,
    /// Which thread's state runs in the link set; meaningful in its root.
    use_lock: BiasedLock,
}

struct Shared {
    handles: usize,
    /// Those of the handles that any thread may use, because they only terminate.
    passive: usize,
    last: *mut Instance,
}

// SAFETY: `last` is only followed under the lock that it lies behind, by code that holds the
// link set alive.
unsafe impl Send for Shared {}

impl Membership {
    /// A link that is not in any link set yet; `init` puts it into its own.
    pub fn new() -> Self {
        Self {
            root: AtomicPtr::new(ptr::null_mut()),
            next: AtomicPtr::new(ptr::null_mut()),
            shared: Lock::new(Shared { handles: 1, passive: 0, last: ptr::null_mut() }),
            objects: UnsafeCell::new(None),
            use_lock: BiasedLock::new(),
        }
    }

    /// Makes `instance` a link set of its own, with one handle.
    ///
    /// # Safety
    /// `instance` is the live instance this link belongs to, and is not shared yet.
    pub unsafe fn init(&self, instance: NonNull<Instance>) {
        self.root.store(instance.as_ptr(), Ordering::Release);
        self.shared.lock().last = instance.as_ptr();
    }
}

/// The root of `instance`'s link set, locked.
///
/// # Safety
/// The caller holds the link set alive during `'a`.
unsafe fn lock_root<'a>(instance: NonNull<Instance>) -> (*mut Instance, LockGuard<'a, Shared>) {
    // SAFETY: the caller keeps the link set and with it every member alive; a former root is still
    // a member, so locking it is fine even when a merge has just made another one the root.
    unsafe {
        let link = &(*instance.as_ptr()).membership;
        loop {
            let root = link.root.load(Ordering::Acquire);
            let guard = (*root).membership.shared.lock();
            if link.root.load(Ordering::Acquire) == root {
                return (root, guard);
            }
        }
    }
}

/// Counts one more handle.
///
/// # Safety
/// The caller holds the link set alive.
pub unsafe fn retain(instance: NonNull<Instance>) {
    // SAFETY: the caller holds the link set alive.
    let (_, mut shared) = unsafe { lock_root(instance) };
    shared.handles += 1;
}

/// Gives up one handle, and frees the link set with the last one.
///
/// # Safety
/// The caller owns a handle and does not use it afterwards.
pub unsafe fn release(instance: NonNull<Instance>) {
    // SAFETY: the handle keeps the link set alive until its count is gone; without any handle
    // nobody can reach the members any more.
    unsafe {
        let (mut root, mut shared) = lock_root(instance);
        if shared.handles == 1 && (*root).has_finalizers() {
            drop(shared);
            let _held = Held::new();
            run_finalizers(instance);
            // A finalizer may have made further handles.
            (root, shared) = lock_root(instance);
        }
        shared.handles -= 1;
        let last = shared.handles == 0;
        drop(shared);
        if last {
            // The ends of instances may close files, and call the embedder.
            let _held = Held::new();
            free_members(root);
        }
    }
}

/// Runs all finalizers of a link set, which is about to end.
///
/// # Safety
/// The caller has the only handle into the link set, and keeps it.
unsafe fn run_finalizers(instance: NonNull<Instance>) {
    // SAFETY: the caller keeps the link set alive.
    let Some(_use) = (unsafe { Use::begin(instance) }) else { return };
    // SAFETY: the caller keeps the link set alive.
    let instance = unsafe { instance.as_ref() };
    instance.with_objects(GcHeap::end_finalizers);
    instance.run_finalizers();
}

/// Counts one more handle that any thread may use.
///
/// # Safety
/// As for [`retain`].
pub unsafe fn retain_passive(instance: NonNull<Instance>) {
    // SAFETY: the caller holds the link set alive.
    let (_, mut shared) = unsafe { lock_root(instance) };
    shared.handles += 1;
    shared.passive += 1;
}

/// Turns a handle from [`retain_passive`] into a usual one.
///
/// # Safety
/// The caller owns the handle.
pub unsafe fn activate(instance: NonNull<Instance>) {
    // SAFETY: the caller owns the handle.
    let (_, mut shared) = unsafe { lock_root(instance) };
    shared.passive -= 1;
}

/// Whether exactly one handle into the link set exists, passive ones aside.
///
/// # Safety
/// The caller holds the link set alive.
pub unsafe fn is_sole_handle(instance: NonNull<Instance>) -> bool {
    // SAFETY: the caller holds the link set alive.
    let (_, shared) = unsafe { lock_root(instance) };
    shared.handles - shared.passive == 1
}

/// The calling thread's state uses a link set until this is dropped.
#[must_use = "the use ends when it is dropped"]
pub struct Use(NonNull<Instance>);

impl Use {
    /// Begins a use of `instance`'s link set, inside others of this thread's state or not; `None`
    /// if another thread runs in the link set.
    ///
    /// # Safety
    /// The link set is alive until the use is dropped.
    #[inline]
    pub unsafe fn begin(instance: NonNull<Instance>) -> Option<Self> {
        // SAFETY: the caller guarantees that the link set is alive until the use is dropped; a root
        // lives as long as its link set.
        let entered = unsafe { use_lock_of(instance).try_lock(lock_owner()) };
        if entered { Some(Self(instance)) } else { None }
    }
}

impl Drop for Use {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: alive, says `begin`. A merge has taken the use over to the root of now.
        unsafe { use_lock_of(self.0).unlock() };
    }
}

/// Whether a call runs in `instance`'s link set, on any thread.
///
/// # Safety
/// The caller holds the link set alive.
pub unsafe fn is_in_use(instance: NonNull<Instance>) -> bool {
    // SAFETY: the caller holds the link set alive.
    unsafe {
        let Some(_use) = Use::begin(instance) else { return true };
        use_lock_of(instance).depth() > 1
    }
}

/// # Safety
/// The caller holds the link set alive during `'a`.
#[inline]
unsafe fn use_lock_of<'a>(instance: NonNull<Instance>) -> &'a BiasedLock {
    // SAFETY: the caller holds the link set alive during `'a`.
    unsafe { &(*(*instance.as_ptr()).membership.root.load(Ordering::Acquire)).membership.use_lock }
}

/// Whether both are in one link set.
///
/// # Safety
/// The caller holds both link sets alive.
pub unsafe fn same(a: NonNull<Instance>, b: NonNull<Instance>) -> bool {
    // SAFETY: the caller holds both link sets alive.
    let root =
        |at: NonNull<Instance>| unsafe { &*at.as_ptr() }.membership.root.load(Ordering::Acquire);
    // Merges only ever make this true.
    a == b || root(a) == root(b)
}

/// Makes one link set of two; an error if another thread runs in one of them.
///
/// # Safety
/// The caller holds both link sets alive.
pub unsafe fn merge(a: NonNull<Instance>, b: NonNull<Instance>) -> Result<()> {
    // SAFETY: the caller keeps both link sets alive; both roots are locked, in the order of their
    // addresses so that two merges cannot wait for each other, and seen to be roots still.
    unsafe {
        loop {
            let root_a = (*a.as_ptr()).membership.root.load(Ordering::Acquire);
            let root_b = (*b.as_ptr()).membership.root.load(Ordering::Acquire);
            if root_a == root_b {
                return Ok(());
            }
            let (first, second) = (root_a.min(root_b), root_a.max(root_b));
            let mut into = (*first).membership.shared.lock();
            let mut from = (*second).membership.shared.lock();
            let still_roots = (*first).membership.root.load(Ordering::Acquire) == first
                && (*second).membership.root.load(Ordering::Acquire) == second;
            if !still_roots {
                continue;
            }
            let Some(handles) = into.handles.checked_add(from.handles) else {
                return Err(Error::out_of_memory());
            };
            take_over(first, second)?;
            into.handles = handles;
            into.passive += from.passive;
            (from.handles, from.passive) = (0, 0);
            (*into.last).membership.next.store(second, Ordering::Release);
            into.last = from.last;
            let mut member = second;
            while !member.is_null() {
                (*member).membership.root.store(first, Ordering::Release);
                member = (*member).membership.next.load(Ordering::Acquire);
            }
            return Ok(());
        }
    }
}

/// Makes the uses and objects of the link set of `second` those of the link set of `first`.
///
/// # Safety
/// Both are roots, alive and locked.
unsafe fn take_over(first: *mut Instance, second: *mut Instance) -> Result<()> {
    // SAFETY: the caller guarantees that both are roots, alive and locked; objects are the thread's
    // that uses the link set.
    unsafe {
        let (used, merged) = (&(*first).membership.use_lock, &(*second).membership.use_lock);
        if !used.try_lock(lock_owner()) {
            return Err(Error::misuse(Trap::InUse.text()));
        }
        if !merged.try_lock(lock_owner()) {
            used.unlock();
            return Err(Error::misuse(Trap::InUse.text()));
        }
        let objects = &mut *(*second).membership.objects.get();
        let absorbed = absorb_objects(&mut *(*first).membership.objects.get(), objects);
        match absorbed {
            // Uses of the second count for the merged link set from here on, and no code reaches
            // its own lock any more.
            Ok(()) => used.relock(merged.depth() - 1),
            Err(_) => merged.unlock(),
        }
        used.unlock();
        absorbed
    }
}

/// Makes the objects of `second` those of `first`. References stay as they are: each says which
/// heap made it.
fn absorb_objects(first: &mut Option<GcHeap>, second: &mut Option<GcHeap>) -> Result<()> {
    let Some(merged) = second else { return Ok(()) };
    let Some(heap) = first else {
        *first = second.take();
        return Ok(());
    };
    // They are of different numbers, but for those of contexts that have made very many.
    match heap.absorb(merged) {
        true => Ok(()),
        false => Err(Error::misuse("objects of guests cannot be brought together")),
    }
}

/// Finds a member of `instance`'s link set.
///
/// # Safety
/// The caller holds the link set alive.
pub unsafe fn find<T>(
    instance: NonNull<Instance>,
    mut look: impl FnMut(NonNull<Instance>) -> Option<T>,
) -> Option<T> {
    // SAFETY: the lock keeps the list as it is, the caller keeps its members alive.
    unsafe {
        let (root, _guard) = lock_root(instance);
        let mut member = NonNull::new(root);
        while let Some(at) = member {
            let found = look(at);
            if found.is_some() {
                return found;
            }
            member = NonNull::new((*at.as_ptr()).membership.next.load(Ordering::Acquire));
        }
        None
    }
}

/// Calls `each` with every member of `instance`'s link set.
///
/// # Safety
/// The caller holds the link set alive, and is the thread that uses it, so that it does not change.
pub unsafe fn for_each(instance: NonNull<Instance>, each: &mut dyn FnMut(NonNull<Instance>)) {
    // SAFETY: passed on to the caller.
    let Ok(()) = unsafe {
        try_for_each::<Infallible>(instance, &mut |member| {
            each(member);
            Ok(())
        })
    };
}

/// As [`for_each`], until `each` fails.
///
/// # Safety
/// As for [`for_each`].
pub unsafe fn try_for_each<E>(
    instance: NonNull<Instance>,
    each: &mut dyn FnMut(NonNull<Instance>) -> std::result::Result<(), E>,
) -> std::result::Result<(), E> {
    // SAFETY: says the caller; the root comes first among the members.
    unsafe {
        let mut member = NonNull::new(instance.as_ref().membership.root.load(Ordering::Acquire));
        while let Some(at) = member {
            each(at)?;
            member = NonNull::new((*at.as_ptr()).membership.next.load(Ordering::Acquire));
        }
    }
    Ok(())
}

/// The objects of the link set's guests, once there are any.
///
/// # Safety
/// The caller holds the link set alive, and is the thread that uses it.
pub unsafe fn objects(instance: NonNull<Instance>) -> *mut Option<GcHeap> {
    // SAFETY: the caller holds the link set alive, and is the thread that uses it.
    unsafe { (*instance.as_ref().membership.root.load(Ordering::Acquire)).membership.objects.get() }
}

/// Frees a link set without handles.
///
/// # Safety
/// `root` is the root of a link set without handles.
unsafe fn free_members(root: *mut Instance) {
    // SAFETY: nobody can reach the members any more; each is freed after its link was read. All of
    // them are torn down before the first is freed, because tearing down one may still look at
    // others of the link set.
    unsafe {
        let mut member = NonNull::new(root);
        while let Some(at) = member {
            member = NonNull::new((*at.as_ptr()).membership.next.load(Ordering::Acquire));
            at.as_ref().host().instance_ends(at);
        }
        let mut member = NonNull::new(root);
        while let Some(at) = member {
            member = NonNull::new((*at.as_ptr()).membership.next.load(Ordering::Acquire));
            Instance::tear_down(at);
        }
        let mut member = NonNull::new(root);
        while let Some(at) = member {
            member = NonNull::new((*at.as_ptr()).membership.next.load(Ordering::Acquire));
            Instance::free(at);
        }
    }
}
