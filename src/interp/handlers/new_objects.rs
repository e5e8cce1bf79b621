//! New structs and arrays, of a free run that the heap has lent (`gc::direct`). Where that has no
//! room, slow handlers ask the heap.

use super::none;
use super::objects::execute;
use crate::exec::objects::{DIRECT_BYTES, ObjectOp};
use crate::gc::{ARRAY_HEAD_WORDS, StorageKind, direct};
use crate::interp::dispatch::{handler, next, slow, to_slow};
use crate::interp::shape::{self, Picked};

handler!(
    /// Makes a struct of the values from a slot on, where the reference goes.
    struct_new [] |r, i: shape::StructNew| {
    let instance = (*r.env).instance;
    let head = i.head | u64::from(*(*instance).type_ids.add(i.object.ty as usize));
    let made = direct::allocate((*instance).objects, i.refs.into(), i.words.into(), head);
    let Some((head, reference)) = made else { return to_slow::<SlowStructNew>(r, i) };
    let slots = r.sp.slot(i.object.at);
    for number in 0..i.count {
        let (field, value) = (&*i.fields.add(number), *slots.add(number));
        let place = head.add(1).cast::<u8>().add(field.at() as usize);
        // Comparisons, since a table of places to jump to is slower for so few.
        if field.kind() == StorageKind::Ref {
            *head.sub(1 + field.at() as usize) = value.to_le();
        } else if field.kind().bytes_log2() == 3 {
            place.cast::<u64>().write(value.to_le());
        } else if field.kind().bytes_log2() == 2 {
            place.cast::<u32>().write((value as u32).to_le());
        } else if field.kind() == StorageKind::I8 {
            *place = value as u8;
        } else {
            place.cast::<u16>().write((value as u16).to_le());
        }
    }
    *slots = reference;
    r.int = reference;
    r.pass(i);
    next(r)
});

slow!(
    /// As [`struct_new`], also with a collection before. It is not charged for, so that the fuel
    /// which an object costs does not depend on the heap.
    SlowStructNew |r, i: shape::StructNew| {
    execute(r, &i.object)?;
    r.int = *r.sp.slot(i.object.at);
    r.pass(i);
    Ok(())
});

/// The values of a new array's elements, as a type.
pub trait Elements {
    /// The slot of the length, behind the operands before it; `None` if the instruction has it.
    const LEN_AT: Option<usize>;

    /// Sets the elements, which are zero and lie from `to` on, in `words` words. They have
    /// `1 << LOG2` bytes.
    ///
    /// # Safety
    /// The operands lie from `slots` on: as many as there are elements, or one for all.
    unsafe fn set<const LOG2: u32>(to: *mut u64, words: usize, slots: *const u64, len: usize);
}

/// Zeros.
pub struct Zeros;

impl Elements for Zeros {
    const LEN_AT: Option<usize> = Some(0);

    #[inline(always)]
    unsafe fn set<const LOG2: u32>(_: *mut u64, _: usize, _: *const u64, _: usize) {}
}

/// The same value for each, in front of the length.
pub struct Repeated;

impl Elements for Repeated {
    const LEN_AT: Option<usize> = Some(1);

    #[inline(always)]
    unsafe fn set<const LOG2: u32>(to: *mut u64, words: usize, slots: *const u64, _: usize) {
        // SAFETY: the caller guarantees the value and the words. What is behind the last element in
        // its word belongs to nobody.
        unsafe {
            let pattern = match LOG2 {
                0 => (*slots & 0xff).wrapping_mul(0x0101_0101_0101_0101),
                1 => u64::from((*slots as u16).to_le()).wrapping_mul(0x0001_0001_0001_0001),
                2 => u64::from((*slots as u32).to_le()).wrapping_mul(0x0000_0001_0000_0001),
                _ => (*slots).to_le(),
            };
            for at in 0..words {
                // Volatile: the compiler must not make this loop a call of a function.
                to.add(at).write_volatile(pattern);
            }
        }
    }
}

/// A value for each. The instruction says how many.
pub struct FixedElements;

impl Elements for FixedElements {
    const LEN_AT: Option<usize> = None;

    #[inline(always)]
    unsafe fn set<const LOG2: u32>(to: *mut u64, _: usize, slots: *const u64, len: usize) {
        // SAFETY: the caller guarantees that there are so many values, and room for them.
        unsafe {
            for at in 0..len {
                // Volatile: the compiler must not make this loop a call of a function.
                let value = slots.add(at).read_volatile();
                match LOG2 {
                    0 => *to.cast::<u8>().add(at) = value as u8,
                    1 => *to.cast::<u16>().add(at) = (value as u16).to_le(),
                    2 => *to.cast::<u32>().add(at) = (value as u32).to_le(),
                    _ => *to.add(at) = value.to_le(),
                }
            }
        }
    }
}

handler!(
    /// Makes an array of the values from a slot on, where the reference goes. Its elements have
    /// `1 << LOG2` bytes.
    array_new [E: Elements, const LOG2: u32] |r, i: shape::ArrayNew| {
    let slots = r.sp.slot(i.object.at);
    let len = match E::LEN_AT {
        Some(at) => *slots.add(at) as u32,
        None => i.object.index,
    };
    if len > DIRECT_BYTES >> LOG2 {
        return to_slow::<SlowArrayNew>(r, i);
    }
    let elements = ((len as usize) << LOG2).div_ceil(8);
    let words = (ARRAY_HEAD_WORDS + elements) as u32;
    let instance = (*r.env).instance;
    let head = i.head | u64::from(*(*instance).type_ids.add(i.object.ty as usize));
    let made = direct::allocate((*instance).objects, 0, words, head);
    let Some((head, reference)) = made else { return to_slow::<SlowArrayNew>(r, i) };
    *head.add(1) = len.into();
    E::set::<LOG2>(head.add(ARRAY_HEAD_WORDS), elements, slots, len as usize);
    *slots = reference;
    r.int = reference;
    r.pass(i);
    next(r)
});

slow!(
    /// As [`array_new`], also with a collection before. Small arrays are not charged for, like
    /// structs.
    SlowArrayNew |r, i: shape::ArrayNew| {
    execute(r, &i.object)?;
    r.int = *r.sp.slot(i.object.at);
    r.pass(i);
    Ok(())
});

/// The handler of an instruction that makes an array of elements of a kind; none for vectors other
/// than zeros.
pub fn array_new_handler(op: ObjectOp, kind: StorageKind) -> Picked {
    macro_rules! pick {
        ($elements:ty) => {
            match kind.bytes_log2() {
                0 => Picked::leaf(array_new::<$elements, 0>),
                1 => Picked::leaf(array_new::<$elements, 1>),
                2 => Picked::leaf(array_new::<$elements, 2>),
                3 => Picked::leaf(array_new::<$elements, 3>),
                _ => none(),
            }
        };
    }
    match op {
        ObjectOp::ArrayNewDefault if kind == StorageKind::V128 => {
            Picked::leaf(array_new::<Zeros, 4>)
        }
        ObjectOp::ArrayNewDefault => pick!(Zeros),
        ObjectOp::ArrayNew => pick!(Repeated),
        ObjectOp::ArrayNewFixed => pick!(FixedElements),
        _ => none(),
    }
}
