//! A module's code: one entry per defined function, translated when first called.

use super::compile::{self, Options, Translated};
use super::dispatch::Handler;
use super::handlers::control;
use super::unwind::Tables;
use crate::abi::error::{Error, Result};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmCode;
use crate::alloc;
use crate::module::Module;
use crate::sync::Lock;
use std::ffi::c_void;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// What an untranslated function's entry points to: the translating instruction, and the
/// function it is for.
#[repr(C)]
struct Stub {
    handler: Handler,
    code: *const VmCode,
}

/// The code of a module. Owner: the `Arc`s of its instances; shared by all of them.
pub struct ModuleCode {
    module: Arc<Module>,
    profiled: bool,
    codes: Box<[VmCode]>,
    stubs: Box<[Stub]>,
    /// The lock also makes each function be translated once.
    bodies: Lock<Bodies>,
}

/// Translated bodies: the first `sorted` by address, the others in the order in which they were
/// first called.
#[derive(Default)]
struct Bodies {
    list: Vec<Body>,
    sorted: usize,
}

struct Body {
    words: Box<[u64]>,
    func_index: u32,
    tables: Option<Box<Tables>>,
}

/// A place in the code of a function.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub code: &'a VmCode,
    /// Where the function's code starts, and how many bytes into it the place is.
    pub start: *const u8,
    pub offset: u32,
    pub tables: Option<&'a Tables>,
}

impl Body {
    fn start(&self) -> usize {
        self.words.as_ptr().addr()
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.words) + self.tables.as_ref().map_or(0, |tables| tables.bytes())
    }
}

// SAFETY: `codes` and `stubs` are immutable but for atomics, and point at each other, which
// stays true wherever the `ModuleCode` goes since both are boxed slices of their own.
unsafe impl Send for ModuleCode {}
// SAFETY: as for `Send`; translation is under the lock of `bodies`.
unsafe impl Sync for ModuleCode {}

impl ModuleCode {
    /// Makes the code table of `module`, where that lies; nothing is translated yet. Profiled code
    /// measures what its functions cost.
    pub fn new(module: Arc<Module>, profiled: bool) -> Result<Arc<Self>> {
        module.clone().at_home(|| Self::table(module, profiled))
    }

