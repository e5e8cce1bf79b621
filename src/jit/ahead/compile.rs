//! All functions of a module at once.

use super::super::compiler::{self, Blob, Compiler, OptLevel};
use super::super::translate::Refusal;
use super::super::translate::thunks::ThunkKind;
use super::contract::{host, thunk_place};
use super::frames;
use crate::abi::error::{Error, Result};
use crate::ahead::{self, Host, Processor};
use crate::alloc;
use crate::module::Module;
use crate::platform::thread;
use std::collections::TryReserveError;
use std::ffi::c_void;
use std::ptr;

/// How a module is compiled.
#[derive(Clone, Copy, Debug)]
pub struct CompileOptions {
    pub level: OptLevel,
    /// The features that code may use.
    pub processor: Processor,
}

/// A module's file.
pub struct Compiled {
    pub bytes: Vec<u8>,
    /// How many functions have code, and how many are left to the interpreter.
    pub funcs: u32,
    pub interpreted: u32,
}

/// Compiles a module into the bytes of a file, which lie in the current heap. The work is done by a
/// thread of its own, since Cranelift needs more stack than a caller may have; what it takes
/// meanwhile is the system's.
pub fn compile(module: &Module, options: CompileOptions) -> Result<Compiled> {
    let mut job = Compilation { module, options, made: Err(Refusal::NoMemory) };
    let data = (&raw mut job).cast();
    let thread = thread::start(2 * compiler::STACK_BYTES, run, data);
    thread.map_err(|_| Error::load("no thread for the compiler could be started"))?.join();
    let parts = job.made.map_err(|refusal| match refusal {
        Refusal::Unsupported => Error::load("there is no code for such processors"),
        Refusal::TooLarge => Error::load("the code would be larger than 4 GiB"),
        _ => Error::out_of_memory(),
    })?;
    let needs = Host { processor: options.processor, ..host() };
    let Content { funcs, thunks, calls, frames, text, compiled } = &parts;
    let bytes = ahead::write(needs, &[&module.bytes, funcs, thunks, calls, frames, text])?;
    let all = module.bodies.len() as u32;
    Ok(Compiled { bytes, funcs: *compiled, interpreted: all - compiled })
}

struct Compilation<'a> {
    module: &'a Module,
    options: CompileOptions,
    made: Result<Content, Refusal>,
}

extern "C" fn run(data: *mut c_void) -> *mut c_void {
    thread::block_signals();
    // SAFETY: `compile` gives a job that nothing else uses until this thread has ended.
    let job = unsafe { &mut *data.cast::<Compilation<'_>>() };
    job.made = parts(job.module, job.options);
    ptr::null_mut()
}

/// The sections that are made here, in the system's memory.
struct Content {
    funcs: Vec<u8>,
    thunks: Vec<u8>,
    calls: Vec<u8>,
    frames: Vec<u8>,
    text: Vec<u8>,
    /// How many functions have code.
    compiled: u32,
}

/// Functions with longer bodies are interpreted. More than at run time: here it takes as long as it
/// takes.
const BODY_BYTES_MAX: usize = 256 << 10;
const LARGE_BODY_BYTES: usize = 16 << 10;

fn parts(module: &Module, options: CompileOptions) -> Result<Content, Refusal> {
    let compiler = alloc::operation(|| {
        alloc::ensure_reserve(compiler::memory_for(0)).map_err(|_| Refusal::NoMemory)?;
        Ok(Compiler::for_processor(options.level, options.processor))
    });
    let compiler = compiler.map_err(|_| Refusal::NoMemory)??;
    let mut maker = Maker {
        module,
        compiler: compiler.ok_or(Refusal::Unsupported)?,
        thunks: vec_of_none(2 * module.types.len())?,
        calls: Vec::new(),
        frames: Vec::new(),
        text: Vec::new(),
    };
    let mut funcs = vec_of_none(module.bodies.len())?;
    let mut compiled = 0;
    for (func_index, offset) in (module.imported.funcs..).zip(&mut funcs) {
        *offset = maker.func(func_index)?;
        compiled += u32::from(*offset != ahead::NONE);
    }
    let Maker { thunks, calls, frames, text, .. } = maker;
    let (funcs, thunks) = (bytes_of(&funcs)?, bytes_of(&thunks)?);
    Ok(Content { funcs, thunks, calls, frames, text, compiled })
}

fn no_memory(_: TryReserveError) -> Refusal {
    Refusal::NoMemory
}

fn vec_of_none(len: usize) -> Result<Vec<u32>, Refusal> {
    alloc::try_filled(len, ahead::NONE).map_err(no_memory)
}

fn bytes_of(words: &[u32]) -> Result<Vec<u8>, Refusal> {
    let mut bytes = alloc::try_vec(4 * words.len()).map_err(no_memory)?;
    words.iter().for_each(|word| bytes.extend_from_slice(&word.to_le_bytes()));
    Ok(bytes)
}

struct Maker<'a> {
    module: &'a Module,
    compiler: Box<Compiler>,
    /// Offsets of thunks, as in the file.
    thunks: Vec<u32>,
    calls: Vec<u8>,
    frames: Vec<u8>,
    text: Vec<u8>,
}

