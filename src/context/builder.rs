//! How a context is made.

use super::log::LogLevel;
use super::process::{self, Process};
use super::registry::Origin;
use super::runtime::{Runtime, RuntimeArgs};
use super::shared::Shared;
use super::{Context, LogCallback};
use crate::abi::error::{Error, Result, bounded};
use crate::alloc::{Heap, HeapConfig, HeapError, HeapIdentity};
use crate::native::{Convention, NativeSymbol};
use std::ffi::c_char;

/// How guest code runs. The numbers are the C API's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum RunningMode {
    /// Whatever the build does best.
    #[default]
    Default = 0,
    Interp = 1,
    FastJit = 2,
    LlvmJit = 3,
    MultiTierJit = 4,
}

impl RunningMode {
    pub const fn from_raw(raw: u32) -> Option<Self> {
        Some(match raw {
            0 => Self::Default,
            1 => Self::Interp,
            2 => Self::FastJit,
            3 => Self::LlvmJit,
            4 => Self::MultiTierJit,
            _ => return None,
        })
    }

    /// Whether this build can run code so.
    pub const fn is_supported(self) -> bool {
        matches!(self, Self::Default | Self::Interp)
    }

    /// What an instance gets: [`RunningMode::Default`] stands for the interpreter here.
    pub const fn resolve(self) -> Self {
        match self {
            Self::Default => Self::Interp,
            mode => mode,
        }
    }
}

/// Options of the compilers. Kept for whoever asks; this build compiles nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitOptions {
    /// Bytes of code cache; 0 for the default.
    pub code_cache_size: u32,
    pub opt_level: u32,
    pub size_level: u32,
    pub segue_flags: u32,
    pub linux_perf: bool,
}

/// Default size of an instance's garbage-collected heap, in bytes.
pub const GC_HEAP_SIZE_DEFAULT: u32 = 131_072;
/// Default cap on the threads of a cluster, its main thread not counted.
pub const MAX_THREAD_NUM_DEFAULT: u32 = 4;

/// Settings that have setters of their own. A thread remembers what was set before any context
/// was there, for the context that `init` makes on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) log_level: Option<LogLevel>,
    pub(super) running_mode: Option<RunningMode>,
    pub(super) max_thread_num: Option<u32>,
}

impl Settings {
    /// These settings, and where they are silent, those of `other`.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            log_level: self.log_level.or(other.log_level),
            running_mode: self.running_mode.or(other.running_mode),
            max_thread_num: self.max_thread_num.or(other.max_thread_num),
        }
    }
}

/// An embedder's array of natives, by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct NativeArray {
    module: *const c_char,
    symbols: *const NativeSymbol,
    count: u32,
    raw: bool,
}

/// What `init` compares when a thread that has a context asks for one again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct InitArgs {
    heap: HeapIdentity,
    quota_bytes: Option<u64>,
    settings: Settings,
    gc_heap_size: u32,
    jit: JitOptions,
    /// Address and length of the last array, and how many there are.
    natives: (usize, u32, usize),
}

/// Makes a [`Context`].
#[must_use = "a builder makes nothing before `build`"]
pub struct ContextBuilder {
    heap: HeapConfig,
    quota_bytes: Option<u64>,
    settings: Settings,
    gc_heap_size: u32,
    jit: JitOptions,
    name: Option<String>,
    natives: Vec<NativeArray>,
    sink: Option<LogCallback>,
    accepts_strays: bool,
    memories_in_heap: bool,
    shared_init: bool,
    perf_profiling: bool,
    max_descriptors: Option<u32>,
}

impl Default for ContextBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ContextBuilder {
    pub fn new() -> Self {
        Self {
            heap: HeapConfig::System,
            quota_bytes: None,
            settings: Settings::default(),
            gc_heap_size: 0,
            jit: JitOptions::default(),
            name: None,
            natives: Vec::new(),
            sink: None,
            accepts_strays: true,
            memories_in_heap: false,
            shared_init: false,
            perf_profiling: false,
            max_descriptors: None,
        }
    }

    /// Where the context's memory comes from; the system's allocator if not said.
    pub fn heap(mut self, heap: HeapConfig) -> Self {
        self.heap = heap;
        self
    }

    /// Limits the sum of the context's live blocks and mapped pages.
    pub fn quota_bytes(mut self, bytes: u64) -> Self {
        self.quota_bytes = Some(bytes);
        self
    }

    /// Messages up to this level are logged; [`LogLevel::Warning`] if not said.
    pub fn log_level(mut self, level: LogLevel) -> Self {
        self.settings.log_level = Some(level);
        self
    }

    /// Receives the context's messages instead of the process's logger.
    pub fn log_callback(mut self, callback: LogCallback) -> Self {
        self.sink = Some(callback);
        self
    }

    /// Building fails if the mode is not supported.
    pub fn running_mode(mut self, mode: RunningMode) -> Self {
        self.settings.running_mode = Some(mode);
        self
    }

    /// Size of an instance's garbage-collected heap; 0 for [`GC_HEAP_SIZE_DEFAULT`].
    pub fn gc_heap_size(mut self, bytes: u32) -> Self {
        self.gc_heap_size = bytes;
        self
    }

