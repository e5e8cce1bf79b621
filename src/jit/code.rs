//! A module's code where functions are compiled.

use super::builtins::BUILTINS;
use super::code_memory::CodePages;
use super::compiler::{Blob, Compiler, OptLevel};
use super::engine;
use super::translate::Refusal;
use super::translate::thunks::ThunkKind;
use crate::abi::error::{Error, Result};
use crate::alloc;
use crate::exec::{GuestCode, code_table};
use crate::instance::CodeTable;
use crate::interp::{ModuleCode, VmCode};
use crate::module::Module;
use crate::sync::Lock;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

/// When functions are compiled, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub level: OptLevel,
}

/// How far a function is on its way to compiled code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Progress {
    Untried = 0,
    Done = 1,
    Refused = 2,
}

/// The code of a module whose functions are compiled. Owner: the `Arc`s of its instances.
pub struct TieredCode {
    base: Arc<ModuleCode>,
    policy: Policy,
    progress: Box<[AtomicU8]>,
    made: Lock<Made>,
}

/// What has been compiled. Owner: the module's code.
struct Made {
    compiler: Option<Compiler>,
    pages: Vec<CodePages>,
    /// Compiled functions, by address.
    units: Vec<Unit>,
    /// Thunks by type index, as far as they were needed.
    entries: Vec<Option<NonNull<u8>>>,
    exits: Vec<Option<NonNull<u8>>>,
}

// SAFETY: the pointers are to code in `pages`, which does not change and belongs to no thread.
unsafe impl Send for Made {}

/// The machine code of a function.
struct Unit {
    start: usize,
    len: usize,
    func_index: u32,
    calls: Box<[(u32, u32)]>,
}

impl TieredCode {
    /// Makes the code table of `module`; nothing is compiled yet.
    pub fn new(module: Arc<Module>, policy: Policy) -> Result<Arc<Self>> {
        let base = ModuleCode::new(module.clone(), false)?;
        let (funcs, types) = (module.bodies.len(), module.types.len());
        let no_memory = |_| Error::out_of_memory();
        let mut progress = alloc::try_vec(funcs).map_err(no_memory)?;
        progress.resize_with(funcs, || AtomicU8::new(Progress::Untried as u8));
        let made = Made {
            compiler: None,
            pages: Vec::new(),
            units: Vec::new(),
            entries: alloc::try_filled(types, None).map_err(no_memory)?,
            exits: alloc::try_filled(types, None).map_err(no_memory)?,
        };
        let progress = progress.into_boxed_slice();
        let this = Arc::new(Self { base, policy, progress, made: Lock::new(made) });
        this.base.set_above(Arc::as_ptr(&this).cast());
        Ok(this)
    }

    /// The code that a record belongs to.
    ///
    /// # Safety
    /// The record is one of a live `TieredCode`'s.
    pub unsafe fn of<'a>(record: *const VmCode) -> &'a Self {
        // SAFETY: the caller guarantees a record of a `TieredCode`, which has set itself as the data
        // above its base and lives as long as that's records.
        unsafe { &*(*(*record).module).above().cast::<Self>() }
    }

    fn module(&self) -> &Module {
        self.base.module()
    }

    /// The entry thunk of a function with compiled code, which is made now if it has none; `None` if
    /// it is left to the interpreter.
    #[inline]
    pub fn entry(&self, record: *const VmCode) -> Option<*const u8> {
        // SAFETY: records are this table's, and live as long.
        let record = unsafe { &*record };
        match record.thunk.load(Ordering::Acquire) {
            thunk if !thunk.is_null() => Some(thunk),
            _ => self.first_call(record),
        }
    }

    #[cold]
    fn first_call(&self, record: &VmCode) -> Option<*const u8> {
        self.compile(record);
        let thunk = record.thunk.load(Ordering::Acquire);
        (!thunk.is_null()).then_some(thunk)
    }

    /// Compiles a function unless that was tried before.
    fn compile(&self, record: &VmCode) {
        let defined = record.func_index - self.module().imported.funcs;
        let Some(progress) = self.progress.get(defined as usize) else { return };
        if progress.load(Ordering::Acquire) != Progress::Untried as u8 {
            return;
        }
        let mut made = self.made.lock();
        if progress.load(Ordering::Acquire) != Progress::Untried as u8 {
            return;
        }
        // Cranelift's memory is nobody's: not that of a context, nor of its pool.
        let outcome = alloc::outside(|| self.compile_here(&mut made, record));
        if let Err(refusal) = &outcome {
            log::debug!("function {} is interpreted: {refusal:?}", record.func_index);
        }
        let now = if outcome.is_ok() { Progress::Done } else { Progress::Refused };
        progress.store(now as u8, Ordering::Release);
    }

