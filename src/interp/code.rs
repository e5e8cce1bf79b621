//! A module's code: one entry per defined function, translated when first called.
//!
//! Each function is translated by one thread, with no lock held, while others translate other
//! functions, throw, look frames up or fork. A thread that needs a function which another thread
//! translates waits for it, unless it has to stop. A translation that ends early, for want of
//! memory or because its code is to stop, leaves the function as it was, so that the next call
//! translates it. If it can never succeed, every later call gets its error.

use super::bodies::{Bodies, Body};
use super::compile::{self, Options, Translated};
use super::dispatch::stub;
use super::handlers::calls;
use super::handlers::other_code::Diverted;
use super::machine::{Header, Ip, Offset};
use super::shape::{self, Code, Site, Word};
use super::unwind::Tables;
use crate::abi::error::{Error, Result};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, pinned};
use crate::alloc;
use crate::exec::{CompiledCode, GuestCode, code_table, stop_reason, wait_at};
use crate::instance::CodeTable;
use crate::module::Module;
use crate::sync::{Found, Lock, Making, Turn, WaitQueue, section};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, OnceLock};

/// One function's code, as calls read it. Owner: the module's code table. `own` moves once, from
/// the translating stub to the translated code; before either stands a `shape::Entry`.
#[repr(C)]
pub struct VmCode {
    /// First instruction for calls: that at `own`, or one that enters other code of the function.
    pub entry: AtomicPtr<u64>,
    /// First instruction of the interpreter's own code.
    pub own: AtomicPtr<u64>,
    /// What compiled code calls: compiled code, or code that has the interpreter run the function;
    /// null if there is neither.
    pub native: AtomicPtr<u8>,
    /// Enters compiled code with the parameters in a frame; null if there is none.
    pub thunk: AtomicPtr<u8>,
    /// Slots of the parameters, which is where the frame's header lies.
    pub header_slot: u32,
    pub func_index: u32,
    /// The table that this is in.
    pub module: *const ModuleCode,
}

pinned! {
    VmCode 48 / 8 {
        entry 0, own 8, native 16, thunk 24, header_slot 32, func_index 36, module 40,
    }
}

/// What stands before a function's code. A function has fewer slots than 16 bits can count, and
/// validation allows a thousand parameters.
pub fn entry(frame_slots: u32, header_slot: u32, cost: u32) -> shape::Entry {
    debug_assert!(frame_slots <= u16::MAX.into() && header_slot <= u16::MAX.into());
    shape::Entry { cost, frame_slots: frame_slots as u16, header_slot: header_slot as u16 }
}

/// A function's state beside its [`VmCode`]. The entry of an untranslated function points to the
/// instruction at its beginning.
#[repr(C)]
struct Stub {
    entry: shape::Entry,
    /// The translating instruction.
    first: Code<shape::Translate>,
    /// The tables of its translated body, or null. Set before the entry moves to the body.
    tables: AtomicPtr<Tables>,
    making: Making,
}

/// The engine that a table is a part of.
pub struct Above {
    pub data: *const c_void,
    /// Called now and then with a function that is running. May return other code to go on in, from
    /// the loop on that the function is about to begin a turn of.
    pub sampled: unsafe fn(*const c_void, *mut VmEnv, Sample) -> Option<*const u8>,
    /// Goes on in that code. As [`EnterOther`], on the frame that the function has.
    pub go_on: unsafe fn(*mut VmEnv, *const u8, frame: *mut u64) -> u32,
}

/// A function that was found running.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    pub func_index: u32,
    /// The position in the module of the loop that it begins a turn of, if it does.
    pub loop_position: Option<u32>,
}

/// What calls of a function find that has other code.
#[repr(C)]
struct Diversion {
    entry: shape::Entry,
    first: Code<shape::EnterOther>,
}

/// Enters other code of a function, with the parameters at `frame`, and leaves the results there.
/// Returns zero, the code of a trap that has been noted, or [`DECLINED`].
///
/// It is called by guest code that has noted its point, and has the contract of `VmEntry`.
pub type EnterOther =
    unsafe extern "C" fn(env: *mut VmEnv, code: *const VmCode, frame: *mut u64) -> u32;

