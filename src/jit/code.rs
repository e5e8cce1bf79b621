//! A module's code where functions are compiled: which ones, and when.

use super::ahead::Image;
use super::compiler::{self, Compiler, OptLevel};
use super::frames::{POSITION, in_mark};
use super::made::{CodeBudget, CodePlace, LoopCode, Made};
use super::perf::PerfNotes;
use super::table::Builtins;
use super::thread::{CompileThread, Compiles, Task};
use super::translate::Refusal;
use super::translate::thunks::ThunkKind;
use crate::abi::error::{Error, Result};
use crate::abi::vm_layout::{VmEntry, VmEnv};
use crate::alloc;
use crate::exec::{CompiledCode, GuestCode, Point, code_table};
use crate::instance::CodeTable;
use crate::interp::{Above, EnterOther, ModuleCode, Sample, VmCode};
use crate::module::Module;
use crate::sync::{Lock, section};
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::slice;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// When functions are compiled.
#[derive(Clone)]
pub enum When {
    /// When they are called first, by the thread that calls.
    FirstCall,
    /// When they have run for a while, by a thread of its own.
    Hot(Arc<CompileThread>),
    /// Before the module was loaded, or not at all.
    Ahead,
}

/// How a module's functions are compiled.
#[derive(Clone)]
pub struct Policy {
    pub when: When,
    pub level: OptLevel,
    pub budget: Arc<CodeBudget>,
    /// Where functions are noted for perf, if the context asks for that.
    pub perf: Option<Arc<PerfNotes>>,
}

/// How far a function is on its way to compiled code: a count of samples, or one of these.
mod progress {
    pub const UNTRIED: u8 = 0;
    /// The most samples until a function is compiled.
    pub const SAMPLES_MAX: u8 = 0xf0;
    pub const REQUESTED: u8 = 0xfc;
    pub const UNDER_WAY: u8 = 0xfd;
    pub const DONE: u8 = 0xfe;
    pub const REFUSED: u8 = 0xff;
}

/// The ways into functions that have compiled code, and the functions that it calls.
pub struct Ways {
    pub entry: VmEntry,
    pub from_interpreter: EnterOther,
    pub into_loop: unsafe fn(*mut VmEnv, *const u8, *mut u64) -> u32,
    pub builtins: &'static Builtins,
}

/// The code of a module whose functions are compiled. Owner: the `Arc`s of its instances.
pub struct TieredCode {
    base: Arc<ModuleCode>,
    ways: &'static Ways,
    policy: Policy,
    progress: Box<[AtomicU8]>,
    /// A compiler for first calls, while no thread uses it.
    compiler: Lock<Option<Box<Compiler>>>,
    made: Lock<Made>,
    image: OnceLock<Image>,
    own: Weak<Self>,
}

impl TieredCode {
    /// Makes the code table of `module`; nothing is compiled yet.
    pub fn new(module: Arc<Module>, policy: Policy, ways: &'static Ways) -> Result<Arc<Self>> {
        let no_memory = |_| Error::out_of_memory();
        let base = ModuleCode::new(module.clone(), false)?;
        let (funcs, types) = (module.bodies.len(), module.types.len());
        let mut progress = alloc::try_vec(funcs).map_err(no_memory)?;
        progress.resize_with(funcs, || AtomicU8::new(progress::UNTRIED));
        let made = Made::new(policy.budget.clone(), types);
        let this = Arc::new_cyclic(|own| Self {
            base,
            ways,
            policy,
            progress: progress.into_boxed_slice(),
            compiler: Lock::new(None),
            made: Lock::new(made),
            image: OnceLock::new(),
            own: own.clone(),
        });
        let data = Arc::as_ptr(&this).cast();
        // SAFETY: the data is the value that owns the table, and `sampled` takes it.
        unsafe { this.base.set_above(Above { data, sampled, go_on: ways.into_loop }) };
        Ok(this)
    }

    /// The code that a record belongs to.
    ///
    /// # Safety
    /// The record is one of a live `TieredCode`'s.
    pub unsafe fn of<'a>(record: *const VmCode) -> &'a Self {
        // SAFETY: the caller guarantees a record of a `TieredCode`, which has set itself as the
        // data above its base and lives as long as that's records.
        unsafe { &*(*(*record).module).above().cast::<Self>() }
    }

