//! Constant expressions, and the copying of segments.

use super::memory::{PIECE_BYTES, Pace, paced};
use super::objects::Slots;
use super::{Instance, address_space};
use crate::abi::error::{Error, Result};
use crate::abi::guest_word;
use crate::abi::trap::Trap;
use crate::alloc;
use crate::gc::StorageKind;
use crate::module::{
    ConstExpr, ConstOp, DataSegment, ElemItems, ElemSegment, FuncRefs, SegmentMode,
};
use std::ptr;

/// The work of one element of a segment, in bytes: it is looked up, and read and written.
const ELEM_BYTES: usize = 4 * size_of::<u64>();

/// Copies the active segments, element segments first, and drops them. An instance for another
/// thread of a program finds its shared memories initialised: their segments are dropped only.
pub(super) fn init(instance: &Instance, is_first: bool, pace: &mut Pace<'_>) -> Result<()> {
    let module = &instance.module;
    for (index, segment) in module.elems.iter().enumerate() {
        pace(size_of::<ElemSegment>())?;
        make_objects(instance, index as u32, segment, pace)?;
        if let SegmentMode::Active { target, offset } = &segment.mode {
            let [to, _] = evaluate(instance, offset, pace)?;
            let is_wide = module.tables.get(*target as usize).is_some_and(|table| table.ty.table64);
            // No table has so many elements that a larger index than this would be one.
            let to = if is_wide { u32::try_from(to).unwrap_or(u32::MAX) } else { to as u32 };
            let count = segment.items.len() as u32;
            let copied = instance.table_init(*target, index as u32, to, 0, count, pace);
            copied.map_err(does_not_fit)?;
        }
        if !matches!(segment.mode, SegmentMode::Passive) {
            instance.drop_elem(index as u32);
        }
    }
    for (index, segment) in module.datas.iter().enumerate() {
        pace(size_of::<DataSegment>())?;
        if let SegmentMode::Active { target, offset } = &segment.mode {
            let is_shared =
                || instance.memory(*target).is_some_and(|memory| memory.shared().is_some());
            if is_first || !is_shared() {
                let [to, _] = evaluate(instance, offset, pace)?;
                let is_wide = module.memories.get(*target as usize).is_some_and(|ty| ty.memory64);
                let to = if is_wide { to } else { to as u32 as u64 };
                let count = segment.bytes.end - segment.bytes.start;
                let copied = instance.memory_init(*target, index as u32, to, 0, count, pace);
                copied.map_err(does_not_fit)?;
            }
            instance.drop_data(index as u32);
        }
    }
    Ok(())
}

/// Notes the values of a passive segment, if they are new objects or an item has several
/// operations, so that no later use of it takes longer than its number of elements.
fn make_objects(
    instance: &Instance,
    index: u32,
    segment: &ElemSegment,
    pace: &mut Pace<'_>,
) -> Result<()> {
    let ElemItems::Exprs(exprs) = &segment.items else { return Ok(()) };
    let is_passive = matches!(segment.mode, SegmentMode::Passive);
    let is_made_once = |expr: &ConstExpr| expr.single().is_none() || expr.makes_objects();
    if !is_passive || !exprs.iter().any(is_made_once) {
        return Ok(());
    }
    // While values are made, those before must be found by nobody: nothing is collected.
    let mut words = alloc::try_vec(exprs.len()).map_err(|_| Error::out_of_memory())?;
    for expr in exprs {
        words.push(evaluate(instance, expr, pace)?[0]);
    }
    instance.elem_objects.add(index, words)
}

#[cold]
fn does_not_fit(trap: Trap) -> Error {
    match trap {
        Trap::TableOutOfBounds
        | Trap::MemoryOutOfBounds
        | Trap::NoArray
        | Trap::NoStruct
        | Trap::Internal => Error::instantiate(trap.text()),
        stopped => stopped.into(),
    }
}

#[cold]
fn malformed() -> Error {
    Error::instantiate(Trap::Internal.text())
}

/// The value of a constant expression, as it lies in slots.
pub(super) fn evaluate(
    instance: &Instance,
    expr: &ConstExpr,
    pace: &mut Pace<'_>,
) -> Result<Slots> {
    pace(expr.ops().len() * ELEM_BYTES)?;
    if let [op] = expr.ops()
        && !expr.makes_objects()
    {
        return value(instance, *op);
    }
    let mut stack: Vec<Slots> = Vec::new();
    for &op in expr.ops() {
        let result = match op {
            ConstOp::I32Add => binary32(&mut stack, u32::wrapping_add)?,
            ConstOp::I32Sub => binary32(&mut stack, u32::wrapping_sub)?,
            ConstOp::I32Mul => binary32(&mut stack, u32::wrapping_mul)?,
            ConstOp::I64Add => binary64(&mut stack, u64::wrapping_add)?,
            ConstOp::I64Sub => binary64(&mut stack, u64::wrapping_sub)?,
            ConstOp::I64Mul => binary64(&mut stack, u64::wrapping_mul)?,
            _ => match new_object(instance, op, &mut stack, pace)? {
                Some(word) => [word, 0],
                None => value(instance, op)?,
            },
        };
        stack.try_reserve(1).map_err(|_| Error::out_of_memory())?;
        stack.push(result);
    }
    // Validation guarantees one value; a bug there must not become a crash here.
    stack.pop().ok_or_else(malformed)
}

