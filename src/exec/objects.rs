//! The instructions on objects of guests, the same for every engine.
//!
//! An engine calls [`execute`] with the operands in slots, one behind the other, where the result
//! is to be, and [`is_of`] for casts. A reference is a claim about the heap, so that every access
//! finds an object, or the instruction traps as it does for null.
//!
//! An allocation may find that a collection is due ([`collect::make`]).

use super::collect;
use super::engine::Point;
use super::fields::show_view;
use super::work;
use crate::abi::heap_types::{HeapType, RefType, TypeKind};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, VmThrown};
use crate::gc::{GcRef, HeapFull, StorageKind, StructLayout};
use crate::instance::{Instance, Slots};

/// An instruction. Operands and the order of indices are the specification's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ObjectOp {
    StructNew,
    StructNewDefault,
    ArrayNew,
    ArrayNewDefault,
    /// The index is the length.
    ArrayNewFixed,
    ArrayNewData,
    ArrayNewElem,
    ArrayFill,
    ArrayCopy,
    ArrayInitData,
    ArrayInitElem,
}

/// The most fields of a struct, and bytes of elements of an array, that cost no more than an
/// instruction.
const DIRECT_FIELDS: usize = 16;
pub const DIRECT_BYTES: u32 = 256;

/// Whether engines may make the struct of an instruction by themselves, which is not charged for
/// then: a small one, with a slot for each value.
pub fn is_direct_struct(op: ObjectOp, layout: &StructLayout) -> bool {
    let fields = layout.fields();
    let has_vectors = op == ObjectOp::StructNew && fields.iter().any(|it| slots_of(it.kind()) > 1);
    fields.len() <= DIRECT_FIELDS && !has_vectors
}

/// The same for an array with these elements. `index` is the instruction's second one: the length,
/// or zero where that is an operand, which the engine has to look at.
pub fn is_direct_array(op: ObjectOp, elements: StorageKind, index: u32) -> bool {
    let has_vectors = op != ObjectOp::ArrayNewDefault && slots_of(elements) > 1;
    is_small(elements, index) && !has_vectors
}

/// Whether engines may test by themselves whether a reference leads to this type, which is not
/// charged for then.
pub fn is_direct_test(heap: HeapType) -> bool {
    use HeapType::{Any, Array, Defined, Eq, I31, Struct};
    let defined = matches!(heap, Defined(TypeKind::Struct | TypeKind::Array, _));
    defined || matches!(heap, Any | Eq | I31 | Struct | Array)
}

#[cfg(isothread_jit)]
impl ObjectOp {
    /// By their numbers.
    pub const ALL: [Self; 11] = [
        Self::StructNew,
        Self::StructNewDefault,
        Self::ArrayNew,
        Self::ArrayNewDefault,
        Self::ArrayNewFixed,
        Self::ArrayNewData,
        Self::ArrayNewElem,
        Self::ArrayFill,
        Self::ArrayCopy,
        Self::ArrayInitData,
        Self::ArrayInitElem,
    ];
}

/// The work of one element of a segment, in bytes: it is looked up, and set on its own.
const ELEM_BYTES: usize = 4 * size_of::<u64>();

/// One instruction of a running environment's.
struct Step<'a> {
    env: *mut VmEnv,
    point: Point,
    instance: &'a Instance,
    /// The operands, and room for the result.
    slots: *mut u64,
    /// The index of the type, and the second index, if there is one.
    ty: u32,
    index: u32,
}

