//! Values by number, which stay where they are.
//!
//! They lie in chunks, the first of 8 and each as long as all before it together, so that a number
//! says where its value is and the list of chunks never grows. Numbers are used again, low ones
//! first, and a chunk goes with its last value.

use crate::abi::vm_layout::VmTypes;
use crate::alloc;
use std::collections::TryReserveError;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, Ordering};

const CHUNKS: usize = VmTypes::CHUNKS;

/// Numbers in the first chunk.
const FIRST: u32 = 8;

/// The chunks. Reading a value needs no lock while its number is in use.
pub(super) type Chunks<T> = [AtomicPtr<T>; CHUNKS];

pub(super) fn no_chunks<T>() -> Chunks<T> {
    [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS]
}

/// The count of a chunk's numbers, all of which are below the next chunk's.
fn numbers(chunk: usize) -> u32 {
    if chunk == 0 { FIRST } else { FIRST << (chunk - 1) }
}

fn first_number(chunk: usize) -> u32 {
    if chunk == 0 { 0 } else { FIRST << (chunk - 1) }
}

/// The value with this number; `None` if no number near it is in use.
// Leaves of the interpreter use it, which must call nothing.
#[inline(always)]
pub(super) fn find<T>(chunks: &Chunks<T>, number: u32) -> Option<NonNull<T>> {
    let chunk = (u32::BITS - (number / FIRST).leading_zeros()) as usize;
    let start = NonNull::new(chunks.get(chunk)?.load(Ordering::Acquire))?;
    // SAFETY: a chunk has room for all of its numbers.
    Some(unsafe { start.add((number - first_number(chunk)) as usize) })
}

/// The numbers in use, for each chunk. Zero is never given out.
pub(super) struct Books([Book; CHUNKS]);

#[derive(Default)]
struct Book {
    /// Room in the chunk; 0 if there is no chunk.
    capacity: usize,
    /// Numbers from the start that have been in use.
    begun: u32,
    /// Those of them that are free. There is room for all of the chunk's.
    free: Vec<u32>,
}

/// The reason why a value got no number.
pub(super) enum Full {
    Memory,
    Numbers,
}

impl From<TryReserveError> for Full {
    fn from(_: TryReserveError) -> Self {
        Self::Memory
    }
}

impl Books {
    pub(super) fn new() -> Self {
        Self(Default::default())
    }

    /// Gives `value` a number.
    pub(super) fn add<T>(&mut self, chunks: &Chunks<T>, value: T) -> Result<u32, Full> {
        for (chunk, book) in self.0.iter_mut().enumerate() {
            if book.capacity == 0 {
                book.open(chunk, &chunks[chunk])?;
            }
            let number = match book.free.pop() {
                Some(number) => number,
                None if book.begun < numbers(chunk) => {
                    book.begun += 1;
                    first_number(chunk) + book.begun - 1
                }
                None => continue,
            };
            if let Some(place) = find(chunks, number) {
                // SAFETY: `find` has found the number's chunk. The number was free, and values are
                // read only while their numbers are in use, so nothing reads the place meanwhile.
                unsafe { place.write(value) };
            }
            return Ok(number);
        }
        Err(Full::Numbers)
    }

    /// Takes the value with this number back.
    ///
    /// # Safety
    /// The number is in use, of these chunks, and its value is not read any more.
    pub(super) unsafe fn remove<T>(&mut self, chunks: &Chunks<T>, number: u32) -> Option<T> {
        let place = find(chunks, number)?;
        // SAFETY: the caller guarantees that the number is in use, so that a value is there, and
        // that nothing else reads it.
        let value = unsafe { place.read() };
        let chunk = (u32::BITS - (number / FIRST).leading_zeros()) as usize;
        let book = &mut self.0[chunk];
        book.free.push(number);
        let reserved = u32::from(chunk == 0);
        if book.free.len() as u32 == book.begun - reserved {
            book.close(&chunks[chunk]);
        }
        Some(value)
    }
}

impl Book {
    /// Makes the chunk.
    fn open<T>(&mut self, chunk: usize, start: &AtomicPtr<T>) -> Result<(), TryReserveError> {
        let count = numbers(chunk) as usize;
        let free = alloc::try_vec(count)?;
        let mut room = ManuallyDrop::new(alloc::try_vec::<T>(count)?);
        *self = Self { capacity: room.capacity(), begun: u32::from(chunk == 0), free };
        start.store(room.as_mut_ptr(), Ordering::Release);
        Ok(())
    }

    /// Frees the chunk, in which no value is left.
    fn close<T>(&mut self, start: &AtomicPtr<T>) {
        let start = start.swap(ptr::null_mut(), Ordering::AcqRel);
        let Self { capacity, .. } = std::mem::take(self);
        if !start.is_null() {
            // SAFETY: `open` took the room from a vector of this capacity, and no value is left.
            drop(unsafe { Vec::from_raw_parts(start, 0, capacity) });
        }
    }
}