    /// Cap on a cluster's threads; 0 for what was set before, else [`MAX_THREAD_NUM_DEFAULT`].
    pub fn max_thread_num(mut self, num: u32) -> Self {
        self.settings.max_thread_num = (num > 0).then_some(num);
        self
    }

    /// See [`Context::set_max_descriptors`]. If not said, a quarter of what the process may have
    /// open when the context is made (the soft limit `RLIMIT_NOFILE`), at least 64 and at most
    /// 4,096.
    pub fn max_descriptors(mut self, num: u32) -> Self {
        self.max_descriptors = Some(num);
        self
    }

    pub fn jit_options(mut self, jit: JitOptions) -> Self {
        self.jit = jit;
        self
    }

    /// See [`Context::set_perf_profiling`].
    pub fn perf_profiling(mut self, measure: bool) -> Self {
        self.perf_profiling = measure;
        self
    }

    /// A name for logs and lists.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether threads without a context may fall back to this one while it is the primary. A
    /// host of several tenants says no and gets an error instead of a mix-up.
    pub fn accepts_strays(mut self, accepts: bool) -> Self {
        self.accepts_strays = accepts;
        self
    }

    /// Makes `init` count one context for the whole process instead of one for each thread.
    pub fn shared_init(mut self, shared: bool) -> Self {
        self.shared_init = shared;
        self
    }

    /// Registers an embedder's array of natives as soon as the context is there.
    ///
    /// # Safety
    /// From [`ContextBuilder::build`] on: `module` is null or a C string; if `symbols` is not
    /// null, it points to `count` entries that stay readable, with the strings they name and the
    /// functions they point to, while the context lives.
    pub unsafe fn natives(
        mut self,
        module: *const c_char,
        symbols: *const NativeSymbol,
        count: u32,
        convention: Convention,
    ) -> Self {
        let raw = convention == Convention::Raw;
        self.natives.push(NativeArray { module, symbols, count, raw });
        self
    }

    /// Whether linear memories come from the heap, instead of pages that are mapped for them. An
    /// allocator that asks to be told what a block is for gets them in any case.
    pub fn memories_in_heap(mut self, in_heap: bool) -> Self {
        self.memories_in_heap = in_heap;
        self
    }

    /// Makes a context that lives as long as its handles and objects do.
    pub fn build(self) -> Result<Context> {
        self.build_in(process::of_thread(), Settings::default(), Origin::Handle)
    }

    pub(super) fn wants_shared_init(&self) -> bool {
        self.shared_init
    }

    /// What tells one `init` from another.
    pub(super) fn init_args(&self) -> InitArgs {
        let last = self.natives.last();
        InitArgs {
            heap: self.heap.identity(),
            quota_bytes: self.quota_bytes,
            settings: self.settings,
            gc_heap_size: self.gc_heap_size,
            jit: self.jit,
            natives: (
                last.map_or(0, |array| array.symbols.addr()),
                last.map_or(0, |array| array.count),
                self.natives.len(),
            ),
        }
    }

    /// Makes a context and lists it in `process`. `defaults` fill what the builder leaves open.
    pub(super) fn build_in(
        self,
        process: &'static Process,
        defaults: Settings,
        origin: Origin,
    ) -> Result<Context> {
        let init_args = self.init_args();
        let settings = self.settings.or(defaults);
        if !settings.running_mode.unwrap_or_default().is_supported() {
            return Err(Error::misuse("the running mode is not supported"));
        }
        process.watch();
        let heap = Heap::new(self.heap, self.quota_bytes).map_err(|error| match error {
            HeapError::OutOfMemory => Error::out_of_memory(),
            other => Error::misuse(bounded(format_args!("{other}"))),
        })?;
        let runtime = Runtime::new(RuntimeArgs {
            process,
            heap,
            settings,
            gc_heap_size: self.gc_heap_size,
            jit: self.jit,
            perf_profiling: self.perf_profiling,
            max_descriptors: self.max_descriptors,
            sink: self.sink,
            accepts_strays: self.accepts_strays,
            memories_in_heap: self.memories_in_heap,
            init_args,
        });
        let context = Context(Shared::new(runtime).ok_or_else(Error::out_of_memory)?);
        context.set_name(self.name.as_deref())?;
        let registered = context.guarded(|| {
            // SAFETY: `ContextBuilder::natives` made its caller promise what `register` asks for.
            self.natives.iter().all(|array| unsafe { array.register(&context) })
        })?;
        if !registered {
            return Err(Error::out_of_memory());
        }
        process.registry.open(&context.0, origin).ok_or_else(Error::out_of_memory)?;
        Ok(context)
    }
}

impl NativeArray {
    /// # Safety
    /// As for [`Registry::register`](crate::native::Registry::register).
    unsafe fn register(&self, context: &Context) -> bool {
        let convention = if self.raw { Convention::Raw } else { Convention::Native };
        // SAFETY: as promised.
        unsafe { context.natives().register(self.module, self.symbols, self.count, convention) }
    }
}