    /// As [`TieredCode::new`], with the code of an image. Nothing else is compiled.
    ///
    /// # Safety
    /// The image's code was made of this module, by this build's compiler.
    pub unsafe fn of_image(
        module: Arc<Module>,
        image: Image,
        policy: Policy,
        ways: &'static Ways,
    ) -> Result<Arc<Self>> {
        let this = Self::new(module, policy, ways)?;
        let (module, imported) = (this.module(), this.module().imported.funcs);
        let has_code = |func_index: u32| image.func((func_index - imported) as usize).is_some();
        // SAFETY: it keeps the contract of `EnterOther` for records of this table's.
        unsafe { this.base.divert_all(this.ways.from_interpreter, has_code) }?;
        for (func_index, &type_index) in module.funcs.iter().enumerate().skip(imported as usize) {
            let Some(record) = this.base.code(func_index as u32) else { continue };
            let thunk = |kind| image.thunk(kind, type_index);
            let defined = func_index - imported as usize;
            let (native, entry) = match (image.func(defined), thunk(ThunkKind::Entry)) {
                (Some(native), Some(entry)) => (Some(native), Some(entry)),
                _ => (thunk(ThunkKind::Exit), None),
            };
            let address = |code: Option<NonNull<u8>>| code.map_or(ptr::null_mut(), NonNull::as_ptr);
            // Nothing runs yet.
            record.native.store(address(native), Ordering::Relaxed);
            record.thunk.store(address(entry), Ordering::Relaxed);
        }
        let image = this.image.get_or_init(|| image);
        if this.policy.perf.is_some() {
            for (defined, _) in module.bodies.iter().enumerate() {
                let Some(code) = image.func_with_len(defined) else { continue };
                this.note(imported + defined as u32, None, code);
            }
        }
        Ok(this)
    }

    fn module(&self) -> &Module {
        self.base.module()
    }

    fn progress(&self, func_index: u32) -> Option<&AtomicU8> {
        let defined = func_index.checked_sub(self.module().imported.funcs)?;
        self.progress.get(defined as usize)
    }

    /// The entry thunk of a function that is called without compiled code; `None` if it is left to
    /// the interpreter, which it is as well where `native_stack` bytes are too few for the
    /// compiler.
    #[cold]
    pub fn first_call(&self, record: &VmCode, native_stack: usize) -> Option<*const u8> {
        match self.policy.when {
            When::FirstCall if native_stack > compiler::STACK_BYTES => {
                self.compile_now(record.func_index);
            }
            _ => return None,
        }
        let thunk = record.thunk.load(Ordering::Acquire);
        (!thunk.is_null()).then_some(thunk.cast_const())
    }

    #[inline(never)]
    fn compile_now(&self, func_index: u32) {
        let is_untried = self
            .progress(func_index)
            .is_some_and(|progress| progress.load(Ordering::Relaxed) == progress::UNTRIED);
        if is_untried {
            let taken = self.compiler.lock().take();
            let mut compiler = taken.map(|compiler| (self.policy.level, compiler));
            self.do_task(Task::Func(func_index), &mut compiler);
            let unused = compiler.map(|(_, compiler)| compiler);
            let replaced = std::mem::replace(&mut *self.compiler.lock(), unused);
            alloc::outside(|| drop(replaced));
        }
    }

    fn compile(
        &self,
        task: Task,
        compiler: &mut Option<(OptLevel, Box<Compiler>)>,
    ) -> std::result::Result<(), Refusal> {
        let module = self.module();
        let (Task::Func(func_index) | Task::Loop { func_index, .. }) = task;
        let len = module.body(func_index).ok_or(Refusal::Malformed)?.len();
        if len > BODY_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let made = alloc::operation(|| {
            alloc::outside(|| {
                alloc::ensure_reserve(compiler::memory_for(len)).map_err(|_| Refusal::NoMemory)?;
                let level = self.policy.level;
                if compiler.as_ref().is_none_or(|known| known.0 != level) {
                    *compiler = Compiler::new(level).map(|new| (level, new));
                }
                let Some((_, compiler)) = compiler else { return Err(Refusal::Unsupported) };
                self.compile_with(compiler, task)
            })
        });
        alloc::trim_reserve();
        made.map_err(|_| Refusal::NoMemory)?
    }

    fn compile_with(
        &self,
        compiler: &mut Compiler,
        task: Task,
    ) -> std::result::Result<(), Refusal> {
        let module = self.module();
        let (func_index, loop_position) = match task {
            Task::Func(func_index) => (func_index, None),
            Task::Loop { func_index, position } => (func_index, Some(position)),
        };
        let blob = compiler.function(module, func_index, loop_position)?;
        for &callee in &blob.callees {
            self.provide(compiler, callee)?;
        }
        let type_index = *module.funcs.get(func_index as usize).ok_or(Refusal::Malformed)?;
        let record = self.base.code(func_index).ok_or(Refusal::Malformed)?;
        let len = blob.code.len();
        if loop_position.is_some() {
            let start = self.made.lock().add(func_index, loop_position, blob)?;
            self.note(func_index, loop_position, (start, len));
            return Ok(());
        }
        let thunk = self.thunk(compiler, ThunkKind::Entry, type_index)?;
        // A fork finds all of the following done, or nothing.
        let _section = section();
        let start = self.made.lock().add(func_index, None, blob)?;
        self.note(func_index, None, (start, len));
        record.native.store(start.as_ptr(), Ordering::Release);
        record.thunk.store(thunk.as_ptr(), Ordering::Release);
        // SAFETY: it keeps the contract of `EnterOther` for records of this table's.
        let diverted = unsafe { self.base.divert(func_index, self.ways.from_interpreter) };
        // Without memory for that, calls of the interpreter's go on as before.
        drop(diverted);
        Ok(())
    }