/// The reference that an operation of GC makes of what is on the stack; `None` for any other
/// operation. Objects are made without looking for any that could be freed: what an instance in the
/// making holds cannot be seen.
fn new_object(
    instance: &Instance,
    op: ConstOp,
    stack: &mut Vec<Slots>,
    pace: &mut Pace<'_>,
) -> Result<Option<u64>> {
    let bytes = |ty: u32, len: u32| {
        let element = instance.module.layouts.of_array(ty).map_or(0, StorageKind::bytes);
        element.saturating_mul(len as usize)
    };
    let array = |ty: u32, len: u32, pace: &mut Pace<'_>| {
        pace(bytes(ty, len))?;
        let mut look = || pace(PIECE_BYTES);
        let make = || instance.make_array(ty, len, &mut look);
        instance.make_uncollected(make, Trap::NoArray).map_err(does_not_fit)
    };
    let structure = |ty: u32| {
        let make = || instance.make_struct(ty);
        instance.make_uncollected(make, Trap::NoStruct).map_err(does_not_fit)
    };
    let mut pop = || stack.pop().ok_or_else(malformed);
    let object = match op {
        ConstOp::RefI31 => return Ok(Some(guest_word::small_integer(pop()?[0] as u32))),
        ConstOp::StructNewDefault(ty) => structure(ty)?,
        ConstOp::StructNew(ty) => {
            let object = structure(ty)?;
            let fields = instance.module.layouts.of_struct(ty).map_or(0, |ty| ty.fields().len());
            let first = stack.len().checked_sub(fields).ok_or_else(malformed)?;
            let mut values = stack.drain(first..);
            instance.init_struct(object, ty, |_| values.next().unwrap_or_default());
            object
        }
        ConstOp::ArrayNewDefault(ty) => array(ty, pop()?[0] as u32, pace)?,
        ConstOp::ArrayNew(ty) => {
            let (len, value) = (pop()?[0] as u32, pop()?);
            let object = array(ty, len, pace)?;
            let size = bytes(ty, 1);
            let filled = paced(len as usize, size, pace, |at, now| {
                let (at, now) = (at as u32, now as u32);
                let filled = instance.with_objects(|heap| heap.array_fill(object, at, value, now));
                filled.ok_or(Trap::Internal)
            });
            filled.map_err(does_not_fit)?;
            object
        }
        ConstOp::ArrayNewFixed { ty, len } => {
            let object = array(ty, len, pace)?;
            let first = stack.len().checked_sub(len as usize).ok_or_else(malformed)?;
            for (at, value) in (0..).zip(stack.drain(first..)) {
                instance.with_objects(|heap| heap.array_set(object, at, value));
            }
            object
        }
        _ => return Ok(None),
    };
    Ok(Some(object.word()))
}

fn binary64(stack: &mut Vec<Slots>, apply: impl Fn(u64, u64) -> u64) -> Result<Slots> {
    match (stack.pop(), stack.pop()) {
        (Some([right, _]), Some([left, _])) => Ok([apply(left, right), 0]),
        _ => Err(malformed()),
    }
}

fn binary32(stack: &mut Vec<Slots>, apply: impl Fn(u32, u32) -> u32) -> Result<Slots> {
    binary64(stack, |left, right| apply(left as u32, right as u32) as u64)
}

/// The value of an operation that takes none.
fn value(instance: &Instance, op: ConstOp) -> Result<Slots> {
    Ok(match op {
        ConstOp::I32(value) => [value as u32 as u64, 0],
        ConstOp::I64(value) => [value as u64, 0],
        ConstOp::F32(bits) => [bits as u64, 0],
        ConstOp::F64(bits) => [bits, 0],
        #[cfg(feature = "simd")]
        ConstOp::V128(value) => [value as u64, (value >> 64) as u64],
        ConstOp::RefNull => [0, 0],
        ConstOp::RefFunc(index) => [func_word(instance, index)?, 0],
        ConstOp::GlobalGet(index) => {
            let global = instance.global(index).ok_or_else(malformed)?;
            // SAFETY: the storage belongs to the instance or to one of its link set.
            unsafe { global.as_ref() }.slots
        }
        _ => return Err(malformed()),
    })
}

/// A function as it lies in a table.
fn func_word(instance: &Instance, index: u32) -> Result<u64> {
    let func = instance.func(index).ok_or_else(malformed)?;
    Ok(func.as_ptr() as usize as u64)
}

/// Elements of a segment and the place in a table that they go to, both found to be there.
pub struct ElemRange {
    segment: u32,
    from: usize,
    place: *mut u64,
}