impl Maker<'_> {
    /// Adds a function's code with its thunk; returns its offset, or that of none.
    fn func(&mut self, func_index: u32) -> Result<u32, Refusal> {
        let type_index = self.module.funcs.get(func_index as usize).copied();
        let type_index = type_index.ok_or(Refusal::Malformed)?;
        let len = self.module.body(func_index).map_or(0, <[u8]>::len);
        let module = self.module;
        let made = match len <= BODY_BYTES_MAX {
            true => self.with_memory(len, |it| it.function(module, func_index, None)),
            false => Err(Refusal::TooLarge),
        };
        let made = made.and_then(|blob| {
            self.thunk(ThunkKind::Entry, type_index)?;
            if let Some(tables) = &blob.tables {
                let defined = func_index - module.imported.funcs;
                frames::write(&mut self.frames, defined, tables).map_err(no_memory)?;
            }
            self.add(&blob)
        });
        made.or_else(|refusal| {
            if refusal == Refusal::NoMemory {
                return Err(refusal);
            }
            log::debug!("function {func_index} is interpreted: {refusal:?}");
            // For compiled code that calls it; nothing compiled can where there is no thunk.
            match self.thunk(ThunkKind::Exit, type_index) {
                Ok(()) | Err(Refusal::Unsupported) => Ok(ahead::NONE),
                Err(refusal) => Err(refusal),
            }
        })
    }

    fn thunk(&mut self, kind: ThunkKind, type_index: u32) -> Result<(), Refusal> {
        let place = thunk_place(kind, type_index);
        if self.thunks.get(place).is_none_or(|&offset| offset != ahead::NONE) {
            return Ok(());
        }
        let module = self.module;
        let ty = module.types.func(type_index).ok_or(Refusal::Malformed)?;
        let blob = self.with_memory(0, |it| it.thunk(module, kind, ty))?;
        self.thunks[place] = self.add(&Blob { calls: Box::default(), ..blob })?;
        Ok(())
    }

    /// Has the compiler make code of so many bytes of a body.
    fn with_memory(
        &mut self,
        body_bytes: usize,
        make: impl FnOnce(&mut Compiler) -> Result<Blob, Refusal>,
    ) -> Result<Blob, Refusal> {
        let made = alloc::operation(|| {
            let reserved = alloc::ensure_reserve(compiler::memory_for(body_bytes));
            // Where there is none for a large body, there may be enough for all others.
            reserved.map_err(|_| match body_bytes {
                0..LARGE_BODY_BYTES => Refusal::NoMemory,
                _ => Refusal::TooLarge,
            })?;
            make(&mut self.compiler)
        });
        alloc::trim_reserve();
        made.map_err(|_| Refusal::NoMemory)?
    }

    /// Adds machine code; returns its offset.
    fn add(&mut self, blob: &Blob) -> Result<u32, Refusal> {
        let start = self.text.len().next_multiple_of(ahead::CODE_ALIGN);
        let end = start + blob.code.len();
        if u32::try_from(end).is_err() {
            return Err(Refusal::TooLarge);
        }
        let room = alloc::fallible(|| {
            self.text.try_reserve(end - self.text.len())?;
            self.calls.try_reserve(8 * blob.calls.len())
        });
        room.map_err(no_memory)?;
        self.text.resize(start, 0);
        self.text.extend_from_slice(&blob.code);
        for &(after, position) in &blob.calls {
            self.calls.extend_from_slice(&(start as u32 + after).to_le_bytes());
            self.calls.extend_from_slice(&position.to_le_bytes());
        }
        Ok(start as u32)
    }
}
