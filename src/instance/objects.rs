//! The objects of a link set's guests: structs, arrays and exceptions.
//!
//! The heap is the link set's, made with its first object. Here is what an instance makes there and
//! knows of what is there; the rest of the instructions is `exec::objects` and `exec::throw`, which
//! know stacks.

use super::{Instance, link_set};
use crate::abi::guest_word;
use crate::abi::heap_types::{HeapType, RefType, TypeKind};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmFuncRef, VmTag, VmThrown};
use crate::gc::{GcHeap, GcLook, GcMarker, GcRef, HeapFull, StorageKind};
use crate::types::is_subtype;
use std::{ptr, slice};

/// A value as it lies in two slots, of which most need the first alone.
pub type Slots = [u64; 2];

/// What the heap of a link set is to be.
#[derive(Clone, Copy, Debug)]
pub struct ObjectLimits {
    /// Bytes that objects may take.
    pub bytes: u64,
    /// Collects at every allocation, for tests.
    pub stress: bool,
}

impl Default for ObjectLimits {
    /// As large as WAMR's.
    fn default() -> Self {
        Self { bytes: 128 << 10, stress: false }
    }
}

/// Heaps have numbers below this.
pub const HEAP_NUMBERS: u32 = 1 << 16;

/// The number of the heap that has made an object.
pub fn heap_number(object: GcRef) -> u32 {
    object.part() % HEAP_NUMBERS
}

/// An empty heap. Its number is the `number`th of those whose references are the guest's own words.
fn new_heap(limits: ObjectLimits, number: u32) -> GcHeap {
    let highest = (guest_word::GUEST_BITS as u32) << HEAP_NUMBERS.trailing_zeros();
    // The heap counts numbers from 1.
    let mut heap = GcHeap::new(limits.bytes, (highest | (number % HEAP_NUMBERS)).wrapping_sub(1));
    heap.set_stress(limits.stress);
    heap
}

impl Instance {
    /// Calls `act` with the heap of the link set, which it must not ask for otherwise.
    pub fn with_objects<R>(&self, act: impl FnOnce(&mut GcHeap) -> R) -> R {
        // SAFETY: an instance's link set is alive, one thread uses it at a time, and nothing that
        // is called with the heap comes here.
        let heap = unsafe { &mut *link_set::objects(self.ptr()) };
        if let Some(heap) = heap {
            return act(heap);
        }
        match self.host.object_heap(self.ptr()) {
            Some((limits, number)) => act(heap.insert(new_heap(limits, number))),
            // One in which there is room for nothing.
            None => act(&mut new_heap(ObjectLimits { bytes: 0, stress: false }, 0)),
        }
    }

    /// As [`Instance::with_objects`]; `None` if there are no objects yet.
    pub fn with_live_objects<R>(&self, act: impl FnOnce(&GcHeap) -> R) -> Option<R> {
        // SAFETY: as for `with_objects`: alive, one thread's, and asked for once at a time.
        unsafe { &*link_set::objects(self.ptr()) }.as_ref().map(act)
    }

    /// Runs the finalizers that collections have found. Not inside of others, so that the native
    /// stack stays bounded.
    pub fn run_finalizers(&self) {
        if self.with_live_objects(GcHeap::has_finalizers) != Some(true)
            || !self.with_objects(GcHeap::begin_finalizers)
        {
            return;
        }
        while let Some((object, finalizer)) = self.with_objects(GcHeap::take_finalizer) {
            // The object stays while its finalizer runs, unless memory runs out.
            let held = self.with_objects(|heap| heap.hold(object));
            self.host().run_finalizer(object, finalizer);
            if held {
                self.with_objects(|heap| heap.let_go(object));
            }
        }
        self.with_objects(GcHeap::finalizers_done);
    }

    /// Whether the link set's end has finalizers to run.
    pub(super) fn has_finalizers(&self) -> bool {
        self.with_live_objects(GcHeap::has_finalizers) == Some(true)
    }

    /// The canonical number of a type.
    fn type_id(&self, ty: u32) -> Option<u32> {
        self.types().ids().get(ty as usize).copied()
    }

    /// Makes a struct of the module's type at `ty`, of zeros and null references.
    pub fn make_struct(&self, ty: u32) -> Result<GcRef, HeapFull> {
        let (layout, id) = (self.module.layouts.of_struct(ty), self.type_id(ty));
        let (layout, id) = layout.zip(id).ok_or(HeapFull::Exhausted)?;
        self.with_objects(|heap| heap.alloc_struct(layout, id))
    }

    /// Sets all fields of a struct of the module's type at `ty`; `next` is called for each.
    pub fn init_struct(&self, object: GcRef, ty: u32, mut next: impl FnMut(StorageKind) -> Slots) {
        let Some(layout) = self.module.layouts.of_struct(ty) else { return };
        for &field in layout.fields() {
            let value = next(field.kind());
            self.with_objects(|heap| heap.set(object, field, value));
        }
    }