/// Executes an instruction at `point`. The engine has charged for it, but not for its length.
///
/// # Safety
/// `env` is the live environment of the running code, which is at the point. The instruction was
/// validated for the environment's instance; its operands lie from `slots` on, where there is room
/// for its result.
pub unsafe fn execute(
    env: *mut VmEnv,
    point: Point,
    op: ObjectOp,
    slots: *mut u64,
    (ty, index): (u32, u32),
) -> Result<(), Trap> {
    // SAFETY: the caller vouches for environment, operands and room.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        let step = Step { env, point, instance, slots, ty, index };
        let done = match op {
            ObjectOp::StructNew => step.struct_new(true),
            ObjectOp::StructNewDefault => step.struct_new(false),
            ObjectOp::ArrayNew => step.array_new(),
            ObjectOp::ArrayNewDefault => step.array_new_default(),
            ObjectOp::ArrayNewFixed => step.array_new_fixed(),
            ObjectOp::ArrayNewData => step.array_new_data(),
            ObjectOp::ArrayNewElem => step.array_new_elem(),
            ObjectOp::ArrayFill => step.array_fill(),
            ObjectOp::ArrayCopy => step.array_copy(),
            ObjectOp::ArrayInitData => step.array_init_data(),
            ObjectOp::ArrayInitElem => step.array_init_elem(),
        };
        show_view(env);
        done
    }
}

/// Whether the reference in `word` is of type `ty`, in which numbers are the module's.
///
/// # Safety
/// `env` is the live environment of the running code, and the word of the type's hierarchy.
pub unsafe fn is_of(env: *mut VmEnv, ty: RefType, word: u64) -> bool {
    // SAFETY: the running instance is live. A function in the word is of its link set, which keeps
    // it; an object is looked up.
    unsafe {
        let instance = Instance::of_vm((*env).instance);
        instance.accepts(instance.types().reference(ty), word)
    }
}

/// Slots of a value.
fn slots_of(kind: StorageKind) -> usize {
    if kind == StorageKind::V128 { 2 } else { 1 }
}

/// Whether an array is not charged for.
fn is_small(kind: StorageKind, len: u32) -> bool {
    len <= DIRECT_BYTES >> kind.bytes_log2()
}

