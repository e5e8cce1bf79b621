//! The machine code of a module.

use super::code_memory::CodePages;
use super::compiler::Blob;
use super::frame_tables::FrameTables;
use super::translate::Refusal;
use super::translate::thunks::ThunkKind;
use crate::alloc;
use crate::exec::CompiledCode;
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much code memory a context has. Owner: the context, and the code of its modules.
pub struct CodeBudget {
    limit_bytes: u64,
    used_bytes: AtomicU64,
}

impl CodeBudget {
    pub fn new(limit_bytes: u64) -> Self {
        Self { limit_bytes, used_bytes: AtomicU64::new(0) }
    }

    /// Room for so many bytes of code, if there is.
    pub fn room(self: &Arc<Self>, bytes: usize) -> Option<Room> {
        self.take(bytes).then(|| Room { budget: self.clone(), bytes })
    }

    fn take(&self, bytes: usize) -> bool {
        let take = |used: u64| Some(used + bytes as u64).filter(|&sum| sum <= self.limit_bytes);
        self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.used_bytes.fetch_sub(bytes as u64, Ordering::Relaxed);
    }
}

/// A part of a budget that is in use. It is given back when the value goes.
pub struct Room {
    budget: Arc<CodeBudget>,
    bytes: usize,
}

impl Drop for Room {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes);
    }
}

/// What has been compiled. Owner: the module's code.
pub struct Made {
    budget: Arc<CodeBudget>,
    pages: Vec<CodePages>,
    /// Compiled functions and loops, by address.
    units: Vec<Unit>,
    /// Thunks by type index, as far as they were needed; empty before the first of a kind.
    entries: Vec<Option<NonNull<u8>>>,
    exits: Vec<Option<NonNull<u8>>>,
    /// How many types the module has.
    types: usize,
    /// Loops that code was asked for, by their positions in the module.
    loops: Vec<(u32, LoopCode)>,
}

// SAFETY: the pointers, those of units among them, are to code in `pages`, which does not change
// and belongs to no thread.
unsafe impl Send for Made {}

/// Code that begins at a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopCode {
    /// The loop was found running so many times.
    Seen(u8),
    /// It is to be made, or cannot be.
    None,
    At(NonNull<u8>),
}

/// The machine code of a function, or of a part of it.
struct Unit {
    func_index: u32,
    /// The position of the loop that it begins at, if it begins at one.
    loop_position: Option<u32>,
    start: NonNull<u8>,
    calls: Box<[(u32, u32)]>,
    tables: Option<Arc<FrameTables>>,
}

/// A place in a unit of machine code.
pub struct CodePlace {
    pub func_index: u32,
    /// The position in the module of the operator.
    pub position: u32,
    /// The unit's first byte, and the offset behind the call if the place is one.
    pub start: *const u8,
    pub after: u32,
    /// What is known of the function's frames; `None` if there is nothing to know.
    pub tables: Option<Arc<FrameTables>>,
}

impl Unit {
    fn place(&self, position: u32, after: u32) -> CodePlace {
        let (func_index, tables) = (self.func_index, self.tables.clone());
        CodePlace { func_index, position, start: self.start.as_ptr(), after, tables }
    }
}

impl Made {
    pub fn new(budget: Arc<CodeBudget>, types: usize) -> Self {
        let (pages, units, loops) = (Vec::new(), Vec::new(), Vec::new());
        Self { budget, pages, units, entries: Vec::new(), exits: Vec::new(), types, loops }
    }

    pub fn thunk(&self, kind: ThunkKind, type_index: u32) -> Option<NonNull<u8>> {
        let thunks = match kind {
            ThunkKind::Entry => &self.entries,
            ThunkKind::Exit => &self.exits,
        };
        *thunks.get(type_index as usize)?
    }