/// The result of an [`EnterOther`] that has done nothing: the interpreter is to run the function.
pub const DECLINED: u32 = u32::MAX - 1;
/// The result of a run that has ended with a tail call of another kind of code: the function at
/// [`VmEnv::next_code`] goes on, on the frame of the run.
pub const GO_ON: u32 = u32::MAX - 2;

/// The code of a module. Owner: the `Arc`s of its instances; shared by all of them.
pub struct ModuleCode {
    module: Arc<Module>,
    profiled: bool,
    codes: Box<[VmCode]>,
    stubs: Box<[Stub]>,
    bodies: Lock<Bodies>,
    /// What calls of functions find that have other code, by `divert`.
    diversions: Lock<Vec<Box<[Diversion]>>>,
    /// The engine that this code is a part of, if it is not alone.
    above: OnceLock<Above>,
    /// The threads that wait for functions which others translate, by the functions' numbers.
    waiting: WaitQueue,
}

/// A place in the code of a function.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub code: &'a VmCode,
    /// The start of the function's code, and the place in it.
    pub start: Ip,
    pub offset: Offset,
    pub tables: Option<&'a Tables>,
}

// SAFETY: `codes` and `stubs` are immutable but for atomics, and point at each other, which
// stays true wherever the `ModuleCode` goes since both are boxed slices of their own. Tables that
// a stub points to belong to the list of bodies, and never change.
unsafe impl Send for ModuleCode {}
// SAFETY: all fields that change are atomic or behind the lock of `bodies`, and a function is
// translated by the one thread that has the turn.
unsafe impl Sync for ModuleCode {}

impl ModuleCode {
    /// Makes the code table of `module`, in the module's heap; nothing is translated yet. Profiled
    /// code measures the cost of its functions. Fails if memory runs out, or in a build that does
    /// not bound the native stack.
    pub fn new(module: Arc<Module>, profiled: bool) -> Result<Arc<Self>> {
        if !super::is_stack_bounded() {
            return Err(Error::load(
                "this build does not bound the native stack of guests: \
                 set ISOTHREAD_DISPATCH=loop and build again",
            ));
        }
        module.clone().at_home(|| Self::empty(module, profiled))
    }

    fn empty(module: Arc<Module>, profiled: bool) -> Result<Arc<Self>> {
        let count = module.bodies.len();
        let mut codes = Vec::new();
        let mut stubs = Vec::new();
        codes.try_reserve_exact(count).map_err(|_| Error::out_of_memory())?;
        stubs.try_reserve_exact(count).map_err(|_| Error::out_of_memory())?;
        let this = Arc::new(Self {
            module,
            profiled,
            codes: Box::default(),
            stubs: Box::default(),
            bodies: Lock::default(),
            diversions: Lock::default(),
            above: OnceLock::new(),
            waiting: WaitQueue::new(),
        });
        Ok(Self::fill(this, codes, stubs))
    }

    /// Makes the entries, which need the table's own address.
    fn fill(mut this: Arc<Self>, mut codes: Vec<VmCode>, mut stubs: Vec<Stub>) -> Arc<Self> {
        let own = Arc::as_ptr(&this);
        let imported = this.module.imported.funcs;
        for (i, &ty) in this.module.funcs.iter().skip(imported as usize).enumerate() {
            let header_slot = this.module.types.valid_func(ty).param_slots();
            codes.push(VmCode {
                entry: AtomicPtr::new(ptr::null_mut()),
                own: AtomicPtr::new(ptr::null_mut()),
                native: AtomicPtr::new(ptr::null_mut()),
                thunk: AtomicPtr::new(ptr::null_mut()),
                header_slot,
                func_index: imported + i as u32,
                module: own,
            });
        }
        let codes = codes.into_boxed_slice();
        stubs.extend(codes.iter().map(|code| Stub {
            entry: entry(code.header_slot + Header::SLOTS, code.header_slot, 0),
            first: Code::new(stub::<calls::Translate>, shape::Translate { code }),
            tables: AtomicPtr::new(ptr::null_mut()),
            making: Making::new(),
        }));
        for (code, stub) in codes.iter().zip(&stubs) {
            // From the stub as a whole, since calls read what stands before the instruction.
            let first = (&raw const *stub).cast::<Word>().wrapping_add(1);
            code.entry.store(first.cast_mut().cast(), Ordering::Relaxed);
            code.own.store(first.cast_mut().cast(), Ordering::Relaxed);
        }
        if let Some(inner) = Arc::get_mut(&mut this) {
            inner.codes = codes;
            inner.stubs = stubs.into_boxed_slice();
        }
        this
    }

