//! Canonical numbers: see the module.

use super::key::Numbers;
use super::slab::{self, Books, Chunks, Full};
use crate::abi::definitions::SubType;
use crate::abi::error::{Error, Result};
use crate::abi::vm_layout::{VmType, VmTypes};
use crate::alloc;
use crate::sync::Lock;
use std::collections::TryReserveError;
use std::hash::{BuildHasher, RandomState};
use std::ptr;

/// The types in use. Owner: the context, from whose heap everything in it is.
pub struct TypeRegistry {
    /// Read without the lock, by threads of modules and instances that have numbers in use.
    types: VmTypes,
    /// The secret of the hash.
    hasher: RandomState,
    /// The rest, while there are any types. It is in a list of one because a list can be made
    /// fallibly, with an error if memory runs out.
    state: Lock<Vec<State>>,
}

struct State {
    /// Of `types`.
    numbers: Books,
    groups: Chunks<Group>,
    places: Books,
    /// Groups in use.
    count: usize,
    /// The first group of those with each remainder of the hash, 0 for none. A power of two, no
    /// smaller than the number of groups.
    buckets: Vec<u32>,
}

/// A group of types, some module's or several modules'.
struct Group {
    hash: u64,
    /// The key, then the numbers of the types, then the numbers of each type's supertypes.
    words: Vec<u32>,
    key_len: usize,
    types: usize,
    /// Calls of `intern` with this group whose result was not released.
    uses: usize,
    /// The next group of the same bucket, or 0.
    next: u32,
}

impl Group {
    fn key(&self) -> &[u32] {
        &self.words[..self.key_len]
    }

    fn ids(&self) -> &[u32] {
        &self.words[self.key_len..self.key_len + self.types]
    }
}

/// Buckets that a registry with groups has at least.
const BUCKETS_MIN: usize = 16;

impl Default for TypeRegistry {
    fn default() -> Self {
        Self {
            types: VmTypes { chunks: slab::no_chunks() },
            hasher: RandomState::new(),
            state: Lock::default(),
        }
    }
}

impl State {
    fn new() -> Self {
        Self {
            numbers: Books::new(),
            groups: slab::no_chunks(),
            places: Books::new(),
            count: 0,
            buckets: Vec::new(),
        }
    }
}

impl TypeRegistry {
    /// All types by number. It does not move unless the registry does.
    pub fn types(&self) -> &VmTypes {
        &self.types
    }

    /// Appends the canonical numbers of a group's types to `ids`, which has those of the types
    /// before it in its module, and room. They are in use until [`TypeRegistry::release`]. The
    /// lock is held for one group at a time.
    ///
    /// `key` is room for its own use.
    pub fn intern(&self, group: &[SubType], ids: &mut Vec<u32>, key: &mut Vec<u32>) -> Result<()> {
        if group.is_empty() {
            return Ok(());
        }
        Numbers { known: ids }.write(group, key).map_err(|_| Error::out_of_memory())?;
        let hash = self.hasher.hash_one(key.as_slice());
        let mut states = self.state.lock();
        if states.is_empty() {
            *states = alloc::try_vec(1).map_err(|_| Error::out_of_memory())?;
            states.push(State::new());
        }
        let Some(state) = states.last_mut() else { return Ok(()) };
        let place = match state.find(hash, key) {
            Some(place) => Ok(place),
            None => state.add(&self.types, hash, key, group, ids),
        };
        if let Some(group) = place.as_ref().ok().and_then(|&place| state.group(place)) {
            group.uses += 1;
            ids.extend_from_slice(group.ids());
        }
        if state.count == 0 {
            *states = Vec::new();
        }
        place.map(|_| ()).map_err(|full| match full {
            Full::Memory => Error::out_of_memory(),
            Full::Numbers => Error::load("too many types in one runtime"),
        })
    }

    /// Gives up what [`TypeRegistry::intern`] has appended to `ids`, last group first. As there,
    /// the current heap is the registry's: its lists get smaller.
    pub fn release(&self, mut ids: &[u32]) {
        while let Some(&last) = ids.last() {
            let mut states = self.state.lock();
            let Some(state) = states.last_mut() else { return };
            let Some(types) = state.release(&self.types, last) else { return };
            ids = &ids[..ids.len().saturating_sub(types)];
            if state.count == 0 {
                *states = Vec::new();
            }
        }
    }

