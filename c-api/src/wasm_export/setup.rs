//! From `RuntimeInitArgs` to a context.

use super::early;
use super::integers::RunningMode;
use super::types::RuntimeInitArgs;
use crate::ffi::{callback, log};
use crate::shared::{anon_allocator_option, anon_pool_option, mem_alloc_type_t as AllocType};
use isothread::context::log::{Output, install};
use isothread::context::thread;
use isothread::{
    Context, ContextBuilder, Convention, HeapConfig, JitOptions, PoolBuffer, RunningMode as Mode,
    UserAllocator,
};
use std::fmt;

/// The mode with this number, if this build has it.
pub(crate) fn supported_mode(raw: RunningMode) -> Option<Mode> {
    Mode::from_raw(raw).filter(|mode| mode.is_supported())
}

/// Makes or counts the calling thread's context. No arguments are all defaults.
pub(crate) fn init(args: Option<&RuntimeInitArgs>) -> bool {
    // First, so that log lines go through C's buffer.
    install(Output::C);
    let is_new = !thread::init_only_counts();
    let done = init_with(args);
    if is_new && done {
        early::apply();
    }
    done
}

fn init_with(args: Option<&RuntimeInitArgs>) -> bool {
    let Some(args) = args else { return thread::init(None).is_ok() };
    let Ok(builder) = thread::operation(|| builder(args)) else { return false };
    if thread::init_only_counts() {
        // Arguments that make no sense differ from those that made the context like any others.
        return thread::init(Some(builder.unwrap_or_default())).is_ok();
    }
    let made = builder.and_then(|builder| match thread::init(Some(builder)) {
        Ok(_) => Ok(()),
        Err(_) => Err(Refused::heap(args)),
    });
    finish(args, made).is_some()
}

/// Makes a context of its own, which is no thread's. No arguments are all defaults.
pub(crate) fn create(args: Option<&RuntimeInitArgs>) -> Option<Context> {
    install(Output::C);
    let Some(args) = args else { return Context::new().ok() };
    let made = thread::operation(|| {
        builder(args).and_then(|b| b.build().map_err(|_| Refused::heap(args)))
    });
    finish(args, made.unwrap_or(Err(Refused::Silently)))
}

/// Logs what there is to say of a context that was made or refused.
fn finish<T>(args: &RuntimeInitArgs, made: Result<T, Refused>) -> Option<T> {
    match &made {
        Ok(_) if args.enable_linux_perf => log::warning(format_args!(
            "warning: to enable linux perf support, please recompile with \
             -DWAMR_BUILD_LINUX_PERF=1"
        )),
        Ok(_) => {}
        Err(refused) => refused.log(),
    }
    made.ok()
}

/// Why arguments make no context.
enum Refused {
    Pool(anon_pool_option),
    Allocator(anon_allocator_option),
    /// WAMR says nothing.
    Silently,
}

impl Refused {
    /// The heap that `args` describe, if it could not be made after all.
    fn heap(args: &RuntimeInitArgs) -> Self {
        if args.mem_alloc_type == AllocType::Alloc_With_Pool as u32 {
            // SAFETY: the discriminating field says that this is the member in use.
            Self::Pool(unsafe { args.mem_alloc_option.pool })
        } else {
            Self::Silently
        }
    }

    fn log(&self) {
        match self {
            Self::Pool(pool) => {
                if (pool.heap_size as usize) < PoolBuffer::LEN_MIN || pool.heap_buf.is_null() {
                    log::error(format_args!(
                        "[GC_ERROR]heap init buf size ({}) < {}\n",
                        pool.heap_size,
                        PoolBuffer::LEN_MIN
                    ));
                }
                log::error(format_args!(
                    "Init memory with pool ({}, {}) failed.\n",
                    Address(pool.heap_buf),
                    pool.heap_size
                ));
            }
            Self::Allocator(functions) => log::error(format_args!(
                "Init memory with allocator ({}, {}, {}) failed.\n",
                Address(functions.malloc_func),
                Address(functions.realloc_func),
                Address(functions.free_func)
            )),
            Self::Silently => {}
        }
    }
}

/// An address as `%p` prints it.
struct Address(*mut std::ffi::c_void);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_null() { f.write_str("(nil)") } else { write!(f, "{:p}", self.0) }
    }
}

fn builder(args: &RuntimeInitArgs) -> Result<ContextBuilder, Refused> {
    let heap = heap_config(args)?;
    let mode = supported_mode(args.running_mode).ok_or(Refused::Silently)?;
    let jit = JitOptions {
        code_cache_size: args.fast_jit_code_cache_size,
        opt_level: args.llvm_jit_opt_level,
        size_level: args.llvm_jit_size_level,
        segue_flags: args.segue_flags,
        linux_perf: args.enable_linux_perf,
    };
    let builder = ContextBuilder::new()
        .heap(heap)
        .running_mode(mode)
        .jit_options(jit)
        .gc_heap_size(args.gc_heap_size)
        .max_thread_num(args.max_thread_num);
    if args.n_native_symbols == 0 {
        return Ok(builder);
    }
    let symbols = args.native_symbols.cast_const().cast();
    let (module, count) = (args.native_module_name, args.n_native_symbols);
    // SAFETY: the embedder keeps the array and what it points to as long as the context lives.
    Ok(unsafe { builder.natives(module, symbols, count, Convention::Native) })
}

fn heap_config(args: &RuntimeInitArgs) -> Result<HeapConfig, Refused> {
    const POOL: u32 = AllocType::Alloc_With_Pool as u32;
    const ALLOCATOR: u32 = AllocType::Alloc_With_Allocator as u32;
    const SYSTEM: u32 = AllocType::Alloc_With_System_Allocator as u32;
    match args.mem_alloc_type {
        POOL => {
            // SAFETY: the discriminating field says that this is the member in use.
            let pool = unsafe { args.mem_alloc_option.pool };
            // SAFETY: the embedder lends the buffer until it has destroyed the context.
            unsafe { PoolBuffer::new(pool.heap_buf.cast(), pool.heap_size as usize) }
                .map(HeapConfig::Pool)
                .ok_or(Refused::Pool(pool))
        }
        ALLOCATOR => {
            // SAFETY: the discriminating field says that this is the member in use.
            let functions = unsafe { args.mem_alloc_option.allocator };
            // SAFETY: the embedder gives functions of the documented types.
            unsafe { callback::allocator(&functions) }
                // SAFETY: they behave like C's, on any thread, as long as the context lives.
                .and_then(|f| unsafe { UserAllocator::new(f, functions.user_data) })
                .map(HeapConfig::User)
                .ok_or(Refused::Allocator(functions))
        }
        SYSTEM => Ok(HeapConfig::System),
        _ => Err(Refused::Silently),
    }
}