    /// The entries of the defined functions, in index order.
    pub fn codes(&self) -> *const VmCode {
        self.codes.as_ptr()
    }

    /// The record of a defined function.
    pub fn code(&self, func_index: u32) -> Option<&VmCode> {
        self.codes.get(self.defined(func_index)?)
    }

    /// Data of the engine that this code is a part of; null if there is none.
    pub fn above(&self) -> *const c_void {
        self.above.get().map_or(ptr::null(), |above| above.data)
    }

    /// Makes this code a part of another engine's. To be called once, before it is used.
    ///
    /// # Safety
    /// The data lives as long as this table, and `sampled` takes it.
    pub unsafe fn set_above(&self, above: Above) {
        let _ = self.above.set(above);
    }

    /// Reports to the engine above that the code at `ip` was found running. Returns the record of
    /// the function and other code to go on in.
    ///
    /// # Safety
    /// `env` is the running environment, and `ip` an instruction of this table's code that a
    /// function or a turn of a loop begins with.
    pub unsafe fn sample(&self, env: *mut VmEnv, ip: Ip) -> Option<(&VmCode, &Above, *const u8)> {
        let above = self.above.get()?;
        let (code, offset) = self.find(ip.as_ptr())?;
        let stub = self.stubs.get(self.defined(code.func_index)?)?;
        // SAFETY: null, or set by `publish` to tables that `bodies` owns: they do not change, move
        // or go during the life of this table.
        let tables = unsafe { stub.tables.load(Ordering::Acquire).as_ref() };
        let loop_position = tables.and_then(|tables| tables.loop_at(offset));
        let sample = Sample { func_index: code.func_index, loop_position };
        // SAFETY: the caller of `set_above` guarantees the data, and ours the environment.
        let other = unsafe { (above.sampled)(above.data, env, sample) }?;
        Some((code, above, other))
    }

    /// Calls of a function enter other code of it from now on, by `enter`.
    ///
    /// # Safety
    /// `enter` keeps its contract for this function as long as this table lives.
    pub unsafe fn divert(&self, func_index: u32, enter: EnterOther) -> Result<()> {
        let code = self.code(func_index).ok_or_else(Error::out_of_memory)?;
        self.divert_each(std::iter::once(code), 1, enter)
    }

    /// As [`ModuleCode::divert`], for all functions that `has_other` names by their indices.
    ///
    /// # Safety
    /// `enter` keeps its contract for these functions as long as this table lives.
    pub unsafe fn divert_all(
        &self,
        enter: EnterOther,
        has_other: impl Fn(u32) -> bool,
    ) -> Result<()> {
        let codes = || self.codes.iter().filter(|code| has_other(code.func_index));
        self.divert_each(codes(), codes().count(), enter)
    }