    /// Removes all groups and frees all memory. No number is looked up any more.
    pub fn clear(&self) {
        let mut states = self.state.lock();
        for state in states.iter_mut() {
            for bucket in 0..state.buckets.len() {
                while let Some(&place) = state.buckets.get(bucket).filter(|&&at| at != 0) {
                    state.drop_group(&self.types, place);
                }
            }
        }
        *states = Vec::new();
    }

    /// Groups in use.
    #[cfg(test)]
    pub fn live(&self) -> usize {
        self.state.lock().last().map_or(0, |state| state.count)
    }
}

impl Drop for TypeRegistry {
    fn drop(&mut self) {
        self.clear();
    }
}

impl State {
    fn group(&mut self, place: u32) -> Option<&mut Group> {
        if place == 0 {
            return None;
        }
        // SAFETY: places in buckets, groups and types are those of groups that are there, and the
        // state is behind the lock that this thread holds.
        slab::find(&self.groups, place).map(|mut group| unsafe { group.as_mut() })
    }

    fn bucket(&self, hash: u64) -> usize {
        hash as usize & self.buckets.len().wrapping_sub(1)
    }

    fn find(&mut self, hash: u64, key: &[u32]) -> Option<u32> {
        let mut place = *self.buckets.get(self.bucket(hash))?;
        while let Some(group) = self.group(place) {
            if group.hash == hash && group.key() == key {
                return Some(place);
            }
            place = group.next;
        }
        None
    }

    /// Makes a group without uses.
    fn add(
        &mut self,
        types: &VmTypes,
        hash: u64,
        key: &[u32],
        group: &[SubType],
        known: &[u32],
    ) -> Result<u32, Full> {
        if self.count >= self.buckets.len() {
            self.rehash((2 * self.count).max(BUCKETS_MIN))?;
        }
        let supers = Supers { types, known, group };
        let lists = key.len() + group.len();
        let spans = supers.spans(lists)?;
        let len = spans.last().map_or(lists, |last| last.start + last.len);
        let mut words = alloc::try_vec(len)?;
        words.extend_from_slice(key);
        let made = Group {
            hash,
            words: Vec::new(),
            key_len: key.len(),
            types: group.len(),
            uses: 0,
            next: 0,
        };
        let place = self.places.add(&self.groups, made)?;
        for _ in group {
            let ty = VmType { supers: ptr::null(), depth: 0, group: place };
            match self.numbers.add(&types.chunks, ty) {
                Ok(number) => words.push(number),
                Err(full) => {
                    self.remove(types, place, &words[key.len()..]);
                    return Err(full);
                }
            }
        }
        supers.append(&spans, key.len(), &mut words);
        let bucket = self.bucket(hash);
        let next = std::mem::replace(&mut self.buckets[bucket], place);
        if let Some(made) = self.group(place) {
            made.next = next;
            made.words = words;
            place_lists(types, made, &spans);
        }
        self.count += 1;
        Ok(place)
    }

    /// Gives one use of the group of a type up. Returns the number of the group's types.
    fn release(&mut self, types: &VmTypes, number: u32) -> Option<usize> {
        let ty = slab::find(&types.chunks, number)?;
        // SAFETY: the number is in use, since its group is.
        let place = unsafe { ty.as_ref() }.group;
        let group = self.group(place)?;
        let count = group.types;
        group.uses -= 1;
        if group.uses == 0 {
            self.drop_group(types, place);
            if self.buckets.len() > BUCKETS_MIN && self.count < self.buckets.len() / 8 {
                // Without memory for fewer, these still do.
                let _ = self.rehash(2 * self.count);
            }
        }
        Some(count)
    }

    /// Takes a group without uses out of its bucket and frees it.
    fn drop_group(&mut self, types: &VmTypes, place: u32) {
        let Some(group) = self.group(place) else { return };
        let (hash, next) = (group.hash, group.next);
        let words = std::mem::take(&mut group.words);
        let ids = group.key_len..group.key_len + group.types;
        let bucket = self.bucket(hash);
        let mut before = self.buckets[bucket];
        if before == place {
            self.buckets[bucket] = next;
        } else {
            while let Some(group) = self.group(before) {
                if group.next == place {
                    group.next = next;
                    break;
                }
                before = group.next;
            }
        }
        self.remove(types, place, &words[ids]);
        self.count -= 1;
        if self.count == 0 {
            self.buckets = Vec::new();
        }
    }