    /// Sees to it that compiled code finds something to call.
    fn provide(
        &self,
        compiler: &mut Compiler,
        func_index: u32,
    ) -> std::result::Result<(), Refusal> {
        let Some(record) = self.base.code(func_index) else { return Ok(()) };
        if !record.native.load(Ordering::Acquire).is_null() {
            return Ok(());
        }
        let type_index = self.module().funcs.get(func_index as usize);
        let type_index = *type_index.ok_or(Refusal::Malformed)?;
        let thunk = self.thunk(compiler, ThunkKind::Exit, type_index)?;
        // The function may have been compiled meanwhile.
        let (null, thunk) = (ptr::null_mut(), thunk.as_ptr());
        let _ = record.native.compare_exchange(null, thunk, Ordering::AcqRel, Ordering::Acquire);
        Ok(())
    }

    fn thunk(
        &self,
        compiler: &mut Compiler,
        kind: ThunkKind,
        type_index: u32,
    ) -> std::result::Result<NonNull<u8>, Refusal> {
        if let Some(known) = self.made.lock().thunk(kind, type_index) {
            return Ok(known);
        }
        let ty = self.module().types.func(type_index).ok_or(Refusal::Malformed)?;
        let code = compiler.thunk(self.module(), kind, ty)?.code;
        let start = self.made.lock().add_thunk(kind, type_index, &code)?;
        if let Some(perf) = &self.policy.perf {
            // SAFETY: the code was published there, and stays as long as this value.
            let code = unsafe { slice::from_raw_parts(start.as_ptr(), code.len()) };
            let name = match kind {
                ThunkKind::Entry => "entry of compiled code",
                ThunkKind::Exit => "exit of compiled code",
            };
            perf.note(format_args!("{name}"), code);
        }
        Ok(start)
    }

    /// Notes the code of a function or of a loop for perf, if the context asks for that.
    fn note(
        &self,
        func_index: u32,
        loop_position: Option<u32>,
        (start, len): (NonNull<u8>, usize),
    ) {
        let Some(perf) = &self.policy.perf else { return };
        // SAFETY: the code was published there, and stays as long as this value.
        let code = unsafe { slice::from_raw_parts(start.as_ptr(), len) };
        match (self.module().func_name(func_index), loop_position) {
            (Some(name), None) => perf.note(format_args!("{name}"), code),
            (None, None) => perf.note(format_args!("$f{func_index}"), code),
            (Some(name), Some(at)) => perf.note(format_args!("{name} from {at:#x}"), code),
            (None, Some(at)) => perf.note(format_args!("$f{func_index} from {at:#x}"), code),
        }
    }

    /// The place of compiled code that is at a point; `None` if that is none of this code's.
    pub fn place_of(&self, at: Point) -> Option<CodePlace> {
        let mark = at.ip.addr() as u64;
        let image = self.image.get();
        if mark & POSITION == 0 {
            let ahead = image.and_then(|image| image.place_behind(self.module(), at.ip));
            return ahead.or_else(|| self.made.lock().place_behind(at.ip));
        }
        let (position, loop_offset) = in_mark(mark);
        if let (Some(image), None) = (image, loop_offset) {
            return image.place_at(self.module(), position);
        }
        let module = self.module();
        let after = module.bodies.partition_point(|body| body.start <= position);
        let defined = after.checked_sub(1)?;
        let body = module.bodies.get(defined)?;
        let func_index = module.imported.funcs + u32::try_from(defined).ok()?;
        let loop_position = loop_offset.map(|offset| body.start + offset);
        self.made.lock().place_at(func_index, loop_position, position)
    }

    /// Samples of a function, or of a loop in it, until it is compiled: when it has taken about as
    /// long to interpret as compiling takes. So compiling at most doubles the work, whatever comes.
    fn samples_for(&self, func_index: u32) -> u8 {
        /// Bytes of a body that are compiled in the time between two samples.
        const BYTES_PER_SAMPLE: usize = 256;
        let len = self.module().body(func_index).map_or(0, <[u8]>::len);
        let samples = 2 + len / BYTES_PER_SAMPLE;
        u8::try_from(samples).unwrap_or(progress::SAMPLES_MAX).min(progress::SAMPLES_MAX)
    }