    fn table(module: Arc<Module>, profiled: bool) -> Result<Arc<Self>> {
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
        });
        Ok(Self::fill(this, codes, stubs))
    }

    /// Makes the entries, which need the table's own address.
    fn fill(mut this: Arc<Self>, mut codes: Vec<VmCode>, mut stubs: Vec<Stub>) -> Arc<Self> {
        let own = Arc::as_ptr(&this).cast::<c_void>();
        let imported = this.module.imported.funcs;
        for (i, &ty) in this.module.funcs.iter().skip(imported as usize).enumerate() {
            let header_slot = this.module.types[ty as usize].param_slots();
            codes.push(VmCode {
                entry: AtomicPtr::new(std::ptr::null_mut()),
                frame_slots: AtomicU32::new(header_slot + control::HEADER_SLOTS),
                cost: AtomicU32::new(0),
                header_slot,
                func_index: imported + i as u32,
                reserved: 0,
                module: own,
            });
        }
        let codes = codes.into_boxed_slice();
        stubs.extend(codes.iter().map(|code| Stub { handler: control::translate, code }));
        for (code, stub) in codes.iter().zip(&stubs) {
            code.entry.store((&raw const *stub).cast_mut().cast(), Ordering::Relaxed);
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

    pub fn is_profiled(&self) -> bool {
        self.profiled
    }

    /// What the table and the translated bodies take.
    pub fn bytes(&self) -> u64 {
        let bodies = self.bodies.lock();
        let translated: usize = bodies.list.iter().map(Body::bytes).sum();
        (size_of_val(&*self.codes) + size_of_val(&*self.stubs) + translated) as u64
    }

    pub fn module(&self) -> &Arc<Module> {
        &self.module
    }

    /// The function that the instruction at `ip` belongs to, and how many bytes into its code.
    /// Nothing is allocated.
    pub fn find(&self, ip: *const u8) -> Option<(&VmCode, u32)> {
        let at = ip.addr();
        let stubs = self.stubs.as_ptr_range();
        if (stubs.start.addr()..stubs.end.addr()).contains(&at) {
            let index = (at - stubs.start.addr()) / size_of::<Stub>();
            return Some((self.codes.get(index)?, 0));
        }
        self.place(ip).map(|at| (at.code, at.offset))
    }

    /// Where the instruction at `ip` is, of a function that has been translated. Nothing is
    /// allocated.
    pub fn place(&self, ip: *const u8) -> Option<At<'_>> {
        let at = ip.addr();
        let mut bodies = self.bodies.lock();
        if bodies.sorted < bodies.list.len() {
            bodies.list.sort_unstable_by_key(Body::start);
            bodies.sorted = bodies.list.len();
        }
        let after = bodies.list.partition_point(|body| body.start() <= at);
        let body = bodies.list.get(after.checked_sub(1)?)?;
        let offset = at - body.start();
        let defined = body.func_index.checked_sub(self.module.imported.funcs)?;
        let code = self.codes.get(defined as usize)?;
        let start = body.words.as_ptr().cast();
        // SAFETY: a body stays what it is, in boxes of its own, for the life of this table.
        let tables = body.tables.as_deref().map(|tables| unsafe { &*ptr::from_ref(tables) });
        let inside = offset < body.words.len() * size_of::<u64>();
        inside.then_some(At { code, start, offset: offset as u32, tables })
    }

    fn translate(&self, code: &VmCode) -> Result<(), Trap> {
        // Whichever context comes first, the code lies where the module does.
        let translated = alloc::operation(|| {
            let len = self.module.body(code.func_index).map_or(0, <[u8]>::len);
            alloc::ensure_reserve(len * BYTES_PER_BYTE + FIRST_BYTES)
                .map_err(|_| Trap::OutOfMemory)?;
            self.module.at_home(|| self.translate_here(code))
        });
        alloc::trim_reserve();
        translated.map_err(|_| Trap::OutOfMemory)?
    }

    fn translate_here(&self, code: &VmCode) -> Result<(), Trap> {
        let mut bodies = self.bodies.lock();
        let stub = self.stubs.as_ptr_range();
        if !stub.contains(&code.entry.load(Ordering::Relaxed).cast_const().cast()) {
            return Ok(());
        }
        let options = Options { profiled: self.profiled, ..Options::default() };
        let translated = compile::translate(&self.module, self.codes(), code.func_index, options)?;
        bodies.list.try_reserve(1).map_err(|_| Trap::OutOfMemory)?;
        code.frame_slots.store(translated.frame_slots, Ordering::Relaxed);
        code.cost.store(translated.cost, Ordering::Relaxed);
        // Release: whoever sees the entry sees the code and the fields above.
        code.entry.store(translated.words.as_ptr().cast_mut(), Ordering::Release);
        let Translated { words, tables, .. } = translated;
        bodies.list.push(Body { words, func_index: code.func_index, tables });
        Ok(())
    }
}

/// What translating a body takes at most, for each of its bytes and for being there at all, with
/// all that growing lists leave behind: a word of code and an operand from a byte, four times over.
const BYTES_PER_BYTE: usize = 192;
const FIRST_BYTES: usize = 24 << 10;

/// Translates the function that `code` belongs to, unless another thread just did.
///
/// # Safety
/// `code` must be an entry of a live `ModuleCode`.
pub unsafe fn translate(code: *const VmCode) -> Result<(), Trap> {
    // SAFETY: the caller's contract; `module` was set by `fill` to the table that `code` is in.
    unsafe {
        let table = (*code).module.cast::<ModuleCode>();
        (*table).translate(&*code)
    }
}
