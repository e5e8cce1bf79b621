//! Host objects behind externrefs, for embedders that ask for it: the guest carries numbers, the
//! host sees objects.
//!
//! An object belongs to an instance, which is known by its address alone. It goes when its owner
//! deletes it or ends, or, unless it is retained, when the owner's globals and tables do not lead
//! to it after a call; the callers pass owners, and the numbers that globals and tables hold. An
//! object's cleanup function runs without any lock, after its number has become invalid.

use crate::abi::vm_layout::VmInstance;
use crate::alloc::fallible;
use crate::native::ExternRefMap;
use crate::sync::Lock;
use crate::sync::atomic::{AtomicUsize, Ordering};
use std::collections::HashMap;
use std::ffi::c_void;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// An embedder's cleanup function for an object.
pub type ObjectCleanup = unsafe extern "C" fn(*mut c_void);

/// An embedder's function for the end of an object, the object's word and a pointer.
type Finalizer = (ObjectFinalizer, usize, *mut c_void);
type ObjectFinalizer = unsafe extern "C" fn(*mut c_void, *mut c_void);

/// Numbers and their objects. Owner: a context.
#[derive(Default)]
pub struct ExternObjects {
    table: Lock<ExternRefTable>,
    /// Objects that are not retained.
    loose: AtomicUsize,
}

/// Keys are numbers from here and addresses of the host's, none of which a guest chooses.
type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

#[derive(Default)]
struct ExternRefTable {
    objects: Map<u32, Object>,
    /// Numbers by owner and address.
    numbers: Map<(usize, usize), u32>,
    /// The number given out last; zero is none.
    last: u32,
    /// Counts searches for reachable objects.
    epoch: u64,
}

struct Object {
    address: usize,
    owner: usize,
    retained: bool,
    /// Calls of [`ExternObjects::pin`] that were not taken back.
    pins: u32,
    cleanup: Option<ObjectCleanup>,
    finalizer: Option<Finalizer>,
    /// The last search that found it, or the last one before it was made.
    seen: u64,
}

// SAFETY: the one pointer is the embedder's, who allows its function to be called with it on any
// thread.
unsafe impl Send for Object {}

/// The number that stands for null.
const NULL_NUMBER: u32 = u32::MAX;

/// The owner of objects that are about to go; no instance has this address.
const NOBODY: usize = 0;

/// Objects that are taken out of the table under one lock.
const BATCH: usize = 32;

impl ExternObjects {
    /// The number of an object of `owner`'s, given to it now if it has none; `None` if memory or
    /// numbers run out.
    pub fn number(&self, owner: usize, address: usize) -> Option<u32> {
        let mut table = self.table.lock();
        let ExternRefTable { objects, numbers, last, epoch } = &mut *table;
        if let Some(number) = numbers.get(&(owner, address)) {
            return Some(*number);
        }
        let number = last.checked_add(1).filter(|&number| number != NULL_NUMBER)?;
        fallible(|| objects.try_reserve(1).and_then(|()| numbers.try_reserve(1))).ok()?;
        let object = Object {
            address,
            owner,
            retained: false,
            pins: 0,
            cleanup: None,
            finalizer: None,
            seen: *epoch,
        };
        objects.insert(number, object);
        numbers.insert((owner, address), number);
        *last = number;
        self.loose.fetch_add(1, Ordering::Relaxed);
        Some(number)
    }

    /// The object with this number.
    pub fn address(&self, number: u32) -> Option<usize> {
        self.table.lock().objects.get(&number).map(|object| object.address)
    }

    /// Keeps an object until its owner ends; false if there is none with this number.
    pub fn retain(&self, number: u32) -> bool {
        let mut table = self.table.lock();
        let Some(object) = table.objects.get_mut(&number) else { return false };
        if !std::mem::replace(&mut object.retained, true) {
            self.loose.fetch_sub(1, Ordering::Relaxed);
        }
        true
    }

    /// Keeps an object until [`ExternObjects::unpin`] was called as often; false if there is none
    /// with this number.
    pub fn pin(&self, number: u32) -> bool {
        let mut table = self.table.lock();
        let Some(object) = table.objects.get_mut(&number) else { return false };
        object.pins = object.pins.saturating_add(1);
        true
    }

    /// Takes one [`ExternObjects::pin`] back; false if there is none.
    pub fn unpin(&self, number: u32) -> bool {
        let mut table = self.table.lock();
        let pins = table.objects.get_mut(&number).map(|object| &mut object.pins);
        let Some(pins) = pins.filter(|pins| **pins > 0) else { return false };
        *pins -= 1;
        true
    }

    /// The number of an object that an instance has at this address, whichever it is.
    pub fn any_number(&self, address: usize) -> Option<u32> {
        let table = self.table.lock();
        table
            .objects
            .iter()
            .find(|(_, object)| object.address == address)
            .map(|(&number, _)| number)
    }

    /// Sets the function that is called with `word` and `data` when the object with this number
    /// goes; false if there is none. The object can still be found meanwhile.
    ///
    /// # Safety
    /// The function may be called once with them, on any thread.
    pub unsafe fn set_finalizer(&self, number: u32, finalizer: Option<Finalizer>) -> bool {
        let mut table = self.table.lock();
        table.objects.get_mut(&number).map(|object| object.finalizer = finalizer).is_some()
    }