    fn divert_each<'a>(
        &self,
        codes: impl Iterator<Item = &'a VmCode> + Clone,
        count: usize,
        enter: EnterOther,
    ) -> Result<()> {
        let mut diverted = alloc::try_vec(count)?;
        diverted.extend(codes.clone().take(count).map(|code| Diversion {
            entry: entry(code.header_slot + Header::SLOTS, code.header_slot, 0),
            first: Code::new(stub::<Diverted>, shape::EnterOther { code, enter }),
        }));
        let diverted = diverted.into_boxed_slice();
        let first = diverted.as_ptr();
        // A fork finds both done, or nothing.
        let _section = section();
        let mut diversions = self.diversions.lock();
        alloc::fallible(|| diversions.try_reserve(1)).map_err(|_| Error::out_of_memory())?;
        diversions.push(diverted);
        // The entry of functions that are translated meanwhile changes under the same lock.
        let _bodies = self.bodies.lock();
        for (place, code) in codes.take(count).enumerate() {
            // From the diversion as a whole, since calls read what stands before the instruction.
            let first = first.wrapping_add(place).cast::<Word>().wrapping_add(1);
            code.entry.store(first.cast_mut().cast(), Ordering::Release);
        }
        Ok(())
    }

    /// The number of a function among those that the module defines.
    fn defined(&self, func_index: u32) -> Option<usize> {
        Some(func_index.checked_sub(self.module.imported.funcs)? as usize)
    }

    /// The function that the instruction at `ip` belongs to, and the instruction's place in it.
    /// Nothing is allocated, and no translation is waited for.
    pub fn find(&self, ip: *const u8) -> Option<(&VmCode, Offset)> {
        let at = ip.addr();
        let stubs = self.stubs.as_ptr_range();
        if (stubs.start.addr()..stubs.end.addr()).contains(&at) {
            let index = (at - stubs.start.addr()) / size_of::<Stub>();
            return Some((self.codes.get(index)?, Offset::START));
        }
        let mut bodies = self.bodies.lock();
        let body = bodies.find(at)?;
        let code = self.codes.get(self.defined(body.func_index)?)?;
        Some((code, Ip::of(ip).offset(Ip::of(body.words.as_ptr().cast()))?))
    }

    /// The place of the instruction at `ip`, which is a call or one that throws: those have their
    /// position in the module. Nothing is allocated, and no lock is taken.
    ///
    /// # Safety
    /// The instruction is one of these, in code of this table.
    pub unsafe fn place(&self, ip: *const u8) -> Option<At<'_>> {
        // SAFETY: the caller guarantees that this is a call or an instruction that throws. Their
        // shapes begin with a `Site`.
        let Site { position } = *unsafe { Ip::of(ip).of_shape::<Site>().operands() };
        let after = self.module.bodies.partition_point(|body| body.start <= position);
        let defined = after.checked_sub(1)?;
        let (code, stub) = (self.codes.get(defined)?, self.stubs.get(defined)?);
        let start = Ip::of(code.own.load(Ordering::Acquire).cast_const().cast()).before();
        // SAFETY: null, or set by `publish` to tables that `bodies` owns: they do not change, move
        // or go during the life of this table.
        let tables = unsafe { stub.tables.load(Ordering::Acquire).as_ref() };
        let offset = Ip::of(ip).offset(start)?;
        Some(At { code, start, offset, tables })
    }

    /// # Safety
    /// `env` is the live environment of code that runs on this thread.
    unsafe fn translate(&self, env: *mut VmEnv, code: &VmCode) -> Result<(), Trap> {
        let number = self.defined(code.func_index).ok_or(Trap::Internal)?;
        let making = &self.stubs.get(number).ok_or(Trap::Internal)?.making;
        let place = number as u64;
        loop {
            match making.find(&self.waiting, place) {
                Found::Made => return Ok(()),
                Found::Failed(trap) => return Err(Trap::from_code(trap).unwrap_or(Trap::Internal)),
                // SAFETY: the caller guarantees that `env` is the live environment of code that
                // runs on this thread.
                Found::Busy => unsafe {
                    wait_at(env, &self.waiting, place, || making.is_awaited())?;
                },
                Found::Turn(turn) => {
                    // SAFETY: the environment is live during this call.
                    let stop = || unsafe { stop_reason(env) };
                    let len = self.module.body(code.func_index).map_or(0, <[u8]>::len);
                    let translated = alloc::operation(|| {
                        alloc::ensure_reserve(len * BYTES_PER_BYTE + FIRST_BYTES)
                            .map_err(|_| Trap::OutOfMemory)?;
                        // The code lies in the module's heap, also if another context calls first.
                        self.module.at_home(|| self.translate_here(code, turn, &stop))
                    });
                    alloc::trim_reserve();
                    translated.map_err(|_| Trap::OutOfMemory)??;
                }
            }
        }
    }

    /// Translates a function with the heap current that its code is to lie in. Afterwards it is
    /// ready, unless its turn was taken over.
    fn translate_here(
        &self,
        code: &VmCode,
        turn: Turn<'_>,
        stop: &dyn Fn() -> Option<Trap>,
    ) -> Result<(), Trap> {
        let loops = self.above.get().is_some();
        let options = Options { listing: false, profiled: self.profiled, loops, stop };
        let translated = compile::translate(&self.module, self.codes(), code.func_index, options);
        match translated {
            Ok(translated) => self.publish(code, turn, translated),
            Err(trap) => {
                if is_lasting(trap) {
                    turn.failed(trap as u32);
                }
                Err(trap)
            }
        }
    }

    fn publish(&self, code: &VmCode, turn: Turn<'_>, translated: Translated) -> Result<(), Trap> {
        // A fork finds all of the following done, or nothing.
        let _section = section();
        let Translated { words, tables, .. } = translated;
        let stub = self.defined(code.func_index).and_then(|number| self.stubs.get(number));
        let stub = stub.ok_or(Trap::Internal)?;
        let mut bodies = self.bodies.lock();
        alloc::fallible(|| bodies.list.try_reserve(1)).map_err(|_| Trap::OutOfMemory)?;
        if !turn.is_valid() {
            return Ok(());
        }
        let table = tables.as_deref().map_or(ptr::null(), ptr::from_ref);
        stub.tables.store(table.cast_mut(), Ordering::Release);
        // Release: a thread that sees the entry sees the code and the tables. The first word is
        // what stands before the code.
        let first = words.as_ptr().wrapping_add(1);
        let before = code.own.swap(first.cast_mut().cast(), Ordering::Release);
        if code.entry.load(Ordering::Relaxed) == before {
            code.entry.store(first.cast_mut().cast(), Ordering::Release);
        }
        bodies.add(Body { words, func_index: code.func_index, tables });
        drop(bodies);
        turn.made();
        Ok(())
    }
}