    /// Frees the numbers of types, and the place of their group.
    fn remove(&mut self, types: &VmTypes, place: u32, ids: &[u32]) {
        for &id in ids {
            // SAFETY: the number is in use for the group. Since that has no uses, no module has the
            // number, and nothing reads its type.
            unsafe { self.numbers.remove(&types.chunks, id) };
        }
        // SAFETY: the place is in use for the group. No bucket leads to it, so that nothing reads
        // the group any more.
        unsafe { self.places.remove(&self.groups, place) };
    }

    /// Makes `wanted` buckets or more.
    fn rehash(&mut self, wanted: usize) -> Result<(), TryReserveError> {
        let buckets = alloc::try_filled(wanted.next_power_of_two().max(BUCKETS_MIN), 0)?;
        for first in std::mem::replace(&mut self.buckets, buckets) {
            let mut place = first;
            while let Some(group) = self.group(place) {
                let (hash, next) = (group.hash, group.next);
                let bucket = self.bucket(hash);
                let behind = std::mem::replace(&mut self.buckets[bucket], place);
                if let Some(group) = self.group(place) {
                    group.next = behind;
                }
                place = next;
            }
        }
        Ok(())
    }
}

/// The supertypes of a new group's types.
struct Supers<'a> {
    types: &'a VmTypes,
    /// Canonical numbers of the module's types before the group.
    known: &'a [u32],
    group: &'a [SubType],
}

/// A type's direct supertype.
enum Above {
    Nothing,
    /// One of the group, by its place.
    Inside(usize),
    /// By its number.
    Outside(u32),
}

/// Where in a group's words the list of one type's supertypes is.
#[derive(Clone, Copy)]
struct SuperList {
    start: usize,
    len: usize,
}

impl Supers<'_> {
    fn above(&self, ty: &SubType) -> Above {
        let Some(index) = ty.supertype else { return Above::Nothing };
        let index = index.get() as usize;
        match self.known.get(index) {
            Some(&number) => Above::Outside(number),
            None => Above::Inside(index - self.known.len()),
        }
    }

    /// The supertypes of a type with a canonical number, which is before the group in its module.
    fn of(&self, number: u32) -> &[u32] {
        let Some(ty) = slab::find(&self.types.chunks, number) else { return &[] };
        // SAFETY: the number is in use by the module that defines the group. Its type's list has
        // `depth` numbers, in the words of a group that this module does not give up meanwhile.
        unsafe {
            let VmType { supers, depth, .. } = *ty.as_ref();
            if depth == 0 { &[] } else { std::slice::from_raw_parts(supers, depth as usize) }
        }
    }

    /// The future places of the lists of the group's types, from `start` on. Empty if none of
    /// them has a supertype.
    fn spans(&self, mut start: usize) -> Result<Vec<SuperList>, TryReserveError> {
        if self.group.iter().all(|ty| ty.supertype.is_none()) {
            return Ok(Vec::new());
        }
        let mut spans: Vec<SuperList> = alloc::try_vec(self.group.len())?;
        for ty in self.group {
            let len = match self.above(ty) {
                Above::Nothing => 0,
                Above::Outside(number) => self.of(number).len() + 1,
                // The validator demands that a supertype stands before its subtypes.
                Above::Inside(place) => spans.get(place).map_or(0, |span| span.len + 1),
            };
            spans.push(SuperList { start, len });
            start += len;
        }
        Ok(spans)
    }

    /// Appends the lists to the group's words, in which the numbers of its types begin at `ids`.
    /// There is room.
    fn append(&self, spans: &[SuperList], ids: usize, words: &mut Vec<u32>) {
        for (ty, span) in self.group.iter().zip(spans) {
            match self.above(ty) {
                Above::Nothing => {}
                Above::Outside(number) => {
                    words.extend_from_slice(self.of(number));
                    words.push(number);
                }
                Above::Inside(_) if span.len == 0 => {}
                Above::Inside(place) => {
                    let SuperList { start, len } = spans[place];
                    words.extend_from_within(start..start + len);
                    words.push(words[ids + place]);
                }
            }
        }
    }
}

/// Sets the lists of supertypes in the types of a new group.
fn place_lists(types: &VmTypes, group: &Group, spans: &[SuperList]) {
    for (&id, span) in group.ids().iter().zip(spans).filter(|(_, span)| span.len > 0) {
        if let Some(ty) = slab::find(&types.chunks, id) {
            // SAFETY: the number is in use for the new group, and `intern` has not returned it yet,
            // so that nothing else reads its type. A list begins within the group's words.
            unsafe {
                (*ty.as_ptr()).supers = group.words[span.start..].as_ptr();
                (*ty.as_ptr()).depth = span.len as u32;
            }
        }
    }
}