impl Instance {
    /// Copies `count` elements from `from` of a segment to `to` of a table.
    pub fn table_init(
        &self,
        table: u32,
        segment: u32,
        to: u32,
        from: u32,
        count: u32,
        pace: &mut Pace<'_>,
    ) -> Result<(), Trap> {
        let whole = self.elem_range(table, segment, to, from, count)?;
        paced(count as usize, ELEM_BYTES, pace, |at, now| {
            // SAFETY: the piece lies in the range, and no table has grown since that was found.
            unsafe { self.copy_elems(&whole, at, now) }
        })
    }

    /// Finds `count` elements from `from` of a segment, and room for them at `to` of a table.
    pub fn elem_range(
        &self,
        table: u32,
        segment: u32,
        to: u32,
        from: u32,
        count: u32,
    ) -> Result<ElemRange, Trap> {
        let table = self.table(table).ok_or(Trap::Internal)?;
        let place = table.range(to as u64, count as u64).ok_or(Trap::TableOutOfBounds)?;
        self.check_elems(segment, from, count)?;
        Ok(ElemRange { segment, from: from as usize, place })
    }

    /// Copies `count` elements of a range, from its element `at` on.
    ///
    /// # Safety
    /// The elements belong to the range, and its table has not grown since that was found.
    pub unsafe fn copy_elems(
        &self,
        range: &ElemRange,
        at: usize,
        count: usize,
    ) -> Result<(), Trap> {
        self.elem_words(range.segment, range.from + at, count, &mut |index, word| {
            // SAFETY: the caller says that the elements are the range's, for which there is room.
            unsafe { *range.place.add(at + index) = word }
        })
    }

    /// Whether a segment has `count` elements from `from` on.
    pub fn check_elems(&self, segment: u32, from: u32, count: u32) -> Result<(), Trap> {
        let items = &self.module.elems.get(segment as usize).ok_or(Trap::Internal)?.items;
        let len = if self.is_elem_dropped(segment) { 0 } else { items.len() as u64 };
        if u64::from(from) + u64::from(count) > len {
            return Err(Trap::TableOutOfBounds);
        }
        Ok(())
    }

    /// Calls `store` with the number and the value of each of `count` elements from `first` on.
    pub fn elem_words(
        &self,
        segment: u32,
        first: usize,
        count: usize,
        store: &mut dyn FnMut(usize, u64),
    ) -> Result<(), Trap> {
        let range = first..first + count;
        match &self.module.elems.get(segment as usize).ok_or(Trap::Internal)?.items {
            ElemItems::Funcs(funcs) => {
                let places = &self.module.func_refs.place;
                let funcs = funcs.get(range).ok_or(Trap::Internal)?;
                for (index, &func) in funcs.iter().enumerate() {
                    let place = places.get(func as usize).copied().unwrap_or(FuncRefs::NONE);
                    let word = if place == FuncRefs::NONE {
                        0
                    } else {
                        self.vm.func_refs.wrapping_add(place as usize) as usize as u64
                    };
                    store(index, word);
                }
            }
            ElemItems::Exprs(exprs) => {
                let exprs = exprs.get(range.clone()).ok_or(Trap::Internal)?;
                if let Some(words) = self.elem_objects.of_segment(segment) {
                    let words = words.get(range).ok_or(Trap::Internal)?;
                    words.iter().enumerate().for_each(|(index, &word)| store(index, word));
                    return Ok(());
                }
                // An item whose value was not made beforehand has one operation, which the caller
                // has counted.
                for (index, expr) in exprs.iter().enumerate() {
                    let value = evaluate(self, expr, &mut |_| Ok(()));
                    store(index, value.map_err(|_| Trap::Internal)?[0]);
                }
            }
        }
        Ok(())
    }

    /// Copies `count` bytes from `from` of a segment to `to` of a memory.
    pub fn memory_init(
        &self,
        memory: u32,
        segment: u32,
        to: u64,
        from: u32,
        count: u32,
        pace: &mut Pace<'_>,
    ) -> Result<(), Trap> {
        let (bytes, place) = self.data_range(memory, segment, to, from, count)?;
        paced(bytes.len(), 1, pace, |at, now| {
            // SAFETY: there is room for the bytes; a module's bytes are never a memory's.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr().add(at), place.add(at), now) };
            Ok(())
        })
    }

    /// Finds `count` bytes from `from` of a segment, and room for them at `to` of a memory.
    pub fn data_range(
        &self,
        memory: u32,
        segment: u32,
        to: u64,
        from: u32,
        count: u32,
    ) -> Result<(&[u8], *mut u8), Trap> {
        let bytes = match self.is_data_dropped(segment) {
            true => &[],
            false => self.module.data(segment).unwrap_or_default(),
        };
        // SAFETY: this instance is alive.
        let place = unsafe { address_space::locate_in(self.vm(), memory, to, count as u64) };
        let place = place.ok_or(Trap::MemoryOutOfBounds)?;
        let end = (from as usize).checked_add(count as usize).ok_or(Trap::MemoryOutOfBounds)?;
        Ok((bytes.get(from as usize..end).ok_or(Trap::MemoryOutOfBounds)?, place))
    }
}