    /// Counts that a function was found running; asks for its compilation when it is hot. Returns
    /// code that begins at the loop at the position, if the function is there.
    fn sampled(&self, func_index: u32, loop_position: Option<u32>) -> Option<NonNull<u8>> {
        let When::Hot(thread) = &self.policy.when else { return None };
        let progress = self.progress(func_index)?;
        let seen = progress.load(Ordering::Relaxed);
        match seen {
            progress::REQUESTED | progress::UNDER_WAY | progress::REFUSED => None,
            progress::DONE => {
                // The function was entered before it was compiled, and is in there since.
                let position = loop_position?;
                let mut made = self.made.lock();
                let seen = match made.loop_code(position) {
                    Some(LoopCode::At(code)) => return Some(code),
                    Some(LoopCode::None) => return None,
                    Some(LoopCode::Seen(samples)) => samples + 1,
                    None => 1,
                };
                if seen < self.samples_for(func_index) {
                    made.set_loop_code(position, LoopCode::Seen(seen)).ok()?;
                    return None;
                }
                made.set_loop_code(position, LoopCode::None).ok()?;
                drop(made);
                thread.request(self.own.clone(), Task::Loop { func_index, position });
                None
            }
            // Another thread's sample may be lost, and a request come twice: `do_task` looks.
            _ => {
                let is_hot = seen + 1 >= self.samples_for(func_index);
                let now = if is_hot { progress::REQUESTED } else { seen + 1 };
                let noted =
                    progress.compare_exchange(seen, now, Ordering::AcqRel, Ordering::Relaxed);
                let is_refused = noted.is_ok()
                    && is_hot
                    && !thread.request(self.own.clone(), Task::Func(func_index));
                if is_refused {
                    // No room: it is asked for again by the next sample.
                    progress.store(seen, Ordering::Release);
                }
                None
            }
        }
    }
}

/// Functions with longer bodies are interpreted.
const BODY_BYTES_MAX: usize = 64 << 10;

/// `interp::Above::sampled`: a function of the code in `data` was found running. Returns code to go
/// on in.
///
/// # Safety
/// `data` is a live `TieredCode`, and `env` the running environment.
unsafe fn sampled(data: *const c_void, _env: *mut VmEnv, sample: Sample) -> Option<*const u8> {
    // SAFETY: the caller guarantees live data of this type.
    let this = unsafe { &*data.cast::<TieredCode>() };
    let code = this.sampled(sample.func_index, sample.loop_position)?;
    Some(code.as_ptr().cast_const())
}

impl Compiles for TieredCode {
    fn do_task(&self, task: Task, compiler: &mut Option<(OptLevel, Box<Compiler>)>) {
        let (Task::Func(func_index) | Task::Loop { func_index, .. }) = task;
        let Some(progress) = self.progress(func_index) else { return };
        if matches!(task, Task::Func(_)) {
            let begin = |seen| (seen < progress::UNDER_WAY).then_some(progress::UNDER_WAY);
            let begun = progress.fetch_update(Ordering::AcqRel, Ordering::Acquire, begin);
            if begun.is_err() {
                return;
            }
        }
        let outcome = self.compile(task, compiler);
        let refusal = outcome.err();
        debug_assert_ne!(refusal, Some(Refusal::Malformed), "function {func_index}");
        if let Some(refusal) = refusal {
            log::debug!("function {func_index} is interpreted: {refusal:?}");
        }
        if matches!(task, Task::Func(_)) {
            let now = match refusal {
                None => progress::DONE,
                // There may be some later.
                Some(Refusal::NoMemory) => progress::UNTRIED,
                Some(_) => progress::REFUSED,
            };
            progress.store(now, Ordering::Release);
        }
    }
}

impl GuestCode for TieredCode {
    fn module(&self) -> &Arc<Module> {
        self.base.module()
    }

    fn table(&self) -> CodeTable {
        let builtins = ptr::from_ref(self.ways.builtins).cast();
        CodeTable { builtins, ..code_table(self.ways.entry, self.base.codes()) }
    }

    fn is_profiled(&self) -> bool {
        false
    }

    fn bytes(&self) -> u64 {
        self.base.bytes() + self.compiled().bytes
    }

    fn compiled(&self) -> CompiledCode {
        let mut compiled = self.made.lock().compiled();
        let (funcs, bytes) = self.image.get().map_or((0, 0), Image::size);
        compiled.funcs += funcs;
        compiled.bytes += bytes;
        compiled
    }

    fn retire(&self) {
        if let When::Hot(thread) = &self.policy.when {
            thread.forget(ptr::from_ref(self).cast());
        }
    }

    fn again(&self, module: Arc<Module>) -> Result<Arc<dyn GuestCode>> {
        // What contexts share is interpreted: the policy is one context's.
        self.base.again(module)
    }
}