impl Step<'_> {
    /// # Safety
    /// There is such a slot of the instruction's.
    unsafe fn slot(&self, at: usize) -> u64 {
        // SAFETY: there is, says the caller.
        unsafe { *self.slots.add(at) }
    }

    /// # Safety
    /// There is a value of this kind.
    unsafe fn value(&self, at: usize, kind: StorageKind) -> Slots {
        // SAFETY: there is, says the caller, in as many slots as it takes.
        unsafe { [self.slot(at), if slots_of(kind) > 1 { self.slot(at + 1) } else { 0 }] }
    }

    /// # Safety
    /// There is room for a reference.
    unsafe fn finish_object(&self, object: GcRef) -> Result<(), Trap> {
        // SAFETY: says the caller.
        unsafe { *self.slots = object.word() };
        Ok(())
    }

    /// The kind of the type's elements.
    fn element(&self, ty: u32) -> Result<StorageKind, Trap> {
        self.instance.module().layouts.of_array(ty).ok_or(Trap::Internal)
    }

    /// The array that a slot refers to, and its length.
    ///
    /// # Safety
    /// There is a reference in the slot.
    unsafe fn array(&self, at: usize) -> Result<(GcRef, u32), Trap> {
        // SAFETY: says the caller.
        let array = GcRef::from_word(unsafe { self.slot(at) }).ok_or(Trap::NullArray)?;
        let len = self.instance.with_objects(|heap| heap.len(array));
        Ok((array, len.ok_or(Trap::NullArray)?))
    }

    /// The array that the first slot refers to, if `count` elements from the one are there whose
    /// number is in the second slot.
    ///
    /// # Safety
    /// There are a reference and an index.
    unsafe fn range(&self, count: u32) -> Result<(GcRef, u32), Trap> {
        // SAFETY: says the caller.
        unsafe {
            let ((array, len), at) = (self.array(0)?, self.slot(1) as u32);
            match at.checked_add(count) {
                Some(end) if end <= len => Ok((array, at)),
                _ => Err(Trap::ArrayOutOfBounds),
            }
        }
    }

    /// Makes an object; frees others first if it is time for that.
    ///
    /// # Safety
    /// The code is at the point.
    unsafe fn make(
        &self,
        make: impl FnMut() -> Result<GcRef, HeapFull>,
        failure: Trap,
    ) -> Result<GcRef, Trap> {
        // SAFETY: the code is at the point, says the caller.
        unsafe { collect::make(self.env, self.point, &VmThrown::NONE, failure, make) }
    }

    unsafe fn struct_new(&self, with_values: bool) -> Result<(), Trap> {
        // SAFETY: there is a value for each field.
        unsafe {
            let object = self.make(|| self.instance.make_struct(self.ty), Trap::NoStruct)?;
            if with_values {
                let mut at = 0;
                self.instance.init_struct(object, self.ty, |kind| {
                    let value = self.value(at, kind);
                    at += slots_of(kind);
                    value
                });
                if at > DIRECT_FIELDS {
                    work::charge(self.env, work::of_slots(at))?;
                }
            }
            self.finish_object(object)
        }
    }

    /// # Safety
    /// The code is at the point.
    unsafe fn make_array(&self, len: u32) -> Result<GcRef, Trap> {
        let kind = self.element(self.ty)?;
        // SAFETY: says the caller, and the environment is live.
        unsafe {
            if !is_small(kind, len) {
                work::charge(self.env, work::of_bytes(u64::from(len) * kind.bytes() as u64))?;
            }
            let mut look = work::look(self.env);
            self.make(|| self.instance.make_array(self.ty, len, &mut look), Trap::NoArray)
        }
    }

    /// Sets elements that are there.
    ///
    /// # Safety
    /// The environment is live.
    unsafe fn fill(&self, array: GcRef, at: u32, value: Slots, count: u32) -> Result<(), Trap> {
        let bytes = self.element(self.ty)?.bytes();
        // SAFETY: the environment is live, says the caller.
        unsafe {
            work::in_pieces(self.env, count as usize, bytes, |done, now| {
                let (at, now) = (at + done as u32, now as u32);
                let filled =
                    self.instance.with_objects(|heap| heap.array_fill(array, at, value, now));
                filled.ok_or(Trap::ArrayOutOfBounds)
            })
        }
    }

    unsafe fn array_new(&self) -> Result<(), Trap> {
        // SAFETY: there are a value and a length.
        unsafe {
            let kind = self.element(self.ty)?;
            let len = self.slot(slots_of(kind)) as u32;
            let (array, value) = (self.make_array(len)?, self.value(0, kind));
            if is_small(kind, len) {
                self.instance.with_objects(|heap| heap.array_fill(array, 0, value, len));
            } else {
                self.fill(array, 0, value, len)?;
            }
            self.finish_object(array)
        }
    }

    unsafe fn array_new_default(&self) -> Result<(), Trap> {
        // SAFETY: there is a length.
        unsafe {
            let array = self.make_array(self.slot(0) as u32)?;
            self.finish_object(array)
        }
    }

    unsafe fn array_new_fixed(&self) -> Result<(), Trap> {
        // SAFETY: there are as many values as the index says.
        unsafe {
            let kind = self.element(self.ty)?;
            let array = self.make_array(self.index)?;
            for at in 0..self.index {
                let value = self.value(at as usize * slots_of(kind), kind);
                self.instance.with_objects(|heap| heap.array_set(array, at, value));
            }
            self.finish_object(array)
        }
    }

    /// The bytes of `count` elements from byte `from` of the data segment at the index.
    fn data(&self, kind: StorageKind, from: u32, count: u32) -> Result<&[u8], Trap> {
        let bytes = match self.instance.is_data_dropped(self.index) {
            true => &[],
            false => self.instance.module().data(self.index).unwrap_or_default(),
        };
        let len = u64::from(count) * kind.bytes() as u64;
        let end = u64::from(from) + len;
        let end = usize::try_from(end).map_err(|_| Trap::MemoryOutOfBounds)?;
        bytes.get(from as usize..end).ok_or(Trap::MemoryOutOfBounds)
    }

    /// Writes bytes to elements that are there.
    ///
    /// # Safety
    /// The environment is live.
    unsafe fn copy_in(&self, array: GcRef, at: u32, bytes: &[u8]) -> Result<(), Trap> {
        let size = self.element(self.ty)?.bytes();
        // SAFETY: the environment is live, says the caller.
        unsafe {
            work::in_pieces(self.env, bytes.len() / size, size, |done, now| {
                let piece = bytes.get(done * size..(done + now) * size).ok_or(Trap::Internal)?;
                let at = at + done as u32;
                let copied = self.instance.with_objects(|heap| heap.copy_in(array, at, piece));
                copied.ok_or(Trap::ArrayOutOfBounds)
            })
        }
    }

    /// Writes values of the element segment at the index to elements that are there.
    ///
    /// # Safety
    /// The environment is live.
    unsafe fn copy_elems(&self, array: GcRef, at: u32, from: u32, count: u32) -> Result<(), Trap> {
        // SAFETY: the environment is live, says the caller.
        unsafe {
            work::in_pieces(self.env, count as usize, ELEM_BYTES, |done, now| {
                let first = from as usize + done;
                self.instance.elem_words(self.index, first, now, &mut |place, word| {
                    let at = at + (done + place) as u32;
                    self.instance.with_objects(|heap| heap.array_set(array, at, [word, 0]));
                })
            })
        }
    }

    unsafe fn array_new_data(&self) -> Result<(), Trap> {
        // SAFETY: there are a place and a length.
        unsafe {
            let (from, len) = (self.slot(0) as u32, self.slot(1) as u32);
            let bytes = self.data(self.element(self.ty)?, from, len)?;
            let array = self.make_array(len)?;
            self.copy_in(array, 0, bytes)?;
            self.finish_object(array)
        }
    }

    unsafe fn array_new_elem(&self) -> Result<(), Trap> {
        // SAFETY: there are a place and a length.
        unsafe {
            let (from, len) = (self.slot(0) as u32, self.slot(1) as u32);
            self.instance.check_elems(self.index, from, len)?;
            let array = self.make_array(len)?;
            self.copy_elems(array, 0, from, len)?;
            self.finish_object(array)
        }
    }

    unsafe fn array_fill(&self) -> Result<(), Trap> {
        // SAFETY: there are a reference, an index, a value and a count.
        unsafe {
            let kind = self.element(self.ty)?;
            let count = self.slot(2 + slots_of(kind)) as u32;
            let (array, at) = self.range(count)?;
            self.fill(array, at, self.value(2, kind), count)
        }
    }

    unsafe fn array_copy(&self) -> Result<(), Trap> {
        // SAFETY: there are a reference and an index twice, and a count.
        unsafe {
            let count = self.slot(4) as u32;
            let ((_, _), (from, from_len)) = (self.array(0)?, self.array(2)?);
            let (to, to_at) = self.range(count)?;
            let from_at = self.slot(3) as u32;
            if from_at.checked_add(count).is_none_or(|end| end > from_len) {
                return Err(Trap::ArrayOutOfBounds);
            }
            // From the end where elements would be overwritten that a later piece reads.
            let backwards = to == from && to_at > from_at;
            let bytes = self.element(self.ty)?.bytes();
            work::in_pieces(self.env, count as usize, bytes, |done, now| {
                let at = if backwards { count - (done + now) as u32 } else { done as u32 };
                let copied = self.instance.with_objects(|heap| {
                    heap.array_copy(to, to_at + at, from, from_at + at, now as u32)
                });
                copied.ok_or(Trap::ArrayOutOfBounds)
            })
        }
    }

    unsafe fn array_init_data(&self) -> Result<(), Trap> {
        // SAFETY: there are a reference, an index, a place and a count.
        unsafe {
            let (from, count) = (self.slot(2) as u32, self.slot(3) as u32);
            let (array, at) = self.range(count)?;
            let bytes = self.data(self.element(self.ty)?, from, count)?;
            self.copy_in(array, at, bytes)
        }
    }

    unsafe fn array_init_elem(&self) -> Result<(), Trap> {
        // SAFETY: there are a reference, an index, a place and a count.
        unsafe {
            let (from, count) = (self.slot(2) as u32, self.slot(3) as u32);
            let (array, at) = self.range(count)?;
            self.instance.check_elems(self.index, from, count)?;
            self.copy_elems(array, at, from, count)
        }
    }
}