    fn compile_here(&self, made: &mut Made, record: &VmCode) -> std::result::Result<(), Refusal> {
        let module = self.module();
        let func_index = record.func_index;
        let type_index = *module.funcs.get(func_index as usize).ok_or(Refusal::Malformed)?;
        let blob = made.compiler(self.policy.level)?.function(module, func_index)?;
        for callee in blob.callees.iter().copied() {
            self.provide(made, callee)?;
        }
        let thunk = made.thunk(module, ThunkKind::Entry, type_index, self.policy.level)?;
        let Blob { code, calls, .. } = blob;
        let start = made.publish(&code)?;
        made.add(Unit { start: start.addr().get(), len: code.len(), func_index, calls });
        record.native.store(start.as_ptr(), Ordering::Release);
        record.thunk.store(thunk.as_ptr(), Ordering::Release);
        // SAFETY: it keeps the contract of `EnterOther` for records of this table's.
        let diverted = unsafe { self.base.divert(func_index, engine::enter_from_interpreter) };
        // Without memory for that, the interpreter's calls go on as before.
        drop(diverted);
        Ok(())
    }

    /// Sees to it that compiled code finds something to call.
    fn provide(&self, made: &mut Made, func_index: u32) -> std::result::Result<(), Refusal> {
        let Some(record) = self.base.code(func_index) else { return Ok(()) };
        if engine::has_native(record) {
            return Ok(());
        }
        let module = self.module();
        let type_index = *module.funcs.get(func_index as usize).ok_or(Refusal::Malformed)?;
        let thunk = made.thunk(module, ThunkKind::Exit, type_index, self.policy.level)?;
        record.native.store(thunk.as_ptr(), Ordering::Release);
        Ok(())
    }

    /// The function and the position of the call before a return address; `None` if that is no call
    /// in a compiled function.
    pub fn find_call(&self, after: *const u8) -> Option<(u32, u32)> {
        let made = self.made.lock();
        let after = after.addr();
        let index = made.units.partition_point(|unit| unit.start <= after).checked_sub(1)?;
        let unit = made.units.get(index)?;
        let offset = u32::try_from(after - unit.start).ok()?;
        let call = unit.calls.binary_search_by_key(&offset, |call| call.0).ok()?;
        (after - unit.start <= unit.len).then_some((unit.func_index, unit.calls[call].1))
    }

    /// The function that a position in the module is in.
    pub fn func_at(&self, position: u32) -> Option<(u32, u32)> {
        let module = self.module();
        let after = module.bodies.partition_point(|body| body.start <= position);
        let defined = u32::try_from(after.checked_sub(1)?).ok()?;
        Some((module.imported.funcs + defined, position))
    }
}

impl Made {
    fn compiler(&mut self, level: OptLevel) -> std::result::Result<&mut Compiler, Refusal> {
        if self.compiler.is_none() {
            self.compiler = Compiler::new(level);
        }
        self.compiler.as_mut().ok_or(Refusal::Unsupported)
    }

    fn thunk(
        &mut self,
        module: &Module,
        kind: ThunkKind,
        type_index: u32,
        level: OptLevel,
    ) -> std::result::Result<NonNull<u8>, Refusal> {
        let known = match kind {
            ThunkKind::Entry => &self.entries,
            ThunkKind::Exit => &self.exits,
        };
        let place = type_index as usize;
        if let Some(thunk) = *known.get(place).ok_or(Refusal::Malformed)? {
            return Ok(thunk);
        }
        let ty = module.types.func(type_index).ok_or(Refusal::Malformed)?;
        let blob = self.compiler(level)?.thunk(module, kind, ty)?;
        let thunk = self.publish(&blob.code)?;
        match kind {
            ThunkKind::Entry => self.entries[place] = Some(thunk),
            ThunkKind::Exit => self.exits[place] = Some(thunk),
        }
        Ok(thunk)
    }

    fn publish(&mut self, code: &[u8]) -> std::result::Result<NonNull<u8>, Refusal> {
        let (pages, places) =
            CodePages::publish([code].into_iter()).map_err(|_| Refusal::NoMemory)?;
        self.pages.push(pages);
        places.first().copied().ok_or(Refusal::Malformed)
    }

    fn add(&mut self, unit: Unit) {
        let place = self.units.partition_point(|other| other.start < unit.start);
        self.units.insert(place, unit);
    }
}

impl GuestCode for TieredCode {
    fn module(&self) -> &Arc<Module> {
        self.base.module()
    }

    fn table(&self) -> CodeTable {
        let builtins = ptr::from_ref(&BUILTINS).cast();
        CodeTable { builtins, ..code_table(engine::run, self.base.codes()) }
    }

    fn is_profiled(&self) -> bool {
        false
    }

    fn bytes(&self) -> u64 {
        let native: usize = self.made.lock().pages.iter().map(CodePages::len).sum();
        self.base.bytes() + native as u64
    }

    fn compiled_funcs(&self) -> u32 {
        // Functions have 32-bit indices.
        self.made.lock().units.len() as u32
    }

    fn again(&self, module: Arc<Module>) -> Result<Arc<dyn GuestCode>> {
        Ok(Self::new(module, self.policy)?)
    }
}
