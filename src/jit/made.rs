//! The machine code of a module.

use super::code_memory::CodePages;
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

    fn take(&self, bytes: usize) -> bool {
        let take = |used: u64| Some(used + bytes as u64).filter(|&sum| sum <= self.limit_bytes);
        self.used_bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.used_bytes.fetch_sub(bytes as u64, Ordering::Relaxed);
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

// SAFETY: the pointers are to code in `pages`, which does not change and belongs to no thread.
unsafe impl Send for Made {}

/// Code that begins at a loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopCode {
    /// It is to be made, or cannot be.
    None,
    At(NonNull<u8>),
}

/// The machine code of a function, or of a part of it.
struct Unit {
    func_index: u32,
    /// Whether it begins at a loop.
    is_loop: bool,
    start: usize,
    calls: Box<[(u32, u32)]>,
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
        code: &[u8],
        calls: Box<[(u32, u32)]>,
    ) -> Result<NonNull<u8>, Refusal> {
        alloc::fallible(|| self.units.try_reserve(1)).map_err(|_| Refusal::NoMemory)?;
        let code_start = self.publish(code)?;
        let (start, is_loop) = (code_start.addr().get(), loop_position.is_some());
        let place = self.units.partition_point(|other| other.start < start);
        self.units.insert(place, Unit { func_index, is_loop, start, calls });
        if let Some(position) = loop_position {
            self.set_loop_code(position, LoopCode::At(code_start))?;
        }
        Ok(code_start)
    }

    /// The function and the position of the call before a return address; `None` if that is no call
    /// in a compiled function.
    pub fn find_call(&self, after: *const u8) -> Option<(u32, u32)> {
        let after = after.addr();
        let index = self.units.partition_point(|unit| unit.start <= after).checked_sub(1)?;
        let unit = self.units.get(index)?;
        let offset = u32::try_from(after - unit.start).ok()?;
        let call = unit.calls.binary_search_by_key(&offset, |call| call.0).ok()?;
        unit.calls.get(call).map(|call| (unit.func_index, call.1))
    }

    pub fn compiled(&self) -> CompiledCode {
        let loops = self.units.iter().filter(|unit| unit.is_loop).count() as u64;
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