    /// Makes an array of the module's type at `ty`, of zeros or null references. `look`, which does
    /// not use the heap, is called while a large one is cleared.
    pub fn make_array(&self, ty: u32, len: u32, look: &mut GcLook<'_>) -> Result<GcRef, HeapFull> {
        let (kind, id) = (self.module.layouts.of_array(ty), self.type_id(ty));
        let (kind, id) = kind.zip(id).ok_or(HeapFull::Exhausted)?;
        self.with_objects(|heap| heap.alloc_array(kind, id, len, look))
    }

    /// Makes an object of an exception that is none yet.
    ///
    /// # Safety
    /// The tag is one of the link set's, and the payload has as many slots as it says.
    pub unsafe fn make_exception(&self, thrown: &VmThrown) -> Result<GcRef, HeapFull> {
        let &VmThrown { tag, payload, slots, .. } = thrown;
        // SAFETY: the caller vouches for the payload; a value fills its slots.
        let payload = unsafe { slice::from_raw_parts(payload, slots as usize) };
        let tag = tag.expose_provenance() as u64;
        self.with_objects(|heap| heap.alloc_exception(tag, payload))
    }

    /// The exception that the reference in `word` leads to. Any word may be asked about; `None` for
    /// null, other objects, and exceptions that are gone. What it says is good as long as the
    /// exception lives, and its tag as long as the link set.
    pub fn exception_of(&self, word: u64) -> Option<VmThrown> {
        let object = GcRef::from_word(word)?;
        self.with_live_objects(|heap| {
            let (tag, payload) = heap.exception(object)?;
            Some(VmThrown {
                // The heap has the word that `make_exception` has given it.
                tag: ptr::with_exposed_provenance::<VmTag>(tag as usize),
                payload: payload.as_ptr(),
                slots: payload.len() as u32,
                reserved: 0,
                reference: word,
            })
        })?
    }

    /// As [`Instance::make_struct`] or the like, where nobody can say what refers to objects, so
    /// that none can be freed.
    pub(super) fn make_uncollected(
        &self,
        mut make: impl FnMut() -> Result<GcRef, HeapFull>,
        failure: Trap,
    ) -> Result<GcRef, Trap> {
        let made = make().or_else(|full| {
            if full == HeapFull::Collect {
                self.with_objects(GcHeap::postpone_collection);
                return make();
            }
            Err(full)
        });
        made.map_err(|full| full.trap(failure))
    }

    /// Whether the reference in `word` is of type `ty`, in which numbers are canonical.
    ///
    /// # Safety
    /// The word is null or one of the type's hierarchy. A function lives.
    pub unsafe fn accepts(&self, ty: RefType, word: u64) -> bool {
        if word == 0 {
            return ty.is_nullable();
        }
        match ty.heap() {
            HeapType::Func | HeapType::Extern | HeapType::Exn => true,
            HeapType::NoFunc | HeapType::NoExtern | HeapType::NoExn | HeapType::None => false,
            HeapType::Defined(TypeKind::Func, wanted) => {
                let func = word as usize as *const VmFuncRef;
                // SAFETY: the function lives, so that its type's number is in use; so is that of
                // a type that somebody has.
                unsafe { is_subtype(self.types().all(), (*func).type_id, wanted.get()) }
            }
            heap => self.is_object(heap, word),
        }
    }

    /// Whether the word, which is not null, refers to an object of the wanted type.
    pub(super) fn is_object(&self, wanted: HeapType, word: u64) -> bool {
        let is_i31 = guest_word::as_small_integer(word).is_some();
        if wanted == HeapType::I31 || is_i31 {
            return is_i31 && matches!(wanted, HeapType::Any | HeapType::Eq | HeapType::I31);
        }
        if !guest_word::is_guests(word) {
            return wanted == HeapType::Any;
        }
        let Some(object) = GcRef::from_word(word) else { return false };
        let found = self.with_live_objects(|heap| {
            Some((heap.type_of(object)?, heap.element_kind(object).is_some()))
        });
        let Some((id, is_array)) = found.flatten() else { return false };
        match wanted {
            HeapType::Any | HeapType::Eq => true,
            HeapType::Struct => !is_array,
            HeapType::Array => is_array,
            // SAFETY: the types of objects in the heap are those of the link set's modules, which
            // are loaded as long as it is; so is that of a type that somebody has.
            HeapType::Defined(_, wanted) => unsafe {
                is_subtype(self.types().all(), id, wanted.get())
            },
            _ => false,
        }
    }
}

impl Instance {
    /// Shows what globals, tables and segments refer to.
    pub fn mark_own(&self, marker: &mut GcMarker<'_, '_, '_>) -> Result<(), Trap> {
        let module = self.module();
        for (index, global) in module.globals.iter().enumerate() {
            marker.step(1)?;
            if global.ty.val.is_collected()
                && let Some(storage) = self.global(index as u32)
            {
                // SAFETY: an instance's globals are live; references take the low word.
                marker.mark(unsafe { storage.as_ref() }.slots[0])?;
            }
        }
        for (index, table) in module.tables.iter().enumerate() {
            marker.step(1)?;
            if table.ty.elem.is_collected()
                && let Some(table) = self.table(index as u32)
            {
                for element in 0..table.len() {
                    marker.mark(table.get(element).unwrap_or(0))?;
                }
            }
        }
        self.elem_objects.for_each(&mut |word| marker.mark(word))
    }
}
