//! A context's configuration, and the reasons why it cannot be made.

use super::log::LogLevel;
use crate::abi::error::{Error, bounded};
use crate::alloc::{HeapConfig, HeapError};
use crate::native::{BuiltinTable, NativeArray};
use std::fmt;

/// How guest code runs. The numbers are the C API's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum RunningMode {
    /// The best mode for the context: [`RunningMode::MultiTierJit`] where this build has it and
    /// the context's memory is no pool, else [`RunningMode::Interp`]. What contexts share of an
    /// imported module is interpreted.
    #[default]
    Default = 0,
    /// Everything is interpreted.
    Interp = 1,
    /// Functions are compiled when they are first called, with little work for good code.
    FastJit = 2,
    /// Functions are compiled when they are first called, to good code.
    LlvmJit = 3,
    /// Functions are interpreted at first. Those that run long are compiled meanwhile, by a thread
    /// of the context's, and go on in compiled code, also in the midst of a loop.
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

    /// Whether this build has the mode.
    pub const fn is_supported(self) -> bool {
        matches!(self, Self::Default | Self::Interp) || cfg!(isothread_jit)
    }
}

/// Options of the compiler. Where a build compiles nothing they are kept and can be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JitOptions {
    /// Bytes of machine code that the context may have, in whole pages; 0 for 64 MiB. Functions
    /// that find no room are interpreted.
    pub code_cache_size: u32,
    /// Accepted for WAMR's sake; [`RunningMode::FastJit`] is for code that is made quickly.
    pub opt_level: u32,
    /// 1 and 2 prefer small code to fast code.
    pub size_level: u32,
    /// Accepted for WAMR's sake.
    pub segue_flags: u32,
    /// Compiled functions are noted for Linux's perf: in the process's map, `/tmp/perf-PID.map`,
    /// and with their code in a dump of the context's, `/tmp/isothread-PID-N/jit-PID.dump`. The
    /// files stay. Ignored where nothing is compiled.
    pub linux_perf: bool,
}

/// Default size of an instance's garbage-collected heap, in bytes.
pub const GC_HEAP_SIZE_DEFAULT: u32 = 131_072;
/// Smaller and larger sizes than these are taken for them, as WAMR does.
pub(super) const GC_HEAP_SIZE_MIN: u32 = 4 << 10;
pub(super) const GC_HEAP_SIZE_MAX: u32 = 1 << 30;
/// Default cap on the threads of a cluster, its main thread not counted.
pub const MAX_THREAD_NUM_DEFAULT: u32 = 4;