    /// Publishes a thunk, unless another thread was faster.
    pub fn add_thunk(
        &mut self,
        kind: ThunkKind,
        type_index: u32,
        code: &[u8],
    ) -> Result<NonNull<u8>, Refusal> {
        if let Some(thunk) = self.thunk(kind, type_index) {
            return Ok(thunk);
        }
        let thunk = self.publish(code)?;
        let (types, thunks) = match kind {
            ThunkKind::Entry => (self.types, &mut self.entries),
            ThunkKind::Exit => (self.types, &mut self.exits),
        };
        if thunks.is_empty() {
            *thunks = alloc::try_filled(types, None).map_err(|_| Refusal::NoMemory)?;
        }
        *thunks.get_mut(type_index as usize).ok_or(Refusal::Malformed)? = Some(thunk);
        Ok(thunk)
    }

    /// Code that begins at the loop at a position; `None` if nobody has asked for it before.
    pub fn loop_code(&self, position: u32) -> Option<LoopCode> {
        let place = self.loops.binary_search_by_key(&position, |found| found.0).ok()?;
        self.loops.get(place).map(|found| found.1)
    }

    /// Notes the code of a loop, or that it was asked for.
    pub fn set_loop_code(&mut self, position: u32, code: LoopCode) -> Result<(), Refusal> {
        match self.loops.binary_search_by_key(&position, |found| found.0) {
            Ok(place) => self.loops[place].1 = code,
            Err(place) => {
                alloc::fallible(|| self.loops.try_reserve(1)).map_err(|_| Refusal::NoMemory)?;
                self.loops.insert(place, (position, code));
            }
        }
        Ok(())
    }

    /// Makes code executable.
    fn publish(&mut self, code: &[u8]) -> Result<NonNull<u8>, Refusal> {
        let bytes = CodePages::bytes_for(code.len());
        if !self.budget.take(bytes) {
            return Err(Refusal::NoRoom);
        }
        let published = alloc::fallible(|| self.pages.try_reserve(1))
            .ok()
            .and_then(|()| CodePages::publish(code).ok());
        let Some(pages) = published else {
            self.budget.give_back(bytes);
            return Err(Refusal::NoMemory);
        };
        let start = pages.start();
        self.pages.push(pages);
        Ok(start)
    }

    /// Publishes a function or a part of it.
    pub fn add(
        &mut self,
        func_index: u32,
        loop_position: Option<u32>,
        blob: Blob,
    ) -> Result<NonNull<u8>, Refusal> {
        let Blob { code, calls, tables, .. } = blob;
        alloc::fallible(|| self.units.try_reserve(1)).map_err(|_| Refusal::NoMemory)?;
        let start = self.publish(&code)?;
        let place = self.units.partition_point(|other| other.start < start);
        self.units.insert(place, Unit { func_index, loop_position, start, calls, tables });
        if let Some(position) = loop_position {
            self.set_loop_code(position, LoopCode::At(start))?;
        }
        Ok(start)
    }

    /// The place before a return address; `None` if that is no call in a compiled function.
    pub fn place_behind(&self, address: *const u8) -> Option<CodePlace> {
        let address = address.addr();
        let index = self.units.partition_point(|unit| unit.start.addr().get() <= address);
        let unit = self.units.get(index.checked_sub(1)?)?;
        let after = u32::try_from(address - unit.start.addr().get()).ok()?;
        let call = unit.calls.binary_search_by_key(&after, |call| call.0).ok()?;
        unit.calls.get(call).map(|call| unit.place(call.1, after))
    }

    /// The place at a position in a function, or in the code that begins at a loop of it.
    pub fn place_at(
        &self,
        func_index: u32,
        loop_position: Option<u32>,
        position: u32,
    ) -> Option<CodePlace> {
        let is_it =
            |unit: &&Unit| unit.func_index == func_index && unit.loop_position == loop_position;
        self.units.iter().find(is_it).map(|unit| unit.place(position, 0))
    }

    pub fn compiled(&self) -> CompiledCode {
        let loops = self.units.iter().filter(|unit| unit.loop_position.is_some()).count() as u64;
        CompiledCode { funcs: self.units.len() as u64 - loops, loops, bytes: self.bytes() }
    }

    /// Bytes of all pages with code.
    pub fn bytes(&self) -> u64 {
        self.pages.iter().map(|pages| pages.len() as u64).sum()
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        self.budget.give_back(self.bytes() as usize);
    }
}
