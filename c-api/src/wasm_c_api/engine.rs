//! Configurations, engines and stores: how an engine is a context.

use super::handles::{wasm_engine_t, wasm_store_t};
use super::memory_block::{Block, Counted, end, own, value};
use super::store::ObjectStore;
use super::types::wasm_config_t;
use crate::ffi::{guard, guard_held};
use crate::shared::{MemAllocOption, anon_allocator_option, mem_alloc_type_t as AllocType};
use crate::wasm_export::{setup, types::RuntimeInitArgs};
use isothread::context::log::{Output, install};
use isothread::context::thread::{self, Destroyed};
use isothread::{Context, ContextData, Lock};
use std::ptr::{NonNull, null_mut};

/// An engine: the context that it stands for. Owner: each `wasm_engine_new` has a count, and each
/// of them is an init of the context.
pub(super) struct Engine {
    context: Context,
}

/// The engine of a context, while there is one. Owner: the context; the address is no count.
#[derive(Default)]
struct EngineOfContext(Lock<Option<usize>>);

impl ContextData for EngineOfContext {}

/// Makes a configuration with every default: the system's allocator.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_config_new() -> *mut wasm_config_t {
    guard(|| own(default_config()))
}

fn default_config() -> wasm_config_t {
    let none = anon_allocator_option {
        malloc_func: null_mut(),
        realloc_func: null_mut(),
        free_func: null_mut(),
        user_data: null_mut(),
    };
    wasm_config_t {
        mem_alloc_type: AllocType::Alloc_With_System_Allocator as u32,
        mem_alloc_option: MemAllocOption { allocator: none },
        segue_flags: 0,
        enable_linux_perf: false,
    }
}

/// Deletes a configuration. Engines that were made with it are not affected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_config_delete(config: *mut wasm_config_t) {
    // SAFETY: NULL or from `wasm_config_new`, by the C contract.
    guard(|| unsafe { end(config) })
}

/// # Safety
/// `config` is NULL or the caller's.
unsafe fn change(
    config: *mut wasm_config_t,
    how: impl FnOnce(&mut wasm_config_t),
) -> *mut wasm_config_t {
    // SAFETY: the caller guarantees that `config` is NULL or its own.
    if let Some(config) = unsafe { config.as_mut() } {
        how(config);
    }
    config
}

/// Sets how the engine gets its memory, and returns `config`; `option` is copied. NULL, with
/// nothing changed, if either is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_config_set_mem_alloc_opt(
    config: *mut wasm_config_t,
    mem_alloc_type: crate::wasm_export::integers::mem_alloc_type_t,
    option: *mut MemAllocOption,
) -> *mut wasm_config_t {
    guard(|| {
        // SAFETY: NULL or structs of the caller's.
        let Some(option) = (unsafe { option.as_ref() }) else { return null_mut() };
        // SAFETY: NULL or the caller's.
        unsafe {
            change(config, |config| {
                config.mem_alloc_type = mem_alloc_type;
                config.mem_alloc_option = *option;
            })
        }
    })
}

/// Asks for notes of compiled functions for Linux's perf, as `enable_linux_perf` of
/// `RuntimeInitArgs` does, and returns `config`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_config_set_linux_perf_opt(
    config: *mut wasm_config_t,
    enable: bool,
) -> *mut wasm_config_t {
    // SAFETY: NULL or the caller's.
    guard(|| unsafe { change(config, |config| config.enable_linux_perf = enable) })
}

/// Accepted, without effect; returns `config`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_config_set_segue_flags(
    config: *mut wasm_config_t,
    segue_flags: u32,
) -> *mut wasm_config_t {
    // SAFETY: NULL or the caller's.
    guard(|| unsafe { change(config, |config| config.segue_flags = segue_flags) })
}

/// Makes an engine with every default: a context for the calling thread, as `wasm_runtime_init`
/// does. On a thread that has one, counts it, and returns its engine.
#[unsafe(no_mangle)]
pub extern "C" fn wasm_engine_new() -> *mut wasm_engine_t {
    guard(|| make(None))
}

/// Makes an engine as `config` says, which stays the caller's; its targets (the pool's buffer, the
/// functions) must stay as long as the engine and everything in it. On a thread that has a context
/// already, that one is counted, and a configuration that differs from its own is ignored with a
/// log line. NULL for NULL, for a configuration that makes no sense, and without memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_engine_new_with_config(
    config: *mut wasm_config_t,
) -> *mut wasm_engine_t {
    // SAFETY: NULL or a struct of the caller's.
    guard(|| unsafe { config.as_ref() }.map_or(null_mut(), |config| make(Some(config))))
}

