//! From `RuntimeInitArgs` to a context.

use super::early;
use super::integers::RunningMode;
use super::types::RuntimeInitArgs;
use crate::ffi::{callback, log};
use crate::shared::{anon_pool_option, mem_alloc_type_t as AllocType};
use isothread::context::log::{Output, install};
use isothread::context::thread;
use isothread::{
    Context, ContextConfig, ContextError, Convention, HeapConfig, HeapError, JitOptions,
    NativeArray, PoolBuffer, RunningMode as Mode, UserAllocator,
};
use std::fmt;

/// The mode with this number, if this build has it.
pub(crate) fn supported_mode(raw: RunningMode) -> Option<Mode> {
    Mode::from_raw(raw).filter(|mode| mode.is_supported())
}

/// Makes or counts the calling thread's context. No arguments are all defaults.
pub(crate) fn init(args: Option<&RuntimeInitArgs>) -> bool {
    init_context(args).is_some()
}

/// As [`init`]; the context that was made or counted.
pub(crate) fn init_context(args: Option<&RuntimeInitArgs>) -> Option<Context> {
    // First, so that log lines go through C's buffer.
    install(Output::C);
    let is_new = !thread::init_only_counts();
    let done = match args {
        None => thread::init_by_default(ContextConfig::default()).ok(),
        Some(args) if is_new => finish(args, config(args).and_then(thread::init)),
        // Arguments that make no sense are compared as if they were none.
        Some(args) => thread::init(config(args).unwrap_or_default()).ok(),
    };
    if is_new && done.is_some() {
        early::apply();
    }
    done
}

/// Makes a context of its own, which is no thread's. No arguments are all defaults.
pub(crate) fn create(args: Option<&RuntimeInitArgs>) -> Option<Context> {
    install(Output::C);
    let Some(args) = args else { return Context::new().ok() };
    let made = thread::operation(|| config(args).and_then(Context::with)).ok()?;
    finish(args, made)
}

/// Logs the lines for a context that was made or refused.
fn finish<T>(args: &RuntimeInitArgs, made: Result<T, ContextError>) -> Option<T> {
    match &made {
        Ok(_) if args.enable_linux_perf && !Mode::FastJit.is_supported() => {
            log::warning(format_args!(
                "warning: to enable linux perf support, please recompile with \
             -DWAMR_BUILD_LINUX_PERF=1"
            ))
        }
        Ok(_) => {}
        Err(error) => log_refused(args, *error),
    }
    made.ok()
}

/// The lines of WAMR's for a context that cannot be made.
fn log_refused(args: &RuntimeInitArgs, error: ContextError) {
    match error {
        ContextError::Heap(HeapError::PoolTooSmall { start, len }) => {
            if len < PoolBuffer::LEN_MIN || start == 0 {
                log::error(format_args!(
                    "[GC_ERROR]heap init buf size ({len}) < {}\n",
                    PoolBuffer::LEN_MIN
                ));
            }
            log_pool(start, len);
        }
        ContextError::Heap(HeapError::AllocatorIncomplete { malloc, realloc, free }) => {
            log::error(format_args!(
                "Init memory with allocator ({}, {}, {}) failed.\n",
                Address(malloc),
                Address(realloc),
                Address(free)
            ));
        }
        // WAMR says nothing.
        ContextError::RunningMode(_) | ContextError::HeapKind(_) => {}
        // A context with a pool reports any lack of memory as the pool's failure.
        _ => {
            if let Some(pool) = pool(args) {
                log_pool(pool.heap_buf.addr(), pool.heap_size as usize);
            }
        }
    }
}

fn log_pool(start: usize, len: usize) {
    log::error(format_args!("Init memory with pool ({}, {len}) failed.\n", Address(start)));
}

/// An address as `%p` prints it.
struct Address(usize);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 { f.write_str("(nil)") } else { write!(f, "{:#x}", self.0) }
    }
}

fn config(args: &RuntimeInitArgs) -> Result<ContextConfig, ContextError> {
    let heap = heap_config(args)?;
    let mode = supported_mode(args.running_mode);
    Ok(ContextConfig {
        heap,
        running_mode: Some(mode.ok_or(ContextError::RunningMode(args.running_mode))?),
        jit: JitOptions {
            code_cache_size: args.fast_jit_code_cache_size,
            opt_level: args.llvm_jit_opt_level,
            size_level: args.llvm_jit_size_level,
            segue_flags: args.segue_flags,
            linux_perf: args.enable_linux_perf,
        },
        gc_heap_size: args.gc_heap_size,
        max_thread_num: args.max_thread_num,
        natives: natives(args),
        ..ContextConfig::default()
    })
}

fn natives(args: &RuntimeInitArgs) -> Option<NativeArray> {
    let (module, symbols) = (args.native_module_name, args.native_symbols.cast_const().cast());
    let count = args.n_native_symbols;
    // SAFETY: the embedder keeps the array, its strings and functions as long as the context lives.
    (count > 0).then(|| unsafe { NativeArray::new(module, symbols, count, Convention::Native) })
}

/// The pool that the arguments ask for, if they ask for one.
fn pool(args: &RuntimeInitArgs) -> Option<anon_pool_option> {
    if args.mem_alloc_type != AllocType::Alloc_With_Pool as u32 {
        return None;
    }
    // SAFETY: the discriminating field says that this is the member in use.
    Some(unsafe { args.mem_alloc_option.pool })
}

fn heap_config(args: &RuntimeInitArgs) -> Result<HeapConfig, ContextError> {
    const ALLOCATOR: u32 = AllocType::Alloc_With_Allocator as u32;
    const SYSTEM: u32 = AllocType::Alloc_With_System_Allocator as u32;
    if let Some(pool) = pool(args) {
        // SAFETY: the embedder lends the buffer until it has destroyed the context.
        let buffer = unsafe { PoolBuffer::new(pool.heap_buf.cast(), pool.heap_size as usize) };
        return buffer.map(HeapConfig::Pool).map_err(ContextError::Heap);
    }
    match args.mem_alloc_type {
        ALLOCATOR => {
            // SAFETY: the discriminating field says that this is the member in use.
            let functions = unsafe { args.mem_alloc_option.allocator };
            // SAFETY: the embedder gives functions of the documented types.
            unsafe { callback::allocator(&functions) }
                // SAFETY: they behave like C's, on any thread, as long as the context lives.
                .and_then(|f| unsafe { UserAllocator::new(f, functions.user_data) })
                .map(HeapConfig::User)
                .map_err(ContextError::Heap)
        }
        SYSTEM => Ok(HeapConfig::System),
        kind => Err(ContextError::HeapKind(kind)),
    }
}
