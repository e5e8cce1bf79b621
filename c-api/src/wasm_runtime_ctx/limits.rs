//! A context's limits and counters, and stopping it.

use super::sized::{self, Sized32};
use super::types::wasm_runtime_ctx_limit_t as Limit;
use super::types::{wasm_runtime_ctx_limits_t, wasm_runtime_ctx_stats_t};
use crate::ffi::{guard, handle};
use crate::shared::wasm_runtime_ctx_t;
use isothread::Context;
use std::time::Duration;

// SAFETY: integers without padding, the size first.
unsafe impl Sized32 for wasm_runtime_ctx_limits_t {}
// SAFETY: integers without padding, the size first.
unsafe impl Sized32 for wasm_runtime_ctx_stats_t {}

const MEMORY: u32 = Limit::WASM_RUNTIME_CTX_LIMIT_MEMORY as u32;
const FUEL: u32 = Limit::WASM_RUNTIME_CTX_LIMIT_FUEL as u32;
const TIME: u32 = Limit::WASM_RUNTIME_CTX_LIMIT_TIME as u32;
const THREADS: u32 = Limit::WASM_RUNTIME_CTX_LIMIT_THREADS as u32;
const DESCRIPTORS: u32 = Limit::WASM_RUNTIME_CTX_LIMIT_DESCRIPTORS as u32;
const ALL: u32 = MEMORY | FUEL | TIME | THREADS | DESCRIPTORS;

const NONE: u64 = u64::MAX;

impl wasm_runtime_ctx_limits_t {
    fn of(context: &Context) -> Self {
        Self {
            struct_size: size_of::<Self>() as u32,
            set: ALL,
            memory_bytes: context.quota_bytes().unwrap_or(NONE),
            fuel: context.fuel().unwrap_or(NONE),
            time_ms: context.time_left().map_or(NONE, |left| left.as_millis() as u64),
            max_threads: context.max_thread_num(),
            reserved: 0,
            max_descriptors: context.max_descriptors(),
            reserved2: 0,
        }
    }

    fn apply(&self, context: &Context) {
        let limit = |value: u64| (value != NONE).then_some(value);
        if self.set & MEMORY != 0 {
            context.set_quota_bytes(limit(self.memory_bytes));
        }
        if self.set & FUEL != 0 {
            context.set_fuel(limit(self.fuel));
        }
        if self.set & TIME != 0 {
            context.set_time_left(limit(self.time_ms).map(Duration::from_millis));
        }
        if self.set & THREADS != 0 {
            context.set_max_thread_num(self.max_threads);
        }
        if self.set & DESCRIPTORS != 0 {
            context.set_max_descriptors(self.max_descriptors);
        }
    }
}

/// Changes the limits that `limits->set` names, at any time, also while guest code runs, which
/// sees it within 100,000 units of fuel. False, and nothing changes, for limits that are not known
/// here, and for a limit that is named but lies beyond `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_set_limits(
    ctx: wasm_runtime_ctx_t,
    limits: *const wasm_runtime_ctx_limits_t,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(context) = (unsafe { handle::context(ctx) }) else { return false };
        let unchanged =
            wasm_runtime_ctx_limits_t { set: 0, ..wasm_runtime_ctx_limits_t::of(&context) };
        // SAFETY: the C contract of structs with a size.
        let Some(limits) = (unsafe { sized::read(limits, unchanged) }) else { return false };
        let known = known_to(limits.struct_size as usize);
        let valid = limits.set & !known == 0;
        if valid {
            limits.apply(&context);
        }
        valid
    })
}

/// The limits that a struct of this size has room for.
fn known_to(size: usize) -> u32 {
    use std::mem::offset_of;
    let fields = [
        (MEMORY, offset_of!(wasm_runtime_ctx_limits_t, fuel)),
        (FUEL, offset_of!(wasm_runtime_ctx_limits_t, time_ms)),
        (TIME, offset_of!(wasm_runtime_ctx_limits_t, max_threads)),
        (THREADS, offset_of!(wasm_runtime_ctx_limits_t, reserved)),
        (DESCRIPTORS, offset_of!(wasm_runtime_ctx_limits_t, reserved2)),
    ];
    fields.iter().filter(|&&(_, end)| end <= size).fold(0, |sum, &(limit, _)| sum | limit)
}

/// The limits as they are now; for fuel and time, the rest. `limits->struct_size` is to be set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_get_limits(
    ctx: wasm_runtime_ctx_t,
    limits: *mut wasm_runtime_ctx_limits_t,
) -> bool {
    guard(|| {
        // SAFETY: the C contracts of handles and of structs with a size.
        unsafe {
            handle::context(ctx).is_some_and(|context| {
                sized::write(limits, &wasm_runtime_ctx_limits_t::of(&context))
            })
        }
    })
}

/// Reads a context's counters. Each is right by itself; with guests running they are not of one
/// moment. `stats->struct_size` is to be set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_stats(
    ctx: wasm_runtime_ctx_t,
    stats: *mut wasm_runtime_ctx_stats_t,
) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(context) = (unsafe { handle::context(ctx) }) else { return false };
        let now = context.stats();
        let filled = wasm_runtime_ctx_stats_t {
            struct_size: size_of::<wasm_runtime_ctx_stats_t>() as u32,
            reserved: 0,
            live_bytes: now.heap.live_bytes,
            peak_bytes: now.heap.peak_bytes,
            live_blocks: now.heap.live_blocks,
            modules: now.modules as u64,
            instances: now.instances as u64,
            exec_envs: now.exec_envs as u64,
            threads: now.threads as u64,
            calls: now.calls,
            traps: now.traps,
            descriptors: now.descriptors.live.into(),
            peak_descriptors: now.descriptors.peak.into(),
        };
        // SAFETY: the C contract of structs with a size.
        unsafe { sized::write(stats, &filled) }
    })
}

/// Stops the guest code of a context, as `wasm_runtime_terminate` of each of its instances does:
/// running calls end with "terminated by user", and so do later ones until the exception is
/// cleared. An instantiation that is under way fails with that text at the next code of a guest's
/// that it runs: a start function, a constructor, an imported module's. Any thread may call this,
/// also while instances come and go. Later instantiations are not affected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_ctx_terminate_all(ctx: wasm_runtime_ctx_t) -> bool {
    guard(|| {
        // SAFETY: the C contract of handles.
        let context = unsafe { handle::context(ctx) };
        context.map(|context| context.terminate_all()).is_some()
    })
}