/// Makes an engine like `wasm_engine_new_with_config`, from the part of the configuration that is
/// about memory. NULL `opts` are no error for the system's allocator.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_engine_new_with_args(
    r#type: crate::wasm_export::integers::mem_alloc_type_t,
    opts: *const MemAllocOption,
) -> *mut wasm_engine_t {
    guard(|| {
        let mut config = default_config();
        let needs_none = r#type == config.mem_alloc_type;
        config.mem_alloc_type = r#type;
        // SAFETY: NULL or a union of the caller's.
        match unsafe { opts.as_ref() } {
            Some(opts) => config.mem_alloc_option = *opts,
            None if needs_none => {}
            None => return null_mut(),
        }
        make(Some(&config))
    })
}

/// No configuration takes the context as it is, if there is one.
fn make(config: Option<&wasm_config_t>) -> *mut wasm_engine_t {
    let args = config.map(|config| RuntimeInitArgs {
        mem_alloc_type: config.mem_alloc_type,
        mem_alloc_option: config.mem_alloc_option,
        segue_flags: config.segue_flags,
        enable_linux_perf: config.enable_linux_perf,
        // SAFETY: a C struct, in which all bytes zero are every default.
        ..unsafe { std::mem::zeroed() }
    });
    let Some(context) = setup::init_context(args.as_ref()) else { return null_mut() };
    let made = context.data_or_init(EngineOfContext::default).ok().and_then(|engine| {
        let mut address = engine.0.lock();
        let known = address.map(std::ptr::with_exposed_provenance_mut::<Block<Engine>>);
        if let Some(block) = known.and_then(NonNull::new) {
            // SAFETY: `wasm_engine_delete` takes the address away, under this lock, before the
            // last count of the block goes.
            return Some(unsafe { Counted::retained(block) });
        }
        let new = Counted::new(Engine { context: context.clone() })?;
        *address = Some(new.as_raw().expose_provenance());
        Some(new)
    });
    match made {
        Some(engine) => engine.into_raw().cast(),
        None => {
            end_one(context);
            null_mut()
        }
    }
}

/// Gives one init of a context back.
fn end_one(context: Context) {
    if let Destroyed::Closed(context) = thread::destroy_of(&context) {
        // SAFETY: the embedder ends the engine, so by the contract no other thread runs in it.
        unsafe { context.retire_pool() };
    }
}

/// Deletes an engine, on any thread, once for each call that returned it. With the last, the
/// context is closed, unless `wasm_runtime_init` counts it too. Stores keep what they need, but
/// in an engine with a pool they must be deleted before: the buffer is the embedder's again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_engine_delete(engine: *mut wasm_engine_t) {
    guard_held(|| {
        let Some(block) = NonNull::new(engine.cast::<Block<Engine>>()) else { return };
        // SAFETY: a live engine, by the C contract, whose count is the caller's.
        let engine = unsafe { Counted::from_raw(block) };
        let context = engine.context.clone();
        let data = context.data::<EngineOfContext>();
        let last = {
            let mut address = data.as_ref().map(|data| data.0.lock());
            let last = engine.into_inner();
            if let (Some(_), Some(address)) = (&last, &mut address) {
                **address = None;
            }
            last
        };
        drop(last);
        drop(data);
        install(Output::C);
        end_one(context);
    })
}

/// Makes a store in an engine, on any thread. It belongs to no thread, and one thread uses it at a
/// time. NULL for NULL, and without memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_store_new(engine: *mut wasm_engine_t) -> *mut wasm_store_t {
    guard(|| {
        // SAFETY: NULL or a live engine, by the C contract.
        let engine = unsafe { value(engine.cast_const().cast::<Block<Engine>>()) };
        let store = engine.and_then(|engine| ObjectStore::new(engine.context.clone()));
        store.map_or(null_mut(), |store| store.into_raw().cast())
    })
}

/// Deletes a store, on any thread. Objects that were made in it stay usable until they are deleted,
/// and keep the part of it that they need; a guest's references to objects of the host lead nowhere
/// from now on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_store_delete(store: *mut wasm_store_t) {
    guard_held(|| {
        if let Some(block) = NonNull::new(store.cast::<Block<ObjectStore>>()) {
            // SAFETY: a live store, by the C contract, which is the caller's.
            let store = unsafe { Counted::from_raw(block) };
            store.close();
        }
    })
}