/// A context's configuration: plain data, usually a few fields and the defaults for the rest.
///
/// ```
/// use isothread::{Context, ContextConfig, LogLevel};
///
/// let context = Context::with(ContextConfig {
///     quota_bytes: Some(64 << 20),
///     log_level: Some(LogLevel::Error),
///     ..ContextConfig::default()
/// })?;
/// context.set_name(Some("tenant 7"))?;
/// # Ok::<(), isothread::Error>(())
/// ```
///
/// The context keeps it as it is, and [`thread::init`](super::thread::init) compares the whole of
/// it where a context is there already. Several settings can be changed later, by the context's
/// functions of the same names. A context's name and its callbacks are no part of this: they are
/// set on the context.
#[derive(Debug, PartialEq)]
pub struct ContextConfig {
    /// Where the context's memory comes from: [`HeapConfig::System`] by default. A pool's buffer
    /// and an allocator's functions are the embedder's, who lends them until the context and all
    /// its objects are gone.
    pub heap: HeapConfig,
    /// Limit on the sum of the context's live blocks and mapped pages, in bytes; none by default.
    pub quota_bytes: Option<u64>,
    /// Messages up to this level are logged. By default, the level set on the thread that calls
    /// [`thread::init`](super::thread::init); without one, and for
    /// [`Context::with`](super::Context::with), [`LogLevel::Warning`].
    pub log_level: Option<LogLevel>,
    /// The mode of instances that ask for none. By default, as for `log_level`, the mode set on the
    /// thread, else [`RunningMode::Default`]. A mode that this build does not support is refused.
    pub running_mode: Option<RunningMode>,
    /// Threads that a cluster may have beside its main thread. 0, the default, stands for the
    /// number set on the thread, as for `log_level`, else for [`MAX_THREAD_NUM_DEFAULT`].
    pub max_thread_num: u32,
    /// Descriptors of the process's that guests may have open together
    /// ([`Context::set_max_descriptors`](super::Context::set_max_descriptors)). By default a
    /// quarter of the process's soft limit (`RLIMIT_NOFILE`) at the time when a guest first opens
    /// one, at least 64 and at most 4,096.
    pub max_descriptors: Option<u32>,
    /// Size of an instance's garbage-collected heap, in bytes; 0, the default, is
    /// [`GC_HEAP_SIZE_DEFAULT`]. Structs and arrays are there, and exceptions that a guest has
    /// references to. Instances that are linked to each other share one of this size, unless
    /// several had objects before; then their sizes add up.
    pub gc_heap_size: u32,
    /// For tests: whether every allocation in such a heap looks for objects that can be freed;
    /// false by default.
    #[doc(hidden)]
    pub collects_always: bool,
    /// Options of the compilers; all 0 by default.
    pub jit: JitOptions,
    /// Whether modules measure the cost of their functions
    /// ([`Context::set_perf_profiling`](super::Context::set_perf_profiling)); false by default.
    pub perf_profiling: bool,
    /// Whether threads without a context may fall back to this one while it is the primary; true by
    /// default. A host of several tenants sets false, to get an error instead of a mix-up.
    pub accepts_strays: bool,
    /// Whether linear memories come from the heap, instead of pages that are mapped for them; false
    /// by default. An allocator that receives the purpose of blocks gets them in any case.
    pub memories_in_heap: bool,
    /// Makes [`thread::init`](super::thread::init) count one context for the whole process instead
    /// of one for each thread; false by default. Nothing else looks at it.
    pub shared_init: bool,
    /// An embedder's array of functions that guests may import; none by default. The context
    /// registers it when it is made, and more can be registered later.
    pub natives: Option<NativeArray>,
    /// The built-in libraries that guests may import from, searched in this order; natives that an
    /// embedder registers take precedence. By default all that this build has
    /// ([`builtins::ALL`](crate::builtins::ALL)).
    pub builtins: &'static [BuiltinTable],
}

impl ContextConfig {
    /// Everything at its default, with these libraries.
    pub const fn with_builtins(builtins: &'static [BuiltinTable]) -> Self {
        Self {
            heap: HeapConfig::System,
            quota_bytes: None,
            log_level: None,
            running_mode: None,
            max_thread_num: 0,
            max_descriptors: None,
            gc_heap_size: 0,
            collects_always: false,
            jit: JitOptions {
                code_cache_size: 0,
                opt_level: 0,
                size_level: 0,
                segue_flags: 0,
                linux_perf: false,
            },
            perf_profiling: false,
            accepts_strays: true,
            memories_in_heap: false,
            shared_init: false,
            natives: None,
            builtins,
        }
    }
}

/// Settings made on a thread before it had a context, for the context that `init` makes on it.
/// Owner: the thread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ThreadSettings {
    pub(super) log_level: Option<LogLevel>,
    pub(super) running_mode: Option<RunningMode>,
    pub(super) max_thread_num: Option<u32>,
}

/// Why there is no context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextError {
    /// The heap was refused.
    Heap(HeapError),
    /// No kind of memory has this number, in C's `mem_alloc_type_t`.
    HeapKind(u32),
    /// This build does not have the mode, or no mode has this number.
    RunningMode(u32),
    /// The heap has no room for noting the array of natives.
    Natives,
    /// The system has no memory for the parts of a context or thread that lie outside of heaps.
    OutOfMemory,
}

impl fmt::Display for ContextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Heap(error) => error.fmt(f),
            Self::HeapKind(number) => write!(f, "there is no kind of memory {number}"),
            Self::RunningMode(_) => f.write_str("the running mode is not supported"),
            Self::Natives | Self::OutOfMemory => f.write_str("allocate memory failed"),
        }
    }
}

impl std::error::Error for ContextError {}

impl From<ContextError> for Error {
    fn from(error: ContextError) -> Self {
        match error {
            ContextError::Heap(HeapError::OutOfMemory)
            | ContextError::Natives
            | ContextError::OutOfMemory => Self::out_of_memory(),
            refused => Self::misuse(bounded(format_args!("{refused}"))),
        }
    }
}