impl GuestCode for ModuleCode {
    fn module(&self) -> &Arc<Module> {
        &self.module
    }

    fn table(&self) -> CodeTable {
        code_table(super::run, self.codes())
    }

    fn is_profiled(&self) -> bool {
        self.profiled
    }

    fn bytes(&self) -> u64 {
        let translated = self.bodies.lock().bytes;
        (size_of_val(&*self.codes) + size_of_val(&*self.stubs) + translated) as u64
    }

    fn compiled(&self) -> CompiledCode {
        CompiledCode::default()
    }

    fn again(&self, module: Arc<Module>) -> Result<Arc<dyn GuestCode>> {
        Ok(Self::new(module, self.profiled)?)
    }
}

/// The most memory for translating a body: for each of its bytes, and for any body. A byte may
/// become a word of code and an operand; growing lists may take four times that.
const BYTES_PER_BYTE: usize = 192;
const FIRST_BYTES: usize = 24 << 10;

/// Whether a translation that ends like this will do so every time.
fn is_lasting(trap: Trap) -> bool {
    matches!(trap, Trap::OperandStackOverflow | Trap::UnsupportedOpcode | Trap::Internal)
}

/// Translates the function that `code` belongs to, or waits until another thread has. Ends with a
/// trap soon after the code of `env` is to stop; a later call then translates the function.
///
/// # Safety
/// `env` is the live environment of this thread's code, `code` an entry of a live `ModuleCode`.
pub unsafe fn translate(env: *mut VmEnv, code: *const VmCode) -> Result<(), Trap> {
    // SAFETY: the environment is live, and the table, which `fill` has set `module` to.
    unsafe { (*(*code).module).translate(env, &*code) }
}
