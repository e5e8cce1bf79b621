//! The live instances of a context, listed so that all of them can be reached.
//!
//! A list through links that lie in the objects themselves, so that joining it needs no memory. An
//! object leaves it, under the lock, before it ends; until then it may be visited from any thread.
//! Objects are known by a trait only: this module knows no instances.

use crate::exec::CallCounts;
use crate::sync::Lock;
use std::cell::Cell;
use std::ptr::NonNull;

/// The operations on a listed object. They run on any thread, under the list's lock, and must not
/// use the list.
pub(crate) trait LiveObject {
    /// Makes its running code stop.
    fn terminate(&self);
    /// Makes waits look at the limits again.
    fn wake(&self);
    /// The counts of its exec_envs.
    fn counts(&self) -> CallCounts;
    /// Whether the address is that of a function reference of its, which lives as long as it is
    /// listed.
    fn owns_func(&self, address: usize) -> bool;
}

/// An object's place in the list. Owner: the object. Only used under the list's lock.
#[derive(Default)]
pub(crate) struct LiveLink {
    /// `None` while it is not listed.
    object: Cell<Option<NonNull<dyn LiveObject>>>,
    previous: Cell<Option<NonNull<LiveLink>>>,
    next: Cell<Option<NonNull<LiveLink>>>,
}

// SAFETY: the cells are only touched under the lock of the list that the link is in, and the
// objects they point to may be visited from any thread (`LiveObject`).
unsafe impl Send for LiveLink {}
// SAFETY: the same lock guards the cells of a link that another thread owns.
unsafe impl Sync for LiveLink {}

/// A context's live instances. Owner: the context.
#[derive(Default)]
pub(super) struct Live(Lock<List>);

#[derive(Default)]
struct List {
    first: Option<NonNull<LiveLink>>,
    /// How often everything was terminated.
    terminations: u64,
}

// SAFETY: followed only under the lock that it lies behind; links leave before they end.
unsafe impl Send for List {}

impl List {
    fn visit(&self, mut each: impl FnMut(&dyn LiveObject)) {
        let mut link = self.first;
        while let Some(at) = link {
            // SAFETY: listed links and their objects live while the lock is held, which the list
            // lies behind: an object that ends waits for it in `Live::remove`.
            unsafe {
                if let Some(object) = at.as_ref().object.get() {
                    each(object.as_ref());
                }
                link = at.as_ref().next.get();
            }
        }
    }
}

impl Live {
    /// Lists an object.
    ///
    /// # Safety
    /// Link and object stay where they are, and live, until [`Live::remove`].
    pub(super) unsafe fn add(&self, link: &LiveLink, object: NonNull<dyn LiveObject>) {
        let mut list = self.0.lock();
        link.object.set(Some(object));
        link.previous.set(None);
        link.next.set(list.first);
        if let Some(second) = list.first {
            // SAFETY: listed links live, because `add`'s caller keeps them until they are removed.
            unsafe { second.as_ref() }.previous.set(Some(link.into()));
        }
        list.first = Some(link.into());
    }

    /// Takes an object off the list, if it is on it.
    ///
    /// # Safety
    /// The link was never in another list.
    pub(super) unsafe fn remove(&self, link: &LiveLink) {
        let mut list = self.0.lock();
        if link.object.take().is_none() {
            return;
        }
        let (previous, next) = (link.previous.take(), link.next.take());
        // SAFETY: the neighbours are listed, and listed links live.
        unsafe {
            match previous {
                Some(previous) => previous.as_ref().next.set(next),
                None => list.first = next,
            }
            if let Some(next) = next {
                next.as_ref().previous.set(previous);
            }
        }
    }

    /// Visits every listed object.
    pub(super) fn visit(&self, each: impl FnMut(&dyn LiveObject)) {
        self.0.lock().visit(each);
    }

    /// Terminates every listed object, and counts that, for the sake of those that are about to
    /// be listed.
    pub(super) fn terminate(&self) {
        let mut list = self.0.lock();
        list.terminations = list.terminations.wrapping_add(1);
        list.visit(|object| object.terminate());
    }

    /// How often everything was terminated.
    pub(super) fn terminations(&self) -> u64 {
        self.0.lock().terminations
    }
}
