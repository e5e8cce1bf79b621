//! The live instances of a context, for whoever wants to reach all of them.
//!
//! A list through links that lie in the objects themselves, so that joining it needs no memory.
//! An object leaves it, under the lock, before it ends; until then it may be visited from any
//! thread. What is listed here is known by a trait only: this module knows no instances.

use crate::exec::CallCounts;
use crate::sync::Lock;
use std::cell::Cell;
use std::ptr::NonNull;

/// What can be done to a listed object, on any thread, under the list's lock: nothing that comes
/// back to the list.
pub(crate) trait LiveObject {
    /// Makes its running code stop.
    fn terminate(&self);
    /// Makes waits look at the limits again.
    fn wake(&self);
    /// What its exec_envs have counted.
    fn counts(&self) -> CallCounts;
}

/// An object's place in the list. Owner: the object. Only used under the list's lock.
#[derive(Default)]
pub(crate) struct LiveLink {
    /// `None` while it is not listed.
    object: Cell<Option<NonNull<dyn LiveObject>>>,
    previous: Cell<Option<NonNull<LiveLink>>>,
    next: Cell<Option<NonNull<LiveLink>>>,
}

// SAFETY: the cells are only touched under the lock of the list that the link is in, and what
// they point to may be visited from any thread (`LiveObject`).
unsafe impl Send for LiveLink {}
// SAFETY: as above.
unsafe impl Sync for LiveLink {}

/// A context's live instances. Owner: the context.
#[derive(Default)]
pub(super) struct Live(Lock<First>);

#[derive(Default)]
struct First(Option<NonNull<LiveLink>>);

// SAFETY: followed only under the lock that it lies behind; links leave before they end.
unsafe impl Send for First {}

impl Live {
    /// Lists an object.
    ///
    /// # Safety
    /// Link and object stay where they are, and live, until [`Live::remove`].
    pub(super) unsafe fn add(&self, link: &LiveLink, object: NonNull<dyn LiveObject>) {
        let mut first = self.0.lock();
        link.object.set(Some(object));
        link.previous.set(None);
        link.next.set(first.0);
        if let Some(second) = first.0 {
            // SAFETY: listed links live, as promised when they were added.
            unsafe { second.as_ref() }.previous.set(Some(link.into()));
        }
        first.0 = Some(link.into());
    }

    /// Takes an object off the list, if it is on it.
    ///
    /// # Safety
    /// The link was never in another list.
    pub(super) unsafe fn remove(&self, link: &LiveLink) {
        let mut first = self.0.lock();
        if link.object.take().is_none() {
            return;
        }
        let (previous, next) = (link.previous.take(), link.next.take());
        // SAFETY: the neighbours are listed, and listed links live.
        unsafe {
            match previous {
                Some(previous) => previous.as_ref().next.set(next),
                None => first.0 = next,
            }
            if let Some(next) = next {
                next.as_ref().previous.set(previous);
            }
        }
    }

    /// Visits every listed object.
    pub(super) fn visit(&self, mut each: impl FnMut(&dyn LiveObject)) {
        let first = self.0.lock();
        let mut link = first.0;
        while let Some(at) = link {
            // SAFETY: listed links and their objects live while the lock is held: an object that
            // ends waits for it in `remove`.
            unsafe {
                if let Some(object) = at.as_ref().object.get() {
                    each(object.as_ref());
                }
                link = at.as_ref().next.get();
            }
        }
    }
}
