//! The objects of a link set's guests: structs and arrays.
//!
//! The heap is the link set's, made with its first object. Here is what an instance makes there and
//! knows of what is there; the rest of the instructions is `exec::objects`, which knows stacks.

use super::{Instance, link_set};
use crate::abi::guest_word;
use crate::abi::heap_types::{HeapType, RefType, TypeKind};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmFuncRef;
use crate::gc::{GcHeap, GcRef, HeapFull, StorageKind};
use crate::types::is_subtype;

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

/// Heaps of one context that may become one have numbers below this.
const NUMBERS: u32 = 1 << 16;

/// An empty heap. Its number is the `number`th of those whose references are the guest's own words.
fn new_heap(limits: ObjectLimits, number: u32) -> GcHeap {
    let highest = (guest_word::GUEST_BITS as u32) << NUMBERS.trailing_zeros();
    // The heap counts numbers from 1.
    let mut heap = GcHeap::new(limits.bytes, (highest | (number % NUMBERS)).wrapping_sub(1));
    heap.set_stress(limits.stress);
    heap
}

impl Instance {
    /// Calls `act` with the heap of the link set, which it must not ask for otherwise.
    pub fn with_objects<R>(&self, act: impl FnOnce(&mut GcHeap) -> R) -> R {
        // SAFETY: an instance's link set is alive, one thread uses it at a time, and nothing that
        // is called with the heap comes here.
        let heap = unsafe { &mut *link_set::objects(self.ptr()) };
        act(heap.get_or_insert_with(|| {
            let (limits, number) = self.host.object_heap();
            new_heap(limits, number)
        }))
    }

    /// As [`Instance::with_objects`]; `None` if there are no objects yet.
    pub fn with_live_objects<R>(&self, act: impl FnOnce(&GcHeap) -> R) -> Option<R> {
        // SAFETY: as for `with_objects`: alive, one thread's, and asked for once at a time.
        unsafe { &*link_set::objects(self.ptr()) }.as_ref().map(act)
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

    /// Makes an array of the module's type at `ty`, of zeros or null references.
    pub fn make_array(&self, ty: u32, len: u32) -> Result<GcRef, HeapFull> {
        let (kind, id) = (self.module.layouts.of_array(ty), self.type_id(ty));
        let (kind, id) = kind.zip(id).ok_or(HeapFull::Exhausted)?;
        self.with_objects(|heap| heap.alloc_array(kind, id, len))
    }

    /// As [`Instance::make_struct`] or the like, where nobody can say what refers to objects, so
    /// that none can be freed.
    pub(super) fn make_uncollected(
        &self,
        mut make: impl FnMut() -> Result<GcRef, HeapFull>,
    ) -> Option<GcRef> {
        match make() {
            Ok(object) => Some(object),
            Err(HeapFull::Exhausted) => None,
            Err(HeapFull::Collect) => {
                self.with_objects(GcHeap::postpone_collection);
                make().ok()
            }
        }
    }

    /// Whether the reference in `word` is of type `ty`, in which numbers are canonical.
    ///
    /// # Safety
    /// The word is null or one of the type's hierarchy. A function or an exception lives.
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
    fn is_object(&self, wanted: HeapType, word: u64) -> bool {
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

/// What is shown the references that somebody holds, to keep what they lead to. Words that are no
/// references may be shown, too.
pub trait Marks {
    /// Something was looked at that takes as long as so many references. Fails if there is a
    /// reason to stop.
    fn step(&mut self, steps: usize) -> Result<(), Trap>;

    /// Notes that a word was found somewhere, as a step.
    fn mark(&mut self, word: u64) -> Result<(), Trap>;
}

impl Marks for crate::gc::GcMarker<'_, '_, '_> {
    fn step(&mut self, steps: usize) -> Result<(), Trap> {
        Self::step(self, steps)
    }

    fn mark(&mut self, word: u64) -> Result<(), Trap> {
        Self::mark(self, word)
    }
}

impl Instance {
    /// Shows what globals, tables and segments refer to; returns how many places there were.
    pub fn mark_own(&self, marks: &mut dyn Marks) -> Result<usize, Trap> {
        let module = self.module();
        let mut looked_at = 0;
        for (index, global) in module.globals.iter().enumerate() {
            marks.step(1)?;
            if global.ty.val.is_collected()
                && let Some(storage) = self.global(index as u32)
            {
                // SAFETY: an instance's globals are live; references take the low word.
                marks.mark(unsafe { storage.as_ref() }.slots[0])?;
                looked_at += 1;
            }
        }
        for (index, table) in module.tables.iter().enumerate() {
            marks.step(1)?;
            if table.ty.elem.is_collected()
                && let Some(table) = self.table(index as u32)
            {
                for element in 0..table.len() {
                    marks.mark(table.get(element).unwrap_or(0))?;
                }
                looked_at += table.len() as usize;
            }
        }
        self.elem_objects.for_each(&mut |word| {
            looked_at += 1;
            marks.mark(word)
        })?;
        Ok(looked_at)
    }
}