    /// Sets an object's cleanup function; false if `owner` has no such object.
    ///
    /// # Safety
    /// The function may be called once with the address, on any thread.
    pub unsafe fn set_cleanup(
        &self,
        owner: usize,
        address: usize,
        cleanup: Option<ObjectCleanup>,
    ) -> bool {
        let mut table = self.table.lock();
        let Some(number) = table.numbers.get(&(owner, address)).copied() else { return false };
        table.objects.get_mut(&number).map(|object| object.cleanup = cleanup).is_some()
    }

    /// Lets an object go; false if `owner` has no such object.
    pub fn delete(&self, owner: usize, address: usize) -> bool {
        let mut table = self.table.lock();
        let Some(number) = table.numbers.remove(&(owner, address)) else { return false };
        let Some(object) = table.objects.remove(&number) else { return false };
        drop(table);
        self.gone(number, object);
        true
    }

    /// Lets all objects of an owner go.
    pub fn delete_all(&self, owner: usize) {
        self.sweep(|object| object.owner == owner);
    }

    /// Frees the tables' memory. The context ends, so no object can come any more.
    pub fn clear(&self) {
        let table = std::mem::take(&mut *self.table.lock());
        // Dropped without the lock, as everywhere here.
        drop(table);
    }

    /// Whether there is anything that [`ExternObjects::reclaim`] may let go.
    #[inline]
    pub fn may_reclaim(&self) -> bool {
        self.loose.load(Ordering::Relaxed) > 0
    }

    /// Lets those objects of an owner go that are not retained and whose numbers `visit` does
    /// not name.
    pub fn reclaim(&self, owner: usize, visit: impl FnOnce(&mut dyn FnMut(u64))) {
        let mut table = self.table.lock();
        table.epoch += 1;
        let ExternRefTable { objects, epoch, .. } = &mut *table;
        let epoch = *epoch;
        visit(&mut |word| {
            let number = u32::try_from(word).unwrap_or(NULL_NUMBER);
            if let Some(object) = objects.get_mut(&number) {
                object.seen = epoch;
            }
        });
        drop(table);
        // Objects that cleanup functions make have seen this epoch, or a later one.
        self.sweep(|object| is_loose(object) && object.owner == owner && object.seen < epoch);
    }

    /// Takes out the objects for which `goes` is true, a batch at a time, so that cleanup functions
    /// run without the lock and nothing is allocated.
    fn sweep(&self, goes: impl Fn(&Object) -> bool) {
        loop {
            let mut batch = [const { None }; BATCH];
            let mut count = 0;
            let mut table = self.table.lock();
            let ExternRefTable { objects, numbers, .. } = &mut *table;
            let going = objects.extract_if(|_, object| goes(object));
            for (place, (number, object)) in batch.iter_mut().zip(going) {
                numbers.remove(&(object.owner, object.address));
                *place = Some((number, object));
                count += 1;
            }
            drop(table);
            batch.into_iter().flatten().for_each(|(number, object)| self.gone(number, object));
            if count < BATCH {
                return;
            }
        }
    }

    fn gone(&self, number: u32, mut object: Object) {
        if !object.retained {
            self.loose.fetch_sub(1, Ordering::Relaxed);
        }
        if let Some((finalizer, word, data)) = object.finalizer.take() {
            self.finalize(number, &object, || {
                let object = std::ptr::with_exposed_provenance_mut(word);
                // SAFETY: `set_finalizer`'s caller allows one call, and nobody has the function
                // any more.
                unsafe { finalizer(object, data) };
            });
        }
        if let Some(cleanup) = object.cleanup {
            // SAFETY: `set_cleanup`'s caller allows one call, and the object is out of the table.
            unsafe { cleanup(std::ptr::with_exposed_provenance_mut(object.address)) };
        }
    }
}

impl ExternObjects {
    /// Calls `finalizer` while the object is back in the table under its number, owned by nobody.
    fn finalize(&self, number: u32, object: &Object, finalizer: impl FnOnce()) {
        let again = Object {
            owner: NOBODY,
            retained: true,
            pins: 0,
            cleanup: None,
            finalizer: None,
            ..*object
        };
        let mut table = self.table.lock();
        if fallible(|| table.objects.try_reserve(1)).is_ok() {
            table.objects.insert(number, again);
        }
        drop(table);
        finalizer();
        self.table.lock().objects.remove(&number);
    }
}

/// Whether an object goes when nothing leads to it.
fn is_loose(object: &Object) -> bool {
    !object.retained && object.pins == 0
}

impl ExternRefMap for ExternObjects {
    fn to_host(&self, word: u64) -> Option<*mut c_void> {
        let address = self.address(u32::try_from(word).ok()?)?;
        Some(std::ptr::with_exposed_provenance_mut(address))
    }

    fn from_host(&self, instance: *mut VmInstance, object: *mut c_void) -> Option<u64> {
        self.number(instance.addr(), object.expose_provenance()).map(u64::from)
    }
}
